package checkout

import (
	"maps"
	"time"

	"tilld/payment/lane"
)

// known keeps the three ends that the integrator sets. A clock that stops and runs on later still has its end.
type known map[lane.Clock]time.Time

// ends are the ends that a record tells, counted from when it was made: by the monotonic clock where it is news, by the
// wall clock after a restart. A wall clock that went back takes nothing off: the integrator ends the code anyway.
func ends(p lane.Payment, from time.Time) known {
	k := known{}
	add := func(c lane.Clock, left int64) {
		if left > 0 {
			k[c] = from.Add(time.Duration(left) * time.Millisecond)
		}
	}
	add(lane.Countdown, p.LeftMS)
	add(lane.MaxOpen, p.MaxOpenMS)
	add(lane.Lease, p.LeaseMS)
	return k
}

// afterRestart are the ends of a record that an earlier run has made.
func (b *Box) afterRestart(p lane.Payment, now time.Time) known {
	return ends(p, now.Add(-b.ago(p.LeftAt)))
}

// wall is the time as people call it.
func (b *Box) wall() time.Time { return b.cfg.Wall().UTC().Round(0) }

// ago is how long ago a stamp is, by the wall clock: nothing, if it has gone back since.
func (b *Box) ago(stamp time.Time) time.Duration { return max(0, b.wall().Sub(stamp)) }

// endsOf are the ends as a step leaves them.
func endsOf(d *draft, now time.Time) known {
	k := d.ends
	if !d.next.LeftAt.Equal(d.p.LeftAt) {
		k = ends(d.next, now)
	}
	for _, f := range d.fx {
		if f.Do == lane.Arm && f.After > 0 {
			if k = maps.Clone(k); k == nil {
				k = known{}
			}
			k[f.Clock] = now.Add(f.After)
		}
	}
	return k
}

// setting is how long a clock runs that the integrator does not set.
func (b *Box) setting(c lane.Clock) time.Duration {
	t := b.times
	switch c {
	case lane.Unsent:
		return t.Unsent
	case lane.AutoPark:
		return t.Park
	case lane.CodeAge:
		return t.CodeAge
	case lane.Ask:
		return t.OwnReturn * 4 / 5 // the till is asked before the box acts
	case lane.GiveBack:
		return t.OwnReturn / 5
	case lane.ReceiptDue:
		return t.NoReceipt
	case lane.FenceAgain:
		return lane.FenceWait
	case lane.Lease:
		return t.Lease
	case lane.MaxOpen:
		return t.MaxOpen
	}
	return 0
}

// clock does one Arm or Stop.
func (b *Box) clock(p *pay, f lane.Effect, now time.Time) {
	if f.Do == lane.Stop {
		delete(p.due, f.Clock)
		return
	}
	if f.Clock == lane.ReceiptDue && !b.cfg.Lanes[p.p.Lane].WantReceipt {
		return
	}
	switch end, ok := p.ends[f.Clock]; {
	case f.After > 0:
		p.due[f.Clock] = now.Add(f.After)
	case ok:
		p.due[f.Clock] = end
	case f.Clock == lane.CodeAge && !p.read.IsZero():
		p.due[f.Clock] = p.read.Add(b.times.CodeAge)
	default:
		p.due[f.Clock] = b.since(p, f.Clock, now).Add(b.setting(f.Clock))
	}
}

// since is when a clock began that goes on over a restart.
func (b *Box) since(p *pay, c lane.Clock, now time.Time) time.Time {
	if c != lane.Ask && c != lane.ReceiptDue {
		return now
	}
	paid, ok := p.p.Stamps["paid"]
	if !ok {
		return now
	}
	return now.Add(-b.ago(paid))
}

// untilDue is how long the loop may sleep.
func (b *Box) untilDue() time.Duration {
	now := time.Now()
	next := b.nextCheck
	for _, p := range b.pays {
		for _, at := range p.due {
			next = sooner(next, at)
		}
		next = sooner(next, p.showBy)
		if at, ok := b.doubtFrom(p); ok && !p.doubt.is() {
			next = sooner(next, at)
		}
	}
	for _, l := range b.lanes {
		next = sooner(next, l.idleAt)
	}
	if gone := b.link.since.Add(b.times.Unsent); !b.link.up && now.Before(gone) {
		next = sooner(next, gone) // availability changes then
	}
	return max(0, next.Sub(now), b.calm.Sub(now))
}

func sooner(a, b time.Time) time.Time {
	if b.IsZero() || (!a.IsZero() && a.Before(b)) {
		return a
	}
	return b
}

// tick does everything that is due.
func (b *Box) tick() {
	now := time.Now()
	if !now.Before(b.nextCheck) {
		b.look()
	}
	for _, id := range b.ids() {
		p := b.pays[id]
		if p == nil {
			continue // ended in this round
		}
		for _, c := range ran(p.due, now) {
			if _, still := p.due[c]; !still {
				continue // stopped in this round
			}
			delete(p.due, c)
			if !b.one(p, lane.Event{Kind: lane.ClockRan, Clock: c}) {
				p.due[c] = now.Add(calmFor)
			}
		}
		if !p.showBy.IsZero() && !now.Before(p.showBy) {
			b.outputs(p, byTill(p.p, nil))
		}
	}
	for _, l := range b.lanes {
		if !l.idleAt.IsZero() && !now.Before(l.idleAt) {
			b.idle(l)
		}
	}
}

// ran are the clocks that have run out, the earliest first.
func ran(due map[lane.Clock]time.Time, now time.Time) []lane.Clock {
	var out []lane.Clock
	for c, at := range due {
		if now.Before(at) {
			continue
		}
		i := 0
		for i < len(out) && (due[out[i]].Before(at) || due[out[i]].Equal(at) && out[i] < c) {
			i++
		}
		out = append(out[:i], append([]lane.Clock{c}, out[i:]...)...)
	}
	return out
}

// one is a step of one payment that nobody waits for: its error is logged. false: nothing has happened.
func (b *Box) one(p *pay, e lane.Event) bool {
	t := b.begin()
	_, err := t.step(p, e)
	if err == nil {
		err = t.commit()
	}
	if err != nil {
		b.log.Error("step not taken", "payment", p.p.ID, "lane", p.p.Lane, "event", string(e.Kind), "err", err)
	}
	return err == nil
}
