//go:build processes

package shop_test

import (
	"fmt"
	"net/http"
	"time"

	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// sell is one sale as a till makes it, with its receipt.
func (d *days) sell() {
	d.t.Helper()
	var ref string
	var amount int64
	d.does("start", func() {
		if d.part == shop.Tilld {
			d.try("be ready", func() error { return mayShow(d.rig) })
		}
	})
	d.now.start = len(d.now.gate.Calls())
	for try := range 5 { // one that never left the box is taken back, and made again
		d.sales++
		ref, amount = fmt.Sprint("N-", d.sales), 20_000+100*d.sales
		d.does("create", func() { d.now.told = d.create(client.NewPayment{Reference: ref, Amount: rub(amount), Mode: "show"}) })
		d.does("open", func() {
			d.now.told = d.until(d.now.told.ID, "open with its code, or over", func(p client.Payment) bool { return p.State == "open" && p.QR != nil || over(p) })
		})
		if !over(d.now.told) {
			break
		}
		if try == 4 {
			d.t.Fatalf("%v: no payment is ever open: %+v", d.now.plan, d.now.told)
		}
	}
	id := d.now.told.ID
	d.does("pay", func() {
		d.pay(d.now.told.QR.Payload, nil)
		d.now.told = d.until(id, "paid", func(p client.Payment) bool { return p.State == "paid" })
	})
	d.does("confirm", func() {
		d.try("confirm", func() error {
			p, err := d.api.Confirm(d.t.Context(), id, client.Confirmation{})
			if err == nil {
				d.now.told = p
			}
			return err
		})
		d.goods += amount
	})
	d.does("print", func() { d.paper(ref) })
	d.does("books", d.books)
}

// does is one step of the day. Where the program has ended since, or is killed now, what the till was told must be true.
func (d *days) does(step string, do func()) {
	d.t.Helper()
	d.now.step = step
	do()
	if !d.now.hit.Load() || d.now.tried {
		return
	}
	if d.now.in == "" {
		d.now.in = step
	}
	switch {
	case d.now.killed:
	case d.now.gate.Over():
		d.now.alone = true
	case d.now.kill:
		d.cut()
	default:
		return
	}
	d.compare()
}

// cut kills the program, which starts anew without a gate.
func (d *days) cut() {
	d.now.killed = true
	d.shop.Kill(d.part)
	d.now.gate.Wait()
}

// until is the rig's, in which no answer is older than the one before it, whatever was killed in between.
func (d *days) until(id, what string, ok func(client.Payment) bool) client.Payment {
	d.t.Helper()
	newest := int64(0)
	return d.rig.until(id, settleLimit, what, func(p client.Payment) bool {
		if p.Version < newest {
			d.t.Fatalf("a false ok: %v: in %s the till was told version %d of the payment, and later %d: %s", d.now.plan, d.now.step, newest, p.Version, p.State)
		}
		newest = p.Version
		return ok(p)
	})
}

// compare looks whether what the till was told is still true.
func (d *days) compare() {
	d.t.Helper()
	d.now.tried = true
	told := d.now.told
	if told.ID == "" {
		return
	}
	var p client.Payment
	d.try("look after a restart", func() (err error) {
		p, err = d.api.Get(d.t.Context(), told.ID)
		return err
	})
	if p.Version < told.Version || told.State == "confirmed" && p.State != "confirmed" || told.State == "paid" && p.State != "paid" {
		d.t.Fatalf("a false ok: %v: the till was told %s (%d), now it is %s (%d)", d.now.plan, told.State, told.Version, p.State, p.Version)
	}
	if d.now.paper.ID == "" {
		return
	}
	var j client.PrintJob
	d.try("look at the receipt after a restart", func() (err error) { j, err = d.api.PrintJob(d.t.Context(), d.now.paper.ID); return err })
	begun, whole := d.onPaper(told.Reference)
	late := d.now.paper.State == client.JobUnknown && j.State == client.JobPrinted && j.Why == "late" && whole == 1 // the printer has said it since
	if j.State != d.now.paper.State && !late || begun > 1 || whole > 1 {
		d.t.Fatalf("a false ok: %v: the receipt was called %s, now it is %s: %d begun, %d whole", d.now.plan, d.now.paper.State, j.State, begun, whole)
	}
}

const notYet = "not yet"

// mayShow says whether the box can show a code.
func mayShow(r *rig) error {
	lanes, err := r.api.Availability(r.t.Context())
	if err == nil && !lanes[shop.Lane].Show.OK {
		err = &client.Problem{Status: http.StatusServiceUnavailable, Code: lanes[shop.Lane].Show.Why, Title: notYet}
	}
	return err
}

// paper prints a receipt and looks at what the box says of it.
func (d *days) paper(ref string) {
	d.t.Helper()
	j := d.print(ref)
	j = d.printUntil(j.ID, "over", func(j client.PrintJob) bool { return j.State == client.JobPrinted || j.State == client.JobUnknown })
	d.now.paper = j
	if begun, whole := d.onPaper(ref); begun > 1 || whole > 1 || j.State == client.JobPrinted && whole != 1 {
		d.t.Errorf("%v: the receipt is called %s: %d begun, %d whole", d.now.plan, j.State, begun, whole)
	}
}

// books waits until the integrator's books, the bank's and the till's say the same.
func (d *days) books() {
	d.t.Helper()
	for end := time.Now().Add(settleLimit); ; time.Sleep(20 * time.Millisecond) { // real programs: there is no clock to turn
		a := d.audit()
		s := a.Sums["RUB"]
		credits, returned := d.bankBooks()
		if a.OK() && s.Held == 0 && s.Owed == 0 && s.Goods == d.goods && s.Credits == credits && s.Returned == returned {
			return
		}
		if time.Now().After(end) {
			d.t.Fatalf("%v: the books do not agree: %sthe till handed over %d, the bank says credits %d, returned %d", d.now.plan, a.Text(), d.goods, credits, returned)
		}
	}
}
