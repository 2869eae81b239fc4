package terminal_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/depth"
	"tilld/internal/link"
	"tilld/internal/wire"
	"tilld/payment"
)

// herd is everybody who comes back at one moment: thousands of boxes with nothing to do, and a few with a customer.
type herd struct {
	t       *testing.T
	office  *office
	server  *terminal.Server
	idle    []*box
	selling []*box // each with a payment whose making has not been answered yet
	began   time.Time
}

// TestOpenPaymentsComeBeforeTheHerd: with the server's own limits, 450 boxes (TILLD_DEPTH=prove: 2,000) come at one moment,
// and behind them ten with open payments. The ten are in at once and sell while the others are still turned away; then
// those come in too. The links are the boxes' own; time is the bubble's.
func TestOpenPaymentsComeBeforeTheHerd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const selling = 10
		idle := depth.Figure(t, "boxes that come at one moment", 450, 450, 2000)
		h := &herd{t: t, began: time.Now()}
		var names []string
		for i := range idle {
			h.idle = append(h.idle, &box{name: fmt.Sprintf("idle-%04d", i), answered: make(chan string, 1)})
			names = append(names, h.idle[i].name)
		}
		for i := range selling {
			b := &box{name: fmt.Sprintf("selling-%d", i), answered: make(chan string, 1)}
			b.open = []string{b.name + "-p"}
			h.selling, names = append(h.selling, b), append(names, b.name)
		}
		h.office = newOffice(names...)
		p, s, stop := bubble(t, h.office, terminal.Config{})
		defer stop()
		h.server = s
		for _, b := range h.idle {
			defer b.start(t, link.Config{URL: "ws://localhost/v1/term", Dial: p.Dial})()
		}
		synctest.Wait() // the door has seen them all
		for _, b := range h.selling {
			defer b.start(t, link.Config{URL: "ws://localhost/v1/term", Dial: p.Dial})()
			b.ask(b.open[0]+":create", b.open[0], wire.BillCreate, wire.Create{Payment: b.open[0], Amount: payment.Money{Value: 100, Currency: "RUB"}})
		}
		synctest.Wait()
		in := len(h.server.Online())
		if in <= selling || in >= idle {
			t.Errorf("%d are in at once: that is no herd before a door", in)
		}
		for _, b := range h.selling { // no time has passed: nobody was told to come again
			h.has(b, 1)
		}
		if t.Failed() {
			return
		}
		h.pay(h.selling[:selling/2])
		for _, b := range h.selling[:selling/2] {
			h.has(b, 2)
		}
		time.Sleep(3 * time.Second) // in the middle of those who come back
		if n := len(h.server.Online()); n >= idle+selling {
			t.Errorf("all %d are in after 3 s: faster than the door lets in", n)
		}
		h.pay(h.selling[selling/2:])
		for _, b := range h.selling[selling/2:] {
			h.has(b, 2)
		}
		for len(h.server.Online()) < idle+selling && time.Since(h.began) < 5*time.Minute {
			time.Sleep(time.Second)
		}
		if n := len(h.server.Online()); n != idle+selling {
			t.Errorf("%d of %d are in after %v", n, idle+selling, time.Since(h.began))
		}
		for _, b := range h.selling { // one session and no second making of anything
			h.has(b, 2)
		}
		if n := len(h.office.bills); n != selling {
			t.Errorf("%d bills, want %d", n, selling)
		}
		t.Logf("%d came, %d were in at once, all after %v; %d payments paid meanwhile", idle+selling, in, time.Since(h.began), selling)
	})
}

// has checks that a box with a payment came in at the first moment, once, that its bill was made and answered once, and
// that it has taken in so many events.
func (h *herd) has(b *box, events int64) {
	h.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.epoch != 1 || !b.came.Equal(h.began) || len(b.calls) != 0 || b.seen != events || b.fault != nil {
		h.t.Errorf("%s: session %d after %v, %d calls left, %d events of %d, %v", b.name, b.epoch, b.came.Sub(h.began), len(b.calls), b.seen, events, b.fault)
	}
}

// pay lets the customers of those boxes pay, and returns when nothing more moves at this moment.
func (h *herd) pay(boxes []*box) {
	h.office.mu.Lock()
	for _, b := range boxes {
		bill := *h.office.bills[b.open[0]]
		bill.Version, bill.Paid = 2, bill.Amount.Value
		h.office.event(b.name, payment.EvPaid, &bill)
	}
	h.office.mu.Unlock()
	synctest.Wait()
}
