package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

// Scan takes a customer's code that was read at the lane (C1, C1a, C2); at is when its last byte came, told the reading as
// an event. nil: it is the code of a payment, which has it now, and told was committed with that.
func (b *Box) Scan(ctx context.Context, laneName string, code payment.Code, at time.Time, told record.Event) error {
	_, err := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.scan(laneName, code, at, told) })
	return err
}

func (b *Box) scan(laneName string, code payment.Code, at time.Time, told record.Event) error {
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
	if took {
		t.batch.Events = append(t.batch.Events, told)
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
	d, err := t.step(p, lane.Event{Kind: lane.Scanned, Hash: hex.EncodeToString(sum[:]), Old: t.now.Sub(at) >= t.b.times.CodeAge})
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
