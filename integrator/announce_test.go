package integrator

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/payment/bill"
)

// A provider whose rest ends while the terminals are told of another's is offered again at once: they would go without it until
// something else happens, which may take hours.
func TestARestThatEndsWhileAnotherIsToldIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Service{circuits: newCircuits(1, 30*time.Second), show: []string{"one", "two"}}
		var mu sync.Mutex
		var silent [][]string
		told := func() [][]string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(silent)
		}
		stop := s.watch.add(func(string) {
			mu.Lock()
			silent = append(silent, s.Providers().Silent)
			mu.Unlock()
			time.Sleep(2 * time.Millisecond) // to wake a thousand terminals takes its time
		})
		defer stop()
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.announce(ctx) }()
		defer func() { end(); <-done }()
		s.circuits.heard("one", bill.Present, errors.New("no line"))
		time.Sleep(30*time.Second - time.Millisecond)
		s.circuits.heard("two", bill.Present, errors.New("no line"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if all := told(); len(all) == 0 || !slices.Equal(all[len(all)-1], []string{"two"}) {
			t.Errorf("ten seconds after its rest the terminals still take one for silent: %q", all)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		all := told()
		if n := len(all); n == 0 || len(all[n-1]) > 0 || n > 4 {
			t.Errorf("after all rests they were told %q", all)
		}
		t.Logf("told %q", all)
	})
}
