package bill_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// races is how many have a number: R1 …
const races = 37

// boxesAlone are those that the box decides, or in which the server only does what another race has: internal/checkout has
// them.
var boxesAlone = []string{"R4", "R14", "R15", "R20", "R22", "R23", "R30", "R33"}

// TestRace has the races that the server decides, each by its name.
func TestRace(t *testing.T) {
	named := map[string]bool{}
	for _, r := range []struct {
		name string
		do   func(*world)
	}{
		{"R1 paid as it expires: asked before killed, on time wins", func(w *world) {
			w.expired().works(bill.Look).looked(bill.Pending, w.onTime(200)).took("B14").not("B13k").status("paid")
			v := newWorld(w.t).expired()
			v.looked(bill.Pending, v.late(200)).took("B15").status("closing").flags("late")
		}},
		{"R2 cancel crosses a payment: the fence wins", func(w *world) {
			w.opened().whole("k").looked(bill.AllPaid, w.money(200)).took("B16", "B13").not("B14").status("canceled").sums(0, 200, 0, 0)
		}},
		{"R3 the create is sent twice: one bill, one order", func(w *world) {
			w.create().create().took("B1a").works().presented().create().works()
		}},
		{"R5 the till dies after the goods: kept, and a later lower final is repaired", func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).took("B9").confirm(150).took("B8a").sums(150, 50, 0, 0)
		}},
		{"R6 crash around create: ask by own id, create again with the same id", func(w *world) {
			w.env.Settings.CreateTimeout = 4 * time.Minute
			id := w.create().s.Order.ID
			w.tick(3 * time.Second).took("B4").works(bill.Look).looked(bill.Absent).works()
			w.after(time.Minute).looked(bill.Absent).looked(bill.Absent).took("B4").works(bill.Present)
			w.presented().took("B2").has("order", "the same id", w.s.Order.ID == id)
		}},
		{"R6 a create that never came: doubt lasts until the bank's no counts, not as long as the waits between questions", func(w *world) {
			w.create().tick(20 * time.Second).took("B4a").status("unknown")
			for range 10 { // asked as the clocks say: 5 s, 15 s and, because nothing can land after it, at 40 s and 43 s
				if w.s.Life == payment.Closed {
					break
				}
				w.looked(bill.Absent)
				if w.s.Life != payment.Closed {
					w.tick(bill.Due(w.s).Sub(w.now)).works(bill.Look)
				}
			}
			after := w.env.Traits.CallLimit + w.env.Traits.NotFoundFinal
			w.status("expired").has("doubt", "ended 3 s after the no counts", w.now.Sub(start) == after+w.env.Settings.PollNear)
		}},
		{"R6 a charge that never came: likewise, and the customer shows the next code", func(w *world) {
			w.create(scanned).charge(1)
			for running := true; running; running = w.s.Attempts[0].Running {
				w.tick(bill.Due(w.s).Sub(w.now)).works(bill.Look).attempt(1, bill.Report{Status: bill.Absent})
			}
			w.took("B31").has("time", "within seconds of the no", w.now.Sub(start) <= w.env.Traits.CallLimit+w.env.Traits.NotFoundFinal+2*w.env.Settings.PollCharge)
		}},
		{"R7 state and event are one change", func(w *world) {
			w.opened().paid(200).told(payment.EvPaid).has("event", "carries the version of its state", w.fx[0].Bill.Version == w.s.Version)
		}},
		{"R8 the call-back comes before our answer", func(w *world) {
			w.create().looked(bill.Pending, w.money(200)).took("B4b", "B6").presented().took("B2b").told().status("paid")
		}},
		{"R9 duplicate, out of order, lost call-back", func(w *world) {
			a, b := w.money(50), w.money(150)
			w.opened().looked(bill.Pending, b).looked(bill.Pending, a, b).took("B6").looked(bill.Pending, b, a).sums(0, 0, 0, 200)
		}},
		{"R10 a clone's second reference", func(w *world) {
			w.opened().create(func(c *bill.Create) { c.Payment = "clone" }).took("B1c").works().flags("review")
		}},
		{"R11 pays twice: the delta is owed in every lifecycle", func(w *world) {
			w.opened().paid(200).paid(200).sums(0, 200, 0, 200).confirm(200).paid(200).took("B16a").sums(200, 400, 0, 0)
		}},
		{"R12 underpaid: the part is owed at close, or is the deposit", func(w *world) {
			w.opened().paid(50).tick(5*time.Minute).looked(bill.Dead).sums(0, 50, 0, 0)
			v := newWorld(w.t)
			v.env.Settings.KeepDeposit = true
			v.opened().paid(50).tick(5*time.Minute).looked(bill.Dead).took("B13d").sums(50, 0, 0, 0)
		}},
		{"R13 two returns at once: never more than was kept", func(w *world) {
			w.opened().paid(200).confirm(200).giveBack("a", 150).took("B12a").giveBack("b", 150).took("B12b").giveBack("a", 150).took("B12d").sums(50, 150, 0, 0)
		}},
		{"R16 the provider's code outlives ours", func(w *world) {
			w.opened().has("expiry", "max_open and a margin", w.s.ProviderExpires.Equal(w.s.MaxOpenAt.Add(10*time.Second)))
			w.tick(5*time.Minute).looked(bill.Pending).took("B13k").looked(bill.Dead).took("B13").looked(bill.Dead, w.late(200)).took("B16a").sums(0, 200, 0, 0)
		}},
		{"R17 the day's end: the method is chosen once, until a definite answer", func(w *world) {
			w.env.Traits.Methods, w.env.Traits.CancelWithin = []string{"cancel", "refund"}, time.Hour
			w.opened().paid(200).whole("k")
			j := w.sent()[0]
			w.report(bill.Report{Work: bill.GiveBack, Request: j.Request, Fail: bill.Unclear}).after(2 * time.Hour)
			w.report(bill.Report{Work: bill.Look, Request: j.Request, Status: bill.Dead}).took("O6")
			w.has("again", "still cancel, same id", w.fx[len(w.fx)-1].Work == j && j.Method == "cancel")
			w.returnSaid(j.Request, "refused").took("O5").has("then", "refund, new id", w.sent()[0].Method == "refund")
		}},
		{"R18 confirm below paid, the answer is lost", func(w *world) {
			w.opened().paid(200).confirm(120).took("B7", "O1").confirm(120).took("B8b").outcome(payment.OutConfirmed).sums(120, 80, 0, 0)
		}},
		{"R19 one sticker, two customers: each a bill of its own", func(w *world) {
			w.opened(fixed).paid(200).took("B24").paid(200).took("B24").has("children", "two", len(w.s.Children) == 2)
		}},
		{"R21 override offline, the bank reports on time: the fence takes it back", func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).took("B9").whole("override").took("B27").status("returned").sums(0, 200, 0, 0)
			v := newWorld(w.t).opened().paid(200).whole("override")
			v.took("B12").sums(0, 200, 0, 0)
		}},
		{"R24 accept crosses the lease's end", func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).tick(30 * time.Second).step(bill.Event{Cause: bill.CallAcceptLate, Key: "a"})
			w.took("B15b").outcome(payment.OutLapsed).sums(0, 200, 0, 0)
		}},
		{"R25 confirm crosses auto-confirm", func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).confirm(200).took("B8a").sums(200, 0, 0, 0).confirm(200).took("B8b")
		}},
		{"R26 console return crosses hand-over: the box decides", func(w *world) {
			w.opened().paid(200).console("c", 0).took("B36").confirm(200).took("B7").sums(200, 0, 0, 0).console("c2", 0).took("B12a").sums(0, 200, 0, 0)
		}},
		{"R27 a kill that refunds crosses an on-time payment", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.expired().looked(bill.Pending).took("B13k").looked(bill.AllPaid, w.onTime(200)).took("B16").not("B14", "B13").status("closing")
			w.has("worker", "waits for the bank's own return", len(w.sent()) == 0)
		}},
		{"R28 return while create is unanswered", func(w *world) {
			w.create().whole("k").took("B11").looked(bill.Absent).not("B13").presented().took("B2a", "B13k").looked(bill.Dead).took("B13").status("canceled")
		}},
		{"R29 payment after closed, fence not seen", func(w *world) {
			w.expired().looked(bill.Dead).took("B13").looked(bill.Dead, w.onTime(200)).took("B16a").sums(0, 200, 0, 0).status("expired")
		}},
		{"R31 the charge is lost with the code", func(w *world) {
			w.create(scanned).step(bill.Event{Cause: bill.CallChargeVoid, Attempt: 1}).took("B34").charge(1).took("B29a").works()
		}},
		{"R32 a charge lands after not found", func(w *world) {
			w.create(scanned).charge(1).after(time.Minute - time.Second)
			w.attempt(1, bill.Report{Status: bill.Absent}).attempt(1, bill.Report{Status: bill.Absent}).took("B31").charge(2)
			w.attempt(2, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}}).took("B30", "B6")
			w.attempt(1, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}}).took("B6a").sums(0, 200, 0, 200)
		}},
		{"R34 a key older than any cache", func(w *world) {
			w.opened().paid(200).confirm(200).giveBack("a", 50).after(300*24*time.Hour).giveBack("a", 50).took("B12d").sums(150, 50, 0, 0)
		}},
		{"R35 the box is replaced with an open payment", func(w *world) {
			w.opened().step(bill.Event{Cause: bill.Moved, Terminal: "t2"}).took("B12e").create(func(c *bill.Create) { c.Payment = "new" }).took("B1c")
		}},
		{"R36 two quotes, two wallets", func(w *world) {
			w.opened(timer).after(15 * time.Minute).step(bill.Event{Cause: bill.CallView, QuoteID: "a"}).step(bill.Event{Cause: bill.CallView, QuoteID: "b"})
			a, b := w.money(100), w.money(100)
			a.Quote, b.Quote = "b", "a"
			w.looked(bill.Pending, a).took("B26").looked(bill.Pending, b).took("B26b", "B6a").sums(0, 100, 0, 100)
		}},
		{"R37 refund accepted, later bounced", func(w *world) {
			w.opened().paid(200).whole("k").settle().sums(0, 0, 200, 0)
			w.step(bill.Event{Cause: bill.Bounced, Obligation: w.s.Obligations[0].ID}).took("O8").settle().sums(0, 0, 200, 0)
		}},
	} {
		id, _, _ := strings.Cut(r.name, " ")
		named[id] = true
		t.Run(r.name, func(t *testing.T) { r.do(newWorld(t)) })
	}
	for n := 1; n <= races; n++ {
		if id := fmt.Sprint("R", n); named[id] == slices.Contains(boxesAlone, id) {
			t.Errorf("race %s has a test here: %v", id, named[id])
		}
	}
}

// TestFault has the faults of earlier forms of the tables that the server could have, each by its number.
func TestFault(t *testing.T) {
	for _, f := range []struct {
		name string
		do   func(*world)
	}{
		{"V5 a deadline never gives money back", func(w *world) {
			w.env.Settings.PollFull = time.Hour
			w.opened(func(c *bill.Create) { c.IfNotConfirmed = payment.Return }).paid(200).tick(72*time.Hour).status("paid").sums(0, 0, 0, 200)
			w.confirm(200).took("B7")
		}},
		{"V6 a console does not take back what may be handed over", func(w *world) {
			w.opened().paid(200).console("c", 200).took("B36").sums(0, 0, 0, 200)
		}},
		{"V7 the query comes before the kill", func(w *world) {
			w.opened().tick(5*time.Minute).works(lookTwice(w)...).has("killed", "not yet", !w.s.Killed)
		}},
		{"V8 no kill that refunds beside an offer", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.expired().looked(bill.Pending, w.late(200)).works().looked(bill.Pending).works().has("killed", "no", !w.s.Killed)
		}},
		{"V9 money on a closed bill without a fence", func(w *world) {
			w.expired().looked(bill.Dead).looked(bill.Dead, w.onTime(200)).took("B16a").sums(0, 200, 0, 0)
		}},
		{"V11 confirm counts against what is held", func(w *world) {
			w.opened().paid(200).paid(200).confirm(200).sums(200, 200, 0, 0)
		}},
		{"V12 the excess is a delta", func(w *world) { w.opened().paid(200).paid(200).paid(200).sums(0, 400, 0, 200) }},
		{"V13 no part return before confirm", func(w *world) {
			w.opened().paid(200).giveBack("r", 100).took("B12c").confirm(200).sums(200, 0, 0, 0)
		}},
		{"V14 a lower confirm after the deadline", func(w *world) {
			w.opened().paid(200).tick(10*time.Minute).confirm(100).sums(100, 100, 0, 0)
		}},
		{"V16 the key is kept with the bill", func(w *world) {
			w.opened().paid(200).confirm(200).giveBack("r", 100).settle().after(8*24*time.Hour).giveBack("r", 100).sums(100, 0, 100, 0)
		}},
		{"V18 a decline leaves the bill open, and a late success is booked", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Work: bill.ChargeCode, Status: bill.Dead, Decline: &payment.Decline{Why: "other", Retry: true}})
			w.status("open").attempt(1, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}}).took("B6").status("paid")
		}},
		{"V19 not found is not dead while the call can land", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Status: bill.Absent}).attempt(1, bill.Report{Status: bill.Absent}).status("charging").charge(2).refused(payment.NoAttemptRunning)
		}},
		{"V20 a fence is stored in every state", func(w *world) {
			for _, prepare := range []func(*world){
				func(w *world) { w.create() }, func(w *world) { w.opened() }, func(w *world) { w.opened().paid(50) }, func(w *world) { w.expired() },
				func(w *world) { w.opened().paid(200) }, func(w *world) { w.expired().looked(bill.Dead) },
			} {
				v := newWorld(w.t)
				prepare(v)
				v.whole("k").outcome(payment.OutFenced).has("fence", "stored", v.s.Fence)
				v.looked(bill.Dead, v.onTime(200)).has("money", "never full again", !v.s.Full && v.s.Kept == 0)
			}
		}},
		{"V22 a part at close is owed", func(w *world) { w.opened().paid(50).tick(5*time.Minute).looked(bill.Dead).sums(0, 50, 0, 0) }},
		{"V24 every end is told", func(w *world) {
			w.opened().paid(200).whole("k").told(payment.EvClosed)
			newWorld(w.t).opened().paid(200).tick(10 * time.Minute).whole("k").told(payment.EvClosed)
		}},
		{"V25 the create's answer arrives while closing", func(w *world) {
			w.create().whole("k").presented().took("B2a").works(bill.Kill).has("ref", "stored", w.s.Order.Ref == "ref")
		}},
		{"V28 two views are two quotes", func(w *world) {
			w.opened(timer).after(15 * time.Minute).step(bill.Event{Cause: bill.CallView, QuoteID: "a"}).after(10 * time.Minute)
			w.step(bill.Event{Cause: bill.CallView, QuoteID: "b"})
			c := w.money(100)
			c.Quote, c.PaidAt = "a", w.s.Quotes[0].Ends
			w.looked(bill.Pending, c).took("B26").status("paid")
		}},
		{"V29 money out of range, or for a sticker that ended", func(w *world) {
			w.opened(ranged).paid(5).took("B24a").step(bill.Event{Cause: bill.CallDeactivate}).paid(200).took("B24b")
		}},
		{"V32 more time while somebody pays shows no code", func(w *world) {
			w.opened().looked(bill.Paying).step(bill.Event{Cause: bill.CallExtend, Key: "e", Life: 8 * time.Minute}).told(payment.EvPaying)
		}},
		{"V45 a fence that comes again after a restore", func(w *world) {
			w.opened().whole("k").whole("k").took("B12d").whole("k2").took("B11a").looked(bill.Pending, w.money(200)).took("B16").sums(0, 200, 0, 0)
		}},
		{"an answer to create that comes after the goods does not kill what is kept", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.create().looked(bill.Pending, w.money(200)).took("B4b", "B6").confirm(200).presented().took("B2a").works()
		}},
		{"a return of ours and the bank's own never both", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.opened().paid(50).tick(5 * time.Minute).looked(bill.Pending).took("B13k")
			w.report(bill.Report{Work: bill.Look, Status: bill.Dead}).took("B13").sums(0, 50, 0, 0)
			w.has("worker", "waits", len(w.sent()) == 0)
			w.gaveBack("tx1", 50, "done").took("O9").sums(0, 0, 50, 0)
			w.gaveBack("tx1", 50, "done").not("O9", "B38").sums(0, 0, 50, 0)
		}},
		{"the bank's own return is of one payment, the other one is still owed", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.opened().paid(50).paid(70).tick(5 * time.Minute).looked(bill.Pending).took("B13k")
			w.report(bill.Report{Work: bill.Look, Status: bill.Dead}).took("B13").sums(0, 120, 0, 0)
			w.gaveBack("tx1", 50, "done").took("O9").sums(0, 70, 50, 0)
			w.has("worker", "waits for the bank's window", len(w.sent()) == 0)
			w.tick(25*time.Hour).gaveBack("tx1", 50, "done").took("O9")
			j := w.sent()
			w.has("worker", "sends the other payment alone", len(j) == 1 && j[0].Txn == "tx2" && j[0].Amount == 70)
			w.returnSaid(j[0].Request, "done").sums(0, 0, 120, 0)
		}},
		{"the bank's own return of a part leaves the rest owed", func(w *world) {
			w.env.Traits.KillRefunds = true
			w.opened().paid(150).tick(5 * time.Minute).looked(bill.Pending)
			w.report(bill.Report{Work: bill.Look, Status: bill.Dead}).took("B13").gaveBack("tx1", 60, "pending").sums(0, 150, 0, 0)
			w.gaveBack("tx1", 60, "done").took("O9").sums(0, 90, 60, 0).gaveBack("tx1", 60, "done").sums(0, 90, 60, 0)
			w.gaveBack("tx1", 100, "done").sums(0, 50, 100, 0)
		}},
		{"what the bank refused to return is not paid by hand while a kill may give it back", func(w *world) {
			w.env.Traits.KillRefunds, w.env.Traits.Methods = true, []string{"refund"}
			w.opened().whole("k").looked(bill.Paying, w.money(50)).took("B16", "O1", "B17")
			j := w.sent()
			w.has("worker", "sends it", len(j) == 1)
			w.returnSaid(j[0].Request, "refused").took("O5").has("debt", "a person's", w.s.Obligations[0].State == bill.Human)
			w.after(3 * time.Second).looked(bill.Pending).took("B13k").works(bill.Kill)
			w.has("debt", "the bank's for now", w.s.Obligations[0].State == bill.Owed && w.s.Obligations[0].ByProvider).sums(0, 50, 0, 0)
			w.report(bill.Report{Work: bill.Kill, Status: bill.Dead}).took("B18")
			v := *w
			w.gaveBack("tx1", 50, "done").took("O9").sums(0, 0, 50, 0)
			v.tick(25*time.Hour).looked(bill.Dead).took("O9").tick(0).took("O2").has("debt", "a person's again", v.s.Obligations[0].State == bill.Human)
			v.sums(0, 50, 0, 0)
		}},
		{"what the bank gave back of kept money is booked once, and in its own sum", func(w *world) {
			w.opened().paid(200).confirm(200).gaveBack("tx1", 30, "done").took("B38").sums(170, 0, 30, 0)
			w.gaveBack("tx1", 30, "done").not("B38").gaveBack("tx1", 50, "done").took("B38").sums(150, 0, 50, 0)
			w.gaveBack("tx9", 50, "done").not("B38", "O9").sums(150, 0, 50, 0)
		}},
		{"what the bank took back of one payment and had to be booked on another is booked once", func(w *world) {
			w.opened().paid(100).paid(100).confirm(200).giveBack("k", 50)
			w.returnSaid(w.sent()[0].Request, "done").sums(150, 0, 50, 0)
			w.has("return", "of the newest payment", w.s.Obligations[0].Txn == "tx2")
			w.gaveBack("tx2", 100, "done").took("B38").sums(50, 0, 150, 0)
			w.gaveBack("tx2", 100, "done").not("B38").sums(50, 0, 150, 0)
			w.gaveBack("tx1", 50, "done").took("B38").sums(0, 0, 200, 0) // another return of the payment that it was booked on
			w.gaveBack("tx1", 50, "done").not("B38").gaveBack("tx2", 100, "done").not("B38").sums(0, 0, 200, 0)
		}},
		{"money that the bank gives back is not on offer any more", func(w *world) {
			w.expired().looked(bill.Pending, w.late(200)).took("B15").gaveBack("tx1", 200, "done").took("B18a", "O9").sums(0, 0, 200, 0)
			w.step(bill.Event{Cause: bill.CallAcceptLate, Key: "a"}).outcome(payment.OutLapsed)
		}},
		{"a charge that the customer neither confirms nor refuses is killed at its deadline", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Work: bill.ChargeCode, Status: bill.Paying}).whole("k").took("B11")
			w.after(10*time.Second).attempt(1, bill.Report{Status: bill.Paying}).took("B17").told(payment.EvClosing).works()
			w.after(5*time.Second).attempt(1, bill.Report{Status: bill.Paying}).took("B17", "B13k").told().works(bill.Kill)
			w.attempt(1, bill.Report{Work: bill.Kill, Status: bill.Dead}).took("B13").status("canceled")
		}},
		{"the end of an earlier attempt is not the end of the one that runs", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Status: bill.Dead}).took("B31").charge(2).tick(time.Minute).took("B33")
			w.attempt(1, bill.Report{Status: bill.Dead}).not("B13").status("closing")
			w.attempt(1, bill.Report{Status: bill.Pending}).not("B13k").works()
			w.attempt(2, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}}).took("B14").status("paid")
		}},
		{"an attempt that brought a part and is over lets the customer show another code", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Status: bill.Paying, Credits: []bill.Credit{w.money(50)}}).took("B30", "B5")
			w.status("charging").attempt(1, bill.Report{Status: bill.AllPaid}).took("B31").told(payment.EvDeclined).status("part_paid")
			w.charge(2).took("B29").attempt(2, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(150)}}).took("B30", "B6").status("paid")
		}},
		{"a second payment by a scanned code is found without a call-back", func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}}).took("B6")
			w.tick(30 * time.Second).took("B5p").works(bill.Look)
		}},
		{"a provider in trouble is asked less and less often, each bill at its own moment, and again as before", func(w *world) {
			w.opened()
			var waits []time.Duration
			for range 5 {
				w.report(bill.Report{Work: bill.Look, Fail: bill.Busy})
				waits = append(waits, w.s.NextAsk.Sub(w.now))
			}
			want := []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second}
			for i, d := range waits {
				w.has("wait", d.String(), d >= want[i] && d <= want[i]*5/4)
			}
			w.has("jitter", "no two alike", waits[3] != waits[4])
			w.looked(bill.Pending).has("wait", "as before", w.s.NextAsk.Sub(w.now) == 5*time.Second)
		}},
		{"a paid sale that nobody finishes is asked about less and less often, and its till is asked each day", func(w *world) {
			asked := func() (n int) {
				for _, f := range w.fx {
					if f.Kind == bill.Do && f.Work.Kind == bill.Look {
						n++
					}
				}
				return n
			}
			w.opened(func(c *bill.Create) { c.IfNotConfirmed = payment.Person }).paid(200).tick(10 * time.Minute).took("B9")
			w.has("bank", "each 30 s until the till was asked", asked() >= 19)
			w.tick(24 * time.Hour).told(payment.EvConfirmWanted)
			day := asked()
			w.has("bank", fmt.Sprintf("%d questions on the first day", day), day > 3 && day < 30)
			w.tick(365 * 24 * time.Hour)
			year := asked()
			w.has("bank", fmt.Sprintf("%d questions in a year", year), year > 360 && year < 370)
			told := 0
			for _, f := range w.fx {
				if f.Kind == bill.Tell && f.Type == payment.EvConfirmWanted {
					told++
				}
			}
			w.has("till", fmt.Sprintf("asked %d times in a year", told), told == 365)
			w.looked(bill.Pending, w.money(200)).took("B6a").told(payment.EvOver) // one more payer is found all the same
		}},
		{"a paid sale of an older server that nobody finishes", func(w *world) {
			w.opened(func(c *bill.Create) { c.IfNotConfirmed = payment.Person }).paid(200)
			w.s.ConfirmBy = time.Time{} // as that has left it
			w.tick(48 * time.Hour)
			n := 0
			for _, f := range w.fx {
				if f.Kind == bill.Do {
					n++
				}
			}
			w.has("bank", fmt.Sprintf("%d questions in two days", n), n < 30)
		}},
		{"clocks that are shorter than the polls fire at their own time", func(w *world) {
			set := &w.env.Settings
			set.Life, set.MaxOpen, set.LateLease, set.Doubt, set.Confirm = time.Second, 2*time.Second, time.Second, time.Second, time.Second
			w.opened().tick(time.Second).took("B10").works(bill.Look).looked(bill.Paying).took("B17")
			w.tick(time.Second).took("B19").status("unknown").looked(bill.Pending, w.late(200)).took("B20", "B15")
			w.tick(time.Second).took("B15c").sums(0, 200, 0, 0)
			v := newWorld(w.t)
			v.env.Settings = *set
			v.opened().looked(bill.Paying).tick(2*time.Second).took("B10").looked(bill.Pending, v.onTime(200)).took("B14")
			v.tick(time.Second).took("B9").status("confirmed")
		}},
		{"a confirm that was refused over a kept deposit is refused again", func(w *world) {
			w.env.Settings.KeepDeposit = true
			w.opened().paid(50).tick(5 * time.Minute).looked(bill.Dead).took("B13d").confirm(50).took("B8c").refused(payment.NoClosed)
			w.confirm(50).refused(payment.NoClosed).has("loss", "counted once", w.s.Shortfall == 50)
		}},
		{"a confirm that comes again after everything was returned", func(w *world) {
			w.opened().paid(200).confirm(200).console("c", 200).took("B12a").status("returned")
			w.confirm(200).took("B8b").outcome(payment.OutConfirmed).has("review", "none", !w.s.Review)
		}},
		{"an advance that only a clock kept is no tender", func(w *world) {
			w.opened(prepayment).paid(200).tick(24 * time.Hour).took("B9")
			w.step(bill.Event{Cause: bill.CallApply, Key: "a", Sale: "s", Amount: 50}).refused(payment.NoWrongState)
			w.whole("k").took("B27").sums(0, 200, 0, 0)
		}},
	} {
		t.Run(f.name, func(t *testing.T) { f.do(newWorld(t)) })
	}
}

// lookTwice: the poll and the query of the expiry fall on one tick.
func lookTwice(w *world) (out []bill.WorkKind) {
	w.t.Helper()
	for _, f := range w.fx {
		if f.Kind == bill.Do {
			if f.Work.Kind != bill.Look {
				w.t.Errorf("work %s before the bank was asked", f.Work.Kind)
			}
			out = append(out, f.Work.Kind)
		}
	}
	return out
}
