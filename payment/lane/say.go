package lane

import (
	"slices"
	"strconv"
	"time"

	"tilld/payment"
)

// SayCode is the cashier's sentence for a payment, as a code that internal/words has. It never says more than the lights.
func SayCode(p Payment, c ViewContext) string {
	lights := LightsOf(p, c.Sale)
	if safe(p) && !lights.OtherTender { // of a sale that another payment may still be paid for
		switch q := holder(p, c.Sale); {
		case q != nil && at(*q, Released, Done):
			return "confirmed" // the sale is
		case q != nil && !q.Returning():
			return "busy"
		}
		return "closing/cancel"
	}
	switch p.Stage {
	case Submitted:
		switch {
		case p.Sent && c.Doubt:
			return doubtCode(c)
		case unsent(p) && !p.Waiting && !c.Link:
			return "unsent"
		}
		return "submitted"
	case Open:
		return openCode(p)
	case WaitingCode:
		switch {
		case part(p):
			return "part_paid"
		case p.Declined != nil:
			return "declined"
		}
		return "waiting_code"
	case Charging:
		if c.Doubt {
			return doubtCode(c)
		}
		return "charging"
	case Closing, LateOffered, Accepting:
		return closingCode(p, c, lights)
	case Restored:
		return doubtCode(c)
	case Paid, Released, Done:
		return paidCode(p)
	case Ended:
		return endCode(p)
	case Overridden, OverriddenEnded:
		if p.bill().Paid > 0 {
			return "late_money"
		}
		return "overridden"
	}
	return ""
}

func doubtCode(c ViewContext) string {
	if c.DoubtWhy == "link" {
		return "in_doubt/no_link"
	}
	return "in_doubt"
}

func openCode(p Payment) string {
	switch {
	case p.Paying:
		return "paying"
	case p.NoDisplay || p.NoCode:
		return "open/no_display"
	case !p.Shown:
		return "submitted"
	case part(p):
		return "part_paid"
	case p.Declined != nil:
		return "attempt_declined"
	case onPaper(p):
		return "open/paper"
	}
	return "open"
}

// onPaper: the receipt's paper is the one place where the code is.
func onPaper(p Payment) bool { return len(p.ShownOn) > 0 && !hasGlass(p.ShownOn) }

func hasGlass(outputs []string) bool {
	return slices.ContainsFunc(outputs, func(o string) bool { return o != "receipt" })
}

func closingCode(p Payment, c ViewContext, lights Lights) string {
	switch {
	case lights.OtherTender:
		return "closing/fenced"
	case c.Doubt:
		return doubtCode(c)
	case p.Stage == LateOffered:
		return "closing/late"
	case p.bill().Paying:
		return "closing/in_progress"
	case p.Returning():
		return "closing/cancel"
	}
	return "closing/expire"
}

func paidCode(p Payment) string {
	if code := returnCode(p); code != "" && p.Stage != Paid {
		return code
	}
	switch {
	case p.NoReceipt:
		return "no_receipt"
	case p.Stage != Paid:
		return "confirmed"
	case p.Parked:
		return "settled/paid"
	case p.bill().Over > 0:
		return "paid/over"
	case p.Unfinished:
		return "paid/unfinished"
	}
	return "paid"
}

// returnCode is of the return that needs a person most, "" without returns.
func returnCode(p Payment) string {
	code, worst := "", -1
	for _, r := range p.Returns {
		rank, c := 1, "returning"
		switch r.State {
		case "done":
			rank, c = 0, "returned"
		case "later":
			rank, c = 2, "return/later"
		case "short":
			rank, c = 3, "return/short"
		case "refused", "person":
			rank, c = 4, "return/refused"
		}
		if rank > worst {
			code, worst = c, rank
		}
	}
	return code
}

func endCode(p Payment) string {
	b := p.bill()
	switch {
	case p.End == EndRefused:
		return "refused"
	case p.End == EndReturned && b.Owed == 0 && b.Returned > 0:
		return "returned"
	case p.End == EndReturned:
		return "returned/owed"
	case b.Paid > 0 && b.Kept == 0:
		return "late_money"
	case p.Parked:
		return "settled/unpaid"
	case p.End == EndExpired:
		return "expired"
	}
	return "canceled"
}

// holder is the payment of the sale that may still be paid, or was.
func holder(p Payment, sale []Payment) *Payment {
	for i := range sale {
		if sale[i].ID != p.ID && !safe(sale[i]) {
			return &sale[i]
		}
	}
	return nil
}

// Screen is the customer's screen for a payment, by the names of internal/words. The stage decides whether this payment has
// the glass at all; code_ending, scan_wrong, preparing_slow and the like are its own.
func Screen(p Payment, c ViewContext) string {
	doubt := "doubt"
	if !c.Attended {
		doubt = "doubt_kiosk"
	}
	if p.Parked {
		return "idle"
	}
	switch p.Stage {
	case Submitted:
		switch {
		case p.Sent && c.Doubt:
			return doubt
		case p.Replaces != "":
			return "preparing_changed"
		}
		return "preparing"
	case Open:
		return openScreen(p)
	case WaitingCode:
		switch {
		case p.Declined != nil:
			return "declined"
		case part(p):
			return "part_paid"
		}
		return "scan"
	case Charging:
		if c.Doubt {
			return doubt
		}
		return "charging"
	case Closing, LateOffered, Accepting:
		if c.Doubt {
			return doubt
		}
		return "closing"
	case Restored:
		return doubt
	case Paid, Released, Done:
		return paidScreen(p)
	case Ended:
		return endScreen(p)
	case OverriddenEnded:
		if p.bill().Paid == 0 {
			return "canceled"
		}
		return "late"
	}
	return "idle"
}

func openScreen(p Payment) string {
	switch {
	case p.Paying:
		return "paying"
	case p.NoCode: // the code is gone for good, and somebody may just have paid it
		return "closing"
	case p.Declined != nil:
		return "declined"
	case part(p):
		return "part_paid"
	case onPaper(p):
		return "paper"
	}
	return "code"
}

func paidScreen(p Payment) string {
	if p.Stage != Paid {
		switch returnCode(p) {
		case "":
		case "returned":
			return "returned"
		default:
			return "returning"
		}
		if p.Final < p.Amount.Value {
			return "paid_less"
		}
	}
	if p.bill().Over > 0 {
		return "paid_over"
	}
	return "paid"
}

func endScreen(p Payment) string {
	b := p.bill()
	switch {
	case p.End == EndRefused:
		return "unavailable"
	case p.End == EndReturned && b.Owed == 0:
		return "returned"
	case p.End == EndReturned:
		return "returning"
	case b.Kept > 0: // a deposit is the shop's to explain
		return "idle"
	case b.Paid > 0:
		return "late"
	case p.End == EndExpired:
		return "expired"
	}
	return "canceled"
}

// Blanks fill the sentences of a payment: s sum, p paid, r rest, x what comes back, n seconds, num number, and why as a
// code. The hour of {t} is the caller's, who knows the shop's zone; so is the currency's sign.
func Blanks(p Payment, c ViewContext) map[string]string {
	b := p.bill()
	rest, err := p.Amount.Sub(p.Amount.Of(b.Paid))
	if err != nil || rest.Value < 0 {
		rest = p.Amount.Of(0)
	}
	m := map[string]string{
		"s": p.Amount.Text(), "p": p.Amount.Of(b.Paid).Text(), "r": rest.Text(), "x": p.Amount.Of(b.Over).Text(),
		"n": strconv.FormatInt(int64(max(c.LateLeft, 0)/time.Second), 10), "num": p.Number, "why": p.trouble(),
		"payee": p.Payee, "amt": p.Amount.Text(), "paid": p.Amount.Of(b.Paid).Text(), "total": p.Amount.Text(), "left": rest.Text(),
	}
	switch {
	case p.Stage == Ended || p.Stage == Overridden || p.Stage == OverriddenEnded:
		m["s"] = p.Amount.Of(b.Paid).Text()
		m["amt"] = m["s"]
	case p.Stage == Released || p.Stage == Done:
		if n := len(p.Returns); n > 0 {
			m["s"] = p.Amount.Of(p.Returns[n-1].Amount).Text()
			m["amt"] = m["s"]
		} else if p.Final < b.Paid {
			m["total"], m["left"] = p.Amount.Of(p.Final).Text(), p.Amount.Of(b.Paid-p.Final).Text()
		}
	}
	if b.Over > 0 && (p.Stage == Paid || p.Stage == Released && len(p.Returns) == 0) {
		m["amt"] = m["x"]
	}
	if d := p.Declined; d != nil {
		m["why"] = d.Why
	}
	if q := holder(p, c.Sale); safe(p) && q != nil {
		m["num"] = q.Number
	}
	if b.Late == payment.LateOffered {
		m["s"] = p.Amount.Of(b.Paid).Text()
	}
	return m
}
