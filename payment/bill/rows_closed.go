package bill

import (
	"slices"
	"time"

	"tilld/payment"
)

// closedRows watch a bill that is over. It never opens again.
func closedRows() []Row {
	return []Row{
		row("B22", "CLOSED; watch: ask on, and one last time when it ends. Call-backs and registry still add credits (B16a)",
			func(s *State, e *Event) bool {
				return closed(s) && (e.Cause == clockAsk || e.Cause == clockWatch && due(s.WatchUntil, e.Now))
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == clockWatch {
					s.LastLook = true // a bank that said nothing since the code's end has not said that nobody paid
					return append(watch(s), hand(Event{Cause: lastLook}))
				}
				return watch(s)
			}),
		row("B22a", "CLOSED; the watch has ended and every order was answered for since: stop asking",
			func(s *State, e *Event) bool { return closed(s) && e.Cause == lastLook && watched(s) },
			func(s *State, _ *Event) []Effect {
				s.WatchUntil, s.LastLook, s.Order.Last = time.Time{}, false, false
				for i := range s.Attempts {
					s.Attempts[i].Order.Last = false
				}
				return nil
			}),
		row("B38", "CLOSED(done); the provider reports a chargeback or own refund",
			func(s *State, e *Event) bool {
				return done(s) && (e.Cause == Clawed ||
					e.Cause == ownReturn && e.answer == "done" && s.Kept > 0 && fresh(s, e) > 0 && !unsent(s, e.Txn))
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == Clawed {
					return clawback(s, e)
				}
				own := *e
				own.Amount = fresh(s, e)
				return clawback(s, &own)
			}),
	}
}

// watched: nothing is left to ask after the watch.
func watched(s *State) bool {
	waits := func(a Attempt) bool { return !a.Order.Last }
	return s.LastLook && (s.Order.ID == "" || s.Order.Last) && !slices.ContainsFunc(s.Attempts, waits)
}

// watch asks about every order that the bill ever had.
func watch(s *State) (fx []Effect) {
	if s.Order.ID != "" {
		fx = append(fx, work(Look, 0))
	}
	for i := range s.Attempts {
		fx = append(fx, work(Look, s.Attempts[i].N))
	}
	return fx
}

// clawback books what the bank took: first out of what is owed and was not sent (so that it is not paid twice), then
// out of what is kept. What neither covers is a loss that a person must see.
func clawback(s *State, e *Event) []Effect {
	for i := range s.Clawbacks {
		if e.Key != "" && s.Clawbacks[i].ID == e.Key {
			return nil
		}
	}
	n := e.Amount
	if n <= 0 {
		n = s.Kept
	}
	s.Clawbacks = append(s.Clawbacks, Clawback{ID: e.Key, Txn: e.Txn, Amount: n, Booked: true})
	n = settle(s, e.Txn, n)
	take := min(n, s.Kept)
	s.Kept -= take
	taken(s, e.Txn, take)
	s.Shortfall += n - take
	if s.Kept == 0 {
		s.Reason = payment.Returned
	}
	if a := applied(s); a > s.Kept {
		s.Shortfall += a - s.Kept
	}
	s.Review, s.Why = true, "chargeback"
	return all(tell(payment.EvReview), notice("chargeback"))
}

// taken makes the obligations of a clawback, which are done as they are made: of its own credit first, then of others.
func taken(s *State, txn string, n int64) {
	for pass := range 2 {
		for i := len(s.Credits) - 1; i >= 0 && n > 0; i-- {
			c := &s.Credits[i]
			if pass == 0 && c.Txn != txn {
				continue
			}
			if d := min(free(s, c), n); d > 0 {
				o := owe(s, c, d, WhyChargeback, "")
				o.State, o.ByProvider, o.Next = Paid, true, time.Time{}
				if pass == 1 {
					o.For = txn
				}
				n -= d
			}
		}
	}
}
