package soak_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/depth"
	"tilld/payment"
)

const tenYears = 3653 * 24 * time.Hour

// moment is where in a sale a clock steps.
type moment struct {
	name  string
	sale  lineSale
	state string
	alone bool // nobody pays afterwards
	more  int  // sales after a step back
}

// moments are all of them, or a few.
func moments(t *testing.T) []moment {
	t.Helper()
	const aBlock = 60 // more sales than a block has numbers: the rest must be leased after the step
	all := []moment{
		{"shown", lineSale{mode: payment.Show}, "open", false, 1},
		{"shown, nobody pays", lineSale{mode: payment.Show}, "open", true, 1},
		{"shown and paid", lineSale{mode: payment.Show}, "paid", false, 1},
		{"waiting for a scan", lineSale{mode: payment.Scan, part: 2000}, "open", false, 1},
		{"waiting, nobody comes", lineSale{mode: payment.Scan}, "open", true, 1},
		{"charged", lineSale{mode: payment.Scan, part: 2000}, "paid", false, 1},
		{"confirmed", lineSale{mode: payment.Show, part: 2000}, "confirmed", false, aBlock},
		{"part returned", lineSale{mode: payment.Show, part: 2000}, "part_returned", false, 1},
	}
	if !depth.Full(t, fmt.Sprintf("%d moments of a sale at which a clock steps, here 2", len(all))) {
		return all[:2]
	}
	return all
}

// The wall clocks of a shop and its integrator step ten years, on or back, between any two steps of a sale; both start
// anew with what they had written down. The sale must end, the books be right, and the shop sell on.
func TestClocksStep(t *testing.T) {
	for _, at := range moments(t) {
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

// The wall clock of one end alone steps ten years, on or back, while that end runs or while it is off; the other's and the
// bank's are right. The sale that it meets must end in its time. What is sold while the clock is wrong must end too, and
// once it is right again the shop sells.
func TestOneClockSteps(t *testing.T) {
	ends := []struct {
		name        string
		off         func(*town) *atomic.Int64
		close, open func(*town)
	}{
		{"box", func(w *town) *atomic.Int64 { return &w.boxOff }, (*town).closeBox, (*town).openBox},
		{"server", func(w *town) *atomic.Int64 { return &w.serverOff }, (*town).closeServer, (*town).openServer},
	}
	wrongs := map[string]int{}
	all, quick := moments(t), !depth.Full(t, "each way in which a clock steps alone, here every other, at one moment")
	if quick {
		all = all[1:]
	}
	for _, at := range all {
		for i, end := range ends {
			for j, by := range []time.Duration{tenYears, -tenYears} {
				for k, restart := range []bool{false, true} {
					if quick && (i+j+k)%2 == 1 {
						continue
					}
					name := fmt.Sprintf("%s/%s by %+.0f years, restart %v", at.name, end.name, by.Hours()/8766, restart)
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							l := newLineTown(t, newTown(t), at.sale)
							defer func() { l.close() }()
							set := func(by time.Duration) {
								if restart {
									end.close(l.town)
									defer end.open(l.town)
								}
								end.off(l.town).Store(int64(by))
							}
							id, d := l.upTo(at.state)
							set(by)
							l.after(id, d, at.alone, 0)
							l.until("the shop takes payments", l.available)
							wrongs[l.one()]++
							l.books()
							set(0)
							l.sellOn(at.more)
						})
					})
				}
			}
		}
	}
	t.Logf("sales while a clock was wrong ended %v", wrongs)
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
	l.until("the line is up again", func() bool { return l.box.link.Status().Up })
	l.sales = 100 // references of their own
	if d.paid = d.paid || nobody; nobody {
		time.Sleep(3 * time.Minute)
		if p, err := l.box.Get(l.t.Context(), id); err != nil || p.State != "expired" {
			l.t.Fatalf("a code of two minutes, three minutes later: %+v %v", p, err)
		}
	}
	end := l.goOn(id, d)
	l.books()
	l.sellOn(more)
	l.t.Logf("the sale ended %s, then %d more", end, more)
}

// sellOn sells so often.
func (l *lineTown) sellOn(times int) {
	l.t.Helper()
	for range times {
		l.until("the shop sells", l.available)
		if end := l.one(); end != "confirmed" && end != "part_returned" {
			l.t.Errorf("a sale after it ended %s", end)
		}
	}
	l.books()
}
