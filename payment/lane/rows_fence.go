package lane

import (
	"cmp"
	"time"

	"tilld/payment"
)

// FenceWait is how long the box waits before it asks again for a fence that was refused twice.
const FenceWait = time.Minute

// fenceRows: the answer to a whole return that is no fence. The goods of this payment were promised to stay, so an answer
// that does not say fenced settles nothing: without the fence the integrator would keep the money by its deadline.
var fenceRows = []row{
	line("E10n", "closing by a return, overridden; the fence is refused: a person looks, and it is asked for again, at once and then each minute, with nothing in it that can be refused",
		func(p Payment, e Event) bool {
			return refusedFence(p, e) || ran(e, FenceAgain) && p.Fenceless() && p.Pending(VerbReturn) == nil
		},
		func(s *step) {
			if s.e.Kind == ClockRan {
				s.fenceAgain()
				return
			}
			a := s.e.Answer
			if why := cmp.Or(a.Code, a.Outcome); s.Trouble != why { // who has looked knows, however often it comes
				s.Review, s.Looked, s.Trouble = true, "", why
				s.tell(EvReview)
			}
			s.stamp("fence_refused")
			switch {
			case s.Stage == Overridden && a.Code == payment.NoAlreadyConfirmed: // others have said that the goods left: no fence will ever be
				s.refuseFence()
				s.overriddenEnd()
			case a.ID != s.fenceID() && s.Pending(VerbReturn) == nil:
				s.fenceAgain()
			}
		}),
}

// refusedFence: the integrator has answered the whole return, and not with the fence. Two answers have rows of their own:
// that it knows no such bill (E31), and that others have confirmed it (E15a).
func refusedFence(p Payment, e Event) bool {
	if !answer(e, VerbReturn) || p.Fence == "" || e.Answer.call.Key != p.Fence || e.Answer.Outcome == payment.OutFenced {
		return false
	}
	switch e.Answer.Code {
	case payment.NoUnknownBill:
		return false
	case payment.NoAlreadyConfirmed:
		return p.Stage == Overridden
	}
	return p.Fenceless()
}

// Fenceless says that the integrator may still keep money for goods that the box has promised to nobody: it has not said
// fenced, or its ledger was put back from a copy that has no fence.
func (p Payment) Fenceless() bool {
	b := p.bill()
	if p.Fence == "" || goneBack(&b) || !p.Returning() && !at(p, Overridden, Ended, OverriddenEnded) {
		return false
	}
	lost := b.Why == payment.WhyLedgerRestored && !b.Fence
	return lost || !p.FenceAcked && (p.Returning() || p.Stage == Overridden)
}

// FenceRefused says since when the fence has been refused, while it is.
func (p Payment) FenceRefused() (since time.Time, is bool) {
	if p.FenceAcked || !p.Fenceless() {
		return since, false
	}
	since, is = p.Stamps["fence_refused"]
	return since, is
}

// fenceID is the id of a fence that is asked for again. It is another than the first one's: of that the integrator may
// have kept an answer.
func (s *step) fenceID() string { return s.BillID + ":" + VerbReturn + ":" + s.Fence + ":again" }

func (s *step) fenceAgain() {
	c := Call{ID: s.fenceID(), Verb: VerbReturn, Key: s.Fence, Whole: true}
	s.Calls = append(s.Calls, c)
	s.fx = append(s.fx, Effect{Do: Put, Call: &c})
}
