package integrator_test

import (
	"fmt"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/wire"
	"tilld/payment"
)

// step is one thing that the box, the payer or time does.
type step struct {
	do   func(r *rig, id string)
	call bool // of the box: done again after a crash, because its answer may be lost
}

func boxCall(outcome, verb, method string, params func(id string) any) step {
	return step{func(r *rig, id string) {
		r.Helper()
		r.accepted(outcome, id+":"+verb, method, params(id))
	}, true}
}

func awaits(kind string, limit time.Duration) step {
	return step{func(r *rig, id string) { r.Helper(); r.await(id, kind, limit) }, false}
}

// sale is one whole sale in steps, and what the audit must say at its end.
type sale struct {
	name                           string
	mode                           payment.Mode
	steps                          []step
	credits, goods, returned, owed int64
}

func sales() []sale {
	pays := step{func(r *rig, id string) {
		r.bank.pay(id, "T"+id, 1000, 0)
		r.hint(id)
	}, false}
	confirm := boxCall(payment.OutConfirmed, "confirm", wire.BillConfirm, func(id string) any { return wire.Confirm{Payment: id, Final: 900} })
	back := boxCall(payment.OutReturning, "return:k", wire.BillReturn, func(id string) any { return wire.Return{Payment: id, Key: "k", Amount: 300} })
	cancel := boxCall(payment.OutFenced, "return:w", wire.BillReturn, func(id string) any { return wire.Return{Payment: id, Key: "w", Whole: true} })
	charge := func(n int, code string) step {
		return boxCall(payment.OutCharging, fmt.Sprintf("charge:%d", n), wire.BillCharge, func(id string) any {
			return wire.Charge{Payment: id, Attempt: n, Code: code}
		})
	}
	rest := step{func(*rig, string) { time.Sleep(5 * time.Minute) }, false}
	return []sale{
		{"shown", payment.Show, []step{awaits(payment.EvOpen, time.Minute), pays, awaits(payment.EvPaid, time.Minute), confirm, back, rest}, 1000, 600, 400, 0},
		{"scanned", payment.Scan, []step{charge(1, "no"), awaits(payment.EvDeclined, time.Minute), charge(2, "yes"), awaits(payment.EvPaid, 2*time.Minute), confirm, back, rest}, 1000, 600, 400, 0},
		{"canceled", payment.Show, []step{awaits(payment.EvOpen, time.Minute), cancel, awaits(payment.EvClosed, time.Minute), rest}, 0, 0, 0, 0},
		{"paid and canceled", payment.Show, []step{awaits(payment.EvOpen, time.Minute), pays, cancel, rest}, 1000, 0, 1000, 0},
		{"expired", payment.Show, []step{awaits(payment.EvOpen, time.Minute), awaits(payment.EvClosed, 4*time.Minute), rest}, 0, 0, 0, 0},
	}
}

// TestServerMayDieBetweenAnyTwoSteps crashes after every step of every sale and goes on with what is on the disk: once
// when what the step caused has been worked, once while the bank is being asked, so that its answer is lost.
func TestServerMayDieBetweenAnyTwoSteps(t *testing.T) {
	if depth.Quick() {
		t.Log("left to make test: deaths while a bank is asked, but for the first step")
	}
	for _, s := range sales() {
		for at := -1; at < len(s.steps); at++ {
			for _, asking := range []bool{false, true} {
				if asking && at >= 0 && (!s.steps[at].call || depth.Quick()) {
					continue // nothing is asked because of it, or it is left out
				}
				t.Run(fmt.Sprintf("%s/%d/%v", s.name, at, asking), func(t *testing.T) {
					t.Parallel()
					run(t, func(t *testing.T, r *rig) { die(t, r, s, at, asking) })
				})
			}
		}
	}
}

func die(t *testing.T, r *rig, s sale, at int, asking bool) {
	t.Helper()
	r.bank.codes["no"] = func(o *order) { o.dead, o.decline = true, &payment.Decline{Why: "limit", Retry: true} }
	held := func(f func()) {
		if !asking {
			f()
			r.crash()
			return
		}
		var free []func()
		for _, op := range []string{"present", "charge", "return", "kill"} {
			free = append(free, r.bank.hold(op))
		}
		f()
		r.crash()
		for _, f := range free {
			f()
		}
	}
	var id string
	create := func() { id = r.create(s.mode, 1000) }
	if at < 0 {
		held(create)
	} else {
		create()
	}
	for i, st := range s.steps {
		if i != at {
			st.do(r, id)
			continue
		}
		held(func() { st.do(r, id) })
		if st.call {
			st.do(r, id)
		}
	}
	r.audit(s.credits, s.goods, s.returned, s.owed)
	if n := r.bank.count("charge"); n > 2 {
		t.Errorf("two attempts were charged %d times", n)
	}
}

// TestServerMayStopBetweenAnyTwoSteps ends the server in order instead.
func TestServerMayStopBetweenAnyTwoSteps(t *testing.T) {
	for _, s := range sales() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, r *rig) {
				r.bank.codes["no"] = func(o *order) { o.dead, o.decline = true, &payment.Decline{Why: "limit", Retry: true} }
				id := r.create(s.mode, 1000)
				for _, st := range s.steps {
					r.restart()
					st.do(r, id)
				}
				r.audit(s.credits, s.goods, s.returned, s.owed)
			})
		})
	}
}

// TestDoubtAfterADeadServerIsShort: a server that died while it asked the bank for a code or a charge, which never
// arrived there, knows the end as soon as the bank's own limits are over.
func TestDoubtAfterADeadServerIsShort(t *testing.T) {
	for _, c := range []struct {
		mode payment.Mode
		op   string
		ends string
	}{
		{payment.Show, "present", payment.EvClosed},
		{payment.Scan, "charge", payment.EvDeclined},
	} {
		t.Run(c.op, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, r *rig) {
				began := time.Now()
				free := r.bank.hold(c.op)
				id := r.create(c.mode, 1000)
				if c.mode == payment.Scan {
					r.accepted(payment.OutCharging, id+":charge:1", wire.BillCharge, wire.Charge{Payment: id, Attempt: 1, Code: "281234567890123456"})
				}
				r.crash()
				r.bank.forget() // what the dead process sent never arrived
				free()
				r.await(id, c.ends, 5*time.Minute)
				final := r.bank.traits.CallLimit + r.bank.traits.NotFoundFinal
				if took := time.Since(began); took > final+10*time.Second {
					t.Errorf("in doubt until %v after the call, the bank's no counts after %v", took, final)
				}
				r.audit(0, 0, 0, 0)
			})
		})
	}
}
