package together

import (
	"time"

	"tilld/payment"
	"tilld/payment/bill"
	"tilld/payment/lane"
)

// server executes bill's table as integrator does: one change is one transaction with its events, its answer and its
// work; the customer's code is in memory.
type server struct {
	w    *world
	down bool
	boot int
	env  bill.Env

	// In the store.
	bills  map[string]*bill.State // each is written once: a change puts another one in its place
	called map[string]lane.Answer
	log    []told
	works  []*work // in the order in which they were wanted, so that a seed is one sale

	codes map[string]string // in memory
}

type told struct {
	kind  string
	fresh time.Duration
	at    time.Time
	body  payment.Bill
}

// work is claimed, asked again, and counted, as in the store's queue.
type work struct {
	key    key
	w      bill.Work
	gen    int
	tries  int
	leased bool
}

// key is what makes two pieces of work the same.
type key struct {
	bill, kind, request string
	attempt             int
}

func newServer(w *world) *server {
	s := &server{
		w: w, bills: map[string]*bill.State{}, called: map[string]lane.Answer{}, codes: map[string]string{},
		env: bill.Env{Settings: bill.Default(), Traits: bill.DefaultTraits()},
	}
	t := &s.env.Traits
	switch w.r.IntN(4) {
	case 0:
		t.KillRefunds = true
	case 1:
		t.KillReliable = false
	case 2:
		t.Methods = []string{"cancel", "refund"}
	}
	return s
}

// call answers a frame. What it says is what integrator.Service says.
func (s *server) call(f frame, answered bool) {
	w := s.w
	if s.down {
		return
	}
	reply := func(a lane.Answer) {
		if answered { // else the session ended while the call was under way
			s.reply(a)
		}
	}
	if a, ok := s.called[f.id]; ok {
		if st := s.bills[f.bill]; st != nil {
			b := bill.Snapshot(*st, w.now)
			a.Bill = &b
		}
		reply(a)
		return
	}
	of := f.bill
	var e bill.Event
	c := f.call
	switch c.Verb {
	case lane.VerbCreate:
		p := f.create
		e = bill.Event{Cause: bill.CallCreate, Create: &bill.Create{
			Payment: f.bill, Lane: p.Lane, Reference: p.Reference, Number: p.Number, Hash: f.id, Merchant: "m", Terminal: "t1", Kind: bill.Dynamic,
			AddsTo: p.AddsTo, Amount: p.Amount, Mode: p.Mode, Purpose: p.Purpose, IfNotConfirmed: p.IfNotConfirmed, Provider: "bank",
			Life: time.Duration(p.LifeMS) * time.Millisecond,
		}}
		if first := s.reference(p); first != "" {
			of = first
		}
	case lane.VerbReturn:
		e = bill.Event{Cause: bill.CallReturn, Key: c.Key, By: bill.ByBox, Whole: c.Whole, Amount: c.Amount, Why: c.Reason}
	case lane.VerbConfirm:
		e = bill.Event{Cause: bill.CallConfirm, Amount: c.Final}
	case lane.VerbCharge:
		e = bill.Event{Cause: bill.CallCharge, Attempt: c.Attempt, CodeHash: "h" + f.code}
	case lane.VerbChargeVoid:
		e = bill.Event{Cause: bill.CallChargeVoid, Attempt: c.Attempt}
	case lane.VerbAccept:
		e = bill.Event{Cause: bill.CallAcceptLate, Key: f.bill + ":accept_late"}
	case lane.VerbExtend:
		e = bill.Event{Cause: bill.CallExtend, Life: time.Duration(c.LifeMS) * time.Millisecond}
	default:
		a := lane.Answer{ID: f.id, Code: payment.NoUnknownBill}
		if st, ok := s.bills[f.bill]; ok {
			b := bill.Snapshot(*st, w.now)
			a.Code, a.Outcome, a.Bill = "", payment.OutBill, &b
		}
		reply(a)
		return
	}
	if _, known := s.bills[f.bill]; !known && e.Cause != bill.CallCreate {
		reply(lane.Answer{ID: f.id, Code: payment.NoUnknownBill})
		return
	}
	if e.Cause == bill.CallCharge {
		if key := orderKey(f.bill, c.Attempt); s.codes[key] == "" {
			s.codes[key] = f.code
		}
	}
	boot := s.boot
	a := s.change(of, e, f.id)
	if s.boot == boot { // else it was killed after the commit
		reply(a)
	}
}

// reference is the bill that holds a new payment's reference already. A reference is one lane's.
func (s *server) reference(p lane.Payment) string {
	for _, id := range s.w.ids {
		st := s.bills[id]
		if st != nil && id != p.BillID && st.Request.Reference == p.Reference && (st.Request.Lane == p.Lane || s.w.plant == oneReference) {
			return id
		}
	}
	return ""
}

func (s *server) reply(a lane.Answer) { s.w.line.ask(func() { s.w.box.answer(a) }) }

func orderKey(id string, attempt int) string { return id + "/" + string(rune('0'+attempt)) }

// change is one transaction.
func (s *server) change(id string, e bill.Event, call string) (a lane.Answer) {
	w := s.w
	was := s.bills[id]
	if was == nil {
		was = &bill.State{}
	}
	e.Now, e.Env = w.now, &s.env
	next, fx, rows, err := bill.Step(*was, e)
	if err != nil {
		w.fault("server: %s %v: %v", e.Cause, rows, err)
		return a
	}
	if msg := bill.Broken(next); msg != "" {
		w.fault("server: %s %v: %s", e.Cause, rows, msg)
	}
	if w.plant == stopsAsking && next.Life == payment.Closed {
		next.WatchUntil, next.NextAsk = time.Time{}, time.Time{}
	}
	s.bills[id] = &next
	if w.said != nil && len(rows) > 0 {
		w.say("server: %s %v %s → %s %s", e.Cause, rows, was.Life, next.Life, next.Reason)
	}
	a = lane.Answer{ID: call, Code: payment.NoWrongState}
	for _, f := range fx {
		switch f.Kind {
		case bill.Tell:
			s.log = append(s.log, told{f.Type, f.Fresh, w.now, *f.Bill})
		case bill.Do:
			s.want(id, f.Work)
		case bill.Reply:
			a.Outcome, a.Code, a.Why, a.Owed, a.Bill = f.Outcome, f.Refusal, f.Why, f.Owed, f.Bill
		}
	}
	if call != "" && a.Code == "" {
		s.called[call] = a
	}
	s.clock(id)
	s.stream()
	if w.chance(w.evil.serverStart) {
		s.restart()
	}
	return a
}

// clock plans the bill's next tick.
func (s *server) clock(id string) {
	due := bill.Due(*s.bills[id])
	if due.IsZero() {
		return
	}
	boot := s.boot
	s.w.at(due.Add(s.w.some(20*time.Millisecond)), func() {
		if s.boot == boot && !s.down && bill.Due(*s.bills[id]).Equal(due) {
			s.change(id, bill.Event{Cause: bill.Tick}, "")
		}
	})
}

// stream sends what is new; replay what the box has not seen.
func (s *server) stream() {
	if s.w.line.up && !s.down {
		for ; s.w.line.sent < int64(len(s.log)); s.w.line.sent++ {
			s.tell(s.w.line.sent + 1)
		}
	}
}

func (s *server) replay(seen int64) {
	s.w.line.sent = seen
	s.stream()
}

func (s *server) tell(seq int64) {
	t := s.log[seq-1]
	s.w.line.tell(func() { s.w.box.event(seq, t.kind, t.fresh, s.w.now.Sub(t.at), t.body) })
}

// restart ends the process and starts another: leases end and stay counted, codes are gone.
func (s *server) restart() {
	w := s.w
	s.down = true
	s.boot++
	w.count.serverStarts++
	w.say("server: killed")
	if n := len(s.log); w.plant == tellsFirst && n > 0 && s.w.line.sent < int64(n) {
		s.log = s.log[:n-1] // it was not of the same transaction
	}
	clear(s.codes)
	w.line.cut()
	w.after(time.Second+w.some(10*time.Second), func() {
		s.down = false
		w.say("server: started")
		for _, id := range w.ids {
			if _, ok := s.bills[id]; ok {
				s.clock(id)
			}
		}
		for _, x := range s.works {
			x.leased = false
			s.claim(x.key)
		}
	})
}
