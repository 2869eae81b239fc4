package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/payment"
)

// What is old is removed in the order of its age, and no more than Forget says: not what a live owner needs, nor the newest
// ones after a clock that jumped ahead.
func TestForget(t *testing.T) {
	const values, size = 50, 1000
	old := payment.NewID(day(30).Add(-time.Hour))
	for _, c := range []struct {
		name  string
		f     record.Forget
		live  map[int]bool // owners
		want  int64
		still []int // places, oldest first, that are there afterwards
		gone  []int
	}{
		{"nothing is old", record.Forget{Bytes: 1 << 20}, nil, 0, []int{0, 49}, nil},
		{"older than a day", record.Forget{Before: old, Bytes: 1 << 20}, nil, 30, []int{30, 49}, []int{0, 29}},
		{"not what waits", record.Forget{Before: old, Bytes: 1 << 20}, map[int]bool{3: true, 40: true}, 29, []int{3, 30}, []int{2, 4}},
		{"not the newest ones", record.Forget{Before: payment.NewID(day(1000)), Least: 5, Bytes: 1 << 20}, nil, 45, []int{45, 49}, []int{0, 44}},
		{"more than there are", record.Forget{Before: payment.NewID(day(1000)), Least: 60, Bytes: 1 << 20}, nil, 0, []int{0}, nil},
		{"too many bytes", record.Forget{Least: 60, Bytes: 10*size + 5}, map[int]bool{1: true}, 39, []int{1, 40, 49}, []int{0, 39}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, _ := open(t, journal.Config{Dir: t.TempDir(), Reserve: -1})
			var keys []string
			var b record.Batch
			for i := range values {
				key := payment.NewID(day(i))
				keys = append(keys, key)
				b.Puts = append(b.Puts, record.Put{Bucket: "what", Key: key, Body: []byte(`"` + strings.Repeat("x", size-2) + `"`)},
					record.Put{Bucket: "other", Key: key, Body: []byte(`1`)},
					record.Put{Bucket: "owner", Key: key, Ref: fmt.Sprint(i), Live: c.live[i], Body: []byte(`1`)})
			}
			commit(t, j, b)
			c.f.Bucket, c.f.Of = "what", "owner"
			n, err := j.Forget(t.Context(), c.f)
			if err != nil || n != c.want {
				t.Errorf("%d were removed, %v, want %d", n, err, c.want)
			}
			for _, i := range c.still {
				if _, err := j.Find(t.Context(), "what", keys[i], ""); err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
			for _, i := range c.gone {
				if _, err := j.Find(t.Context(), "what", keys[i], ""); !errors.Is(err, record.ErrNotFound) {
					t.Errorf("%d is there: %v", i, err)
				}
			}
			for i, key := range keys {
				for _, bucket := range []string{"other", "owner"} {
					if _, err := j.Find(t.Context(), bucket, key, ""); err != nil {
						t.Errorf("%s %d: %v", bucket, i, err)
					}
				}
			}
			if n, err := j.Forget(t.Context(), c.f); err != nil || n != 0 {
				t.Errorf("again: %d, %v", n, err)
			}
		})
	}
}

func day(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
