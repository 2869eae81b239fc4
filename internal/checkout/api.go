package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// Create takes a payment on (E1, E1a, E1b). created is false where the reference is known with the same body: then the
// payment as it stands is answered. Errors are *lane.Refusal where the till can act on them.
func (b *Box) Create(ctx context.Context, r lane.Request) (pub lane.Public, created bool, err error) {
	e := b.do(ctx, func() { pub, created, err = b.create(r) })
	return pub, created, errors.Join(e, err)
}

func (b *Box) create(r lane.Request) (lane.Public, bool, error) {
	l := b.lanes[r.Lane]
	if l == nil {
		return lane.Public{}, false, &lane.Refusal{Code: lane.NoLane}
	}
	b.fill(l, &r)
	hash, err := hashOf(r)
	if err != nil {
		return lane.Public{}, false, err
	}
	known, err := b.find("", refKey(r.Lane, r.Reference))
	switch {
	case err == nil:
		_, err = b.till(known, lane.Event{Kind: lane.TillCreate, Hash: hash, Create: &r})
		return b.public(known), false, err
	case !unknown(err):
		return lane.Public{}, false, err
	}
	now := time.Now()
	why := b.ability(l, r, now)
	id := payment.NewID(now)
	t := b.begin()
	wait, follows, err := t.replace(r, id, why)
	if err != nil {
		return lane.Public{}, false, err
	}
	number, left, ok := b.numbers.take()
	if why == "" && !ok {
		why = whyNumbers
	}
	p := newPay()
	busy := b.busy(r.Lane, follows)
	d, err := t.step(p, lane.Event{Kind: lane.TillCreate, ID: id, Number: number, Hash: hash, Create: &r, Why: why, Busy: busy != nil, Wait: wait})
	if err != nil {
		return lane.Public{}, false, b.standsInTheWay(err, busy)
	}
	if !r.Code.Empty() && r.Mode == payment.Scan {
		if _, err := t.scanned(p, r.Code, now); err != nil {
			return lane.Public{}, false, err
		}
	}
	t.numbers = &left
	t.batch.Puts = append(t.batch.Puts, left.put(), record.Put{Bucket: bucketNumbers, Key: number, Body: json.RawMessage(`"` + id + `"`)})
	if b.link.up {
		if _, err := t.step(p, lane.Event{Kind: lane.LinkReady, Gate: wait && t.gate(d.next)}); err != nil {
			return lane.Public{}, false, err
		}
	}
	before := l.shows
	b.take(r.Lane, id)
	if err := t.commit(); err != nil {
		l.shows = before
		return lane.Public{}, false, storage(err)
	}
	return b.public(p), true, nil
}

// fill puts the lane's and the box's defaults in, so that equal requests are equal.
func (b *Box) fill(l *laneState, r *lane.Request) {
	if r.ExpiresIn == 0 {
		r.ExpiresIn = b.times.Life
	}
	r.ExpiresIn = min(max(r.ExpiresIn, b.times.LifeMin), b.times.MaxOpen)
	if r.Purpose == "" {
		r.Purpose = payment.Sale
	}
	if len(r.Outputs) == 0 {
		r.Outputs = l.cfg.Outputs
	}
	if r.IfNotConfirmed == "" {
		if r.IfNotConfirmed = l.cfg.IfNotConfirmed; r.IfNotConfirmed == "" {
			if r.IfNotConfirmed = payment.Return; l.cfg.Attended {
				r.IfNotConfirmed = payment.Keep
			}
		}
	}
}

// hashOf is of everything but the code, which is in no JSON.
func hashOf(r lane.Request) (string, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// ability is why this very payment cannot be taken now, "" if it can.
func (b *Box) ability(l *laneState, r lane.Request, now time.Time) string {
	b.look()
	a := b.abilities(l, now)
	of := a.Show
	if r.Mode == payment.Scan {
		of = a.Scan
		if of.Why == whyScanner && !r.Code.Empty() {
			of.OK, of.Why = true, "" // the till has read the code itself
		}
	}
	if of.OK && r.Provider != "" && !slices.Contains(of.Providers, r.Provider) {
		return whyProvider
	}
	return of.Why
}

// replace is what r.Replaces does to the payment it names, in this Batch. wait: the new one waits for the gate.
func (t *tx) replace(r lane.Request, id, why string) (wait bool, follows string, err error) {
	if r.Replaces == "" {
		return false, "", nil
	}
	old, err := t.b.get(r.Replaces)
	if err != nil {
		return false, "", err
	}
	if old.p.Lane != r.Lane {
		return false, "", &lane.Refusal{Code: lane.NoNotFound}
	}
	for _, q := range t.b.sale(old.p, t.lookup) { // paid by another payment of this sale is paid, too
		if q.Stage == lane.Paid || q.Stage == lane.Released || q.Stage == lane.Done {
			pub := t.b.face(q, doubt{}, nil, t.lookup, t.now)
			return false, "", &lane.Refusal{Code: lane.NoReplacedWasPaid, Payment: &pub}
		}
	}
	ended := old.p.Stage == lane.Ended
	d, err := t.step(old, lane.Event{Kind: lane.TillReplace, ID: id, Why: why})
	if err != nil {
		return false, "", err
	}
	return !ended || !t.gateOf(d.next, id), old.p.ID, nil
}

// gate says whether a waiting payment may go at once.
func (t *tx) gate(p lane.Payment) bool {
	return lane.GateOpen(t.b.sale(p, t.lookup), p.ID)
}

// gateOf is the gate of a payment that is about to stand in old's place.
func (t *tx) gateOf(old lane.Payment, id string) bool {
	return lane.GateOpen(t.b.sale(old, t.lookup), id)
}

// busy is the payment that holds the lane, other than the one that is being replaced.
func (b *Box) busy(name, replaced string) *pay {
	for _, id := range b.order {
		p := b.pays[id]
		if p.p.Lane == name && id != replaced && lane.Occupies(p.p) {
			return p
		}
	}
	return nil
}

// standsInTheWay adds the payment that holds the lane to its refusal.
func (b *Box) standsInTheWay(err error, busy *pay) error {
	var r *lane.Refusal
	if errors.As(err, &r) && r.Code == lane.NoLaneBusy && busy != nil {
		pub := b.public(busy)
		r.Payment = &pub
	}
	return err
}

// storage says a journal without room as the till knows it.
func storage(err error) error {
	if errors.Is(err, record.ErrFull) {
		return &lane.Refusal{Code: lane.NoUnavailable, Why: whyDisk}
	}
	return err
}

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
	return b.act(ctx, id, lane.Event{Kind: lane.TillConfirm, Confirm: &r, Who: r.Who})
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
// one is withdrawn in the same Batch (E13r).
func (b *Box) Override(ctx context.Context, id string, r lane.OverrideRequest) (lane.Public, error) {
	return ask(ctx, b, func() (lane.Public, error) {
		p, err := b.get(id)
		if err != nil {
			return lane.Public{}, err
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
		How: "cancel", State: "done", Reason: r.Reason, At: time.Now().UTC(),
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
		return pub, false, ErrStopped
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

// Scan takes a customer's code that was read at the lane (C1, C1a, C2); at is when its last byte came. nil: it is the
// code of a payment, which has it now.
func (b *Box) Scan(ctx context.Context, laneName string, code payment.Code, at time.Time) error {
	_, err := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.scan(laneName, code, at) })
	return err
}

func (b *Box) scan(laneName string, code payment.Code, at time.Time) error {
	var p *pay
	for _, id := range b.order {
		if q := b.pays[id]; q.p.Lane == laneName && q.p.Mode == payment.Scan && lane.Occupies(q.p) {
			p = q
		}
	}
	if p == nil {
		return &lane.Refusal{Code: lane.NoNotFound}
	}
	if time.Since(at) >= b.times.CodeAge {
		pub := b.public(p)
		return &lane.Refusal{Code: lane.NoCodeOld, Payment: &pub}
	}
	t := b.begin()
	took, err := t.scanned(p, code, at)
	if err != nil {
		return err
	}
	if err := t.commit(); err != nil {
		return err
	}
	if !took {
		pub := b.public(p)
		return &lane.Refusal{Code: lane.NoWrongState, Payment: &pub}
	}
	return nil
}

// scanned charges the code, or keeps it until it can be charged. false: this payment takes none now.
func (t *tx) scanned(p *pay, code payment.Code, at time.Time) (bool, error) {
	d := t.draft(p)
	was, before := len(d.rows), d.code
	beforeRead := d.codeRead
	d.code, d.codeRead = code, at
	sum := sha256.Sum256([]byte(d.next.ID + "\n" + code.Reveal()))
	d, err := t.step(p, lane.Event{Kind: lane.Scanned, Hash: hex.EncodeToString(sum[:]), Age: t.now.Sub(at)})
	if err != nil {
		return false, err
	}
	if len(d.rows) == was || d.rows[len(d.rows)-1] == "C2" {
		d.code, d.codeRead = before, beforeRead
		return false, nil
	}
	if d.next.Stage == lane.Charging {
		d.code = payment.Code{} // the call has it now
	}
	return true, nil
}
