package bill

import "tilld/payment"

// personRows are what people decide.
func personRows() []Row {
	verdict := func(e *Event, v string) bool { return e.Cause == Decided && e.Verdict == v }
	return []Row{
		row("B21a", "doubt and review; a person decides, with evidence: dead is a terminal status (no provider refund running), paid is a credit",
			func(s *State, e *Event) bool {
				return s.Doubt && s.Review && closing(s) && (verdict(e, VerdictDead) && !s.Refunding() ||
					verdict(e, VerdictPaid) && e.Credit != nil && e.Credit.Evidence != "" && !known(s, e.Credit))
			},
			func(s *State, e *Event) []Effect {
				if s.Who = e.Who; forgotten(s) {
					s.Before = "" // what the bank had to say is said; the box has not said its word yet
				} else {
					s.Review, s.Why = false, ""
				}
				decide(s, e)
				if e.Verdict == VerdictPaid {
					return all(reply(OutDecided), hand(Event{Cause: Credited, Credit: e.Credit}))
				}
				n, _ := live(s)
				if o := order(s, n); o != nil {
					o.Over = true
				}
				return all(reply(OutDecided), hand(Event{Cause: status, status: Dead, final: true, from: Look, Attempt: n}))
			}),
		row("B28", "OPEN(FULL), CLOSING; terminal silent > 24 h or revoked, a person: done, or return (certificate revoked first)",
			func(s *State, e *Event) bool {
				if !(full(s) || closing(s)) || static(s) || e.Quiet <= e.set().TillSilent && !e.Revoked {
					return false
				}
				return verdict(e, VerdictDone) && held(s) > 0 && !s.Fence || verdict(e, VerdictReturn) && e.Revoked
			},
			func(s *State, e *Event) []Effect {
				n := held(s)
				lapse(s)
				s.Review, s.Who, s.By, s.Why, s.Before = true, e.Who, "admin", "till_silent", ""
				decide(s, e)
				if e.Verdict == VerdictDone {
					s.Kept, s.ByDeadline = n, true
					end(s, e, payment.Done)
					return all(reply(OutDecided), tell(payment.EvDone), notice("till_silent"))
				}
				end(s, e, payment.Returned)
				return append(some(n, WhyReturn, ""), reply(OutDecided), tell(payment.EvClosed), notice("till_silent"))
			}),
		row("B35", "any open; terminal re-paired or replaced on the lane: move; not FULL as B12e, FULL as B36",
			func(s *State, e *Event) bool { return e.Cause == Moved && (created(s) || open(s) || closing(s)) },
			func(s *State, e *Event) []Effect {
				s.Terminal = e.Terminal
				fx := all(reply(payment.OutBill))
				if static(s) || closing(s) && !expiring(s) {
					return fx
				}
				return append(fx, hand(Event{Cause: CallReturn, By: ByAdmin, Who: e.Who, Key: "moved:" + e.Terminal, Whole: true}))
			}),
		row("B39", "CLOSED, review, nothing waits for a person; a person has looked: review=no",
			func(s *State, e *Event) bool { return verdict(e, VerdictSeen) && s.Review && closed(s) && !waits(s) },
			func(s *State, e *Event) []Effect {
				s.Review, s.Who, s.Why, s.Before = false, e.Who, payment.WhyReviewed, ""
				decide(s, e)
				return all(reply(OutDecided), tell(payment.EvReview))
			}),
	}
}

// rowAgain is the row that answers a decision which was taken before.
const rowAgain = "B39a"

// againRows stand behind every row that takes a decision.
func againRows() []Row {
	return []Row{
		row(rowAgain, "any; a decision that was taken before: the same answer",
			func(s *State, e *Event) bool { return (e.Cause == Decided || e.Cause == Resolved) && past(s, e) },
			func(*State, *Event) []Effect { return all(reply(OutDecided)) }),
	}
}
