package integrator_test

import (
	"testing"
	"time"

	"tilld/payment"
)

// A return is done, the ledger is lost and a copy put back in which nobody has asked for it. Whatever the box asks first, the
// bank gives back each return once, and the books say what it gave: no request id of the lost ledger stands for another return.
func TestReturnsOfALostLedgerAreMadeOnce(t *testing.T) {
	for name, next := range map[string]int64{"of another amount": 200, "of the same amount": 300} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				id := r.create(payment.Show, 700)
				r.await(id, payment.EvOpen, time.Second)
				r.bank.pay(id, "T1", 700, 0)
				r.hint(id)
				r.await(id, payment.EvPaid, time.Second)
				r.confirm(id, 700)
				r.await(id, payment.EvDone, time.Second)
				copied := r.image()
				r.giveBack(id, "a", 300)
				r.await(id, payment.EvReturned, time.Minute)
				r.audit(700, 400, 300, 0)
				r.down()
				r.dir = copied
				r.up()
				r.seen = r.session().Snapshot.Seq
				r.giveBack(id, "b", next) // the till sells on before the box says again what it was promised
				r.await(id, payment.EvReturned, time.Minute)
				if given := r.bank.given(); given != 300+next {
					t.Errorf("the bank has given back %d, of a return that it had not done: %d", given, next)
				}
				r.giveBack(id, "a", 300)
				r.await(id, payment.EvReturned, time.Minute)
				r.audit(700, 400-next, 300+next, 0)
				r.bank.set(id, func(o *order) {
					if len(o.returns) != 2 {
						t.Errorf("the bank knows the returns %v", o.returns)
					}
				})
			})
		})
	}
}
