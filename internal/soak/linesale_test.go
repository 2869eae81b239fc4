package soak_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// lineSale is a kind of sale whose every frame is hit in turn.
type lineSale struct {
	name   string
	mode   payment.Mode
	digits int64    // the last two of the amount, which the bank acts upon
	part   int64    // is given back after the confirm
	cut    bool     // besides, the line is cut once while the payment is open: the frames of a resume are hit too
	back   bool     // it is called off while its code is there
	late   bool     // more time is asked for; the money comes late all the same, and is taken
	boots  bool     // the box restarts once, right behind a pay code: a void goes in the charge's place
	ends   []string // that a short fault may lead to; nil: confirmed, or part_returned
}

var lineSales = []lineSale{
	{name: "shown", mode: payment.Show, digits: 50},
	{name: "scanned, part returned", mode: payment.Scan, digits: 50, part: 2000},
	{name: "shown, the line cut once", mode: payment.Show, digits: 50, cut: true},
	{name: "called off", mode: payment.Show, digits: 50, back: true, ends: []string{"canceled"}},
	{name: "late and taken", mode: payment.Show, digits: 3, late: true},
	{name: "declined, then restarted", mode: payment.Scan, digits: 1, boots: true},
}

// amount of a sale of this kind, in minor units.
func (s lineSale) amount() int64 { return 10000 + s.digits }

// may says whether a sale of this kind may end so when its line has a short fault.
func (s lineSale) may(state string) bool {
	if s.ends != nil {
		return slices.Contains(s.ends, state)
	}
	return state == "confirmed" || state == "part_returned"
}

// one plays a sale with a cashier and a customer who do what the box tells them, and says how it ended.
func (l *lineTown) one() string {
	l.t.Helper()
	return l.goOn(l.begin(), &deeds{cut: !l.sale.cut})
}

// begin asks for money.
func (l *lineTown) begin() string {
	l.t.Helper()
	l.sales++
	p, _, err := l.box.Create(context.Background(), lane.Request{
		Reference: fmt.Sprint("L-", l.sales), Lane: "1", Amount: rub(l.sale.amount()), Mode: l.sale.mode, Purpose: payment.Sale, ExpiresIn: 2 * time.Minute,
	})
	l.ok(err)
	return p.ID
}

// deeds are what is done once in a sale.
type deeds struct{ paid, cut, back, more, boots bool }

// goOn plays a sale to its end, and says how it ended.
func (l *lineTown) goOn(id string, d *deeds) string {
	l.t.Helper()
	end := ""
	l.until("the sale ends", func() bool {
		p, err := l.box.Get(context.Background(), id)
		l.ok(err)
		l.calm()
		end = l.act(p, d)
		return end != "" && len(l.box.OpenPayments()) == 0
	})
	switch end {
	case "confirmed":
		l.goods += l.sale.amount()
	case "part_returned":
		l.goods += l.sale.amount() - l.sale.part
	}
	return end
}

// calm: nothing that a line does is a reason to call for a person, who would find nothing.
func (l *lineTown) calm() {
	l.t.Helper()
	if s := l.box.link.Status(); s.NeedsPerson {
		l.t.Fatalf("a person is called for: %s", s.LastError)
	}
}

// act does what the payment calls for now; its answer is the state in which nothing is left to do.
func (l *lineTown) act(p lane.Public, d *deeds) string {
	l.t.Helper()
	if p.Lights.HandOver && p.Lights.OtherTender {
		l.t.Fatalf("payment %s has both lights on", p.Number)
	}
	switch {
	case p.State == "open" && !d.cut:
		d.cut = true
		l.line.Reset()
	case p.State == "open" && p.QR != nil && l.sale.back && !d.back:
		d.back = true
		l.returns(p, 0)
	case p.State == "open" && p.QR != nil && l.sale.late && !d.more:
		d.more = true
		_, _, _ = l.box.Extend(context.Background(), p.ID, 30*time.Second) // may be refused, or not be answered in time
	case p.LateOffer != nil:
		_, _ = l.box.Accept(context.Background(), p.ID) // of one that was taken back meanwhile it is refused
	case p.State == "open" && p.QR != nil && !l.sale.back && !l.sale.late && !d.paid:
		d.paid = true
		l.phone("/wallet/pay", map[string]any{"payload": p.QR.Payload})
	case p.State == "open" && l.sale.mode == payment.Scan && !d.paid && l.box.link.Status().Up:
		code := l.phone("/wallet/code", struct{}{})["code"].(string)
		err := l.box.Scan(context.Background(), "1", payment.NewCode(code), time.Now(), reading) // one that comes too late is refused
		if err == nil && l.sale.boots && !d.boots {
			d.boots = true
			l.closeBox()
			l.openBox()
		}
	case p.State == "paid" && p.Lights.HandOver:
		_, err := l.box.Confirm(context.Background(), p.ID, lane.ConfirmRequest{})
		l.ok(err)
	case p.State == "confirmed" && l.sale.part > 0 && !d.back:
		d.back = true
		l.returns(p, l.sale.part)
	case p.State == "confirmed" && l.sale.part == 0,
		slices.Contains([]string{"part_returned", "returned", "canceled", "expired", "refused"}, p.State):
		return p.State
	}
	return ""
}
