package checkout_test

import (
	"sync/atomic"
	"testing"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/wire"
	"tilld/payment"
)

// A box whose clock is wrong when it hears that the ledger was put back, or was wrong when it was promised something, asks all
// the same: it is asked for once, and what is forgotten then nobody misses.
func TestAWrongClockForgetsNoPromise(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct{ promised, heard time.Duration }{
		"right":                      {0, 0},
		"ahead when it hears":        {0, year},
		"behind when it was sold":    {-30 * year, 0},
		"ahead at first, then right": {year, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var off atomic.Int64
			in(t, func(s *shop) {
				off.Store(int64(c.promised))
				id := s.paid()
				s.confirm(id)
				s.settle()
				s.part(id, "b-1", 5000)
				s.settle()
				s.change(id, payment.EvReturned, func(b *payment.Bill) { b.Owed, b.Returns[0].State = 0, "done" })
				s.settle()
				if n := s.box.InMemory(); n != 0 {
					s.t.Fatalf("%d in memory", n)
				}
				s.cut()
				off.Store(int64(c.heard))
				b := s.bills[id]
				b.Version, b.Kept, b.Returned, b.Returns = b.Version+1<<20, b.Paid, 0, nil // the copy's
				clear(s.kept)
				s.connect(func(w *wire.Session) {
					w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq}, wire.LedgerRestored // settled in it: not listed
				})
				s.settle()
				if b := s.bills[id]; len(b.Returns) != 1 || b.Owed != 5000 {
					s.t.Fatalf("the customer's money is forgotten: %+v", b)
				}
			}, func(c *checkout.Config) {
				c.Wall = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
			})
		})
	}
}
