package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

// full is a bill with something in every table.
func (b *bench) full() bill.State {
	s := b.state()
	s.Credits = []bill.Credit{
		{Provider: "bank", Txn: s.ID + "-1", Amount: 1500, PaidAt: b.now, Late: true, Evidence: "slip 7"},
		{Provider: "bank", Txn: s.ID + "-2", Amount: 1, PaidAt: b.now.Add(time.Nanosecond), Attempt: 2, Quote: "q1"},
	}
	s.Obligations = []bill.Obligation{{
		ID: "o1", Provider: "bank", Txn: s.ID + "-1", Amount: 500, Why: bill.WhyOver, Key: "k", State: bill.Sent, Request: s.ID + "r1", Method: "refund",
		Excluded: []string{"cancel"}, Async: true, Tries: 3, Next: b.now.Add(time.Second),
	}, {ID: "o2", Provider: "bank", Txn: s.ID + "-2", Amount: 1, Why: bill.WhyReturn, State: bill.Human}}
	s.Attempts = []bill.Attempt{{
		N: 2, Hash: "ab", Order: bill.Order{ID: s.ID + "a2", Ref: "77", Memo: []byte{0, 1}, CallBy: b.now, Absent: 1}, Started: b.now,
		Deadline: b.now.Add(time.Minute), Running: true, Busy: true,
	}}
	s.Returns = []bill.Return{{Key: "k", By: bill.ByConsole, Whole: true, Amount: 500, Outcome: "fenced", Why: "x", At: b.now}}
	s.Quotes = []bill.Quote{{ID: "q1", Amount: 1, Total: 2, Ends: b.now, Until: b.now.Add(time.Second), Gone: true}}
	s.Applied = []bill.Application{{Key: "a", Sale: "s", Amount: 3}}
	s.Kept, s.Version, s.Doubt, s.DoubtSince = 1000, 7, true, b.now
	return s
}

func roundTrip(t *testing.T, b *bench) {
	s := b.put(t, b.full())
	if d := differ(s, b.get(t, s.ID)); d != "" {
		t.Fatalf("a new bill:\n%s", d)
	}
	b.change(t, s.ID, func(c *integrator.Case) {
		if d := differ(s, c.Bill); d != "" {
			t.Errorf("inside a change:\n%s", d)
		}
		c.Bill.Obligations[0].State, c.Bill.Obligations[0].Next = bill.Paid, time.Time{}
		c.Bill.Attempts[0].Running = false
		c.Bill.Returns[0].Outcome = "returning"
		c.Bill.Credits = append(c.Bill.Credits, credit(s.ID+"-3", 9, b.now))
		c.Bill.Life, c.Bill.Reason = payment.Closed, payment.Done
		s = c.Bill
	})
	if d := differ(s, b.get(t, s.ID)); d != "" {
		t.Fatalf("a changed bill:\n%s", d)
	}
}

// everything puts something into every part of the case.
func everything(b *bench, s bill.State) func(*integrator.Case) {
	return func(c *integrator.Case) {
		c.Bill, c.Now, c.Queue = s, b.now, "bank"
		c.Tell = []integrator.Tell{{Type: payment.EvOpen, Body: payment.Bill{Payment: s.ID}}}
		c.Work = []bill.Work{{Kind: bill.Look}}
		c.Due = &b.now
		c.Called = &integrator.Called{Hash: "h", Outcome: "created"}
		c.Notices = []string{"n"}
	}
}

// untouched fails if anything that everything puts is there.
func untouched(t *testing.T, b *bench) {
	t.Helper()
	for _, queue := range []string{"", "bank"} {
		if ws := b.claim(t, queue, b.now.Add(time.Hour), 9); len(ws) != 0 {
			t.Errorf("queue %q has %v", queue, ws)
		}
	}
	es, err := b.Events(t.Context(), "till-1", 0, 9)
	if err != nil || len(es) != 0 {
		t.Errorf("events %v, %v", es, err)
	}
}

func nothing(t *testing.T, b *bench) {
	s := b.full()
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Terminal: "till-1", Call: "c"}, func(c *integrator.Case) error {
		everything(b, s)(c)
		return errTest
	})
	want(t, err, errTest)
	none(t.Context(), t, b, s.ID)
	untouched(t, b)
}

func atomic(t *testing.T, b *bench) {
	first := b.state()
	first.Credits = []bill.Credit{credit("T-1", 1000, b.now)}
	b.put(t, first)
	s := b.full()
	s.Credits = append(s.Credits, credit("T-1", 1000, b.now))
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID, Terminal: "till-1", Call: "c"}, func(c *integrator.Case) error {
		everything(b, s)(c)
		return nil
	})
	if err == nil {
		t.Fatal("a transaction was booked twice")
	}
	none(t.Context(), t, b, s.ID)
	untouched(t, b)
}

func concurrent(t *testing.T, b *bench) {
	const n = 40
	s := b.put(t, b.state())
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			err := b.Change(t.Context(), integrator.Subject{Bill: s.ID}, func(c *integrator.Case) error {
				c.Now = b.now
				c.Bill.Credits = append(c.Bill.Credits, credit(fmt.Sprint("T-", i), 1, b.now))
				c.Bill.Kept++
				c.Bill.Version++
				c.Tell = []integrator.Tell{{Type: payment.EvPart, Body: payment.Bill{Payment: s.ID, Version: c.Bill.Version}}}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := b.get(t, s.ID)
	if got.Kept != n || len(got.Credits) != n || got.Version != n {
		t.Errorf("after %d changes: kept %d, credits %d, version %d", n, got.Kept, len(got.Credits), got.Version)
	}
	es, err := b.Events(t.Context(), "till-1", 0, 2*n)
	if err != nil || len(es) != n {
		t.Fatalf("%d events, %v", len(es), err)
	}
}

func fencing(t *testing.T, b *bench) {
	s := b.put(t, b.state())
	b.terminal(t, "till-2")
	for range 3 {
		if err := b.ChangeTerminal(t.Context(), "till-1", func(x *integrator.Terminal) error { x.Epoch++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	try := func(sub integrator.Subject) error {
		sub.Bill = s.ID
		return b.Change(t.Context(), sub, func(c *integrator.Case) error { c.Bill.Kept++; c.Now = b.now; return nil })
	}
	want(t, try(integrator.Subject{Terminal: "till-1", Epoch: 2}), integrator.ErrSuperseded)
	want(t, try(integrator.Subject{Terminal: "till-1", Epoch: 4}), integrator.ErrSuperseded)
	want(t, try(integrator.Subject{Terminal: "nobody", Epoch: 1}), integrator.ErrUnknownTerminal)
	if err := b.ChangeTerminal(t.Context(), "till-2", func(x *integrator.Terminal) error { x.Epoch++; return nil }); err != nil {
		t.Fatal(err)
	}
	want(t, try(integrator.Subject{Terminal: "till-2", Epoch: 1}), integrator.ErrUnknownBill)
	if got := b.get(t, s.ID).Kept; got != 0 {
		t.Fatalf("a fenced change was written: kept %d", got)
	}
	want(t, try(integrator.Subject{Terminal: "till-1", Epoch: 3}), nil)
	want(t, try(integrator.Subject{}), nil)
	if got := b.get(t, s.ID).Kept; got != 2 {
		t.Fatalf("kept %d, want 2", got)
	}
}

func references(t *testing.T, b *bench) {
	b.terminal(t, "till-2")
	first := b.put(t, b.state())
	second := b.state()
	second.Request.Reference = first.Request.Reference
	insert := func(s bill.State) error {
		return b.Change(t.Context(), integrator.Subject{Bill: s.ID}, func(c *integrator.Case) error { c.Bill, c.Now = s, b.now; return nil })
	}
	want(t, insert(second), integrator.ErrReference)
	none(t.Context(), t, b, second.ID)
	id, err := b.ByReference(t.Context(), "till-1", "1", first.Request.Reference)
	if err != nil || id != first.ID {
		t.Fatalf("by reference: %s, %v", id, err)
	}
	lane := second
	lane.Request.Lane = "2"
	want(t, insert(lane), nil)
	other := b.state()
	other.Request.Reference, other.Terminal = first.Request.Reference, "till-2"
	want(t, insert(other), nil)
	moves := b.get(t, first.ID) // to a terminal that has a bill of this reference
	moves.Terminal = "till-2"
	want(t, insert(moves), integrator.ErrReference)
	if got := b.get(t, first.ID).Terminal; got != "till-1" {
		t.Fatalf("a bill that may not move is %s's", got)
	}
	moves = b.get(t, lane.ID)
	moves.Terminal = "till-2"
	want(t, insert(moves), nil)
	if got := b.get(t, lane.ID).Terminal; got != "till-2" {
		t.Fatalf("a bill that has moved is %s's", got)
	}
	for range 2 { // children of a static bill have no reference
		child := b.state()
		child.Request.Reference = ""
		want(t, insert(child), nil)
	}
	_, err = b.ByReference(t.Context(), "till-1", "1", "R-none")
	want(t, err, integrator.ErrUnknownBill)
}

func transactions(t *testing.T, b *bench) {
	first := b.state()
	first.Credits = []bill.Credit{credit("T-1", 5, b.now)}
	b.put(t, first)
	s := b.put(t, b.state())
	err := b.Change(t.Context(), integrator.Subject{Bill: s.ID}, func(c *integrator.Case) error {
		c.Bill.Credits = append(c.Bill.Credits, credit("T-0", 5, b.now), credit("T-1", 5, b.now))
		return nil
	})
	taken, ok := err.(*integrator.CreditTaken) //nolint:errorlint // this one is the contract's own
	if !ok || taken.Txn != "T-1" || taken.Provider != "bank" {
		t.Fatalf("error is %v", err)
	}
	if n := len(b.get(t, s.ID).Credits); n != 0 {
		t.Fatalf("%d credits of a refused change", n)
	}
	b.change(t, s.ID, func(c *integrator.Case) {
		c.Bill.Credits = append(c.Bill.Credits, bill.Credit{Provider: "wallet", Txn: "T-1", Amount: 5, PaidAt: b.now})
	})
}

func calls(t *testing.T, b *bench) {
	s := b.state()
	sub := integrator.Subject{Bill: s.ID, Terminal: "till-1", Call: s.ID + ":create"}
	err := b.Change(t.Context(), sub, func(c *integrator.Case) error {
		if c.Called != nil {
			t.Error("a new call was answered before")
		}
		everything(b, s)(c)
		c.Called = &integrator.Called{Hash: "h1", Outcome: "fenced", Owed: 7}
		return nil
	})
	want(t, err, nil)
	b.reopen(t)
	err = b.Change(t.Context(), sub, func(c *integrator.Case) error {
		if c.Called == nil || *c.Called != (integrator.Called{Hash: "h1", Outcome: "fenced", Owed: 7}) {
			t.Errorf("the answer is %+v", c.Called)
		}
		return nil
	})
	want(t, err, nil)
	sub.Terminal = "till-2" // another box's id is another id
	err = b.Change(t.Context(), integrator.Subject{Bill: s.ID, Terminal: "till-1", Call: "other"}, func(c *integrator.Case) error {
		if c.Called != nil {
			t.Error("another call has this answer")
		}
		return nil
	})
	want(t, err, nil)
}

func lists(t *testing.T, b *bench) {
	b.terminal(t, "till-2")
	open := b.put(t, b.state())
	byClock := b.state()
	byClock.Life, byClock.Reason, byClock.ByDeadline = payment.Closed, payment.Done, true
	b.put(t, byClock)
	done := b.state()
	done.Life, done.Reason = payment.Closed, payment.Done
	b.put(t, done)
	owed := done
	owed.ID, owed.Request.Reference, owed.Order.ID = b.state().ID, "R-owed", ""
	owed.CreatedAt = b.now.Add(time.Second)
	owed.Credits = []bill.Credit{credit("T-9", 10, b.now)}
	owed.Obligations = []bill.Obligation{{ID: "o", Provider: "bank", Txn: "T-9", Amount: 10, State: bill.Human}}
	b.put(t, owed)
	short := owed
	short.ID, short.Request.Reference, short.CreatedAt = b.state().ID, "R-short", b.now.Add(2*time.Second)
	short.Credits = []bill.Credit{credit("T-8", 10, b.now)}
	short.Obligations = []bill.Obligation{{ID: "o", Provider: "bank", Txn: "T-8", Amount: 10, State: bill.Owed, Short: true}}
	b.put(t, short)
	other := b.state()
	other.Terminal, other.CreatedAt = "till-2", b.now.Add(time.Minute)
	b.put(t, other)
	doubt := b.state()
	doubt.Terminal, doubt.CreatedAt, doubt.Life, doubt.Doubt = "till-2", b.now.Add(2*time.Minute), payment.Closing, true
	b.put(t, doubt)
	paid := b.state()
	paid.Terminal, paid.CreatedAt, paid.Full = "till-2", b.now.Add(3*time.Minute), true
	b.put(t, paid)
	gone := owed // its return is with a bank that is not in the settings any more
	gone.ID, gone.Request.Reference, gone.CreatedAt = b.state().ID, "R-gone", b.now.Add(4*time.Minute)
	gone.Request.Provider, gone.Terminal = "old-bank", "till-2"
	gone.Credits = []bill.Credit{credit("T-7", 10, b.now)}
	gone.Credits[0].Provider = "old-bank"
	gone.Obligations = []bill.Obligation{{ID: "o", Provider: "old-bank", Txn: "T-7", Amount: 10, State: bill.Sent}}
	b.put(t, gone)
	over := gone
	over.ID, over.Request.Reference, over.CreatedAt = b.state().ID, "R-over", b.now.Add(5*time.Minute)
	over.Credits, over.Obligations = nil, nil
	b.put(t, over)
	for _, c := range []struct {
		q    integrator.Query
		want []string
	}{
		{integrator.Query{}, []string{open.ID, byClock.ID, done.ID, owed.ID, short.ID, other.ID, doubt.ID, paid.ID, gone.ID, over.ID}},
		{integrator.Query{Terminal: "till-1"}, []string{open.ID, byClock.ID, done.ID, owed.ID, short.ID}},
		{integrator.Query{Terminal: "till-1", Which: integrator.Open}, []string{open.ID, byClock.ID}},
		{integrator.Query{Terminal: "till-1", Which: integrator.Unsettled}, []string{open.ID, owed.ID, short.ID}},
		{integrator.Query{Which: integrator.Review}, []string{owed.ID, short.ID, doubt.ID, paid.ID}},
		{integrator.Query{Which: integrator.Review, Terminal: "till-1"}, []string{owed.ID, short.ID}},
		{integrator.Query{Which: integrator.Review, Known: []string{"bank", "other"}}, []string{owed.ID, short.ID, doubt.ID, paid.ID, gone.ID}},
		{integrator.Query{Which: integrator.Review, Known: []string{"old-bank"}, Terminal: "till-1"}, []string{open.ID, owed.ID, short.ID}},
		{integrator.Query{Which: integrator.InDoubt}, []string{doubt.ID}},
		{integrator.Query{Limit: 2}, []string{open.ID, byClock.ID}},
	} {
		got, err := b.List(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(c.want, got); d != "" {
			t.Errorf("%+v :\n%s", c.q, d)
		}
	}
}

func ledger(t *testing.T, b *bench) {
	s := b.state()
	s.Credits = []bill.Credit{credit("T-1", 1000, b.now), credit("T-2", 700, b.now)}
	s.Obligations = []bill.Obligation{
		{ID: "1", Provider: "bank", Txn: "T-1", Amount: 100, State: bill.Paid},
		{ID: "2", Provider: "bank", Txn: "T-2", Amount: 300, State: bill.Owed},
		{ID: "3", Provider: "bank", Txn: "T-2", Amount: 30, State: bill.Sent},
		{ID: "4", Provider: "bank", Txn: "T-2", Amount: 3, State: bill.Human},
		{ID: "5", Provider: "bank", Txn: "T-2", Amount: 500, State: bill.Void},
	}
	s.Kept = 200
	s.Request.Amount.Value = 1500
	b.put(t, s)
	twice := b.state()
	twice.Credits = []bill.Credit{credit("T-3", 10, b.now), credit("T-4", 100, b.now)}
	twice.Obligations = []bill.Obligation{{ID: "1", Provider: "bank", Txn: "T-3", Amount: 11, State: bill.Paid}}
	b.put(t, twice)
	got := map[string]integrator.Entry{}
	if err := b.Ledger(t.Context(), func(e integrator.Entry) error { got[e.Bill] = e; return nil }); err != nil {
		t.Fatal(err)
	}
	if e := got[s.ID]; e.Credits != 1700 || e.Goods != 200 || e.Returned != 100 || e.Owed != 333 || e.Drawn != 0 || e.Amount != 1500 || e.Currency != "RUB" || e.Life != payment.Open {
		t.Errorf("entry %+v", e)
	}
	if e := got[twice.ID]; e.Drawn != 1 {
		t.Errorf("a credit that is given back twice: %+v", e)
	}
	r, err := integrator.Audit(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() || len(r.Broken) != 1 || r.Broken[0].Bill != twice.ID || r.Sums["RUB"].Held != 1700-200-433+99 {
		t.Errorf("report %+v", r)
	}
}

func reopen(t *testing.T, b *bench) {
	s := b.full()
	b.put(t, s)
	b.change(t, s.ID, func(c *integrator.Case) { everything(b, c.Bill)(c) })
	if _, err := b.Lease(t.Context(), "till-1", 0, "shop", "2026-11-22", 50); err != nil {
		t.Fatal(err)
	}
	want(t, b.ChangeTerminal(t.Context(), "till-1", func(x *integrator.Terminal) error { x.Blocked = true; return nil }), nil)
	before, err := b.Terminal(t.Context(), "till-1")
	want(t, err, nil)
	if !before.Blocked {
		t.Error("the blocked terminal is not")
	}
	if before.Heard != -1 {
		t.Errorf("the box can have seen all there is, and not %d", before.Heard)
	}
	before.Heard = before.Seq // and of what is written from now on nothing
	b.reopen(t)
	after, err := b.Terminal(t.Context(), "till-1")
	want(t, err, nil)
	if d := differ(before, after); d != "" {
		t.Errorf("terminal:\n%s", d)
	}
	if d := differ(s, b.get(t, s.ID)); d != "" {
		t.Errorf("bill:\n%s", d)
	}
	es, err := b.Events(t.Context(), "till-1", 0, 9)
	if err != nil || len(es) != 1 || es[0].Type != payment.EvOpen || !es[0].At.Equal(b.now) {
		t.Errorf("events %+v, %v", es, err)
	}
	if ws := b.claim(t, "bank", b.now, 9); len(ws) != 1 || ws[0].Kind != bill.Look {
		t.Errorf("work %+v", ws)
	}
	if ws := b.claim(t, "", b.now, 9); len(ws) != 1 || ws[0].Kind != integrator.Tick {
		t.Errorf("clock %+v", ws)
	}
}

func lifted(t *testing.T, b *bench) {
	b.terminal(t, "till-2")
	mine, other := b.state(), b.state()
	mine.Version, other.Version, other.Terminal = 7, 7, "till-2"
	b.put(t, mine)
	b.put(t, other)
	version := func(id string, want int64) {
		t.Helper()
		if v := b.get(t, id).Version; v != want {
			t.Errorf("version %d, want %d", v, want)
		}
	}
	b.change(t, mine.ID, func(c *integrator.Case) { c.Bill.Version++ })
	lift := func() error {
		for last := ""; ; { // a bill at a time, as a ledger of years is lifted in parts
			var err error
			if last, err = b.Lift(t.Context(), last, 1, 1000); err != nil || last == "" {
				return err
			}
		}
	}
	want(t, lift(), nil)
	version(mine.ID, 1008)
	version(other.ID, 1007)
	if last, err := b.Lift(t.Context(), "", 10, 1000); err != nil || last != max(mine.ID, other.ID) {
		t.Errorf("lifted up to %q, %v", last, err)
	}
	version(mine.ID, 2008)
	b.change(t, mine.ID, func(c *integrator.Case) { c.Bill.Version++ })
	version(mine.ID, 2009)
	var wg sync.WaitGroup // beside changes, whichever comes first
	for range 5 {
		wg.Go(func() {
			if err := b.Change(t.Context(), integrator.Subject{Bill: mine.ID}, func(c *integrator.Case) error { c.Bill.Version++; return nil }); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := lift(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	version(mine.ID, 7014)
	b.reopen(t)
	version(mine.ID, 7014)
}
