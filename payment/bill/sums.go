package bill

import (
	"tilld/payment"
)

// The sums of a bill, in minor units. Σ credits = kept + held + reserved, always.

func paid(s *State) (n int64) {
	for i := range s.Credits {
		n += s.Credits[i].Amount
	}
	return n
}

// reserved counts every obligation that is not void, those already given back included.
func reserved(s *State) (n int64) {
	for i := range s.Obligations {
		if s.Obligations[i].State != Void {
			n += s.Obligations[i].Amount
		}
	}
	return n
}

func owed(s *State) (n int64) {
	for i := range s.Obligations {
		switch s.Obligations[i].State {
		case Owed, Sent, Human:
			n += s.Obligations[i].Amount
		}
	}
	return n
}

func returned(s *State) (n int64) {
	for i := range s.Obligations {
		if s.Obligations[i].State == Paid {
			n += s.Obligations[i].Amount
		}
	}
	return n
}

func held(s *State) int64 { return paid(s) - reserved(s) - s.Kept }

func applied(s *State) (n int64) {
	for i := range s.Applied {
		if !s.Applied[i].Undone {
			n += s.Applied[i].Amount
		}
	}
	return n
}

// free is what of a credit is not reserved yet.
func free(s *State, c *Credit) int64 {
	n := c.Amount
	for i := range s.Obligations {
		o := &s.Obligations[i]
		if o.State != Void && o.Txn == c.Txn && o.Provider == c.Provider {
			n -= o.Amount
		}
	}
	return n
}

// Sums are a bill's five sums, for the audit. Credits = Kept + Owed + Returned + Held.
type Sums struct{ Credits, Kept, Owed, Returned, Held int64 }

// Count adds up s.
func Count(s State) Sums {
	return Sums{Credits: paid(&s), Kept: s.Kept, Owed: owed(&s), Returned: returned(&s), Held: held(&s)}
}

// Broken says in a code what is wrong with the sums of s, "" where nothing is: the check of every Step, and of the audit.
func Broken(s State) string { return broken(&s) }

func broken(s *State) string {
	seen := int64(0)
	for i := range s.Credits {
		c := &s.Credits[i]
		if c.Amount <= 0 || c.Amount > payment.MaxValue {
			return "credit_amount"
		}
		if seen += c.Amount; seen < 0 {
			return "overflow"
		}
		if free(s, c) < 0 {
			return "credit_overdrawn"
		}
	}
	for i := range s.Obligations {
		if s.Obligations[i].Amount <= 0 {
			return "obligation_amount"
		}
	}
	switch h := held(s); {
	case s.Kept < 0:
		return "kept_negative"
	case h < 0:
		return "held_negative"
	case h != 0 && s.Life == payment.Closed:
		return "held_in_closed"
	}
	return ""
}
