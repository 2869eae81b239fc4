package lane

import (
	"slices"
	"strings"

	"tilld/payment"
)

// Rows is the box's table. The first match wins, so a row that narrows another stands above it. Nothing changes this table.
var Rows = Table(slices.Concat(restoreRows, lostRows, bookRows, saleRows, askRows, openRows, closeRows, fenceRows, scanRows, paidRows, doubtRows, restRows))

// bookRows: what is old, and what a snapshot stands for.
var bookRows = []row{
	line("E30", "any; event or snapshot with a version that is known",
		func(p Payment, e Event) bool {
			return p.Stage != "" && news(e) && e.Bill != nil && e.Bill.Version <= p.BillVersion() && !untold(p, e)
		},
		func(*step) {}),
	line("E31", "any; snapshot with a newer version, or the bill is not known",
		func(p Payment, e Event) bool { return p.Stage != "" && e.Kind == Snapshot },
		func(s *step) {
			if s.e.Bill == nil {
				s.unknown()
				return
			}
			if k := pseudo(s.Payment, s.e.Bill); k != "" {
				s.then(Event{Kind: k, Bill: s.e.Bill, mapped: true})
				return
			}
			s.books()
		}),
}

// untold: a snapshot of a bill that is over, whose version an event has told already, and not its end: bill.closed is among the
// events that the snapshot stands for, and a later one came before it.
func untold(p Payment, e Event) bool {
	return (e.Kind == Snapshot || e.mapped) && e.Bill.Version == p.BillVersion() && goneBack(e.Bill) && p.Live()
}

// unknown: the integrator has no such bill. A create that waits will make it; without one there is nothing to pay, but
// what the till was told is paid or gone stays so, for a person to look at. Of an end without any money there is nothing to
// look at: a box that is given to another integrator would ask its people about each sale of months that was taken back.
func (s *step) unknown() {
	switch {
	case s.Pending(VerbCreate) != nil || unsent(s.Payment):
	case s.Stage == Ended && s.bill().Paid == 0:
	case s.Stage == Overridden:
		s.Review, s.Trouble = true, payment.NoUnknownBill
		s.noBill()
		s.overriddenEnd()
	case at(s.Payment, Paid, Released, Done, Ended, OverriddenEnded):
		s.Review, s.Trouble = true, payment.NoUnknownBill
		s.tell(EvReview)
	default: // no code was out
		s.Review, s.Trouble = true, payment.NoUnknownBill
		s.noBill()
		s.end(Withdrawn)
	}
}

// pseudo is the one event that a snapshot stands for.
func pseudo(p Payment, b *payment.Bill) Kind {
	switch b.Life {
	case payment.Open:
		switch {
		case b.Fill == payment.Full:
			return payment.EvPaid
		case b.Paying && !b.Charging:
			return payment.EvPaying
		case p.Stage == Charging && !b.Charging && b.Attempt >= p.Attempt && p.Pending(VerbCharge) == nil && p.Pending(VerbChargeVoid) == nil:
			return payment.EvDeclined // the attempt is over, and its end is among the events that this snapshot replaces
		}
		return payment.EvOpen
	case payment.Closing:
		if b.Late == payment.LateOffered {
			return payment.EvLate
		}
		return payment.EvClosing
	case payment.Closed:
		switch {
		case b.Reason == payment.Done && b.Fill != payment.Full && winnable(p):
			return payment.EvDone
		case b.Reason == payment.Done:
			return payment.EvPaid
		}
		return payment.EvClosed
	}
	return ""
}

// restRows stand last: events that never move a stage, and events that have no row.
var restRows = []row{
	line("E3b", "any other stage; bill.open, bill.paying where it has no row",
		func(p Payment, e Event) bool {
			return p.Stage != "" && (on(e, payment.EvOpen) || on(e, payment.EvPaying) && (p.Returning() || p.Parked || at(p, Ended, Overridden, OverriddenEnded)))
		},
		func(s *step) { s.books() }),
	line("E16a", "any stage without its own row; amounts, flags, doubt",
		func(p Payment, e Event) bool {
			return p.Stage != "" && news(e) && e.Bill != nil && (e.mapped || e.Stale || bookOnly(p, e.Kind))
		},
		func(s *step) {
			s.books()
			// The integrator's own flag comes and goes with its bill. What it wants looked at without one stays until somebody
			// here has looked.
			ends := on(s.e, payment.EvReview) && !s.e.Bill.Review && s.e.Bill.Why == payment.WhyReviewed
			s.Review = s.Review || on(s.e, payment.EvReview) && !s.e.Bill.Review && !ends
			if s.Review || on(s.e, payment.EvReview) {
				s.Looked = "" // what was looked at is not what came now
			}
			switch {
			case s.e.mapped || s.e.Stale:
			case ends && !s.UnderReview():
				s.tell(EvReviewed)
			default:
				s.tell("payment." + string(s.e.Kind[len("bill."):]))
				if on(s.e, payment.EvOver) && paidScreen(s.Payment) == "paid_over" {
					s.sound("low")
				}
			}
		}),
	line("E32", "any; event with no row here, or for an unknown payment",
		func(_ Payment, e Event) bool {
			return e.Bill != nil && (news(e) || strings.HasPrefix(string(e.Kind), "bill.")) // of a newer integrator, too
		},
		func(s *step) {
			if s.Stage == "" {
				return // the engine keeps it: there is no payment to mark
			}
			s.books()
			s.Review, s.Trouble = true, "no_row"
			s.tell(EvReview)
		}),
}

// bookOnly lists the events of E16a. Among them are a decline of show mode (the code goes on), an advance that was used, and
// the integrator's questions in stages that have answered them already.
func bookOnly(p Payment, k Kind) bool {
	switch k {
	case payment.EvPaid:
		return at(p, Paid, Released, Done)
	case payment.EvOver, payment.EvPart, payment.EvDoubt, payment.EvClosing, payment.EvPaidAfter, payment.EvReturned, payment.EvReturning,
		payment.EvDone, payment.EvReview, payment.EvCharging, payment.EvPaying,
		payment.EvDeclined, payment.EvApplied, payment.EvConfirmWanted, payment.EvReturnWanted:
		return true
	}
	return false
}
