package soak_test

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

const tenYears = 3653 * 24 * time.Hour

// The wall clocks of a shop and its integrator step ten years, on or back, between any two steps of a sale; both start
// anew with what they had written down. The sale must end, the books be right, and the shop sell on.
func TestClocksStep(t *testing.T) {
	const aBlock = 60 // more sales than a block has numbers: the rest must be leased after the step
	steps := []struct {
		name  string
		sale  lineSale
		state string // in which the clocks step
		alone bool   // nobody pays afterwards
		more  int    // sales after a step back
	}{
		{"shown", lineSale{mode: payment.Show}, "open", false, 1},
		{"shown, nobody pays", lineSale{mode: payment.Show}, "open", true, 1},
		{"shown and paid", lineSale{mode: payment.Show}, "paid", false, 1},
		{"waiting for a scan", lineSale{mode: payment.Scan, part: 2000}, "open", false, 1},
		{"waiting, nobody comes", lineSale{mode: payment.Scan}, "open", true, 1},
		{"charged", lineSale{mode: payment.Scan, part: 2000}, "paid", false, 1},
		{"confirmed", lineSale{mode: payment.Show, part: 2000}, "confirmed", false, aBlock},
		{"part returned", lineSale{mode: payment.Show, part: 2000}, "part_returned", false, 1},
	}
	if os.Getenv("TILLD_DEPTH") != "prove" {
		steps = steps[:2]
	}
	for _, at := range steps {
		t.Run("on/"+at.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLineTown(t, newTown(t), at.sale)
				defer func() { l.close() }()
				id, d := l.upTo(at.state)
				l.closeBox()
				l.closeServer()
				time.Sleep(tenYears)
				l.openServer()
				l.openBox()
				l.after(id, d, at.alone, 1)
			})
		})
		t.Run("back/"+at.name, func(t *testing.T) {
			var id string
			var d *deeds
			dir := memory(t)
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(tenYears)
				l := newLineTown(t, townIn(t, dir), at.sale)
				defer func() { l.close() }()
				id, d = l.upTo(at.state)
			})
			synctest.Test(t, func(t *testing.T) { // a bubble begins in the year 2000
				l := newLineTown(t, townIn(t, dir), at.sale)
				defer func() { l.close() }()
				l.after(id, d, at.alone, at.more)
			})
		})
	}
}

// upTo plays a sale until it is in this state.
func (l *lineTown) upTo(state string) (string, *deeds) {
	l.t.Helper()
	id, d := l.begin(), &deeds{cut: true}
	l.until(state, func() bool {
		p, err := l.box.Get(l.t.Context(), id)
		l.ok(err)
		if p.State == state && (state != "open" || l.sale.mode == payment.Scan || p.QR != nil) {
			return true
		}
		l.act(p, d)
		return false
	})
	return id, d
}

// after ends the sale that the step met, sells on, and looks at the books.
func (l *lineTown) after(id string, d *deeds, nobody bool, more int) {
	l.t.Helper()
	ctx := l.t.Context()
	l.until("the line is up again", func() bool { return l.box.link.Status().Up })
	l.sales = 100 // references of their own
	if d.paid = d.paid || nobody; nobody {
		// The ends of a bill are times of the server's clock. One that has gone back leaves it to the till.
		time.Sleep(10 * time.Minute)
		if p, err := l.box.Get(ctx, id); err != nil || p.State != "expired" {
			if err != nil || !slices.Contains(p.Next, "return") || p.Lights != (lane.Lights{}) || p.QR != nil {
				l.t.Fatalf("ten minutes later: %+v %v", p, err)
			}
			l.returns(p, 0)
		}
	}
	end := l.goOn(id, d)
	l.books()
	for range more {
		l.until("the shop sells", l.available)
		if end := l.one(); end != "confirmed" && end != "part_returned" {
			l.t.Errorf("a sale after it ended %s", end)
		}
	}
	l.books()
	l.t.Logf("the sale ended %s, then %d more", end, more)
}
