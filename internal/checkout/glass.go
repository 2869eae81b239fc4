package checkout

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tilld/payment/lane"
)

// outputGrace is how long after Times.Output an output that blocks for ever is waited for: the stage has been told to
// stop by then.
const outputGrace = 250 * time.Millisecond

// laneState is one lane's glass: which payment has it and what it was told last.
type laneState struct {
	name    string
	cfg     Lane
	painter *painter
	shows   string // id of the payment that has the outputs, "" for none
	last    View
	came    time.Time // when the screen of last came
	until   time.Time // end of what last shows
	nr      int64     // of the last drawing
	told    lane.Availability
	idleAt  time.Time // when the last screen of a payment makes room; zero: not by itself
}

// take gives the lane's outputs to a payment. No payment gets them back.
func (b *Box) take(name, id string) {
	if l := b.lanes[name]; l != nil {
		l.shows, l.idleAt = id, time.Time{}
	}
}

// idle takes every trace of a payment off the lane's outputs.
func (b *Box) idle(l *laneState) {
	l.shows, l.idleAt = "", time.Time{}
	b.rest(l, b.abilities(l, time.Now()))
}

// rest brings the outputs of a lane that no payment has to what it can take now: a customer is not welcomed to a till at
// which he could not pay. Nor is he asked for other money where the cashier is not told to take it: he may have paid.
func (b *Box) rest(l *laneState, a lane.Availability) {
	if l.shows != "" {
		return
	}
	v := View{Lane: l.name, Screen: "idle"}
	switch {
	case a.Show.OK || a.Scan.OK:
	case a.Say == nil:
		v.Screen = "out_of_service"
	default:
		v.Screen, v.Why = "unavailable", a.Show.Why
	}
	b.show(l, v, time.Time{})
}

// show tells the painter, unless that is what it was told last.
func (b *Box) show(l *laneState, v View, until time.Time) {
	a, z := v, l.last
	a.RemainingMS, z.RemainingMS, z.Sound = 0, 0, ""
	if v.Sound == "" && until.Equal(l.until) && slices.Equal(a.Outputs, z.Outputs) && same(a, z) {
		return
	}
	if v.Screen != l.last.Screen || v.Payment != l.last.Payment {
		l.came = time.Now()
	}
	l.nr++
	l.last, l.until = v, until
	l.painter.put(job{view: v, nr: l.nr})
}

func same(a, z View) bool {
	return a.Lane == z.Lane && a.Payment == z.Payment && a.Number == z.Number && a.Screen == z.Screen && a.State == z.State &&
		a.Payload == z.Payload && a.Payee == z.Payee && a.Why == z.Why && a.Due == z.Due && a.Paid == z.Paid && a.Back == z.Back && a.Receipt == z.Receipt &&
		a.NoMore == z.NoMore
}

// redraw makes the next view of this payment go out even if it is the one that is there.
func (b *Box) redraw(p *pay) {
	if l := b.lanes[p.p.Lane]; l != nil && l.shows == p.p.ID {
		l.last = View{}
	}
}

// glass brings the lane's outputs to where the payment is, if they are its own. A parked or replaced payment has none,
// for ever.
func (b *Box) glass(p *pay) {
	l := b.lanes[p.p.Lane]
	if l == nil || l.shows != p.p.ID {
		p.sound = ""
		return
	}
	if p.p.Parked || p.p.ReplacedBy != "" || p.p.Stage == lane.Restored {
		b.idle(l)
		return
	}
	v, until := b.view(p)
	if v.Screen == "idle" {
		b.idle(l)
		return
	}
	scans := v.Receipt != "" && !l.cfg.Attended // the customer takes the receipt off the page with a phone
	if hold := holds(v.Screen, l.cfg.Attended, scans); hold == 0 {
		l.idleAt = time.Time{}
	} else if l.idleAt.IsZero() || v.Screen != l.last.Screen || scans && v.Receipt != l.last.Receipt {
		l.idleAt = time.Now().Add(hold)
	}
	b.show(l, v, until)
	p.sound = ""
}

// live says that the payment's code is to be on glass now.
func (p *pay) live() bool {
	return p.onGlass && p.p.Stage == lane.Open && !p.p.Paying && !p.p.NoCode && !p.p.Parked && p.p.ReplacedBy == "" && p.p.Payload != ""
}

func (b *Box) view(p *pay) (View, time.Time) {
	pub := b.public(p)
	v := View{
		Lane: p.p.Lane, Payment: p.p.ID, Number: p.p.Number, Screen: pub.Say.Customer.Screen, State: pub.State,
		Payee: p.p.Payee, Why: pub.Why, Sound: p.sound, Paid: pub.Paid.Money, Outputs: p.p.Outputs,
	}
	v.Amount, v.Due = p.p.Amount, p.p.Amount.Of(max(0, p.p.Amount.Value-pub.Paid.Value))
	v.Back = p.p.Amount.Of(pub.Owed.Value + pub.Returned.Value)
	if v.Screen == "returning" || v.Screen == "returned" && p.p.Stage != lane.Ended {
		v.Back = p.p.Amount.Of(cmp.Or(goesBack(p.p.Returns), v.Back.Value))
	}
	if p.p.Declined != nil {
		v.Why = p.p.Declined.Why
	}
	if r := p.p.Receipt; r != nil && pub.Lights.HandOver {
		v.Receipt = cmp.Or(r.URL, r.FiscalQR)
	}
	var until time.Time
	if p.live() {
		v.Payload = p.p.Payload
	}
	switch {
	case p.p.Stage == lane.Open && p.p.Paying: // no clock is shown, but a page that is left alone has to know how long to wait
		until = p.ends[lane.MaxOpen]
	case p.p.Stage == lane.Open || p.p.Stage == lane.WaitingCode:
		until = p.ends[lane.Countdown]
		v.NoMore = !b.attended(p.p.Lane) && !lane.CanExtend(p.p, lane.ViewContext{Doubt: p.doubt.is(), Link: b.link.up}, b.times.Life)
	}
	if !until.IsZero() {
		v.RemainingMS = max(0, time.Until(until).Milliseconds())
	}
	return v, until
}

// goesBack is what a customer is told of his returns: what is on its way, though nobody but the box may know of it yet; or
// the last one, once all have come.
func goesBack(all []lane.ReturnIntent) (sum int64) {
	for _, r := range all {
		if r.State != "done" && !r.Void() {
			sum += r.Amount
		}
	}
	for i := len(all) - 1; sum == 0 && i >= 0; i-- {
		if !all[i].Void() {
			return all[i].Amount
		}
	}
	return sum
}

// holds is how long the last screens of a payment stay, receipt with a receipt's code to be scanned; 0 is until something
// changes.
func holds(screen string, attended, receipt bool) time.Duration {
	switch screen {
	case "paid", "paid_less":
		switch {
		case attended:
			return 6 * time.Second
		case receipt:
			return 30 * time.Second
		}
		return 15 * time.Second
	case "paid_over", "expired", "unavailable", "late":
		return 20 * time.Second
	case "canceled", "returning", "returned":
		return 8 * time.Second
	case "doubt", "doubt_kiosk":
		if !attended {
			return 30 * time.Second
		}
	}
	return 0
}

// shown takes the report of a drawing in.
func (b *Box) shown(r showReport) {
	l := b.lanes[r.view.Lane]
	if r.err != nil {
		b.log.Warn("outputs refused", "lane", r.view.Lane, "payment", r.view.Payment, "err", r.err)
	}
	p := b.pays[r.view.Payment]
	if l == nil || p == nil || r.view.Payload == "" || !p.live() || r.view.Payload != p.p.Payload {
		return // of a code that is off again
	}
	shown := r.shown
	if r.err == nil { // a code that cannot be read back is nobody's to show
		shown = byTill(p.p, r.shown)
	}
	switch {
	case r.nr != l.nr && len(shown) == 0: // a newer drawing will report
	case !p.showBy.IsZero():
		b.outputs(p, shown)
	case len(shown) == 0 && !p.p.NoDisplay:
		b.one(p, lane.Event{Kind: lane.GlassLost})
	case len(shown) > 0 && p.p.NoDisplay:
		b.one(p, lane.Event{Kind: lane.GlassBack})
	}
}

// outputs decides row E3s or E4.
func (b *Box) outputs(p *pay, shown []string) {
	p.showBy = time.Time{}
	b.one(p, lane.Event{Kind: lane.OutputsDone, Shown: shown})
}

// byTill adds the till itself, where the payment's code is for its own screen: it has the payload at 201 plus an event.
func byTill(p lane.Payment, shown []string) []string {
	if slices.Contains(p.Outputs, "till") && !slices.Contains(shown, "till") {
		return append(slices.Clone(shown), "till")
	}
	return shown
}

// Outputs is told by the stage that a lane's outputs came or went while a code is on them: shown are those that show it
// now.
func (b *Box) Outputs(ctx context.Context, laneName string, shown []string) error {
	return b.do(ctx, func() {
		l := b.lanes[laneName]
		if l == nil {
			return
		}
		if p := b.pays[l.shows]; p != nil && p.live() && p.showBy.IsZero() {
			b.shown(showReport{job: job{view: l.last, nr: l.nr}, shown: shown})
		}
	})
}
