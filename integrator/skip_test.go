package integrator_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"tilld/integrator"
	"tilld/internal/wire"
)

// A merchant has so many boxes that what the lost ledger may have leased to them is most of a day's numbers. They are not all
// skipped, however often the server starts on that copy: each time the box is given some that nobody was given since.
func TestACopyLeavesNumbersForItsBoxes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.set.Block = 1000
		r.start()
		defer r.down()
		for i := range 40 {
			r.ok(r.svc.AddTerminal(t.Context(), fmt.Sprint("till-of-many-", i), make(ed25519.PublicKey, ed25519.PublicKeySize)))
		}
		last := r.session().Numbers.To
		for start := range 4 {
			if start > 0 {
				r.down()
				r.up()
			}
			s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: 500 * int64(start+1), Writes: 9})
			if s.Ledger != wire.LedgerRestored || s.Numbers == nil {
				t.Fatalf("start %d: ledger %q, numbers %+v", start, s.Ledger, s.Numbers)
			}
			if s.Numbers.From <= last || s.Numbers.From-last < 1000 {
				t.Errorf("start %d: %+v after %d", start, s.Numbers, last)
			}
			t.Logf("start %d: %d numbers were skipped", start, s.Numbers.From-last-1)
			last = s.Numbers.To
		}
	})
}

// What is left of a day that is nearly over is not skipped either, and a day that has none left is no error.
func TestACopySkipsNoLastNumbers(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		have := r.session().Numbers
		day, used := have.Day, have.To-have.From+1
		for used < 99_000-300 {
			n, err := r.store.Lease(t.Context(), "till-1", 0, "shop", day, min(9000, 99_000-300-used))
			r.ok(err)
			used += n.To - n.From + 1
		}
		s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: 500, Writes: 9})
		if s.Numbers == nil || s.Numbers.To-s.Numbers.From != 49 {
			t.Fatalf("of 300 numbers the box has %+v", s.Numbers)
		}
		var err error
		for err == nil {
			_, err = r.store.Lease(t.Context(), "till-1", 0, "shop", day, 9000)
		}
		if !errors.Is(err, integrator.ErrNoNumbers) {
			t.Fatal(err)
		}
		r.down()
		r.up()
		if s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: 5000, Writes: 9}); s.Numbers != nil || s.Ledger != wire.LedgerRestored {
			t.Errorf("of no numbers the box has %+v, ledger %q", s.Numbers, s.Ledger)
		}
	})
}
