package integrator_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider"
	"tilld/payment"
)

// mute is a bank that does what it is told and keeps its answer to itself, from the moment that it is muted.
type mute struct {
	*bank
	op string // that is not answered
}

func (m *mute) keep(ctx context.Context, op string, r provider.Report, err error) (provider.Report, error) {
	m.mu.Lock()
	silent := m.op == op
	m.mu.Unlock()
	if silent {
		<-ctx.Done()
		return provider.Report{}, ctx.Err()
	}
	return r, err
}

func (m *mute) Present(ctx context.Context, o provider.Order) (provider.Report, error) {
	r, err := m.bank.Present(ctx, o)
	return m.keep(ctx, "present", r, err)
}

func (m *mute) Charge(ctx context.Context, o provider.Order, c payment.Code) (provider.Report, error) {
	r, err := m.bank.Charge(ctx, o, c)
	return m.keep(ctx, "charge", r, err)
}

func (m *mute) Kill(ctx context.Context, o provider.Order) (provider.Report, error) {
	r, err := m.bank.Kill(ctx, o)
	return m.keep(ctx, "kill", r, err)
}

func (m *mute) Return(ctx context.Context, o provider.Order, id, method, txn string, amount payment.Money) (provider.Report, error) {
	r, err := m.bank.Return(ctx, o, id, method, txn, amount)
	return m.keep(ctx, "return", r, err)
}

// TestServerMayDieBetweenWhatTheBankDidAndItsOwnRecordOfIt crashes while the bank has done what it was asked and the
// answer is not in the ledger yet.
func TestServerMayDieBetweenWhatTheBankDidAndItsOwnRecordOfIt(t *testing.T) {
	for _, c := range []struct {
		op    string
		begin func(r *rig) string // to where the call has been made
		end   func(r *rig, id string)
		sums  [4]int64
	}{
		{"present", func(r *rig) string { return r.create(payment.Show, 700) }, func(r *rig, id string) {
			r.await(id, payment.EvOpen, 40*time.Second)
			r.bank.pay(id, "T1", 700, 0)
			r.await(id, payment.EvPaid, 10*time.Second)
			r.confirm(id, 700)
		}, [4]int64{700, 700, 0, 0}},
		{"charge", func(r *rig) string {
			id := r.create(payment.Scan, 700)
			r.charge(id, 1, codeOne)
			return id
		}, func(r *rig, id string) {
			r.await(id, payment.EvPaid, 40*time.Second)
			r.confirm(id, 700)
		}, [4]int64{700, 700, 0, 0}},
		{"kill", func(r *rig) string {
			id := r.create(payment.Show, 700)
			r.await(id, payment.EvOpen, time.Second)
			r.giveBack(id, "whole", 0)
			return id
		}, func(r *rig, id string) { r.await(id, payment.EvClosed, 40*time.Second) }, [4]int64{}},
		{"return", paidBack, func(r *rig, id string) { r.await(id, payment.EvReturned, time.Minute) }, [4]int64{100, 0, 100, 0}},
	} {
		t.Run(c.op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				m := &mute{r.bank, c.op}
				r.more = map[string]provider.Provider{"bank": m}
				r.start()
				defer r.down()
				id := c.begin(r)
				synctest.Wait()
				if n := r.bank.count(c.op); n != 1 {
					t.Fatalf("%d calls before the crash", n)
				}
				r.crash()
				r.bank.mu.Lock()
				m.op = ""
				r.bank.mu.Unlock()
				c.end(r, id)
				if n := r.bank.count(c.op); n != 1 && c.op != "kill" {
					t.Errorf("the bank was told %d times", n)
				}
				time.Sleep(time.Minute)
				r.audit(c.sums[0], c.sums[1], c.sums[2], c.sums[3])
			})
		})
	}
}
