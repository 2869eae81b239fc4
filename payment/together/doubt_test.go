package together

import (
	"time"

	"tilld/payment/lane"
)

// doubts keeps whether a payment is in doubt, as internal/checkout derives it, and looks again when it may begin.
func (b *box) doubts(x *pay) {
	if b.down {
		return
	}
	since, ok := b.cause(x)
	from := since.Add(doubtAfter)
	switch is := ok && !b.w.now.Before(from); {
	case is != x.doubt:
		x.doubt = is
		e := lane.Event{Kind: lane.DoubtEnds}
		if is {
			e.Kind = lane.DoubtBegins
		}
		_, _ = b.step(x, e)
	case ok && !is:
		b.later(x, from.Sub(b.w.now), func() { b.doubts(x) })
	}
}

func (b *box) cause(x *pay) (since time.Time, ok bool) {
	p := x.p
	if !p.Sent || !p.Live() || p.Stage == lane.Released || p.Stage == lane.Overridden || p.Stage == lane.Restored {
		return since, false
	}
	if p.Bill != nil && p.Bill.Doubt {
		return b.w.now.Add(-doubtAfter), true
	}
	if !b.w.line.up {
		since = b.since
	}
	for _, at := range x.asked {
		if since.IsZero() || at.Before(since) {
			since = at
		}
	}
	if p.Stage == lane.Charging && (p.Bill == nil || !p.Bill.Paying) && (since.IsZero() || x.charged.Before(since)) {
		since = x.charged
	}
	return since, !since.IsZero()
}

// promises hold at the box in every moment.
func (b *box) promises(x *pay) {
	w := b.w
	l := b.lights(x)
	if l.HandOver && l.OtherTender {
		w.fault("both lights are on in %s", x.p.Stage)
	}
	if x.till.paidOtherwise && l.HandOver {
		w.fault("goods may leave after other money was taken: %s", x.p.Stage)
	}
	if x.glass && (x.p.Stage != lane.Open || x.p.Parked) {
		w.fault("a code is on glass in %s", x.p.Stage)
	}
	hands, codes := 0, 0
	for _, y := range b.pays {
		if y.till == x.till && b.lights(y).HandOver {
			hands++
		}
		if y.p.Lane == x.p.Lane && y.glass {
			codes++
		}
	}
	if codes > 1 {
		w.fault("%d codes on the glass of lane %s", codes, x.p.Lane)
	}
	if hands > 1 {
		w.fault("%d payments of one sale may hand over", hands)
	}
}
