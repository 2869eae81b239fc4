package depth_test

import (
	"fmt"
	"slices"
	"testing"

	"tilld/internal/depth"
)

// listener hears what a test says.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Helper()                 {}
func (l *listener) Log(a ...any)            { l.said = append(l.said, fmt.Sprint(a...)) }
func (l *listener) Logf(f string, a ...any) { l.said = append(l.said, fmt.Sprintf(f, a...)) }
func (l *listener) hears(f func(testing.TB)) []string {
	l.said = nil
	f(l)
	return l.said
}

// Whoever asks how deep to go says what is left to a deeper run; the deepest leaves nothing.
func TestWhatIsLeftOutIsSaid(t *testing.T) {
	for _, c := range []struct {
		depth  string
		here   []int // of 1, 10, 100; of 10, 10, 100; of 5, 5, 5; of 1, 10, all
		full   bool
		leaves []string
	}{
		{"", []int{1, 10, 5, 1}, false, []string{
			"left to make test: rows: 10, here 1", "left to make prove: rows: 100, here 10", "left to make test: rows: 10, here 1", "left to make prove: the rest",
		}},
		{"test", []int{10, 10, 5, 10}, false, []string{
			"left to make prove: rows: 100, here 10", "left to make prove: rows: 100, here 10", "left to make prove: rows: all, here 10", "left to make prove: the rest",
		}},
		{"prove", []int{100, 100, 5, depth.All}, true, nil},
	} {
		t.Setenv("TILLD_DEPTH", c.depth)
		var here []int
		var full bool
		leaves := (&listener{TB: t}).hears(func(t testing.TB) {
			for _, n := range [][3]int{{1, 10, 100}, {10, 10, 100}, {5, 5, 5}, {1, 10, depth.All}} {
				here = append(here, depth.Figure(t, "rows", n[0], n[1], n[2]))
			}
			full = depth.Full(t, "the rest")
		})
		if !slices.Equal(here, c.here) || full != c.full || !slices.Equal(leaves, c.leaves) {
			t.Errorf("TILLD_DEPTH=%q has %v, full %v, and says %q; want %v, %v, %q", c.depth, here, full, leaves, c.here, c.full, c.leaves)
		}
	}
}
