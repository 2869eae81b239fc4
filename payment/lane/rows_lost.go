package lane

import (
	"slices"

	"tilld/payment"
)

// lostRows: the integrator's ledger was put back from a copy, and has lost what it had committed. The box says again what
// it knows, under the same keys; a person looks at the rest.
var lostRows = []row{
	line("E10l", "fenced; the ledger was put back from a copy and has no fence, and its money could still be kept: said again",
		func(p Payment, e Event) bool {
			return fenceTaken(p) && (ledgerLost(p, e) || settledInCopy(p, e) && e.Bill.ByDeadline) && !e.Bill.Fence && !goneBack(e.Bill) && p.Pending(VerbReturn) == nil
		},
		func(s *step) {
			s.booksOfCopy()
			s.put(Call{Verb: VerbReturn, Key: s.Fence, Whole: true})
		}),
	line("E15l", "done, never fenced; the ledger was put back from a copy, the money is there and not confirmed: said again, with the returns since",
		func(p Payment, e Event) bool {
			return p.Stage == Done && p.Fence == "" && p.Final > 0 && ledgerLost(p, e) && e.Bill.Life == payment.Open && e.Bill.Fill == payment.Full &&
				p.Pending(VerbConfirm) == nil
		},
		func(s *step) {
			s.booksOfCopy()
			s.confirmAgain()
		}),
	line("E16l", "done, never fenced; the ledger was put back from a copy, in which this sale was over already, without the returns since, or without the confirm: said again",
		func(p Payment, e Event) bool {
			return p.Stage == Done && p.Fence == "" && settledInCopy(p, e) && p.Pending(VerbConfirm) == nil && (len(lostReturns(p, e.Bill)) > 0 || confirmLost(p, e.Bill))
		},
		func(s *step) {
			lost := lostReturns(s.Payment, s.e.Bill)
			s.booksOfCopy()
			if s.Bill.ByDeadline { // it has lost the confirm too
				s.confirmAgain()
				return
			}
			for _, r := range lost {
				s.put(Call{Verb: VerbReturn, Key: r.ID, Amount: r.Amount, Reason: r.Reason})
			}
		}),
	line("E31l", "live, not paid, its code was out; the integrator does not know the bill, so its ledger was put back from a copy: the bill is made again, with the fence behind it",
		func(p Payment, e Event) bool {
			return e.Kind == Snapshot && e.Bill == nil && p.exposed() && p.Pending(VerbCreate) == nil && p.Live() && !at(p, Paid, Released, Restored)
		},
		func(s *step) { s.remake() }),
}

// confirmAgain says the confirm again, with every return behind it that this ledger does not have.
func (s *step) confirmAgain() {
	s.Stage = Released
	s.put(Call{Verb: VerbConfirm, Final: s.Final})
	for _, r := range s.Returns {
		if !r.Whole && !r.Void() && !listed(s.e.Bill, r) {
			s.dropIf(func(c Call) bool { return c.Verb == VerbReturn && c.Key == r.ID }) // it waits in front of the confirm, and would be refused
			s.put(Call{Verb: VerbReturn, Key: r.ID, Amount: r.Amount, Reason: r.Reason})
		}
	}
}

// remake is for a bill that the integrator has lost while somebody may have paid its code. The bank knows the order by its
// id, so a bill that is made again, once, finds what was paid, and the fence behind it gives that back and ends the code.
// What a customer's own code was charged for has orders that a new bill knows nothing of: other money is safe on a
// person's word alone, and the fence goes on being asked for.
func (s *step) remake() {
	again := s.Mode == payment.Show && s.Stamps["remade"].IsZero()
	if s.Trouble != payment.NoUnknownBill { // who has looked knows, however often it comes
		s.Review, s.Looked, s.Trouble = true, "", payment.NoUnknownBill
		s.tell(EvReview)
	}
	s.drop(VerbCharge, VerbChargeVoid, VerbExtend, VerbAccept)
	if again {
		s.drop(VerbReturn)
		s.stamp("remade")
		s.put(Call{Verb: VerbCreate})
	}
	switch {
	case s.Returning() && again, s.Stage == Overridden && again:
		s.put(Call{Verb: VerbReturn, Key: s.Fence, Whole: true})
	case s.Stage == Overridden: // other money was taken on a person's word, and nothing more can be found
		s.noBill()
		s.overriddenEnd()
	case s.Returning() && s.FenceAcked: // other money was safe before the ledger was lost
		s.noBill()
		s.end(Withdrawn)
	case s.Returning():
		s.stamp("fence_refused")
	default:
		s.close(ByReturn, "", payment.NoUnknownBill)
	}
	if again {
		s.Bill = nil // the new one counts its versions from the beginning
	}
}

// fenceTaken: the integrator had the fence. Where the bill was closed before the answer came (E11, E17), the answer is of no row
// any more, and the fence is there all the same.
func fenceTaken(p Payment) bool {
	return p.FenceAcked || p.Fence != "" && at(p, Ended, OverriddenEnded)
}

// goneBack: the bill is closed without goods, and whatever money came or comes goes back, with a fence or without.
func goneBack(b *payment.Bill) bool { return b.Life == payment.Closed && b.Reason != payment.Done }

// settledInCopy: a snapshot of a bill that was over when its ledger was copied, so that nobody looks at it. An integrator that
// has lost nothing never answers without what it has taken before. An event may have told this version already: the question
// went out behind the answer that the box goes by, so an equal one must have it too.
func settledInCopy(p Payment, e Event) bool {
	b := e.Bill
	return e.Kind == Snapshot && b != nil && b.Version >= p.BillVersion() && b.Life == payment.Closed && b.Reason == payment.Done
}

// lostReturns are the returns after the goods that the integrator had taken, that are not in its bill and not on their way.
func lostReturns(p Payment, b *payment.Bill) (out []ReturnIntent) {
	for _, r := range p.Returns {
		again := slices.ContainsFunc(p.Calls, func(c Call) bool { return c.Verb == VerbReturn && c.Key == r.ID })
		if r.Taken && !r.Whole && !again && !listed(b, r) {
			out = append(out, r)
		}
	}
	return out
}

// listed: the bill has this return.
func listed(b *payment.Bill, r ReturnIntent) bool {
	return slices.ContainsFunc(b.Returns, func(x payment.BillReturn) bool { return x.Key == r.ID })
}

// confirmLost: this box has confirmed what the copy's clock has kept, so that the integrator does not know of it. What somebody
// else has closed as done is not this till's to confirm, nor is more than is kept.
func confirmLost(p Payment, b *payment.Bill) bool {
	others := p.NoGoods && p.Stamps["confirmed"].IsZero()
	return p.Stage == Done && p.Fence == "" && !others && b != nil && b.Version >= p.BillVersion() &&
		b.Life == payment.Closed && b.Reason == payment.Done && b.ByDeadline && 0 < p.Final && p.Final <= b.Kept
}

// lostConfirm: a return is refused by a ledger that was put back from a copy and has no confirm of its bill (yet). What such a
// ledger says about sums and counts it says of a bill that is confirmed.
func lostConfirm(p Payment, a *Answer) bool {
	b := a.Bill
	switch a.Code {
	case "", payment.NoExceedsKept, payment.NoAdvanceApplied, payment.NoTooManyReturns:
		return false
	}
	return b != nil && b.Why == payment.WhyLedgerRestored && b.Life != payment.Closed || confirmLost(p, b)
}

// ledgerLost: news of a ledger that was put back from a copy.
func ledgerLost(p Payment, e Event) bool {
	return news(e) && e.Bill != nil && e.Bill.Why == payment.WhyLedgerRestored && e.Bill.Version > p.BillVersion()
}

func (s *step) booksOfCopy() {
	s.books()
	s.Review, s.Looked, s.Trouble = true, "", payment.WhyLedgerRestored
	s.tell(EvReview)
}
