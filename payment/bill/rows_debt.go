package bill

import (
	"slices"
	"time"

	"tilld/payment"
)

// debtRows are the obligations.
func debtRows() []Row {
	at := func(s *State, e *Event, c Cause, states ...Debt) *Obligation {
		if e.Cause != c {
			return nil
		}
		o := debt(s, e.Obligation)
		if o == nil || !slices.Contains(states, o.State) {
			return nil
		}
		return o
	}
	answers := func(s *State, e *Event, what ...string) bool {
		return at(s, e, answered, Sent) != nil && slices.Contains(what, e.answer)
	}
	return []Row{
		row("O10", "any; Σ reserved + kept > Σ credits would follow: refused, alarm",
			func(s *State, e *Event) bool { return e.Cause == checking && broken(s) != "" },
			func(s *State, _ *Event) []Effect { return all(Effect{Kind: Alarm, Code: broken(s)}) }),
		row("O1", "reserve(n): obligations out of the newest credits first, one for each",
			func(_ *State, e *Event) bool { return e.Cause == reserving },
			func(s *State, e *Event) []Effect {
				n := e.Amount
				for i := len(s.Credits) - 1; i >= 0 && n > 0; i-- {
					if d := min(free(s, &s.Credits[i]), n); d > 0 {
						owe(s, &s.Credits[i], d, e.Why, e.Key).Next = e.Now
						n -= d
					}
				}
				if s.Killed && s.Refunds {
					expect(s, e, "") // the kill may have made the bank give it back already
				}
				if n > 0 && len(s.Credits) > 0 { // more than came in: the check refuses it
					owe(s, &s.Credits[0], n, e.Why, e.Key)
				}
				return nil
			}),
		row("O9", "by_provider; the provider says refunded: done; its window ended: ask once more, and without it the worker may send",
			func(s *State, e *Event) bool {
				if e.Cause == ownReturn {
					return e.answer == "done" && fresh(s, e) > 0 && unsent(s, e.Txn) || e.answer == "none" && unreturned(s, e) != nil
				}
				o := at(s, e, clockDebt, Owed)
				return o != nil && o.ByProvider
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == clockDebt {
					o := debt(s, e.Obligation)
					later(o, e)
					return all(work(Look, o.Attempt))
				}
				if e.answer == "none" {
					for o := unreturned(s, e); o != nil; o = unreturned(s, e) {
						o.ByProvider, o.Next, o.Tries = false, e.Now, 0
					}
					return nil
				}
				settle(s, e.Txn, fresh(s, e))
				return all(tell(payment.EvReturned), pass(e, "O9")) // what was not owed, was kept (B38)
			}),
		row("O2", "OWED; worker: method by provider rule and clock now; request id and method stored, then the call; provider gone: it waits",
			func(s *State, e *Event) bool { return at(s, e, clockDebt, Owed) != nil },
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				if e.traits().Gone { // nor are its ways of giving back known: none is frozen
					return idles(o, e)
				}
				if o.Method == "" || o.Request == "" && !o.Short {
					o.Method = method(s, o, e)
				}
				if o.Method == "" {
					return person(s, o, noMethod(s, o, e))
				}
				if o.Request == "" {
					o.Request = request(s, o)
				}
				o.State, o.Tries = Sent, 0
				o.Next = e.Now.Add(max(e.traits().CallLimit, time.Second))
				return all(giveBack(o))
			}),
		row("O3", "SENT; ok",
			func(s *State, e *Event) bool { return answers(s, e, "done") },
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				o.State, o.Next, o.Short, o.Async = Paid, time.Time{}, false, false
				return all(tell(payment.EvReturned))
			}),
		row("O4", "SENT; accepted, asynchronous: ask for its status",
			func(s *State, e *Event) bool { return answers(s, e, "pending") },
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				o.Async = true
				later(o, e)
				return nil
			}),
		row("O5", "SENT; definitely refused: another lawful method, that one excluded; else a person",
			func(s *State, e *Event) bool { return answers(s, e, "refused") },
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				o.Excluded = append(slices.Clone(o.Excluded), o.Method)
				o.Method, o.Request, o.Async, o.Short = "", "", false, false
				if method(s, o, e) == "" {
					if e.Why != payment.WhyTooOld {
						e.Why = whyReturnRefused
					}
					return person(s, o, e.Why)
				}
				o.State, o.Next = Owed, e.Now
				return nil
			}),
		row("O5s", "SENT; refused, the shop's account is short: same method, new request id, in 1 h, later daily",
			func(s *State, e *Event) bool { return answers(s, e, "short") },
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				wait := e.set().ShortLater
				if !o.Short {
					wait = e.set().ShortFirst
				}
				o.State, o.Short, o.Request, o.Async = Owed, true, "", false
				o.Next = e.Now.Add(wait)
				return all(tell(payment.EvReview), notice("account_short"))
			}),
		row("O6", "SENT; time-out, restart: query by request id; still unclear: same id, same method; provider gone: it waits",
			func(s *State, e *Event) bool {
				return at(s, e, clockDebt, Sent) != nil || answers(s, e, "absent", "unclear")
			},
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				switch {
				case e.Cause == answered && e.from == GiveBack: // it was just sent: ask first
					o.Next = e.Now.Add(again(e.set().Again, o.Tries))
					return nil
				case e.traits().Gone:
					return idles(o, e)
				case e.Cause == answered: // the provider is there: one that was silent for a moment costs nobody half an hour
					o.Next = e.Now.Add(max(e.traits().CallLimit, time.Second))
					return all(giveBack(o))
				}
				later(o, e) // one round of asking and sending is one step of the waits
				w := work(Look, o.Attempt)
				w.Work.Request = o.Request
				return all(w)
			}),
		row("O7", "HUMAN, or OWED, SENT of a provider that is gone; a person: try again (the bank says not done; HUMAN), paid by hand with evidence, stays",
			func(s *State, e *Event) bool {
				o := at(s, e, Resolved, Human, Owed, Sent)
				return o != nil && o.Personal(e.traits()) && (e.Verdict == VerdictRetry && e.NotDone && o.State == Human ||
					e.Verdict == VerdictManual && e.Evidence != "" || e.Verdict == VerdictStays)
			},
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				decide(s, e)
				switch e.Verdict {
				case VerdictRetry:
					o.State, o.Next, o.Excluded, o.Method, o.Request = Owed, e.Now, nil, "", ""
					relieved(s)
					return all(reply(OutDecided), tell(payment.EvReview)) // what was refused is on its way again
				case VerdictManual:
					o.State, o.Manual, o.Next, o.Short, o.Async = Paid, e.Evidence, time.Time{}, false, false
					relieved(s)
					return all(reply(OutDecided), tell(payment.EvReturned))
				}
				return all(reply(OutDecided)) // nothing of it has changed
			}),
		row("O8", "DONE; registry or provider: the refund failed or bounced. Once: again; a second time: a person",
			func(s *State, e *Event) bool {
				o := at(s, e, Bounced, Paid)
				return o != nil && o.Manual == ""
			},
			func(s *State, e *Event) []Effect {
				o := debt(s, e.Obligation)
				o.Bounces++
				o.Request, o.Method, o.Excluded, o.Async, o.ByProvider = "", "", nil, false, false
				if o.Bounces > 1 {
					return person(s, o, whyReturnBounced)
				}
				suspect(s, whyReturnBounced)
				o.State, o.Next = Owed, e.Now
				return all(tell(payment.EvReview), notice(whyReturnBounced))
			}),
	}
}
