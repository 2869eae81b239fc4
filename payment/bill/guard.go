package bill

import (
	"time"

	"tilld/payment"
)

// The words of the table's guards.

func open(s *State) bool     { return s.Life == payment.Open }
func unfull(s *State) bool   { return s.Life == payment.Open && !s.Full }
func full(s *State) bool     { return s.Life == payment.Open && s.Full }
func created(s *State) bool  { return s.ID != "" && s.Life == payment.Created }
func closing(s *State) bool  { return s.Life == payment.Closing }
func closed(s *State) bool   { return s.Life == payment.Closed }
func done(s *State) bool     { return closed(s) && s.Reason == payment.Done && !static(s) }
func offered(s *State) bool  { return s.Late == payment.LateOffered }
func expiring(s *State) bool { return closing(s) && s.Reason == payment.Expire }
func static(s *State) bool   { return s.Kind == Fixed || s.Kind == Ranged }
func scan(s *State) bool     { return s.Request.Mode == payment.Scan }

// doneByBox: the box itself has said that the goods left (or there are no goods to leave: a static bill's child).
func doneByBox(s *State) bool { return done(s) && !s.ByDeadline && !s.Deposit }

// doneByOthers: kept by a clock or a person; the box can still say what became of the goods.
func doneByOthers(s *State) bool { return done(s) && s.ByDeadline && !s.Deposit }

// canWin: money that comes now still buys the goods.
func canWin(s *State) bool {
	return expiring(s) && !s.Fence && !(s.Killed && s.Refunds)
}

func onTime(s *State, e *Event) bool {
	return s.ExpiresAt.IsZero() || e.Credit.PaidAt.Before(s.ExpiresAt.Add(e.traits().Tolerance))
}

// reaches: with this credit, the bill is full.
func reaches(s *State, e *Event) bool { return held(s)+e.Credit.Amount >= s.Need }

func known(s *State, c *Credit) bool {
	for i := range s.Credits {
		if s.Credits[i].Txn == c.Txn && s.Credits[i].Provider == c.Provider {
			return true
		}
	}
	for i := range s.Children {
		if s.Children[i].Txn == c.Txn && s.Children[i].Provider == c.Provider {
			return true
		}
	}
	return false
}

// running is the attempt that can take money now, or nil.
// confirming says that the bank has said that somebody confirms right now: an open code, a charge, or while closing.
func confirming(s *State) bool {
	a := running(s)
	return s.Paying || s.Busy || a != nil && a.Busy
}

func running(s *State) *Attempt {
	for i := range s.Attempts {
		if s.Attempts[i].Running {
			return &s.Attempts[i]
		}
	}
	return nil
}

func attempt(s *State, n int) *Attempt {
	for i := range s.Attempts {
		if s.Attempts[i].N == n {
			return &s.Attempts[i]
		}
	}
	return nil
}

// order is the order of attempt n, or the bill's own for 0; nil where there is none.
func order(s *State, n int) *Order {
	if n > 0 {
		if a := attempt(s, n); a != nil {
			return &a.Order
		}
		return nil
	}
	if s.Order.ID == "" {
		return nil
	}
	return &s.Order
}

// live is the number of the order that may take money now.
func live(s *State) (n int, ok bool) {
	if scan(s) {
		if a := running(s); a != nil {
			return a.N, true
		}
		return 0, false
	}
	return 0, s.Order.ID != "" && !s.Order.Over
}

// Refunding means that the provider may be giving money back by itself, so nothing is closed and nothing sent.
func (s *State) Refunding() bool {
	for i := range s.Obligations {
		if o := &s.Obligations[i]; o.ByProvider && o.State == Owed {
			return true
		}
	}
	return false
}

// sending: some return is with the bank and has no definite answer.
func sending(s *State) bool {
	for i := range s.Obligations {
		if s.Obligations[i].State == Sent {
			return true
		}
	}
	return false
}

// unsent: something is owed out of this payment that no bank was asked for yet.
func unsent(s *State, txn string) bool {
	for i := range s.Obligations {
		if unasked(&s.Obligations[i], txn) {
			return true
		}
	}
	return false
}

func runs(s *State, n int) bool {
	a := attempt(s, n)
	return a != nil && a.Running
}

func debt(s *State, id string) *Obligation {
	for i := range s.Obligations {
		if s.Obligations[i].ID == id {
			return &s.Obligations[i]
		}
	}
	return nil
}

func returnOf(s *State, key string) *Return {
	for i := range s.Returns {
		if s.Returns[i].Key == key {
			return &s.Returns[i]
		}
	}
	return nil
}

func application(s *State, key string) *Application {
	for i := range s.Applied {
		if s.Applied[i].Key == key {
			return &s.Applied[i]
		}
	}
	return nil
}

func due(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
