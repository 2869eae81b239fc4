package lane

import "tilld/payment"

// State is the public state: a pure function of stage, marks, end, Σ returned and doubt; the first match counts.
func State(p Payment, doubt bool) string {
	either := func(calm, doubted string) string {
		if doubt {
			return doubted
		}
		return calm
	}
	switch p.Stage {
	case Submitted:
		if !p.Sent {
			return "submitted"
		}
		return either("submitted", "in_doubt")
	case Open, WaitingCode:
		switch {
		case p.Paying:
			return "paying"
		case p.Stage == Open && !p.Shown:
			return "submitted"
		case part(p):
			return "part_paid"
		}
		return "open"
	case Charging:
		return either("charging", "in_doubt")
	case Closing, LateOffered, Accepting:
		return either("closing", "in_doubt")
	case Restored:
		return "in_doubt"
	case Paid:
		return "paid"
	case Released, Done:
		switch n := p.given(); {
		case n == 0 && p.NoGoods && p.Final == 0 && p.Trouble == "returned_meanwhile":
			return "returned"
		case n == 0:
			return "confirmed"
		case n < p.Final:
			return "part_returned"
		}
		return "returned"
	case Ended:
		if p.End == Withdrawn {
			return "canceled"
		}
		return string(p.End)
	case Overridden, OverriddenEnded:
		return "overridden"
	}
	return ""
}

func part(p Payment) bool { return p.Bill != nil && p.Bill.Fill == payment.Part }
