package bill

import (
	"time"

	"tilld/payment"
)

// openRows are what happens to an open bill besides calls and money.
func openRows() []Row {
	says := func(e *Event, what Status) bool { return e.Cause == status && e.status == what }
	return []Row{
		row("B5p", "OPEN; poll timer: query",
			func(s *State, e *Event) bool { return e.Cause == clockAsk && (open(s) && !scan(s) || full(s)) },
			func(s *State, _ *Event) []Effect { return watch(s) }),
		row("B5w", "OPEN, not FULL; status being paid",
			func(s *State, e *Event) bool {
				return says(e, Paying) && unfull(s) && !scan(s) && !static(s) && !s.Paying
			},
			func(s *State, _ *Event) []Effect {
				s.Paying, s.Declined = true, nil
				return all(tell(payment.EvPaying))
			}),
		row("B5vx", "OPEN(paying); status unpaid, every payment booked, now ≥ expires_at: B10 at once",
			func(s *State, e *Event) bool { return unpaid(s, e) && due(s.ExpiresAt, e.Now) },
			func(s *State, _ *Event) []Effect {
				s.Paying = false
				return all(hand(Event{Cause: clockExpiry}))
			}),
		row("B5v", "OPEN(paying); status unpaid, every payment booked, now < expires_at",
			unpaid,
			func(s *State, e *Event) []Effect {
				s.Paying, s.Declined = false, e.decline
				return all(tell(payment.EvOpen))
			}),
		row("B5d", "OPEN, not FULL, no attempt; terminal status: the provider says dead by itself",
			func(s *State, e *Event) bool {
				return e.Cause == status && e.final && e.status != AllPaid && e.Attempt == 0 && unfull(s) && !scan(s)
			},
			func(s *State, e *Event) []Effect {
				n := held(s)
				s.Declined = e.decline
				if s.Why = e.Why; e.decline != nil {
					s.Why = e.decline.Why
				}
				end(s, e, payment.Refused)
				return cat(some(n, WhyPartAtClose, ""), all(tell(payment.EvClosed)))
			}),
		row("B9", "OPEN(FULL); confirm deadline: kept; if_not_confirmed return or person: the till is asked, and again each day",
			func(s *State, e *Event) bool { return e.Cause == clockConfirm && full(s) && due(s.ConfirmBy, e.Now) },
			func(s *State, e *Event) []Effect {
				s.ConfirmBy = time.Time{}
				if s.Request.IfNotConfirmed == payment.Return || s.Request.IfNotConfirmed == payment.Person {
					if !s.Wanted {
						s.Wanted, s.Asks = true, 0
					}
					if d := e.set().WantedAgain; d > 0 {
						s.ConfirmBy = e.Now.Add(d) // a box that was away has taken it as stale, and a till may have lost it
					}
					want := tell(payment.EvConfirmWanted)
					want.Fresh = e.set().WantedFresh
					return all(want)
				}
				s.Kept, s.ByDeadline, s.By = held(s), true, "deadline"
				end(s, e, payment.Done)
				return all(tell(payment.EvDone))
			}),
		row("B34a", "OPEN, scan, no attempt; expires_at: no order exists",
			func(s *State, e *Event) bool {
				return (e.Cause == clockExpiry && due(s.ExpiresAt, e.Now) || e.Cause == clockMaxOpen && due(s.MaxOpenAt, e.Now)) &&
					unfull(s) && scan(s) && running(s) == nil
			},
			func(s *State, e *Event) []Effect { return begin(s, e, payment.Expire) }),
		row("B10", "OPEN, not FULL; expires_at and nobody paying, or max_open, always: query, then B13k",
			func(s *State, e *Event) bool {
				return unfull(s) && (e.Cause == clockExpiry && expires(s, e.Now) || e.Cause == clockMaxOpen && due(s.MaxOpenAt, e.Now))
			},
			func(s *State, e *Event) []Effect {
				return begin(s, e, payment.Expire, tell(payment.EvClosing))
			}),
	}
}

// expires: the life of the code is over and nothing that could be a payment is under way.
func expires(s *State, now time.Time) bool {
	return unfull(s) && due(s.ExpiresAt, now) && !s.Paying && running(s) == nil
}

// unpaid: the bank was confirming and is not any more; what came is booked by now.
func unpaid(s *State, e *Event) bool {
	return e.Cause == status && e.from == Look && unfull(s) && s.Paying && (e.status == Pending || e.status == AllPaid && e.final)
}
