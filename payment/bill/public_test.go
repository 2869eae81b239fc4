package bill_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tilld/payment"
	"tilld/payment/bill"
)

func TestPublicStatusIsAPureFunctionOfTheAxes(t *testing.T) {
	credit := []bill.Credit{{Provider: "b", Txn: "1", Amount: 50}}
	back := []bill.Obligation{{Provider: "b", Txn: "1", Amount: 20, Why: bill.WhyReturn, State: bill.Paid}}
	over := []bill.Obligation{{Provider: "b", Txn: "1", Amount: 20, Why: bill.WhyOver, State: bill.Human}}
	for _, c := range []struct {
		want  string
		flags []string
		s     bill.State
	}{
		{"unknown", nil, bill.State{Life: payment.Closing, Doubt: true}},
		{"created", nil, bill.State{Life: payment.Created}},
		{"open", nil, bill.State{Life: payment.Open}},
		{"part_paid", nil, bill.State{Life: payment.Open, Credits: credit}},
		{"paying", nil, bill.State{Life: payment.Open, Credits: credit, Paying: true}},
		{"charging", nil, bill.State{Life: payment.Open, Attempts: []bill.Attempt{{N: 1, Running: true}}}},
		{"open", nil, bill.State{Life: payment.Open, Attempts: []bill.Attempt{{N: 1}}}},
		{"paid", nil, bill.State{Life: payment.Open, Full: true, Credits: credit}},
		{"closing", []string{"late"}, bill.State{Life: payment.Closing, Late: payment.LateOffered}},
		{"refused", nil, bill.State{Life: payment.Closed, Reason: payment.Refused}},
		{"confirmed", nil, bill.State{Life: payment.Closed, Reason: payment.Done, Kept: 50, Credits: credit}},
		{"confirmed", []string{"over", "owed"}, bill.State{Life: payment.Closed, Reason: payment.Done, Kept: 30, Credits: credit, Obligations: over}},
		{"part_returned", nil, bill.State{Life: payment.Closed, Reason: payment.Done, Kept: 30, Credits: credit, Obligations: back}},
		{"returned", []string{"review"}, bill.State{Life: payment.Closed, Reason: payment.Returned, Review: true}},
		{"expired", nil, bill.State{Life: payment.Closed, Reason: payment.Expire}},
		{"expired", nil, bill.State{Life: payment.Closed, Reason: payment.Done, Deposit: true, Kept: 50, Credits: credit}},
		{"expired", nil, bill.State{Life: payment.Closed, Reason: payment.Done, Kind: bill.Fixed}},
		{"canceled", []string{"late"}, bill.State{Life: payment.Closed, Reason: payment.Returning, LateMoney: true}},
	} {
		if got := bill.PublicStatus(c.s); got != c.want {
			t.Errorf("%+v: %s, want %s", c.s, got, c.want)
		}
		if got := bill.Snapshot(c.s, start).Flags; !slices.Equal(got, c.flags) {
			t.Errorf("%s: flags %v, want %v", c.want, got, c.flags)
		}
	}
}

func TestAReturnSaysHowFarItIs(t *testing.T) {
	for _, c := range []struct {
		want string
		o    bill.Obligation
	}{
		{"undecided pending", bill.Obligation{State: bill.Owed}},
		{"refund pending", bill.Obligation{State: bill.Sent, Method: "refund"}},
		{"cancel done", bill.Obligation{State: bill.Paid, Method: "reverse"}},
		{"refund later", bill.Obligation{State: bill.Sent, Method: "refund", Async: true}},
		{"undecided later", bill.Obligation{State: bill.Owed, ByProvider: true}},
		{"refund short", bill.Obligation{State: bill.Owed, Method: "refund", Short: true}},
		{"refund refused", bill.Obligation{State: bill.Human, Method: "refund"}},
		{"refund person", bill.Obligation{State: bill.Human, Method: "refund", Bounces: 2}},
	} {
		c.o.Key, c.o.Amount = "k", 5
		s := bill.State{Returns: []bill.Return{{Key: "k", Amount: 5}}, Obligations: []bill.Obligation{c.o}}
		if got := bill.Snapshot(s, start).Returns[0]; got.How+" "+got.State != c.want {
			t.Errorf("%s %s, want %s", got.How, got.State, c.want)
		}
	}
}

func TestMoneyAlwaysHasARow(t *testing.T) {
	lives := map[string]func(*world){
		"created": func(w *world) { w.create() }, "open": func(w *world) { w.opened() }, "part": func(w *world) { w.opened().paid(50) },
		"paying": func(w *world) { w.opened().looked(bill.Paying) }, "full": func(w *world) { w.opened().paid(200) },
		"charging": func(w *world) { w.create(scanned).charge(1) }, "closing": func(w *world) { w.expired() },
		"returning": func(w *world) { w.opened().whole("k") }, "doubt": func(w *world) { w.expired().tick(time.Minute) },
		"offered": func(w *world) { w.expired().looked(bill.Pending, w.late(200)) },
		"lapsed":  func(w *world) { w.expired().looked(bill.Pending, w.late(200)).tick(30 * time.Second) },
		"expired": func(w *world) { w.expired().looked(bill.Dead) }, "refused": func(w *world) { w.opened().looked(bill.Dead) },
		"done": func(w *world) { w.opened().paid(200).confirm(200) }, "deadline": func(w *world) { w.opened().paid(200).tick(10 * time.Minute) },
		"returned": func(w *world) { w.opened().paid(200).whole("k") }, "fixed": func(w *world) { w.opened(fixed) },
		"fixed created": func(w *world) { w.create(fixed) }, "timer": func(w *world) { w.opened(timer) }, "timer created": func(w *world) { w.create(timer) },
		"timer closing": func(w *world) { w.opened(timer).whole("k") }, "ranged over": func(w *world) { w.opened(ranged).step(bill.Event{Cause: bill.CallDeactivate}).looked(bill.Dead) },
	}
	n := 0
	for name, prepare := range lives {
		for _, amount := range []int64{1, 200, 500} {
			for _, refunds := range []bool{false, true} {
				for _, when := range []time.Duration{-time.Hour, 0, time.Hour} {
					w := newWorld(t)
					w.env.Traits.KillRefunds = refunds
					prepare(w)
					c := w.money(amount)
					c.PaidAt = w.now.Add(when)
					w.step(bill.Event{Cause: bill.Credited, Credit: &c})
					if len(w.rows) == 0 {
						t.Errorf("%s: no row for %d", name, amount)
					}
					n++
				}
			}
		}
	}
	t.Logf("%d cases", n)
}

// TestAnyOrderKeepsTheLaws feeds events in any order, whether or not they make sense, and asks law after each.
func TestAnyOrderKeepsTheLaws(t *testing.T) {
	taken := map[string]bool{}
	steps := 0
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		w.env.Traits.KillRefunds = rapid.Bool().Draw(r, "kill refunds")
		w.env.Settings.KeepDeposit = rapid.Bool().Draw(r, "deposit")
		w.env.Traits.Methods = []string{"cancel", "refund"}
		w.create(rapid.SampledFrom([]func(*bill.Create){func(*bill.Create) {}, scanned, prepayment, fixed, ranged, timer}).Draw(r, "kind"))
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			w.random(r)
			steps++
		}
		maps.Copy(taken, w.all)
	})
	t.Logf("%d steps, %d rows taken", steps, len(taken))
}

// TestRowsWithoutEndAreRefused plants a row that hands a credit on to itself.
func TestRowsWithoutEndAreRefused(t *testing.T) {
	rows := bill.Rows()
	i := slices.IndexFunc(rows, func(r bill.Row) bool { return r.ID == "B5p1" })
	rows[i].Match = func(_ *bill.State, e *bill.Event) bool { return e.Cause == bill.Credited }
	w := newWorld(t).opened().looked(bill.Paying)
	c := w.money(50)
	got, fx, ids, err := rows.Step(w.s, bill.Event{Cause: bill.Credited, Credit: &c, Now: w.now, Env: &w.env})
	t.Logf("rows taken: %v", ids)
	if !errors.Is(err, bill.ErrLoop) || len(fx) != 1 || fx[0].Kind != bill.Alarm || len(got.Credits) != 0 {
		t.Fatalf("%v, effects %v, credits %v", err, fx, got.Credits)
	}
}

func (w *world) random(r *rapid.T) {
	w.t.Helper()
	amount := rapid.SampledFrom([]int64{0, 1, 50, 100, 150, 200, 250}).Draw(r, "amount")
	key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "key")
	switch rapid.IntRange(0, 13).Draw(r, "what") {
	case 0:
		w.after(rapid.SampledFrom([]time.Duration{0, time.Second, 30 * time.Second, 5 * time.Minute, 25 * time.Hour}).Draw(r, "wait"))
		for range 3 {
			if at := bill.Due(w.s); at.After(w.now) {
				w.now = at
			}
			w.step(bill.Event{Cause: bill.Tick})
		}
	case 1:
		if amount > 0 {
			c := w.money(amount)
			c.PaidAt = w.now.Add(time.Duration(rapid.IntRange(-400, 10).Draw(r, "ago")) * time.Second)
			w.step(bill.Event{Cause: bill.Credited, Credit: &c})
		}
	case 2:
		st := rapid.SampledFrom([]bill.Status{bill.Pending, bill.Paying, bill.Dead, bill.Absent, bill.Unknown, bill.AllPaid}).Draw(r, "status")
		p := bill.Report{Work: rapid.SampledFrom([]bill.WorkKind{bill.Look, bill.Kill, bill.Present}).Draw(r, "work"), Status: st, Payload: "p", Attempt: w.s.LastAttempt}
		if own := rapid.SampledFrom([]string{"", "", "pending", "done"}).Draw(r, "own"); own != "" {
			p.Returns = map[string]string{"": own}
		}
		w.report(p)
	case 3:
		w.step(bill.Event{Cause: bill.CallReturn, Key: key, Whole: rapid.Bool().Draw(r, "whole"), Amount: amount, By: rapid.SampledFrom([]bill.By{bill.ByBox, bill.ByConsole}).Draw(r, "by")})
	case 4:
		w.confirm(amount)
	case 5:
		w.charge(rapid.IntRange(1, 3).Draw(r, "attempt"))
	case 6:
		w.step(bill.Event{Cause: bill.CallChargeVoid, Attempt: rapid.IntRange(1, 3).Draw(r, "attempt")})
	case 7:
		w.step(bill.Event{Cause: bill.CallAcceptLate, Key: key})
	case 8:
		w.step(bill.Event{Cause: bill.CallExtend, Key: key, Life: time.Duration(amount) * 5 * time.Second})
	case 9:
		w.step(bill.Event{Cause: bill.CallApply, Key: key, Sale: key, Amount: amount})
	case 10:
		w.step(bill.Event{Cause: bill.Clawed, Key: fmt.Sprint(key, len(w.s.Clawbacks)), Txn: "tx1", Amount: amount})
	case 11:
		for i := range w.s.Obligations {
			o := w.s.Obligations[i]
			if o.State == bill.Sent {
				w.returnSaid(o.Request, rapid.SampledFrom([]string{"done", "refused", "short", "pending", "absent"}).Draw(r, "said"))
			} else if o.State == bill.Paid {
				w.step(bill.Event{Cause: bill.Bounced, Obligation: o.ID})
			}
		}
	case 12:
		w.step(bill.Event{Cause: bill.Decided, Verdict: rapid.SampledFrom([]string{bill.VerdictDone, bill.VerdictReturn, bill.VerdictDead}).Draw(r, "verdict"), Revoked: true})
	case 13:
		w.step(bill.Event{Cause: bill.CallView})
		w.step(bill.Event{Cause: bill.Moved, Terminal: key})
		w.step(bill.Event{Cause: bill.Silent})
	}
}
