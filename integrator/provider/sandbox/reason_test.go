package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox/bank"
	"tilld/payment"
)

// The bank says why it takes no such order, and that a payment is too old; nothing has happened then.
func TestTheBankSaysWhy(t *testing.T) {
	inBubble(t, bank.Config{Most: 12500, Returns: time.Hour}, func(t *testing.T, w *bubble) {
		why := func(err error) provider.Refusal {
			t.Helper()
			var no *provider.Refusal
			if !errors.Is(err, provider.ErrRefused) || !errors.As(err, &no) {
				t.Fatalf("%v is no refusal with a reason", err)
			}
			return *no
		}
		o := w.order(12520)
		_, err := w.provider.Present(t.Context(), o)
		if got := why(err); got != (provider.Refusal{Why: payment.WhyAmount, Most: 12500}) {
			t.Errorf("above the limit: %+v", got)
		}
		if r, err := w.provider.Look(t.Context(), o); err != nil || r.State != provider.Absent {
			t.Errorf("the order that was refused is %q, %v", r.State, err)
		}
		o = w.order(12520)
		_, err = w.provider.Charge(t.Context(), o, w.code())
		if got := why(err); got.Why != payment.WhyAmount {
			t.Errorf("a charge above the limit: %+v", got)
		}

		o, payload := w.present(12500)
		w.pay(payload, provider.Paid)
		r, err := w.provider.Look(t.Context(), o)
		w.is(r, err, provider.Paid, "", 12500)
		w.at(59 * time.Minute)
		if r, err := w.provider.Return(t.Context(), o, "r1", "refund", r.Credits[0].Txn, o.Amount.Of(1000)); err != nil || r.Returns["r1"] != provider.ReturnDone {
			t.Errorf("within the hour: %v, %v", r.Returns, err)
		}
		w.at(61 * time.Minute)
		_, err = w.provider.Return(t.Context(), o, "r2", "refund", r.Credits[0].Txn, o.Amount.Of(1000))
		if got := why(err); got != (provider.Refusal{Why: payment.WhyTooOld}) {
			t.Errorf("after it: %+v", got)
		}
		if r, err := w.provider.Look(t.Context(), o); err != nil || r.Returns["r2"] != "" || r.Returns["r1"] != provider.ReturnDone {
			t.Errorf("returns %v, %v", r.Returns, err)
		}
	})
}
