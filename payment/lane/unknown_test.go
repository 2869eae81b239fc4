package lane_test

import (
	"testing"

	"tilld/payment"
	"tilld/payment/lane"
)

// A box asks an integrator whose ledger does not have its bills, because it was put back or is another's. Where money came a
// person looks; what ended without any stays as it was told, and calls nobody.
func TestAnEndWithoutMoneyThatIsNotKnownCallsNobody(t *testing.T) {
	money := func(b *payment.Bill) { b.Paid, b.Owed = amount, amount }
	for name, c := range map[string]struct {
		r      *run
		review bool
	}{
		"canceled":                    {returning(t).answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed), false},
		"canceled, no answer":         {returning(t).bill(payment.EvClosed), false},
		"expired":                     {expiring(t).bill(payment.EvClosed), false},
		"money came behind the fence": {returning(t).answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed, money), true},
		"returned":                    {paid(t).giveBack("C-1").answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed, money), true},
		"sold":                        {done(t), true},
	} {
		stage, lights := c.r.p.Stage, lane.LightsOf(c.r.p, nil)
		c.r.kind(lane.Snapshot).by("E31").didNot("put", "show")
		if c.r.p.Stage != stage || lane.LightsOf(c.r.p, nil) != lights {
			t.Errorf("%s: %s became %s", name, stage, c.r.p.Stage)
		}
		if c.r.p.Review != c.review {
			t.Errorf("%s: under review: %v", name, c.r.p.Review)
		}
		if c.review {
			c.r.did("tell payment.review")
		} else {
			c.r.didNot("tell")
		}
		t.Logf("%s: %s, under review: %v", name, stage, c.r.p.Review)
	}
}
