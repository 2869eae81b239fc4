package integrator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// silence has the bank answer nothing any more.
func (r *rig) silence() {
	for _, op := range []string{"look", "kill"} {
		r.bank.script(op, slices.Repeat([]error{errLine}, 2000)...)
	}
}

// waiting is the one bill that waits for a person, and what may be decided about it.
func (r *rig) waiting() (integrator.Waiting, []string) {
	r.Helper()
	synctest.Wait()
	list, err := r.svc.Waiting(r.Context(), 0, nil)
	r.ok(err)
	if len(list) != 1 {
		r.Fatalf("%d bills wait: %+v", len(list), list)
	}
	may := []string{}
	for _, m := range list[0].May {
		may = append(may, m.Decision)
	}
	return list[0], may
}

func (r *rig) nobodyWaits() {
	r.Helper()
	synctest.Wait()
	if list, err := r.svc.Waiting(r.Context(), 0, nil); err != nil || len(list) != 0 {
		r.Fatalf("waiting: %+v, %v", list, err)
	}
}

func (r *rig) decide(id string, d integrator.Decision) integrator.Decided {
	r.Helper()
	out, err := r.svc.Decide(r.Context(), id, word(d), nil)
	r.ok(err)
	return out
}

// cannot fails unless the decision is refused in a sentence with these words, and has changed nothing.
func (r *rig) cannot(id string, d integrator.Decision, words ...string) {
	r.Helper()
	before, _ := r.store.Bill(r.Context(), id)
	_, err := r.svc.Decide(r.Context(), id, word(d), nil)
	var no *integrator.Refusal
	if !errors.As(err, &no) || strings.Contains(no.Why, "\n") {
		r.Fatalf("%s: error is %v", d.Verdict, err)
	}
	for _, w := range words {
		if !strings.Contains(no.Why, w) {
			r.Errorf("%s is refused with %q, want %q in it", d.Verdict, no.Why, w)
		}
	}
	after, _ := r.store.Bill(r.Context(), id)
	if before.Version != after.Version || len(before.Decisions) != len(after.Decisions) {
		r.Errorf("%s was refused, and the bill has moved", d.Verdict)
	}
	r.Logf("%s: %s", d.Verdict, no.Why)
}

func word(d integrator.Decision) integrator.Decision {
	if d.Who == "" {
		d.Who = "Anna"
	}
	if d.Why == "" {
		d.Why = "statement of 22 November, page 3"
	}
	return d
}

func dead() integrator.Decision { return integrator.Decision{Verdict: bill.VerdictDead} }

// doubtful brings a bill of 100 into a doubt that its bank does not end, and lets it come under review.
func (r *rig) doubtful() (id string, expired time.Time) {
	r.Helper()
	id = r.create(payment.Show, 100)
	r.await(id, payment.EvOpen, time.Second)
	r.silence()
	r.await(id, payment.EvClosing, 190*time.Second)
	expired = time.Now()
	r.await(id, payment.EvDoubt, 70*time.Second)
	return id, expired
}

// B21, B21a: two days of silence, then a person's word, once.
func TestADoubtIsAPersonsAfterTwoDays(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id, _ := r.doubtful()
		began := time.Now()
		time.Sleep(20 * time.Second)
		w, may := r.waiting()
		if w.Bill != id || w.Number != "4821" || w.Terminal != "till-1" || w.Status != "unknown" || len(may) != 0 || w.Heard == nil || w.Heard.Missed == 0 || !w.Heard.At.IsZero() {
			t.Fatalf("a doubt of today: %+v, %v, %+v", w, may, w.Heard)
		}
		if d := w.From.Sub(began); d < 48*time.Hour-time.Minute || d > 48*time.Hour {
			t.Errorf("it may be decided after %v", d)
		}
		r.cannot(id, dead(), "still asked", "until")
		b := r.await(id, payment.EvReview, 50*time.Hour)
		if !b.Doubt || !b.Review || b.Why != "registry_silent" {
			t.Errorf("under review: %+v", b)
		}
		if d := time.Since(began); d < 48*time.Hour-time.Minute || d > 50*time.Hour {
			t.Errorf("after %v", d)
		}
		time.Sleep(72 * time.Hour)
		if n := strings.Count(r.log.String(), "bill wants a person"); n != 1 {
			t.Errorf("the log says %d times that a person is wanted", n)
		}
		w, may = r.waiting()
		if !slices.Equal(may, []string{"dead", "paid"}) || !w.From.IsZero() || w.Why != "registry_silent" || time.Since(w.Since) < 100*time.Hour {
			t.Errorf("may %v of %+v", may, w)
		}
		r.cannot(id, integrator.Decision{Verdict: bill.VerdictSeen}, "dead, paid")
		r.cannot(id, integrator.Decision{Verdict: bill.VerdictStays}, "no such obligation")
		d := r.decide(id, dead())
		closed := r.await(id, payment.EvClosed, 0)
		if closed.Status != "expired" || closed.Review || closed.Doubt || d.Who != "Anna" || d.Bill.Status != "expired" {
			t.Errorf("closed: %+v, decided %+v", closed, d)
		}
		time.Sleep(time.Hour)
		again := r.decide(id, integrator.Decision{Verdict: bill.VerdictDead, Who: "Boris", Why: "another statement"})
		if again.Past != d.Past {
			t.Errorf("asked again it is %+v, and was %+v", again.Past, d.Past)
		}
		r.cannot(id, integrator.Decision{Verdict: bill.VerdictPaid, Txn: "T7", Amount: "1.00", PaidAt: time.Now()}, "expired")
		r.nobodyWaits()
		r.audit(0, 0, 0, 0)
		r.restart() // and the books have who and why
		st, err := r.store.Bill(t.Context(), id)
		if r.ok(err); len(st.Decisions) != 1 || st.Decisions[0].Who != "Anna" || !strings.Contains(st.Decisions[0].Why, "page 3") {
			t.Errorf("kept: %+v", st.Decisions)
		}
	})
}

// A payment that a person has found in the bank's list buys the goods if it was on time, and is one with what the bank says
// later.
func TestAPaymentThatAPersonFoundIsBookedOnce(t *testing.T) {
	for name, late := range map[string]time.Duration{"on time": 0, "late": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				id, expired := r.doubtful()
				r.await(id, payment.EvReview, 50*time.Hour)
				at := expired.Add(late - time.Second)
				found := integrator.Decision{Verdict: bill.VerdictPaid, Txn: "T7", Amount: "1.00", PaidAt: at}
				for _, bad := range []func(d *integrator.Decision){
					func(d *integrator.Decision) { d.Txn = "" },
					func(d *integrator.Decision) { d.Amount = "" },
					func(d *integrator.Decision) { d.Amount = "1.001" },
					func(d *integrator.Decision) { d.Amount = "0" },
					func(d *integrator.Decision) { d.PaidAt = time.Time{} },
					func(d *integrator.Decision) { d.PaidAt = time.Now().Add(time.Hour) },
					func(d *integrator.Decision) { d.PaidAt = at.Add(-time.Hour) },
				} {
					wrong := found
					bad(&wrong)
					r.cannot(id, wrong)
				}
				r.decide(id, found)
				if late == 0 {
					r.await(id, payment.EvPaid, 0)
				} else {
					r.await(id, payment.EvLate, 0)
				}
				r.bank.set(id, func(o *order) {
					o.credits = append(o.credits, provider.Credit{Txn: "T7", Amount: payment.Money{Value: 100, Currency: "RUB"}, PaidAt: at})
				})
				r.bank.script("look")
				r.bank.script("kill")
				r.hint(id)
				if again := r.decide(id, found); again.Who != "Anna" {
					t.Errorf("again: %+v", again)
				}
				if late == 0 {
					r.confirm(id, 100)
					r.audit(100, 100, 0, 0)
				} else {
					r.await(id, payment.EvReturned, time.Hour)
					r.audit(100, 0, 100, 0)
				}
				r.nobodyWaits()
			})
		})
	}
}

// refusedForGood brings a bill to where its bank gives nothing back.
func (r *rig) refusedForGood() string {
	r.Helper()
	r.bank.gives(provider.ReturnRefused, "cancel", "refund")
	id := paidBack(r)
	r.await(id, payment.EvReview, time.Hour)
	return id
}

// O5, O7: each way out of a return that the bank refuses, and the sums after each.
func TestARefusedReturnIsDecidedByAPerson(t *testing.T) {
	retry, manual, stays := integrator.Decision{Verdict: bill.VerdictRetry}, integrator.Decision{Verdict: bill.VerdictManual}, integrator.Decision{Verdict: bill.VerdictStays}
	t.Run("by hand", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := r.refusedForGood()
			w, may := r.waiting()
			if !slices.Equal(may, []string{"retry", "manual", "stays"}) || w.Owed != 100 || w.Why != "return_refused" || len(w.Debts) != 1 {
				t.Fatalf("may %v of %+v", may, w)
			}
			if d := w.Debts[0]; d.Said != "refused" || !slices.Equal(d.Tried, []string{"cancel", "refund"}) || d.Payment != "T"+id || d.Amount != 100 {
				t.Errorf("the obligation: %+v", d)
			}
			r.cannot(id, integrator.Decision{Verdict: bill.VerdictSeen}, "manual")
			r.decide(id, stays)
			r.decide(id, stays)
			if w, _ := r.waiting(); len(w.Past) != 1 || w.Past[0].Decision != "stays" || w.Owed != 100 {
				t.Errorf("it stays: %+v", w)
			}
			r.decide(id, manual)
			b := r.await(id, payment.EvReturned, 0)
			if b.Returned != 100 || b.Owed != 0 || b.Review || b.Why != payment.WhyReviewed || b.Returns[0].State != "done" {
				t.Errorf("by hand: %+v", b)
			}
			if again := r.decide(id, integrator.Decision{Verdict: bill.VerdictManual, Who: "Boris"}); again.Who != "Anna" {
				t.Errorf("again: %+v", again)
			}
			r.cannot(id, stays, "returned")
			r.nobodyWaits()
			rep, err := r.svc.Audit(t.Context())
			if err != nil || !rep.OK() || rep.Sums["RUB"] != (integrator.Sums{Credits: 100, Returned: 100}) {
				t.Errorf("audit %+v, %v", rep, err)
			}
			time.Sleep(30 * 24 * time.Hour) // the bill is over and watched no more: its notices go with the other clearing
			if told, err := r.store.Notices(t.Context(), id); err != nil || len(told) != 0 {
				t.Errorf("notices %+v, %v", told, err)
			}
		})
	})
	t.Run("again", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := r.refusedForGood()
			r.bank.script("look", errLine)
			r.cannot(id, retry, "did not answer")
			r.decide(id, retry) // and it is refused once more
			r.await(id, payment.EvReview, 0)
			if b := r.await(id, payment.EvReview, time.Hour); !b.Review || b.Returns[0].State != "refused" {
				t.Errorf("refused again: %+v", b)
			}
			r.audit(100, 0, 0, 100)
			r.bank.gives(provider.ReturnDone)
			r.decide(id, retry)
			if b := r.await(id, payment.EvReview, 0); b.Review || b.Why != payment.WhyReviewed || b.Returns[0].State == "refused" {
				t.Errorf("on its way: %+v", b)
			}
			r.await(id, payment.EvReturned, time.Hour)
			r.decide(id, retry) // it was decided
			r.audit(100, 0, 100, 0)
			r.nobodyWaits()
		})
	})
	t.Run("done after all", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := r.refusedForGood()
			r.bank.set(id, func(o *order) { // refused, and then somebody in the bank has done it
				o.returns[id+"r2"] = provider.ReturnDone
				o.given["T"+id] += 100
			})
			r.cannot(id, retry, "do not try again")
			r.decide(id, manual)
			r.audit(100, 0, 100, 0)
		})
	})
	t.Run("no way", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := r.create(payment.Scan, 700)
			r.act(id, credited("bank", "T7", 700))
			r.await(id, payment.EvPaid, 0)
			r.giveBack(id, "whole", 0)
			r.await(id, payment.EvReview, time.Minute)
			if _, may := r.waiting(); !slices.Equal(may, []string{"manual", "stays"}) {
				t.Errorf("may %v", may)
			}
			r.cannot(id, retry, "no way left", "manual")
		})
	})
	t.Run("short", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			r.bank.gives(provider.ReturnShort, "cancel", "refund")
			id := paidBack(r)
			for range 10 {
				time.Sleep(24 * time.Hour)
				r.take()
			}
			time.Sleep(time.Minute)
			w, may := r.waiting()
			if len(may) != 0 || len(w.Debts) != 1 || w.Debts[0].State != "short" || w.Debts[0].Said != "short" || time.Since(w.Since) < 240*time.Hour {
				t.Errorf("short: %+v, may %v", w, may)
			}
			told, err := r.store.Notices(t.Context(), id)
			if r.ok(err); len(told) != 2 || told[0].Code != "account_short" || told[1].At.Sub(told[0].At) < 9*24*time.Hour {
				t.Errorf("ten days of it have left %+v", told)
			}
			if n := strings.Count(r.log.String(), "bill wants a person"); n < 9 || n > 11 {
				t.Errorf("the log says it %d times in ten days", n)
			}
			r.bank.gives(provider.ReturnDone)
			r.await(id, payment.EvReturned, 25*time.Hour)
			r.nobodyWaits()
			r.audit(100, 0, 100, 0)
		})
	})
}

// Two payments go back and neither can: a decision names the one that it means.
func TestADecisionNamesItsObligation(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.gives(provider.ReturnRefused, "cancel", "refund")
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 50, 0)
		r.bank.pay(id, "T2", 50, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		r.giveBack(id, "whole", 0)
		time.Sleep(time.Minute)
		w, may := r.waiting()
		if len(w.Debts) != 2 || len(may) != 6 {
			t.Fatalf("may %v of %+v", may, w)
		}
		first, second := w.Debts[0].ID, w.Debts[1].ID
		r.cannot(id, integrator.Decision{Verdict: bill.VerdictManual}, first, second)
		r.cannot(id, integrator.Decision{Verdict: bill.VerdictManual, Obligation: "o9"}, "no such obligation")
		r.decide(id, integrator.Decision{Verdict: bill.VerdictManual, Obligation: first})
		if w, _ := r.waiting(); w.Owed != 50 || w.Returned != 50 || len(w.Debts) != 1 || w.Debts[0].ID != second || !slices.Contains(w.Flags, "review") {
			t.Errorf("after the first: %+v", w)
		}
		r.decide(id, integrator.Decision{Verdict: bill.VerdictManual, Obligation: first}) // asked again
		r.decide(id, integrator.Decision{Verdict: bill.VerdictManual})
		r.nobodyWaits()
		if rep, err := r.svc.Audit(t.Context()); err != nil || !rep.OK() || rep.Sums["RUB"] != (integrator.Sums{Credits: 100, Returned: 100}) {
			t.Errorf("audit %+v, %v", rep, err)
		}
	})
}

// B39: what only wants to be looked at is looked at. After a ledger that was put back from a copy, money that goes back by
// itself leaves its bill under review; a loss does too.
func TestAReviewEndsWhenAPersonHasLooked(t *testing.T) {
	seen := integrator.Decision{Verdict: bill.VerdictSeen}
	t.Run("restored", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			r.bank.gives(provider.ReturnShort, "cancel", "refund")
			id := paidBack(r)
			time.Sleep(time.Millisecond) // the older one is listed first
			open := r.create(payment.Show, 100)
			time.Sleep(time.Minute)
			r.take()
			s := r.open(wire.Open{Journal: "j1", Boot: "b", Writes: 9, Seen: r.seen + 500})
			r.seen = s.Snapshot.Seq
			r.bank.gives(provider.ReturnDone)
			time.Sleep(2 * time.Hour)
			list, err := r.svc.Waiting(t.Context(), 0, nil)
			if r.ok(err); len(list) != 2 || list[0].Bill != id || list[0].Why != payment.WhyLedgerRestored || len(list[0].May) != 1 || list[0].May[0].Decision != "seen" {
				t.Fatalf("waiting: %+v", list)
			}
			d := r.decide(id, seen)
			b := r.await(id, payment.EvReview, 0)
			for b.Why != payment.WhyReviewed { // an account that was short, a ledger that was restored
				b = r.await(id, payment.EvReview, 0)
			}
			if b.Review || len(b.Flags) != 0 || d.Bill.Status != "returned" {
				t.Errorf("looked at: %+v", b)
			}
			st, err := r.store.Bill(t.Context(), open)
			if r.ok(err); st.Life != payment.Closed {
				t.Fatalf("the other one is %s", st.Life)
			}
			r.decide(open, seen)
			r.nobodyWaits()
			r.audit(100, 0, 100, 0)
		})
	})
	t.Run("loss", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := r.create(payment.Show, 100)
			r.await(id, payment.EvOpen, time.Second)
			r.act(id, credited("bank", "T7", 100))
			r.confirm(id, 100)
			r.act(id, bill.Event{Cause: bill.Clawed, Key: "c1", Txn: "T7", Amount: 40})
			w, may := r.waiting()
			if !slices.Equal(may, []string{"seen"}) || w.Why != "chargeback" || w.Kept != 60 {
				t.Fatalf("may %v of %+v", may, w)
			}
			r.decide(id, seen)
			r.nobodyWaits()
			r.act(id, bill.Event{Cause: bill.Clawed, Key: "c2", Txn: "T7", Amount: 10}) // the next one is another matter
			r.waiting()
			r.decide(id, integrator.Decision{Verdict: bill.VerdictSeen, Who: "Boris"})
			r.nobodyWaits()
			if rep, err := r.svc.Audit(t.Context()); err != nil || !rep.OK() || rep.Sums["RUB"] != (integrator.Sums{Credits: 100, Goods: 50, Returned: 50}) {
				t.Errorf("audit %+v, %v", rep, err)
			}
		})
	})
}

// B21a: a part came behind a kill that may make the bank give it back by itself, and the bank is silent. That nobody has paid
// would end nothing, so it is not offered, and who asks is told why.
func TestDeadIsNotDecidedWhileTheBankMayGiveBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.bank.traits.KillRefunds = true
		r.bank.script("kill", slices.Repeat([]error{errLine}, 2000)...)
		r.start()
		defer r.down()
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.await(id, payment.EvClosing, 190*time.Second)
		time.Sleep(5 * time.Second) // it was asked, and told to kill
		r.bank.pay(id, "T7", 50, 0)
		r.hint(id)
		if b := r.await(id, payment.EvPaidAfter, 5*time.Second); b.Owed != 50 {
			t.Fatalf("the part is not owed: %+v", b)
		}
		r.silence()
		r.await(id, payment.EvDoubt, 70*time.Second)
		r.await(id, payment.EvReview, 50*time.Hour)
		if w, may := r.waiting(); !slices.Equal(may, []string{"paid"}) || w.Status != "unknown" || w.Owed != 50 {
			t.Errorf("may %v of %+v", may, w)
		}
		r.cannot(id, dead(), "giving back by itself", "What may be decided: paid")
		r.bank.script("look")
		r.bank.script("kill")
		r.hint(id)
		if b := r.await(id, payment.EvClosed, 48*time.Hour); b.Status != "expired" { // the bank has the last word
			t.Errorf("closed: %+v", b)
		}
		r.await(id, payment.EvReturned, 48*time.Hour)
		r.audit(50, 0, 50, 0)
	})
}

// B28: the money of a box that does not come any more is a person's, and of no other box.
func TestTheMoneyOfALostBoxIsAPersons(t *testing.T) {
	paid := func(r *rig) string {
		c := r.request(payment.Show, 100)
		c.IfNotConfirmed = payment.Person
		id := c.Payment
		r.accepted(payment.OutCreated, id+":create", wire.BillCreate, c)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		return id
	}
	done, back := integrator.Decision{Verdict: bill.VerdictDone}, integrator.Decision{Verdict: bill.VerdictReturn}
	t.Run("silent", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := paid(r)
			r.nobodyWaits()
			r.cannot(id, done, "does not come any more")
			quiet := func(string) time.Duration { return 25 * time.Hour }
			list, err := r.svc.Waiting(t.Context(), 0, quiet)
			if r.ok(err); len(list) != 1 || len(list[0].May) != 1 || list[0].May[0].Decision != "done" {
				t.Fatalf("waiting: %+v", list)
			}
			if _, err := r.svc.Decide(t.Context(), id, word(done), quiet); err != nil {
				t.Fatal(err)
			}
			r.await(id, payment.EvDone, 0)
			r.decide(id, done) // asked again, though the box may have come
			if _, may := r.waiting(); !slices.Equal(may, []string{"seen"}) {
				t.Errorf("afterwards %v", may)
			}
			r.audit(100, 100, 0, 0)
		})
	})
	t.Run("blocked", func(t *testing.T) {
		run(t, func(t *testing.T, r *rig) {
			id := paid(r)
			r.cannot(id, back, "blocked")
			r.ok(r.store.ChangeTerminal(t.Context(), "till-1", func(x *integrator.Terminal) error { x.Blocked = true; return nil }))
			if _, may := r.waiting(); !slices.Equal(may, []string{"done", "return"}) {
				t.Errorf("may %v", may)
			}
			r.decide(id, back)
			synctest.Wait()
			r.audit(100, 0, 100, 0)
			r.decide(id, integrator.Decision{Verdict: bill.VerdictSeen})
			r.nobodyWaits()
		})
	})
}

// Nothing that is not a decision by a person with a name is taken.
func TestWhatIsNoDecisionIsRefused(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.refusedForGood()
		for what, d := range map[string]integrator.Decision{
			"no verdict":       {Who: "Anna", Why: "x"},
			"another verdict":  {Verdict: "free", Who: "Anna", Why: "x"},
			"nobody":           {Verdict: "manual", Why: "x"},
			"a blank":          {Verdict: "manual", Who: " ", Why: "x"},
			"no reason":        {Verdict: "manual", Who: "Anna"},
			"a long name":      {Verdict: "manual", Who: strings.Repeat("ж", payment.MaxWho+1), Why: "x"},
			"a long reason":    {Verdict: "manual", Who: "Anna", Why: strings.Repeat("ж", payment.MaxReason+1)},
			"two lines":        {Verdict: "manual", Who: "Anna", Why: "a\nb"},
			"an escape":        {Verdict: "manual", Who: "An\x1b[2Jna", Why: "x"},
			"no text":          {Verdict: "manual", Who: "Anna", Why: "\xff"},
			"a payment":        {Verdict: "manual", Who: "Anna", Why: "x", Txn: "T"},
			"a long payment":   {Verdict: "paid", Who: "Anna", Why: "x", Txn: strings.Repeat("T", payment.MaxTxn+1), Amount: "1", PaidAt: time.Now()},
			"an obligation":    {Verdict: "seen", Who: "Anna", Why: "x", Obligation: "o1"},
			"an act of no one": {Verdict: "decided", Who: "Anna", Why: "x"},
		} {
			var no *integrator.Refusal
			if _, err := r.svc.Decide(t.Context(), id, d, nil); !errors.As(err, &no) || no.Why == "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		r.cannot("nobody", integrator.Decision{Verdict: bill.VerdictManual}, "integrator review")
		most := integrator.Decision{Verdict: bill.VerdictManual, Who: strings.Repeat("ж", payment.MaxWho), Why: strings.Repeat("語", payment.MaxReason)}
		r.decide(id, most)
		r.nobodyWaits()
	})
}
