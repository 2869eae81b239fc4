package checkout

import (
	"maps"
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// adopt takes over what a commit has made true.
func (b *Box) adopt(d *draft, now time.Time) {
	p, was := d.pay, d.pay.p
	p.ends = endsOf(d, now)
	p.p, p.doubt, p.code, p.read = d.next, d.newDoubt, d.code, d.codeRead
	if p.p.ID == "" {
		return // nothing became of it
	}
	for _, f := range d.fx {
		switch f.Do {
		case lane.Draw:
			p.onGlass = true
			if !p.p.Shown {
				p.showBy = now.Add(b.times.Output + outputGrace)
			}
			b.redraw(p)
		case lane.Wipe:
			p.onGlass, p.showBy = false, time.Time{}
		case lane.Sound:
			p.sound = f.Type
		case lane.Forget:
			p.code, p.read = payment.Code{}, time.Time{}
		case lane.Arm, lane.Stop:
			b.clock(p, f, now)
		}
	}
	if p.p.Stage == lane.Charging && (was.Stage != lane.Charging || was.Attempt != p.p.Attempt) {
		p.charged = now
	}
	b.waits(p, now)
	b.remember(p, was)
	b.glass(p)
	if p.p.Stage != was.Stage || p.p.Parked != was.Parked {
		b.log.Info("payment moved", "payment", p.p.ID, "number", p.p.Number, "lane", p.p.Lane, "stage", string(p.p.Stage), "rows", d.rows)
	}
}

// waits keeps since when each call waits for its answer.
func (b *Box) waits(p *pay, now time.Time) {
	old := p.asked
	p.asked = map[string]time.Time{}
	for _, c := range p.p.Calls {
		at, ok := old[c.ID]
		if !ok {
			at = now
		}
		p.asked[c.ID] = at
	}
}

// remember keeps in memory what can still change, and nothing else: a year of payments stays in the journal.
func (b *Box) remember(p *pay, was lane.Payment) {
	id := p.p.ID
	if was.BillID != "" && was.BillID != p.p.BillID {
		delete(b.bills, was.BillID)
	}
	if !b.keeps(p.p) {
		if _, ok := b.pays[id]; ok {
			delete(b.pays, id)
			b.order = slices.DeleteFunc(b.order, func(o string) bool { return o == id })
		}
		delete(b.bills, p.p.BillID)
		return
	}
	if _, ok := b.pays[id]; !ok {
		b.pays[id] = p
		b.order = append(b.order, id)
	}
	if p.p.BillID != id {
		b.bills[p.p.BillID] = id
	}
}

// keeps says whether a payment stays in memory: it is open, waits for an answer, has money owed or under doubt or
// review, or the receipt that the lane wants is still to come and was not missed yet.
func (b *Box) keeps(p lane.Payment) bool {
	if p.Live() || len(p.Calls) > 0 || p.UnderReview() {
		return true
	}
	if p.Bill != nil && (p.Bill.Owed > 0 || p.Bill.Doubt || p.Bill.Life != payment.Closed) {
		return true
	}
	return p.Stage == lane.Done && p.Receipt == nil && !p.NoReceipt && b.cfg.Lanes[p.Lane].WantReceipt
}

// ids are the payments in memory, oldest first; the loop may change the memory while it walks them.
func (b *Box) ids() []string { return slices.Clone(b.order) }

func (b *Box) attended(name string) bool { return b.cfg.Lanes[name].Attended }

// all are the records in memory.
func (b *Box) all() []lane.Payment {
	out := make([]lane.Payment, 0, len(b.order))
	for _, id := range b.order {
		out = append(out, b.pays[id].p)
	}
	return out
}

// sale are the payments that hang together with p by replaces, those that have left the memory included. find is where
// to look them up.
func (b *Box) sale(p lane.Payment, find func(string) (lane.Payment, bool)) []lane.Payment {
	set, todo := map[string]lane.Payment{p.ID: p}, []lane.Payment{p}
	add := func(id string) {
		if _, ok := set[id]; ok || id == "" {
			return
		}
		if q, ok := find(id); ok {
			set[id] = q
			todo = append(todo, q)
		}
	}
	for len(todo) > 0 {
		q := todo[0]
		todo = todo[1:]
		add(q.Replaces)
		add(q.ReplacedBy)
		if q.ReplacedBy == "" {
			continue
		}
		for _, id := range b.order { // one whose place was given away twice
			if b.pays[id].p.Replaces == q.ID {
				add(id)
			}
		}
	}
	return slices.Collect(maps.Values(set))
}
