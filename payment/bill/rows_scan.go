package bill

import (
	"strconv"
	"time"

	"tilld/payment"
)

// scanRows are charges of customers' codes.
func scanRows() []Row {
	charge := func(e *Event) bool { return e.Cause == CallCharge }
	void := func(e *Event) bool { return e.Cause == CallChargeVoid }
	of := func(s *State, e *Event) bool {
		return e.Cause == status && e.Attempt > 0 && runs(s, e.Attempt) && open(s)
	}
	return []Row{
		row("B29a", "any; charge n ≤ last: stored answer, never a second call to the provider",
			func(s *State, e *Event) bool { return charge(e) && s.ID != "" && e.Attempt <= s.LastAttempt },
			func(s *State, e *Event) []Effect {
				if attempt(s, e.Attempt) == nil {
					return all(reply(payment.OutVoid)) // a tombstone
				}
				return all(reply(payment.OutCharging))
			}),
		row("B29", "OPEN; charge n > last, no fence, not FULL, no attempt running",
			func(s *State, e *Event) bool {
				return charge(e) && unfull(s) && scan(s) && !s.Fence && running(s) == nil
			},
			func(s *State, e *Event) []Effect {
				s.LastAttempt, s.Declined = e.Attempt, nil
				s.Attempts = append(s.Attempts, Attempt{
					N: e.Attempt, Hash: e.CodeHash, Amount: s.Need - held(s), Started: e.Now, Deadline: e.Now.Add(e.set().Attempt), Running: true,
					Order: Order{ID: s.ID + "a" + strconv.Itoa(e.Attempt), CallBy: e.Now.Add(e.traits().CallLimit)},
				})
				return all(reply(payment.OutCharging), tell(payment.EvCharging), work(ChargeCode, e.Attempt))
			}),
		row("B29b", "otherwise; charge",
			func(s *State, e *Event) bool { return charge(e) && s.ID != "" },
			func(s *State, e *Event) []Effect {
				if unfull(s) && running(s) != nil {
					return all(refuse(payment.NoAttemptRunning, ""))
				}
				return all(refuse(payment.NoClosed, ""))
			}),
		row("B34", "any; charge_void n > last: a tombstone",
			func(s *State, e *Event) bool { return void(e) && s.ID != "" && e.Attempt > s.LastAttempt },
			func(s *State, e *Event) []Effect {
				s.LastAttempt = e.Attempt
				return all(reply(payment.OutVoid))
			}),
		row("B34x", "any; charge_void n ≤ last: follow the events",
			func(s *State, e *Event) bool { return void(e) && s.ID != "" },
			func(s *State, e *Event) []Effect {
				if attempt(s, e.Attempt) == nil {
					return all(reply(payment.OutVoid)) // the same void again
				}
				return all(reply(payment.OutCharging))
			}),
		row("B31", "OPEN(attempt); definite decline, or a terminal status",
			func(s *State, e *Event) bool { return of(s, e) && e.final },
			func(s *State, e *Event) []Effect {
				attempt(s, e.Attempt).Running = false
				s.Declined = &payment.Decline{Attempt: e.Attempt, Why: "other", Retry: true}
				switch {
				case e.decline != nil:
					s.Declined.Why, s.Declined.Retry = e.decline.Why, e.decline.Retry
				case e.Why == payment.WhyAmount: // the sum is too much for every code
					s.Declined.Why, s.Declined.Retry = e.Why, false
				}
				return all(tell(payment.EvDeclined))
			}),
		row("B33", "OPEN(attempt); attempt deadline: last query, then B13k and B13–B19 apply",
			func(s *State, e *Event) bool {
				a := running(s)
				return e.Cause == clockAttempt && unfull(s) && a != nil && due(a.Deadline, e.Now)
			},
			func(s *State, e *Event) []Effect { return begin(s, e, payment.Expire, tell(payment.EvClosing)) }),
		row("B32", "OPEN(attempt); unclear, in progress, restarted: query every 3–5 s, never send the code again",
			func(s *State, e *Event) bool { return of(s, e) || e.Cause == clockAsk && open(s) && running(s) != nil },
			func(s *State, e *Event) []Effect {
				a := running(s)
				if e.Cause == clockAsk {
					return all(work(Look, a.N))
				}
				if e.status != Paying || a.Busy {
					return nil
				}
				a.Busy = true
				return all(tell(payment.EvCharging))
			}),
	}
}

// idle: what a bill without a running attempt waits for needs no question.
func idle(s *State) bool { return scan(s) && unfull(s) && running(s) == nil }

// tariff is the price of a timer bill at t.
func tariff(s *State, t time.Time) int64 { return s.Request.Tariff.Total(t.Sub(s.CreatedAt)) }
