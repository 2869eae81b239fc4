package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/asleep"
	"tilld/internal/stories"
	"tilld/payment"
	"tilld/payment/bill"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"integrator": main})
}

// TestStories runs each story of testdata with the real program.
func TestStories(t *testing.T) {
	stories.Run(t, stories.Commands{"plant": plant, "plantwaiting": plantWaiting})
}

// A service manager, and whoever reads its log, tells a suspension from a failure.
func TestStatus(t *testing.T) {
	for err, want := range map[error]int{
		errors.New("disk"):                                         exitFailed,
		&asleep.Error{For: 3 * time.Hour}:                          exitAsleep,
		fmt.Errorf("serve: %w", &asleep.Error{For: 3 * time.Hour}): exitAsleep,
	} {
		if got := status(err); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
	if exitFailed != 1 || exitAsleep != 75 {
		t.Error("docs/operations.md says otherwise")
	}
}

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

// plantWaiting puts three bills of 33.10 into a ledger that wait for a person: B-doubt, of which its bank has said nothing
// for two days; B-fresh, in doubt since now; B-owed, of which the bank refuses to give the money back.
func plantWaiting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plantwaiting LEDGER")
	}
	ctx, now := context.Background(), time.Now().UTC()
	store, err := sqlite.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	err = store.AddTerminal(ctx, integrator.Terminal{Name: "box", Key: make(ed25519.PublicKey, ed25519.PublicKeySize)})
	for i, id := range []string{"B-doubt", "B-fresh", "B-owed"} {
		s := bill.State{
			ID: id, Terminal: "box", Kind: bill.Dynamic, Life: payment.Closing, Reason: payment.Expire, Late: payment.LateNo, Need: 3310,
			CreatedAt: now.Add(time.Duration(i-72) * time.Hour), Order: bill.Order{ID: id}, Doubt: true, DoubtSince: now.Add(-50 * time.Hour), Review: true, Why: "registry_silent",
			Request: bill.Create{
				Payment: id, Terminal: "box", Lane: "1", Reference: "R-" + id, Number: "100" + strconv.Itoa(i+1), Hash: "h", Kind: bill.Dynamic,
				Amount: payment.Money{Value: 3310, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale, IfNotConfirmed: payment.Keep, Provider: "sandbox",
			},
		}
		switch id {
		case "B-fresh":
			s.DoubtSince, s.Review, s.Why = now, false, ""
		case "B-owed":
			s.Life, s.Reason, s.Doubt, s.DoubtSince, s.Fence, s.Why = payment.Closed, payment.Returned, false, time.Time{}, true, "return_refused"
			s.ClosedAt, s.ReviewSince = now.Add(-time.Hour), now.Add(-time.Hour)
			s.Credits = []bill.Credit{{Provider: "sandbox", Txn: "T7", Amount: 3310, PaidAt: now.Add(-2 * time.Hour)}}
			s.Returns = []bill.Return{{Key: "k", By: bill.ByBox, Whole: true, Amount: 3310, Outcome: "fenced", At: now.Add(-time.Hour)}}
			s.Obligations = []bill.Obligation{{
				ID: "B-owedo1", Provider: "sandbox", Txn: "T7", Amount: 3310, Why: bill.WhyReturn, Key: "k", State: bill.Human, Excluded: []string{"refund"},
				Said: &bill.Word{At: now.Add(-time.Hour), Said: "refused"},
			}}
		}
		err = errors.Join(err, store.Change(ctx, integrator.Subject{Bill: id}, func(c *integrator.Case) error {
			c.Bill, c.Now = s, now
			return nil
		}))
	}
	ts.Check(errors.Join(err, store.Close()))
}
