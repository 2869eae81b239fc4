package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/journal"
	"tilld/internal/printing"
	"tilld/internal/record"
)

// misread is a journal of which the next readings fail.
type misread struct {
	*journal.Journal

	mu    sync.Mutex
	fail  []error
	asked []int64 // from where it was read
}

func (m *misread) Events(ctx context.Context, after int64, limit int) ([]record.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, after)
	if len(m.fail) > 0 {
		err := m.fail[0]
		m.fail = m.fail[1:]
		return nil, err
	}
	return m.Journal.Events(ctx, after, limit)
}

// following is a box's slips over such a journal, which holds n events that a print job was printed: of each one, its number.
type following struct {
	*misread
	slips *slips
	told  []string // what the box was told of it
}

func follows(t *testing.T, n int, f func(*testing.T, *following)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, _, err := journal.Open(t.Context(), journal.Config{Dir: dir, Reserve: -1, KeepEvents: 10, KeepLeast: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		x := &following{misread: &misread{Journal: j}}
		for i := range n {
			x.printed(t, fmt.Sprint("job-", i+1))
		}
		x.slips = &slips{journal: x, log: slog.New(slog.DiscardHandler)}
		x.slips.code = newPaperCode(nil, map[string]Lane{"1": {}}, time.UTC, func(_ string, shown []string) { x.told = append(x.told, shown...) })
		f(t, x)
	})
}

// printed journals that a job is on paper.
func (x *following) printed(t *testing.T, id string) {
	t.Helper()
	data, err := json.Marshal(printing.Job{ID: id, Lane: "1", State: printing.Printed})
	if err == nil {
		_, err = x.Commit(t.Context(), record.Batch{Events: []record.Event{{Type: "print.printed", At: time.Now(), Lane: "1", Subject: id, Data: data}}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// waitsFor has the lane's code be on the paper of a job.
func (x *following) waitsFor(id string) { x.slips.code.sheets["1"].code = &onPaper{job: id} }

// An accident of a reading costs no event: the same place is read again until it can be. What is behind it is not passed over.
func TestSlipsReadTheSamePlaceAgain(t *testing.T) {
	follows(t, 1, func(t *testing.T, x *following) {
		x.fail = []error{syscall.EMFILE, context.DeadlineExceeded, syscall.EMFILE}
		x.waitsFor("job-1")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); x.slips.follow(ctx, 0) }()
		began := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(x.told, []string{byReceipt}) || !slices.Equal(x.asked, []int64{0, 0, 0, 0}) {
			t.Errorf("told %q, read from %v: the event is lost", x.told, x.asked)
		}
		x.mu.Lock()
		x.fail = []error{syscall.EIO, syscall.EIO, syscall.EIO}
		x.mu.Unlock()
		x.printed(t, "job-2")
		synctest.Wait()
		stop() // in the pause
		at := time.Now()
		<-done
		if time.Since(at) != 0 {
			t.Errorf("it was told to end, and went on for %v", time.Since(at))
		}
		t.Logf("read from %v within %v", x.asked, at.Sub(began))
	})
}

// What the journal keeps no more is passed over, and nothing behind it.
func TestSlipsGoOnAtTheOldestEventKept(t *testing.T) {
	follows(t, 30, func(t *testing.T, x *following) {
		if n, err := x.Trim(t.Context()); err != nil || n != 20 {
			t.Fatalf("%d events removed, %v", n, err)
		}
		x.waitsFor("job-21")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); x.slips.follow(ctx, 3) }()
		synctest.Wait()
		if !slices.Equal(x.told, []string{byReceipt}) || !slices.Equal(x.asked, []int64{3, 20}) {
			t.Errorf("told %q, read from %v", x.told, x.asked)
		}
		stop()
		<-done
		t.Logf("read from %v", x.asked)
	})
}
