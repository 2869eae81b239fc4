package lane

import "tilld/payment"

// winnable are the stages from which bill.paid still makes a payment paid.
func winnable(p Payment) bool {
	return at(p, Submitted, Open, WaitingCode, Charging, Accepting, LateOffered) || expiring(p)
}

// won is bill.paid, or that somebody else has closed the bill as done while this till was silent (B28): the snapshot of
// that would be bill.paid, too (E31).
func won(e Event) bool {
	return on(e, payment.EvPaid) || doneElsewhere(e) && e.Bill.Fill == payment.Full
}

// doneElsewhere: closed as done, by a person or a deadline.
func doneElsewhere(e Event) bool {
	return on(e, payment.EvDone) && e.Bill.Life == payment.Closed && e.Bill.Reason == payment.Done
}

// scanRows: the customer shows, we scan.
var scanRows = []row{
	line("C1", "waiting for a code; a wallet code younger than code_age (60 s)",
		func(p Payment, e Event) bool {
			return p.Stage == WaitingCode && !p.Parked && e.Kind == Scanned && !e.Old
		},
		func(s *step) { s.charge() }),
	line("C1a", "submitted, scan; a wallet code read too early is kept in memory until it can be charged",
		func(p Payment, e Event) bool {
			return p.Stage == Submitted && !p.Parked && p.Mode == payment.Scan && e.Kind == Scanned && !e.Old
		},
		func(*step) {}),
	line("C2", "charging; a second scan: refused",
		func(p Payment, e Event) bool { return p.Stage == Charging && !p.Parked && e.Kind == Scanned },
		func(s *step) { s.sound("no") }),
	line("C4p", "charging, parked; declined or void: it never waits for a code, it returns",
		func(p Payment, e Event) bool {
			return p.Stage == Charging && p.Parked && (declined(p, e) || voided(e))
		},
		func(s *step) {
			s.books()
			s.drop(VerbCharge, VerbChargeVoid)
			s.close(ByReturn, "", "parked")
		}),
	line("C4", "charging; bill.declined: the attempt is over, never free",
		func(p Payment, e Event) bool { return p.Stage == Charging && declined(p, e) },
		func(s *step) {
			s.books()
			s.drop(VerbCharge, VerbChargeVoid)
			s.Stage = WaitingCode
			s.do(Forget)
			s.stamp("declined")
			s.tell(EvDeclined)
			s.sound("no")
		}),
	line("C5", "charging; no answer, or still in progress: the integrator asks and gives up",
		func(p Payment, e Event) bool {
			return p.Stage == Charging && (e.Kind == DoubtBegins || on(e, payment.EvCharging))
		},
		func(s *step) {
			s.books()
			if s.e.Kind == DoubtBegins {
				s.tell(EvDoubt)
				s.sound("doubt")
				return
			}
			s.tell(EvCharging)
		}),
	line("C6", "charging, charge not answered; restart, or the code is 60 s old: void in its place, whose answer decides",
		func(p Payment, e Event) bool {
			return p.Stage == Charging && ((e.Kind == Boot || ran(e, CodeAge)) && p.Pending(VerbCharge) != nil || answer(e, VerbChargeVoid) || voided(e))
		},
		func(s *step) {
			switch {
			case s.e.Kind != Answered:
				s.voidCharge()
				s.do(Forget)
			case voided(s.e):
				s.wait()
			}
		}),
}

func (s *step) charge() {
	s.Attempt++
	s.CodeHash, s.Declined = s.e.Hash, nil
	s.Stage = Charging
	s.put(Call{Verb: VerbCharge, Attempt: s.Attempt})
	s.stamp("charged")
	s.tell(EvCharging)
}

// paidRows: the money is there; the goods leave, or it goes back.
var paidRows = []row{
	line("E6p", "parked; bill.paid: paid, told by event alone",
		func(p Payment, e Event) bool { return p.Parked && winnable(p) && won(e) },
		func(s *step) {
			s.books()
			s.paid()
		}),
	line("C3", "charging; bill.paid",
		func(p Payment, e Event) bool { return p.Stage == Charging && on(e, payment.EvPaid) },
		func(s *step) {
			s.books()
			s.paid()
		}),
	line("E6", "submitted to accepting, closing by expiry; bill.paid",
		func(p Payment, e Event) bool { return winnable(p) && won(e) },
		func(s *step) {
			s.books()
			s.paid()
		}),
	line("E14", "paid; till confirms 0 < final ≤ paid: only now goods leave",
		func(p Payment, e Event) bool { return p.Stage == Paid && e.Kind == TillConfirm },
		func(s *step) { s.release() }),
	line("E14b", "released, done; confirm again: same final, other final",
		func(p Payment, e Event) bool { return at(p, Released, Done) && e.Kind == TillConfirm },
		func(s *step) {
			c := s.e.Confirm
			switch {
			case s.NoGoods && s.Stamps["confirmed"].IsZero() && s.Final == 0: // not by this till, and nothing is kept
				s.refuse(NoReturned)
			case s.NoGoods && s.Stamps["confirmed"].IsZero(), c != nil && c.Final != nil && c.Final.Value != s.Final:
				s.refuse(NoAlreadyConfirmed)
			case c != nil && c.Receipt != nil && s.Receipt == nil:
				s.Receipt, s.NoReceipt = c.Receipt, false
				s.stamp("receipt")
				s.tell(EvReceipt)
			}
		}),
	line("E15", "released; the confirm is answered",
		func(p Payment, e Event) bool {
			return p.Stage == Released && answer(e, VerbConfirm) && e.Answer.Code == ""
		},
		func(s *step) { s.Stage = Done }),
	line("E15a", "released, paid; the bill was returned, or confirmed, by others: a person's case, and the goods light is dark where not all of its money is for this till's goods",
		func(p Payment, e Event) bool {
			return at(p, Released, Paid) && on(e, payment.EvClosed) ||
				winnable(p) && doneElsewhere(e) || // with a part of the money: not for this till to hand over
				p.Stage == Released && answer(e, VerbConfirm) && e.Answer.Code != "" ||
				p.Returning() && answer(e, VerbReturn) && e.Answer.Code == payment.NoAlreadyConfirmed
		},
		func(s *step) {
			s.books()
			switch {
			case s.e.Kind == payment.EvDone:
				s.drop(VerbCharge, VerbChargeVoid, VerbExtend, VerbAccept)
				s.leaveGlass()
				s.Final, s.Trouble, s.NoGoods = s.e.Bill.Kept, "done_elsewhere", true
			case s.e.Kind != Answered:
				s.Trouble, s.NoGoods = "returned_meanwhile", true
			case s.Returning(): // somebody else has said that the goods left: the money was kept, none of it goes back; and here they stay
				s.refuseFence()
				s.Trouble, s.NoGoods = s.e.Answer.Code, true
			default:
				s.Trouble = s.e.Answer.Code
				s.NoGoods = s.NoGoods || s.Trouble == payment.NoClosed // its money went back
			}
			s.Stage, s.Closing, s.Review = Done, "", true
			s.tell(EvReview)
		}),
	line("E16", "released, done; till returns up to what is left; and the integrator's answer",
		func(p Payment, e Event) bool {
			return at(p, Released, Done) && (e.Kind == TillReturn && !known(p, e) || answer(e, VerbReturn) && e.Answer.call.Key != p.Fence)
		},
		func(s *step) {
			if s.e.Kind == Answered {
				s.returnAnswered()
				return
			}
			s.returnPart()
		}),
	line("E18", "paid; the integrator or the box's own timer wants an end: finish this sale",
		func(p Payment, e Event) bool {
			return p.Stage == Paid && !e.Stale && (on(e, payment.EvDone, payment.EvConfirmWanted, payment.EvReturnWanted) || ran(e, Ask))
		},
		func(s *step) {
			s.books()
			s.Unfinished = true
			s.Asked = s.Asked || s.e.Kind == ClockRan
			s.tell(EvUnfinished)
		}),
	line("E18a", "paid, if_not_confirmed return; asked in vain: the box gives it back",
		func(p Payment, e Event) bool {
			return p.Stage == Paid && p.IfNotConfirmed == payment.Return && p.Asked && ran(e, GiveBack)
		},
		func(s *step) {
			s.OwnReturn = true
			s.close(ByReturn, "", "not_confirmed")
		}),
}

// refuseFence is a whole return that came after somebody else's confirm.
func (s *step) refuseFence() {
	for i := range s.Returns {
		if r := &s.Returns[i]; r.ID == s.Fence {
			r.State, r.Amount = "refused", 0
		}
	}
	if b := s.e.Answer.Bill; b != nil && b.Version >= s.BillVersion() {
		s.Bill = b
	}
	s.Final = s.bill().Kept
}

// release is the record after which the goods may leave.
func (s *step) release() {
	s.Final = final(s.Payment, s.e)
	s.Stage = Released
	if c := s.e.Confirm; c != nil && c.Receipt != nil {
		s.Receipt, s.NoReceipt = c.Receipt, false
	}
	s.put(Call{Verb: VerbConfirm, Final: s.Final})
	s.stamp("confirmed")
	s.tell(EvConfirmed)
}

func (s *step) returnPart() {
	n, reference, reason := s.left(), "", ""
	if r := s.e.Return; r != nil {
		reference, reason = r.Reference, r.Reason
		if r.Amount != nil {
			n = r.Amount.Value
		}
	}
	if n <= 0 || n > s.left() {
		s.refuse(NoExceedsKept)
		return
	}
	if len(s.Returns) >= payment.MaxReturns {
		s.refuse(NoTooManyReturns)
		return
	}
	key := ReturnKey(s.BillID, reference)
	s.Returns = append(s.Returns, ReturnIntent{
		ID: key, Reference: reference, Amount: n, How: "undecided", State: "pending", Reason: reason, At: s.e.At,
	})
	s.put(Call{Verb: VerbReturn, Key: key, Amount: n, Reason: reason})
	s.stamp("returning")
	s.tell(EvReturning)
}

// returnAnswered takes down that the integrator has the return, or will not have it.
func (s *step) returnAnswered() {
	for i := range s.Returns {
		if s.Returns[i].ID != s.e.Answer.call.Key {
			continue
		}
		if lostConfirm(s.Payment, s.e.Answer) {
			return // E15l says both again, once the money is there; E16l, where it is kept
		}
		if s.e.Answer.Code != "" {
			s.Returns[i].State, s.Returns[i].Why = "refused", s.e.Answer.Code
			s.tell(EvReturned)
			return
		}
		s.Returns[i].Taken = true
	}
}
