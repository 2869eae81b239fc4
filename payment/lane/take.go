package lane

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"tilld/payment"
)

// row is one line of the box's table.
type row = payment.Row[Payment, Event, Effect]

// Table is rows in the order in which they are asked.
type Table []row

// Take applies one event to one payment. It returns the payment as it is to be journalled, what is to be done about it,
// and the ids of the rows that were taken, in order. An error is a *Refusal, for the till: nothing has changed, and the
// caller adds the payment as it stands. No row, no error and no effect means that there is nothing to do. It is pure: a
// step whose commit did not happen may be taken again.
func Take(p Payment, e Event) (Payment, []Effect, []string, error) { return Rows.Take(p, e) }

// Take executes this table.
func (t Table) Take(p Payment, e Event) (Payment, []Effect, []string, error) {
	was := p
	answered := ""
	if e.Kind == Answered {
		answered = e.Answer.ID
		p = p.clone()
		if e.Answer.Code == payment.NoSuperseded {
			return was, nil, nil, nil // of the session, not of the call: it is sent again
		}
		a := *e.Answer
		e.Answer = &a
		p.settle(e.Answer)
	}
	var done []Effect
	var ids []string
	var room [4]Event // more is seldom
	queue := append(room[:0], e)
	for len(queue) > 0 {
		e := queue[0]
		e.answered = answered
		queue = queue[1:]
		if news, ok := newsOf(p, e); ok {
			queue = append(queue, news)
		}
		r := t.find(p, e)
		if r == nil {
			if tillCall(e.Kind) {
				return was, nil, nil, &Refusal{Code: noRow(p, e), Why: why(p, e)}
			}
			continue
		}
		ids = append(ids, r.ID)
		q, fx := r.Do(p, e)
		for _, f := range fx {
			switch f.Do {
			case refuse:
				return was, nil, ids, &Refusal{Code: f.Type, Why: f.why}
			case then:
				queue = append(queue, *f.next)
			default:
				done = append(done, f)
			}
		}
		p = q
	}
	done = onlyOwnGlass(was, done)
	done = append(done, clockWork(was, p, e, done)...)
	told := slices.ContainsFunc(done, func(f Effect) bool { return f.Do == Tell })
	if told || (len(ids) > 0 || e.Kind == Answered) && !reflect.DeepEqual(was, p) {
		p.Version++
	}
	return p, done, ids, nil
}

// find looks in the table first; Notes hold what the table leaves to the engine.
func (t Table) find(p Payment, e Event) *row {
	if r := payment.Find(t, p, e); r != nil {
		return r
	}
	return payment.Find(Notes, p, e)
}

// settle takes an answered call off the record, and tells the answer whose it was. An answer to a call that was dropped
// meanwhile settles nothing.
func (p *Payment) settle(a *Answer) {
	p.Calls = slices.DeleteFunc(p.Calls, func(c Call) bool {
		if c.ID == a.ID {
			a.call = c
		}
		return c.ID == a.ID
	})
	if len(p.Calls) == 0 {
		p.Calls = nil
	}
}

func tillCall(k Kind) bool {
	switch k {
	case TillCreate, TillReplace, TillReturn, TillConfirm, TillExtend, TillAccept, TillPark, TillOverride, TillReceipt:
		return true
	}
	return false
}

// newsOf is the snapshot in an answer, as an event of its own that follows. Of accepted calls only bill.get's is looked
// at: a stored answer may be old, and what an accepted call led to comes as an event. unknown_bill is a snapshot too. A bill of
// another payment is no news of this one. One whose events the box has taken in is: it may lack the box's own confirm (E16l).
func newsOf(p Payment, e Event) (Event, bool) {
	if e.Kind != Answered {
		return Event{}, false
	}
	a := e.Answer
	switch {
	case a.Code == payment.NoUnknownBill:
	case a.Bill == nil || a.Bill.Payment != p.BillID:
		return Event{}, false
	case a.Bill.Version <= p.BillVersion() && p.Stage != Restored && !(a.Bill.Version == p.BillVersion() && lostConfirm(p, a)):
		return Event{}, false
	case a.Code == "" && a.Outcome != payment.OutBill:
		return Event{}, false
	}
	n := Event{Kind: Snapshot, At: e.At, Link: e.Link, Doubt: e.Doubt, Attended: e.Attended}
	if a.Code != payment.NoUnknownBill {
		n.Bill = a.Bill
	}
	return n, true
}

// noRow is the code for a till's call that no row takes, as exact as the API promises.
func noRow(p Payment, e Event) string {
	switch {
	case p.Stage == "":
		return NoNotFound
	case e.Kind == TillConfirm && p.OwnReturn:
		return NoReturned
	case e.Kind == TillConfirm && p.Stage != Restored:
		return NoNotPaid
	case e.Kind == TillOverride && (overridable(p) || unsent(p)):
		return NoNotInDoubt
	case e.Kind == TillExtend:
		return NoCannotExtend
	}
	return NoWrongState
}

// why explains cannot_extend.
func why(p Payment, e Event) string {
	if e.Kind == TillExtend && p.Stage != "" {
		return State(p, e.Doubt)
	}
	return ""
}

// onlyOwnGlass takes away what a payment without outputs must not do (E12p, and a replaced one: the glass is the new
// one's).
func onlyOwnGlass(was Payment, fx []Effect) []Effect {
	if !was.Parked && was.ReplacedBy == "" {
		return fx
	}
	return slices.DeleteFunc(fx, func(f Effect) bool { return f.Do == Draw || f.Do == Wipe || f.Do == Sound })
}

// Clocks says which clocks run for a payment in a lane with a cashier, or without. Take arms and stops by its differences.
func Clocks(p Payment, doubt, attended bool) []Clock {
	var c []Clock
	add := func(k Clock, runs bool) {
		if runs {
			c = append(c, k)
		}
	}
	add(Unsent, p.Stage == Submitted && !p.Sent && !p.Waiting)
	add(Countdown, p.Stage == Open && !p.Paying || p.Stage == WaitingCode)
	add(MaxOpen, p.Stage == Open && p.Paying)
	add(Lease, p.Stage == LateOffered)
	add(AutoPark, !p.Parked && canPark(p, doubt) && !cashierWaits(p, attended))
	add(CodeAge, p.Stage == Charging && p.Pending(VerbCharge) != nil)
	add(Ask, p.Stage == Paid && (p.IfNotConfirmed == payment.Return || p.IfNotConfirmed == payment.Person) && !p.Asked)
	add(GiveBack, p.Stage == Paid && p.IfNotConfirmed == payment.Return && p.Asked)
	add(FenceAgain, p.Fenceless() && p.Pending(VerbReturn) == nil)
	add(ReceiptDue, (p.Stage == Paid || p.Stage == Released || p.Stage == Done) && p.Receipt == nil && !p.NoReceipt && !p.NoGoods)
	return c
}

func clockWork(was, is Payment, e Event, fx []Effect) []Effect {
	doubted := e.Doubt
	switch e.Kind {
	case DoubtBegins:
		doubted = false
	case DoubtEnds:
		doubted = true
	}
	old, now := Clocks(was, doubted, e.Attended), Clocks(is, e.Doubt || e.Kind == DoubtBegins, e.Attended)
	if e.Kind == DoubtEnds {
		now = Clocks(is, false, e.Attended)
	}
	if e.Kind == Boot {
		old = nil
	}
	var out []Effect
	for _, k := range now {
		armed := slices.ContainsFunc(fx, func(f Effect) bool { return f.Do == Arm && f.Clock == k })
		if !armed && !slices.Contains(old, k) {
			out = append(out, Effect{Do: Arm, Clock: k})
		}
	}
	for _, k := range old {
		if !slices.Contains(now, k) {
			out = append(out, Effect{Do: Stop, Clock: k})
		}
	}
	slices.SortFunc(out, func(a, b Effect) int { return cmp.Compare(a.Do, b.Do)*2 + cmp.Compare(a.Clock, b.Clock) })
	return out
}

// ms is a duration of the link.
func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
