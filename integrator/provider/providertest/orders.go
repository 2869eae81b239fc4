package providertest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tilld/integrator/provider"
)

// reached are the faults in which the bank has done what it was asked, and nobody heard.
var reached = []Fault{Lose, Error, Cut}

var always = []check{
	{"Traits/AreComplete", func(t *testing.T, b *bench) {
		tr := b.Provider.Traits()
		if tr.CallLimit <= 0 || tr.NotFoundFinal <= 0 || tr.Tolerance < 0 {
			t.Errorf("%+v: a limit is missing", tr)
		}
		_, returns := b.Provider.(provider.Returner)
		if returns != (len(tr.Methods) > 0) {
			t.Errorf("methods %v, and returns: %v", tr.Methods, returns)
		}
		for _, m := range tr.Methods {
			if !slices.Contains([]string{"cancel", "reverse", "refund"}, m) {
				t.Errorf("method %q is not one", m)
			}
		}
	}},
	{"Look/OfAnOrderThatNeverWasIsAbsent", func(t *testing.T, b *bench) {
		if r := b.look(b.order(amount)); r.State != provider.Absent || len(r.Credits) > 0 {
			t.Errorf("%q, want absent", r.State)
		}
	}},
	{"Look/WithoutAnAnswerIsAnError", func(t *testing.T, b *bench) {
		for _, f := range []Fault{Drop, Lose, Error, Cut, Echo} {
			b.Line.Next(f)
			_, err := b.Provider.Look(b.ctx(), b.order(amount))
			b.open(err)
		}
	}},
	{"Kill/OfAnOrderThatNeverWasEndsIt", func(t *testing.T, b *bench) {
		o := b.order(amount)
		if r, err := b.Provider.Kill(b.ctx(), o); err == nil && r.State != provider.Dead && r.State != provider.Absent {
			t.Errorf("kill: %q, want dead or absent", r.State)
		}
		if r := b.look(o); r.State != provider.Dead && r.State != provider.Absent {
			t.Errorf("look: %q, want dead or absent", r.State)
		}
	}},
	{"Context/EndsEveryCall", func(t *testing.T, b *bench) {
		for name, call := range b.calls() {
			b.Line.Next(Hang)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			start := time.Now()
			err := call(ctx)
			cancel()
			b.open(err)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s ended %s after its context", name, took)
			}
		}
	}},
	{"Context/IsNotTheOnlyLimit", func(t *testing.T, b *bench) {
		limit := b.Provider.Traits().CallLimit
		var wg sync.WaitGroup
		for name, call := range b.calls() {
			b.Line.Next(Hang)
			wg.Go(func() {
				start := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), limit+5*time.Second) // ends the check, not the call
				defer cancel()
				if err := call(ctx); err == nil {
					t.Errorf("%s: no error for an answer that never came", name)
				}
				if took := time.Since(start); took > limit+2*time.Second {
					t.Errorf("%s took %s, the limit is %s", name, took, limit)
				}
			})
		}
		wg.Wait()
	}},
}

// calls is each call of the provider, on orders of their own.
func (b *bench) calls() map[string]func(context.Context) error {
	p := b.Provider
	out := map[string]func(context.Context) error{
		"look": func(ctx context.Context) error { _, err := p.Look(ctx, b.order(amount)); return err },
		"kill": func(ctx context.Context) error { _, err := p.Kill(ctx, b.order(amount)); return err },
	}
	if s, ok := p.(provider.Shower); ok {
		out["present"] = func(ctx context.Context) error { _, err := s.Present(ctx, b.order(amount)); return err }
	}
	if c, ok := p.(provider.Charger); ok {
		code := b.Code(b.t)
		out["charge"] = func(ctx context.Context) error { _, err := c.Charge(ctx, b.order(amount), code); return err }
	}
	if r, ok := p.(provider.Returner); ok {
		o, cr := b.paidOrder(amount)
		out["return"] = func(ctx context.Context) error {
			_, err := r.Return(ctx, o, "r1", p.Traits().Methods[0], cr.Txn, cr.Amount)
			return err
		}
	}
	return out
}

var showing = []check{
	{"Present/OneIDIsOneOrder", func(t *testing.T, b *bench) {
		o := b.order(amount)
		first := b.present(o)
		if second := b.present(o); second.Payload != first.Payload {
			t.Errorf("payloads %q and %q of one order", first.Payload, second.Payload)
		}
		b.Pay(t, first.Payload, 0)
		b.credits(b.paid(o), amount)
		r := b.must(b.Provider.(provider.Shower).Present(b.ctx(), o))
		if r.State != provider.Paid {
			t.Errorf("presented once more it is %q, want paid", r.State)
		}
		b.credits(r, amount)
	}},
	{"Present/AtOnceFromManySidesIsOneOrder", func(t *testing.T, b *bench) {
		o := b.order(amount)
		payloads := make([]string, 8)
		var wg sync.WaitGroup
		for i := range payloads {
			wg.Go(func() {
				r, err := b.Provider.(provider.Shower).Present(b.ctx(), o)
				if err != nil {
					t.Error(err)
				}
				payloads[i] = r.Payload
			})
		}
		wg.Wait()
		if slices.Sort(payloads); len(slices.Compact(payloads)) != 1 || payloads[0] == "" {
			t.Errorf("payloads %q of one order", payloads)
		}
	}},
	{"Present/OneIDWithAnotherAmountIsRefusedAndHarmless", func(t *testing.T, b *bench) {
		o := b.order(amount)
		payload := b.present(o).Payload
		other := o
		other.Amount.Value++
		if _, err := b.Provider.(provider.Shower).Present(b.ctx(), other); err == nil {
			t.Error("one id was used for two amounts")
		}
		if r := b.look(o); r.State != provider.Pending {
			t.Errorf("the first order is %q, want pending", r.State)
		}
		b.Pay(t, payload, 0)
		b.credits(b.paid(o), amount)
	}},
	{"Present/LookFindsWhatALostAnswerLeft", func(t *testing.T, b *bench) {
		for _, f := range reached {
			o := b.order(amount)
			b.Line.Next(f)
			_, err := b.Provider.(provider.Shower).Present(b.ctx(), o)
			b.open(err)
			if r := b.look(o); r.State != provider.Pending {
				t.Errorf("%s: %q, want pending", f, r.State)
			}
			b.Pay(t, b.present(o).Payload, 0)
			b.credits(b.paid(o), amount)
		}
	}},
	{"Present/ThatNeverArrivedIsAbsent", func(t *testing.T, b *bench) {
		o := b.order(amount)
		b.Line.Next(Drop)
		_, err := b.Provider.(provider.Shower).Present(b.ctx(), o)
		b.open(err)
		if r := b.look(o); r.State != provider.Absent {
			t.Errorf("%q, want absent", r.State)
		}
		b.present(o)
	}},
	{"Look/SaysEachPaymentOnce", func(t *testing.T, b *bench) {
		o := b.order(amount)
		payload := b.present(o).Payload
		b.Pay(t, payload, 5000)
		r := b.until(o, "a part", func(r provider.Report) bool { return len(r.Credits) > 0 })
		b.credits(r, 5000)
		if r.State != provider.Pending && r.State != provider.Paying {
			t.Errorf("paid in part it is %q", r.State)
		}
		b.Pay(t, payload, 0)
		r = b.paid(o)
		b.credits(r, 5000, amount-5000)
		again := b.look(o)
		for i := range r.Credits {
			if r.Credits[i].Txn != again.Credits[i].Txn || !r.Credits[i].PaidAt.Equal(again.Credits[i].PaidAt) {
				t.Errorf("payment %d changed its id or its time between two looks", i)
			}
		}
	}},
	{"Look/PaymentsOfTwoOrdersHaveTwoIDs", func(t *testing.T, b *bench) {
		_, x := b.paidOrder(amount)
		_, y := b.paidOrder(amount)
		if x.Txn == y.Txn {
			t.Errorf("two payments have the id %s", x.Txn)
		}
	}},
	{"Look/AnOrderThatRanOutIsDead", func(t *testing.T, b *bench) {
		o := b.order(amount)
		o.Expiry = time.Now().Add(b.Life)
		b.must(b.Provider.(provider.Shower).Present(b.ctx(), o))
		r := b.until(o, "dead", func(r provider.Report) bool { return r.State == provider.Dead })
		b.credits(r)
	}},
	{"Look/ADeclineDoesNotEndTheOrder", func(t *testing.T, b *bench) {
		o := b.order(amount)
		payload := b.present(o).Payload
		b.Decline(t, payload)
		r := b.until(o, "a decline", func(r provider.Report) bool { return r.Decline != nil && r.State == provider.Pending })
		b.credits(r)
		b.Pay(t, payload, 0)
		b.credits(b.paid(o), amount)
	}},
	{"Kill/OfAnUnpaidOrderIsDeadForEver", func(t *testing.T, b *bench) {
		o := b.order(amount)
		b.present(o)
		for range 2 {
			if r := b.must(b.Provider.Kill(b.ctx(), o)); r.State != provider.Dead {
				t.Errorf("kill: %q, want dead", r.State)
			}
			r := b.look(o)
			if r.State != provider.Dead {
				t.Errorf("look: %q, want dead", r.State)
			}
			b.credits(r)
		}
		if r, err := b.Provider.(provider.Shower).Present(b.ctx(), o); err == nil && r.State != provider.Dead {
			t.Errorf("presented once more it is %q, want dead", r.State)
		}
	}},
	{"Kill/OfAPaidOrderSaysPaid", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		r := b.must(b.Provider.Kill(b.ctx(), o))
		b.credits(r, amount)
		if r.State == provider.Dead && !b.Provider.Traits().KillRefunds {
			t.Error("a paid order was killed")
		}
		if r.Credits[0].Txn != c.Txn {
			t.Error("the payment changed its id")
		}
		if len(r.Own) > 0 && !b.Provider.Traits().KillRefunds {
			t.Error("the bank gave money back at a kill, and the traits don't say so")
		}
		for _, own := range r.Own {
			if own.Txn != c.Txn || own.Amount.Value <= 0 || own.Amount.Value > amount || own.Amount.Currency != o.Amount.Currency ||
				own.State != provider.ReturnPending && own.State != provider.ReturnDone {
				t.Errorf("the bank's own return is %+v, want one of payment %s", own, c.Txn)
			}
		}
	}},
	{"Kill/LookFindsWhatALostAnswerLeft", func(t *testing.T, b *bench) {
		for _, f := range reached {
			o := b.order(amount)
			b.present(o)
			b.Line.Next(f)
			_, err := b.Provider.Kill(b.ctx(), o)
			b.open(err)
			if r := b.look(o); r.State != provider.Dead {
				t.Errorf("%s: %q, want dead", f, r.State)
			}
		}
	}},
}
