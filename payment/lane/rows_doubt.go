package lane

import (
	"slices"

	"tilld/payment"
)

// doubtRows: nobody knows, and somebody waits.
var doubtRows = []row{
	line("E12", "any live; doubt begins, ends",
		func(p Payment, e Event) bool {
			return on(e, DoubtBegins, DoubtEnds) && p.Live() && !at(p, Released, Overridden)
		},
		func(s *step) {
			if s.e.Kind == DoubtEnds {
				s.tell(EvDoubtOver)
				return
			}
			s.tell(EvDoubt)
			if State(s.Payment, true) == "in_doubt" {
				s.sound("doubt")
			}
		}),
	line("E12p", "closing, or in doubt; till parks, or 5 s are over: the lane is free",
		func(p Payment, e Event) bool {
			byItself := ran(e, AutoPark) && !cashierWaits(p, e.Attended)
			return !p.Parked && (e.Kind == TillPark || byItself) && canPark(p, e.Doubt)
		},
		func(s *step) {
			if s.Stage == Submitted { // the code was never shown: nobody may pay what nobody will be told of
				s.close(ByReturn, "", "parked")
			}
			s.Parked = true
			s.do(Wipe)
			s.stamp("parked")
			s.tell(EvParked)
		}),
	line("E13", "any live stage but paid; supervisor takes other money; in doubt",
		func(p Payment, e Event) bool { return e.Kind == TillOverride && e.Doubt && overridable(p) },
		func(s *step) { s.override() }),
	line("E17", "overridden; bill.closed",
		func(p Payment, e Event) bool { return p.Stage == Overridden && on(e, payment.EvClosed) },
		func(s *step) {
			s.books()
			s.overriddenEnd()
		}),
	line("E17a", "overridden, ended; money comes: it is being returned",
		func(p Payment, e Event) bool {
			return at(p, Overridden, OverriddenEnded, Ended) && on(e, payment.EvPaid, payment.EvLate, payment.EvPaidAfter)
		},
		func(s *step) {
			s.books()
			s.tell(EvMoneyLate)
			s.sound("low")
		}),
}

func (s *step) overriddenEnd() {
	s.Stage = OverriddenEnded
	s.stamp("ended")
	s.tell(EvEnded)
}

// override is E13: a person with a name took other money, so this record is the fence.
func (s *step) override() {
	o := s.e.Override
	s.Override = &Override{Tender: o.Tender, Who: o.Who, Why: o.Why, At: s.e.At}
	s.fence("", "override")
	s.Stage, s.Closing = Overridden, ""
	s.leaveGlass()
	s.stamp("overridden")
	s.tell(EvOverridden)
}

// restoreRows: the journal is a copy, so only what never turns back can be believed.
var restoreRows = []row{
	line("E33", "any; the journal is a copy: what can turn back goes to restored",
		func(p Payment, e Event) bool {
			return e.Kind == FoundCopy && p.Live() && !p.Returning() && !at(p, Released, Overridden, Restored)
		},
		func(s *step) {
			s.Stage, s.Closing, s.Waiting, s.Asked, s.Told = Restored, "", false, false, false
			s.Sent = true // a copy cannot know that nothing has left since
			s.Review, s.Trouble = true, "restored"
			s.stamp("restored")
			s.leaveGlass()
			s.tell(EvReview)
			s.then(Event{Kind: FoundCopy})
		}),
	line("E33b", "restored; at once: calls that may have worked already are dropped, the snapshot will tell",
		func(p Payment, e Event) bool { return p.Stage == Restored && e.Kind == FoundCopy },
		func(s *step) { s.drop(VerbCreate, VerbAccept, VerbCharge, VerbChargeVoid, VerbExtend) }),
	line("E33a", "restored; snapshot, and later events by the same map",
		func(p Payment, e Event) bool {
			return p.Stage == Restored && news(e) && (e.Bill == nil || e.Bill.Version > p.BillVersion() || !p.Told && e.Bill.Version == p.BillVersion())
		},
		func(s *step) { s.restored() }),
	line("E33c", "restored, paid; a person with a name says where the goods are",
		func(p Payment, e Event) bool {
			if !undecided(p) || e.Who == "" {
				return false
			}
			return e.Kind == TillConfirm && final(p, e) > 0 && final(p, e) <= p.payable() || e.Kind == TillReturn && whole(p, e) && !known(p, e)
		},
		func(s *step) {
			s.Trouble = "decided by " + s.e.Who
			s.Review, s.Looked = false, s.e.Who
			if confirmedBefore(s.Bill) {
				s.confirmedBefore()
				return
			}
			if s.e.Kind == TillConfirm {
				s.release()
				return
			}
			reference, reason := "", ""
			if r := s.e.Return; r != nil {
				reference, reason = r.Reference, r.Reason
			}
			s.close(ByReturn, reference, reason)
		}),
}

// restored is E33a: the integrator's bill decides where it can, a person where goods may have left.
func (s *step) restored() {
	b := s.e.Bill
	switch {
	case b == nil && s.exposed():
		s.remake()
		return
	case b == nil:
		s.end(Withdrawn)
		return
	}
	s.books()
	s.Told = true
	done := b.Life == payment.Closed && b.Reason == payment.Done && s.e.Kind != payment.EvClosed
	switch {
	case full(b), done && undecided(s.Payment): // E33c
		s.tell(EvReview)
	case done:
		s.NoGoods = s.NoGoods || s.adopted()
		s.done()
		s.tell(EvReview)
	case b.Life == payment.Closed:
		s.end(endOf(b))
	default:
		s.then(Event{Kind: restoredNext})
	}
}

// done is Done by a confirm that this box has made before its journal was lost or put back.
func (s *step) done() {
	s.Stage, s.Final = Done, s.Bill.Kept
	for _, r := range s.Returns {
		if !r.Void() && slices.ContainsFunc(s.Bill.Returns, func(x payment.BillReturn) bool { return x.Key == r.ID }) {
			s.Final += r.Amount
		}
	}
}

// confirmedBefore is a person's word about a bill whose goods have left once: this sale is that one, or its goods are here
// and what was kept goes back. The integrator has the confirm already.
func (s *step) confirmedBefore() {
	s.done()
	c := s.e.Confirm
	switch {
	case s.e.Kind == TillReturn:
		s.NoGoods = true
		s.returnPart()
		return
	case c != nil && c.Final != nil && c.Final.Value != s.Final:
		s.refuse(NoAlreadyConfirmed)
		return
	case c != nil && c.Receipt != nil:
		s.Receipt = c.Receipt
	}
	s.stamp("confirmed")
	s.tell(EvConfirmed)
}

// Notes are the steps that have no number: none of them moves a stage.
var Notes = []row{
	line("receipt", "paid or later; the till's document",
		func(p Payment, e Event) bool {
			return at(p, Paid, Released, Done) && e.Kind == TillReceipt && e.Receipt != nil
		},
		func(s *step) {
			s.Receipt, s.NoReceipt = s.e.Receipt, false
			s.stamp("receipt")
			s.tell(EvReceipt)
		}),
	line("no_receipt", "paid or later; two minutes without a receipt",
		func(p Payment, e Event) bool {
			return at(p, Paid, Released, Done) && ran(e, ReceiptDue) && p.Receipt == nil && !p.NoReceipt
		},
		func(s *step) {
			s.NoReceipt = true
			s.tell(EvNoReceipt)
		}),
	line("reviewed", "under review, and no decision is wanted; a person with a name has looked",
		func(p Payment, e Event) bool {
			return e.Kind == TillReviewed && e.Who != "" && p.UnderReview() && p.Stage != Restored
		},
		func(s *step) {
			s.Review, s.Looked = false, s.e.Who+": "+s.e.Why
			s.stamp("reviewed")
			s.tell(EvReviewed)
		}),
	line("return_again", "any; a return whose reference is known: same amount, other amount",
		func(p Payment, e Event) bool { return e.Kind == TillReturn && known(p, e) },
		func(s *step) {
			r := &s.Returns[asked(s.Payment, s.e)]
			if s.e.Return.Amount != nil && !r.Whole && s.e.Return.Amount.Value != r.Amount {
				s.refuse(NoKeyReused)
				return
			}
			r.Reference = s.e.Return.Reference
		}),
	line("return_coming", "closing by a return; one more return of the whole: it is on its way",
		func(p Payment, e Event) bool { return e.Kind == TillReturn && p.Returning() },
		func(*step) {}),
	line("parked_again", "parked; park",
		func(p Payment, e Event) bool { return e.Kind == TillPark && p.Parked && p.Live() },
		func(*step) {}),
	line("glass_back", "open; an output is there again",
		func(p Payment, e Event) bool { return p.Stage == Open && p.NoDisplay && e.Kind == GlassBack },
		func(s *step) {
			s.NoDisplay, s.ShownOn = false, s.e.Shown
			s.tell(EvOpened)
		}),
}
