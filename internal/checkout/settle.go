package checkout

import (
	"time"

	"tilld/payment/lane"
)

// checkEvery is how often the box looks at what nobody tells it: room on the disk.
const checkEvery = 10 * time.Second

// settle brings everything that is derived up to date. The loop calls it after whatever it did: which payments are in
// doubt, whether a waiting one may go, what the lanes can take.
func (b *Box) settle() {
	now := time.Now()
	for _, id := range b.ids() {
		if p := b.pays[id]; p != nil {
			b.settleDoubt(p, now)
		}
	}
	if b.link.up {
		for _, id := range b.ids() {
			if p := b.pays[id]; p != nil && p.p.Stage == lane.Submitted && !p.p.Sent {
				b.send(p)
			}
		}
	}
	b.announce(now)
}

// send is E2, and E1c for a payment that waits for its lane.
func (b *Box) send(p *pay) {
	e := lane.Event{Kind: lane.LinkReady, Gate: true}
	if p.p.Waiting {
		if e.Gate = lane.GateOpen(b.sale(p.p, b.lookup), p.p.ID); !e.Gate {
			return
		}
	}
	b.one(p, e)
}

// doubtable says that not knowing would matter: the payment was sent and is not decided at the box.
func doubtable(p lane.Payment) bool {
	if !p.Sent || !p.Live() {
		return false
	}
	switch p.Stage {
	case lane.Released, lane.Overridden, lane.Restored:
		return false
	}
	return true
}

// cause is what makes or would make a payment doubtful, and since when.
func (b *Box) cause(p *pay, now time.Time) (doubt, bool) {
	if !doubtable(p.p) {
		return doubt{}, false
	}
	if p.p.Bill != nil && p.p.Bill.Doubt {
		return doubt{since: now.Add(-b.times.Doubt), why: "bank"}, true
	}
	var d doubt
	if !b.link.up {
		d = doubt{since: b.link.since, why: "link"}
	}
	for _, at := range p.asked {
		if d.since.IsZero() || at.Before(d.since) {
			d = doubt{since: at, why: "link"}
		}
	}
	if p.p.Stage == lane.Charging && (p.p.Bill == nil || !p.p.Bill.Paying) && (d.since.IsZero() || p.charged.Before(d.since)) {
		d = doubt{since: p.charged, why: "bank"} // C5: nobody says how the charge stands
	}
	if stamp, no := p.p.FenceRefused(); no { // an answer that is no fence is as good as none
		if at := now.Add(-b.ago(stamp)); d.since.IsZero() || at.Before(d.since) {
			d = doubt{since: at, why: "bank"}
		}
	}
	return d, d.is()
}

// doubtFrom is when a payment that is not in doubt will be.
func (b *Box) doubtFrom(p *pay) (time.Time, bool) {
	d, ok := b.cause(p, time.Now())
	return d.since.Add(b.times.Doubt), ok
}

// settleDoubt is E12.
func (b *Box) settleDoubt(p *pay, now time.Time) {
	d, ok := b.cause(p, now)
	ok = ok && !now.Before(d.since.Add(b.times.Doubt))
	if ok == p.doubt.is() {
		return
	}
	t := b.begin()
	e := lane.Event{Kind: lane.DoubtEnds}
	dr := t.draft(p)
	if dr.newDoubt = (doubt{}); ok {
		if d.why == "bank" {
			d.since = now
		}
		e.Kind, dr.newDoubt = lane.DoubtBegins, d
	}
	if _, err := t.step(p, e); err == nil {
		err = t.commit()
		if err != nil {
			b.log.Error("step not journalled", "payment", p.p.ID, "lane", p.p.Lane, "event", string(e.Kind), "err", err)
		}
	}
}
