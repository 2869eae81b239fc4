package bill

import (
	"time"

	"tilld/payment"
)

func createRows() []Row {
	return []Row{
		row("B1u", "CLOSED; create of a new payment with the (lane, reference) of another sale: refused",
			func(s *State, e *Event) bool {
				return e.Cause == CallCreate && e.Create.Payment != s.ID && closed(s) && another(s, e)
			},
			func(*State, *Event) []Effect {
				return all(notice(payment.NoReferenceUsed), refuse(payment.NoReferenceUsed, ""))
			}),
		row("B1c", "any; create of a new payment with a known (lane, reference)",
			func(s *State, e *Event) bool {
				return e.Cause == CallCreate && s.ID != "" && e.Create.Payment != s.ID
			},
			func(s *State, e *Event) []Effect {
				s.Review = true
				if !forgotten(s) { // what one end has lost is the graver reason, and the box's word ends it
					s.Why = "reference_seen"
				}
				return all(notice("reference_seen"), reply(payment.OutReferenceSeen))
			}),
		row("B1a", "any; the same create again",
			func(s *State, e *Event) bool {
				return e.Cause == CallCreate && s.ID != "" && e.Create.Hash == s.Request.Hash
			},
			func(*State, *Event) []Effect { return all(reply(payment.OutCreated)) }),
		row("B1b", "any; create of this payment with another body",
			func(s *State, e *Event) bool { return e.Cause == CallCreate && s.ID != "" },
			func(*State, *Event) []Effect { return all(refuse(payment.NoKeyReused, "")) }),
		row("B1d", "no bill; create, mode scan",
			func(s *State, e *Event) bool { return e.Cause == CallCreate && e.Create.Mode == payment.Scan },
			func(s *State, e *Event) []Effect {
				born(s, e)
				s.Life = payment.Open
				return all(reply(payment.OutCreated), tell(payment.EvOpen))
			}),
		row("B1", "no bill; create",
			func(s *State, e *Event) bool { return e.Cause == CallCreate },
			func(s *State, e *Event) []Effect {
				born(s, e)
				s.Life = payment.Created
				s.CreateBy = e.Now.Add(e.set().CreateTimeout)
				s.Order = Order{ID: s.ID, CallBy: e.Now.Add(e.traits().CallLimit)}
				return all(reply(payment.OutCreated), work(Present, 0))
			}),
		row("B2", "CREATED; provider ok",
			func(s *State, e *Event) bool { return e.Cause == presented && created(s) },
			func(s *State, e *Event) []Effect {
				store(s, e)
				s.Life = payment.Open
				return all(tell(payment.EvOpen))
			}),
		row("B2b", "OPEN (by B4b); provider ok arrives",
			func(s *State, e *Event) bool { return e.Cause == presented && open(s) && s.Payload == "" },
			func(s *State, e *Event) []Effect {
				store(s, e)
				if s.Full {
					return nil
				}
				return all(tell(payment.EvOpen))
			}),
		row("B2a", "CLOSING, CLOSED; provider ok arrives now, or an unpaid order turns up after the end: kill it",
			func(s *State, e *Event) bool {
				return e.Cause == presented && (closing(s) || closed(s)) && e.Report.Work == Present ||
					e.Cause == status && closed(s) && e.via == "" && e.from == Look && e.status == Pending && e.Attempt == 0 && nobody(s)
			},
			func(s *State, e *Event) []Effect {
				if e.Cause == presented {
					store(s, e)
				}
				return all(hand(Event{Cause: status, status: Pending, from: Look, via: "B2a"}))
			}),
		row("B3", "CREATED; provider refused",
			func(s *State, e *Event) bool {
				return created(s) && (e.Cause == presentRefused || e.Cause == status && e.status == Dead && e.final)
			},
			func(s *State, e *Event) []Effect {
				if s.Why = e.Why; e.Report != nil {
					s.Most = e.Report.Most
				}
				s.Order.Over = true
				end(s, e, payment.Refused)
				return all(tell(payment.EvClosed))
			}),
		row("B3a", "CLOSING; create refused: that is a terminal status",
			func(s *State, e *Event) bool { return e.Cause == presentRefused && closing(s) },
			func(s *State, e *Event) []Effect {
				s.Order.Over = true
				return all(hand(Event{Cause: status, status: Dead, final: true, from: Look}))
			}),
		row("B4", "CREATED; time-out, 5xx, restart: ask by our own order id; terminal not-found: create again, same id",
			func(s *State, e *Event) bool {
				return created(s) && (e.Cause == presentUnclear || e.Cause == clockAsk || e.Cause == status && !created0(e))
			},
			func(s *State, e *Event) []Effect {
				switch {
				case e.Cause == presentUnclear && e.Report.Fail == Busy:
					s.Order.CallBy = time.Time{} // nothing happened and nothing can land
					return nil
				case e.Cause == status && e.status == Absent && e.final:
					s.Order.CallBy, s.Order.Absent, s.Order.Over = e.Now.Add(e.traits().CallLimit), 0, false
					return all(work(Present, 0))
				case e.Cause == status:
					return nil
				}
				return all(work(Look, 0))
			}),
		row("B4a", "CREATED; expires_at, or create_timeout",
			func(s *State, e *Event) bool {
				return e.Cause == clockCreate && created(s) && (due(s.CreateBy, e.Now) || due(s.ExpiresAt, e.Now))
			},
			func(s *State, e *Event) []Effect {
				fx := begin(s, e, payment.Expire)
				s.Doubt, s.DoubtSince = true, e.Now
				return append(all(tell(payment.EvClosing), tell(payment.EvDoubt)), fx...)
			}),
	}
}

// retryWithin is how long a till may ask again for a sale whose box has lost its journal meanwhile. A reference that comes
// later was used twice.
const retryWithin = 24 * time.Hour

// another: the create is of another sale than the bill. A till whose counter has begun anew uses its references again, and
// a shop has many sales of one amount, so an old bill is never the new sale's.
func another(s *State, e *Event) bool {
	was, is := &s.Request, e.Create
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	return is.Amount != was.Amount || is.Mode != was.Mode || is.Purpose != was.Purpose || is.AddsTo != was.AddsTo ||
		differ(is.Provider, was.Provider) || differ(is.Payee, was.Payee) || !e.Now.Before(s.CreatedAt.Add(retryWithin))
}

// created0: a status of a bill without a code that B3 takes instead.
func created0(e *Event) bool { return e.status == Dead && e.final }

// nobody has ever paid the bill's own order, so that killing it cannot give back what was kept.
func nobody(s *State) bool { return len(s.Credits) == 0 }

// born fills a new bill in.
func born(s *State, e *Event) {
	c := *e.Create
	if c.Kind == "" {
		c.Kind = Dynamic
	}
	if c.Life == 0 {
		c.Life = e.set().Life
	}
	if c.MaxOpen == 0 {
		c.MaxOpen = max(e.set().MaxOpen, c.Life)
	}
	*s = State{
		ID: c.Payment, Merchant: c.Merchant, Terminal: c.Terminal, Kind: c.Kind, Request: c, Late: payment.LateNo,
		Need: c.Amount.Value, CreatedAt: e.Now, Version: s.Version,
	}
	if c.Kind == Dynamic {
		s.ExpiresAt, s.MaxOpenAt = e.Now.Add(c.Life), e.Now.Add(c.MaxOpen)
	}
}

// store keeps what the provider said of the order it made.
func store(s *State, e *Event) {
	r := e.Report
	s.Payload = r.Payload
	s.Order.CallBy, s.Order.Absent, s.Order.Over = time.Time{}, 0, false
	if r.Ref != "" {
		s.Order.Ref = r.Ref
	}
	if !r.Expires.IsZero() {
		s.ProviderExpires = r.Expires
	}
}
