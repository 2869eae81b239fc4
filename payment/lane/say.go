package lane

import (
	"slices"

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
		case p.Declined != nil && p.Declined.Why == payment.WhyAmount:
			return "declined/amount"
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
	case p.NoGoods && p.UnderReview():
		return "in_doubt"
	case p.NoGoods:
		return "confirmed"
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
	case p.End == EndRefused && p.Trouble == payment.NoReferenceUsed:
		return "refused/reference"
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

// whyCode is the sentence for the blank {why}, as internal/words has it: why the bank gave no code, or refused a return.
// What was said to the customer of a decline is not repeated to the cashier.
func whyCode(p Payment) string {
	if i := slices.IndexFunc(p.Returns, func(r ReturnIntent) bool { return r.Void() && !r.Whole }); i >= 0 {
		switch p.Returns[i].Why { // the integrator's own no
		case "", payment.NoExceedsKept, payment.NoAdvanceApplied:
			return "nothing_left" // less is kept than was to go back
		}
		return "not_accepted"
	}
	switch why := p.trouble(); why {
	case "no_provider":
		return "bad_settings"
	case payment.WhyAmount:
		if p.bill().Most > 0 {
			return why
		}
		return "bank_refused" // the bank did not say what it takes
	case "refused", "return_refused", "return_bounced", "not_enough", "limit", "wrong_secret", "expired_code", "other":
		return "bank_refused"
	default:
		return why
	}
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
