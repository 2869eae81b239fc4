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
	if why == whyLink {
		b.waker.Wake() // a customer stands there: the link need not wait for its turn
	}
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
		return lane.Public{}, false, b.standsInTheWay(err, r, busy)
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
	if r.Mode == payment.Show && (of.OK || of.Why == whyOutput) { // this payment may name outputs of its own
		of.OK, of.Why = b.canShow(l, r.Outputs), whyOutput
		of.Providers = b.link.providers
		if of.OK {
			of.Why = ""
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
		if q.Stage == lane.Overridden || q.Stage == lane.OverriddenEnded { // so is one for which other money was taken
			pub := t.b.face(q, doubt{}, nil, t.lookup, t.now)
			return false, "", &lane.Refusal{Code: lane.NoOverridden, Payment: &pub}
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

// standsInTheWay adds to a refusal the payment that holds the lane, and what the cashier is to do.
func (b *Box) standsInTheWay(err error, of lane.Request, busy *pay) error {
	var r *lane.Refusal
	switch {
	case !errors.As(err, &r):
	case r.Code == lane.NoLaneBusy && busy != nil:
		pub := b.public(busy)
		r.Payment, r.Say = &pub, b.sentence(of.Lane, "busy", map[string]string{"num": pub.Number})
	case r.Code == lane.NoUnavailable && busy == nil: // else that payment says first what is to be done
		r.Say = b.otherMoney(of.Lane, r.Why, of.Provider)
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
