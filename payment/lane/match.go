package lane

import (
	"slices"

	"tilld/payment"
)

// Guards of the table, in its own words.

func at(p Payment, stages ...Stage) bool { return slices.Contains(stages, p.Stage) }

func on(e Event, kinds ...Kind) bool { return slices.Contains(kinds, e.Kind) }

// news says that e carries the bill: an event of the integrator or a snapshot.
func news(e Event) bool {
	return e.Kind == Snapshot || slices.Contains(payment.EventTypes(), string(e.Kind))
}

// answer says that e answers a call of that verb that was still waited for.
func answer(e Event, verb string) bool {
	return e.Kind == Answered && e.Answer.call.Verb == verb
}

func ran(e Event, c Clock) bool { return e.Kind == ClockRan && e.Clock == c }

// unsent: SENT is not in the journal, so nothing can have left.
func unsent(p Payment) bool { return p.Stage == Submitted && !p.Sent }

// expiring is CLOSING(expire): nothing was promised, so everything may still happen.
func expiring(p Payment) bool { return p.Stage == Closing && p.Closing == ByExpiry }

// unpaidLive are the stages that a whole return ends (E10), without those that return already.
func unpaidLive(p Payment) bool {
	return p.Stage == Submitted && p.Sent || at(p, Open, WaitingCode, Charging, LateOffered, Accepting) || expiring(p)
}

// known: the till has used this reference for a return of this payment.
func known(p Payment, e Event) bool { return asked(p, e) >= 0 }

// asked is the return that the till's reference names, or -1. A return that the integrator told of after the journal was
// lost has no reference here, but its key follows from one.
func asked(p Payment, e Event) int {
	if e.Return == nil || e.Return.Reference == "" {
		return -1
	}
	key := ReturnKey(p.BillID, e.Return.Reference)
	return slices.IndexFunc(p.Returns, func(r ReturnIntent) bool {
		return r.Reference == e.Return.Reference || r.ID == key
	})
}

// whole: the return asked for is the whole payment.
func whole(p Payment, e Event) bool {
	if e.Return == nil || e.Return.Amount == nil {
		return true
	}
	if p.Stage == Paid {
		return e.Return.Amount.Value == p.payable()
	}
	return e.Return.Amount.Value == p.Amount.Value
}

// final is what a confirm names, everything if it names nothing.
func final(p Payment, e Event) int64 {
	if e.Confirm == nil || e.Confirm.Final == nil {
		return p.payable()
	}
	return e.Confirm.Final.Value
}

// full: the money for a restored payment is there, so only a person can say where the goods are (E33c).
func full(b *payment.Bill) bool {
	return b != nil && (b.Life == payment.Open && b.Fill == payment.Full || b.Life == payment.Closed && b.Reason == payment.Done && b.ByDeadline)
}

// undecided is a restored payment that only a person can bring on: the integrator has said that its money is there. What was
// adopted waits for one also if an earlier journal has confirmed it: its light would let goods go once more, and a till may
// have used the reference again.
func undecided(p Payment) bool {
	return p.Stage == Restored && p.Told && (full(p.Bill) || p.adopted() && confirmedBefore(p.Bill))
}

// confirmedBefore: this box itself has said that the goods left, and money of it can still go back.
func confirmedBefore(b *payment.Bill) bool {
	return b != nil && b.Life == payment.Closed && b.Reason == payment.Done && !b.ByDeadline && b.Kept > b.Applied
}

// exposed: a code has been out, to be scanned or to be charged, so somebody may have paid.
func (p Payment) exposed() bool {
	return p.Payload != "" || p.Attempt > 0 || p.bill().Paid > 0 || !p.Stamps["remade"].IsZero()
}

// adopted: the payment came out of a bill that this journal did not know.
func (p Payment) adopted() bool { return !p.Stamps["adopted"].IsZero() }

// canPark are the stages that may give their lane up (E12p): closing, but not while late money is on offer, and what
// would stand in doubt for nobody knows how long.
func canPark(p Payment, doubt bool) bool {
	switch p.Stage {
	case Closing:
		return true
	case Submitted:
		return doubt && p.Sent
	case Charging, Accepting:
		return doubt
	}
	return false
}

// cashierWaits: a cashier has accepted late money and decides what becomes of the lane, not a clock.
func cashierWaits(p Payment, attended bool) bool { return p.Stage == Accepting && attended }

func overridable(p Payment) bool { return unpaidLive(p) || p.Stage == Closing }

// voided: the integrator knows no attempt of that number and never will, so the customer can be asked for another code.
func voided(e Event) bool {
	return answer(e, VerbChargeVoid) && e.Answer.Outcome == payment.OutVoid ||
		answer(e, VerbCharge) && e.Answer.Code != "" && e.Answer.Code != payment.NoAttemptRunning
}

// declined: the bank's no to the attempt that runs.
func declined(p Payment, e Event) bool {
	return e.Kind == payment.EvDeclined && (e.Bill.Declined == nil || e.Bill.Declined.Attempt == 0 || e.Bill.Declined.Attempt >= p.Attempt)
}

// createRefused: there is no bill and there will be none. key_reused says that there is one, of another body; where a code was
// out there was one, whatever the integrator knows by now (E31l).
func createRefused(p Payment, e Event) bool {
	return !p.exposed() && answer(e, VerbCreate) && e.Answer.Code != "" && e.Answer.Code != payment.NoUnknownBill && e.Answer.Bill == nil
}
