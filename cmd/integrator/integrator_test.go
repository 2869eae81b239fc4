package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/stories"
	"tilld/payment"
	"tilld/payment/bill"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"integrator": main})
}

// TestStories runs each story of testdata with the real program.
func TestStories(t *testing.T) { stories.Run(t, stories.Commands{"plant": plant}) }

// plant puts two closed bills of 100.00 into a ledger, B-right and B-wrong: both were paid, and of the second something
// else is kept. The store takes it: it knows no rule of money.
func plant(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plant LEDGER")
	}
	ctx, now := context.Background(), time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	err = store.AddTerminal(ctx, integrator.Terminal{Name: "box", Key: make(ed25519.PublicKey, ed25519.PublicKeySize)})
	for id, kept := range map[string]int64{"B-right": 10_000, "B-wrong": 9_000} {
		s := bill.State{
			ID: id, Terminal: "box", Kind: bill.Dynamic, Life: payment.Closed, Reason: payment.Done, Late: payment.LateNo, Need: 10_000, Kept: kept,
			CreatedAt: now, ClosedAt: now, Order: bill.Order{ID: id, Over: true},
			Credits: []bill.Credit{{Provider: "sandbox", Txn: id + "-1", Amount: 10_000, PaidAt: now}},
			Request: bill.Create{
				Payment: id, Terminal: "box", Lane: "1", Reference: id, Number: "1001", Hash: "h", Kind: bill.Dynamic,
				Amount: payment.Money{Value: 10_000, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale, IfNotConfirmed: payment.Keep, Provider: "sandbox",
			},
		}
		err = errors.Join(err, store.Change(ctx, integrator.Subject{Bill: id}, func(c *integrator.Case) error {
			c.Bill, c.Now = s, now
			return nil
		}))
	}
	ts.Check(errors.Join(err, store.Close()))
}
