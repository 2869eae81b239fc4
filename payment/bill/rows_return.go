package bill

import "tilld/payment"

// returnRows are bill.return. whole, from the box, is the fence: it wins against every payment that comes after it.
func returnRows() []Row {
	any := func(e *Event) bool { return e.Cause == CallReturn }
	box := func(e *Event) bool { return e.Cause == CallReturn && (e.By == "" || e.By == ByBox) }
	whole := func(e *Event) bool { return box(e) && e.Whole }
	console := func(e *Event) bool { return any(e) && !box(e) }
	fence := func(s *State, e *Event, n int64) []Effect {
		s.Fence = true
		found(s)
		note(s, e, payment.OutFenced, n)
		return some(n, WhyReturn, e.Key)
	}
	return []Row{
		row("B12d", "any; return with a key seen before",
			func(s *State, e *Event) bool { return any(e) && returnOf(s, e.Key) != nil },
			func(s *State, e *Event) []Effect {
				r := returnOf(s, e.Key)
				return all(owing(r.Outcome, r.Amount))
			}),
		row("B24c", "child; return: as B12a",
			func(s *State, e *Event) bool { return any(e) && s.Parent != "" && e.via == "" && done(s) },
			func(s *State, e *Event) []Effect { return all(pass(e, "B24c")) }),
		row("B36", "OPEN(FULL), CLOSED(done, by_deadline); return by console, admin, paychannel: the box is asked",
			func(s *State, e *Event) bool { return console(e) && (full(s) || doneByOthers(s)) },
			func(s *State, e *Event) []Effect {
				s.Who = e.Who
				want := tell(payment.EvReturnWanted)
				want.Fresh = e.set().WantedFresh
				return all(reply(OutReturnWanted), want)
			}),
		row("B11p", "OPEN(paying); return: paying ends, then as B11, B12e",
			func(s *State, e *Event) bool { return (whole(e) || console(e)) && unfull(s) && s.Paying },
			func(s *State, e *Event) []Effect {
				s.Paying = false
				return all(pass(e, "B11p"))
			}),
		row("B12e", "CREATED, OPEN not FULL, CLOSING(expire); return by console, admin: no promise of the box exists yet",
			func(s *State, e *Event) bool { return console(e) && (created(s) || unfull(s) || expiring(s)) },
			func(s *State, e *Event) []Effect {
				n := held(s)
				lapse(s)
				note(s, e, OutClosing, n)
				fx := append(some(n, WhyReturn, e.Key), owing(OutClosing, n), tell(payment.EvClosing))
				if closing(s) {
					s.Reason = payment.Returning
					return fx
				}
				return begin(s, e, payment.Returning, fx...)
			}),
		row("B11", "CREATED, OPEN not FULL; return whole: the fence",
			func(s *State, e *Event) bool { return whole(e) && (created(s) || unfull(s)) },
			func(s *State, e *Event) []Effect {
				n := held(s)
				fx := append(fence(s, e, n), owing(payment.OutFenced, n), tell(payment.EvClosing))
				return begin(s, e, payment.Returning, fx...)
			}),
		row("B11a", "CLOSING; return whole",
			func(s *State, e *Event) bool { return whole(e) && closing(s) },
			func(s *State, e *Event) []Effect {
				n := held(s)
				lapse(s)
				s.Reason = payment.Returning
				return append(fence(s, e, n), owing(payment.OutFenced, n), tell(payment.EvClosing))
			}),
		row("B12", "OPEN(FULL); return whole, not confirmed",
			func(s *State, e *Event) bool { return whole(e) && full(s) },
			func(s *State, e *Event) []Effect {
				n := held(s)
				end(s, e, payment.Returned)
				return append(fence(s, e, n), owing(payment.OutFenced, n), tell(payment.EvClosed))
			}),
		row("B27", "CLOSED(done, by_deadline), kept deposit; return whole from a box that never released",
			func(s *State, e *Event) bool { return whole(e) && (doneByOthers(s) || done(s) && s.Deposit) },
			func(s *State, e *Event) []Effect {
				n := s.Kept
				s.Kept, s.Reason, s.ByDeadline, s.Deposit = 0, payment.Returned, false, false
				return append(fence(s, e, n), owing(payment.OutFenced, n), tell(payment.EvClosed))
			}),
		row("B12f", "CLOSED(done) confirmed by the box; return whole as a fence",
			func(s *State, e *Event) bool { return whole(e) && done(s) && e.via == "" },
			func(*State, *Event) []Effect { return all(refuse(payment.NoAlreadyConfirmed, "")) }),
		row("B11b", "CLOSED(refused, expire, return, returned); return whole",
			func(s *State, e *Event) bool { return whole(e) && closed(s) && e.via == "" },
			func(s *State, e *Event) []Effect { return append(fence(s, e, 0), owing(payment.OutFenced, 0)) }),
		row("B12c", "OPEN(FULL); return of less than held",
			func(s *State, e *Event) bool { return box(e) && full(s) && e.Amount < held(s) },
			func(*State, *Event) []Effect { return all(refuse(payment.NoConfirmFirst, "")) }),
		row("B12b", "CLOSED(done); return of more than kept − applied, or one more than a bill has room for",
			func(s *State, e *Event) bool {
				return any(e) && settled(s, e) && (part(s, e) > s.Kept-applied(s) || len(s.Returns) >= payment.MaxReturns && part(s, e) > 0)
			},
			func(s *State, e *Event) []Effect {
				if part(s, e) <= s.Kept-applied(s) {
					return all(refuse(payment.NoTooManyReturns, "")) // every event and answer lists them all
				}
				if part(s, e) <= s.Kept {
					return all(refuse(payment.NoAdvanceApplied, ""))
				}
				return all(refuse(payment.NoExceedsKept, ""))
			}),
		row("B12a", "CLOSED(done) by the box; return of amount ≤ kept − applied, by box or console",
			func(s *State, e *Event) bool { return any(e) && settled(s, e) && part(s, e) > 0 },
			func(s *State, e *Event) []Effect {
				n := part(s, e)
				note(s, e, payment.OutReturning, n)
				if s.Kept -= n; s.Kept == 0 {
					s.Reason = payment.Returned
				}
				return append(some(n, WhyReturn, e.Key), owing(payment.OutReturning, n), tell(payment.EvReturning))
			}),
	}
}

// settled: a return of part of what was kept needs nobody's leave any more.
func settled(s *State, e *Event) bool {
	return doneByBox(s) || done(s) && s.Deposit && e.By != "" && e.By != ByBox
}

// part is the amount of a return; whole (console, child) is all that is left.
func part(s *State, e *Event) int64 {
	if e.Whole {
		return s.Kept - applied(s)
	}
	return e.Amount
}
