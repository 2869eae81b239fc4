package storetest

import (
	"testing"
	"time"

	"tilld/integrator"
	"tilld/payment"
)

func reckoned(t *testing.T, b *bench) {
	if r, err := b.Reckoning(t.Context()); err != nil || r != (integrator.Reckoning{}) {
		t.Fatalf("before the first time: %+v, %v", r, err)
	}
	s := b.full()
	s.Life, s.Doubt, s.DoubtSince = payment.Closing, true, b.now
	b.put(t, s)
	for _, r := range []integrator.Reckoning{{Mark: b.now, Ahead: time.Hour}, {Mark: b.now.Add(time.Nanosecond), Ahead: -87660 * time.Hour}} {
		want(t, b.Reckon(t.Context(), r), nil)
		b.reopen(t)
		if got, err := b.Reckoning(t.Context()); err != nil || !got.Mark.Equal(r.Mark) || got.Ahead != r.Ahead {
			t.Errorf("%+v came back as %+v, %v", r, got, err)
		}
		err := b.Ledger(t.Context(), func(e integrator.Entry) error {
			if !e.DoubtSince.Equal(b.now.Add(-r.Ahead)) {
				t.Errorf("a ledger that is %v ahead says a doubt of %v is since %v", r.Ahead, b.now, e.DoubtSince)
			}
			return nil
		})
		want(t, err, nil)
	}
}
