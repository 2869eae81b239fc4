package bill_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

func scanTests() map[string]func(*world) {
	return map[string]func(*world){
		"B29": func(w *world) {
			w.create(scanned).charge(1).took("B29").outcome(payment.OutCharging).told(payment.EvCharging).works(bill.ChargeCode).status("charging")
			w.has("attempt", "hash and an order of its own", w.s.Attempts[0].Hash == "c" && w.s.Attempts[0].Order.ID == billID+"a1")
		},
		"B29a": func(w *world) {
			w.create(scanned).charge(1).charge(1).took("B29a").outcome(payment.OutCharging).works().told()
		},
		"B29b": func(w *world) {
			w.create(scanned).charge(1).charge(2).took("B29b").refused(payment.NoAttemptRunning)
			w.whole("k").charge(3).took("B29b").refused(payment.NoClosed)
		},
		"B30": func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Work: bill.ChargeCode, Status: bill.AllPaid, Credits: []bill.Credit{w.money(200)}})
			w.took("B30", "B6").told(payment.EvPaid).status("paid")
		},
		"B31": func(w *world) {
			w.create(scanned).charge(1)
			w.attempt(1, bill.Report{Work: bill.ChargeCode, Status: bill.Dead, Decline: &payment.Decline{Why: "limit", Retry: true}})
			w.took("B31").told(payment.EvDeclined).status("open")
			w.has("event", "which attempt, why", *w.fx[0].Bill.Declined == payment.Decline{Attempt: 1, Why: "limit", Retry: true})
			w.charge(2).took("B29").attempt(2, bill.Report{Status: bill.Absent}).took("B32").not("B31")
			w.after(45*time.Second).attempt(2, bill.Report{Status: bill.Absent}).took("B32")
			w.attempt(2, bill.Report{Status: bill.Absent}).took("B31").told(payment.EvDeclined)
			for why, want := range map[string]payment.Decline{
				payment.WhyAmount: {Attempt: 1, Why: payment.WhyAmount}, // no code makes the sum less
				"refused":         {Attempt: 1, Why: "other", Retry: true},
			} {
				v := newWorld(w.t)
				v.create(scanned).charge(1).attempt(1, bill.Report{Work: bill.ChargeCode, Fail: bill.Refused, Why: why})
				v.took("B31").told(payment.EvDeclined).status("open")
				v.has("event", "whether another code may be taken after "+why, *v.fx[0].Bill.Declined == want)
			}
		},
		"B32": func(w *world) {
			w.create(scanned).charge(1).attempt(1, bill.Report{Work: bill.ChargeCode, Fail: bill.Unclear}).took("B32").told()
			w.tick(3 * time.Second).took("B32").works(bill.Look)
			w.attempt(1, bill.Report{Status: bill.Paying}).took("B32").told(payment.EvCharging).attempt(1, bill.Report{Status: bill.Paying}).told()
		},
		"B33": func(w *world) {
			w.create(scanned).charge(1).tick(60 * time.Second).took("B33").told(payment.EvClosing).status("closing")
			w.attempt(1, bill.Report{Status: bill.Pending}).took("B13k").works(bill.Kill)
			w.attempt(1, bill.Report{Work: bill.Kill, Status: bill.Dead}).took("B13").told(payment.EvClosed).status("expired")
		},
		"B34": func(w *world) {
			w.create(scanned).step(bill.Event{Cause: bill.CallChargeVoid, Attempt: 1}).took("B34").outcome(payment.OutVoid).status("open")
			w.charge(1).took("B29a").outcome(payment.OutVoid).works() // the late copy of the charge
			w.charge(2).took("B29")
		},
		"B34x": func(w *world) {
			w.create(scanned).charge(1).step(bill.Event{Cause: bill.CallChargeVoid, Attempt: 1}).took("B34x").outcome(payment.OutCharging).status("charging")
		},
		"B34a": func(w *world) {
			w.create(scanned).tick(5*time.Minute).took("B34a", "B13").told(payment.EvClosed).status("expired")
		},
	}
}

func otherTests() map[string]func(*world) {
	childOf := func(w *world) bill.State {
		w.t.Helper()
		for _, f := range w.fx {
			if f.Kind == bill.Insert {
				if msg := bill.Broken(*f.New); msg != "" {
					w.t.Fatal(msg)
				}
				return *f.New
			}
		}
		w.t.Fatal("no child was made")
		return bill.State{}
	}
	view := func(w *world, id string) *world { return w.step(bill.Event{Cause: bill.CallView, QuoteID: id}) }
	quoted := func(w *world, n int64, q string) *world {
		c := w.money(n)
		c.Quote = q
		return w.looked(bill.Pending, c)
	}
	return map[string]func(*world){
		"B24": func(w *world) {
			w.opened(fixed).paid(200).took("B24").told(payment.EvChild).status("open").sums(0, 0, 0, 0)
			c := childOf(w)
			w.has("child", "confirmed, all kept", bill.PublicStatus(c) == "confirmed" && bill.Count(c).Kept == 200 && c.Version == 1)
			c1 := w.money(250)
			v := newWorld(w.t).opened(ranged).looked(bill.Pending, c1).took("B24")
			v.looked(bill.Pending, c1).not("B24").has("credit", "booked once", len(v.s.Children) == 1)
		},
		"B24a": func(w *world) {
			for _, n := range []int64{99, 301} {
				w.opened(ranged).paid(n).took("B24a").told(payment.EvChild)
				c := childOf(w)
				w.has("child", "all owed back", bill.PublicStatus(c) == "returned" && bill.Count(c).Owed == n)
				w.s = bill.State{}
			}
		},
		"B24b": func(w *world) {
			w.opened(fixed).step(bill.Event{Cause: bill.CallDeactivate}).paid(200).took("B24b")
			w.looked(bill.Dead).took("B13").paid(200).took("B24b").told(payment.EvChild)
			c := childOf(w)
			w.has("child", "late, owed", bill.Count(c).Owed == 200 && slices.Contains(bill.Snapshot(c, w.now).Flags, "late"))
		},
		"B24c": func(w *world) {
			w.opened(fixed).paid(200)
			w.s = childOf(w)
			w.console("r", 50).took("B24c", "B12a").told(payment.EvReturning).sums(150, 50, 0, 0).status("part_returned")
			w.step(bill.Event{Cause: bill.CallReturn, Key: "r2", Whole: true}).took("B24c", "B12a").sums(0, 200, 0, 0)
		},
		"B24d": func(w *world) {
			w.opened(fixed).step(bill.Event{Cause: bill.CallDeactivate}).took("B24d").told(payment.EvClosing).works(bill.Look)
			w.looked(bill.Pending).took("B13k").looked(bill.Dead).took("B13").told(payment.EvClosed).status("expired")
			w.has("reason", "done", w.s.Reason == payment.Done)
		},
		"B25": func(w *world) {
			view(w.opened(timer).after(15*time.Minute), "q1").took("B25").outcome(bill.OutQuote).told()
			w.has("quote", "one begun tariff step", w.reply().Quote.Amount == 100)
			view(w.after(10*time.Minute), "q2").took("B25").has("quote", "two steps", w.reply().Quote.Amount == 200 && len(w.s.Quotes) == 2)
			view(w, "q2").took("B25").has("quote", "the same again", len(w.s.Quotes) == 2)
		},
		"B25a": func(w *world) {
			view(w.opened(timer).after(5*time.Minute), "q").took("B25a").outcome(bill.OutNothingDue).told(payment.EvExit).status("open")
			w.has("answer", "an exit pass", !w.reply().Until.IsZero() && len(w.s.Quotes) == 0)
		},
		"B26": func(w *world) {
			view(w.opened(timer).after(15*time.Minute), "q1")
			quoted(w.after(2*time.Minute), 100, "q1").took("B26", "B6").told(payment.EvPaid).status("paid").sums(0, 0, 0, 100)
			w.confirm(100).took("B7")
			v := newWorld(w.t).opened(timer).after(15 * time.Minute)
			quoted(view(v, "q1"), 100, "").took("B26", "B6") // by equal amount
		},
		"B26a": func(w *world) {
			quoted(w.opened(timer).after(35*time.Minute), 100, "").took("B26a", "B5").told(payment.EvPart).status("part_paid")
			w.has("due", "the rest", bill.Snapshot(w.s, w.now).Due == 200)
			quoted(w, 200, "").took("B26a", "B6").status("paid").sums(0, 0, 0, 300)
			v := newWorld(w.t)
			v.env.Settings.AcceptUnquoted = true
			quoted(v.opened(timer).after(35*time.Minute), 100, "").took("B26a", "B6").status("paid")
			f := newWorld(w.t).opened(timer).after(5 * time.Minute)
			quoted(f, 100, "").took("B26a").not("B5").status("open").sums(0, 100, 0, 0)
		},
		"B26b": func(w *world) {
			view(w.opened(timer).after(15*time.Minute), "q1")
			view(w, "q2")
			quoted(w, 100, "q1").took("B26")
			quoted(w, 100, "q2").took("B26b", "B6a").told(payment.EvOver).sums(0, 100, 0, 100).flags("over", "owed")
		},
		"B26c": func(w *world) {
			view(w.opened(timer).after(15*time.Minute), "q1").tick(4 * time.Minute).took("B26c").told()
			c := w.money(100)
			c.Quote, c.PaidAt = "q1", start.Add(16*time.Minute)
			w.looked(bill.Pending, c).took("B26", "B6") // paid while it lived, learnt after it ended
		},
		"B35": func(w *world) {
			w.opened().paid(50).step(bill.Event{Cause: bill.Moved, Terminal: "t2"}).took("B35", "B12e").told(payment.EvClosing).sums(0, 50, 0, 0)
			w.has("terminal", "is the new one", w.s.Terminal == "t2")
			v := newWorld(w.t).opened().paid(200).step(bill.Event{Cause: bill.Moved, Terminal: "t2"})
			v.took("B35", "B36").told(payment.EvReturnWanted).sums(0, 0, 0, 200)
		},
	}
}

func debtTests() map[string]func(*world) {
	owing := func(w *world) bill.Work { // a refund of 200 under way
		w.t.Helper()
		w.opened().paid(200).whole("k")
		jobs := w.sent()
		if len(jobs) != 1 {
			w.t.Fatalf("%d returns were sent", len(jobs))
		}
		return jobs[0]
	}
	state := func(w *world, want bill.Debt) *world {
		w.t.Helper()
		return w.has("obligation", string(w.s.Obligations[0].State)+" instead of "+string(want), w.s.Obligations[0].State == want)
	}
	human := func(w *world) {
		j := owing(w)
		w.returnSaid(j.Request, "refused").took("O5")
		state(w, bill.Human)
	}
	return map[string]func(*world){
		"O1": func(w *world) {
			w.opened().paid(150).paid(150).took("B6", "O1").sums(0, 100, 0, 200)
			w.whole("k").took("O1").sums(0, 300, 0, 0)
			w.has("obligations", "newest credit first, one row for each", len(w.s.Obligations) == 3 && w.s.Obligations[0].Txn == "tx2" &&
				w.s.Obligations[1].Txn == "tx2" && w.s.Obligations[1].Amount == 50 && w.s.Obligations[2].Txn == "tx1")
		},
		"O2": func(w *world) {
			w.env.Traits.Methods, w.env.Traits.CancelWithin = []string{"cancel", "refund"}, 12*time.Hour
			j := owing(w)
			w.took("O2")
			state(w, bill.Sent).has("work", "cancel on the day", j.Method == "cancel" && j.Amount == 200 && j.Txn == "tx1" && strings.HasPrefix(j.Request, billID+"r"))
			v := newWorld(w.t)
			v.env.Traits = w.env.Traits
			v.opened().paid(200).confirm(150).after(13 * time.Hour)
			v.has("work", "refund later, and of a part", v.sent()[0].Method == "refund")

			u := newWorld(w.t) // a bank that undoes payments of the day, and knows no refund
			u.env.Traits.Methods, u.env.Traits.CancelWithin = []string{"cancel"}, 12*time.Hour
			u.opened().paid(200).confirm(200).after(13*time.Hour).giveBack("a", 200).took("B12a").tick(0).took("O2").told(payment.EvReview)
			state(u, bill.Human).has("why", "the time for it has passed", u.s.Why == payment.WhyTooOld)
			p := newWorld(w.t) // nor has it one for a part, early or late
			p.env.Traits = u.env.Traits
			p.opened().paid(200).confirm(200).giveBack("a", 100).took("B12a").tick(0).took("O2")
			state(p, bill.Human).has("why", "there is no method", p.s.Why == "no_method")
		},
		"O3": func(w *world) {
			j := owing(w)
			state(w.returnSaid(j.Request, "done").took("O3").told(payment.EvReturned).sums(0, 0, 200, 0), bill.Paid)
			w.returnSaid(j.Request, "done").told()
		},
		"O4": func(w *world) {
			j := owing(w)
			state(w.returnSaid(j.Request, "pending").took("O4").told(), bill.Sent)
			w.has("return", "is told as later", bill.Snapshot(w.s, w.now).Returns[0].State == "later")
			w.tick(10*time.Second).took("O6").works(bill.Look, bill.Look)
			w.report(bill.Report{Work: bill.Look, Request: j.Request, Status: bill.Dead, Returns: map[string]string{j.Request: "done"}}).took("O3")
		},
		"O5": func(w *world) {
			w.env.Traits.Methods = []string{"cancel", "refund"}
			j := owing(w)
			state(w.returnSaid(j.Request, "refused").took("O5").told(), bill.Owed)
			j2 := w.sent()[0]
			w.has("work", "another method, another id", j2.Method == "refund" && j2.Request != j.Request)
			state(w.returnSaid(j2.Request, "refused").took("O5").told(payment.EvReview), bill.Human)
			w.flags("owed", "review").has("why", "the bank's no", w.s.Why == "return_refused")

			v := newWorld(w.t) // the bank says that it is too late for this payment
			k := owing(v)
			v.report(bill.Report{Work: bill.GiveBack, Request: k.Request, Fail: bill.Refused, Why: payment.WhyTooOld}).took("O5").told(payment.EvReview)
			state(v, bill.Human).has("why", "too old", v.s.Why == payment.WhyTooOld && bill.Snapshot(v.s, v.now).Why == payment.WhyTooOld)
		},
		"O5s": func(w *world) {
			j := owing(w)
			state(w.returnSaid(j.Request, "short").took("O5s").told(payment.EvReview), bill.Owed)
			w.tick(59 * time.Minute).not("O2").tick(time.Minute).took("O2")
			o := w.s.Obligations[0]
			w.has("again", "same method, new id", o.Method == j.Method && o.Request != j.Request)
			w.returnSaid(o.Request, "short").took("O5s").tick(23 * time.Hour).not("O2").tick(time.Hour).took("O2")
			w.returnSaid(w.s.Obligations[0].Request, "done").took("O3")
		},
		"O6": func(w *world) {
			j := owing(w)
			w.report(bill.Report{Work: bill.GiveBack, Request: j.Request, Fail: bill.Unclear}).took("O6")
			w.after(15 * time.Second).step(bill.Event{Cause: bill.Tick}).took("O6")
			w.report(bill.Report{Work: bill.Look, Request: j.Request, Fail: bill.Unclear}).took("O6")
			again := w.fx[len(w.fx)-1].Work
			w.has("again", "same id, same method", again == j)
			w.report(bill.Report{Work: bill.Look, Request: j.Request, Status: bill.Pending}).took("O6")
			w.has("again", "the bank does not know it: same id", w.fx[len(w.fx)-1].Work == j)
		},
		"O7": func(w *world) {
			human(w)
			before := w.s
			say := func(e bill.Event) *world {
				e.Cause, e.Obligation = bill.Resolved, w.s.Obligations[0].ID
				return w.step(e)
			}
			say(bill.Event{Verdict: bill.VerdictRetry}).refused(payment.NoWrongState) // the bank was not asked
			state(say(bill.Event{Verdict: bill.VerdictRetry, NotDone: true}).took("O7").told(payment.EvReview).flags("owed"), bill.Owed)
			say(bill.Event{Verdict: bill.VerdictRetry, NotDone: true}).took("B39a").told().outcome(bill.OutDecided) // it is on its way
			w.s = before
			say(bill.Event{Verdict: bill.VerdictManual}).refused(payment.NoWrongState)
			state(say(bill.Event{Verdict: bill.VerdictManual, Evidence: "cash order 3", Who: "anna"}).took("O7").told(payment.EvReturned).flags(), bill.Paid)
			w.has("review", "is over", w.s.Why == payment.WhyReviewed)
			say(bill.Event{Verdict: bill.VerdictManual, Evidence: "cash order 4", Who: "boris"}).took("B39a").told().outcome(bill.OutDecided)
			w.has("decision", "is anna's alone", len(w.s.Decisions) == 1 && w.s.Obligations[0].Manual == "cash order 3")
			say(bill.Event{Verdict: bill.VerdictStays}).refused(payment.NoWrongState)
			w.s = before
			for range 2 {
				state(say(bill.Event{Verdict: bill.VerdictStays, Who: "anna"}).took("O7").told().flags("owed", "review"), bill.Human)
			}
			w.has("decision", "is one", len(w.s.Decisions) == 1)
			w.after(time.Minute).step(bill.Event{Cause: bill.Decided, Verdict: bill.VerdictSeen, Who: "anna"}).refused(payment.NoWrongState) // a debt waits
		},
		"O8": func(w *world) {
			j := owing(w)
			w.returnSaid(j.Request, "done")
			state(w.step(bill.Event{Cause: bill.Bounced, Obligation: w.s.Obligations[0].ID}).took("O8").told(payment.EvReview).sums(0, 200, 0, 0), bill.Owed)
			j2 := w.sent()[0]
			w.has("again", "a new id", j2.Request != j.Request)
			w.returnSaid(j2.Request, "done").sums(0, 0, 200, 0)
			state(w.report(bill.Report{Work: bill.Look, Status: bill.Dead, Returns: map[string]string{j2.Request: "refused"}}).took("O8"), bill.Human)
		},
		"O9": func(w *world) {
			w.env.Traits.KillRefunds = true
			w.expired().looked(bill.Pending).looked(bill.AllPaid, w.onTime(200)).took("B16").not("B13")
			w.tick(23 * time.Hour).not("O2").looked(bill.AllPaid).not("O9")
			w.tick(time.Hour).took("O9").not("O2") // the bank is asked once more
			w.looked(bill.AllPaid).took("O9").step(bill.Event{Cause: bill.Tick}).took("O2")
			w.returnSaid(w.s.Obligations[0].Request, "done").took("O3").sums(0, 0, 200, 0)

			w = newWorld(w.t)
			human(w) // refused by the bank, which then gives it back by itself: nobody is to pay it by hand
			o := w.s.Obligations[0]
			w.gaveBack(o.Txn, o.Amount, "done").took("O9").has("obligation", "is done", w.s.Obligations[0].State == bill.Paid)
			w.step(bill.Event{Cause: bill.Resolved, Obligation: o.ID, Verdict: bill.VerdictManual, Evidence: "cash"}).refused(payment.NoWrongState)
		},
		"O10": func(w *world) {
			w.opened()
			c := w.money(-5)
			s, fx, rows, err := bill.Step(w.s, bill.Event{Cause: bill.Credited, Now: w.now, Credit: &c})
			w.has("step", "refused with an alarm alone", err != nil && len(fx) == 1 && fx[0].Kind == bill.Alarm && len(s.Credits) == 0)
			for _, id := range rows {
				w.all[id] = true
			}
		},
	}
}

func TestDueNeverBlocksAnIdleBill(t *testing.T) {
	w := newWorld(t).create(scanned)
	if d := bill.Due(w.s); !d.Equal(start.Add(5 * time.Minute)) {
		t.Errorf("a bill that waits for a code is due at %s: nothing is to be asked before its end", d)
	}
}
