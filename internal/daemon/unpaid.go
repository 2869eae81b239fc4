package daemon

import (
	"fmt"

	"tilld/internal/health"
	"tilld/payment"
	"tilld/payment/lane"
)

// unpaidCode is the trouble of a lane at which nobody pays what it shows.
const unpaidCode = "unpaid"

// unpaidLeast is how many codes in a row have to end without money before somebody is told: of those that customers leave,
// every second at the worst of tills, ten in a row are one case in a thousand.
const unpaidLeast = 10

// unpaid counts, lane by lane, the codes that were shown and have ended without money, since one of that lane was paid. The
// box sees no difference between customers who leave and a code of somebody else's over the shop's own, whose owner is paid
// in its place; a row of them is for a person to look at. It is of one goroutine.
type unpaid struct {
	health *health.List
	rows   map[string]int
}

// take takes one event of a payment in.
func (u *unpaid) take(event string, p lane.Public) {
	if p.Mode != payment.Show {
		return
	}
	switch event {
	case lane.EvPaid, lane.EvPart, lane.EvLate, lane.EvMoneyLate, lane.EvPaidAfterClose: // it was this shop's code
		delete(u.rows, p.Lane)
		u.health.Clear(unpaidCode, p.Lane)
	case lane.EvEnded:
		if p.Paid.Value > 0 || p.Stamps["shown"].IsZero() || p.State != string(lane.EndExpired) && p.State != string(lane.EndCanceled) {
			return
		}
		u.rows[p.Lane]++
		if n := u.rows[p.Lane]; n >= unpaidLeast {
			u.health.Set(health.Trouble{
				Code: unpaidCode, Subject: p.Lane, Severity: health.Note,
				Sentence: fmt.Sprintf("None of the last %d codes that lane %s has shown was paid.", n, p.Lane),
				Remedy:   "Look at what the customer sees: no other code may stand over it or beside it, and a phone that reads it must name this shop and the amount. Ask customers whether their bank says that they have paid. The next payment on this lane ends this.",
			})
		}
	}
}
