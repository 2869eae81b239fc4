package together

import (
	"maps"
	"slices"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// box executes lane's table as internal/checkout does: one step is one commit; clocks, doubt, glass and codes are in
// memory and are made anew after a restart.
type box struct {
	w    *world
	down bool
	boot int

	// In the journal.
	pays  []*pay
	calls []*frame
	seen  int64

	since  time.Time // the line is down since
	all    []lane.Payment
	batch  bool     // what is stepped now is one record with what comes
	window int      // how many calls may be on their way at once
	flying []flight // those that are, in the order in which they left
}

// flight is a call on its way. It holds the calls of its bill until it is answered, even if nobody waits for it any more.
type flight struct {
	id, bill string
}

// pay is one payment: p is in the journal, the rest in memory.
type pay struct {
	till    *till
	p       lane.Payment
	doubt   bool
	code    string
	read    time.Time
	charged time.Time
	due     map[lane.Clock]time.Time
	ends    map[lane.Clock]time.Time
	asked   map[string]time.Time
	glass   bool
}

// frame is a call that waits for its answer.
type frame struct {
	id, bill string
	call     lane.Call
	create   lane.Payment
	code     string // in memory alone
	lost     bool   // the code was, with a restart
	session  int    // in which it was sent last
}

func newBox(w *world) *box {
	return &box{w: w, since: start, window: []int{wire.MaxInFlight, 2, 1}[w.r.IntN(3)]} // what three tills never fill, less does
}

func newPay(t *till) *pay {
	return &pay{till: t, due: map[lane.Clock]time.Time{}, ends: map[lane.Clock]time.Time{}, asked: map[string]time.Time{}}
}

// settings of the box's own clocks, as internal/checkout has them by default.
var settings = map[lane.Clock]time.Duration{
	lane.Unsent: 3 * time.Second, lane.AutoPark: 5 * time.Second, lane.CodeAge: time.Minute, lane.Ask: 4 * time.Minute,
	lane.GiveBack: time.Minute, lane.Lease: 30 * time.Second, lane.MaxOpen: 20 * time.Minute,
}

// doubtAfter is how long the box waits for a word before it says that it does not know.
const doubtAfter = 15 * time.Second

// sale is every payment of x's sale as it stands, until the next call.
func (b *box) sale(x *pay) []lane.Payment {
	b.all = b.all[:0]
	for _, y := range b.pays {
		if y.till == x.till {
			b.all = append(b.all, y.p)
		}
	}
	return b.all
}

func (b *box) lights(x *pay) lane.Lights { return lane.LightsOf(x.p, b.sale(x)) }

// busy says whether a payment holds the lane, other than the one that is being replaced.
func (b *box) busy(name, replaced string) bool {
	return slices.ContainsFunc(b.pays, func(y *pay) bool { return y.p.Lane == name && y.p.ID != replaced && lane.Occupies(y.p) })
}

// parked says whether a payment of the lane goes on without it.
func (b *box) parked(name string) bool {
	return slices.ContainsFunc(b.pays, func(y *pay) bool { return y.p.Lane == name && y.p.Parked && y.p.Live() })
}

// step is one commit about one payment.
func (b *box) step(x *pay, e lane.Event) ([]string, error) {
	w := b.w
	e.At, e.Link, e.Attended, e.Doubt = w.now, w.line.up, true, x.doubt
	was := x.p
	next, fx, rows, err := lane.Take(x.p, e)
	if err != nil {
		return rows, err
	}
	x.p = next
	if !slices.Contains(b.pays, x) {
		b.pays = append(b.pays, x)
	}
	if w.said != nil && len(rows) > 0 {
		w.say("box: %s %v %s → %s", e.Kind, rows, was.Stage, next.Stage)
	}
	if !next.LeftAt.Equal(was.LeftAt) {
		x.ends = endsOf(next, w.now)
	}
	for _, f := range fx {
		b.effect(x, f)
	}
	if next.Stage == lane.Charging && (was.Stage != lane.Charging || was.Attempt != next.Attempt) {
		x.charged = w.now
	}
	maps.DeleteFunc(x.asked, func(id string, _ time.Time) bool {
		return !slices.ContainsFunc(next.Calls, func(c lane.Call) bool { return c.ID == id })
	})
	for _, c := range next.Calls {
		if _, ok := x.asked[c.ID]; !ok {
			x.asked[c.ID] = w.now
		}
	}
	b.saleOver(was, next)
	b.promises(x)
	b.pump()
	b.doubts(x)
	if !b.batch && w.chance(w.evil.boxStart) {
		b.restart()
	}
	return rows, nil
}

// saleOver tells replaced payments that the one in their place is over.
func (b *box) saleOver(was, is lane.Payment) {
	over := func(p lane.Payment) bool {
		return p.Stage == lane.Ended || p.Stage == lane.Overridden || p.Stage == lane.OverriddenEnded
	}
	if handed := is.Stage == lane.Released || is.Stage == lane.Done; handed && is.ReplacedBy != "" {
		for _, y := range b.pays {
			if y.p.Waiting && y.p.Stage == lane.Submitted && y.p.Replaces != "" && y.till == b.get(is.ID).till {
				_, _ = b.step(y, lane.Event{Kind: lane.OldOver})
			}
		}
	}
	if !over(is) || over(was) {
		return
	}
	for id := is.Replaces; id != ""; {
		old := b.get(id)
		if old == nil {
			return
		}
		_, _ = b.step(old, lane.Event{Kind: lane.SaleOver}) // a refusal is none of a clock's
		id = old.p.Replaces
	}
}

func (b *box) get(id string) *pay {
	for _, x := range b.pays {
		if x.p.ID == id {
			return x
		}
	}
	return nil
}

func (b *box) effect(x *pay, f lane.Effect) {
	w := b.w
	switch f.Do {
	case lane.Put:
		c := &frame{id: f.Call.ID, bill: x.p.BillID, call: *f.Call, create: x.p, session: -1}
		if c.call.Volatile() {
			c.code, x.code = x.code, ""
		}
		b.calls = append(b.calls, c)
	case lane.Drop:
		b.settle(f.Call.ID)
	case lane.Draw:
		x.glass = true
		if !x.p.Shown {
			var shown []string
			if w.r.IntN(50) > 0 {
				shown = []string{"kiosk"}
			}
			b.later(x, 50*time.Millisecond, func() { _, _ = b.step(x, lane.Event{Kind: lane.OutputsDone, Shown: shown}) })
		}
	case lane.Wipe:
		x.glass = false
	case lane.Forget:
		x.code = ""
	case lane.Arm:
		b.arm(x, f)
	case lane.Stop:
		delete(x.due, f.Clock)
	}
}

func (b *box) arm(x *pay, f lane.Effect) {
	if f.Clock == lane.ReceiptDue {
		return // this lane wants no receipt
	}
	at := b.w.now.Add(settings[f.Clock])
	switch end, ok := x.ends[f.Clock]; {
	case f.After > 0:
		at = b.w.now.Add(f.After)
		x.ends[f.Clock] = at
	case ok:
		at = end
	case f.Clock == lane.CodeAge && !x.read.IsZero():
		at = x.read.Add(settings[f.Clock])
	case f.Clock == lane.Ask:
		at = x.p.Stamps["paid"].Add(settings[f.Clock])
	}
	x.due[f.Clock] = at
	b.later(x, at.Sub(b.w.now), func() {
		if x.due[f.Clock].Equal(at) {
			delete(x.due, f.Clock)
			_, _ = b.step(x, lane.Event{Kind: lane.ClockRan, Clock: f.Clock})
		}
	})
}

// later does something in this run of the box alone.
func (b *box) later(_ *pay, d time.Duration, do func()) {
	boot := b.boot
	b.w.after(d, func() {
		if b.boot == boot && !b.down {
			do()
		}
	})
}

func endsOf(p lane.Payment, from time.Time) map[lane.Clock]time.Time {
	k := map[lane.Clock]time.Time{}
	for c, left := range map[lane.Clock]int64{lane.Countdown: p.LeftMS, lane.MaxOpen: p.MaxOpenMS, lane.Lease: p.LeaseMS} {
		if left > 0 {
			k[c] = from.Add(time.Duration(left) * time.Millisecond)
		}
	}
	return k
}

func (b *box) settle(id string) {
	b.calls = slices.DeleteFunc(b.calls, func(c *frame) bool { return c.id == id })
}

// pump sends what may be sent: of each bill the first call, once in a session.
func (b *box) pump() {
	w := b.w
	if !w.line.up || b.down {
		return
	}
	for i, c := range b.calls {
		if slices.ContainsFunc(b.calls[:i], func(d *frame) bool { return d.bill == c.bill }) {
			continue
		}
		if c.lost || c.session == w.line.session || slices.ContainsFunc(b.flying, func(f flight) bool { return f.bill == c.bill }) {
			continue
		}
		if len(b.flying) >= b.window {
			w.count.windowFull++
			return
		}
		c.session = w.line.session
		b.flying = append(b.flying, flight{c.id, c.bill})
		sent := *c
		w.line.call(func(answered bool) { w.server.call(sent, answered) })
	}
}

// landed: the answer to a call is here, and what waited for it may go.
func (b *box) landed(id string) {
	i := slices.IndexFunc(b.flying, func(f flight) bool { return f.id == id })
	if i < 0 {
		return
	}
	if i > 0 {
		b.w.count.overtaken++
	}
	b.flying = slices.Delete(b.flying, i, i+1)
	b.pump()
}

// answer is the server's word on a call.
func (b *box) answer(a lane.Answer) {
	defer b.landed(a.ID)
	if b.w.plant == anyAnswer && len(b.calls) > 0 {
		a.ID = b.calls[0].id
	}
	i := slices.IndexFunc(b.calls, func(c *frame) bool { return c.id == a.ID })
	if i < 0 || a.Code == payment.NoSuperseded {
		return
	}
	bill := b.calls[i].bill
	b.settle(a.ID)
	for _, x := range b.pays {
		if x.p.BillID != bill {
			continue
		}
		e := lane.Event{Kind: lane.Answered, Answer: &a}
		if b := a.Bill; b != nil {
			c := *b
			a.Bill = &c
		}
		if _, err := b.step(x, e); err != nil {
			b.w.fault("answer to %s refused: %v", a.ID, err)
		}
		return
	}
	b.w.fault("an answer to nobody's call %s", a.ID)
}

// event takes the server's event in, once, in order.
func (b *box) event(seq int64, kind string, fresh, age time.Duration, body payment.Bill) {
	if seq <= b.seen {
		return
	}
	if seq != b.seen+1 && b.w.plant != skipsGap {
		if b.w.line.inOrder {
			b.w.fault("event %d after %d", seq, b.seen)
		}
		b.w.count.gaps++
		b.w.say("box: event %d after %d", seq, b.seen)
		b.w.line.cut() // the next session begins after what was seen
		return
	}
	for _, left := range []*int64{&body.RemainingMS, &body.MaxOpenMS, &body.LeaseMS} {
		if *left > 0 {
			*left = max(*left-age.Milliseconds(), 1)
		}
	}
	b.seen = seq
	for _, x := range b.pays {
		if x.p.BillID == body.Payment {
			if _, err := b.step(x, lane.Event{Kind: lane.Kind(kind), Bill: &body, Stale: fresh > 0 && age > fresh}); err != nil {
				b.w.fault("event %s refused: %v", kind, err)
			}
			return
		}
	}
	b.w.fault("event %s of an unknown payment %s", kind, body.Payment)
}

// lineMoved is the line going up or down.
func (b *box) lineMoved() {
	b.since = b.w.now
	b.flying = b.flying[:0]
	if b.down {
		return
	}
	if b.w.line.up {
		for _, x := range slices.Clone(b.pays) {
			b.send(x)
		}
	}
	b.pump()
	for _, x := range slices.Clone(b.pays) {
		b.doubts(x)
	}
}

// send lets a payment go that has not been sent.
func (b *box) send(x *pay) {
	if x.p.Stage != lane.Submitted || x.p.Sent || !b.w.line.up {
		return
	}
	gate := true
	if x.p.Waiting {
		if gate = lane.GateOpen(b.sale(x), x.p.ID); !gate {
			return
		}
	}
	_, _ = b.step(x, lane.Event{Kind: lane.LinkReady, Gate: gate})
}

// restart ends the process at this instruction and starts another one.
func (b *box) restart() {
	w := b.w
	if b.down {
		return
	}
	b.down = true
	b.boot++
	w.count.boxStarts++
	w.say("box: killed")
	for _, x := range b.pays {
		p := x.p
		*x = *newPay(x.till)
		x.p = p
	}
	for _, c := range b.calls {
		if c.call.Volatile() {
			c.code, c.lost = "", true
		}
	}
	w.line.cut()
	w.after(time.Second+w.some(10*time.Second), func() {
		b.down = false
		w.say("box: started")
		for _, x := range slices.Clone(b.pays) {
			x.ends = endsOf(x.p, x.p.LeftAt)
			x.charged = w.now
			left := time.Duration(0)
			if end, ok := x.ends[lane.Countdown]; ok {
				left = end.Sub(w.now)
			}
			if _, err := b.step(x, lane.Event{Kind: lane.Boot, Left: left}); err != nil {
				w.fault("boot refused: %v", err)
			}
			if b.down {
				return // killed again
			}
		}
	})
}
