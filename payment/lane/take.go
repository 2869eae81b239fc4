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

// Take applies one event to one payment. It returns the payment as it is to be journalled, what is to be done about it,
// and the ids of the rows that were taken, in order. An error is a *Refusal, for the till: nothing has changed, and the
// caller adds the payment as it stands. No row, no error and no effect means that there is nothing to do. It is pure: a
// step whose commit did not happen may be taken again.
func Take(p Payment, e Event) (Payment, []Effect, []string, error) {
	before, was := p, p
	p = p.clone()
	answered := e.Kind == Answered && p.settle(e.Answer.ID)
	var done []Effect
	var ids []string
	queue := []Event{e}
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		r := find(p, e)
		if r == nil {
			if tillCall(e.Kind) {
				return before, nil, nil, &Refusal{Code: noRow(p, e)}
			}
			if e.Kind == Answered && refusedNews(p, e.Answer) {
				queue = append(queue, Event{Kind: Snapshot, At: e.At, Link: e.Link, Doubt: e.Doubt, Attended: e.Attended, Bill: e.Answer.Bill})
			}
			continue
		}
		ids = append(ids, r.ID)
		q, fx := r.Do(p, e)
		for _, f := range fx {
			switch f.Do {
			case refuse:
				return before, nil, ids, &Refusal{Code: f.Type, Why: f.why}
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
	if answered || !reflect.DeepEqual(was, p) || slices.ContainsFunc(done, func(f Effect) bool { return f.Do == Tell }) {
		p.Version++
	}
	return p, done, ids, nil
}

// find looks in the table first; Notes hold what the table leaves to the engine.
func find(p Payment, e Event) *row {
	if r := payment.Find(Rows, p, e); r != nil {
		return r
	}
	return payment.Find(Notes, p, e)
}

// settle forgets a call that was answered and says whether it was waiting.
func (p *Payment) settle(id string) bool {
	n := len(p.Calls)
	p.Calls = slices.DeleteFunc(p.Calls, func(c Call) bool { return c.ID == id })
	if len(p.Calls) == 0 {
		p.Calls = nil
	}
	return len(p.Calls) < n
}

func tillCall(k Kind) bool {
	switch k {
	case TillCreate, TillReplace, TillReturn, TillConfirm, TillExtend, TillAccept, TillPark, TillOverride, TillReceipt:
		return true
	}
	return false
}

// refusedNews: a call was refused with a snapshot that is newer than what is known.
func refusedNews(p Payment, a *Answer) bool {
	return a.Code != "" && a.Bill != nil && a.Bill.Version > p.BillVersion()
}

// noRow is the code for a till's call that no row takes, as exact as the API promises.
func noRow(p Payment, e Event) string {
	switch {
	case e.Kind == TillConfirm && p.OwnReturn:
		return NoReturned
	case e.Kind == TillConfirm:
		return NoNotPaid
	case e.Kind == TillOverride && p.Live() && p.Stage != Paid && p.Stage != Released:
		return NoNotInDoubt
	case e.Kind == TillExtend:
		return NoCannotExtend
	}
	return NoWrongState
}

// onlyOwnGlass takes away what a payment without outputs must not do (E12p, and a replaced one: the glass is the new
// one's).
func onlyOwnGlass(was Payment, fx []Effect) []Effect {
	if !was.Parked && was.ReplacedBy == "" {
		return fx
	}
	return slices.DeleteFunc(fx, func(f Effect) bool { return f.Do == Draw || f.Do == Wipe || f.Do == Sound })
}

// Clocks says which clocks run for a payment. The engine asks it at start; Take arms and stops by its differences.
func Clocks(p Payment, doubt bool) []Clock {
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
	add(AutoPark, !p.Parked && canPark(p, doubt))
	add(CodeAge, p.Stage == Charging && p.Pending(VerbCharge) != nil)
	add(Ask, p.Stage == Paid && p.IfNotConfirmed == payment.Return && !p.Asked)
	add(GiveBack, p.Stage == Paid && p.IfNotConfirmed == payment.Return && p.Asked)
	add(ReceiptDue, (p.Stage == Paid || p.Stage == Released || p.Stage == Done) && p.Receipt == nil && !p.NoReceipt)
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
	old, now := Clocks(was, doubted), Clocks(is, e.Doubt || e.Kind == DoubtBegins)
	if e.Kind == DoubtEnds {
		now = Clocks(is, false)
	}
	if e.Kind == Boot {
		old = nil
	}
	var out []Effect
	for _, k := range now {
		armed := slices.ContainsFunc(fx, func(f Effect) bool { return f.Do == Arm && f.Clock == k })
		if !armed && (!slices.Contains(old, k) || e.Kind == ClockRan && e.Clock == k) {
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
