package checkout_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
)

// reads counts how often a box goes through its journal's log, and through its calls.
type reads struct {
	checkout.Journal
	log, calls atomic.Int64
}

func (r *reads) Typed(ctx context.Context, types []string, f func(record.Event) error) error {
	r.log.Add(1)
	return r.Journal.Typed(ctx, types, f)
}

func (r *reads) Calls() []record.Call {
	r.calls.Add(1)
	return r.Journal.Calls()
}

// A box that has to ask about many payments goes through its log once, and through its calls once for all of them: it has the
// events of 90 days, and each payment that it asks about is one more call that waits. A bill that a call reads already is not
// asked about twice.
func TestManyPromisesAreReadOnce(t *testing.T) {
	in(t, func(s *shop) {
		const many = 40 // more than are asked about in one commit
		bills := map[string]string{}
		for i := range many {
			id := s.open(request(fmt.Sprint("R-", i)))
			s.pay(id)
			s.settle()
			s.confirm(id)
			s.settle()
			s.part(id, "b", 5000)
			s.settle()
			s.change(id, payment.EvReturned, func(b *payment.Bill) { b.Owed, b.Returns[0].State = 0, "done" })
			s.settle()
			bills[s.get(id).Reference] = id
		}
		f := &reads{Journal: s.j}
		s.stop()
		<-s.ended
		s.box = checkout.New(s.cfg, f, s.stage, s.stage)
		s.integrator.o = s.box
		ctx, cancel := context.WithCancel(context.Background())
		s.stop, s.ended = cancel, make(chan error, 1)
		go func() { s.ended <- s.box.Run(ctx) }()
		s.pause[wire.BillGet] = true
		synctest.Wait()
		before := f.calls.Load()
		first := bills["R-7"]
		s.connect(func(w *wire.Session) {
			w.Resume, w.Snapshot, w.Ledger = "snapshot", &wire.Snapshot{Seq: s.seq, Payments: []string{first}}, wire.LedgerRestored
		})
		s.settle()
		asked := map[string]int{}
		for _, c := range s.j.Calls() {
			if c.Method == wire.BillGet {
				asked[strings.SplitN(c.ID, ":", 2)[0]]++
			}
		}
		if n := f.log.Load(); n != 1 {
			t.Errorf("the log was read %d times", n)
		}
		if n := f.calls.Load() - before; n > 10 {
			t.Errorf("the calls that wait were gone through %d times", n)
		}
		for ref, id := range bills {
			if asked[id] != 1 {
				t.Errorf("%s is asked about %d times", ref, asked[id])
			}
		}
		t.Logf("%d payments, %d calls; the log was read %d times, the calls %d times", many, len(asked), f.log.Load(), f.calls.Load()-before)
		delete(s.pause, wire.BillGet)
		s.settle()
	})
}

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
