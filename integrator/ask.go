package integrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
	"tilld/payment/bill"
)

// errGone: the code of a charge was in the memory of a process that has ended. No claim of this ledger sent it; but the ledger
// may be a copy, put back, and the one that was lost has claimed more.
var errGone = errors.New("the code is not here any more")

// errNotConfigured: the bill's provider is not in the configuration. Nothing can be said about its orders.
var errNotConfigured = errors.New("provider is not configured")

// ask calls the provider and takes its answer through the table. The call happens outside of every transaction; its ids
// are in the bill since before.
func (s *Service) ask(ctx context.Context, w Work) error {
	keep := context.WithoutCancel(ctx) // claimed work is finished, also when the Service ends
	st, err := s.store.Bill(keep, w.Bill)
	if err != nil {
		return err
	}
	rep := bill.Report{Work: w.Kind, Attempt: w.Attempt, Request: w.Request}
	order, ok := orderOf(st, w.Attempt)
	if !ok {
		return s.drop(keep, w)
	}
	switch fail := tooLate(st, w, order, s.time.now()); {
	case w.Tries > 1 && once(w.Kind):
		// The claim before this one ended without an answer: whether it was sent, nobody knows. It is never sent again
		// before the provider was asked (B4, B32, O6).
		rep.Fail = bill.Unclear
	case fail != bill.Answered:
		rep.Fail = fail
		if _, held := s.codes.take(w.Bill, w.Attempt); w.Kind == bill.ChargeCode && !held {
			rep.Fail = bill.Unclear // who holds the code knows that it was not sent, and nobody else does: see errGone
		}
		s.log.Warn("provider had no turn in time, the call is not made", "provider", w.Provider, "bill", w.Bill, "work", string(w.Kind))
	default:
		r, err := s.call(ctx, w, st, order)
		s.heard(ctx, w.Provider, w.Kind, err)
		s.read(&rep, st, r, err)
	}
	return s.reported(keep, Subject{Bill: w.Bill, Done: &w}, rep)
}

// reported takes a report through the table. Money that is booked on another bill is left out: one transaction pays once.
func (s *Service) reported(ctx context.Context, sub Subject, rep bill.Report) error {
	for {
		_, err := s.change(ctx, sub, bill.Event{Cause: bill.Reported, Report: &rep, Attempt: rep.Attempt, NewID: payment.NewID(time.Now())})
		var taken *CreditTaken
		if !errors.As(err, &taken) {
			return err
		}
		s.log.Error("provider names one transaction for two bills", "bill", sub.Bill, "provider", taken.Provider, "txn", taken.Txn)
		kept := rep.Credits[:0:0]
		for _, c := range rep.Credits {
			if c.Txn != taken.Txn {
				kept = append(kept, c)
			}
		}
		if len(kept) == len(rep.Credits) {
			return err
		}
		rep.Credits = kept
	}
}

// tooLate says how a call that could make money come ends without being made: its bill has stopped waiting for it while
// it waited for its turn, or its time to land is over, after which the rows believe that nothing of it comes any more.
func tooLate(st bill.State, w Work, o bill.Order, now time.Time) bill.Fail {
	var wanted bool
	switch w.Kind {
	case bill.Present:
		wanted = st.Life == payment.Created || st.Life == payment.Open && st.Payload == ""
	case bill.ChargeCode:
		wanted = st.Life == payment.Open && slices.ContainsFunc(st.Attempts, func(a bill.Attempt) bool { return a.N == w.Attempt && a.Running })
	default:
		return bill.Answered
	}
	switch {
	case !wanted:
		return bill.Refused
	case !o.CallBy.IsZero() && !now.Before(o.CallBy):
		return bill.Busy
	default:
		return bill.Answered
	}
}

// once: work that must not reach the provider twice by itself.
func once(k bill.WorkKind) bool {
	return k == bill.Present || k == bill.ChargeCode || k == bill.GiveBack
}

func orderOf(st bill.State, attempt int) (bill.Order, bool) {
	if attempt == 0 {
		return st.Order, st.Order.ID != ""
	}
	for _, a := range st.Attempts {
		if a.N == attempt {
			return a.Order, true
		}
	}
	return bill.Order{}, false
}

// call makes the one call that w names, within its limit. When the Service ends, calls under way get StopGrace more.
func (s *Service) call(ctx context.Context, w Work, st bill.State, o bill.Order) (provider.Report, error) {
	name := st.Request.Provider
	p := s.providers[name]
	if p == nil {
		if w.Kind == bill.Present || w.Kind == bill.ChargeCode {
			return provider.Report{}, fmt.Errorf("%w: %w", errNotConfigured, provider.ErrRefused)
		}
		return provider.Report{}, errNotConfigured
	}
	limit := s.set.LookLimit
	if w.Kind == bill.Present || w.Kind == bill.ChargeCode {
		limit = s.env(name).Traits.CallLimit
	}
	callCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if once(w.Kind) && w.Kind != bill.GiveBack && !o.CallBy.IsZero() {
		var end context.CancelFunc
		callCtx, end = context.WithTimeout(callCtx, o.CallBy.Sub(s.time.now())) // it lands by then or never
		defer end()
	}
	stop := context.AfterFunc(ctx, func() { // ends with cancel or the grace, whichever is first
		pause(callCtx, s.set.StopGrace)
		cancel()
	})
	defer stop()
	start := time.Now()
	r, err := s.send(callCtx, p, w, st, s.order(callCtx, w, st, o))
	s.log.Debug("provider answered", "provider", name, "bill", w.Bill, "work", string(w.Kind), "state", string(r.State), "took", time.Since(start), "err", err)
	return r, err
}

// order is the order as the provider knows it.
func (s *Service) order(_ context.Context, w Work, st bill.State, o bill.Order) provider.Order {
	due := st.Request.Amount
	for _, a := range st.Attempts { // an order keeps the amount that it was made with, whatever other attempts brought since
		if w.Attempt > 0 && a.N == w.Attempt {
			due = due.Of(a.Amount)
		}
	}
	end := s.time.outside(bill.ProviderExpiry(st, s.env(st.Request.Provider).Traits))
	return provider.Order{
		ID: o.ID, Amount: due, Expiry: end.Add(time.Second - 1).Truncate(time.Second), // a call that is repeated says the same
		Number: st.Request.Number, Payee: st.Request.Payee, Memo: o.Memo,
		Keep: func(ctx context.Context, memo []byte) error {
			_, err := s.change(ctx, Subject{Bill: st.ID}, bill.Event{Cause: bill.Kept, Attempt: w.Attempt, Memo: memo})
			return err
		},
	}
}

func (s *Service) send(ctx context.Context, p provider.Provider, w Work, st bill.State, o provider.Order) (provider.Report, error) {
	cannot := fmt.Errorf("%s cannot %s: %w", st.Request.Provider, w.Kind, provider.ErrRefused)
	switch w.Kind {
	case bill.Present:
		if x, ok := p.(provider.Shower); ok {
			return x.Present(ctx, o)
		}
		return provider.Report{}, cannot
	case bill.ChargeCode:
		x, ok := p.(provider.Charger)
		if !ok {
			return provider.Report{}, cannot
		}
		code, held := s.codes.take(w.Bill, w.Attempt)
		if !held {
			return provider.Report{}, errGone
		}
		return x.Charge(ctx, o, code)
	case bill.GiveBack:
		if x, ok := p.(provider.Returner); ok {
			return x.Return(ctx, o, w.Request, w.Method, w.Txn, st.Request.Amount.Of(w.Amount))
		}
		return provider.Report{}, cannot
	case bill.Kill:
		return p.Kill(ctx, o)
	default:
		return p.Look(ctx, o)
	}
}

// read puts the provider's answer into the table's words. Money in another currency than the bill's is not understood, so
// nothing of such an answer is.
func (s *Service) read(rep *bill.Report, st bill.State, r provider.Report, err error) {
	switch {
	case err == nil:
	case errors.Is(err, provider.ErrRefused):
		rep.Fail, rep.Why = bill.Refused, "refused"
		var no *provider.Refusal
		switch {
		case errors.Is(err, errNotConfigured):
			rep.Why = "no_provider"
		case errors.As(err, &no) && payment.Printable(no.Why, payment.MaxWhy):
			rep.Why, rep.Most = no.Why, no.Most
		}
	case errors.Is(err, provider.ErrBusy):
		rep.Fail = bill.Busy
	case errors.Is(err, errGone): // whether it was sent, the bank is asked (B32)
		rep.Fail = bill.Unclear
	case errors.Is(err, errNotConfigured): // the start has said so, of all its bills
		rep.Fail = bill.Unclear
	default:
		rep.Fail = bill.Unclear
		s.log.Warn("provider did not answer", "provider", st.Request.Provider, "bill", st.ID, "work", string(rep.Work), "err", err)
	}
	for _, c := range r.Credits {
		if c.Amount.Currency != st.Request.Amount.Currency || c.Amount.Value <= 0 || c.Txn == "" {
			s.log.Error("provider reports money that cannot be booked", "provider", st.Request.Provider, "bill", st.ID, "txn", c.Txn)
			rep.Fail, rep.Credits = bill.Unclear, nil
			return
		}
		rep.Credits = append(rep.Credits, bill.Credit{
			Provider: st.Request.Provider, Txn: c.Txn, Amount: c.Amount.Value, PaidAt: s.time.happened(c.PaidAt), Attempt: rep.Attempt,
		})
	}
	for _, o := range r.Own {
		if o.Amount.Currency == st.Request.Amount.Currency && o.Amount.Value > 0 {
			rep.Own = append(rep.Own, bill.Own{Txn: o.Txn, Amount: o.Amount.Value, State: o.State})
		}
	}
	rep.Status, rep.Payload, rep.Expires, rep.Returns, rep.Memo = bill.Status(r.State), r.Payload, s.time.inside(r.Expires), r.Returns, r.Memo
	if rep.Payload != "" && !payment.Printable(rep.Payload, payment.MaxPayload) {
		s.log.Error("provider gives a code that cannot be shown", "provider", st.Request.Provider, "bill", st.ID, "bytes", len(rep.Payload))
		rep.Payload = ""
		if rep.Work == bill.Present && rep.Fail == bill.Answered {
			rep.Fail = bill.Unclear // there is an order at the bank, and no code for anybody to pay it by
		}
	}
	if r.Decline != nil {
		d := *r.Decline
		d.Attempt = rep.Attempt
		if d.Why != "" && !payment.Printable(d.Why, payment.MaxWhy) {
			s.log.Error("provider's reason for a decline is no code", "provider", st.Request.Provider, "bill", st.ID, "bytes", len(d.Why))
			d.Why = "other"
		}
		rep.Decline = &d
		if rep.Fail == bill.Refused && d.Why != "" {
			rep.Why = d.Why
		}
	}
}
