package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

func leases(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	b.change(t, s.ID, func(c *integrator.Case) {
		c.Work = []bill.Work{{Kind: bill.GiveBack, Attempt: 1, Request: "r1", Method: "refund", Txn: "T", Amount: 5}}
	})
	if ws := b.claim(t, "other", b.now, 9); len(ws) != 0 {
		t.Fatalf("another queue has %v", ws)
	}
	if ws := b.claim(t, "bank", b.now.Add(-time.Nanosecond), 9); len(ws) != 0 {
		t.Fatalf("not due yet: %v", ws)
	}
	ws := b.claim(t, "bank", b.now, 9)
	if len(ws) != 1 || ws[0].Work != (bill.Work{Kind: bill.GiveBack, Attempt: 1, Request: "r1", Method: "refund", Txn: "T", Amount: 5}) || ws[0].Tries != 1 || ws[0].Bill != s.ID || ws[0].Provider != "bank" {
		t.Fatalf("claimed %+v", ws)
	}
	if again := b.claim(t, "bank", b.now.Add(time.Minute-1), 9); len(again) != 0 {
		t.Fatalf("leased twice: %v", again)
	}
	if next, ok, err := b.Next(t.Context(), "bank"); err != nil || !ok || !next.Equal(b.now.Add(time.Minute)) {
		t.Fatalf("next is %v %v %v, want the end of the lease", next, ok, err)
	}
	again := b.claim(t, "bank", b.now.Add(time.Minute), 9)
	if len(again) != 1 || again[0].Tries != 2 {
		t.Fatalf("after the lease: %+v", again)
	}
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Done: &again[0]}, func(c *integrator.Case) error { c.Bill.Kept++; return nil })
	want(t, err, nil)
	if _, ok, err := b.Next(t.Context(), "bank"); ok || err != nil {
		t.Fatalf("finished work is still there: %v", err)
	}
	b.many(t)
}

// orphans: a store that is opened again has no other worker, so what an earlier process had claimed is due at once, work
// and clocks alike, and its claims stay counted: whether it was sent, nobody knows.
func orphans(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	b.change(t, s.ID, func(c *integrator.Case) {
		due := b.now
		c.Work, c.Due = []bill.Work{{Kind: bill.Present}, {Kind: bill.Look}}, &due
	})
	for _, queue := range []string{"bank", ""} {
		if ws := b.claim(t, queue, b.now, 9); len(ws) == 0 {
			t.Fatalf("nothing to claim on %q", queue)
		}
		if _, ok, err := b.Next(t.Context(), queue); err != nil || !ok {
			t.Fatalf("claimed work of %q is not there: %v", queue, err)
		}
	}
	b.reopen(t)
	for queue, n := range map[string]int{"bank": 2, "": 1} {
		if next, ok, err := b.Next(t.Context(), queue); err != nil || !ok || next.After(b.now) {
			t.Errorf("work of %q waits until %v %v %v, although nobody works it", queue, next, ok, err)
		}
		ws := b.claim(t, queue, b.now, 9)
		if len(ws) != n {
			t.Fatalf("%d of %d on %q", len(ws), n, queue)
		}
		for _, w := range ws {
			if w.Tries != 2 {
				t.Errorf("%s is claimed for the %d. time, want the second", w.Kind, w.Tries)
			}
		}
	}
}

// many claims from several goroutines at once: each piece goes to one of them.
func (b *bench) many(t *testing.T) {
	t.Helper()
	const n = 60
	for range n {
		s := b.put(t, b.state())
		b.change(t, s.ID, func(c *integrator.Case) { c.Work = []bill.Work{{Kind: bill.Look}} })
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				ws, err := b.Claim(t.Context(), "bank", b.now, time.Minute, 7)
				if err != nil || len(ws) == 0 || len(ws) > 7 {
					if err != nil || len(ws) > 7 {
						t.Errorf("claimed %d of 7, %v", len(ws), err)
					}
					return
				}
				mu.Lock()
				for _, w := range ws {
					seen[w.Bill]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != n {
		t.Errorf("%d of %d claimed", len(seen), n)
	}
	for id, k := range seen {
		if k != 1 {
			t.Errorf("%s claimed %d times", id, k)
		}
	}
}

// taken: work that is claimed by the change which makes it is nobody else's until the lease ends, and its claim counts
// like any other: after an end without an answer, and for a store that is opened again.
func taken(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	take := func() *integrator.Work {
		t.Helper()
		var kept *integrator.Case
		b.change(t, s.ID, func(c *integrator.Case) {
			c.Work = []bill.Work{{Kind: bill.Present, Attempt: 1, Request: "r", Method: "m", Txn: "T", Amount: 5}, {Kind: bill.Look}}
			c.Lease, kept = time.Minute, c
		})
		return kept.Claimed
	}
	mine := take()
	want := integrator.Work{Work: bill.Work{Kind: bill.Present, Attempt: 1, Request: "r", Method: "m", Txn: "T", Amount: 5}, Bill: s.ID, Provider: "bank", Tries: 1, Gen: 1, Due: b.now}
	if mine == nil || *mine != want {
		t.Fatalf("claimed %+v, want %+v", mine, want)
	}
	ws := b.claim(t, "bank", b.now.Add(time.Minute-1), 9)
	if len(ws) != 1 || ws[0].Kind != bill.Look {
		t.Fatalf("beside it there is %+v, want the second piece alone", ws)
	}
	b.now = b.now.Add(time.Second)
	if again := take(); again != nil {
		t.Fatalf("claimed twice: %+v", again)
	}
	finish := func(w integrator.Work) {
		t.Helper()
		if err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Done: &w}, func(*integrator.Case) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	finish(*mine)
	if ws = b.claim(t, "bank", b.now, 9); len(ws) != 1 || ws[0].Kind != bill.Present || ws[0].Tries != 1 || ws[0].Gen != 2 {
		t.Fatalf("asked for again meanwhile: %+v", ws)
	}
	finish(ws[0])
	if mine = take(); mine == nil {
		t.Fatal("not claimed, although nobody has it")
	}
	if ws = b.claim(t, "bank", b.now.Add(time.Minute), 9); !slices.ContainsFunc(ws, func(w integrator.Work) bool { return w.Kind == bill.Present && w.Tries == 2 }) {
		t.Fatalf("after the lease: %+v", ws)
	}
	b.reopen(t)
	if ws = b.claim(t, "bank", b.now, 9); !slices.ContainsFunc(ws, func(w integrator.Work) bool { return w.Kind == bill.Present && w.Tries == 3 }) {
		t.Fatalf("after the process: %+v", ws)
	}
	refused := b.state()
	err := b.Change(t.Context(), integrator.Subject{Bill: refused.ID}, func(c *integrator.Case) error {
		c.Bill, c.Now, c.Queue, c.Lease, c.Work = refused, b.now, "bank", time.Minute, []bill.Work{{Kind: bill.Present}}
		c.Bill.Request.Reference = s.Request.Reference
		return nil
	})
	if !errors.Is(err, integrator.ErrReference) {
		t.Fatalf("a reference that is taken: %v", err)
	}
	if ws = b.claim(t, "bank", b.now.Add(time.Hour), 9); slices.ContainsFunc(ws, func(w integrator.Work) bool { return w.Bill == refused.ID }) {
		t.Fatalf("of a change that was refused: %+v", ws)
	}
}

func askedAgain(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	look := func(c *integrator.Case) { c.Work = []bill.Work{{Kind: bill.Look}} }
	b.change(t, s.ID, look)
	ws := b.claim(t, "bank", b.now, 9)
	if len(ws) != 1 {
		t.Fatalf("claimed %v", ws)
	}
	b.now = b.now.Add(time.Second)
	b.change(t, s.ID, look) // a call-back while the question is under way
	if again := b.claim(t, "bank", b.now, 9); len(again) != 0 {
		t.Fatalf("two questions at once: %v", again)
	}
	var kept *integrator.Case
	done := func(w integrator.Work) bool {
		err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Done: &w}, func(c *integrator.Case) error { kept = c; return nil })
		want(t, err, nil)
		return kept.Again
	}
	if !done(ws[0]) {
		t.Error("whoever answered the first question is not told that there is a second")
	}
	again := b.claim(t, "bank", b.now, 9)
	if len(again) != 1 || again[0].Tries != 1 {
		t.Fatalf("the second question: %+v", again)
	}
	if done(again[0]) {
		t.Error("there is a third question, that nobody asked")
	}
	b.change(t, s.ID, look)
	if again = b.claim(t, "bank", b.now, 9); len(again) != 1 {
		t.Fatalf("the third question: %+v", again)
	}
	want(t, b.Drop(t.Context(), again[0]), nil)
	if ws := b.claim(t, "bank", b.now.Add(time.Hour), 9); len(ws) != 0 {
		t.Fatalf("dropped work is there: %v", ws)
	}
}

func clock(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	set := func(at time.Time) { b.change(t, s.ID, func(c *integrator.Case) { c.Due = &at }) }
	set(b.now.Add(time.Hour))
	set(b.now.Add(time.Minute))
	if ws := b.claim(t, "", b.now.Add(time.Minute-1), 9); len(ws) != 0 {
		t.Fatalf("early: %v", ws)
	}
	ws := b.claim(t, "", b.now.Add(time.Minute), 9)
	if len(ws) != 1 || ws[0].Kind != integrator.Tick || ws[0].Bill != s.ID {
		t.Fatalf("claimed %+v", ws)
	}
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Done: &ws[0]}, func(c *integrator.Case) error {
		due := b.now.Add(2 * time.Minute)
		c.Due, c.Now = &due, b.now
		return nil
	})
	want(t, err, nil)
	b.change(t, s.ID, func(c *integrator.Case) { c.Bill.Kept++ }) // says nothing of the clock
	if next, ok, err := b.Next(t.Context(), ""); err != nil || !ok || !next.Equal(b.now.Add(2*time.Minute)) {
		t.Fatalf("next is %v %v %v", next, ok, err)
	}
	set(time.Time{})
	if _, ok, err := b.Next(t.Context(), ""); ok || err != nil {
		t.Fatalf("a stopped clock is there: %v", err)
	}
	qs, err := b.Queues(t.Context())
	if err != nil || len(qs) != 0 {
		t.Fatalf("queues %v, %v", qs, err)
	}
}

func events(t *testing.T, b *bench) {
	b.terminal(t, "till-2")
	const bills, each = 10, 5
	var wg sync.WaitGroup
	for i := range bills {
		s := b.state()
		if i%5 == 4 {
			s.Terminal = "till-2"
		}
		b.put(t, s)
		wg.Go(func() {
			for v := range each {
				err := b.Change(t.Context(), integrator.Subject{Bill: s.ID}, func(c *integrator.Case) error {
					c.Now = b.now
					for k := range 2 {
						c.Tell = append(c.Tell, integrator.Tell{
							Type: payment.EvPart, Fresh: 1500 * time.Millisecond, Body: payment.Bill{Payment: s.ID, Version: int64(2*v + k + 1)},
						})
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all, err := b.Events(t.Context(), "till-1", 0, 1000)
	if err != nil || len(all) != 8*each*2 {
		t.Fatalf("%d events, %v", len(all), err)
	}
	for i, e := range all {
		if e.Seq != int64(i+1) || e.Fresh != 1500*time.Millisecond || !e.At.Equal(b.now) {
			t.Fatalf("event %d is %+v", i+1, e)
		}
	}
	page, err := b.Events(t.Context(), "till-1", 7, 3)
	if err != nil || len(page) != 3 || page[0].Seq != 8 || string(page[0].Body) != string(all[7].Body) {
		t.Errorf("page %+v, %v", page, err)
	}
	if none, err := b.Events(t.Context(), "till-1", int64(len(all)), 3); err != nil || len(none) != 0 {
		t.Errorf("after the last: %v, %v", none, err)
	}
	_, err = b.Events(t.Context(), "nobody", 0, 1)
	want(t, err, integrator.ErrUnknownTerminal)
}

func trimming(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	for i := range 10 {
		b.now = b.now.Add(time.Hour)
		b.change(t, s.ID, func(c *integrator.Case) {
			c.Tell = []integrator.Tell{{Type: payment.EvPart, Body: payment.Bill{Payment: s.ID, Version: int64(i + 1)}}}
		})
	}
	trim := func(keep int64, before time.Time, gone int64) {
		t.Helper()
		want(t, b.Trim(t.Context(), "till-1", keep, before), nil)
		if gone > 0 {
			_, err := b.Events(t.Context(), "till-1", gone-1, 99)
			want(t, err, integrator.ErrTrimmed)
		}
		es, err := b.Events(t.Context(), "till-1", gone, 99)
		if err != nil || len(es) != int(10-gone) {
			t.Fatalf("after %d: %d events, %v", gone, len(es), err)
		}
	}
	trim(100, b.now.Add(-24*time.Hour), 0)
	trim(8, time.Time{}, 2)
	trim(8, b.now.Add(-4*time.Hour), 5)
	trim(0, time.Time{}, 10)
	if err := b.ChangeTerminal(t.Context(), "till-1", func(x *integrator.Terminal) error { x.Seq = 20; return nil }); err != nil {
		t.Fatal(err)
	}
	b.change(t, s.ID, func(c *integrator.Case) { c.Tell = []integrator.Tell{{Type: payment.EvPaid}} })
	es, err := b.Events(t.Context(), "till-1", 20, 9)
	if err != nil || len(es) != 1 || es[0].Seq != 21 {
		t.Fatalf("after the seq was raised: %+v, %v", es, err)
	}
}

func numbers(t *testing.T, b *bench) {
	b.terminal(t, "till-2")
	seen := map[string]bool{}
	lease := func(terminal, day string, n int) payment.Numbers {
		t.Helper()
		x, err := b.Lease(t.Context(), terminal, 0, "shop", day, n)
		if err != nil {
			t.Fatal(err)
		}
		if x.Day != day || x.From > x.To || x.To-x.From >= n || x.From < 1000 {
			t.Fatalf("block %+v of %d", x, n)
		}
		for i := x.From; i <= x.To; i++ {
			key := fmt.Sprint(day, "/", i)
			if seen[key] {
				t.Fatalf("%s is leased twice", key)
			}
			seen[key] = true
		}
		return x
	}
	for i := range 40 {
		lease([]string{"till-1", "till-2"}[i%2], "2026-11-22", 250)
	}
	last := lease("till-1", "2026-11-22", 250)
	if last.From < 10000 {
		t.Errorf("after all of four digits: %+v", last)
	}
	lease("till-1", "2026-11-23", 50)
	second := lease("till-2", "2026-11-23", 50)
	x, err := b.Terminal(t.Context(), "till-2")
	if err != nil || x.Numbers != second {
		t.Errorf("the terminal holds %+v, want %+v, %v", x.Numbers, second, err)
	}
	if other, err := b.Lease(t.Context(), "till-1", 0, "another shop", "2026-11-23", 50); err != nil || other.From != 1000 {
		t.Errorf("another merchant: %+v, %v", other, err)
	}
	_, err = b.Lease(t.Context(), "nobody", 0, "shop", "2026-11-23", 1)
	want(t, err, integrator.ErrUnknownTerminal)
	_, err = b.Lease(t.Context(), "till-2", x.Epoch+7, "shop", "2026-11-23", 50) // a session that is over
	want(t, err, integrator.ErrSuperseded)
	if y, err := b.Terminal(t.Context(), "till-2"); err != nil || y.Numbers != second {
		t.Errorf("a session that is over got it %+v, %v", y.Numbers, err)
	}
	if next := lease("till-1", "2026-11-23", 50); next.From != second.To+1 {
		t.Errorf("and used up numbers: next are %+v after %+v", next, second)
	}
	if _, err := b.Lease(t.Context(), "till-2", 0, "third shop", "2026-11-23", 50); err != nil {
		t.Fatal(err)
	}
	for left := 99_000 - 50; left > 0; { // to the day's last number
		n, err := b.Lease(t.Context(), "till-2", 0, "third shop", "2026-11-23", 7000)
		if err != nil || n.To > 99_999 {
			t.Fatalf("with %d left: %+v, %v", left, n, err)
		}
		left -= n.To - n.From + 1
	}
	full, err := b.Terminal(t.Context(), "till-2")
	want(t, err, nil)
	_, err = b.Lease(t.Context(), "till-2", 0, "third shop", "2026-11-23", 1)
	want(t, err, integrator.ErrNoNumbers)
	if y, err := b.Terminal(t.Context(), "till-2"); err != nil || y.Numbers != full.Numbers || full.Numbers.To != 99_999 {
		t.Errorf("the last block %+v, after none was left %+v, %v", full.Numbers, y.Numbers, err)
	}
	if n, err := b.Lease(t.Context(), "till-2", 0, "third shop", "2026-11-24", 50); err != nil || n.From > 9999 {
		t.Errorf("the day after: %+v, %v", n, err)
	}
	t.Logf("%d numbers leased, none twice", len(seen))
}

// whose: an order is its bill's, as the store was written and as it is opened again; a note goes with a change.
func (b *bench) whose(t *testing.T, withAttempt, plain bill.State) {
	t.Helper()
	look := func() {
		t.Helper()
		for order, w := range map[string]struct {
			bill    string
			attempt int
		}{withAttempt.Order.ID: {withAttempt.ID, 0}, withAttempt.Attempts[0].Order.ID: {withAttempt.ID, 2}, plain.Order.ID: {plain.ID, 0}} {
			if id, attempt, err := b.Whose(t.Context(), "bank", order); err != nil || id != w.bill || attempt != w.attempt {
				t.Errorf("order %s is of %s %d %v, want %+v", order, id, attempt, err, w)
			}
		}
		for _, x := range []struct{ provider, order string }{{"bank", "nobody's"}, {"wallet", plain.Order.ID}} {
			_, _, err := b.Whose(t.Context(), x.provider, x.order)
			want(t, err, integrator.ErrUnknownBill)
		}
	}
	look()
	noted := integrator.Note{Provider: "bank", Order: plain.Order.ID, At: b.now}
	err := b.Change(t.Context(), integrator.Subject{Bill: plain.ID, Noted: &noted}, func(*integrator.Case) error { return errTest })
	want(t, err, errTest)
	err = b.Change(t.Context(), integrator.Subject{Bill: plain.ID, Noted: &noted}, func(*integrator.Case) error { return nil })
	want(t, err, nil)
	b.reopen(t)
	look()
}

func inbox(t *testing.T, b *bench) {
	s := b.full()
	_, _, err := b.Note(t.Context(), integrator.Note{Provider: "bank", Order: s.Order.ID, At: b.now})
	want(t, err, integrator.ErrUnknownBill)
	_, _, err = b.Note(t.Context(), integrator.Note{Provider: "bank", Order: s.Attempts[0].Order.ID, At: b.now})
	want(t, err, integrator.ErrUnknownBill)
	b.put(t, s)
	if ws := b.claim(t, "bank", b.now.Add(time.Second), 9); len(ws) != 2 || ws[0].Kind != bill.Look || ws[0].Bill != s.ID || ws[0].Attempt+ws[1].Attempt != 2 {
		t.Fatalf("call-backs that came before their order: %+v", ws)
	}
	s2 := b.put(t, b.state())
	id, attempt, err := b.Note(t.Context(), integrator.Note{Provider: "bank", Order: s2.Order.ID, At: b.now})
	if err != nil || id != s2.ID || attempt != 0 {
		t.Fatalf("note: %s %d %v", id, attempt, err)
	}
	_, _, err = b.Note(t.Context(), integrator.Note{Provider: "wallet", Order: s2.Order.ID, At: b.now})
	want(t, err, integrator.ErrUnknownBill)
	if ws := b.claim(t, "bank", b.now, 9); len(ws) != 0 {
		t.Fatalf("a call-back asks by its row, not by itself: %+v", ws)
	}
	late := b.state()
	_, _, err = b.Note(t.Context(), integrator.Note{Provider: "bank", Order: late.Order.ID, At: b.now})
	want(t, err, integrator.ErrUnknownBill)
	want(t, b.Forget(t.Context(), b.now.Add(time.Nanosecond)), nil)
	b.put(t, late)
	if ws := b.claim(t, "bank", b.now.Add(time.Second), 9); len(ws) != 0 {
		t.Fatalf("a forgotten call-back: %+v", ws)
	}
	b.whose(t, s, s2)
}
