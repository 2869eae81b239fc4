package integrator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tilld/payment"
)

// TestAnswers: a server answers while its ledger and its clocks go on, asleep or at work; one whose clocks do not run does
// not.
func TestAnswers(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		answers := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			return r.svc.Answers(ctx)
		}
		if err := answers(); err != nil {
			t.Errorf("idle: %v", err)
		}
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		for range 30 { // over the bill's end
			if time.Sleep(10 * time.Second); answers() != nil {
				t.Errorf("with a bill: %v", answers())
			}
		}
		svc := r.svc
		r.down()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := svc.Answers(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a closed ledger: %v", err)
		}
		r.up()
		r.session()
		r.stop() // the clocks end, the ledger stays open
		r.ok(<-r.done)
		if err := answers(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("clocks that do not run: %v", err)
		}
		r.ok(r.store.Close())
		r.done = nil
	})
}
