package bill

import (
	"time"

	"tilld/payment"
)

// Public statuses of a bill.
const (
	StUnknown      = "unknown"
	StCreated      = "created"
	StCharging     = "charging"
	StPaying       = "paying"
	StOpen         = "open"
	StPartPaid     = "part_paid"
	StPaid         = "paid"
	StClosing      = "closing"
	StRefused      = "refused"
	StConfirmed    = "confirmed"
	StPartReturned = "part_returned"
	StReturned     = "returned"
	StExpired      = "expired"
	StCanceled     = "canceled"
)

// publicStatus is the first that matches, doubt before all.
func publicStatus(s *State) string {
	switch {
	case s.Doubt:
		return StUnknown
	case s.Life == payment.Created:
		return StCreated
	case s.Life == payment.Open:
		switch {
		case s.Full:
			return StPaid
		case running(s) != nil:
			return StCharging
		case s.Paying:
			return StPaying
		case held(s) > 0:
			return StPartPaid
		}
		return StOpen
	case s.Life == payment.Closing:
		return StClosing
	}
	switch {
	case s.Reason == payment.Refused:
		return StRefused
	case s.Deposit, static(s), s.Reason == payment.Expire:
		return StExpired
	case s.Reason == payment.Returning:
		return StCanceled
	case s.Reason == payment.Returned:
		return StReturned
	case givenBack(s) > 0:
		return StPartReturned
	}
	return StConfirmed
}

// PublicStatus is the status of s that the outside sees: a pure function of its axes.
func PublicStatus(s State) string { return publicStatus(&s) }

// givenBack is what was kept once and is not any more: returns after the goods, and what the bank took.
func givenBack(s *State) (n int64) {
	for i := range s.Obligations {
		o := &s.Obligations[i]
		if o.State != Void && (o.Why == WhyReturn || o.Why == WhyChargeback) {
			n += o.Amount
		}
	}
	return n
}

func flags(s *State) (out []string) {
	if s.Late != payment.LateNo && s.Late != "" || s.LateMoney {
		out = append(out, "late")
	}
	if over(s) > 0 {
		out = append(out, "over")
	}
	if owed(s) > 0 {
		out = append(out, "owed")
	}
	if s.Review {
		out = append(out, "review")
	}
	return out
}

func over(s *State) (n int64) {
	for i := range s.Obligations {
		if o := &s.Obligations[i]; o.Why == WhyOver && o.State != Void {
			n += o.Amount
		}
	}
	return n
}

// Snapshot is the bill as it crosses the link, with the times left at now.
func Snapshot(s State, now time.Time) payment.Bill {
	q := &s.Request
	b := payment.Bill{
		Payment: s.ID, Lane: q.Lane, Reference: q.Reference, Number: q.Number, Version: s.Version,
		Mode: q.Mode, Purpose: q.Purpose, IfNotConfirmed: q.IfNotConfirmed, Amount: q.Amount, Provider: q.Provider, Payee: q.Payee,
		Life: s.Life, Reason: s.Reason, Fill: fillOf(&s), Fence: s.Fence, Late: s.Late, Paying: confirming(&s), ByDeadline: s.ByDeadline,
		Doubt: s.Doubt, Review: s.Review, Status: publicStatus(&s),
		Paid: paid(&s), Held: held(&s), Kept: s.Kept, Owed: owed(&s), Returned: returned(&s), Over: over(&s), Applied: applied(&s),
		Attempt: s.LastAttempt, Charging: running(&s) != nil, Declined: s.Declined,
		Why: s.Why, Most: s.Most, By: s.By, Who: s.Who, Returns: returns(&s), Flags: flags(&s), At: now,
	}
	if s.Deposit {
		b.Reason, b.Why = payment.Expire, "deposit" // to the box it is over without goods, like any other expiry
	}
	if unfull(&s) {
		b.Due = max(0, s.Need-held(&s))
		b.Payload = s.Payload
		b.RemainingMS = left(s.ExpiresAt, now)
		b.MaxOpenMS = left(s.MaxOpenAt, now)
	}
	b.ExitMS = left(s.ExitUntil, now)
	if offered(&s) {
		b.LeaseMS = left(s.LateUntil, now)
	}
	return b
}

func fillOf(s *State) payment.Fill {
	n := held(s)
	if closed(s) {
		n = s.Kept
	}
	switch {
	case s.Full || n > 0 && n >= s.Need:
		return payment.Full
	case n > 0:
		return payment.Part
	}
	return payment.None
}

func left(t, now time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(0, t.Sub(now).Milliseconds())
}

// returns are the bill's returns as the box sees them: what was asked by one key, and how far it is.
func returns(s *State) (out []payment.BillReturn) {
	for i := range s.Returns {
		r := &s.Returns[i]
		b := payment.BillReturn{Key: r.Key, Amount: r.Amount, How: "undecided", State: "done"}
		worst := -1
		for j := range s.Obligations {
			o := &s.Obligations[j]
			if o.Key != r.Key || o.State == Void {
				continue
			}
			if o.Method != "" {
				b.How = how(o.Method)
			}
			if rank, word := standing(o); rank > worst {
				worst, b.State = rank, word
			}
		}
		out = append(out, b)
	}
	return out
}

func how(method string) string {
	if method == "refund" {
		return "refund"
	}
	return "cancel"
}

// standing is how far an obligation is; of several of one return the worst is told.
func standing(o *Obligation) (rank int, word string) {
	switch {
	case o.State == Human && o.Bounces == 0:
		return 5, "refused"
	case o.State == Human:
		return 4, "person"
	case o.State == Paid:
		return 0, "done"
	case o.Short:
		return 3, "short"
	case o.ByProvider || o.Async:
		return 2, "later"
	}
	return 1, "pending"
}
