package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox/bank"
)

const second = time.Second

// answer is what a call that was made beside others came to.
type answer struct {
	r    provider.Report
	err  error
	took time.Duration
}

// beside makes a call without waiting for it.
func beside(f func() (provider.Report, error)) <-chan answer {
	out := make(chan answer, 1)
	start := time.Now()
	go func() {
		r, err := f()
		out <- answer{r, err, time.Since(start)}
	}()
	return out
}

func (w *bubble) kill(o provider.Order) <-chan answer {
	return beside(func() (provider.Report, error) { return w.provider.Kill(w.t.Context(), o) })
}

func (w *bubble) chargeWith(o provider.Order) (provider.Report, error) {
	w.t.Helper()
	return w.provider.Charge(w.t.Context(), o, w.code())
}

// magicShow is each magic amount with a code that the shop shows.
var magicShow = []struct {
	name string
	run  func(t *testing.T, w *bubble)
}{
	{"00/IsPaidAtOnce", func(t *testing.T, w *bubble) {
		o, payload := w.present(12500)
		w.sees(1*second, o, provider.Pending, "")
		w.pay(payload, provider.Paid)
		w.sees(1*second, o, provider.Paid, "", 12500)
	}},
	{"01/IsDeclinedOnce", func(t *testing.T, w *bubble) {
		o, payload := w.present(12501)
		w.pay(payload, provider.Paying)
		w.sees(1*second, o, provider.Paying, "")
		w.sees(4*second, o, provider.Pending, "not_enough retry:true")
		w.pay(payload, provider.Paid)
		w.sees(5*second, o, provider.Paid, "not_enough retry:true", 12501)
	}},
	{"02/IsDeclinedForGood", func(t *testing.T, w *bubble) {
		o, payload := w.present(12502)
		w.pay(payload, provider.Paying)
		w.sees(1*second, o, provider.Paying, "")
		w.sees(4*second, o, provider.Dead, "limit retry:false")
		if status, out := w.wallet("/wallet/pay", map[string]any{"payload": payload}); status != 409 || out["code"] != "closed" {
			t.Errorf("a dead code: %d %v", status, out)
		}
	}},
	{"02/DiesAloneWhenNobodyTries", func(t *testing.T, w *bubble) {
		o, _ := w.present(12502)
		w.sees(7*second, o, provider.Pending, "")
		w.sees(9*second, o, provider.Dead, "other retry:false")
	}},
	{"02/WhoTriesAtTheLastMomentIsNotCutOff", func(_ *testing.T, w *bubble) {
		o, payload := w.present(12502)
		w.at(7 * second)
		w.pay(payload, provider.Paying)
		w.sees(9*second, o, provider.Paying, "")
		w.sees(11*second, o, provider.Dead, "limit retry:false")
	}},
	{"03/IsPaidAfterTheKillThatGotNoAnswer", func(t *testing.T, w *bubble) {
		o, payload := w.present(12503)
		w.pay(payload, provider.Pending) // "on its way"
		w.at(5 * second)
		k := w.kill(o)
		w.sees(6*second, o, provider.Pending, "")
		w.sees(10*second, o, provider.Pending, "")
		w.sees(12*second, o, provider.Paid, "", 12503)
		a := <-k
		w.is(a.r, a.err, provider.Paid, "", 12503)
		if a.took != 6*second {
			t.Errorf("the kill was answered after %s, want 6s", a.took)
		}
		if late := a.r.Credits[0].PaidAt.Sub(w.start); late != 11*second {
			t.Errorf("paid at %s, want 6 s after the kill", late)
		}
	}},
	{"03/IsPaidAfterItsExpiryWithoutAnybodysAct", func(t *testing.T, w *bubble) {
		o := w.order(12503)
		o.Expiry = time.Now().Add(30 * second)
		if _, err := w.provider.Present(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		w.sees(35*second, o, provider.Pending, "")
		w.sees(37*second, o, provider.Paid, "", 12503)
	}},
	{"04/IsPaidWhileItIsKilled", func(t *testing.T, w *bubble) {
		o, _ := w.present(12504)
		w.sees(5*second, o, provider.Pending, "")
		a := <-w.kill(o)
		w.is(a.r, a.err, provider.Paid, "", 12504)
		w.sees(6*second, o, provider.Paid, "", 12504)
	}},
	{"05/IsPaidTwice", func(t *testing.T, w *bubble) {
		o, payload := w.present(12505)
		w.pay(payload, provider.Paying)
		w.sees(500*time.Millisecond, o, provider.Paying, "", 12505)
		w.sees(2*second, o, provider.Paid, "", 12505, 12505)
	}},
	{"06/AnswersNothingAndIsPaid", func(t *testing.T, w *bubble) {
		o, payload := w.present(12506)
		w.pay(payload, provider.Paid)
		w.deaf(1*second, o)
		w.sees(76*second, o, provider.Paid, "", 12506)
		if h := w.told(o.ID); len(h) == 0 || h[0].at < 75*second {
			t.Errorf("call-backs %v, want none before 75s", h)
		}
	}},
	{"06/KilledAnswersNothingAndIsPaid", func(t *testing.T, w *bubble) {
		o, _ := w.present(12506)
		if a := <-w.kill(o); a.err == nil {
			t.Errorf("the kill was answered %q", a.r.State)
		}
		w.sees(76*second, o, provider.Paid, "", 12506)
	}},
	{"07/AnswersNothingAndIsDead", func(t *testing.T, w *bubble) {
		o, payload := w.present(12507)
		w.pay(payload, provider.Dead)
		w.deaf(1*second, o)
		w.sees(76*second, o, provider.Dead, "other retry:false")
	}},
	{"07/KilledAnswersNothingAndIsDead", func(t *testing.T, w *bubble) {
		o, _ := w.present(12507)
		if a := <-w.kill(o); a.err == nil {
			t.Errorf("the kill was answered %q", a.r.State)
		}
		w.sees(76*second, o, provider.Dead, "other retry:false")
	}},
	{"08/IsNotThereBeforeTheSlowAnswer", func(t *testing.T, w *bubble) {
		o := w.order(12508)
		slow := beside(func() (provider.Report, error) { return w.provider.Present(t.Context(), o) })
		w.sees(3*second, o, provider.Absent, "")
		w.sees(11*second, o, provider.Absent, "")
		w.sees(12*second, o, provider.Pending, "")
		a := <-slow
		w.is(a.r, a.err, provider.Pending, "")
		if a.took != 12*second || a.r.Payload == "" {
			t.Errorf("the code %q came after %s, want 12s", a.r.Payload, a.took)
		}
	}},
	{"08/IsFoundByAKill", func(t *testing.T, w *bubble) {
		o := w.order(12508)
		slow := beside(func() (provider.Report, error) { return w.provider.Present(t.Context(), o) })
		w.at(3 * second)
		a := <-w.kill(o)
		w.is(a.r, a.err, provider.Dead, "")
		w.sees(4*second, o, provider.Dead, "")
		a = <-slow
		w.is(a.r, a.err, provider.Dead, "")
		if a.took != 12*second || a.r.Payload != "" {
			t.Errorf("the dead order was answered after %s with the code %q", a.took, a.r.Payload)
		}
	}},
	{"08/IsSlow", func(t *testing.T, w *bubble) {
		o, payload := w.present(12508)
		if took := time.Since(w.start); took != 12*second {
			t.Errorf("the code came after %s, want 12s", took)
		}
		w.pay(payload, provider.Paid)
		w.sees(12*second, o, provider.Paid, "", 12508)
		if took := time.Since(w.start); took != 12*second {
			t.Errorf("the look took %s, want none", took-12*second)
		}
	}},
	{"09/IsPaidInTwoParts", func(t *testing.T, w *bubble) {
		o, payload := w.present(12509)
		w.pay(payload, provider.Pending)
		w.sees(1*second, o, provider.Pending, "", 6254)
		w.sees(3*second, o, provider.Paid, "", 6254, 6255)
	}},
	{"09/IsNotKilledBetweenItsParts", func(_ *testing.T, w *bubble) {
		o, payload := w.present(12509)
		w.pay(payload, provider.Pending)
		w.at(1 * second)
		a := <-w.kill(o)
		w.is(a.r, a.err, provider.Pending, "", 6254)
		w.sees(3*second, o, provider.Paid, "", 6254, 6255)
	}},
	{"10/EveryReturnIsRefused", func(t *testing.T, w *bubble) { w.returns(12510, provider.ReturnRefused, provider.ReturnRefused) }},
	{"11/TheAccountIsShortForAMinute", func(t *testing.T, w *bubble) { w.returns(12511, provider.ReturnShort, provider.ReturnDone) }},
	{"12/IsConfirmingForLong", func(t *testing.T, w *bubble) {
		o, payload := w.present(12512)
		w.pay(payload, provider.Paying)
		w.at(20 * second)
		a := <-w.kill(o) // can't be killed while somebody is confirming
		w.is(a.r, a.err, provider.Paying, "")
		w.sees(39*second, o, provider.Paying, "")
		w.sees(41*second, o, provider.Paid, "", 12512)
	}},
	{"13/GetsNoCode", func(t *testing.T, w *bubble) {
		o := w.order(12513)
		if r, err := w.provider.Present(t.Context(), o); !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%q, %v; want refused", r.State, err)
		}
		w.sees(1*second, o, provider.Absent, "")
	}},
}

// returns pays and asks twice for the money back, a minute and more apart, each time by both methods.
func (w *bubble) returns(value int64, first, then string) {
	w.t.Helper()
	o, payload := w.present(value)
	w.pay(payload, provider.Paid)
	ask := func(id, method, want string) {
		w.t.Helper()
		r, err := w.provider.Return(w.t.Context(), o, id, method, "", o.Amount)
		if err != nil || r.Returns[id] != want {
			w.t.Errorf("%s by %s: %v %v, want %s", id, method, r.Returns, err, want)
		}
	}
	ask("r1", "cancel", first)
	ask("r2", "refund", first)
	w.at(2 * time.Minute)
	ask("r1", "cancel", first) // an id keeps its answer
	ask("r3", "refund", then)
}

// magicScan is each magic amount with a code that the customer shows.
var magicScan = []struct {
	name string
	run  func(t *testing.T, w *bubble)
}{
	{"00/IsPaidAtOnce", func(t *testing.T, w *bubble) {
		r, err := w.chargeWith(w.order(12500))
		w.is(r, err, provider.Paid, "", 12500)
	}},
	{"01/TheFirstCodeIsDeclined", func(t *testing.T, w *bubble) {
		r, err := w.chargeWith(w.order(12501))
		w.is(r, err, provider.Dead, "not_enough retry:true")
		r, err = w.chargeWith(w.order(12501))
		w.is(r, err, provider.Paid, "", 12501)
		o := w.order(12501)
		o.Number = "4822" // another sale has its own no
		r, err = w.chargeWith(o)
		w.is(r, err, provider.Dead, "not_enough retry:true")
	}},
	{"02/IsDeclinedForGood", func(t *testing.T, w *bubble) {
		for range 2 {
			r, err := w.chargeWith(w.order(12502))
			w.is(r, err, provider.Dead, "limit retry:false")
		}
	}},
	{"03/IsPaidAfterTheKillThatGotNoAnswer", func(t *testing.T, w *bubble) {
		o := w.order(12503)
		r, err := w.chargeWith(o)
		w.is(r, err, provider.Paying, "")
		w.sees(60*second, o, provider.Paying, "")
		a := <-w.kill(o)
		w.is(a.r, a.err, provider.Paid, "", 12503)
		if a.took != 6*second {
			t.Errorf("the kill was answered after %s, want 6s", a.took)
		}
	}},
	{"04/IsPaidWhileItIsKilled", func(t *testing.T, w *bubble) {
		o := w.order(12504)
		r, err := w.chargeWith(o)
		w.is(r, err, provider.Paying, "")
		w.sees(10*second, o, provider.Paying, "")
		a := <-w.kill(o)
		w.is(a.r, a.err, provider.Paid, "", 12504)
	}},
	{"05/IsPaidTwice", func(t *testing.T, w *bubble) {
		o := w.order(12505)
		r, err := w.chargeWith(o)
		w.is(r, err, provider.Paying, "", 12505)
		w.sees(2*second, o, provider.Paid, "", 12505, 12505)
	}},
	{"06/AnswersNothingAndIsPaid", func(t *testing.T, w *bubble) {
		o := w.order(12506)
		if r, err := w.chargeWith(o); err == nil {
			t.Errorf("answered %q", r.State)
		}
		if waited := time.Since(w.start); waited != 10*second {
			t.Errorf("held for %s, want 10s", waited)
		}
		w.sees(76*second, o, provider.Paid, "", 12506)
	}},
	{"07/AnswersNothingAndIsDead", func(t *testing.T, w *bubble) {
		o := w.order(12507)
		if r, err := w.chargeWith(o); err == nil {
			t.Errorf("answered %q", r.State)
		}
		w.sees(76*second, o, provider.Dead, "other retry:false")
	}},
	{"08/IsNotThereBeforeTheSlowAnswer", func(t *testing.T, w *bubble) {
		o := w.order(12508)
		code := w.code()
		slow := beside(func() (provider.Report, error) { return w.provider.Charge(t.Context(), o, code) })
		w.sees(11*second, o, provider.Absent, "")
		if h := w.told(o.ID); len(h) != 0 {
			t.Errorf("call-backs %v before the answer", h)
		}
		a := <-slow
		w.is(a.r, a.err, provider.Paid, "", 12508)
		w.sees(13*second, o, provider.Paid, "", 12508)
		if h := w.told(o.ID); len(h) == 0 {
			t.Error("no call-back came at all")
		}
	}},
	{"08/IsSlow", func(t *testing.T, w *bubble) {
		r, err := w.chargeWith(w.order(12508))
		w.is(r, err, provider.Paid, "", 12508)
		if took := time.Since(w.start); took != 12*second {
			t.Errorf("took %s, want 12s", took)
		}
	}},
	{"09/IsPaidInTwoParts", func(t *testing.T, w *bubble) {
		o := w.order(12509)
		r, err := w.chargeWith(o)
		w.is(r, err, provider.Paying, "", 6254)
		w.sees(3*second, o, provider.Paid, "", 6254, 6255)
	}},
	{"12/IsConfirmingForLong", func(t *testing.T, w *bubble) {
		o := w.order(12512)
		r, err := w.chargeWith(o)
		w.is(r, err, provider.Paying, "")
		w.sees(39*second, o, provider.Paying, "")
		w.sees(41*second, o, provider.Paid, "", 12512)
	}},
	{"13/IsRefused", func(t *testing.T, w *bubble) {
		o := w.order(12513)
		if r, err := w.chargeWith(o); !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%q, %v; want refused", r.State, err)
		}
		w.sees(1*second, o, provider.Absent, "")
	}},
}

func TestMagic(t *testing.T) {
	for _, c := range magicShow {
		t.Run("Show/"+c.name, func(t *testing.T) { inBubble(t, bank.Config{}, c.run) })
	}
	for _, c := range magicScan {
		t.Run("Scan/"+c.name, func(t *testing.T) { inBubble(t, bank.Config{}, c.run) })
	}
	t.Run("OffByConfiguration", func(t *testing.T) {
		inBubble(t, bank.Config{NoMagic: true}, func(t *testing.T, w *bubble) {
			for value := int64(12501); value <= 12513; value++ {
				r, err := w.chargeWith(w.order(value))
				w.is(r, err, provider.Paid, "", value)
			}
		})
	})
	t.Logf("%d stories shown, %d scanned", len(magicShow), len(magicScan))
}
