package integrator_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

func TestShownCodeIsPaidConfirmedAndPartReturned(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 12550)
		b := r.await(id, payment.EvOpen, time.Second)
		if b.Payload == "" || b.RemainingMS < 179_000 || b.Provider != "bank" {
			t.Fatalf("open: %+v", b)
		}
		r.bank.pay(id, "T1", 12550, 0)
		if s := r.hint(id); s != http.StatusOK {
			t.Fatalf("call-back answered %d", s)
		}
		if b = r.await(id, payment.EvPaid, 0); b.Status != "paid" || b.Held != 12550 {
			t.Fatalf("paid: %+v", b)
		}
		r.confirm(id, 12550)
		r.await(id, payment.EvDone, 0)
		if res := r.giveBack(id, "r1", 2550); res.Owed != 2550 {
			t.Fatalf("return owes %d", res.Owed)
		}
		if b = r.await(id, payment.EvReturned, time.Second); b.Returned != 2550 || b.Owed != 0 || b.Kept != 10000 {
			t.Fatalf("returned: %+v", b)
		}
		r.audit(12550, 10000, 2550, 0)
	})
}

func TestPaymentIsFoundWithoutACallback(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		time.Sleep(7 * time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.await(id, payment.EvPaid, 6*time.Second)
	})
}

// The customer pays while the bank is being asked: its call-back comes before the answer, which was made before the money.
// The bank is asked again at once, not with the next poll.
func TestACallbackBesideAQuestionIsActedOnAtOnce(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.early = true
		asked := r.bank.count("look")
		release := r.bank.hold("look")
		time.Sleep(6 * time.Second)
		if n := r.bank.count("look"); n != asked+1 {
			t.Fatalf("%d questions are under way", n-asked)
		}
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		time.Sleep(time.Second)
		release()
		r.await(id, payment.EvPaid, time.Millisecond)
	})
}

func TestCodeExpiresWithoutMoney(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.await(id, payment.EvClosing, 181*time.Second)
		if b := r.await(id, payment.EvClosed, 5*time.Second); b.Status != "expired" {
			t.Fatalf("closed: %+v", b)
		}
		if n := r.bank.count("kill"); n == 0 {
			t.Error("the code was not killed at the bank")
		}
		r.audit(0, 0, 0, 0)
	})
}

func TestLateMoneyIsOfferedAndTakenOrGivenBack(t *testing.T) {
	for _, take := range []bool{true, false} {
		run(t, func(t *testing.T, r *rig) {
			id := r.create(payment.Show, 100)
			r.await(id, payment.EvOpen, time.Second)
			r.bank.script("kill", errLine, errLine, errLine, errLine, errLine, errLine)
			r.await(id, payment.EvClosing, 181*time.Second)
			time.Sleep(6 * time.Second)
			r.bank.pay(id, "T1", 100, 0)
			r.hint(id)
			if b := r.await(id, payment.EvLate, time.Second); b.LeaseMS < 29_000 {
				t.Fatalf("late: %+v", b)
			}
			if take {
				r.accepted(payment.OutAccepted, id+":accept_late", wire.BillAcceptLate, wire.AcceptLate{Payment: id})
				r.await(id, payment.EvPaid, 0)
				r.accepted(payment.OutAccepted, id+":accept_late", wire.BillAcceptLate, wire.AcceptLate{Payment: id})
				r.confirm(id, 100)
				r.audit(100, 100, 0, 0)
				return
			}
			r.await(id, payment.EvPaidAfter, 31*time.Second)
			r.accepted(payment.OutLapsed, id+":accept_late", wire.BillAcceptLate, wire.AcceptLate{Payment: id})
			r.await(id, payment.EvClosed, time.Minute)
			time.Sleep(time.Minute)
			r.audit(100, 0, 100, 0)
		})
	}
}

func TestMoneyTwiceOwesTheSecond(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.bank.pay(id, "T2", 100, 0)
		r.hint(id)
		r.await(id, payment.EvOver, time.Second)
		r.await(id, payment.EvReturned, time.Second)
		r.confirm(id, 100)
		r.audit(200, 100, 100, 0)
	})
}

func TestConfirmBelowWhatWasPaidGivesTheRestBack(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		if res := r.confirm(id, 60); res.Bill.Owed != 40 {
			t.Fatalf("owed %d", res.Bill.Owed)
		}
		r.await(id, payment.EvReturned, time.Second)
		r.audit(100, 60, 40, 0)
	})
}

func TestScannedCodeIsDeclinedThenPaid(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		const no, yes = "281010897274821897274821", "251001020123456789012345"
		r.bank.codes[no] = func(o *order) { o.dead, o.decline = true, &payment.Decline{Why: "not_enough", Retry: true} }
		id := r.create(payment.Scan, 700)
		r.await(id, payment.EvOpen, 0)
		r.accepted(payment.OutCharging, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: no})
		b := r.await(id, payment.EvDeclined, time.Second)
		if b.Declined == nil || b.Declined.Why != "not_enough" || b.Declined.Attempt != 1 {
			t.Fatalf("declined: %+v", b.Declined)
		}
		r.accepted(payment.OutCharging, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: no})
		r.refused(payment.NoKeyReused, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: yes})
		r.accepted(payment.OutCharging, id+":charge:2", wire.BillCharge, wire.Charge{Payment: id, Attempt: 2, Code: yes})
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 700)
		if n := r.bank.count("charge"); n != 2 {
			t.Errorf("the bank was charged %d times for two attempts", n)
		}
		r.bank.pay(id+"a1", "T9", 700, 0) // the no was not the bank's last word: the customer has paid twice
		r.hint(id + "a1")
		r.await(id, payment.EvReturned, time.Second)
		r.audit(1400, 700, 700, 0)
		r.canary(no)
		r.canary(yes)
	})
}

func TestChargeLostInARestartIsNeverSentAgain(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		const code = "281010897274821897274821"
		free := r.bank.hold("charge")
		id := r.create(payment.Scan, 700)
		r.accepted(payment.OutCharging, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: code})
		synctest.Wait()
		r.crash()
		free()
		time.Sleep(20 * time.Second) // the lease of the lost call ends; the bank is asked and does not know the order yet
		r.bank.set(id+"a1", func(o *order) {
			o.charge = true
			o.credits = []provider.Credit{{Txn: "T1", Amount: payment.Money{Value: 700, Currency: "RUB"}, PaidAt: time.Now()}}
		})
		r.await(id, payment.EvPaid, 20*time.Second)
		if n := r.bank.count("charge"); n != 1 {
			t.Errorf("the code was sent %d times", n)
		}
		r.confirm(id, 700)
		r.audit(700, 700, 0, 0)
		r.canary(code)
	})
}

func TestVoidTakesThePlaceOfALostCharge(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Scan, 700)
		for range 2 {
			r.accepted(payment.OutVoid, id+":charge_void:1", wire.BillChargeVoid, wire.ChargeVoid{Payment: id, Attempt: 1})
		}
		r.accepted(payment.OutVoid, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: "281010897274821897274821"})
		if n := r.bank.count("charge"); n != 0 {
			t.Fatalf("a voided attempt was charged %d times", n)
		}
		r.accepted(payment.OutCharging, id+":charge:2", wire.BillCharge, wire.Charge{Payment: id, Attempt: 2, Code: "281010897274821897274821"})
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 700)
		r.audit(700, 700, 0, 0)
	})
}

func TestCancelWinsOverMoneyThatCrossesIt(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 100, 0) // nobody has heard of it
		r.giveBack(id, "whole", 0)
		if b := r.await(id, payment.EvClosed, time.Minute); b.Status != "canceled" && b.Status != "returned" {
			t.Fatalf("closed: %+v", b)
		}
		time.Sleep(time.Minute)
		r.audit(100, 0, 100, 0)
	})
}

func TestSilentBankIsDoubtUntilItSpeaks(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.silent(200)
		r.await(id, payment.EvClosing, 190*time.Second)
		if b := r.await(id, payment.EvDoubt, 70*time.Second); b.Status != "unknown" {
			t.Fatalf("doubt: %+v", b)
		}
		rep, err := r.svc.Audit(t.Context())
		if err != nil || len(rep.Doubts) != 1 || rep.Doubts[0].Bill != id || !rep.OK() {
			t.Fatalf("audit in doubt: %+v, %v", rep, err)
		}
		asked := r.bank.count("look") + r.bank.count("kill")
		time.Sleep(24 * time.Hour)
		if n := r.bank.count("look") + r.bank.count("kill") - asked; n > 40 {
			t.Errorf("the bank was asked %d times in a day of doubt", n)
		}
		r.bank.script("look")
		r.bank.script("kill")
		r.await(id, payment.EvClosed, 25*time.Hour)
		r.audit(0, 0, 0, 0)
	})
}

func TestPersonEndsADoubt(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.silent(400)
		r.await(id, payment.EvDoubt, 300*time.Second)
		if _, err := r.svc.Act(t.Context(), id, bill.Event{Cause: bill.Silent}); err != nil {
			t.Fatal(err)
		}
		list, err := r.svc.Waiting(t.Context(), 10, nil)
		if err != nil || len(list) != 1 || list[0].Bill != id {
			t.Fatalf("review list: %+v, %v", list, err)
		}
		b, err := r.svc.Act(t.Context(), id, bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "chief", Evidence: "statement of 22 November"})
		if err != nil || b.Life != payment.Closed {
			t.Fatalf("decided: %+v, %v", b, err)
		}
		r.audit(0, 0, 0, 0)
		if _, err := r.svc.Act(t.Context(), id, bill.Event{Cause: bill.CallConfirm, Amount: 1}); err == nil {
			t.Error("an act confirmed for the box")
		}
	})
}

func TestWhatATwoStepBankKeptSurvivesACrash(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.memo = []byte("number 77 of the first step")
		free := r.bank.hold("present")
		id := r.create(payment.Show, 100)
		r.crash()
		free()
		r.await(id, payment.EvOpen, 20*time.Second)
		if string(r.bank.looked) != string(r.bank.memo) {
			t.Errorf("asked with memo %q", r.bank.looked)
		}
	})
}

func TestOneTransactionPaysOneBill(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		first, second := r.create(payment.Show, 100), r.create(payment.Show, 100)
		for _, id := range []string{first, second} {
			r.await(id, payment.EvOpen, time.Second)
			r.bank.pay(id, "T1", 100, 0)
			r.hint(id)
			synctest.Wait()
		}
		r.await(first, payment.EvPaid, time.Second)
		if b := r.get(second); b.Paid != 0 || b.Status != "open" {
			t.Fatalf("the second bill is %+v", b)
		}
		if !strings.Contains(r.log.String(), "one transaction for two bills") {
			t.Error("nobody was told")
		}
		r.confirm(first, 100)
		r.bank.pay(second, "T2", 100, 0)
		r.hint(second)
		r.await(second, payment.EvPaid, time.Second)
		r.confirm(second, 100)
		r.audit(200, 200, 0, 0)
	})
}
