package scannertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"tilld/scanner"
)

// Kept is the part of the suite about acknowledgement, for scanners that ask for one: they wait for it for seconds, and time
// stands still for it here. plug opens nothing real.
func Kept(t *testing.T, plug func(*testing.T) Bench) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		kept(t, func(t *testing.T) Bench {
			b := plug(t)
			if b.GaveUp == nil {
				t.Fatal("a scanner that asks for no acknowledgement")
			}
			return b
		})
	})
}

// kept has a sink that can keep nothing at first: there is no journal yet. The scanner goes on, what is read once there is
// one arrives, and what was read before is acknowledged by no protocol that could.
func kept(t *testing.T, open func(*testing.T) Bench) {
	b := open(t)
	var mu sync.Mutex
	journal := false
	got, refused := make(chan scanner.Reading, 64), make(chan string, 64)
	end := serve(t, b, func(_ context.Context, r scanner.Reading) error {
		mu.Lock()
		defer mu.Unlock()
		if !journal {
			refused <- r.Text.Reveal()
			return fmt.Errorf("%w: no journal", scanner.ErrNotKept)
		}
		got <- r
		return nil
	})
	b.Scan("BEFORE-THE-JOURNAL")
	if text := <-refused; text != "BEFORE-THE-JOURNAL" {
		t.Fatalf("read %q", text)
	}
	if b.GaveUp != nil {
		if n := b.GaveUp(); n != 1 {
			t.Fatalf("%d codes were not acknowledged, want 1", n)
		}
		t.Logf("sent %d times, not acknowledged", 1+len(refused))
	}
	mu.Lock()
	journal = true
	mu.Unlock()
	b.Scan("BEHIND-IT")
	if r := next(t, got); r.Text.Reveal() != "BEHIND-IT" {
		t.Fatalf("reading %q", r.Text.Reveal())
	}
	if b.GaveUp != nil && b.GaveUp() != 1 {
		t.Fatal("what was kept was not acknowledged")
	}
	b.HangUp()
	wait(t, end)
	if len(got) != 0 {
		t.Fatalf("took %q, which was given up", (<-got).Text.Reveal())
	}
}
