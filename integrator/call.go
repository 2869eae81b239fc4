package integrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// Call answers one call of a box: accepted or refused. What becomes of it comes as events. An error means that nothing
// was decided: ErrSuperseded of an older session, or trouble of our own; the box asks again under the same id.
func (s *Service) Call(ctx context.Context, terminal string, epoch int64, id, method string, params json.RawMessage) (*wire.Result, *wire.Problem, error) {
	if method == wire.BillGet {
		return s.get(ctx, terminal, epoch, params)
	}
	c, problem := s.parse(terminal, method, params)
	if problem != nil {
		return nil, problem, nil
	}
	if !wire.ValidKey(id) {
		return nil, badParams(), nil
	}
	// A code is held before the commit, because a worker may look for it right after. Nobody will if no charge began.
	held := !c.code.Empty() && s.codes.put(c.bill, c.event.Attempt, c.code)
	a, res, problem, err := s.answer(ctx, Subject{Bill: c.bill, Terminal: terminal, Epoch: epoch, Call: id}, c)
	if held && (err != nil || !a.charge) {
		s.codes.take(c.bill, c.event.Attempt)
	}
	switch {
	case errors.Is(err, ErrReference):
		return s.seen(ctx, terminal, epoch, c)
	case errors.Is(err, ErrUnknownBill):
		return nil, wire.Refuse(payment.NoUnknownBill, "no bill of this payment is known here"), nil
	case err != nil:
		return nil, nil, err
	}
	if res != nil && method == wire.BillCreate {
		res.Numbers = s.more(ctx, terminal, epoch, a.numbers, c.event.Create.Number)
	}
	return res, problem, nil
}

// answered is an outcome with what was read and caused beside it.
type answered struct {
	outcome
	numbers payment.Numbers // the terminal's newest block
	charge  bool            // a charge began
}

// answer takes the call through the table, or repeats what was answered before.
func (s *Service) answer(ctx context.Context, sub Subject, c *call) (answered, *wire.Result, *wire.Problem, error) {
	var a answered
	var res *wire.Result
	var problem *wire.Problem
	var p place
	defer p.leave()
	err := s.store.Change(ctx, sub, func(k *Case) error {
		a, res, problem = answered{numbers: k.Numbers}, nil, nil
		if k.Called != nil {
			res, problem = s.again(k, c)
			return nil
		}
		if k.Bill.ID == "" && c.event.Cause != bill.CallCreate {
			return ErrUnknownBill
		}
		var err error
		if a.outcome, err = s.step(k, c.event, &p); err != nil {
			return err
		}
		for _, w := range k.Work {
			a.charge = a.charge || w.Kind == bill.ChargeCode
		}
		// An answer is kept for ever. A refusal made no row that its key could be a column of, so a repeat is judged anew, and
		// may be taken then: once, because what it makes keeps its key.
		if res, problem = said(a.reply); res != nil {
			k.Called = &Called{Hash: c.hash, Outcome: res.Outcome, Owed: res.Owed}
		}
		return nil
	})
	s.after(sub.Bill, c.event.Cause, a.outcome, &p, err)
	return a, res, problem, err
}

// again answers a call that was answered before: the same, with the bill as it stands now.
func (s *Service) again(k *Case, c *call) (*wire.Result, *wire.Problem) {
	if k.Called.Hash != c.hash && k.Called.Hash != c.was {
		return nil, wire.Refuse(payment.NoKeyReused, "this id was used for a call with other params")
	}
	b := s.view(k.Bill)
	return &wire.Result{Outcome: k.Called.Outcome, Owed: k.Called.Owed, Bill: &b}, nil
}

// said puts the table's reply on the wire.
func said(r *bill.Effect) (*wire.Result, *wire.Problem) {
	if r == nil {
		return nil, wire.Refuse(payment.NoWrongState, "the bill does not take this call now")
	}
	if r.Refusal == "" {
		return &wire.Result{Outcome: r.Outcome, Owed: r.Owed, Bill: r.Bill}, nil
	}
	p := wire.Refuse(r.Refusal, sentence(r.Refusal))
	p.Data.Why = r.Why
	if b := r.Bill; b != nil && b.Payment != "" {
		p.Data.Bill = b
	}
	return nil, p
}

// sentence says a refusal; no value of the caller's is in it.
func sentence(code string) string {
	switch code {
	case payment.NoKeyReused:
		return "this key was used for something else"
	case payment.NoReferenceUsed:
		return "the reference belongs to another sale"
	case payment.NoAlreadyConfirmed:
		return "the bill is confirmed with another amount, or cannot be undone as a whole"
	case payment.NoFinalExceedsPaid:
		return "the final amount is more than was paid"
	case payment.NoUseReturn:
		return "a final amount of nothing is a return"
	case payment.NoConfirmFirst:
		return "part of the money can go back only after the sale is confirmed"
	case payment.NoExceedsKept:
		return "more would go back than is kept"
	case payment.NoTooManyReturns:
		return "this bill has had as many returns as a bill may have"
	case payment.NoAdvanceApplied:
		return "more was asked than the advance has left"
	case payment.NoCannotExtend:
		return "the bill cannot live longer"
	case payment.NoAttemptRunning:
		return "an attempt to charge is under way"
	case payment.NoClosed:
		return "the bill is closed"
	default:
		return "the bill does not take this call now"
	}
}

// seen answers the create of a new payment under a reference that another bill holds: the box lost its memory (B1c).
func (s *Service) seen(ctx context.Context, terminal string, epoch int64, c *call) (*wire.Result, *wire.Problem, error) {
	first, err := s.store.ByReference(ctx, terminal, c.event.Create.Lane, c.event.Create.Reference)
	if err != nil {
		return nil, nil, fmt.Errorf("find the first bill of a reference: %w", err)
	}
	a, res, problem, err := s.answer(ctx, Subject{Bill: first, Terminal: terminal, Epoch: epoch}, c)
	if err != nil {
		return nil, nil, err
	}
	if problem != nil && problem.Data.Code == payment.NoReferenceUsed {
		problem.Data.Bill = nil // a box takes the bill of a refusal for the payment's own, and this is another sale's
	}
	s.log.Warn("reference came again under another payment", "terminal", terminal, "bill", first, "number", a.bill.Request.Number)
	return res, problem, nil
}

// more leases further numbers when the box's newest block runs low or is of another day; nil: not now. Losing the answer
// wastes a block and nothing else.
func (s *Service) more(ctx context.Context, terminal string, epoch int64, have payment.Numbers, used string) *payment.Numbers {
	day := businessDay(s.time.day(), s.zone)
	if have.Day == day && !low(have, used) {
		return nil
	}
	n, err := s.lease(ctx, terminal, epoch, day)
	if err != nil {
		s.log.Warn("numbers were not leased", "terminal", terminal, "err", err)
		return nil
	}
	return n
}

// low: the number is in the last quarter of the block. One of an older block says nothing: the box has the newest one yet
// to begin.
func low(have payment.Numbers, used string) bool {
	n, ok := number(used)
	if !ok {
		return false
	}
	return n > have.To-(have.To-have.From+1)/4 && n <= have.To
}

// get reads a bill; it changes nothing.
func (s *Service) get(ctx context.Context, terminal string, epoch int64, params json.RawMessage) (*wire.Result, *wire.Problem, error) {
	var g wire.Get
	if err := wire.Into(params, &g); err != nil || !payment.ValidID(g.Payment) {
		return nil, badParams(), nil
	}
	t, err := s.store.Terminal(ctx, terminal)
	if err != nil {
		return nil, nil, err
	}
	if t.Epoch != epoch {
		return nil, nil, ErrSuperseded
	}
	st, err := s.store.Bill(ctx, g.Payment)
	if errors.Is(err, ErrUnknownBill) || err == nil && st.Terminal != terminal {
		return nil, wire.Refuse(payment.NoUnknownBill, "no bill of this payment is known here"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	b := s.view(st)
	return &wire.Result{Outcome: payment.OutBill, Bill: &b}, nil, nil
}
