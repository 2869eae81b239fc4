package lane

import (
	"slices"
	"time"

	"tilld/payment"
)

// askRows: the till asks for a payment, and it leaves the box or does not.
var askRows = []row{
	line("E1", "new; till asks for a payment; the lane is free and can take one",
		func(p Payment, e Event) bool {
			return p.Stage == "" && e.Kind == TillCreate || p.Stage == Ended && e.Kind == TillReplace
		},
		func(s *step) {
			switch {
			case s.e.Kind == TillReplace: // an ended payment needs no gate: only its light goes over to the new one
				s.ReplacedBy = s.e.ID
			case s.e.Why != "":
				s.refuseWhy(NoUnavailable, s.e.Why)
			case s.e.Busy:
				s.refuse(NoLaneBusy)
			default:
				s.Payment = newPayment(s.e)
				s.stamp("asked")
				s.tell(EvSubmitted)
			}
		}),
	line("E1a", "any; same reference: same body, other body",
		func(p Payment, e Event) bool { return p.Stage != "" && e.Kind == TillCreate },
		func(s *step) {
			if same := s.e.Hash == s.Hash || s.Hash == "" && sameSale(s.Payment, s.e.Create); !same {
				s.refuse(NoKeyReused)
			}
		}),
	line("E1c", "submitted, unsent, waiting; every earlier payment of this sale is fenced or ended",
		func(p Payment, e Event) bool {
			return unsent(p) && p.Waiting && e.Kind == LinkReady && e.Link && e.Gate
		},
		func(s *step) { s.send() }),
	line("E2", "submitted, unsent; link ready",
		func(p Payment, e Event) bool { return unsent(p) && !p.Waiting && e.Kind == LinkReady && e.Link },
		func(s *step) { s.send() }),
	line("E2b'", "submitted, unsent, waiting; till withdraws",
		func(p Payment, e Event) bool { return unsent(p) && p.Waiting && e.Kind == TillReturn },
		func(s *step) { s.withdraw() }),
	line("E2b", "submitted, unsent; till withdraws, or 3 s without a link",
		func(p Payment, e Event) bool {
			return unsent(p) && !p.Waiting && (e.Kind == TillReturn || ran(e, Unsent))
		},
		func(s *step) { s.withdraw() }),
	line("E2u", "submitted, sent, or returning since; this reference was another sale's, which is over: refused, nothing was asked of the bank",
		func(p Payment, e Event) bool {
			return (p.Stage == Submitted || p.Returning()) && !p.exposed() && answer(e, VerbCreate) && referenceUsed(p, e)
		},
		func(s *step) {
			s.noBill()
			s.Trouble = payment.NoReferenceUsed
			s.end(EndRefused)
		}),
	line("E2c", "submitted, sent, or returning since; the integrator knows this reference from an earlier payment: the journal was lost",
		func(p Payment, e Event) bool {
			return (p.Stage == Submitted || p.Returning()) && !p.exposed() && answer(e, VerbCreate) && e.Answer.Outcome == payment.OutReferenceSeen && e.Answer.Bill != nil
		},
		func(s *step) {
			b := s.e.Answer.Bill
			other := !sameBill(s.Payment, b)
			if s.Returning() { // the fence is of a bill that was never made: what of the earlier one, E33a says
				s.drop(VerbReturn)
				s.Returns = slices.DeleteFunc(s.Returns, func(r ReturnIntent) bool { return r.ID == s.Fence })
				if len(s.Returns) == 0 {
					s.Returns = nil
				}
				s.Fence, s.FenceAcked, s.Closing, s.Stage = "", false, "", Restored
			}
			s.BillID, s.Review, s.Trouble = b.Payment, true, "adopted"
			s.stamp("adopted")
			if other { // a live bill that nobody else knows of: it is brought to its end here, and never gives these goods out
				s.NoGoods, s.Trouble = true, payment.NoReferenceUsed
			}
			if other || full(b) || b.Life == payment.Closed && b.Reason == payment.Done {
				s.Stage = Restored // the goods may have left before the journal was lost: E33a, E33c
			}
			s.tell(EvReview)
			s.then(Event{Kind: Snapshot, Bill: b})
		}),
	line("E1x", "open or waiting for a code; till asks for more time; link up, not in doubt",
		func(p Payment, e Event) bool {
			return at(p, Open, WaitingCode) && e.Kind == TillExtend || answer(e, VerbExtend)
		},
		func(s *step) {
			switch {
			case s.e.Kind == Answered && s.e.Answer.Code == payment.NoCannotExtend:
				if asked := s.e.Answer.call.LifeMS; s.e.Answer.Why == "provider" && (s.TooLong == 0 || asked < s.TooLong) {
					s.TooLong = asked
				}
			case s.e.Kind == Answered:
				if s.e.Answer.Code == "" {
					s.LifeMS = max(s.LifeMS, s.e.Answer.call.LifeMS)
				}
			case !s.e.Link:
				s.refuseWhy(NoCannotExtend, "no_link")
			case s.e.Doubt:
				s.refuseWhy(NoCannotExtend, "in_doubt")
			case s.Extends >= MaxExtends:
				s.refuseWhy(NoCannotExtend, "limit")
			default:
				s.Extends++
				s.put(Call{Verb: VerbExtend, LifeMS: s.LifeMS + s.e.By.Milliseconds()})
			}
		}),
}

// withdraw ends what was never sent. The till's reference is kept, so that it may ask again.
func (s *step) withdraw() {
	if r := s.e.Return; r != nil {
		s.Returns = append(s.Returns, ReturnIntent{
			ID: ReturnKey(s.BillID, r.Reference), Reference: r.Reference, Whole: true, How: "cancel", State: "done", Reason: r.Reason, At: s.e.At,
		})
	}
	s.end(Withdrawn)
}

// sameSale compares a request with a payment that was adopted from the integrator: the rest of its body is not known.
func sameSale(p Payment, r *Request) bool {
	return r.Amount == p.Amount && r.Mode == p.Mode && r.Purpose == p.Purpose
}

// sameBill says that an older bill with this payment's reference is of the same sale, as far as both tell it. How old it may
// be is the integrator's to say (B1u).
func sameBill(p Payment, b *payment.Bill) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return b.Amount == p.Amount && b.Mode == p.Mode && b.Purpose == p.Purpose && !differ(b.Provider, p.Provider) && !differ(b.Payee, p.Payee)
}

// referenceUsed: the integrator has no bill of this payment, and makes none, because the reference is another sale's that is over.
func referenceUsed(p Payment, e Event) bool {
	b := e.Answer.Bill
	return e.Answer.Code == payment.NoReferenceUsed ||
		e.Answer.Outcome == payment.OutReferenceSeen && b != nil && b.Life == payment.Closed && !sameBill(p, b)
}

func newPayment(e Event) Payment {
	r := e.Create
	return Payment{
		ID: e.ID, BillID: e.ID, Number: e.Number, Reference: r.Reference, Lane: r.Lane, Hash: e.Hash,
		Amount: r.Amount, Mode: r.Mode, Purpose: r.Purpose, IfNotConfirmed: r.IfNotConfirmed, LifeMS: int64(r.ExpiresIn / time.Millisecond),
		Provider: r.Provider, Payee: r.Payee, Outputs: r.Outputs, Lines: r.Lines, Replaces: r.Replaces, AddsTo: r.AddsTo,
		Stage: Submitted, Waiting: e.Wait,
	}
}

// send is SENT: from this record on the bill may exist, whatever becomes of the frame.
func (s *step) send() {
	s.Sent, s.Waiting = true, false
	s.stamp("sent")
	s.put(Call{Verb: VerbCreate})
}

// saleRows: one payment takes the place of another. Rows that touch two payments are one Batch: the engine gives each
// payment its own event.
var saleRows = []row{
	line("E1d", "unsent; a payment replaces it: it is withdrawn, the new one waits for the same gate",
		func(p Payment, e Event) bool { return unsent(p) && e.Kind == TillReplace },
		func(s *step) {
			if s.e.Why != "" {
				s.refuseWhy(NoUnavailable, s.e.Why)
				return
			}
			s.end(Withdrawn)
			s.ReplacedBy = s.e.ID
		}),
	line("E1b", "sent; a payment replaces it: E10, and the new one waits for the lane; paid or overridden: refused",
		func(p Payment, e Event) bool {
			return e.Kind == TillReplace && p.Stage != "" && !at(p, Ended, Restored)
		},
		func(s *step) {
			switch {
			case at(s.Payment, Paid, Released, Done):
				s.refuse(NoReplacedWasPaid)
				return
			case at(s.Payment, Overridden, OverriddenEnded):
				s.refuse(NoOverridden)
				return
			case s.e.Why != "":
				s.refuseWhy(NoUnavailable, s.e.Why)
				return
			case !s.e.Link:
				s.refuseWhy(NoUnavailable, "no_link")
				return
			}
			s.ReplacedBy = s.e.ID
			if !s.Returning() {
				s.close(ByReturn, "", "replaced")
			}
		}),
	line("E13r", "old of a waiting one; supervisor overrides, or others have confirmed it: the waiting one is withdrawn with it",
		func(p Payment, e Event) bool {
			return e.Kind == OldOver && unsent(p) && p.Waiting ||
				e.Kind == TillOverride && e.Follows && e.Doubt && p.ReplacedBy != "" && overridable(p)
		},
		func(s *step) {
			if s.e.Kind == OldOver {
				s.end(Withdrawn)
				return
			}
			s.override()
		}),
	line("E10r", "old, replaced; E10b, E11: as there, but its light is the new one's",
		func(p Payment, e Event) bool {
			return p.ReplacedBy != "" && (fenced(p, e) || closed(p, e) || e.Kind == SaleOver && safe(p))
		},
		func(s *step) {
			switch {
			case s.e.Kind == SaleOver: // the sale has no payment left that could be paid: the light goes on here
				if s.Stage == Closing {
					s.tell(EvFenced)
				} else {
					s.tell(EvEnded)
				}
			case s.e.Kind == Answered:
				s.fenced()
			default:
				s.closed()
			}
		}),
}
