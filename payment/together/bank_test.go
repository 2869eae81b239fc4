package together

import (
	"fmt"
	"strconv"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// bank is the truth: orders, who paid, what was given back. It never lies about what is over, and does everything else: it
// says nothing, answers late, takes two payments, takes them after the end, gives money back slowly, refuses to.
type bank struct {
	w      *world
	orders map[string]*order
	txn    int
	silent time.Time // out of order until then
	single bool      // its code ends with the first payment
}

type order struct {
	id      string
	bill    string
	attempt int
	live    bool
	dead    bool
	due     int64
	expiry  time.Time
	charges int
	decline *payment.Decline
	pays    []*paid
	returns map[string]*given
}

// paid is one payer: confirming, has paid, or has given up.
type paid struct {
	txn    string
	amount int64
	at     time.Time
	state  string // confirming paid gone
	own    int64  // given back by the bank itself, because of a kill
	ownOf  string // pending done
	back   int64  // given back by us
}

type given struct {
	state  string
	amount int64
	txn    string
}

func newBank(w *world) *bank {
	b := &bank{w: w, orders: map[string]*order{}, single: w.r.IntN(2) == 0}
	if w.evil.outage > 0 {
		w.at(start.Add(w.some(10*time.Minute)), func() { b.silent = w.now.Add(w.evil.outage) })
	}
	return b
}

// asked is one call: it reaches the bank or not, now or late, and its answer comes or not.
func (b *bank) asked(st *bill.State, w bill.Work, o bill.Order, code string, until time.Time, rep bill.Report, done func(bill.Report)) {
	x := b.w
	unclear := func() {
		x.count.bankSilent++
		r := rep
		r.Fail = bill.Unclear
		x.at(until, func() { done(r) })
	}
	answer := func() bill.Report { return b.does(st, w, o, code, rep) }
	switch {
	case x.now.Before(b.silent):
		unclear()
	case x.chance(e(w, x.evil.silent) / 2):
		unclear() // it never came
	case x.chance(e(w, x.evil.silent) / 2):
		answer()
		unclear() // its answer never came
	case x.chance(x.evil.late):
		x.at(x.now.Add(x.some(until.Sub(x.now))), func() { answer() })
		unclear()
	case x.chance(x.evil.busy):
		rep.Fail = bill.Busy
		x.after(x.some(time.Second), func() { done(rep) })
	case x.chance(x.evil.slow):
		r := answer()
		at := x.now.Add(x.some(until.Sub(x.now)))
		x.at(at, func() { done(r) }) // as it was then
	default:
		r := answer()
		x.after(x.some(200*time.Millisecond), func() { done(r) })
	}
}

// e spares what only asks: a bank that never says anything ends nothing.
func e(w bill.Work, p float64) float64 {
	if w.Kind == bill.Look {
		return p / 2
	}
	return p
}

func (b *bank) does(st *bill.State, w bill.Work, ord bill.Order, code string, rep bill.Report) bill.Report {
	x := b.w
	o := b.orders[ord.ID]
	switch w.Kind {
	case bill.Present:
		if o == nil {
			o = b.make(st.ID, w.Attempt, ord.ID, st.Request.Amount.Value, bill.ProviderExpiry(*st, x.server.env.Traits))
			x.shown(o)
		}
	case bill.ChargeCode:
		if o == nil {
			o = b.make(st.ID, w.Attempt, ord.ID, st.Need, x.now.Add(2*time.Minute))
			for _, a := range st.Attempts {
				if a.N == w.Attempt {
					o.due = a.Amount
				}
			}
		}
		if o.charges++; o.charges > 1 {
			x.fault("order %s was charged twice", o.id)
		}
		b.charge(o, code)
	case bill.Kill:
		if o == nil {
			o = b.make(st.ID, w.Attempt, ord.ID, 0, x.now) // it can never be made any more
		}
		b.kill(o)
	case bill.GiveBack:
		if x.plant == otherRequest {
			w.Request += fmt.Sprint("-", x.n)
		}
		b.giveBack(o, w)
	}
	return b.tells(o, rep)
}

func (b *bank) make(bill string, attempt int, id string, due int64, expiry time.Time) *order {
	o := &order{id: id, bill: bill, attempt: attempt, live: true, due: due, expiry: expiry, returns: map[string]*given{}}
	b.orders[id] = o
	return o
}

// callsBack tells the server that something has become of an order: at once or a while later, so that an older call-back
// comes after a newer one; once, twice or not at all. It says nothing but that the server should ask.
func (b *bank) callsBack(o *order) {
	w := b.w
	n := []int{0, 1, 1, 2}[w.r.IntN(4)]
	for range n {
		w.after(w.some(20*time.Second), func() {
			if w.server.down || w.now.Before(b.silent) {
				return
			}
			w.count.callBacks++
			w.server.change(o.bill, bill.Event{Cause: bill.Hinted, Attempt: o.attempt}, "")
		})
	}
}

func (b *bank) kill(o *order) {
	o.dead = true
	if !b.w.server.env.Traits.KillRefunds {
		return
	}
	for _, p := range o.pays {
		if p.state == "paid" {
			b.undo(p)
		}
	}
}

// undo is a bank that gives back what was paid for a code that was killed.
func (b *bank) undo(p *paid) {
	if p.ownOf != "" || p.back == p.amount {
		return
	}
	p.own, p.ownOf = p.amount-p.back, "pending"
	b.w.after(b.w.some(10*time.Minute), func() { p.ownOf = "done" })
}

// over: no new payer comes to this order.
func (b *bank) over(o *order) bool {
	return o.dead || !b.w.now.Before(o.expiry) || b.single && len(b.money(o)) > 0
}

func (b *bank) money(o *order) (out []*paid) {
	for _, p := range o.pays {
		if p.state == "paid" {
			out = append(out, p)
		}
	}
	return out
}

// tells is the truth about an order now.
func (b *bank) tells(o *order, rep bill.Report) bill.Report {
	rep.Status = bill.Absent
	if o == nil {
		return rep
	}
	rep.Status = bill.Pending
	if rep.Attempt == 0 && o.due > 0 {
		rep.Payload, rep.Expires = "https://pay/"+o.id, o.expiry
	}
	confirming := false
	for _, p := range o.pays {
		switch p.state {
		case "confirming":
			confirming = true
		case "paid":
			rep.Credits = append(rep.Credits, bill.Credit{Provider: "bank", Txn: p.txn, Amount: p.amount, PaidAt: p.at})
			if p.ownOf != "" {
				rep.Own = append(rep.Own, bill.Own{Txn: p.txn, Amount: p.own, State: p.ownOf})
			}
		}
	}
	switch {
	case confirming:
		rep.Status = bill.Paying
	case len(rep.Credits) > 0 && (b.single || rep.Attempt > 0):
		rep.Status = bill.AllPaid
	case b.over(o) || o.decline != nil:
		rep.Status, rep.Decline = bill.Dead, o.decline
	}
	if len(o.returns) > 0 {
		rep.Returns = make(map[string]string, len(o.returns))
	}
	for id, g := range o.returns {
		rep.Returns[id] = g.state
	}
	return rep
}

func (b *bank) giveBack(o *order, w bill.Work) {
	x := b.w
	if o == nil {
		x.fault("a return for an order that was never made: %s", w.Txn)
		return
	}
	if g := o.returns[w.Request]; g != nil {
		return // the same request is the same return
	}
	for _, p := range o.pays {
		if p.txn != w.Txn {
			continue
		}
		g := &given{amount: w.Amount, txn: w.Txn, state: "done"}
		o.returns[w.Request] = g
		if p.own+p.back+w.Amount > p.amount {
			x.fault("more is asked back of %s than was paid: %d of %d, %d and %d are back", p.txn, w.Amount, p.amount, p.back, p.own)
			g.state = "refused"
			return
		}
		if x.chance(x.evil.refund) {
			switch x.r.IntN(4) {
			case 0:
				g.state = "short"
				return
			case 1:
				g.state = "refused"
				return
			default:
				g.state = "pending"
				p.back += w.Amount
				x.after(x.some(time.Hour), func() { g.state = "done" })
				return
			}
		}
		p.back += w.Amount
		x.count.returns++
		return
	}
	x.fault("a return for a payment that the bank does not know: %s", w.Txn)
}

func (b *bank) newTxn() string {
	b.txn++
	return "tx" + strconv.Itoa(b.txn)
}
