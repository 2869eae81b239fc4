package integrator_test

import (
	"testing"
	"time"

	sandboxbank "tilld/integrator/provider/sandbox/bank"
	"tilld/payment"
)

// A bank's definite no that a person can do something about reaches the till with its reason: by HTTP from the bank, through
// the provider's client and the table.
func TestTheBanksReasonsReachTheTill(t *testing.T) {
	inTownWith(t, sandboxbank.Config{Most: 100_00, Returns: 24 * time.Hour}, func(w *town) {
		above := w.sale(payment.Show, 100_20)
		if b := w.is(above, payment.EvClosed, "refused", 5*time.Second); b.Why != payment.WhyAmount || b.Most != 100_00 {
			t.Errorf("above the limit: %q, most %d", b.Why, b.Most)
		}
		scanned := w.sale(payment.Scan, 100_01) // 01: of a sum that it takes, the bank would decline the first code alone
		for n := 1; n <= 2; n++ {
			w.scans(scanned, n)
			if b := w.is(scanned, payment.EvDeclined, "open", time.Second); *b.Declined != (payment.Decline{Attempt: n, Why: payment.WhyAmount}) {
				t.Errorf("a code that is to pay more than the limit: %+v", b.Declined)
			}
		}
		w.giveBack(scanned, "whole", 0)
		w.is(scanned, payment.EvClosed, "canceled", time.Second)
		id, code := w.shown(100_00)
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 100_00)
		time.Sleep(time.Hour)
		w.giveBack(id, "soon", 30_00)
		w.await(id, payment.EvReturned, 10*time.Second)
		time.Sleep(24 * time.Hour)
		w.giveBack(id, "late", 20_00)
		b := w.await(id, payment.EvReview, 10*time.Second)
		if last := b.Returns[len(b.Returns)-1]; b.Why != payment.WhyTooOld || last.State != "refused" || b.Most != 0 {
			t.Errorf("a day later: why %q, %+v", b.Why, b.Returns)
		}
		w.books(100_00, 50_00, 30_00, 20_00)
	})
}
