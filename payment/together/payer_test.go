package together

import (
	"time"

	"tilld/payment"
)

// shown: customers see the code, and do what customers do: pay, soon or late or never, one or two of them, in a moment or
// after having thought about it with the amount on their phone.
func (w *world) shown(o *order) {
	customers := []int{0, 1, 1, 1, 1, 1, 1, 2}[w.r.IntN(8)]
	for range customers {
		in := w.some(30 * time.Second)
		switch w.r.IntN(10) {
		case 0:
			in = w.some(25 * time.Minute) // perhaps after everything
		case 1:
			in = max(0, o.expiry.Sub(w.now)-15*time.Second+w.some(20*time.Second))
		case 2:
			in = 5*time.Minute + w.some(12*time.Second) // around our own end
		}
		w.after(in, func() { w.pays(o) })
	}
}

// pays is one customer at a code that is live, whether or not anybody shows it any more.
func (w *world) pays(o *order) {
	if w.bank.over(o) {
		return
	}
	p := &paid{txn: w.bank.newTxn(), amount: o.due, state: "confirming"}
	o.pays = append(o.pays, p)
	if w.r.IntN(3) > 0 {
		w.bank.lands(o, p)
		return
	}
	w.after(w.some(40*time.Second), func() {
		if w.r.IntN(5) == 0 {
			p.state = "gone"
			return
		}
		w.bank.lands(o, p)
	})
}

// lands: the money has come.
func (b *bank) lands(o *order, p *paid) {
	p.state, p.at = "paid", b.w.now
	b.w.count.credits++
	b.w.say("bank: %d are paid as %s", p.amount, p.txn)
	b.callsBack(o)
	if o.dead && b.w.server.env.Traits.KillRefunds {
		b.undo(p)
	}
}

// charge is what a bank makes of a customer's code.
func (b *bank) charge(o *order, _ string) {
	w := b.w
	p := &paid{txn: b.newTxn(), amount: o.due, state: "confirming"}
	switch w.r.IntN(6) {
	case 0:
		o.decline = &payment.Decline{Why: "not_enough", Retry: true}
		b.callsBack(o)
	case 1:
		o.pays = append(o.pays, p)
		w.after(w.some(90*time.Second), func() {
			if w.r.IntN(3) == 0 {
				p.state, o.decline = "gone", &payment.Decline{Why: "refused", Retry: true}
				b.callsBack(o)
				return
			}
			b.lands(o, p)
		})
	default:
		o.pays = append(o.pays, p)
		b.lands(o, p)
	}
}
