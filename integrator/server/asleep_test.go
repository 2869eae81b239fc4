package server_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tilld/integrator/server"
	"tilld/integrator/store/sqlite"
	"tilld/internal/asleep"
)

// lid is a machine that a test puts to sleep.
type lid struct {
	woke chan time.Duration // for how long it has slept; 0: its clock was set
	end  chan struct{}
	once sync.Once

	mu  sync.Mutex
	all time.Duration
}

func newLid() *lid { return &lid{woke: make(chan time.Duration), end: make(chan struct{})} }

func (l *lid) Wait() error {
	select {
	case d := <-l.woke:
		l.mu.Lock()
		l.all += d
		l.mu.Unlock()
		return nil
	case <-l.end:
		return os.ErrClosed
	}
}

func (l *lid) Slept() (time.Duration, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.all, nil }
func (l *lid) Close() error                  { l.once.Do(func() { close(l.end) }); return nil }

// A server whose machine was suspended ends, and its ledger's time has gone on by as much; one that never slept stops in order.
func TestAServerThatSleptStartsAnew(t *testing.T) {
	c := config(t)
	for _, nap := range []time.Duration{0, 42 * time.Minute} {
		s, err := server.New(t.Context(), c, "test", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		machine := newLid()
		s.Watching(machine)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		machine.woke <- 0 // the clock was set: that is no sleep
		if nap == 0 {
			cancel()
		} else {
			machine.woke <- nap
		}
		var slept *asleep.Error
		select {
		case err := <-done:
			if nap == 0 && err != nil || nap > 0 && (!errors.As(err, &slept) || slept.For != nap) {
				t.Fatalf("asleep for %v it ended with %v", nap, err)
			}
		case <-time.After(soon):
			t.Fatal("it goes on")
		}
		select {
		case <-machine.end:
		default:
			t.Error("it still looks at the machine")
		}
		store, err := sqlite.Open(t.Context(), filepath.Join(c.State, "integrator.db"))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := store.Reckoning(t.Context())
		if err := errors.Join(err, store.Close()); err != nil {
			t.Fatal(err)
		}
		if by := kept.Ahead - nap; by.Abs() > time.Minute { // the wall clock of this test has not slept
			t.Errorf("asleep for %v, the ledger's time is %v ahead of the wall clock", nap, kept.Ahead)
		}
		t.Logf("asleep for %v: %v, the ledger is %v ahead", nap, slept, kept.Ahead.Round(time.Second))
	}
}
