package integrator

import (
	"context"
	"errors"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// outcome is what one change came to, for whoever made it.
type outcome struct {
	bill  bill.State
	reply *bill.Effect // nil: nobody asked
	rows  []string
	told  []Tell
	works int
	due   time.Time
	alarm string
	of    *Case
}

// step takes the event through the bill's table and puts what comes of it into the case. Work that comes of it is claimed
// at once, if a place is free: to put it on the queue first would cost a second commit.
func (s *Service) step(c *Case, e bill.Event, p *place) (outcome, error) {
	name := c.Bill.Request.Provider
	if e.Create != nil && c.Bill.ID == "" {
		name = e.Create.Provider
	}
	e.Now = s.time.now()
	e.Env = s.env(name)
	next, effects, rows, err := bill.Step(c.Bill, e)
	out := outcome{rows: rows, of: c}
	if err != nil {
		for _, f := range effects {
			out.alarm += f.Code
		}
		return out, err
	}
	out.due = bill.Due(next)
	c.Bill, c.Now, c.Due = next, e.Now, &out.due
	if s.providers[name] != nil {
		c.Queue = name
	}
	for _, f := range effects {
		if f.Bill != nil {
			f.Bill.At = s.time.day()
		}
		switch f.Kind {
		case bill.Tell:
			c.Tell = append(c.Tell, Tell{Type: f.Type, Fresh: f.Fresh, Body: *f.Bill})
		case bill.Do:
			c.Work = append(c.Work, f.Work)
		case bill.Insert:
			c.New = append(c.New, *f.New)
		case bill.Notice:
			c.Notices = append(c.Notices, f.Code)
		case bill.Reply:
			out.reply = &f
		}
	}
	if len(c.Work) > 0 && c.Queue != "" {
		c.Lease = p.take(s.queues[c.Queue])
	}
	out.bill, out.told, out.works = c.Bill, c.Tell, len(c.Work)
	return out, nil
}

// view is the bill as its box and people see it now.
func (s *Service) view(st bill.State) payment.Bill {
	b := bill.Snapshot(st, s.time.now())
	b.At = s.time.day()
	return b
}

// change takes one event through the table, durably, and wakes whoever has to know. make is given the bill as it stands
// and may run again; no event: nothing is changed.
func (s *Service) change(ctx context.Context, sub Subject, e bill.Event) (outcome, error) {
	var out outcome
	var p place
	defer p.leave()
	err := s.store.Change(ctx, sub, func(c *Case) error {
		var err error
		if c.Bill.ID == "" && e.Cause != bill.CallCreate {
			return ErrUnknownBill
		}
		out, err = s.step(c, e, &p)
		return err
	})
	s.after(sub.Bill, e.Cause, out, &p, err)
	return out, err
}

// after wakes and logs, once the change is durable, or was refused.
func (s *Service) after(id string, cause bill.Cause, out outcome, p *place, err error) {
	claimed := p.begin(out.of, err)
	if errors.Is(err, bill.ErrInvariant) {
		s.log.Error("change refused, the sums would not add up", "bill", id, "cause", string(cause), "alarm", out.alarm, "rows", out.rows)
	}
	if err != nil {
		return
	}
	s.changed.Store(true)
	if len(out.told) > 0 && out.bill.Terminal != "" {
		s.watch.signal(out.bill.Terminal)
	}
	switch {
	case claimed && out.works == 1:
		s.wake(out.bill.Request.Provider, out.of.Now.Add(out.of.Lease)) // should it end without an answer
	case out.works > 0:
		s.wake(out.bill.Request.Provider, time.Time{})
	}
	if !out.due.IsZero() {
		s.wake(clocks, out.due)
	}
	if out.of != nil && out.of.Again {
		s.wake(out.bill.Request.Provider, time.Time{}) // its queue slept until the end of that lease
	}
	s.tellLog(id, cause, out)
}

// tellLog makes the log read as a shop's day: a line for each thing that matters to a sale.
func (s *Service) tellLog(id string, cause bill.Cause, out outcome) {
	s.log.Debug("bill changed", "bill", id, "cause", string(cause), "rows", out.rows)
	for _, t := range out.told {
		b := t.Body
		switch t.Type {
		case payment.EvPaid, payment.EvClosed, payment.EvDone, payment.EvReturned, payment.EvPaidAfter, payment.EvLate:
			s.log.Info("bill moved", "bill", id, "event", t.Type, "number", b.Number, "terminal", out.bill.Terminal, "lane", b.Lane, "provider", b.Provider,
				"status", b.Status, "paid", b.Paid, "kept", b.Kept, "owed", b.Owed, "currency", b.Amount.Currency)
		case payment.EvDoubt:
			s.log.Warn("bill in doubt", "bill", id, "number", b.Number, "provider", b.Provider)
		}
	}
	if out.of == nil {
		return
	}
	for _, code := range out.of.Notices { // what repeats is told once a day
		s.log.Warn("bill wants a person", "bill", id, "number", out.bill.Request.Number, "why", code)
	}
}
