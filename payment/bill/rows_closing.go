package bill

import (
	"time"

	"tilld/payment"
)

// closingRows lead from CLOSING to CLOSED: ask, kill, ask, until the provider says that nothing can come any more.
func closingRows() []Row {
	is := func(s *State, e *Event) bool { return e.Cause == status && closing(s) && current(s, e) }
	return []Row{
		row("B15c", "CLOSING(late=offered); the lease ends: owed; then B13k, B13",
			func(s *State, e *Event) bool {
				return e.Cause == clockLease && closing(s) && offered(s) && due(s.LateUntil, e.Now)
			},
			func(s *State, _ *Event) []Effect {
				lapse(s)
				fx := append(some(held(s), WhyLate, ""), tell(payment.EvPaidAfter))
				if n, ok := live(s); ok {
					return append(fx, work(Look, n))
				}
				return append(fx, hand(Event{Cause: status, status: Dead, final: true, from: Look}))
			}),
		row("B17", "CLOSING; status being paid: poll 1–3 s, kill again when it ends",
			func(s *State, e *Event) bool {
				return is(s, e) && e.status == Paying && e.via != "B17" || e.Cause == clockAsk && closing(s) && s.Busy && !s.Doubt
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == clockAsk {
					return ask(s)
				}
				fx := all(pass(e, "B17")) // a charge is killed all the same, once it may be
				if s.Busy {
					return fx
				}
				s.Busy = true
				return append(fx, tell(payment.EvClosing))
			}),
		row("B18", "CLOSING; kill says success, provider.kill_refunds: not terminal, ask on",
			func(s *State, e *Event) bool {
				return is(s, e) && e.from == Kill && e.traits().KillRefunds && (e.status == Dead || e.status == AllPaid)
			},
			func(s *State, _ *Event) []Effect { return nil }),
		row("B13d", "CLOSING(expire, PART); terminal status, merchant policy keep_deposit",
			func(s *State, e *Event) bool {
				return ends(s, e) && expiring(s) && !s.Fence && held(s) > 0 && e.set().KeepDeposit && !static(s)
			},
			func(s *State, e *Event) []Effect {
				s.Kept, s.Deposit, s.By = held(s), true, "deposit"
				end(s, e, payment.Done)
				return all(tell(payment.EvClosed))
			}),
		row("B13", "CLOSING; terminal status, late ≠ offered, no provider refund running",
			ends,
			func(s *State, e *Event) []Effect {
				n := held(s)
				why := s.Reason
				if static(s) {
					why = payment.Done
				}
				end(s, e, why)
				return append(some(n, WhyPartAtClose, ""), tell(payment.EvClosed))
			}),
		row("B13k", "CLOSING; kill due: a query said not paid (of a charge also: being paid), the order may be live; kill_refunds: late ≠ offered, nothing sent",
			func(s *State, e *Event) bool {
				if e.Cause == clockAsk {
					return closing(s) && !s.Doubt
				}
				_, alive := live(s)
				return e.Cause == status && current(s, e) && (closing(s) || closed(s) && e.via == "B2a") && e.from == Look &&
					(e.status == Pending || e.status == Paying && e.Attempt > 0) && alive && killable(s, e)
			},
			func(s *State, e *Event) []Effect {
				s.Busy = s.Busy && e.status == Paying
				if e.Cause == clockAsk {
					return ask(s)
				}
				s.Killed = true
				if e.traits().KillRefunds {
					s.Refunds = true
					expect(s, e, "")
					postpone(s, e)
				}
				n, _ := live(s)
				return all(work(Kill, n))
			}),
		row("B19", "CLOSING; no definite answer by the deadline: doubt; ask at 5 s, 15 s, 1, 5, 30 min, 2 h, daily",
			func(s *State, e *Event) bool {
				return closing(s) && (e.Cause == clockDoubt && !s.Doubt && due(s.DoubtBy, e.Now) || e.Cause == clockAsk)
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == clockAsk {
					return ask(s)
				}
				s.Doubt, s.DoubtSince, s.DoubtBy = true, e.Now, time.Time{}
				return append(ask(s), tell(payment.EvDoubt))
			}),
		row("B21", "any, doubt; registry of day+2 silent: a person's case, it never fails by itself",
			func(s *State, e *Event) bool { return e.Cause == Silent && s.Doubt },
			func(s *State, _ *Event) []Effect {
				suspect(s, "registry_silent")
				return all(tell(payment.EvReview), notice("registry_silent"))
			}),
	}
}

// current: the status is that of the order that may still take money, where there is one. An earlier attempt's says
// nothing about it.
func current(s *State, e *Event) bool {
	n, alive := live(s)
	return !alive || e.Attempt == n
}

// ends: what the provider says is the end of a closing bill.
func ends(s *State, e *Event) bool {
	return e.Cause == status && closing(s) && current(s, e) && e.final && !offered(s) && !s.Refunding()
}

// ask asks about the live order, or about what the provider is giving back; nothing of both is the end.
func ask(s *State) []Effect {
	if n, ok := live(s); ok {
		return all(work(Look, n))
	}
	for i := range s.Obligations {
		if o := &s.Obligations[i]; o.ByProvider && o.State == Owed {
			return all(work(Look, o.Attempt))
		}
	}
	return all(hand(Event{Cause: status, status: Dead, final: true, from: Look}))
}

// killable: the kill cannot do harm. At a provider whose kill gives money back it may run neither beside an offer of
// late money, nor beside a return of ours that the bank has not answered, nor on a paid order of a bill that is over: it
// would give back what was kept. A charge must be old enough to be killed.
func killable(s *State, e *Event) bool {
	if e.traits().KillRefunds && (offered(s) || sending(s) || closed(s) && !nobody(s)) {
		return false
	}
	if a := running(s); a != nil && e.Now.Before(a.Started.Add(e.set().KillNotBefore)) {
		return false
	}
	return true
}
