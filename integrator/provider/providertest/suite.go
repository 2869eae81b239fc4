// Package providertest is what every provider is held to. It runs against a bank, real or played, over a line that it
// breaks on purpose, and asks only what the contract in package provider promises.
package providertest

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
)

// Harness is a provider with the other side of its bank: the customers. A function that the provider has no use for may
// be nil (Code where it is no Charger); the others are required.
type Harness struct {
	Provider provider.Provider
	Line     *Line         // every request of the provider goes through it
	Currency string        // that the bank takes
	Life     time.Duration // shortest life of an order that the bank allows; an order that runs out is dead soon after

	Pay     func(t *testing.T, payload string, value int64) // a customer pays so much on a code; 0 is what is left
	Decline func(t *testing.T, payload string)              // a customer tries and is declined; the code lives on
	Code    func(t *testing.T) payment.Code                 // a fresh pay code, good for any amount
	Hint    func(t *testing.T) (*http.Request, []byte)      // the next call-back that the bank has sent
}

const (
	amount  = 12550       // minor units of most orders: no magic in any sandbox that we know
	patient = time.Minute // longest wait for something the bank does by itself
	step    = 5 * time.Millisecond
)

// Run runs every check that the provider's interfaces call for, each on a harness of its own.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	p := open(t).Provider
	checks := append([]check{}, always...)
	if _, ok := p.(provider.Shower); ok {
		checks = append(checks, showing...)
	}
	if _, ok := p.(provider.Charger); ok {
		checks = append(checks, charging...)
	}
	if _, ok := p.(provider.Returner); ok {
		checks = append(checks, returning...)
	}
	if _, ok := p.(provider.Caller); ok {
		checks = append(checks, calling...)
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			h := open(t)
			c.run(t, &bench{Harness: h, t: t})
		})
	}
	t.Logf("%d checks", len(checks))
}

type check struct {
	name string
	run  func(t *testing.T, b *bench)
}

// bench is a harness with what the checks do again and again.
type bench struct {
	Harness
	t *testing.T
}

func (b *bench) order(value int64) provider.Order {
	now := time.Now()
	return provider.Order{
		ID: payment.NewID(now), Amount: payment.Money{Value: value, Currency: b.Currency}, Expiry: now.Add(10 * time.Minute),
		Number: "4821", Payee: "Shop",
		Keep: func(context.Context, []byte) error { return nil },
	}
}

func (b *bench) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	b.t.Cleanup(cancel)
	return ctx
}

func (b *bench) must(r provider.Report, err error) provider.Report {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("the call came to nothing: %v", err)
	}
	return r
}

func (b *bench) look(o provider.Order) provider.Report {
	b.t.Helper()
	return b.must(b.Provider.Look(b.ctx(), o))
}

func (b *bench) present(o provider.Order) provider.Report {
	b.t.Helper()
	r := b.must(b.Provider.(provider.Shower).Present(b.ctx(), o))
	if r.State != provider.Pending || r.Payload == "" {
		b.t.Fatalf("a new order is %q with payload %q, want pending with one", r.State, r.Payload)
	}
	return r
}

func (b *bench) charge(o provider.Order, c payment.Code) provider.Report {
	b.t.Helper()
	return b.must(b.Provider.(provider.Charger).Charge(b.ctx(), o, c))
}

// until asks until the order is as wanted.
func (b *bench) until(o provider.Order, what string, ok func(provider.Report) bool) provider.Report {
	b.t.Helper()
	end := time.Now().Add(patient)
	for {
		r := b.look(o)
		if ok(r) {
			return r
		}
		if time.Now().After(end) {
			b.t.Fatalf("order is %q with %d payments after %s, want %s", r.State, len(r.Credits), patient, what)
		}
		time.Sleep(step) // a bank does things in its own time; there is nothing else to wait on
	}
}

func (b *bench) paid(o provider.Order) provider.Report {
	b.t.Helper()
	return b.until(o, "paid", func(r provider.Report) bool { return r.State == provider.Paid })
}

// paidOrder is an order that a customer has paid, in whichever mode there is.
func (b *bench) paidOrder(value int64) (provider.Order, provider.Credit) {
	b.t.Helper()
	o := b.order(value)
	if _, ok := b.Provider.(provider.Shower); ok {
		b.Pay(b.t, b.present(o).Payload, 0)
	} else {
		b.charge(o, b.Code(b.t))
	}
	r := b.paid(o)
	b.credits(r, value)
	return o, r.Credits[0]
}

// credits checks that a report has these payments and no others.
func (b *bench) credits(r provider.Report, values ...int64) {
	b.t.Helper()
	if len(r.Credits) != len(values) {
		b.t.Fatalf("%d payments, want %d", len(r.Credits), len(values))
	}
	seen := map[string]bool{}
	for i, c := range r.Credits {
		if c.Amount != (payment.Money{Value: values[i], Currency: b.Currency}) {
			b.t.Errorf("payment %d is %v, want %d", i, c.Amount, values[i])
		}
		if c.Txn == "" || seen[c.Txn] {
			b.t.Errorf("payment %d has the id %q, which is empty or not its own", i, c.Txn)
		}
		seen[c.Txn] = true
		if off := time.Since(c.PaidAt).Abs(); off > time.Minute {
			b.t.Errorf("payment %d was paid at %v, %s away from now", i, c.PaidAt, off)
		}
	}
}

// open checks that an error leaves open what happened.
func (b *bench) open(err error) {
	b.t.Helper()
	switch {
	case err == nil:
		b.t.Fatal("no error for an answer that never came")
	case errors.Is(err, provider.ErrRefused), errors.Is(err, provider.ErrBusy):
		b.t.Fatalf("%v: says that nothing happened, which nobody knows", err)
	}
}
