package bill

import (
	"slices"
	"time"

	"tilld/payment"
)

// callRows are the box's calls, without return and charge.
func callRows() []Row {
	is := func(c Cause) func(*Event) bool { return func(e *Event) bool { return e.Cause == c } }
	confirm, accept, extend, apply := is(CallConfirm), is(CallAcceptLate), is(CallExtend), is(CallApply)
	return []Row{
		row("B8b", "CLOSED(done) by the box, or returned since; confirm again",
			func(s *State, e *Event) bool { return confirm(e) && s.Confirmed && closed(s) && s.By == "box" },
			func(s *State, e *Event) []Effect {
				if e.Amount != s.Final {
					return all(refuse(payment.NoAlreadyConfirmed, ""))
				}
				return all(reply(payment.OutConfirmed))
			}),
		row("B8d", "OPEN(FULL) or done by deadline; confirm with more than is there, or with 0",
			func(s *State, e *Event) bool {
				return confirm(e) && (full(s) && !s.Fence && (e.Amount > held(s) || e.Amount <= 0) ||
					doneByOthers(s) && (e.Amount > s.Kept || e.Amount <= 0))
			},
			func(s *State, e *Event) []Effect {
				if e.Amount <= 0 {
					return all(refuse(payment.NoUseReturn, ""))
				}
				return all(refuse(payment.NoFinalExceedsPaid, ""))
			}),
		row("B7", "OPEN(FULL); confirm, 0 < final ≤ held, no fence",
			func(s *State, e *Event) bool { return confirm(e) && full(s) && !s.Fence },
			func(s *State, e *Event) []Effect {
				rest := held(s) - e.Amount
				s.Kept, s.Final, s.Confirmed, s.By = e.Amount, e.Amount, true, "box"
				found(s)
				end(s, e, payment.Done)
				return cat(some(rest, WhyBelow, ""), all(reply(payment.OutConfirmed), tell(payment.EvDone)))
			}),
		row("B8a", "CLOSED(done, by_deadline); confirm, final ≤ kept",
			func(s *State, e *Event) bool { return confirm(e) && doneByOthers(s) },
			func(s *State, e *Event) []Effect {
				rest := s.Kept - e.Amount
				s.Kept, s.Final, s.Confirmed, s.ByDeadline, s.By = e.Amount, e.Amount, true, false, "box"
				found(s)
				return cat(some(rest, WhyBelow, ""), all(reply(payment.OutConfirmed), tell(payment.EvDone)))
			}),
		row("B8c", "CLOSING, CLOSED without goods; confirm: goods have left unpaid, a person's case",
			func(s *State, e *Event) bool {
				return confirm(e) && e.Amount > 0 && (closing(s) || closed(s) && (s.Reason != payment.Done || s.Deposit))
			},
			func(s *State, e *Event) []Effect {
				if s.Confirmed {
					return all(refuse(payment.NoClosed, "")) // asked again, or returned after an earlier confirm
				}
				s.Confirmed, s.Final = true, e.Amount
				s.Shortfall += e.Amount
				suspect(s, "shortfall")
				return all(refuse(payment.NoClosed, ""), tell(payment.EvReview), notice("shortfall"))
			}),
		row("B15a", "CLOSING(late=offered); accept_late, no fence",
			func(s *State, e *Event) bool { return accept(e) && closing(s) && offered(s) && !s.Fence },
			func(s *State, e *Event) []Effect {
				s.Late, s.AcceptKey = payment.LateAccepted, e.Key
				fill(s, e)
				return all(reply(payment.OutAccepted), tell(payment.EvPaid))
			}),
		row("B15b", "otherwise; accept_late",
			func(s *State, e *Event) bool { return accept(e) && s.ID != "" },
			func(s *State, e *Event) []Effect {
				if s.AcceptKey != "" && s.AcceptKey == e.Key {
					return all(reply(payment.OutAccepted))
				}
				return all(reply(payment.OutLapsed))
			}),
		row("B10x", "OPEN, not FULL; extend within max_open and the provider's own expiry, no fence",
			func(s *State, e *Event) bool { return extend(e) && s.ID != "" && cannotExtend(s, e) == "" },
			func(s *State, e *Event) []Effect {
				if t := s.CreatedAt.Add(e.Life); t.After(s.ExpiresAt) {
					s.ExpiresAt = t
				}
				if s.Paying {
					return all(reply(payment.OutExtended), tell(payment.EvPaying))
				}
				return all(reply(payment.OutExtended), tell(payment.EvOpen))
			}),
		row("B10y", "otherwise; extend",
			func(s *State, e *Event) bool { return extend(e) && s.ID != "" },
			func(s *State, e *Event) []Effect { return all(refuse(payment.NoCannotExtend, cannotExtend(s, e))) }),
		row("B37", "CLOSED(done) by the box, purpose prepayment; apply n ≤ kept − applied; return of the sale un-applies",
			func(s *State, e *Event) bool {
				return (apply(e) || e.Cause == CallUnapply) && doneByBox(s) && s.Request.Purpose == payment.Prepayment
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == CallUnapply {
					return unapply(s, e)
				}
				if a := application(s, e.Key); a != nil {
					return all(reply(payment.OutApplied))
				}
				if e.Amount <= 0 || e.Amount > s.Kept-applied(s) {
					return all(refuse(payment.NoAdvanceApplied, ""))
				}
				s.Applied = append(s.Applied, Application{Key: e.Key, Sale: e.Sale, Amount: e.Amount})
				return all(reply(payment.OutApplied), tell(payment.EvApplied))
			}),
	}
}

func unapply(s *State, e *Event) []Effect {
	i := slices.IndexFunc(s.Applied, func(a Application) bool { return a.Sale == e.Sale && !a.Undone })
	if i < 0 {
		return all(reply(payment.OutApplied))
	}
	for ; i < len(s.Applied); i++ {
		if s.Applied[i].Sale == e.Sale {
			s.Applied[i].Undone = true
		}
	}
	return all(reply(payment.OutApplied), tell(payment.EvApplied))
}

// cannotExtend is why a bill cannot live longer, "" if it can. Being open decides, not the clock of expires_at.
func cannotExtend(s *State, e *Event) string {
	until := s.CreatedAt.Add(e.Life)
	switch {
	case full(s):
		return "paid"
	case !open(s):
		return "not_open"
	case s.Fence:
		return "returning"
	case s.ExpiresAt.IsZero():
		return "no_end"
	case e.Life <= 0 || until.After(s.MaxOpenAt) || !e.Now.Before(s.MaxOpenAt):
		return "max_open"
	case until.After(s.ExpiresAt) && providerEnds(s, until):
		return "provider"
	}
	return ""
}

// providerEnds: the provider's own code would be dead before until.
func providerEnds(s *State, until time.Time) bool {
	return !s.ProviderExpires.IsZero() && until.After(s.ProviderExpires)
}
