package integrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// Refusal is why the table did not take what a person, a console or a wallet asked.
type Refusal struct {
	Code string // payment.No…
	Why  string
}

// Error is the code with its detail.
func (r *Refusal) Error() string {
	if r.Why != "" {
		return r.Code + ": " + r.Why
	}
	return r.Code
}

// acts are the causes that Act takes: those that come neither from a box, nor from a provider's answer, nor from a clock.
func acts(c bill.Cause) bool {
	switch c {
	case bill.Decided, bill.Resolved, bill.Moved, bill.CallReturn, bill.CallUnapply, bill.CallView, bill.CallDeactivate,
		bill.Credited, bill.Clawed, bill.Bounced, bill.Silent:
		return true
	default:
		return false
	}
}

// Act takes an act of a person (B21a, B28, B35, B39, O7), a return by a console or a wallet (B12e, B36), or a line of a
// provider's registry (B20, B21, B38, O8) through the table. A *Refusal says that it has no place now. The caller has
// checked the role; a return by the box itself comes by Call alone. A person's decision comes by Decide.
func (s *Service) Act(ctx context.Context, id string, e bill.Event) (payment.Bill, error) {
	if !acts(e.Cause) || e.Cause == bill.CallReturn && (e.By == "" || e.By == bill.ByBox) {
		return payment.Bill{}, errors.New("act: not an act of a person, a console or a registry")
	}
	if e.NewID == "" {
		e.NewID = payment.NewID(time.Now())
	}
	if e.Credit != nil {
		st, err := s.store.Bill(ctx, id)
		if err != nil {
			return payment.Bill{}, fmt.Errorf("act on bill: %w", err)
		}
		if e.Credit, err = named(st, *e.Credit); err != nil {
			return payment.Bill{}, err
		}
		e.Credit.PaidAt = s.time.happened(e.Credit.PaidAt)
	}
	out, err := s.change(ctx, Subject{Bill: id}, e)
	if err != nil {
		return payment.Bill{}, fmt.Errorf("act on bill: %w", err)
	}
	b := s.view(out.bill)
	if out.reply != nil && out.reply.Refusal != "" {
		return b, &Refusal{Code: out.reply.Refusal, Why: out.reply.Why}
	}
	return b, nil
}

// named is a credit that a person or a registry booked, with what they need not say: the bill's provider, and the order
// that it came by, where there is no doubt, so that the provider can be asked to give it back.
func named(st bill.State, c bill.Credit) (*bill.Credit, error) {
	if c.Txn == "" || c.Amount <= 0 {
		return nil, errors.New("act: money needs the id of its payment and an amount")
	}
	if c.Provider == "" {
		c.Provider = st.Request.Provider
	}
	if c.Attempt == 0 && st.Order.ID == "" {
		for _, a := range st.Attempts {
			if a.Running || len(st.Attempts) == 1 {
				c.Attempt = a.N
			}
		}
	}
	return &c, nil
}

// Bill reads one bill as its box sees it.
func (s *Service) Bill(ctx context.Context, id string) (payment.Bill, error) {
	st, err := s.store.Bill(ctx, id)
	if err != nil {
		return payment.Bill{}, err
	}
	return s.view(st), nil
}

// doubts puts under review what its bank has not ended for Settings.Silent (B21). The row is for a bank's own
// list of a day's payments, which says so two days later; no provider here gives one, and two days of questions without an
// answer stand for it. It never decides anything: a person may now.
func (s *Service) doubts(ctx context.Context) {
	t := time.NewTicker(max(min(keepHouse, s.set.Silent), time.Second))
	defer t.Stop()
	for {
		if err := s.silent(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("old doubts were not looked at", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (s *Service) silent(ctx context.Context) error {
	ids, err := s.store.List(ctx, Query{Which: InDoubt})
	if err != nil {
		return err
	}
	for _, id := range ids {
		st, err := s.store.Bill(ctx, id)
		if err != nil {
			return err
		}
		if !st.Doubt || st.Review || s.time.now().Before(st.DoubtSince.Add(s.set.Silent)) {
			continue
		}
		if _, err := s.change(context.WithoutCancel(ctx), Subject{Bill: id}, bill.Event{Cause: bill.Silent}); err != nil {
			return err
		}
	}
	return nil
}
