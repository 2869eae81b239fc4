package together

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
	"tilld/payment/lane"
)

// till is one sale at its lane: it obeys the two lights and nothing else, in a hurry or after a long while.
type till struct {
	w             *world
	lane          string
	n             int // of this lane
	began         time.Time
	ids           []string
	amount        int64
	mode          payment.Mode
	policy        payment.IfNotConfirmed
	patience      time.Duration
	handed        *pay // the goods left against this one
	back          int64
	paidOtherwise bool
	done          bool
}

func newTill(w *world, lane string, n int, began time.Time) *till {
	t := &till{w: w, lane: lane, n: n, began: began, amount: 100 + w.r.Int64N(100_000), mode: payment.Show, policy: payment.Keep}
	if w.r.IntN(2) == 0 {
		t.mode = payment.Scan
	}
	switch w.r.IntN(5) {
	case 0:
		t.policy = payment.Return
	case 1:
		t.policy = payment.Person
	}
	t.patience = []time.Duration{2 * time.Second, 40 * time.Second, time.Hour}[w.r.IntN(3)]
	return t
}

func (t *till) begin() { t.create(nil) }

// create asks for a payment, in place of another one or not.
func (t *till) create(old *pay) {
	w := t.w
	if w.box.down {
		w.after(time.Second, func() { t.create(old) })
		return
	}
	id := fmt.Sprint("p", len(w.ids)+1)
	r := lane.Request{
		Reference: t.reference(), Lane: t.lane, Amount: rub(t.amount), Mode: t.mode, Purpose: payment.Sale, ExpiresIn: 5 * time.Minute,
		IfNotConfirmed: t.policy, Outputs: []string{"kiosk"},
	}
	if p := w.paidBefore(t); p != "" {
		r.AddsTo = p
		w.count.added++
	}
	e := lane.Event{Kind: lane.TillCreate, ID: id, Number: fmt.Sprint(1000 + len(w.ids)), Hash: id, Create: &r}
	if old != nil {
		if w.box.busy(t.lane, old.p.ID) { // the old one is parked, and the next customer's has the lane
			w.count.laneBusy++
			return
		}
		for _, q := range w.box.sale(old) {
			if slices.Contains([]lane.Stage{lane.Paid, lane.Released, lane.Done, lane.Overridden, lane.OverriddenEnded}, q.Stage) {
				return
			}
		}
		r.Replaces = old.p.ID
		ended := old.p.Stage == lane.Ended
		w.box.batch = true // both are one record: no kill comes between
		_, err := w.box.step(old, lane.Event{Kind: lane.TillReplace, ID: id})
		w.box.batch = false
		if err != nil {
			return
		}
		e.Wait = !ended || !lane.GateOpen(w.box.sale(old), id)
		w.count.replaced++
	}
	e.Busy = w.box.busy(t.lane, r.Replaces)
	x := newPay(t)
	boot := w.box.boot
	if _, err := w.box.step(x, e); err != nil {
		if no, ok := errors.AsType[*lane.Refusal](err); ok && no.Code == lane.NoLaneBusy && e.Busy && old == nil {
			w.count.laneBusy++
			w.after(time.Second+w.some(20*time.Second), func() { t.create(nil) }) // the next customer stands in line
			return
		}
		w.fault("create refused: %v", err)
		return
	}
	t.ids, w.ids = append(t.ids, id), append(w.ids, id)
	w.count.payments++
	if w.box.parked(t.lane) {
		w.count.besideParked++
	}
	if w.box.boot == boot {
		w.box.send(x)
	}
	t.look(x)
	if t.mode == payment.Scan {
		w.after(time.Second+w.some(20*time.Second), func() { t.scan(x, 0) })
	}
}

// scan holds a customer's code before the reader, and another one if that was declined or got lost.
func (t *till) scan(x *pay, n int) {
	w := t.w
	if n > 6 || !x.p.Live() {
		return
	}
	w.after(2*time.Second+w.some(15*time.Second), func() { t.scan(x, n+1) })
	if w.box.down || x.p.Parked || !lane.Occupies(x.p) {
		return
	}
	code := fmt.Sprint("code", n)
	before, read := x.code, x.read
	x.code, x.read = code, w.now
	rows, err := w.box.step(x, lane.Event{Kind: lane.Scanned, Hash: code})
	if err != nil || len(rows) == 0 || rows[len(rows)-1] == "C2" {
		if x.code == code {
			x.code, x.read = before, read
		}
	}
}

// look is the till asking how its payment stands, until the sale is over for it.
func (t *till) look(x *pay) {
	w := t.w
	again := func(d time.Duration) { w.after(d, func() { t.look(x) }) }
	if w.box.down {
		again(time.Second)
		return
	}
	l := w.box.lights(x)
	p := x.p
	switch {
	case t.done && t.handed != x:
		return
	case p.Stage == lane.Paid && l.HandOver:
		t.paid(x)
		return
	case t.handed == x:
		return
	case l.OtherTender:
		if !t.paidOtherwise && p.ReplacedBy == "" {
			t.paidOtherwise, t.done = true, true
			w.count.cash++
			w.say("till: other money is taken")
		}
		return
	case p.Stage == lane.LateOffered && w.r.IntN(4) == 0:
		t.act(x, lane.Event{Kind: lane.TillAccept})
	case (p.Stage == lane.Open || p.Stage == lane.WaitingCode || p.Stage == lane.Submitted) && w.now.Sub(t.began) > t.patience && w.r.IntN(3) == 0:
		t.act(x, lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: "cancel"}})
	case p.Stage == lane.Open && w.r.IntN(60) == 0:
		t.act(x, lane.Event{Kind: lane.TillExtend, By: time.Minute})
	case x.doubt:
		t.doubts(x)
	}
	again(500*time.Millisecond + w.some(4*time.Second) + w.now.Sub(t.began)/100)
}

// doubts is what a cashier does who does not know.
func (t *till) doubts(x *pay) {
	w := t.w
	switch w.r.IntN(30) {
	case 0, 1:
		t.act(x, lane.Event{Kind: lane.TillPark})
	case 2:
		if lane.Successor(x.p, w.box.sale(x)) != nil || len(t.ids) > 1 {
			return
		}
		if t.act(x, lane.Event{Kind: lane.TillOverride, Override: &lane.OverrideRequest{Tender: "cash", Who: "Anna", Why: "queue"}}) {
			t.paidOtherwise, t.done = true, true
			w.count.overridden++
			w.say("till: a supervisor takes other money")
		}
	case 3:
		if len(t.ids) == 1 && x.p.ReplacedBy == "" {
			t.create(x)
		}
	}
}

func (t *till) act(x *pay, e lane.Event) bool {
	_, err := t.w.box.step(x, e)
	return err == nil
}

// paid: the goods leave, after a while; or they do not.
func (t *till) paid(x *pay) {
	w := t.w
	in := w.some(20 * time.Second)
	if w.r.IntN(12) == 0 {
		in = w.some(15 * time.Minute) // past every deadline
	}
	gives := w.r.IntN(8) == 0
	w.after(in, func() { t.closes(x, gives) })
}

func (t *till) closes(x *pay, gives bool) {
	w := t.w
	switch {
	case t.done:
		return
	case w.box.down:
		w.after(time.Second, func() { t.closes(x, gives) })
		return
	case gives:
		t.act(x, lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: "back"}})
		t.look(x)
		return
	}
	if t.act(x, lane.Event{Kind: lane.TillConfirm, Confirm: &lane.ConfirmRequest{}}) {
		t.handed, t.done = x, true
		w.count.handed++
		w.say("till: the goods have left")
		if w.r.IntN(5) == 0 {
			w.after(w.some(2*time.Hour), func() { t.refund(x) })
		}
		return
	}
	t.look(x)
}

// refund gives a part back of what was kept.
func (t *till) refund(x *pay) {
	if t.w.box.down {
		t.w.after(time.Second, func() { t.refund(x) })
		return
	}
	n := 1 + t.w.r.Int64N(t.amount)
	m := rub(n)
	if t.act(x, lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: "part", Amount: &m}}) {
		t.back = n
	}
}

// people look once a day at what waits for a person.
func (w *world) people() {
	for _, id := range w.ids {
		st := w.server.bills[id]
		if st == nil {
			continue
		}
		for _, o := range st.Obligations {
			if o.State != bill.Human || w.server.down {
				continue
			}
			for _, ord := range w.bank.orders {
				for _, p := range ord.pays {
					if p.txn == o.Txn {
						p.back += o.Amount // by hand
					}
				}
			}
			w.server.change(id, bill.Event{Cause: bill.Resolved, Obligation: o.ID, Verdict: bill.VerdictManual, Evidence: "slip", Who: "Anna"}, "")
		}
	}
}
