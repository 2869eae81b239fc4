package together

import (
	"slices"

	"tilld/payment"
	"tilld/payment/bill"
	"tilld/payment/lane"
)

// verdict is asked when nothing will happen any more: whose is every unit of money, and does everybody know?
func (w *world) verdict() {
	for _, t := range w.tills {
		w.sale(t)
	}
	if len(w.box.calls) > 0 {
		w.fault("%d calls were never answered: %s", len(w.box.calls), w.box.calls[0].id)
	}
	if int64(len(w.server.log)) != w.box.seen {
		w.fault("%d events, the box has seen %d", len(w.server.log), w.box.seen)
	}
}

func (w *world) sale(t *till) {
	if t.handed != nil && t.paidOtherwise {
		w.fault("the goods left against this payment, and other money was taken")
	}
	if len(t.ids) == 0 {
		w.fault("lane %s was never free for its customer %d", t.lane, t.n)
	}
	for _, id := range t.ids {
		x := w.box.get(id)
		st, known := w.server.bills[id]
		if x == nil || !known {
			if x != nil && x.p.Live() {
				w.fault("%s never reached the server and is %s", id, x.p.Stage)
			}
			continue
		}
		if r := st.Request; r.Lane != t.lane || r.Amount.Value != t.amount || r.Reference != x.p.Reference {
			w.fault("%s is another sale's at the server: %+v", id, r)
		}
		w.ended(x, *st)
		w.money(x, *st)
	}
}

func (w *world) ended(x *pay, st bill.State) {
	if x.p.Live() && !slices.Contains([]lane.Stage{lane.Paid}, x.p.Stage) || x.doubt {
		w.fault("%s is %s for ever, doubt %v", x.p.ID, x.p.Stage, x.doubt)
	}
	if st.Life != payment.Closed || st.Doubt {
		w.fault("bill %s is %s for ever, doubt %v", x.p.ID, st.Life, st.Doubt)
	}
	if x.p.Bill == nil || x.p.Bill.Version != st.Version {
		w.fault("%s: the box does not know the bill as it stands", x.p.ID)
	}
}

// money: the bank's own books and the server's are one, and the shop keeps exactly what its goods cost.
func (w *world) money(x *pay, st bill.State) {
	sum := bill.Count(st)
	var came, back int64
	for _, o := range w.bank.orders {
		for _, p := range o.pays {
			if p.state != "paid" || !w.bank.of(o, st) {
				continue
			}
			came += p.amount
			back += p.back
			if p.ownOf == "done" {
				back += p.own
			}
		}
	}
	if came != sum.Credits || back != sum.Returned {
		w.fault("%s: the bank has %d in and %d back, the server %d and %d", x.p.ID, came, back, sum.Credits, sum.Returned)
	}
	if sum.Held != 0 || sum.Owed != 0 || sum.Credits != sum.Kept+sum.Returned {
		w.fault("%s: credits %d, goods %d, returned %d, owed %d, held %d", x.p.ID, sum.Credits, sum.Kept, sum.Returned, sum.Owed, sum.Held)
	}
	want := int64(0)
	if t := x.till; t.handed == x {
		want = t.amount - t.back
	}
	if kept := sum.Kept; kept != want {
		w.fault("%s: %d is kept for goods, the goods that left cost %d", x.p.ID, kept, want)
	}
}

// of says whose order it is.
func (b *bank) of(o *order, st bill.State) bool {
	if st.Order.ID == o.id {
		return true
	}
	return slices.ContainsFunc(st.Attempts, func(a bill.Attempt) bool { return a.Order.ID == o.id })
}
