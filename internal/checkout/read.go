package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/payment/lane"
)

// Get answers a payment as it stands, from memory or from the journal.
func (b *Box) Get(ctx context.Context, id string) (lane.Public, error) {
	pub, _, err := b.look1(ctx, id)
	return pub, err
}

// look1 answers also what to wait on for the next change of any payment.
func (b *Box) look1(ctx context.Context, id string) (pub lane.Public, changed chan struct{}, err error) {
	e := b.do(ctx, func() {
		var p *pay
		if p, err = b.get(id); err == nil {
			pub, changed = b.public(p), b.changed
		}
	})
	return pub, changed, errors.Join(e, err)
}

// lastLook is how long a wait that has ended may take for its answer.
const lastLook = time.Second

// Wait answers as Get, once the payment's version is above after, or when ctx ends: then as it stands, without an error.
func (b *Box) Wait(ctx context.Context, id string, after int64) (lane.Public, error) {
	for {
		pub, changed, err := b.look1(context.WithoutCancel(ctx), id)
		if err != nil || pub.Version > after {
			return pub, err
		}
		select {
		case <-changed:
		case <-ctx.Done(): // what is left of the code is less than at the start of the wait
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
			defer cancel()
			if now, err := b.Get(limited, id); err == nil {
				return now, nil
			}
			return pub, nil // the disk hangs: what was known before
		case <-b.stopped:
			return pub, b.gone()
		}
	}
}

// List answers the payments that f leaves, the newest first. Without Reference or Number it is those that the box has in
// memory: open, or not settled.
func (b *Box) List(ctx context.Context, f lane.Filter) ([]lane.Public, error) {
	return ask(ctx, b, func() ([]lane.Public, error) { return b.list(f) })
}

func (b *Box) list(f lane.Filter) ([]lane.Public, error) {
	ps, err := b.candidates(f)
	if err != nil {
		return nil, err
	}
	out := []lane.Public{}
	for _, p := range slices.Backward(ps) {
		if b.passes(p, f) {
			out = append(out, b.public(p))
		}
	}
	return out, nil
}

// candidates are the payments that f can be about, oldest first.
func (b *Box) candidates(f lane.Filter) ([]*pay, error) {
	var ps []*pay
	add := func(p *pay, err error) error {
		if unknown(err) {
			return nil
		}
		if err == nil && !slices.ContainsFunc(ps, func(q *pay) bool { return q.p.ID == p.p.ID }) {
			ps = append(ps, p)
		}
		return err
	}
	switch {
	case f.Reference != "":
		for name := range b.cfg.Lanes {
			if err := add(b.find("", refKey(name, f.Reference))); err != nil {
				return nil, err
			}
		}
	case f.Number != "":
		if err := add(b.numbered(f.Number)); err != nil {
			return nil, err
		}
		fallthrough
	default:
		for _, id := range b.order {
			_ = add(b.pays[id], nil)
		}
	}
	slices.SortStableFunc(ps, func(a, z *pay) int { return a.p.Stamps["asked"].Compare(z.p.Stamps["asked"]) })
	return ps, nil
}

func (b *Box) passes(p *pay, f lane.Filter) bool {
	switch {
	case f.Lane != "" && p.p.Lane != f.Lane,
		f.Reference != "" && p.p.Reference != f.Reference,
		f.Number != "" && p.p.Number != f.Number,
		f.Open && (!p.p.Live() || p.p.Stage == lane.Released || p.p.Stage == lane.Overridden):
		return false
	case f.Unsettled:
		flags := lane.Flags(p.p)
		return p.doubt.is() || p.p.Stage == lane.Restored || slices.Contains(flags, "owed") || slices.Contains(flags, "review")
	}
	return true
}

// numbered is the payment that bears a number, the newest if there were several on different days.
func (b *Box) numbered(number string) (*pay, error) {
	v, err := b.j.Find(context.Background(), bucketNumbers, number, "")
	if errors.Is(err, record.ErrNotFound) || number == keyLeases || number == "" {
		return nil, &lane.Refusal{Code: lane.NoNotFound}
	}
	if err != nil {
		return nil, b.failed(err)
	}
	var id string
	if err := json.Unmarshal(v.Body, &id); err != nil {
		return nil, err
	}
	return b.get(id)
}

// Availability is what a lane can take now.
func (b *Box) Availability(ctx context.Context, name string) (lane.Availability, error) {
	return ask(ctx, b, func() (lane.Availability, error) {
		l := b.lanes[name]
		if l == nil {
			return lane.Availability{}, &lane.Refusal{Code: lane.NoLane}
		}
		b.look()
		a := b.abilities(l, time.Now())
		since(&a.Show, l.told.Show, time.Now())
		since(&a.Scan, l.told.Scan, time.Now())
		return a, nil
	})
}

// Lanes are the names of the box's lanes, sorted.
func (b *Box) Lanes() []string {
	var out []string
	for name := range b.cfg.Lanes {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Payload answers what the code on glass says, while it is there; else lane.NoCodeNotLive.
func (b *Box) Payload(ctx context.Context, id string) (string, error) {
	return ask(ctx, b, func() (string, error) {
		p, err := b.get(id)
		if err != nil {
			return "", err
		}
		pub := b.public(p)
		if !p.live() || pub.QR == nil {
			return "", &lane.Refusal{Code: lane.NoCodeNotLive, Payment: &pub}
		}
		return pub.QR.Payload, nil
	})
}

// Acknowledge is a person's word: the payments under review were looked at, and the shop sells again after a lost or
// restored journal. A payment that waits for a decision about its goods stays under review until that is made.
func (b *Box) Acknowledge(ctx context.Context, who, why string) error {
	_, err := ask(ctx, b, func() (struct{}, error) {
		if err := b.j.Acknowledge(context.Background(), who, why); err != nil {
			return struct{}{}, b.failed(err)
		}
		looked := 0
		for _, id := range b.ids() {
			p := b.pays[id]
			if !p.p.UnderReview() || p.p.Stage == lane.Restored {
				continue
			}
			t := b.begin()
			if _, err := t.step(p, lane.Event{Kind: lane.TillReviewed, Who: who, Why: why}); err != nil {
				return struct{}{}, err
			}
			if err := t.commit(); err != nil {
				return struct{}{}, err
			}
			looked++
		}
		b.log.Info("looked at by a person", "who", who, "payments", looked)
		b.look()
		return struct{}{}, nil
	})
	return err
}

// look asks the journal whether a new payment has room. One that has stopped under somebody else's commit ends the box too.
func (b *Box) look() {
	b.room = b.j.CanStart()
	if errors.Is(b.room, record.ErrStopped) && b.fatal == nil {
		b.fatal = b.room
	}
	b.nextCheck = time.Now().Add(checkEvery)
}
