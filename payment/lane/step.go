package lane

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"time"

	"tilld/payment"
)

// step is a row at work: a copy of the payment, what happened, and what is to be done about it.
type step struct {
	Payment
	e  Event
	fx []Effect
}

// line makes a row out of a function on a step; the payment that was handed in is never changed.
func line(id, when string, match func(Payment, Event) bool, do func(*step)) row {
	return row{ID: id, When: when, Match: match, Do: func(p Payment, e Event) (Payment, []Effect) {
		s := &step{Payment: p.clone(), e: e}
		do(s)
		return s.Payment, s.fx
	}}
}

func (s *step) tell(event string)  { s.fx = append(s.fx, Effect{Do: Tell, Type: event}) }
func (s *step) do(d Do)            { s.fx = append(s.fx, Effect{Do: d}) }
func (s *step) sound(name string)  { s.fx = append(s.fx, Effect{Do: Sound, Type: name}) }
func (s *step) refuse(code string) { s.refuseWhy(code, "") }
func (s *step) refuseWhy(code, why string) {
	s.fx = append(s.fx, Effect{Do: refuse, Type: code, why: why})
}

// then goes on with another event of the same moment within the same record.
func (s *step) then(e Event) {
	e.At, e.Link, e.Doubt, e.Attended = s.e.At, s.e.Link, s.e.Doubt, s.e.Attended
	s.fx = append(s.fx, Effect{Do: then, next: &e})
}

func (s *step) arm(c Clock, after time.Duration) {
	s.fx = append(s.fx, Effect{Do: Arm, Clock: c, After: after})
}

// stamp notes the first time of a thing.
func (s *step) stamp(what string) {
	if s.Stamps == nil {
		s.Stamps = map[string]time.Time{}
	}
	if _, ok := s.Stamps[what]; !ok {
		s.Stamps[what] = s.e.At
	}
}

// put queues a call. Its id is its key for ever; one that was dropped in the same record gets another, for no record both
// ends and begins a call.
func (s *step) put(c Call) {
	c.ID = s.BillID + ":" + c.Verb
	switch c.Verb {
	case VerbCharge, VerbChargeVoid:
		c.ID += fmt.Sprintf(":%d", c.Attempt)
	case VerbExtend:
		c.ID += fmt.Sprintf(":%d", s.Extends)
	case VerbReturn:
		c.ID += ":" + c.Key
	}
	for c.ID == s.e.answered || slices.ContainsFunc(s.fx, func(f Effect) bool { return f.Do == Drop && f.Call.ID == c.ID }) {
		c.ID += ":again" // the same commit takes that one off the journal
	}
	s.Calls = append(s.Calls, c)
	s.fx = append(s.fx, Effect{Do: Put, Call: &c})
}

// drop takes calls of these verbs out of the queue; their answers, should any come, are not waited for.
func (s *step) drop(verbs ...string) {
	s.dropIf(func(c Call) bool { return slices.Contains(verbs, c.Verb) })
}

func (s *step) dropIf(out func(Call) bool) {
	s.Calls = slices.DeleteFunc(s.Calls, func(c Call) bool {
		if !out(c) {
			return false
		}
		s.fx = append(s.fx, Effect{Do: Drop, Call: &c})
		return true
	})
	if len(s.Calls) == 0 {
		s.Calls = nil
	}
}

// voidCharge puts a void in the place of a charge that was not answered: its code is about to be forgotten, so it could
// never be sent again and would block the queue.
func (s *step) voidCharge() {
	c := s.Pending(VerbCharge)
	if c == nil {
		return
	}
	n := c.Attempt
	s.drop(VerbCharge)
	s.put(Call{Verb: VerbChargeVoid, Attempt: n})
}

// ReturnKey is the id of a return and its key at the integrator. It follows from the till's reference ("" for a return
// that the box makes by itself), so that a box with a restored journal makes the same one again.
func ReturnKey(bill, reference string) string {
	h := sha256.Sum256([]byte("return\n" + bill + "\n" + reference))
	return base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding).EncodeToString(h[:16])
}

// close is the way into Closing for good: the return intent is the fence, from this record on the goods never leave.
func (s *step) close(why Why, reference, reason string) {
	s.Stage, s.Closing = Closing, why
	s.leaveGlass()
	s.fence(reference, reason)
	s.stamp("closing")
	s.tell(EvClosing)
}

// fence queues the whole return, once in a payment's life.
func (s *step) fence(reference, reason string) {
	s.voidCharge()
	if s.Fence != "" {
		return
	}
	s.Fence = ReturnKey(s.BillID, reference)
	var paid int64
	if s.Bill != nil {
		paid = s.Bill.Paid
	}
	s.Returns = append(s.Returns, ReturnIntent{
		ID: s.Fence, Reference: reference, Whole: true, Amount: paid, How: "undecided", State: "pending", Reason: reason, At: s.e.At,
	})
	s.put(Call{Verb: VerbReturn, Key: s.Fence, Whole: true, Reason: reason})
}

// leaveGlass takes the code off: every output is wiped, the pay code forgotten.
func (s *step) leaveGlass() {
	s.Paying, s.NoCode, s.NoDisplay = false, false, false
	s.do(Wipe)
	s.do(Forget)
}

// expire is E9: nothing is sent, expiry belongs to the integrator.
func (s *step) expire() {
	s.voidCharge()
	s.Stage, s.Closing = Closing, ByExpiry
	s.leaveGlass()
	s.stamp("closing")
	s.tell(EvClosing)
}

// paid is E6.
func (s *step) paid() {
	s.drop(VerbCharge, VerbChargeVoid, VerbExtend)
	s.Stage, s.Closing = Paid, ""
	s.leaveGlass()
	s.stamp("paid")
	s.tell(EvPaid)
	if s.Parked {
		s.tell(EvSettled)
	}
	if s.bill().Over > 0 {
		s.sound("over")
		return
	}
	s.sound("paid")
}

// end is the last record of an unpaid payment.
func (s *step) end(why Why) {
	s.drop(VerbCharge, VerbChargeVoid, VerbExtend, VerbAccept)
	s.Stage, s.End, s.Closing, s.Waiting = Ended, why, "", false
	s.leaveGlass()
	s.stamp("ended")
	s.tell(EvEnded)
	if s.Parked {
		s.tell(EvSettled)
	}
}

// show is Open with the code drawn, if enough time is left to draw it again.
func (s *step) show(again bool) {
	s.Stage, s.Closing, s.Paying, s.NoDisplay = Open, "", false, false
	s.NoCode = again && ms(s.LeftMS) <= DrawAtLeast
	if s.NoCode {
		s.do(Wipe)
	} else {
		s.do(Draw)
	}
	s.arm(Countdown, ms(s.LeftMS))
}

// wait is WaitingCode.
func (s *step) wait() {
	s.Stage, s.Closing = WaitingCode, ""
	s.do(Forget)
	s.tell(EvOpened)
}

// books takes the bill in: amounts, flags, returns, what is left of the clocks. Never a stage.
func (s *step) books() {
	b := s.e.Bill
	if b == nil {
		return
	}
	s.Bill = b
	if b.Payload != "" {
		s.Payload = b.Payload
	}
	if b.RemainingMS > 0 || b.MaxOpenMS > 0 || b.LeaseMS > 0 {
		s.LeftMS, s.MaxOpenMS, s.LeaseMS, s.LeftAt = b.RemainingMS, b.MaxOpenMS, b.LeaseMS, s.e.At
	}
	s.Attempt = max(s.Attempt, b.Attempt)
	if s.Mode == payment.Show || b.Declined != nil && b.Declined.Attempt >= s.Attempt {
		s.Declined = b.Declined
	}
	s.bookReturns(b)
}

// bookReturns takes over what the integrator says of the returns: ours by key, and those of others.
func (s *step) bookReturns(b *payment.Bill) {
	listed := false
	for _, r := range b.Returns {
		i := slices.IndexFunc(s.Returns, func(x ReturnIntent) bool { return x.ID == r.Key })
		if i < 0 {
			s.Returns = append(s.Returns, ReturnIntent{ID: r.Key, At: s.e.At})
			i = len(s.Returns) - 1
		}
		x := &s.Returns[i]
		x.Taken, x.Amount, x.How, x.State = true, r.Amount, r.How, r.State
		listed = listed || r.Key == s.Fence
	}
	if listed || b.Life != payment.Closed {
		return
	}
	for i := range s.Returns { // the fence of a bill that closed: what is owed back is the bill's to say
		x := &s.Returns[i]
		if !x.Whole || x.ID != s.Fence || x.State == "refused" {
			continue
		}
		x.Amount = b.Paid
		switch {
		case b.Owed > 0:
			x.State = "pending"
		case b.Paid == 0:
			x.How, x.State = "cancel", "done"
		default:
			x.State = "done"
		}
	}
}

// payable is what the goods may be handed over for: all that is held or was kept by a deadline.
func (p Payment) payable() int64 {
	if p.Bill != nil && p.Bill.Held+p.Bill.Kept > 0 {
		return p.Bill.Held + p.Bill.Kept
	}
	return p.Amount.Value
}

// Void says that the integrator would not have this return, so nothing is owed by it. What the bank refuses stays owed.
func (r ReturnIntent) Void() bool { return r.State == "refused" && !r.Taken }

// left is what can still be returned after the goods: the final amount less every return that the integrator has or may
// have.
func (p Payment) left() int64 {
	n := p.Final
	for _, r := range p.Returns {
		if !r.Void() {
			n -= r.Amount
		}
	}
	if p.Bill != nil {
		n -= p.Bill.Applied
	}
	return max(n, 0)
}

// given is what counts as returned after the goods: returns that the integrator has.
func (p Payment) given() int64 {
	var n int64
	for _, r := range p.Returns {
		if r.Taken && !r.Whole {
			n += r.Amount
		}
	}
	return n
}
