package integrator_test

import (
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
	"tilld/payment/bill"
)

// paidBack brings a bill to where the bank is asked to give 100 back.
func paidBack(r *rig) string {
	r.Helper()
	id := r.create(payment.Show, 100)
	r.await(id, payment.EvOpen, time.Second)
	r.bank.pay(id, "T"+id, 100, 0)
	r.hint(id)
	r.await(id, payment.EvPaid, time.Second)
	r.giveBack(id, "whole", 0)
	return id
}

func TestReturnIsTriedWithOneIDUntilTheBankSays(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.script("return", errLine, errLine) // sent, and the answer lost: the bank has done it
		id := paidBack(r)
		r.await(id, payment.EvReturned, time.Hour)
		r.audit(100, 0, 100, 0)
		if n := r.bank.count("return"); n != 1 {
			t.Errorf("a return that the bank had done was sent %d times", n)
		}
	})
}

func TestBusyBankGivesBackLater(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.script("return", provider.ErrBusy, provider.ErrBusy)
		id := paidBack(r)
		r.await(id, payment.EvReturned, time.Hour)
		r.audit(100, 0, 100, 0)
	})
}

// A bank that was silent for a moment is there again: the customer does not wait half an hour for it.
func TestABankThatWasSilentThreeTimesGivesBackSoon(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.script("return", provider.ErrBusy, provider.ErrBusy, provider.ErrBusy)
		id := paidBack(r)
		r.await(id, payment.EvReturned, 3*time.Minute)
		r.audit(100, 0, 100, 0)
	})
}

func TestReturnFromAShortAccountComesLater(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.gives(provider.ReturnShort, "cancel", "refund")
		id := paidBack(r)
		time.Sleep(30 * time.Minute)
		if b := r.get(id); len(b.Returns) != 1 || b.Returns[0].State != "short" || b.Owed != 100 {
			t.Fatalf("returns %+v, owed %d", b.Returns, b.Owed)
		}
		r.audit(100, 0, 0, 100)
		r.bank.gives(provider.ReturnDone)
		r.await(id, payment.EvReturned, 3*time.Hour)
		r.audit(100, 0, 100, 0)
	})
}

func TestRefusedMethodGivesWayToTheNext(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.gives(provider.ReturnRefused, "cancel")
		id := paidBack(r)
		r.await(id, payment.EvReturned, time.Hour)
		r.audit(100, 0, 100, 0)
	})
}

func TestReturnThatTheBankRefusesIsAPersons(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.gives(provider.ReturnRefused, "cancel", "refund")
		id := paidBack(r)
		time.Sleep(time.Hour)
		r.audit(100, 0, 0, 100)
		list, err := r.svc.Waiting(t.Context(), 0, nil)
		if err != nil || len(list) != 1 || list[0].Bill != id || len(list[0].Debts) != 1 || list[0].Debts[0].State != "human" {
			t.Fatalf("review list: %+v, %v", list, err)
		}
		st, err := r.store.Bill(t.Context(), id)
		r.ok(err)
		_, err = r.svc.Act(t.Context(), id, bill.Event{
			Cause: bill.Resolved, Obligation: st.Obligations[0].ID, Verdict: bill.VerdictManual, Who: "chief", Evidence: "cash slip 17",
		})
		r.ok(err)
		r.await(id, payment.EvReturned, 0)
		rep, err := r.svc.Audit(t.Context())
		if err != nil || rep.Sums["RUB"].Returned != 100 || !rep.OK() {
			t.Fatalf("audit %+v, %v", rep, err)
		}
	})
}
