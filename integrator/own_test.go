package integrator_test

import (
	"strings"
	"testing"
	"time"

	sandboxbank "tilld/integrator/provider/sandbox/bank"
	"tilld/payment"
)

// TestBankThatGivesBackAtAKillIsNeverAskedToPayTwice has two payments cross the kill at a bank that gives both back by
// itself, and a third one come after it, which the bank keeps: that one alone is sent back, after the bank's own time.
func TestBankThatGivesBackAtAKillIsNeverAskedToPayTwice(t *testing.T) {
	inTownOf(t, sandboxbank.Evil{KillRefunds: 1, Lost: 1}, func(w *town) {
		id, code := w.shown(12550)
		paid, returns := false, 0
		w.ahead = func(path string) {
			if strings.HasSuffix(path, "/kill") && !paid {
				paid = true
				w.pays(code)
				w.wallet("/wallet/pay", map[string]any{"payload": code, "force": true, "amount": 5000})
			}
			if strings.Contains(path, "/returns/") {
				returns++
			}
		}
		w.is(id, payment.EvClosing, "closing", 301*time.Second)
		w.await(id, payment.EvReturned, time.Minute)
		w.is(id, payment.EvClosed, "expired", time.Minute)
		w.books(17550, 0, 17550, 0)
		if returns != 0 || !paid {
			w.Errorf("%d returns were asked for what the bank gave back by itself", returns)
		}
		w.wallet("/wallet/pay", map[string]any{"payload": code, "force": true, "amount": 700})
		w.await(id, payment.EvPaidAfter, 6*time.Hour)
		w.books(18250, 0, 17550, 700)
		w.await(id, payment.EvReturned, 3*time.Hour)
		w.books(18250, 0, 18250, 0)
		if returns != 1 {
			w.Errorf("%d returns were asked for, want the third payment's", returns)
		}
	})
}
