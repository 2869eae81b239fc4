package providertest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tilld/integrator/provider"
	"tilld/payment"
)

var charging = []check{
	{"Charge/TakesTheMoneyOnce", func(t *testing.T, b *bench) {
		o := b.order(amount)
		b.charge(o, b.Code(t))
		b.credits(b.paid(o), amount)
		r := b.charge(o, b.Code(t)) // the id decides, not the code
		b.credits(r, amount)
		b.credits(b.look(o), amount)
	}},
	{"Charge/LookFindsWhatALostAnswerLeft", func(t *testing.T, b *bench) {
		for _, f := range reached {
			o, code := b.order(amount), b.Code(t)
			b.Line.Next(f)
			_, err := b.Provider.(provider.Charger).Charge(b.ctx(), o, code)
			b.open(err)
			b.silent(err, code)
			b.credits(b.paid(o), amount)
		}
	}},
	{"Charge/ThatNeverArrivedIsAbsent", func(t *testing.T, b *bench) {
		o, code := b.order(amount), b.Code(t)
		b.Line.Next(Drop)
		_, err := b.Provider.(provider.Charger).Charge(b.ctx(), o, code)
		b.open(err)
		b.silent(err, code)
		if r := b.look(o); r.State != provider.Absent {
			t.Errorf("%q, want absent", r.State)
		}
	}},
	{"Charge/ACodeIsGoodForOneOrder", func(t *testing.T, b *bench) {
		first, second, code := b.order(amount), b.order(amount), b.Code(t)
		b.charge(first, code)
		b.credits(b.paid(first), amount)
		b.unpaid(second, code)
	}},
	{"Charge/OfATextThatIsNoCodeIsDeclined", func(t *testing.T, b *bench) {
		b.unpaid(b.order(amount), payment.NewCode("canary-that-no-wallet-ever-showed"))
	}},
	{"Charge/NoErrorEchoesTheCode", func(t *testing.T, b *bench) {
		code := b.Code(t)
		for _, f := range []Fault{Echo, Error, Drop, Cut, Lose} {
			b.Line.Next(f)
			_, err := b.Provider.(provider.Charger).Charge(b.ctx(), b.order(amount), code)
			b.open(err)
			b.silent(err, code)
		}
	}},
	{"Charge/AfterAKillTakesNothing", func(t *testing.T, b *bench) {
		o := b.order(amount)
		if _, err := b.Provider.Kill(b.ctx(), o); err != nil {
			return // a bank that kills nothing unknown has promised nothing
		}
		if b.look(o).State != provider.Dead {
			return
		}
		_, err := b.Provider.(provider.Charger).Charge(b.ctx(), o, b.Code(t))
		t.Logf("charge after the kill: %v", err)
		b.credits(b.look(o))
	}},
}

// unpaid charges a code that the bank must not take.
func (b *bench) unpaid(o provider.Order, code payment.Code) {
	b.t.Helper()
	r, err := b.Provider.(provider.Charger).Charge(b.ctx(), o, code)
	if errors.Is(err, provider.ErrRefused) {
		b.silent(err, code)
		if r := b.look(o); r.State != provider.Absent && r.State != provider.Dead {
			b.t.Errorf("refused, and the order is %q", r.State)
		}
		return
	}
	b.must(r, err)
	r = b.until(o, "dead", func(r provider.Report) bool { return r.State == provider.Dead })
	b.credits(r)
	if r.Decline == nil || r.Decline.Why == "" {
		b.t.Error("declined without saying why")
	}
}

// silent checks that an error, however it is printed, says nothing of a code.
func (b *bench) silent(err error, code payment.Code) {
	b.t.Helper()
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%v", err)} {
		if strings.Contains(text, code.Reveal()) {
			b.t.Error("an error carries the customer's code")
			return
		}
	}
}

var returning = []check{
	{"Return/OneIDIsOneReturn", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		for range 3 {
			b.giveBack(o, "r1", c, amount/2)
		}
		b.giveBack(o, "r2", c, amount-amount/2) // fails if r1 went back more than once
	}},
	{"Return/AtOnceFromManySidesIsOneReturn", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, err := b.Provider.(provider.Returner).Return(b.ctx(), o, "r1", b.partial(), c.Txn, c.Amount.Of(amount/2))
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.giveBack(o, "r2", c, amount-amount/2)
	}},
	{"Return/TwoIDsAreTwoReturns", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		b.giveBack(o, "r1", c, 5000)
		b.giveBack(o, "r2", c, 5000)
		r := b.look(o)
		if r.Returns["r1"] != provider.ReturnDone || r.Returns["r2"] != provider.ReturnDone {
			t.Errorf("returns %v, want both done", r.Returns)
		}
		b.noMore(o, "r3", c, amount-10000+1)
		b.giveBack(o, "r4", c, amount-10000)
	}},
	{"Return/OfMoreThanWasPaidIsRefused", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		b.noMore(o, "r1", c, amount+1)
		b.giveBack(o, "r2", c, amount) // nothing had happened
		b.noMore(o, "r3", c, 1)
	}},
	{"Return/LookFindsWhatALostAnswerLeft", func(t *testing.T, b *bench) {
		for _, f := range reached {
			o, c := b.paidOrder(amount)
			b.Line.Next(f)
			_, err := b.Provider.(provider.Returner).Return(b.ctx(), o, "r1", b.partial(), c.Txn, c.Amount.Of(5000))
			b.open(err)
			b.until(o, "the return done", func(r provider.Report) bool { return r.Returns["r1"] == provider.ReturnDone })
			b.giveBack(o, "r1", c, 5000)
			b.giveBack(o, "r2", c, amount-5000)
		}
	}},
	{"Return/ThatNeverArrivedIsNotThere", func(t *testing.T, b *bench) {
		o, c := b.paidOrder(amount)
		b.Line.Next(Drop)
		_, err := b.Provider.(provider.Returner).Return(b.ctx(), o, "r1", b.partial(), c.Txn, c.Amount)
		b.open(err)
		if s, ok := b.look(o).Returns["r1"]; ok && s != provider.ReturnAbsent {
			t.Errorf("the return is %q, want absent", s)
		}
		b.giveBack(o, "r1", c, amount)
	}},
	{"Return/EveryMethodGivesBackAWholePayment", func(t *testing.T, b *bench) {
		for _, m := range b.Provider.Traits().Methods {
			o, c := b.paidOrder(amount)
			b.must(b.Provider.(provider.Returner).Return(b.ctx(), o, "r1", m, c.Txn, c.Amount))
			r := b.until(o, m, func(r provider.Report) bool { return r.Returns["r1"] == provider.ReturnDone })
			b.credits(r, amount) // a return is no payment less
		}
	}},
	{"Return/OfAnUnpaidOrderIsRefused", func(t *testing.T, b *bench) {
		o := b.order(amount)
		if s, ok := b.Provider.(provider.Shower); ok {
			b.must(s.Present(b.ctx(), o))
		}
		b.noMore(o, "r1", provider.Credit{Amount: o.Amount}, 1)
	}},
}

// partial is a method that gives back a part: the last in order of preference is the most general one.
func (b *bench) partial() string {
	m := b.Provider.Traits().Methods
	return m[len(m)-1]
}

// giveBack returns a part of a payment and waits until it is done.
func (b *bench) giveBack(o provider.Order, id string, c provider.Credit, value int64) {
	b.t.Helper()
	b.must(b.Provider.(provider.Returner).Return(b.ctx(), o, id, b.partial(), c.Txn, c.Amount.Of(value)))
	r := b.until(o, "return "+id+" to end", func(r provider.Report) bool { return r.Returns[id] != provider.ReturnPending })
	if r.Returns[id] != provider.ReturnDone {
		b.t.Fatalf("return %s of %d is %q, want done", id, value, r.Returns[id])
	}
}

// noMore asks for a return that must be refused, for good and without effect.
func (b *bench) noMore(o provider.Order, id string, c provider.Credit, value int64) {
	b.t.Helper()
	r, err := b.Provider.(provider.Returner).Return(b.ctx(), o, id, b.partial(), c.Txn, c.Amount.Of(value))
	switch {
	case errors.Is(err, provider.ErrRefused):
	case err != nil:
		b.t.Fatalf("return %s of %d: %v, want a definite no", id, value, err)
	case r.Returns[id] != provider.ReturnRefused && r.State != provider.Absent:
		b.t.Fatalf("return %s of %d is %q, want refused", id, value, r.Returns[id])
	}
}

var calling = []check{
	{"Callback/NamesTheOrder", func(t *testing.T, b *bench) {
		o, _ := b.paidOrder(amount)
		for range 8 { // hints of earlier steps may come first
			r, body := b.Hint(t)
			id, status, _, err := b.Provider.(provider.Caller).Callback(r, body)
			if err != nil || status != http.StatusOK {
				t.Fatalf("status %d, %v", status, err)
			}
			if id == o.ID {
				return
			}
		}
		t.Error("no call-back names the order that was paid")
	}},
	{"Callback/ThatWasTamperedWithIsRefused", func(t *testing.T, b *bench) {
		b.paidOrder(amount)
		r, body := b.Hint(t)
		for i := range body {
			bad := []byte(string(body))
			bad[i] ^= 1
			if id, status, _, err := b.Provider.(provider.Caller).Callback(r, bad); err == nil || status < 400 || id != "" {
				t.Fatalf("byte %d changed: order %q, status %d, %v", i, id, status, err)
			}
		}
		if _, status, _, err := b.Provider.(provider.Caller).Callback(r, nil); err == nil || status < 400 {
			t.Errorf("empty body: status %d, %v", status, err)
		}
		bare := r.Clone(r.Context())
		bare.Header = http.Header{}
		if _, status, _, err := b.Provider.(provider.Caller).Callback(bare, body); err == nil || status < 400 {
			t.Errorf("without headers: status %d, %v", status, err)
		}
	}},
}
