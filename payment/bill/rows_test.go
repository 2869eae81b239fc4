package bill_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// rowIDs are those of every row, written down beside the table, so that none goes or comes by mistake. B8 is no more: B7 has it.
const rowIDs = `B1 B1a B1b B1c B1u B1d B2 B2a B2b B3 B3a B4 B4a B4b B5i B5p B5 B5w B5v B5vx B5p1 B5d B6 B6a B7 B8a B8b
B8c B8d B9 B10 B10x B10y B11 B11a B11b B11p B12 B12a B12b B12c B12d B12e B12f B13k B13 B13d B14 B14a B15 B15a B15b B15c
B15d B16 B16a B17 B18 B18a B19 B20 B21 B21a B22 B22a B24 B24a B24b B24c B24d B25 B25a B26 B26a B26b B26c B27 B28 B29 B29a B29b
B30 B31 B32 B33 B34 B34a B34x B35 B36 B37 B38 B39 B39a O1 O2 O3 O4 O5 O5s O6 O7 O8 O9 O10`

func TestTableHoldsTheseIDs(t *testing.T) {
	want := strings.Fields(rowIDs)
	var got []string
	for _, r := range bill.Rows() {
		got = append(got, r.ID)
		if r.When == "" {
			t.Errorf("%s does not say when", r.ID)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		for _, id := range want {
			if !slices.Contains(got, id) {
				t.Errorf("row %s is missing", id)
			}
		}
		for i, id := range got {
			if !slices.Contains(want, id) || i > 0 && got[i-1] == id {
				t.Errorf("row %s is not in the list, or twice", id)
			}
		}
	}
	for _, r := range bill.Rows() {
		t.Logf("%-5s %s", r.ID, r.When)
	}
	t.Logf("%d rows", len(got))
}

// TestRow takes every row by name, and fails for a row that its test does not take, or that has no test.
func TestRow(t *testing.T) {
	tests := rowTests()
	for _, r := range bill.Rows() {
		t.Run(r.ID, func(t *testing.T) {
			f := tests[r.ID]
			if f == nil {
				t.Fatalf("no test takes this row: %s", r.When)
			}
			w := newWorld(t)
			f(w)
			if !w.all[r.ID] {
				t.Errorf("its test took %v, not this row", slices.Sorted(maps.Keys(w.all)))
			}
		})
	}
	t.Logf("%d rows, each taken by a test of its name", len(bill.Rows()))
}

func rowTests() map[string]func(*world) {
	all := map[string]func(*world){}
	for _, m := range []map[string]func(*world){createTests(), openTests(), callTests(), closingTests(), scanTests(), otherTests(), debtTests()} {
		maps.Copy(all, m)
	}
	return all
}

func createTests() map[string]func(*world) {
	return map[string]func(*world){
		"B1": func(w *world) {
			w.create().took("B1").outcome(payment.OutCreated).told().works(bill.Present).status("created")
		},
		"B1a": func(w *world) {
			w.opened().create().took("B1a").outcome(payment.OutCreated).works().told()
			w.has("answer", "the snapshot of the bill as it stands", w.reply().Bill.Life == payment.Open && w.reply().Bill.Payload != "")
		},
		"B1b": func(w *world) {
			w.create().create(func(c *bill.Create) { c.Hash = "h2" }).took("B1b").refused(payment.NoKeyReused)
		},
		"B1c": func(w *world) {
			w.opened().create(func(c *bill.Create) { c.Payment = "other" }).took("B1c").outcome(payment.OutReferenceSeen)
			w.flags("review").has("answer", "names the first payment", w.reply().Bill.Payment == billID)
		},
		"B1u": func(w *world) {
			again := func(f ...func(*bill.Create)) *world {
				return w.create(append(f, func(c *bill.Create) { c.Payment = "other" })...)
			}
			w.opened().paid(200).confirm(200)
			for what, f := range map[string]func(*bill.Create){
				"amount": func(c *bill.Create) { c.Amount.Value = 500 }, "currency": func(c *bill.Create) { c.Amount.Currency = "KZT" }, "mode": scanned,
				"purpose": prepayment, "provider": func(c *bill.Create) { c.Provider = "bank2" }, "sale that it adds to": func(c *bill.Create) { c.AddsTo = "x" },
			} {
				again(f).took("B1u").refused(payment.NoReferenceUsed).told().works().flags()
				w.has(what, "the old bill is as it was", w.s.Life == payment.Closed && !w.s.Review && w.s.Why == "")
			}
			w.after(24*time.Hour - time.Second)
			again(func(c *bill.Create) { c.Provider = "" }).took("B1c").outcome(payment.OutReferenceSeen) // a till that asks again
			w.after(time.Second)
			again().took("B1u").refused(payment.NoReferenceUsed) // an old sale of the same sum
			v := newWorld(w.t)
			v.opened().create(func(c *bill.Create) { c.Payment, c.Amount.Value = "other", 500 }).took("B1c").outcome(payment.OutReferenceSeen) // it lives: its box ends it
			for why, cause := range map[string]bill.Cause{payment.WhyLedgerRestored: bill.Recovered, "journal_lost": bill.Forgotten} {
				v := newWorld(w.t)
				v.opened().step(bill.Event{Cause: cause}).create(func(c *bill.Create) { c.Payment = "other" }).took("B1c").flags("review")
				v.has("review", "keeps the reason that the box's word ends", v.s.Why == why)
				v.whole("k").flags()
			}
		},
		"B1d": func(w *world) {
			w.create(scanned).took("B1d").told(payment.EvOpen).works().status("open")
			b := w.fx[1].Bill
			w.has("event", "no payload, time left", b.Payload == "" && b.RemainingMS == 300_000)
		},
		"B2": func(w *world) {
			w.create().presented().took("B2").told(payment.EvOpen).status("open")
			b := w.fx[0].Bill
			w.has("event", "payload and time", b.Payload == "https://pay" && b.RemainingMS == 300_000 && b.MaxOpenMS == 1_200_000 && b.Due == 200)
		},
		"B2a": func(w *world) {
			w.create().whole("k").presented().took("B2a", "B13k").works(bill.Kill).told().status("closing")
			w.looked(bill.Dead).took("B13")
			w.looked(bill.Pending).took("B2a", "B13k").works(bill.Kill)
		},
		"B2b": func(w *world) {
			w.create().step(bill.Event{Cause: bill.Credited, Credit: credit(w, 50)}).took("B4b", "B5").told(payment.EvPart)
			w.presented().took("B2b").told(payment.EvOpen).status("part_paid")
			w.has("event", "what is still due", w.fx[0].Bill.Due == 150 && w.fx[0].Bill.Payload != "")
			v := newWorld(w.t)
			v.create().step(bill.Event{Cause: bill.Credited, Credit: credit(v, 200)}).presented().took("B2b").told()
		},
		"B3": func(w *world) {
			w.create().report(bill.Report{Work: bill.Present, Fail: bill.Refused, Why: "limit"}).took("B3").told(payment.EvClosed).status("refused")
			w.has("event", "says why", w.fx[0].Bill.Why == "limit")
			v := newWorld(w.t)
			v.create().report(bill.Report{Work: bill.Present, Fail: bill.Refused, Why: payment.WhyAmount, Most: 150}).took("B3").told(payment.EvClosed)
			v.has("event", "says what the bank takes", v.fx[0].Bill.Why == payment.WhyAmount && v.fx[0].Bill.Most == 150)
		},
		"B3a": func(w *world) {
			w.create().whole("k").report(bill.Report{Work: bill.Present, Fail: bill.Refused}).took("B3a", "B13").told(payment.EvClosed).status("canceled")
		},
		"B4": func(w *world) {
			w.create().report(bill.Report{Work: bill.Present, Fail: bill.Unclear}).took("B4").works(bill.Look).status("created")
			w.looked(bill.Absent).not("B3").works()
			w.s.CreateBy = w.now.Add(time.Hour)
			w.after(41 * time.Second).looked(bill.Absent).works().looked(bill.Absent).took("B4").works(bill.Present)
			w.looked(bill.Absent).works() // the new call can land again
			w.report(bill.Report{Work: bill.Look, Status: bill.Pending, Payload: "p"}).took("B2")
		},
		"B4a": func(w *world) {
			w.create().tick(20*time.Second).took("B4", "B4a").told(payment.EvClosing, payment.EvDoubt).status("unknown")
		},
		"B4b": func(w *world) {
			w.create().step(bill.Event{Cause: bill.Credited, Credit: credit(w, 200)}).took("B4b", "B6").told(payment.EvPaid).status("paid")
		},
	}
}

// credit is money told by a registry line or a paychannel.
func credit(w *world, n int64) *bill.Credit { c := w.money(n); return &c }

func openTests() map[string]func(*world) {
	return map[string]func(*world){
		"B5i": func(w *world) {
			w.opened().step(bill.Event{Cause: bill.Hinted}).took("B5i").works(bill.Look)
			c := w.money(200)
			w.looked(bill.Pending, c).took("B6").looked(bill.Pending, c).not("B6a").sums(0, 0, 0, 200)
			w.step(bill.Event{Cause: bill.Credited, Credit: &c}).took("B5i").sums(0, 0, 0, 200)
		},
		"B5p": func(w *world) { w.opened().tick(5 * time.Second).took("B5p").works(bill.Look) },
		"B5": func(w *world) {
			end := w.opened().s.ExpiresAt
			w.paid(50).took("B5").told(payment.EvPart).status("part_paid").sums(0, 0, 0, 50)
			w.has("expiry", "unchanged", w.s.ExpiresAt.Equal(end) && w.fx[0].Bill.Due == 150)
		},
		"B5w": func(w *world) {
			w.opened().looked(bill.Paying).took("B5w").told(payment.EvPaying).status("paying")
			w.looked(bill.Paying).told().tick(280 * time.Second).took("B5p").not("B10")
			w.tick(time.Minute).not("B10").status("paying") // expires_at waits
		},
		"B5v": func(w *world) {
			w.opened().looked(bill.Paying)
			w.report(bill.Report{Work: bill.Look, Status: bill.Pending, Decline: &payment.Decline{Why: "not_enough", Retry: true}})
			w.took("B5v").told(payment.EvOpen).status("open")
			d := w.fx[0].Bill.Declined
			w.has("event", "says the decline", d != nil && d.Attempt == 0 && d.Why == "not_enough" && w.fx[0].Bill.Payload != "")
		},
		"B5vx": func(w *world) {
			w.opened().looked(bill.Paying).tick(301 * time.Second)
			w.looked(bill.Pending).took("B5vx", "B10").told(payment.EvClosing).works(bill.Look).status("closing")
		},
		"B5p1": func(w *world) {
			w.opened().looked(bill.Paying)
			w.looked(bill.Paying, w.money(50)).took("B5p1", "B5").told(payment.EvPart).status("paying")
			w.looked(bill.Paying, w.money(150)).took("B5p1", "B6").told(payment.EvPaid).status("paid")
			v := newWorld(w.t).opened(timer).after(15 * time.Minute).looked(bill.Paying) // its own rows come in between
			v.looked(bill.Paying, v.money(50)).took("B5p1", "B26a", "B5").told(payment.EvPart).status("paying")
			v.looked(bill.Paying, v.money(50)).took("B5p1", "B26a", "B6").told(payment.EvPaid).status("paid")
		},
		"B5d": func(w *world) {
			w.opened().paid(50)
			w.report(bill.Report{Work: bill.Look, Status: bill.Dead, Decline: &payment.Decline{Why: "limit"}})
			w.took("B5d", "O1").told(payment.EvClosed).status("refused").sums(0, 50, 0, 0).flags("owed")
			w.has("event", "why", w.fx[0].Bill.Why == "limit" && w.fx[0].Bill.Reason == payment.Refused)
		},
		"B6": func(w *world) {
			w.opened().paid(250).took("B6", "O1").told(payment.EvPaid).status("paid").sums(0, 50, 0, 200).flags("over", "owed")
			v := newWorld(w.t).opened()
			v.looked(bill.Pending, v.late(200)).took("B6").status("paid").flags("late")
		},
		"B6a": func(w *world) {
			w.opened().paid(200).paid(200).took("B6a").told(payment.EvOver).sums(0, 200, 0, 200)
			w.paid(200).took("B6a").sums(0, 400, 0, 200).flags("over", "owed")
		},
		"B9": func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).took("B9").told(payment.EvDone).status("confirmed").sums(200, 0, 0, 0)
			w.has("state", "by deadline", w.s.ByDeadline && bill.Snapshot(w.s, w.now).By == "deadline")
			for _, how := range []payment.IfNotConfirmed{payment.Return, payment.Person} {
				v := newWorld(w.t)
				v.env.Settings.PollFull = time.Hour
				v.opened(func(c *bill.Create) { c.IfNotConfirmed = how }).paid(200).tick(10 * time.Minute).took("B9").told(payment.EvConfirmWanted)
				v.tick(48*time.Hour).told(payment.EvConfirmWanted, payment.EvConfirmWanted).status("paid").sums(0, 0, 0, 200) // once a day
				v.confirm(200).took("B7").tick(48 * time.Hour).told()
			}
			p := newWorld(w.t)
			p.env.Settings.PollFull = time.Hour
			p.opened(prepayment).paid(200)
			p.tick(23 * time.Hour).status("paid").tick(time.Hour).took("B9").status("confirmed")
		},
		"B10": func(w *world) {
			w.opened().tick(5 * time.Minute).took("B10").told(payment.EvClosing).status("closing")
			v := newWorld(w.t).opened().looked(bill.Paying)
			v.tick(19 * time.Minute).not("B10").tick(time.Minute).took("B10").status("closing")
		},
		"B10x": func(w *world) {
			life := func(d time.Duration) *world { return w.step(bill.Event{Cause: bill.CallExtend, Key: "e", Life: d}) }
			w.opened()
			life(10 * time.Minute).took("B10x").outcome(payment.OutExtended).told(payment.EvOpen)
			life(10 * time.Minute).took("B10x")
			life(7 * time.Minute)
			w.has("expiry", "never shorter", w.s.ExpiresAt.Equal(start.Add(10*time.Minute)))
			w.looked(bill.Paying)
			life(12 * time.Minute).told(payment.EvPaying).status("paying")
		},
		"B10y": func(w *world) {
			w.create()
			ask := func(d time.Duration, why string) {
				w.t.Helper()
				w.step(bill.Event{Cause: bill.CallExtend, Key: "e", Life: d}).took("B10y").refused(payment.NoCannotExtend)
				w.has("why", w.reply().Why+" instead of "+why, w.reply().Why == why)
			}
			ask(time.Minute, "not_open")
			w.presented()
			ask(21*time.Minute, "max_open")
			w.s.ProviderExpires = w.s.ExpiresAt.Add(10 * time.Second)
			ask(10*time.Minute, "provider")
			w.paid(200)
			ask(10*time.Minute, "paid")
		},
	}
}

func callTests() map[string]func(*world) {
	return map[string]func(*world){
		"B7": func(w *world) {
			w.opened().paid(200).confirm(200).took("B7").outcome(payment.OutConfirmed).told(payment.EvDone).status("confirmed").sums(200, 0, 0, 0)
			v := newWorld(w.t).opened().paid(200).confirm(150)
			v.took("B7", "O1").sums(150, 50, 0, 0).status("confirmed").flags("owed")
		},
		"B8a": func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).confirm(120).took("B8a").told(payment.EvDone).sums(120, 80, 0, 0).status("confirmed")
			w.has("state", "the box has spoken", !w.s.ByDeadline && w.s.By == "box")
		},
		"B8b": func(w *world) {
			w.opened().paid(200).confirm(150).confirm(150).took("B8b").outcome(payment.OutConfirmed).told()
			w.confirm(140).took("B8b").refused(payment.NoAlreadyConfirmed).sums(150, 50, 0, 0)
		},
		"B8c": func(w *world) {
			w.opened().whole("k").looked(bill.Dead).took("B13").confirm(200)
			w.took("B8c").refused(payment.NoClosed).told(payment.EvReview).flags("review").status("canceled")
			w.confirm(200).told().has("shortfall", "counted once", w.s.Shortfall == 200)
		},
		"B8d": func(w *world) {
			w.opened().paid(200).confirm(201).took("B8d").refused(payment.NoFinalExceedsPaid)
			w.confirm(0).took("B8d").refused(payment.NoUseReturn).status("paid")
		},
		"B11": func(w *world) {
			w.opened().paid(50).whole("k").took("B11").outcome(payment.OutFenced).told(payment.EvClosing).works(bill.Look).status("closing").sums(0, 50, 0, 0)
			w.has("answer", "owed", w.reply().Owed == 50 && w.reply().Bill.Fence)
			v := newWorld(w.t).create(scanned).whole("k")
			v.took("B11", "B13").told(payment.EvClosing, payment.EvClosed).status("canceled") // no order exists
		},
		"B11a": func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).took("B15").whole("k").took("B11a").outcome(payment.OutFenced).told(payment.EvClosing)
			w.sums(0, 200, 0, 0).has("late", "lapsed", w.s.Late == payment.LateLapsed && w.s.Reason == payment.Returning)
		},
		"B11b": func(w *world) {
			w.expired().looked(bill.Dead).whole("k").took("B11b").outcome(payment.OutFenced).told().status("expired")
			w.has("fence", "stored", w.s.Fence)
		},
		"B11p": func(w *world) {
			w.opened().looked(bill.Paying).whole("k").took("B11p", "B11").outcome(payment.OutFenced).told(payment.EvClosing)
			v := newWorld(w.t).opened().looked(bill.Paying).console("c", 0)
			v.took("B11p", "B12e").status("closing")
		},
		"B12": func(w *world) {
			w.opened().paid(200).whole("k").took("B12").outcome(payment.OutFenced).told(payment.EvClosed).status("returned").sums(0, 200, 0, 0)
			w.settle().sums(0, 0, 200, 0).status("returned")
		},
		"B12a": func(w *world) {
			w.opened().paid(200).confirm(200).giveBack("r1", 50).took("B12a").outcome(payment.OutReturning).told(payment.EvReturning)
			w.status("part_returned").sums(150, 50, 0, 0).console("r2", 150).took("B12a").status("returned").sums(0, 200, 0, 0)
		},
		"B12b": func(w *world) {
			w.opened(prepayment).paid(200).confirm(200).giveBack("r1", 201).took("B12b").refused(payment.NoExceedsKept)
			w.step(bill.Event{Cause: bill.CallApply, Key: "a", Sale: "s", Amount: 150}).giveBack("r2", 51).took("B12b").refused(payment.NoAdvanceApplied)
			w.giveBack("r3", 50).took("B12a")
			w = newWorld(w.t).opened().paid(200).confirm(200)
			for i := range payment.MaxReturns {
				w.giveBack("r"+strconv.Itoa(i), 1).took("B12a")
			}
			w.giveBack("another", 1).took("B12b").refused(payment.NoTooManyReturns).giveBack("r0", 1).took("B12d").sums(100, 100, 0, 0)
			w.console("another", 0).took("B12b").refused(payment.NoTooManyReturns)
		},
		"B12c": func(w *world) {
			w.opened().paid(200).giveBack("r", 50).took("B12c").refused(payment.NoConfirmFirst).sums(0, 0, 0, 200)
		},
		"B12d": func(w *world) {
			w.opened().paid(200).confirm(200).giveBack("r", 50).giveBack("r", 50).took("B12d").outcome(payment.OutReturning).told().sums(150, 50, 0, 0)
			w.after(400*24*time.Hour).giveBack("r", 50).took("B12d").sums(150, 50, 0, 0)
		},
		"B12e": func(w *world) {
			w.opened().paid(50).console("c", 0).took("B12e").outcome(bill.OutClosing).told(payment.EvClosing).sums(0, 50, 0, 0)
			v := newWorld(w.t).expired()
			v.looked(bill.Pending, v.late(200)).console("c", 0).took("B12e").sums(0, 200, 0, 0)
			v.step(bill.Event{Cause: bill.CallAcceptLate, Key: "a"}).outcome(payment.OutLapsed)
		},
		"B12f": func(w *world) {
			w.opened().paid(200).confirm(200).whole("k").took("B12f").refused(payment.NoAlreadyConfirmed).sums(200, 0, 0, 0)
		},
		"B15a": func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).step(bill.Event{Cause: bill.CallAcceptLate, Key: "a"})
			w.took("B15a").outcome(payment.OutAccepted).told(payment.EvPaid).status("paid").flags("late").sums(0, 0, 0, 200)
			w.tick(10*time.Minute).took("B9").sums(200, 0, 0, 0) // the confirm deadline runs
		},
		"B15b": func(w *world) {
			accept := bill.Event{Cause: bill.CallAcceptLate, Key: "a"}
			w.opened().step(accept).took("B15b").outcome(payment.OutLapsed)
			w.tick(5 * time.Minute)
			w.looked(bill.Pending, w.late(200)).step(accept).took("B15a").step(accept).took("B15b").outcome(payment.OutAccepted)
		},
		"B27": func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).whole("k").took("B27").outcome(payment.OutFenced).told(payment.EvClosed).status("returned").sums(0, 200, 0, 0)
		},
		"B36": func(w *world) {
			w.opened().paid(200).console("c", 0).took("B36").outcome(bill.OutReturnWanted).told(payment.EvReturnWanted).status("paid").sums(0, 0, 0, 200)
			w.has("event", "who, and not for ever", w.fx[1].Bill.Who == "anna" && w.fx[1].Fresh > 0)
			w.tick(10*time.Minute).took("B9").console("c2", 0).took("B36").sums(200, 0, 0, 0)
			w.whole("k").took("B27").sums(0, 200, 0, 0)
		},
		"B37": func(w *world) {
			apply := func(k string, n int64) *world {
				return w.step(bill.Event{Cause: bill.CallApply, Key: k, Sale: "s-" + k, Amount: n})
			}
			w.opened(prepayment).paid(200)
			apply("a", 50).refused(payment.NoWrongState)
			w.confirm(200)
			apply("a", 150).took("B37").outcome(payment.OutApplied).told(payment.EvApplied).status("confirmed")
			apply("a", 150).outcome(payment.OutApplied).told()
			apply("b", 51).took("B37").refused(payment.NoAdvanceApplied)
			w.giveBack("r", 100).took("B12b")
			w.step(bill.Event{Cause: bill.CallUnapply, Sale: "s-a"}).took("B37").told(payment.EvApplied)
			w.giveBack("r", 200).took("B12a").status("returned")
			w.has("snapshot", "nothing applied", bill.Snapshot(w.s, w.now).Applied == 0)
		},
	}
}

func closingTests() map[string]func(*world) {
	silent := func(v string) bill.Event {
		return bill.Event{Cause: bill.Decided, Verdict: v, Who: "anna", Quiet: 25 * time.Hour, Revoked: true}
	}
	return map[string]func(*world){
		"B13k": func(w *world) {
			w.expired().looked(bill.Pending).took("B13k").works(bill.Kill)
			w.has("killed", "is in the state before the call", w.s.Killed)
			w.tick(3 * time.Second).took("B13k").works(bill.Look).looked(bill.Pending).works(bill.Kill)
			v := newWorld(w.t)
			v.env.Traits.KillRefunds = true
			v.expired().looked(bill.Pending, v.late(200)).took("B15").not("B13k").works() // not beside an offer
		},
		"B13": func(w *world) {
			w.opened().paid(50).tick(5*time.Minute).looked(bill.Dead).took("B13").told(payment.EvClosed).status("expired").sums(0, 50, 0, 0).flags("owed")
			v := newWorld(w.t).opened().whole("k").looked(bill.Dead).took("B13").status("canceled")
			v.has("reason", "return", v.s.Reason == payment.Returning)
		},
		"B13d": func(w *world) {
			w.env.Settings.KeepDeposit = true
			w.opened().paid(50).tick(5*time.Minute).looked(bill.Dead).took("B13d").told(payment.EvClosed).status("expired").sums(50, 0, 0, 0)
			b := w.fx[0].Bill
			w.has("event", "to the box an expiry, never done", b.Reason == payment.Expire && b.Why == "deposit")
			w.confirm(50).took("B8c")
			w.whole("k").took("B27").sums(0, 50, 0, 0)
		},
		"B14": func(w *world) {
			w.expired().looked(bill.Pending, w.onTime(200)).took("B14").told(payment.EvPaid).status("paid").sums(0, 0, 0, 200)
			w.flags().tick(10 * time.Minute).took("B9")
		},
		"B14a": func(w *world) {
			w.expired().looked(bill.Pending, w.onTime(50)).took("B14a").told(payment.EvPart).status("closing")
			w.looked(bill.Dead).took("B13").sums(0, 50, 0, 0)
		},
		"B15": func(w *world) {
			w.expired().looked(bill.Pending, w.late(250)).took("B15", "O1").told(payment.EvLate).status("closing").flags("late", "over", "owed").sums(0, 50, 0, 200)
			w.has("event", "lease", w.fx[0].Bill.LeaseMS == 30_000 && w.fx[0].Fresh == 30*time.Second)
		},
		"B15c": func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).tick(30*time.Second).took("B15c").told(payment.EvPaidAfter).flags("late", "owed").sums(0, 200, 0, 0)
			w.looked(bill.Dead).took("B13").status("expired")
		},
		"B15d": func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).looked(bill.Pending, w.late(200)).took("B15d").told(payment.EvOver).sums(0, 200, 0, 200)
		},
		"B16": func(w *world) {
			w.opened().whole("k").looked(bill.Pending, w.money(200)).took("B16").told(payment.EvPaidAfter).status("closing").sums(0, 200, 0, 0)
			w.looked(bill.Dead).took("B13")
			v := newWorld(w.t).expired()
			v.looked(bill.Pending, v.late(200)).tick(30*time.Second).looked(bill.Pending, v.onTime(200)).took("B16").sums(0, 400, 0, 0)
		},
		"B16a": func(w *world) {
			w.expired().looked(bill.Dead).looked(bill.Dead, w.onTime(200)).took("B16a").told(payment.EvPaidAfter).status("expired").sums(0, 200, 0, 0).flags("owed")
			v := newWorld(w.t).opened().paid(200).confirm(200).paid(200)
			v.took("B16a").told(payment.EvOver).status("confirmed").sums(200, 200, 0, 0).flags("over", "owed")
		},
		"B17": func(w *world) {
			w.expired().looked(bill.Paying).took("B17").told(payment.EvClosing).works()
			w.tick(2 * time.Second).took("B17").works(bill.Look).looked(bill.Paying).told()
			w.looked(bill.Pending).took("B13k").works(bill.Kill)
		},
		"B18": func(w *world) {
			w.env.Traits.KillRefunds = true
			w.expired().looked(bill.Pending).took("B13k")
			w.report(bill.Report{Work: bill.Kill, Status: bill.Dead}).took("B18").not("B13").status("closing")
			w.looked(bill.Dead).took("B13")
		},
		"B18a": func(w *world) {
			w.env.Traits.KillRefunds = true
			w.expired().looked(bill.Pending)
			c := w.onTime(200)
			w.report(bill.Report{Work: bill.Look, Status: bill.AllPaid, Credits: []bill.Credit{c}, Own: []bill.Own{{Txn: c.Txn, Amount: 200, State: "pending"}}})
			w.took("B18a", "B16").not("B14").told(payment.EvPaidAfter).sums(0, 200, 0, 0)
			w.has("worker", "sends nothing", len(w.sent()) == 0)
			w.report(bill.Report{Work: bill.Look, Status: bill.Dead, Own: []bill.Own{{Txn: c.Txn, Amount: 200, State: "done"}}}).took("O9", "B13").sums(0, 0, 200, 0)
		},
		"B19": func(w *world) {
			w.expired().tick(60 * time.Second).took("B19").told(payment.EvDoubt).status("unknown")
			var waits []time.Duration
			for last := w.now; len(waits) < 8; {
				w.now = bill.Due(w.s)
				w.step(bill.Event{Cause: bill.Tick}).took("B19").works(bill.Look)
				waits, last = append(waits, w.now.Sub(last)), w.now
			}
			w.has("schedule", "5 s, 15 s, 1, 5, 30 min, 2 h, daily", slices.Equal(waits, append(bill.Default().Again, 24*time.Hour)))
		},
		"B20": func(w *world) {
			w.expired().tick(time.Minute).looked(bill.Pending, w.onTime(200)).took("B20", "B14").status("paid")
			v := newWorld(w.t).expired().tick(time.Minute).looked(bill.Dead)
			v.took("B20", "B13").status("expired")
		},
		"B21": func(w *world) {
			w.expired().tick(time.Minute).step(bill.Event{Cause: bill.Silent}).took("B21").told(payment.EvReview).status("unknown").flags("review")
		},
		"B21a": func(w *world) {
			w.expired().tick(time.Minute).step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna"}).refused(payment.NoWrongState)
			w.step(bill.Event{Cause: bill.Silent})
			before := w.s
			w.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna"}).took("B21a", "B20", "B13").status("expired").outcome(bill.OutDecided)
			w.s = before
			c := w.onTime(200)
			w.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: &c}).refused(payment.NoWrongState)
			c.Evidence = "bank letter 12"
			w.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: &c}).took("B21a", "B20", "B14").status("paid").flags()

			// A part came behind a kill that may give it back, and the bank is silent: no word of a person closes that.
			v := newWorld(w.t)
			v.env.Traits.KillRefunds = true
			v.expired().looked(bill.Pending).took("B13k")
			part := v.money(50)
			v.looked(bill.Pending, part).took("B16").tick(time.Minute).took("B19").step(bill.Event{Cause: bill.Silent}).sums(0, 50, 0, 0)
			version := v.s.Version
			v.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna"}).refused(payment.NoWrongState)
			v.flags("owed", "review").has("decision", "is not recorded", len(v.s.Decisions) == 0 && v.s.Version == version)
			v.has("decision", "paid alone is offered", slices.Equal(bill.Choices(v.s, bill.Event{Now: v.now, Env: &v.env}), []bill.Choice{{Verdict: bill.VerdictPaid}}))
			v.gaveBack(part.Txn, 50, "done").took("O9", "B13").status("expired").sums(0, 0, 50, 0)

			// A ledger that was put back: the box has confirmed this sale before, and waits for its money by the mark (its row E15l).
			for _, silent := range []bool{false, true} { // the bank, for two days: or the mark alone has opened the decision
				v := newWorld(w.t).expired().tick(time.Minute).step(bill.Event{Cause: bill.Recovered})
				if silent {
					v.step(bill.Event{Cause: bill.Silent})
				}
				marked := v.s
				c := v.onTime(200)
				c.Evidence = "bank letter 13"
				v.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: &c, Who: "anna"}).took("B21a", "B14").told(payment.EvPaid).status("paid").flags("review")
				v.has("event", "bears the mark", bill.Snapshot(v.s, v.now).Why == payment.WhyLedgerRestored)
				v.confirm(200).took("B7").status("confirmed").flags()
				v.s = marked
				v.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna"}).took("B21a", "B13").status("expired").flags("review")
				v.step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictSeen, Who: "anna"}).took("B39").flags()
			}
		},
		"B22": func(w *world) {
			w.expired().looked(bill.Dead).tick(5 * time.Second).took("B22").works(bill.Look).status("expired")
			w.tick(25*time.Hour).took("B22").has("watch", "asks until somebody answers", !bill.Due(w.s).IsZero())
			w.report(bill.Report{Work: bill.Look, Fail: bill.Unclear}).not("B22a").looked(bill.Paying).not("B22a")
			w.has("watch", "is not over", !bill.Due(w.s).IsZero() && !w.s.WatchUntil.IsZero())
			w.looked(bill.Dead).took("B22a").has("watch", "is over", w.s.WatchUntil.IsZero() && bill.Due(w.s).IsZero())
			w.step(bill.Event{Cause: bill.Credited, Credit: credit(w, 200)}).took("B16a").sums(0, 200, 0, 0)
		},
		"B22a": func(w *world) { // paid after the last answer before the end, and the bank was silent for two days
			w.expired().looked(bill.Dead).tick(25 * time.Hour)
			for range 3 {
				w.report(bill.Report{Work: bill.Look, Fail: bill.Unclear}).tick(25 * time.Hour).took("B22").works(bill.Look)
			}
			w.looked(bill.Dead, w.late(200)).took("B16a", "B22a").sums(0, 200, 0, 0)
			w.tick(25 * time.Hour).not("B22")
		},
		"B28": func(w *world) {
			w.opened().paid(200)
			e := silent(bill.VerdictDone)
			e.Quiet, e.Revoked = time.Hour, false
			w.step(e).refused(payment.NoWrongState)
			w.step(silent(bill.VerdictDone)).took("B28").told(payment.EvDone).status("confirmed").flags("review").sums(200, 0, 0, 0)
			w.has("event", "by admin", bill.Snapshot(w.s, w.now).By == "admin")
			w.confirm(150).took("B8a").sums(150, 50, 0, 0) // the box came back
			v := newWorld(w.t).opened().paid(200)
			e = silent(bill.VerdictReturn)
			e.Revoked = false
			v.step(e).refused(payment.NoWrongState)
			v.step(silent(bill.VerdictReturn)).took("B28").told(payment.EvClosed).status("returned").sums(0, 200, 0, 0)
			v.confirm(200).took("B8c")
		},
		"B39": func(w *world) {
			seen := bill.Event{Cause: bill.Decided, Verdict: bill.VerdictSeen, Who: "anna", Why: "the bank's letter"}
			w.step(seen).refused(payment.NoWrongState) // there is no bill
			w.expired().tick(time.Minute).step(bill.Event{Cause: bill.Silent})
			w.step(seen).refused(payment.NoWrongState) // the doubt is to be decided, not looked at
			w.has("review", "since now", w.s.ReviewSince.Equal(w.now))
			w.looked(bill.Dead).took("B20", "B13").status("expired").flags("review")
			w.after(time.Hour).step(seen).took("B39").told(payment.EvReview).flags().outcome(bill.OutDecided)
			w.has("review", "is over", w.s.ReviewSince.IsZero() && w.s.Why == payment.WhyReviewed)
			w.has("decision", "is kept", len(w.s.Decisions) == 1 && w.s.Decisions[0] == bill.Decision{Verdict: "seen", Who: "anna", Why: "the bank's letter", At: w.now})
			seen.Who = "boris"
			w.step(seen).took("B39a").not("B39").told().outcome(bill.OutDecided)
			w.has("decision", "is anna's", len(w.s.Decisions) == 1)
		},
		"B39a": func(w *world) {
			dead := bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna", Why: "statement 12"}
			w.expired().tick(time.Minute).step(bill.Event{Cause: bill.Silent})
			paid := bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: &bill.Credit{Provider: "bank", Txn: "t7", Amount: 200, PaidAt: w.now, Evidence: "e"}}
			w.step(dead).took("B21a").step(dead).took("B39a").not("B21a", "B13").told().outcome(bill.OutDecided).status("expired")
			w.step(paid).refused(payment.NoWrongState) // it was decided otherwise
		},
		"B38": func(w *world) {
			claw := func(k string, n int64) *world {
				return w.step(bill.Event{Cause: bill.Clawed, Key: k, Txn: "tx1", Amount: n})
			}
			w.opened().paid(200)
			claw("cb0", 20).status("paid") // not yet anybody's: kept as a fact
			w.confirm(200).took("B7", "B38").sums(180, 0, 20, 0)
			claw("cb1", 50).took("B38").told(payment.EvReview).status("part_returned").flags("review").sums(130, 0, 70, 0)
			claw("cb1", 50).sums(130, 0, 70, 0)
			claw("cb2", 200).sums(0, 0, 200, 0).status("returned").has("loss", "is recorded", w.s.Shortfall == 70)
		},
	}
}
