package bill

import (
	"strconv"
	"time"

	"tilld/payment"
)

// staticRows are static bills, whose payments become bills of their own, and timer bills, whose price is a quote.
func staticRows() []Row {
	credit := func(s *State, e *Event) bool { return e.Cause == Credited && static(s) }
	timer := func(s *State, e *Event) bool {
		return e.Cause == Credited && s.Kind == Timer && !priced(e)
	}
	view := func(s *State, e *Event) bool { return e.Cause == CallView && s.Kind == Timer && unfull(s) }
	return []Row{
		row("B24", "parent OPEN; credit, fixed: equal, ranged: min ≤ n ≤ max: a child, kept",
			func(s *State, e *Event) bool { return credit(s, e) && open(s) && takes(s, e.Credit.Amount) },
			func(s *State, e *Event) []Effect {
				c := child(s, e, payment.Done)
				c.Kept = e.Credit.Amount
				return inserted(c)
			}),
		row("B24a", "parent OPEN; credit out of range: a child, owed back",
			func(s *State, e *Event) bool { return credit(s, e) && open(s) },
			func(s *State, e *Event) []Effect {
				c := child(s, e, payment.Returned)
				owe(c, &c.Credits[0], e.Credit.Amount, WhyRange, "").Next = e.Now
				return inserted(c)
			}),
		row("B24b", "parent CLOSING, CLOSED; credit: a child, owed back, late",
			func(s *State, e *Event) bool { return credit(s, e) && (closing(s) || closed(s)) },
			func(s *State, e *Event) []Effect {
				c := child(s, e, payment.Returned)
				c.LateMoney = true
				owe(c, &c.Credits[0], e.Credit.Amount, WhyAfterClose, "").Next = e.Now
				return inserted(c)
			}),
		row("B24d", "parent; deactivate: kill, B13",
			func(s *State, e *Event) bool {
				return e.Cause == CallDeactivate && static(s) && (created(s) || open(s))
			},
			func(s *State, e *Event) []Effect {
				return begin(s, e, payment.Expire, reply(OutClosing), tell(payment.EvClosing))
			}),
		row("B25", "OPEN timer; view, tariff(now) − held > 0: a quote, earlier ones live on",
			func(s *State, e *Event) bool { return view(s, e) && tariff(s, e.Now) > held(s) },
			func(s *State, e *Event) []Effect {
				for i := range s.Quotes {
					if q := s.Quotes[i]; q.ID == e.QuoteID {
						return all(Effect{Kind: Reply, Outcome: OutQuote, Quote: &q})
					}
				}
				total := tariff(s, e.Now)
				id := e.QuoteID
				if id == "" {
					id = s.ID + "q" + strconv.Itoa(len(s.Quotes)+1)
				}
				ends := e.Now.Add(e.set().Quote)
				q := Quote{ID: id, Amount: total - held(s), Total: total, Ends: ends, Until: ends.Add(e.set().QuoteGrace)}
				s.Quotes = append(s.Quotes, q)
				return all(Effect{Kind: Reply, Outcome: OutQuote, Quote: &q})
			}),
		row("B25a", "OPEN timer; view, nothing due: an exit pass, no quote",
			view,
			func(s *State, e *Event) []Effect {
				s.ExitUntil = e.Now.Add(e.set().Quote)
				return all(Effect{Kind: Reply, Outcome: OutNothingDue, Until: s.ExitUntil}, tell(payment.EvExit))
			}),
		row("B26b", "OPEN(FULL) timer; credit for another quote: B6a",
			func(s *State, e *Event) bool { return timer(s, e) && full(s) },
			func(s *State, e *Event) []Effect { return all(pass(e, "B26b")) }),
		row("B26", "OPEN timer; credit of a live quote, by id, else by equal amount, oldest first: due is that quote's, FULL",
			func(s *State, e *Event) bool { return timer(s, e) && open(s) && quoted(s, e) != nil },
			func(s *State, e *Event) []Effect {
				s.Need = quoted(s, e).Total
				return all(pass(e, "B26"))
			}),
		row("B26a", "OPEN timer; credit, no live quote: tariff at paid_at, enough: FULL; else PART (policy accept: FULL)",
			func(s *State, e *Event) bool { return timer(s, e) && open(s) },
			func(s *State, e *Event) []Effect {
				switch total := tariff(s, e.Credit.PaidAt); {
				case total <= 0: // nothing was due yet: it goes back, and the bill runs on
					book(s, e)
					return append(some(e.Credit.Amount, WhyOver, ""), tell(payment.EvOver))
				case e.set().AcceptUnquoted:
					s.Need = held(s) + e.Credit.Amount
				default:
					s.Need = total
				}
				return all(pass(e, "B26a"))
			}),
		row("B26c", "OPEN timer; a quote ends unpaid",
			func(s *State, e *Event) bool { return e.Cause == clockQuote && s.Kind == Timer },
			func(s *State, e *Event) []Effect {
				for i := range s.Quotes {
					if !s.Quotes[i].Gone && due(s.Quotes[i].Until, e.Now) {
						s.Quotes[i].Gone = true
					}
				}
				return nil
			}),
	}
}

// priced: a timer's own rows have looked at the credit and said what is due.
func priced(e *Event) bool { return e.via == "B26" || e.via == "B26a" || e.via == "B26b" }

func takes(s *State, n int64) bool {
	if s.Kind == Fixed {
		return n == s.Need
	}
	return s.Request.Min <= n && n <= s.Request.Max
}

// quoted is the quote that the credit pays, alive when the customer paid (the row may have expired since), and enough.
func quoted(s *State, e *Event) *Quote {
	fits := func(q *Quote) bool {
		return e.Credit.PaidAt.Before(q.Until) && held(s)+e.Credit.Amount >= q.Total
	}
	for i := range s.Quotes {
		if q := &s.Quotes[i]; e.Credit.Quote != "" && q.ID == e.Credit.Quote && fits(q) {
			return q
		}
	}
	for i := range s.Quotes {
		if q := &s.Quotes[i]; e.Credit.Quote == "" && q.Amount == e.Credit.Amount && fits(q) {
			return q
		}
	}
	return nil
}

// child is a payment of a static bill as a bill of its own, closed as it is made.
func child(s *State, e *Event, why payment.Reason) *State {
	id := e.NewID
	if id == "" {
		id = s.ID + "c" + strconv.Itoa(len(s.Children)+1)
	}
	s.Children = append(s.Children, Child{Provider: e.Credit.Provider, Txn: e.Credit.Txn, ID: id, Amount: e.Credit.Amount})
	r := s.Request
	r.Payment, r.Kind, r.Reference, r.Hash = id, Dynamic, s.Request.Reference+":"+id, ""
	r.Amount.Value = e.Credit.Amount
	c := &State{
		ID: id, Merchant: s.Merchant, Terminal: s.Terminal, Parent: s.ID, Kind: Dynamic, Request: r, Life: payment.Closed,
		Reason: why, Late: payment.LateNo, Need: e.Credit.Amount, By: "static", CreatedAt: e.Now, ClosedAt: e.Now,
		Credits: []Credit{*e.Credit}, Order: s.Order,
	}
	c.Order.CallBy, c.Order.Over = time.Time{}, true
	return c
}

// inserted is what becomes of a child: a bill of its own, and an event of that bill to the terminal, if it has one.
func inserted(c *State) []Effect {
	fx := all(Effect{Kind: Insert, New: c})
	if c.Terminal != "" {
		fx = append(all(Effect{Kind: Tell, Type: payment.EvChild, New: c}), fx...)
	}
	return fx
}
