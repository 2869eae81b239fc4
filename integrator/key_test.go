package integrator_test

import (
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
)

// TestEveryKeyHasOneEffectForEver repeats every call of two sales long after everything that is only kept for a while.
func TestEveryKeyHasOneEffectForEver(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		show := r.request(payment.Show, 100)
		id := show.Payment
		r.accepted(payment.OutCreated, id+":create", wire.BillCreate, show)
		r.await(id, payment.EvOpen, time.Second)
		longer := wire.Extend{Payment: id, LifeMS: 240_000}
		r.accepted(payment.OutExtended, id+":extend", wire.BillExtend, longer)
		r.bank.script("kill", errLine, errLine, errLine, errLine, errLine, errLine)
		r.await(id, payment.EvClosing, 241*time.Second)
		time.Sleep(6 * time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvLate, time.Second)
		accept := wire.AcceptLate{Payment: id}
		r.accepted(payment.OutAccepted, id+":accept_late", wire.BillAcceptLate, accept)
		early := wire.Return{Payment: id, Key: "early", Amount: 10}
		r.refused(payment.NoConfirmFirst, id+":return:early", wire.BillReturn, early)
		r.confirm(id, 90)
		r.giveBack(id, "r1", 20)

		r.bank.codes[codeOne] = func(o *order) {
			o.credits = []provider.Credit{{Txn: "T2", Amount: o.amount, PaidAt: time.Now()}}
		}
		scan := r.create(payment.Scan, 700)
		r.charge(scan, 1, codeOne)
		r.await(scan, payment.EvPaid, time.Second)
		r.giveBack(scan, "whole", 0)
		r.await(scan, payment.EvReturned, time.Minute)
		r.audit(800, 70, 730, 0)
		calls := r.bank.count("charge") + r.bank.count("present") + r.bank.count("return")

		for range 2 {
			time.Sleep(20 * 24 * time.Hour)
			r.take()
			r.accepted(payment.OutCreated, id+":create", wire.BillCreate, show)
			r.accepted(payment.OutExtended, id+":extend", wire.BillExtend, longer)
			r.accepted(payment.OutAccepted, id+":accept_late", wire.BillAcceptLate, accept)
			r.confirm(id, 90)
			r.refused(payment.NoAlreadyConfirmed, id+":confirm:2", wire.BillConfirm, wire.Confirm{Payment: id, Final: 80})
			r.giveBack(id, "r1", 20)
			r.charge(scan, 1, codeOne)
			r.giveBack(scan, "whole", 0)
			r.audit(800, 70, 730, 0)
		}
		// The same keys under other call ids: they are columns of the bill's own rows.
		r.accepted(payment.OutReturning, "x1", wire.BillReturn, wire.Return{Payment: id, Key: "r1", Amount: 20})
		r.accepted(payment.OutFenced, "x2", wire.BillReturn, wire.Return{Payment: scan, Key: "whole", Whole: true})
		r.accepted(payment.OutConfirmed, "x3", wire.BillConfirm, wire.Confirm{Payment: id, Final: 90})
		r.accepted(payment.OutAccepted, "x4", wire.BillAcceptLate, accept)
		r.accepted(payment.OutCharging, "x5", wire.BillCharge, wire.Charge{Payment: scan, Attempt: 1, Code: codeOne})
		r.accepted(payment.OutCreated, "x6", wire.BillCreate, show)
		r.audit(800, 70, 730, 0)
		if n := r.bank.count("charge") + r.bank.count("present") + r.bank.count("return"); n != calls {
			t.Errorf("%d calls to the bank came of repeats", n-calls)
		}

		// A refusal made no row, so the same return is judged anew, and then has its one effect.
		for range 3 {
			r.giveBack(id, "early", 10)
			time.Sleep(time.Second)
		}
		r.audit(800, 60, 740, 0)
	})
}
