package checkout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
)

// integrator is the other end as a script: it reads the box's journal for calls, holds bills by a short form of the
// bill table, and gives its answers and events only when the test says so. It is used from one goroutine.
type integrator struct {
	t *testing.T
	j interface {
		Calls() []record.Call
	}
	o     wire.Owner
	bills map[string]*payment.Bill
	first map[string]string // lane/reference → payment
	kept  map[string]answer // by call id: the same answer for ever

	seq     int64
	queue   []wire.Event // made, not delivered
	pause   map[string]bool
	codes   map[string]string // code → what the bank makes of it: paid, declined, dead, slow
	numbers int
	up      bool
	seen    []record.Call // every call that was handled, once per send
	payload func(id string) string
}

type answer struct {
	result  *wire.Result
	problem *wire.Problem
}

func newIntegrator(t *testing.T) *integrator {
	return &integrator{
		t: t, bills: map[string]*payment.Bill{}, first: map[string]string{}, kept: map[string]answer{},
		pause: map[string]bool{}, codes: map[string]string{}, numbers: 4821,
		payload: func(id string) string { return "https://qr.example/" + id },
	}
}

// connect opens a session: the stream goes on where the box says it is.
func (s *integrator) connect(edit ...func(*wire.Session)) {
	s.t.Helper()
	w := wire.Session{
		Session: "s", Epoch: 1, Resume: "ok", Window: 64, JournalState: "known",
		Providers: []string{"sandbox"}, ScanProviders: []string{"sandbox"},
		Numbers: &payment.Numbers{Day: time.Now().UTC().Format(time.DateOnly), From: s.numbers, To: s.numbers + 999},
	}
	if box, ok := s.o.(interface{ Copied() bool }); ok && box.Copied() { // as it leases to a copy
		w.JournalState = "restored"
		s.numbers += 1000
		w.Numbers.From, w.Numbers.To = s.numbers, s.numbers+999
	}
	for _, f := range edit {
		f(&w)
	}
	if err := s.o.Session(s.ctx(), w); err != nil {
		s.t.Fatalf("session: %v", err)
	}
	s.up = true
	s.o.Link(true)
}

func (s *integrator) cut() { s.up = false; s.o.Link(false) }

func (s *integrator) ctx() context.Context {
	c, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	s.t.Cleanup(cancel)
	return c
}

// next is the first call that may be sent now: calls of one order go one at a time.
func (s *integrator) next() *record.Call {
	busy := map[string]bool{}
	for _, c := range s.j.Calls() {
		if busy[c.Order] {
			continue
		}
		busy[c.Order] = true
		if s.pause[c.Method] || s.pause[c.ID] {
			continue
		}
		if c.Volatile && len(c.Params) == 0 {
			continue
		}
		return &c
	}
	return nil
}

// step handles one call and delivers its answer; false when there is none to handle.
func (s *integrator) step() bool {
	s.t.Helper()
	if !s.up {
		return false
	}
	c := s.next()
	if c == nil {
		return false
	}
	s.handle(*c)
	s.reply(c.ID)
	return true
}

// handle does what the call asks, as once; its answer is kept.
func (s *integrator) handle(c record.Call) {
	s.t.Helper()
	s.seen = append(s.seen, c)
	if _, ok := s.kept[c.ID]; ok && c.Method != wire.BillGet {
		return
	}
	r, p := s.call(c)
	s.kept[c.ID] = answer{r, p}
}

func (s *integrator) reply(id string) {
	s.t.Helper()
	a, ok := s.kept[id]
	if !ok {
		s.t.Fatalf("no answer is kept for %s", id)
	}
	if err := s.o.Answer(s.ctx(), id, a.result, a.problem); err != nil {
		s.t.Fatalf("answer %s: %v", id, err)
	}
}

// run handles calls and delivers events until nothing is left to do.
func (s *integrator) run() {
	s.t.Helper()
	for range 1000 {
		if !s.step() && !s.deliver() {
			return
		}
	}
	s.t.Fatal("integrator: still busy after 1000 steps")
}

// deliver hands over the oldest event.
func (s *integrator) deliver() bool {
	s.t.Helper()
	if !s.up || len(s.queue) == 0 {
		return false
	}
	e := s.queue[0]
	s.queue = s.queue[1:]
	s.hand(e)
	return true
}

func (s *integrator) hand(e wire.Event) {
	s.t.Helper()
	if err := s.o.Event(s.ctx(), e); err != nil {
		s.t.Fatalf("event %d %s: %v", e.Seq, e.Type, err)
	}
}

// emit makes an event of the bill as it stands.
func (s *integrator) emit(typ string, b *payment.Bill) {
	s.seq++
	b.Version++
	b.Status = string(b.Life)
	body, _ := json.Marshal(b)
	s.queue = append(s.queue, wire.Event{Seq: s.seq, Type: typ, Body: body})
}

// change edits the bill and makes an event of it.
func (s *integrator) change(id, typ string, edit func(*payment.Bill)) {
	s.t.Helper()
	b := s.bills[id]
	if b == nil {
		s.t.Fatalf("integrator: no bill %s for %s", id, typ)
	}
	if edit != nil {
		edit(b)
	}
	s.emit(typ, b)
}

func (s *integrator) pay(id string) {
	s.t.Helper()
	s.change(id, payment.EvPaid, func(b *payment.Bill) {
		b.Life, b.Reason, b.Fill, b.Paid, b.Held, b.Due, b.Paying, b.Charging, b.Doubt = payment.Open, "", payment.Full, b.Amount.Value, b.Amount.Value, 0, false, false, false
	})
}

func (s *integrator) closeBill(id string, r payment.Reason) {
	s.t.Helper()
	s.change(id, payment.EvClosed, func(b *payment.Bill) {
		b.Life, b.Reason, b.Paying, b.Charging, b.Doubt = payment.Closed, r, false, false, false
		b.Owed, b.Held = b.Owed+b.Held, 0
	})
}

// payAfter is money that came when the bill was closed: it is owed, fence or none (B16a).
func (s *integrator) payAfter(id string) {
	s.t.Helper()
	s.change(id, payment.EvPaidAfter, func(b *payment.Bill) {
		b.Paid, b.Owed, b.Flags = b.Paid+b.Amount.Value, b.Owed+b.Amount.Value, []string{"late"}
	})
}

// putBack makes the bill one of a ledger that was put back from a copy, as edit says, and tells it.
func (s *integrator) putBack(id, typ string, edit func(*payment.Bill)) {
	s.t.Helper()
	for call := range s.kept {
		if strings.HasPrefix(call, id+":") {
			delete(s.kept, call)
		}
	}
	s.change(id, typ, func(b *payment.Bill) {
		b.Version += 1 << 20
		b.Review, b.Why = true, payment.WhyLedgerRestored
		edit(b)
	})
}

// lose makes the bill one that a ledger out of a copy has never heard of.
func (s *integrator) lose(id string) {
	delete(s.bills, id)
	for call := range s.kept {
		if strings.HasPrefix(call, id+":") {
			delete(s.kept, call)
		}
	}
	s.queue = nil
}

// oldBill is one that an earlier journal of this box has confirmed, under this reference.
func (s *integrator) oldBill(reference string, n int64) string {
	old := "0000000000000000000000000a"
	s.first["1/"+reference] = old
	s.bills[old] = &payment.Bill{
		Payment: old, Lane: "1", Reference: reference, Version: 7, Mode: payment.Show, Purpose: payment.Sale, Amount: payment.Money{Value: n, Currency: "RUB"},
		Life: payment.Closed, Reason: payment.Done, Fill: payment.Full, Late: payment.LateNo, Paid: n, Kept: n, By: "box",
	}
	return old
}

func snap(b *payment.Bill) *payment.Bill { c := *b; c.Returns = slices.Clone(b.Returns); return &c }

func problem(code string, b *payment.Bill) *wire.Problem {
	p := &wire.Problem{Code: -32000, Message: "refused", Data: wire.ProblemData{Code: code}}
	if b != nil {
		p.Data.Bill = snap(b)
	}
	return p
}

func read[T any](t *testing.T, c record.Call) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(c.Params, &v); err != nil {
		t.Fatalf("params of %s: %v", c.ID, err)
	}
	return v
}

func (s *integrator) call(c record.Call) (*wire.Result, *wire.Problem) {
	s.t.Helper()
	b := s.bills[c.Order]
	if c.Method != wire.BillCreate && b == nil {
		return nil, problem(payment.NoUnknownBill, nil)
	}
	switch c.Method {
	case wire.BillCreate:
		return s.create(read[wire.Create](s.t, c))
	case wire.BillGet:
		return &wire.Result{Outcome: payment.OutBill, Bill: snap(b)}, nil
	case wire.BillReturn:
		return s.giveBack(b, read[wire.Return](s.t, c))
	case wire.BillConfirm:
		p := read[wire.Confirm](s.t, c)
		if b.Fill != payment.Full || b.Life == payment.Closing {
			return nil, problem(payment.NoWrongState, b)
		}
		b.Owed += b.Held + b.Kept - p.Final
		b.Kept, b.Held, b.Life, b.Reason = p.Final, 0, payment.Closed, payment.Done
		b.By, b.ByDeadline = "box", false
		s.emit(payment.EvDone, b)
		return &wire.Result{Outcome: payment.OutConfirmed, Owed: b.Owed, Bill: snap(b)}, nil
	case wire.BillCharge:
		return s.charge(b, read[wire.Charge](s.t, c))
	case wire.BillChargeVoid:
		p := read[wire.ChargeVoid](s.t, c)
		if p.Attempt > b.Attempt {
			b.Attempt = p.Attempt
			return &wire.Result{Outcome: payment.OutVoid}, nil
		}
		return &wire.Result{Outcome: payment.OutCharging}, nil
	case wire.BillAcceptLate:
		if b.Late != payment.LateOffered {
			return &wire.Result{Outcome: payment.OutLapsed, Bill: snap(b)}, nil
		}
		b.Late, b.Life, b.Reason, b.Fill = payment.LateAccepted, payment.Open, "", payment.Full
		s.emit(payment.EvPaid, b)
		return &wire.Result{Outcome: payment.OutAccepted, Bill: snap(b)}, nil
	case wire.BillExtend:
		p := read[wire.Extend](s.t, c)
		if b.Life != payment.Open || b.Fill == payment.Full {
			pr := problem(payment.NoCannotExtend, b)
			pr.Data.Why = "closing"
			return nil, pr
		}
		b.RemainingMS = p.LifeMS
		s.emit(payment.EvOpen, b)
		return &wire.Result{Outcome: payment.OutExtended, Bill: snap(b)}, nil
	}
	s.t.Fatalf("integrator: method %s", c.Method)
	return nil, nil
}

func (s *integrator) create(p wire.Create) (*wire.Result, *wire.Problem) {
	ref := p.Lane + "/" + p.Reference
	if was, ok := s.first[ref]; ok && was != p.Payment {
		return &wire.Result{Outcome: payment.OutReferenceSeen, Bill: snap(s.bills[was])}, nil
	}
	s.first[ref] = p.Payment
	b := &payment.Bill{
		Payment: p.Payment, Lane: p.Lane, Reference: p.Reference, Number: p.Number, Mode: p.Mode, Purpose: p.Purpose,
		IfNotConfirmed: p.IfNotConfirmed, Amount: p.Amount, Life: payment.Open, Fill: payment.None, Late: payment.LateNo,
		Due: p.Amount.Value, RemainingMS: p.LifeMS, MaxOpenMS: (20 * time.Minute).Milliseconds(), Provider: p.Provider, Payee: p.Payee,
	}
	if p.Mode == payment.Show {
		b.Payload = s.payload(p.Payment)
	}
	s.bills[p.Payment] = b
	r := &wire.Result{Outcome: payment.OutCreated, Bill: snap(b)}
	r.Bill.Life, r.Bill.Payload = payment.Created, ""
	s.emit(payment.EvOpen, b)
	return r, nil
}

// has says whether the bill has a return of that key.
func has(b *payment.Bill, key string) bool {
	return slices.ContainsFunc(b.Returns, func(r payment.BillReturn) bool { return r.Key == key })
}

func (s *integrator) giveBack(b *payment.Bill, p wire.Return) (*wire.Result, *wire.Problem) {
	if !p.Whole {
		if has(b, p.Key) { // of the row, whatever the cache has forgotten (B12d)
			return &wire.Result{Outcome: payment.OutReturning, Owed: b.Owed, Bill: snap(b)}, nil
		}
		if b.ByDeadline {
			return nil, problem(payment.NoWrongState, b)
		}
		if p.Amount > b.Kept {
			return nil, problem(payment.NoExceedsKept, b)
		}
		b.Kept -= p.Amount
		b.Owed += p.Amount
		b.Returns = append(b.Returns, payment.BillReturn{Key: p.Key, Amount: p.Amount, How: "refund", State: "pending"})
		s.emit(payment.EvReturning, b)
		return &wire.Result{Outcome: payment.OutReturning, Owed: b.Owed, Bill: snap(b)}, nil
	}
	if b.Life == payment.Closed && b.Reason == payment.Done && !b.ByDeadline {
		return nil, problem(payment.NoAlreadyConfirmed, b)
	}
	b.Fence = true
	b.Owed += b.Held + b.Kept
	b.Held, b.Kept = 0, 0
	if b.Late == payment.LateOffered {
		b.Late = payment.LateLapsed
	}
	switch {
	case b.Life == payment.Closed && b.Reason != payment.Done:
	case b.Fill == payment.Full && b.Life != payment.Closing:
		b.Life, b.Reason = payment.Closed, payment.Returned
		s.emit(payment.EvClosed, b)
	default:
		b.Life, b.Reason = payment.Closing, payment.Returning
		s.emit(payment.EvClosing, b)
	}
	return &wire.Result{Outcome: payment.OutFenced, Owed: b.Owed, Bill: snap(b)}, nil
}

func (s *integrator) charge(b *payment.Bill, p wire.Charge) (*wire.Result, *wire.Problem) {
	if p.Attempt <= b.Attempt {
		return &wire.Result{Outcome: payment.OutCharging, Bill: snap(b)}, nil
	}
	if b.Life != payment.Open || b.Fence || b.Fill == payment.Full {
		return nil, problem(payment.NoClosed, b)
	}
	b.Attempt, b.Charging = p.Attempt, true
	s.emit(payment.EvCharging, b)
	switch s.codes[p.Code] {
	case "declined":
		b.Charging, b.Declined = false, &payment.Decline{Attempt: p.Attempt, Why: "not_enough", Retry: true}
		s.emit(payment.EvDeclined, b)
	case "slow":
	default:
		s.pay(b.Payment)
	}
	return &wire.Result{Outcome: payment.OutCharging, Bill: snap(b)}, nil
}

func (s *integrator) String() string {
	return fmt.Sprintf("integrator: %d bills, seq %d", len(s.bills), s.seq)
}
