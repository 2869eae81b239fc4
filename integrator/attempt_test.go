package integrator_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

const (
	codeOne = "281010897274821897274821"
	codeTwo = "251001020123456789012345"
)

func (r *rig) charge(id string, n int, code string) {
	r.Helper()
	key := id + ":charge:" + string(rune('0'+n))
	r.accepted(payment.OutCharging, key, wire.BillCharge, wire.Charge{Payment: id, Attempt: n, Code: code})
}

// The bank's no to the first code was not its last word, and the second code is being charged: the order of the second
// attempt is still asked about with its own amount, so that its money is found and goes back.
func TestLateMoneyOfOneAttemptHidesNotTheMoneyOfTheNext(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.codes[codeOne] = func(o *order) { o.dead, o.decline = true, &payment.Decline{Why: "other", Retry: true} }
		r.bank.codes[codeTwo] = func(o *order) { o.paying = true }
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		r.await(id, payment.EvDeclined, time.Second)
		r.charge(id, 2, codeTwo)
		r.await(id, payment.EvCharging, time.Second)
		r.bank.pay(id+"a1", "T1", 700, 0)
		r.hint(id + "a1")
		r.await(id, payment.EvPaid, time.Second)
		r.bank.set(id+"a2", func(o *order) { o.paying = false })
		r.bank.pay(id+"a2", "T2", 700, 0)
		r.hint(id + "a2")
		r.await(id, payment.EvReturned, time.Minute)
		r.confirm(id, 700)
		r.audit(1400, 700, 700, 0)
	})
}

// An attempt that brought a part of its sum is not over before the bank says so: the rest may be on its way.
func TestAttemptPaidInPartsIsAskedAboutToItsEnd(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.codes[codeOne] = func(o *order) { o.charge, o.paying = false, true }
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		synctest.Wait()
		r.bank.pay(id+"a1", "T1", 300, 0)
		r.await(id, payment.EvPart, 5*time.Second)
		if b := r.get(id); !b.Charging {
			t.Errorf("after a part of its money the attempt is over: %+v", b)
		}
		r.bank.pay(id+"a1", "T2", 400, 0)
		r.await(id, payment.EvPaid, 5*time.Second)
		r.confirm(id, 700)
		r.audit(700, 700, 0, 0)
	})
}

// hangs is a bank with one slot, which an order fills that it does not answer until free is called.
func (r *rig) hangs() (free func()) {
	r.Helper()
	r.down()
	r.set.PerProvider = 1
	r.up()
	r.session()
	free = r.bank.hold("present")
	r.create(payment.Show, 100)
	return free
}

// A bank that hangs fills its slots. A charge that had no turn before its limit is never sent: the attempt is declined,
// and the customer who shows another code is charged for that one alone.
func TestChargeThatWaitedTooLongIsNeverSent(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		free := r.hangs()
		r.create(payment.Show, 100)
		synctest.Wait()
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		time.Sleep(15 * time.Second)
		free()
		if b := r.await(id, payment.EvDeclined, 30*time.Second); b.Declined == nil || !b.Declined.Retry {
			t.Fatalf("declined: %+v", b.Declined)
		}
		if n := r.bank.count("charge"); n != 0 {
			t.Errorf("the code was sent %d times after its limit", n)
		}
		r.charge(id, 2, codeTwo)
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 700)
		r.audit(700, 700, 0, 0)
	})
}

// A charge waited for its turn when the ledger was copied, and was made. The ledger is lost and the copy put back, in which
// nobody has claimed that work: the bank is asked whether it was made, and the customer is not told to pay again.
func TestChargeThatTheLostLedgerMadeIsAskedAbout(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "when it is too late to make it": 15 * time.Second} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				free := r.hangs()
				synctest.Wait()
				id := r.create(payment.Scan, 700)
				r.charge(id, 1, codeOne)
				copied := r.image()
				if n := r.bank.count("charge"); n != 0 {
					t.Fatalf("the code was sent %d times before the copy was made", n)
				}
				free()
				r.await(id, payment.EvPaid, time.Second)
				r.down()
				r.dir = copied
				time.Sleep(after)
				r.up()
				r.seen = r.session().Snapshot.Seq
				time.Sleep(20 * time.Second)
				if b := r.get(id); b.Paid != 700 || b.Declined != nil || r.bank.count("charge") != 1 {
					t.Errorf("paid %d, declined %+v, the code was sent %d times", b.Paid, b.Declined, r.bank.count("charge"))
				}
				r.confirm(id, 700)
				r.audit(700, 700, 0, 0)
			})
		})
	}
}

// A server that is killed with codes that had no turn yet sends none of them later, and asks the bank until its no counts.
func TestCodeThatDiedWithItsServerIsDeclinedOnTheBanksWord(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		free := r.hangs()
		synctest.Wait()
		began := time.Now()
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		r.crash()
		r.bank.forget() // what the dead process sent never arrived
		sent := r.bank.count("charge")
		free()
		if b := r.await(id, payment.EvDeclined, 5*time.Minute); b.Declined == nil || !b.Declined.Retry {
			t.Fatalf("declined: %+v", b.Declined)
		}
		took, final := time.Since(began), r.bank.traits.CallLimit+r.bank.traits.NotFoundFinal
		if n := r.bank.count("charge") - sent; n != 0 || took > final+10*time.Second {
			t.Errorf("the code was sent %d times; in doubt for %v, the bank's no counts after %v", n, took, final)
		}
		r.charge(id, 2, codeTwo)
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 700)
		r.audit(700, 700, 0, 0)
		t.Logf("declined %v after the code was read", took)
	})
}

// A sale that was given up while its order waited for a turn at the bank leaves nothing behind there.
func TestOrderOfASaleThatIsOverIsNeverMade(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		free := r.hangs()
		synctest.Wait()
		id := r.create(payment.Show, 100)
		r.giveBack(id, "whole", 0)
		time.Sleep(time.Second)
		free()
		r.await(id, payment.EvClosed, 2*time.Minute)
		if n := r.bank.count("present"); n != 1 {
			t.Errorf("%d orders were made, want the other sale's alone", n)
		}
	})
}

// Money that a registry or a person books on no order in particular cannot be sent back by the provider: a person's case.
func TestMoneyWithoutAnOrderGoesBackByHand(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Scan, 700)
		r.act(id, credited("bank", "T7", 700))
		r.await(id, payment.EvPaid, 0)
		r.giveBack(id, "whole", 0)
		r.await(id, payment.EvReview, time.Minute)
		if b := r.get(id); len(b.Returns) != 1 || b.Returns[0].State != "refused" || b.Owed != 700 {
			t.Errorf("returns %+v, owed %d", b.Returns, b.Owed)
		}
		list, err := r.svc.Waiting(t.Context(), 0, nil)
		if err != nil || len(list) != 1 {
			t.Errorf("%d bills wait for a person: %v", len(list), err)
		}
	})
}

// What a person books on a sale in doubt is the money of the attempt that is in doubt, and can go back where it came from.
func TestMoneyThatAPersonSawGoesBackByItsAttempt(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.codes[codeOne] = func(o *order) { o.paying = true }
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		r.await(id, payment.EvCharging, time.Second)
		r.bank.script("look", slices.Repeat([]error{errLine}, 50)...)
		r.await(id, payment.EvDoubt, 3*time.Minute)
		r.act(id, bill.Event{Cause: bill.Silent})
		for _, c := range []bill.Credit{{Amount: 700, Evidence: "e"}, {Txn: "T7", Evidence: "e"}} {
			if _, err := r.svc.Act(t.Context(), id, bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Credit: &c}); err == nil {
				t.Errorf("money without a name or an amount was booked: %+v", c)
			}
		}
		r.act(id, bill.Event{Cause: bill.Decided, Verdict: bill.VerdictPaid, Who: "chief", Credit: &bill.Credit{
			Txn: "T7", Amount: 700, PaidAt: time.Now().Add(-2 * time.Minute), Evidence: "statement of 22 November",
		}})
		r.await(id, payment.EvPaid, 0)
		r.giveBack(id, "whole", 0)
		r.await(id, payment.EvReturned, time.Minute)
		r.audit(700, 0, 700, 0)
	})
}

// A charge that had no turn yet when the cashier gave the sale up is never made.
func TestChargeOfASaleThatIsOverIsNeverMade(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		free := r.hangs()
		synctest.Wait()
		id := r.create(payment.Scan, 700)
		r.charge(id, 1, codeOne)
		r.giveBack(id, "whole", 0)
		time.Sleep(time.Second)
		free()
		r.await(id, payment.EvClosed, time.Second)
		if n := r.bank.count("charge"); n != 0 {
			t.Errorf("the customer was charged %d times for a sale that was over", n)
		}
		r.audit(0, 0, 0, 0)
	})
}

func (r *rig) act(id string, e bill.Event) {
	r.Helper()
	_, err := r.svc.Act(r.Context(), id, e)
	r.ok(err)
}

func credited(provider, txn string, amount int64) bill.Event {
	return bill.Event{Cause: bill.Credited, Credit: &bill.Credit{Provider: provider, Txn: txn, Amount: amount, PaidAt: time.Now()}}
}
