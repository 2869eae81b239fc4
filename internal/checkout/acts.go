package checkout

import (
	"context"
	"time"

	"tilld/payment/lane"
)

// till is one step that the till asked for. On a refusal nothing has changed.
func (b *Box) till(p *pay, e lane.Event) (*draft, error) {
	t := b.begin()
	d, err := t.step(p, e)
	if err != nil {
		return nil, err
	}
	return d, t.commit()
}

// act finds a payment, takes one step and answers the payment after it.
func (b *Box) act(ctx context.Context, id string, e lane.Event) (lane.Public, error) {
	return ask(ctx, b, func() (lane.Public, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Public{}, err
		}
		if _, err := b.till(p, e); err != nil {
			return lane.Public{}, err
		}
		return b.public(p), nil
	})
}

// Confirm says that the goods have left (E14).
func (b *Box) Confirm(ctx context.Context, id string, r lane.ConfirmRequest) (lane.Public, error) {
	return ask(ctx, b, func() (lane.Public, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Public{}, err
		}
		if r.Final != nil && r.Final.Currency != p.p.Amount.Currency {
			pub := b.public(p)
			return pub, &lane.Refusal{Code: lane.NoFinalExceedsPaid, Why: "currency", Payment: &pub}
		}
		if _, err := b.till(p, lane.Event{Kind: lane.TillConfirm, Confirm: &r, Who: r.Who}); err != nil {
			return lane.Public{}, err
		}
		return b.public(p), nil
	})
}

// PutReceipt keeps the till's document about the sale.
func (b *Box) PutReceipt(ctx context.Context, id string, r lane.Receipt) (lane.Public, error) {
	return b.act(ctx, id, lane.Event{Kind: lane.TillReceipt, Receipt: &r})
}

// Accept takes late money that is on offer (E8). The answer is not yet paid: only the integrator's word is.
func (b *Box) Accept(ctx context.Context, id string) (lane.Public, error) {
	return b.act(ctx, id, lane.Event{Kind: lane.TillAccept})
}

// Park frees the lane (E12p).
func (b *Box) Park(ctx context.Context, id string) (lane.Public, error) {
	return b.act(ctx, id, lane.Event{Kind: lane.TillPark})
}

// Override says that a supervisor took other money while nobody knew (E13). A payment that waits in the place of this
// one is withdrawn in the same Batch (E13r); one that has been sent in its place is the one to be overridden.
func (b *Box) Override(ctx context.Context, id string, r lane.OverrideRequest) (lane.Public, error) {
	return ask(ctx, b, func() (lane.Public, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Public{}, err
		}
		if q := lane.Successor(p.p, b.sale(p.p, b.lookup)); q != nil { // taking other money for it would leave that one to be paid
			pub := b.face(*q, doubt{}, nil, b.lookup, time.Now())
			if on := b.pays[q.ID]; on != nil {
				pub = b.public(on)
			}
			return lane.Public{}, &lane.Refusal{Code: lane.NoWrongState, Payment: &pub}
		}
		t := b.begin()
		waiting := b.waiting(p.p)
		if _, err := t.step(p, lane.Event{Kind: lane.TillOverride, Override: &r, Follows: waiting != nil}); err != nil {
			return lane.Public{}, err
		}
		if waiting != nil {
			if _, err := t.step(waiting, lane.Event{Kind: lane.OldOver}); err != nil {
				return lane.Public{}, err
			}
		}
		if err := t.commit(); err != nil {
			return lane.Public{}, err
		}
		return b.public(p), nil
	})
}

// waiting is the payment of this sale that waits for the gate, if there is one.
func (b *Box) waiting(p lane.Payment) *pay {
	for _, q := range b.sale(p, b.lookup) {
		if q.Waiting && q.Stage == lane.Submitted {
			return b.pays[q.ID]
		}
	}
	return nil
}

// Return gives money back: the whole of an unconfirmed payment (E10), or a part of what was kept (E16). The same
// reference is the same return.
func (b *Box) Return(ctx context.Context, id string, r lane.ReturnRequest) (lane.Return, error) {
	return ask(ctx, b, func() (lane.Return, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Return{}, err
		}
		if r.Amount != nil && r.Amount.Currency != p.p.Amount.Currency {
			pub := b.public(p)
			return lane.Return{}, &lane.Refusal{Code: lane.NoExceedsKept, Why: "currency", Payment: &pub}
		}
		if _, err := b.till(p, lane.Event{Kind: lane.TillReturn, Return: &r, Who: r.Who}); err != nil {
			return lane.Return{}, err
		}
		return b.returned(p, r), nil
	})
}

// returned is the return that a request made, or found: by its reference, else the payment's fence, else (withdrawn
// before anything was sent) a return of nothing that is done.
func (b *Box) returned(p *pay, r lane.ReturnRequest) lane.Return {
	pub := b.public(p)
	for _, id := range []string{lane.ReturnKey(p.p.BillID, r.Reference), p.p.Fence} {
		for _, x := range pub.Returns {
			if x.ID == id && id != "" {
				x.Reference = r.Reference
				return x
			}
		}
	}
	return lane.Return{
		ID: lane.ReturnKey(p.p.BillID, r.Reference), Reference: r.Reference, Amount: lane.NewAmount(p.p.Amount.Of(0)),
		How: "cancel", State: "done", Reason: r.Reason, At: b.wall(),
	}
}

// Extend asks for more time (E1x) and waits for the integrator's answer, at most Times.ExtendWait. decided is false if
// it has not come by then; a refusal is lane.NoCannotExtend with its why.
func (b *Box) Extend(ctx context.Context, id string, by time.Duration) (pub lane.Public, decided bool, err error) {
	answer := make(chan lane.Answer, 1) // at most one answer is put in
	call := ""
	pub, err = ask(ctx, b, func() (lane.Public, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Public{}, err
		}
		d, err := b.till(p, lane.Event{Kind: lane.TillExtend, By: by})
		if err != nil {
			return lane.Public{}, err
		}
		if n := len(d.next.Calls); n > 0 {
			call = d.next.Calls[n-1].ID
			b.extends[call] = answer
		}
		return b.public(p), nil
	})
	if err != nil {
		return pub, false, err
	}
	limit := time.NewTimer(b.times.ExtendWait)
	defer limit.Stop()
	select {
	case a := <-answer:
		if pub, err = b.Get(ctx, id); err == nil && a.Code != "" {
			err = &lane.Refusal{Code: lane.NoCannotExtend, Why: a.Why, Payment: &pub}
		}
		return pub, true, err
	case <-limit.C:
	case <-ctx.Done():
	case <-b.stopped:
		return pub, false, b.gone()
	}
	return pub, false, b.do(context.WithoutCancel(ctx), func() { delete(b.extends, call) })
}

// wake tells who waits for the answer to an extend.
func (b *Box) wake(id string, a lane.Answer) {
	if c, ok := b.extends[id]; ok {
		delete(b.extends, id)
		c <- a
	}
}
