package bill

import (
	"time"

	"tilld/payment"
)

// creditRows are money that comes: every (lifecycle, credit) pair has a row here.
func creditRows() []Row {
	any := func(e *Event) bool { return e.Cause == Credited }
	return []Row{
		row("B5i", "any; call-back or registry line: ask the provider; a known transaction is nothing new",
			func(s *State, e *Event) bool { return e.Cause == Hinted && s.ID != "" || any(e) && known(s, e.Credit) },
			func(s *State, e *Event) []Effect {
				if any(e) || order(s, e.Attempt) == nil {
					return nil
				}
				return all(work(Look, e.Attempt))
			}),
		row("B20", "any, doubt; status, call-back or registry settles it",
			func(s *State, e *Event) bool {
				return s.Doubt && (any(e) || ends(s, e))
			},
			func(s *State, e *Event) []Effect {
				s.Doubt, s.DoubtSince = false, time.Time{}
				s.DoubtBy = e.Now.Add(e.set().Doubt)
				return all(pass(e, "B20"))
			}),
		row("B30", "any; attempt: definite success",
			func(s *State, e *Event) bool {
				return any(e) && e.Credit.Attempt > 0 && runs(s, e.Credit.Attempt) && (e.via == "" || e.via == "B20")
			},
			func(s *State, e *Event) []Effect {
				// A part is no success yet: the rest may be on its way, and the order's status says when it is over.
				attempt(s, e.Credit.Attempt).Running = !reaches(s, e)
				return all(pass(e, "B30"))
			}),
		row("B4b", "CREATED; credit",
			func(s *State, e *Event) bool { return any(e) && created(s) },
			func(s *State, e *Event) []Effect {
				s.Life = payment.Open
				return all(pass(e, "B4b"))
			}),
		row("B5p1", "OPEN(paying); credit: B5 and paying stays, or B6 and paying ends",
			func(s *State, e *Event) bool { return any(e) && unfull(s) && s.Paying && e.via != "B5p1" && !priced(e) },
			func(s *State, e *Event) []Effect { return all(pass(e, "B5p1")) }),
		row("B5", "OPEN; credit, held < due after it",
			func(s *State, e *Event) bool { return any(e) && unfull(s) && plainly(s, e) && !reaches(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				return all(tell(payment.EvPart))
			}),
		row("B6", "OPEN; credit, money was not FULL, held ≥ due",
			func(s *State, e *Event) bool { return any(e) && unfull(s) && plainly(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				fill(s, e)
				return cat(some(held(s)-s.Need, WhyOver, ""), all(tell(payment.EvPaid)))
			}),
		row("B6a", "OPEN(FULL); further credit",
			func(s *State, e *Event) bool { return any(e) && full(s) && plainly(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				return cat(some(held(s)-s.Need, WhyOver, ""), all(tell(payment.EvOver)))
			}),
		row("B18a", "CLOSING; paid, and the provider is giving it back: book by B16, the worker asks and sends nothing",
			func(s *State, e *Event) bool {
				if e.Cause == ownReturn {
					return !static(s) && (goesBack(s, e) || e.answer == "pending" && (closing(s) || closed(s)) && unsent(s, e.Txn))
				}
				return any(e) && closing(s) && !static(s) && e.running && e.via != "B18a"
			},
			func(s *State, e *Event) []Effect {
				switch {
				case e.Cause == Credited:
					return all(pass(e, "B18a"), hand(Event{Cause: ownReturn, answer: "pending", Txn: e.Credit.Txn, Attempt: e.Attempt}))
				case goesBack(s, e): // a part that was not owed yet goes back with the rest, and is not on offer any more
					lapse(s)
					return append(some(held(s), WhyAfterClose, ""), pass(e, "B18a"), tell(payment.EvPaidAfter))
				}
				expect(s, e, e.Txn)
				return nil
			}),
		row("B15d", "CLOSING(late=offered); further credit",
			func(s *State, e *Event) bool { return any(e) && closing(s) && offered(s) && plainly(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				return cat(some(held(s)-s.Need, WhyOver, ""), all(tell(payment.EvOver)))
			}),
		row("B14", "CLOSING; credit, can_win, held ≥ due, on time: payment wins",
			func(s *State, e *Event) bool { return winning(s, e) && reaches(s, e) && onTime(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				fill(s, e)
				return cat(some(held(s)-s.Need, WhyOver, ""), all(tell(payment.EvPaid)))
			}),
		row("B14a", "CLOSING; credit, can_win, held < due",
			func(s *State, e *Event) bool { return winning(s, e) && !reaches(s, e) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				return all(tell(payment.EvPart))
			}),
		row("B15", "CLOSING; credit, can_win, held ≥ due, not on time, late=no",
			winning,
			func(s *State, e *Event) []Effect {
				book(s, e)
				s.Late, s.LateUntil = payment.LateOffered, e.Now.Add(e.set().LateLease)
				return cat(some(held(s)-s.Need, WhyOver, ""), all(tell(payment.EvLate)))
			}),
		row("B16", "CLOSING; credit, not can_win or late=lapsed",
			func(s *State, e *Event) bool { return any(e) && closing(s) && !static(s) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				return append(some(held(s), WhyAfterClose, ""), tell(payment.EvPaidAfter))
			}),
		row("B16a", "CLOSED, any reason, fence or not; credit",
			func(s *State, e *Event) bool { return any(e) && closed(s) && !static(s) },
			func(s *State, e *Event) []Effect {
				book(s, e)
				if done(s) && !s.Deposit {
					return cat(some(e.Credit.Amount, WhyOver, ""), all(tell(payment.EvOver)))
				}
				return cat(some(e.Credit.Amount, WhyAfterClose, ""), all(tell(payment.EvPaidAfter)))
			}),
	}
}

// goesBack: the provider is giving back money that this closing bill still holds.
func goesBack(s *State, e *Event) bool {
	if !closing(s) || held(s) <= 0 || e.answer != "pending" && e.answer != "done" {
		return false
	}
	for i := range s.Credits {
		if c := &s.Credits[i]; c.Txn == e.Txn && free(s, c) > 0 {
			return true
		}
	}
	return false
}

// plainly: neither a static bill's credit nor a timer's that its own rows have not looked at.
func plainly(s *State, e *Event) bool {
	return !static(s) && (s.Kind != Timer || priced(e))
}

// winning: the credit comes for a closing bill that it can still win, and no late money is on offer or was let go.
func winning(s *State, e *Event) bool {
	return e.Cause == Credited && canWin(s) && s.Late == payment.LateNo && !e.running && s.Kind == Dynamic
}
