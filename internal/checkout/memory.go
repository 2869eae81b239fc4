package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tilld/internal/record"
	"tilld/payment/lane"
)

// lookup finds a payment in memory or in the journal.
func (b *Box) lookup(id string) (lane.Payment, bool) {
	p, err := b.get(id)
	if err != nil {
		return lane.Payment{}, false
	}
	return p.p, true
}

// get finds a payment by its id or by its bill's, in memory or in the journal. One from the journal is not kept in
// memory unless a step makes it live again.
func (b *Box) get(id string) (*pay, error) {
	if p, ok := b.pays[id]; ok {
		return p, nil
	}
	if other, ok := b.bills[id]; ok {
		return b.pays[other], nil
	}
	p, err := b.find(id, "")
	if !unknown(err) {
		return p, err
	}
	v, other := b.j.Find(context.Background(), bucketBills, id, "")
	var of string
	if other != nil || json.Unmarshal(v.Body, &of) != nil {
		return nil, err
	}
	return b.find(of, "")
}

func (b *Box) find(id, ref string) (*pay, error) {
	v, err := b.j.Find(context.Background(), bucketPayments, id, ref)
	if errors.Is(err, record.ErrNotFound) {
		return nil, &lane.Refusal{Code: lane.NoNotFound}
	}
	if err != nil {
		return nil, b.failed(err)
	}
	if p, ok := b.pays[v.Key]; ok {
		return p, nil
	}
	return load(v)
}

func load(v record.Put) (*pay, error) {
	p := newPay()
	if err := json.Unmarshal(v.Body, &p.p); err != nil {
		return nil, fmt.Errorf("read payment %s from the journal: %w", v.Key, err)
	}
	return p, nil
}

func newPay() *pay {
	return &pay{due: map[lane.Clock]time.Time{}, asked: map[string]time.Time{}}
}

func refKey(laneName, reference string) string { return laneName + "/" + reference }

// calmFor is the pause after a commit that failed and may work later.
const calmFor = time.Second

// failed remembers the one error that ends the box.
func (b *Box) failed(err error) error {
	b.calm = time.Now().Add(calmFor)
	if errors.Is(err, record.ErrStopped) && b.fatal == nil {
		b.fatal = err
	}
	return err
}
