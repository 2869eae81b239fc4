package checkout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tilld/payment/lane"
)

// paidAgain is how old a payment's paid screen may be to be shown again after a restart: its customer is still there.
const paidAgain = 15 * time.Second

// boot replays the journal: every payment that was in memory is again, with its clocks, its calls and its place on the
// glass. Every lane's outputs are wiped first.
func (b *Box) boot(ctx context.Context) error {
	for _, l := range b.lanes {
		b.idle(l)
	}
	if err := b.bootNumbers(ctx); err != nil {
		return err
	}
	puts, err := b.j.Live(ctx, bucketPayments)
	if err != nil {
		return b.failed(err)
	}
	now := time.Now()
	for _, v := range puts {
		p, err := load(v)
		if err != nil {
			return err
		}
		p.ends = b.afterRestart(p.p, now)
		b.pays[p.p.ID] = p
		b.order = append(b.order, p.p.ID)
		if p.p.BillID != p.p.ID {
			b.bills[p.p.BillID] = p.p.ID
		}
		p.charged = now
		b.waits(p, now)
		fresh := p.p.Stage == lane.Paid && !p.p.Parked && p.p.ReplacedBy == "" && b.ago(p.p.Stamps["paid"]) < paidAgain
		if lane.Occupies(p.p) || fresh {
			b.take(p.p.Lane, p.p.ID)
		}
	}
	if b.cfg.Restored {
		if err := b.foundCopy(); err != nil {
			return err
		}
	}
	for _, id := range b.ids() {
		p := b.pays[id]
		if p == nil {
			continue
		}
		t := b.begin()
		if _, err := t.step(p, lane.Event{Kind: lane.Boot, Left: time.Until(p.ends[lane.Countdown])}); err != nil {
			return err
		}
		if err := t.commit(); err != nil {
			return err
		}
	}
	if err := b.bootAgain(ctx); err != nil {
		return err
	}
	b.log.Info("checkout started", "lanes", len(b.lanes), "payments", len(b.pays), "calls", len(b.j.Calls()))
	return nil
}

func (b *Box) bootNumbers(ctx context.Context) error {
	puts, err := b.j.Live(ctx, bucketNumbers)
	if err != nil {
		return b.failed(err)
	}
	for _, v := range puts {
		if v.Key != keyLeases {
			continue
		}
		var n numbers
		if err := json.Unmarshal(v.Body, &n); err != nil {
			return fmt.Errorf("read the numbers from the journal: %w", err)
		}
		b.have(n)
		// A copy that a person has acknowledged and the integrator has not heard of is still one.
		b.restored = n.Copy
	}
	return nil
}

// foundCopy is E33: what the copy says of payments that were not over is not believed until the integrator has spoken.
func (b *Box) foundCopy() error {
	b.restored = true
	t := b.begin()
	t.numbers = &numbers{Copy: true}
	t.batch.Puts = append(t.batch.Puts, t.numbers.put())
	if err := t.commit(); err != nil {
		return err
	}
	for _, id := range b.ids() {
		t := b.begin()
		if _, err := t.step(b.pays[id], lane.Event{Kind: lane.FoundCopy}); err != nil {
			return err
		}
		if err := t.commit(); err != nil {
			return err
		}
	}
	b.log.Error("the journal is a copy: payments that were open are under review")
	return nil
}
