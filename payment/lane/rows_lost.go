package lane

import (
	"slices"

	"tilld/payment"
)

// lostRows: the integrator's ledger was put back from a copy, and has lost what it had committed. The box says again what
// it knows, under the same keys; a person looks at the rest.
var lostRows = []row{
	line("E10l", "fenced; the ledger was put back from a copy and has no fence: said again",
		func(p Payment, e Event) bool {
			return p.FenceAcked && ledgerLost(p, e) && !e.Bill.Fence && p.Pending(VerbReturn) == nil
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
			s.Stage = Released
			s.put(Call{Verb: VerbConfirm, Final: s.Final})
			for _, r := range s.Returns {
				if !r.Whole && !r.Void() && !slices.ContainsFunc(s.e.Bill.Returns, func(x payment.BillReturn) bool { return x.Key == r.ID }) {
					s.dropIf(func(c Call) bool { return c.Verb == VerbReturn && c.Key == r.ID }) // it waits in front of the confirm, and would be refused
					s.put(Call{Verb: VerbReturn, Key: r.ID, Amount: r.Amount, Reason: r.Reason})
				}
			}
		}),
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
