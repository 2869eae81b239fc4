package checkout

import (
	"encoding/json"
	"errors"
	"time"

	"tilld/internal/record"
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

// Codes of an Ability that is not ok.
const (
	whyAcknowledge = "acknowledge"
	whyDisk        = "disk_full"
	whyStopped     = "stopped"
	whyLink        = "no_link"
	whyProvider    = "no_provider"
	whyNumbers     = "no_numbers"
	whyScanner     = "no_scanner"
)

// abilities is what a lane can take now.
func (b *Box) abilities(l *laneState, now time.Time) lane.Availability {
	show, scan := lane.Ability{Providers: b.link.providers}, lane.Ability{Providers: b.link.scan}
	common := b.why(now)
	for _, a := range []*lane.Ability{&show, &scan} {
		switch {
		case common != "":
			a.Why, a.Providers = common, nil
		case len(a.Providers) == 0:
			a.Why = whyProvider
		}
	}
	if scan.Why == "" && !l.cfg.Scanner {
		scan.Why = whyScanner
	}
	show.OK, scan.OK = show.Why == "", scan.Why == ""
	r := l.cfg.Receipt
	if r == "" {
		r = "none"
	}
	return lane.Availability{Show: show, Scan: scan, Receipt: r}
}

// why is what stands in the way of every payment, "" for nothing. A line that has just gone still counts for
// Times.Unsent: a payment asked for then is sent or withdrawn within that time (E2b).
func (b *Box) why(now time.Time) string {
	switch {
	case errors.Is(b.room, record.ErrAcknowledge):
		return whyAcknowledge
	case errors.Is(b.room, record.ErrFull):
		return whyDisk
	case b.room != nil:
		return whyStopped
	case !b.link.up && (!b.link.opened || now.Sub(b.link.since) >= b.times.Unsent):
		return whyLink
	case !b.numbers.any():
		return whyNumbers
	}
	return ""
}

// announce tells the till what changed of each lane's availability.
func (b *Box) announce(now time.Time) {
	t := b.begin()
	for name, l := range b.lanes {
		a := b.abilities(l, now)
		since(&a.Show, l.told.Show, now)
		since(&a.Scan, l.told.Scan, now)
		if equal(a, l.told) {
			continue
		}
		data, err := json.Marshal(map[string]any{"lanes": map[string]lane.Availability{name: a}})
		if err != nil {
			continue // strings and times alone: cannot be
		}
		l.told = a
		t.batch.Events = append(t.batch.Events, record.Event{Type: "availability", At: now.UTC(), Lane: name, Subject: name, Data: data})
	}
	if t.empty() {
		return
	}
	if err := t.commit(); err != nil {
		b.log.Error("availability not journalled", "err", err)
	}
}

// since keeps the time from which an ability has been missing for the same reason.
func since(a *lane.Ability, told lane.Ability, now time.Time) {
	switch {
	case a.OK:
	case a.Why == told.Why && told.Since != nil:
		a.Since = told.Since
	default:
		at := now.UTC()
		a.Since = &at
	}
}

func equal(a, z lane.Availability) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(z)
	return string(x) == string(y)
}
