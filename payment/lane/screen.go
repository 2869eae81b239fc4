package lane

import (
	"slices"
	"strconv"
	"time"

	"tilld/payment"
)

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
		coming := p
		coming.Returns = slices.DeleteFunc(slices.Clone(p.Returns), ReturnIntent.Void) // the cashier's matter: nothing of these comes back
		switch returnCode(coming) {
		case "":
		case "returned":
			return "returned"
		default:
			return "returning"
		}
		switch {
		case p.NoGoods:
			return "idle"
		case p.Final < p.Amount.Value:
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

// Blanks fill the sentences of a payment: s sum, p paid, r rest, x what comes back, n seconds, num number, max the
// most that the bank takes, and why as a code. The hour of {t} is the caller's, who knows the shop's zone; so is the currency's sign.
func Blanks(p Payment, c ViewContext) map[string]string {
	b := p.bill()
	rest, err := p.Amount.Sub(p.Amount.Of(b.Paid))
	if err != nil || rest.Value < 0 {
		rest = p.Amount.Of(0)
	}
	m := map[string]string{
		"s": p.Amount.Text(), "p": p.Amount.Of(b.Paid).Text(), "r": rest.Text(), "x": p.Amount.Of(b.Over).Text(),
		"n": strconv.FormatInt(int64(max(c.LateLeft, 0)/time.Second), 10), "num": p.Number, "why": whyCode(p),
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
	if b.Most > 0 {
		m["max"] = p.Amount.Of(b.Most).Text()
	}
	if b.Over > 0 && (p.Stage == Paid || p.Stage == Released && len(p.Returns) == 0) {
		m["amt"] = m["x"]
	}
	if q := holder(p, c.Sale); safe(p) && q != nil {
		m["num"] = q.Number
	}
	if b.Late == payment.LateOffered {
		m["s"] = p.Amount.Of(b.Paid).Text()
	}
	return m
}
