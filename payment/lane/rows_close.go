package lane

import "tilld/payment"

// closed: the bill is closed and no money will ever be kept for goods; or there never was a bill.
func closed(p Payment, e Event) bool {
	return (p.Stage == Submitted && p.Sent || at(p, Open, WaitingCode, Charging, Closing, LateOffered, Accepting)) &&
		(on(e, payment.EvClosed) || createRefused(p, e) && e.Answer.Code != payment.NoKeyReused)
}

// fenced: the integrator has committed the fence.
func fenced(p Payment, e Event) bool {
	return (p.Returning() || p.Stage == Overridden) && answer(e, VerbReturn) && e.Answer.Outcome == payment.OutFenced && e.Answer.call.Key == p.Fence
}

// closed ends the payment with the bill's reason.
func (s *step) closed() {
	if s.e.Kind == Answered {
		s.noBill()
		s.Trouble = s.e.Answer.Why
		if s.Trouble == "" {
			s.Trouble = s.e.Answer.Code
		}
		s.end(EndRefused)
		return
	}
	s.books()
	if s.Trouble == "" {
		s.Trouble = s.e.Bill.Why
	}
	s.end(endOf(s.e.Bill))
	switch endScreen(s.Payment) { // what is to be seen is to be heard
	case "expired":
		s.sound("no")
	case "late":
		s.sound("low")
	}
}

// noBill: the integrator has no bill and will have none, so that a return of the whole has nothing to give back.
func (s *step) noBill() {
	s.drop(VerbReturn)
	for i := range s.Returns {
		if r := &s.Returns[i]; r.ID == s.Fence {
			r.How, r.State, r.Amount = "cancel", "done", 0
		}
	}
}

// endOf maps the bill's reason: closed with money that goes back is returned, not canceled or refused; an expired bill
// is expired, whatever came too late.
func endOf(b *payment.Bill) Why {
	switch {
	case b.Reason == payment.Expire, b.Reason == payment.Done: // done: a deposit is kept by the merchant's rule (B13d)
		return EndExpired
	case b.Reason == payment.Returned, b.Paid > 0:
		return EndReturned
	case b.Reason == payment.Refused:
		return EndRefused
	}
	return EndCanceled
}

func (s *step) fenced() {
	s.FenceAcked = true
	s.stamp("fenced")
	if s.Stage == Closing { // of an overridden one other money was taken before
		s.tell(EvFenced)
	}
}

// closeRows: the end of a payment that was not paid.
var closeRows = []row{
	line("E9p", "open, paying; the box's own max_open clock",
		func(p Payment, e Event) bool { return p.Stage == Open && p.Paying && ran(e, MaxOpen) },
		func(s *step) { s.expire() }),
	line("C7", "waiting for a code; countdown 0",
		func(p Payment, e Event) bool { return p.Stage == WaitingCode && ran(e, Countdown) },
		func(s *step) { s.expire() }),
	line("E9", "open: countdown 0; submitted, open, waiting for a code, charging: bill.closing",
		func(p Payment, e Event) bool {
			return showing(p) && ran(e, Countdown) || at(p, Submitted, Open, WaitingCode, Charging) && on(e, payment.EvClosing)
		},
		func(s *step) {
			s.books()
			s.expire()
		}),
	line("E14a", "paid; return of less, confirm of nothing or of too much",
		func(p Payment, e Event) bool {
			if p.Stage != Paid {
				return false
			}
			switch e.Kind {
			case TillReturn:
				return !known(p, e) && !whole(p, e)
			case TillConfirm:
				return final(p, e) <= 0 || final(p, e) > p.payable()
			}
			return false
		},
		func(s *step) {
			switch {
			case s.e.Kind == TillReturn && s.e.Return.Amount.Value > s.payable():
				s.refuse(NoExceedsKept)
			case s.e.Kind == TillReturn:
				s.refuse(NoConfirmFirst)
			case final(s.Payment, s.e) <= 0:
				s.refuse(NoUseReturn)
			default:
				s.refuse(NoFinalExceedsPaid)
			}
		}),
	line("E10", "sent, not released; till returns the whole, or the customer cancels at a kiosk",
		func(p Payment, e Event) bool {
			return e.Kind == TillReturn && (unpaidLive(p) || p.Stage == Paid) && !known(p, e) && whole(p, e) ||
				e.Kind == restoredNext && p.Stage == Restored && !full(p.Bill) ||
				p.Stage == Submitted && createRefused(p, e) && e.Answer.Code == payment.NoKeyReused
		},
		func(s *step) {
			switch {
			case s.e.Kind == restoredNext: // E33a: the goods cannot have left
				s.close(ByReturn, "", "restored")
			case s.e.Kind == Answered: // there is a bill of another body under this id: nobody may pay it
				s.Review, s.Trouble = true, payment.NoKeyReused
				s.close(ByReturn, "", payment.NoKeyReused)
			case s.e.Return == nil:
				s.close(ByReturn, "", "canceled")
			default:
				s.close(ByReturn, s.e.Return.Reference, s.e.Return.Reason)
			}
		}),
	line("E10a", "closing by a return; money comes: noted, never paid",
		func(p Payment, e Event) bool {
			return p.Returning() && on(e, payment.EvPaid, payment.EvLate, payment.EvPart, payment.EvPaidAfter)
		},
		func(s *step) {
			s.books()
			s.tell(EvMoneyLate)
			s.sound("low")
		}),
	line("E10b", "closing by a return, overridden; the fence is committed: other money is safe",
		fenced,
		func(s *step) { s.fenced() }),
	line("E11", "submitted to accepting; bill.closed: ended",
		closed,
		func(s *step) { s.closed() }),
	line("E7", "submitted to charging, closing by expiry; bill.late: on offer, not paid",
		func(p Payment, e Event) bool {
			return (at(p, Submitted, Open, WaitingCode, Charging) || expiring(p)) && on(e, payment.EvLate) && !e.Stale
		},
		func(s *step) {
			s.books()
			s.drop(VerbCharge, VerbChargeVoid)
			s.Stage, s.Closing = LateOffered, ""
			s.leaveGlass()
			s.stamp("late")
			s.arm(Lease, ms(s.LeaseMS))
			s.tell(EvLate)
		}),
	line("E8", "late money on offer; till accepts",
		func(p Payment, e Event) bool { return p.Stage == LateOffered && e.Kind == TillAccept },
		func(s *step) {
			s.Stage = Accepting
			s.put(Call{Verb: VerbAccept})
			s.tell(EvAccepting)
		}),
	line("E8a", "accepting; the integrator's answer alone decides",
		func(p Payment, e Event) bool { return p.Stage == Accepting && answer(e, VerbAccept) },
		func(s *step) {
			if s.e.Answer.Outcome == payment.OutAccepted {
				s.paid()
				return
			}
			s.Stage, s.Closing = Closing, ByExpiry
			s.tell(EvClosing)
		}),
	line("E8b", "late money on offer; its countdown is over: nothing is sent",
		func(p Payment, e Event) bool { return p.Stage == LateOffered && ran(e, Lease) },
		func(s *step) {
			s.Stage, s.Closing = Closing, ByExpiry
			s.tell(EvClosing)
		}),
	line("E8c", "late money on offer, accepting; bill.paid_after_close: the lease is over",
		func(p Payment, e Event) bool {
			return at(p, LateOffered, Accepting) && on(e, payment.EvPaidAfter)
		},
		func(s *step) {
			s.books()
			if s.Stage == LateOffered {
				s.Stage, s.Closing = Closing, ByExpiry
			}
			s.tell(EvClosing)
		}),
}
