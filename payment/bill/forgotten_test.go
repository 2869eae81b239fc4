package bill_test

import (
	"testing"

	"tilld/payment"
	"tilld/payment/bill"
)

// A box says its fence and its confirm again because of the mark that a put-back ledger gives its bills. So a live bill gets
// it whatever it was under review for, keeps it until the box has said so, and what it was under review for is not lost.
func TestTheMarkOfAPutBackLedgerStandsInFrontOfOtherReviews(t *testing.T) {
	recovered, lost := bill.Event{Cause: bill.Recovered}, bill.Event{Cause: bill.Forgotten}
	for why, begin := range map[string]func(*world) *world{
		"":             func(w *world) *world { return w.opened().paid(200) },
		"journal_lost": func(w *world) *world { return w.opened().paid(200).step(lost) },
		"reference_seen": func(w *world) *world {
			return w.opened().create(func(c *bill.Create) { c.Payment = "other" }).paid(200)
		},
		"return_refused": func(w *world) *world { return refusing(w.opened().paid(250)) },
	} {
		for name, word := range map[string]func(*world) *world{
			"fence":            func(w *world) *world { return w.whole("k").took("B12") },
			"confirm":          func(w *world) *world { return w.confirm(200).took("B7") },
			"the clock, fence": func(w *world) *world { return w.tick(w.s.ConfirmBy.Sub(w.now)).took("B9").whole("k").took("B27") },
		} {
			w := begin(newWorld(t))
			w.has(why, "is why", w.s.Why == why && w.s.Review == (why != ""))
			v := w.s.Version
			w.step(recovered).told(payment.EvReview).status("paid")
			b := bill.Snapshot(w.s, w.now)
			w.has(why, "the box is told", b.Why == payment.WhyLedgerRestored && b.Review && b.Version == v+1)
			w.step(recovered).told().step(lost).told() // the session broke off, and came again
			w.has(why, "once", w.s.Version == v+1 && w.s.Why == payment.WhyLedgerRestored)
			word(w)
			stays := why == "reference_seen" || why == "return_refused"
			w.has(why, name+": what else it is under review for stays", w.s.Review == stays && (!stays || w.s.Why == why) && w.s.Before == "")
			t.Logf("%q, then %s: review %v, why %q", why, name, w.s.Review, w.s.Why)
		}
	}

	w := newWorld(t) // the other order: marked, then the bank refuses what was paid too much
	w.opened().step(recovered).told(payment.EvReview)
	refusing(w.paid(250)).has("mark", "stays", w.s.Why == payment.WhyLedgerRestored)
	before := w.s
	w.whole("k").took("B12").has("refused return", "is still to be seen", w.s.Review && w.s.Why == "return_refused")
	w.s = before
	e := bill.Event{Cause: bill.Resolved, Verdict: bill.VerdictManual, Evidence: "cash order 3", Who: "anna", Obligation: w.s.Obligations[0].ID}
	w.step(e).took("O7").has("mark", "is not a person's to take away", w.s.Review && w.s.Why == payment.WhyLedgerRestored)
	w.whole("k").took("B12").has("review", "is over", !w.s.Review)

	c := newWorld(t) // a closed one keeps its own
	c.opened().paid(200).confirm(200).step(bill.Event{Cause: bill.Clawed, Key: "cb", Txn: "tx1", Amount: 50}).step(recovered).told()
	c.has("chargeback", "stays", c.s.Why == "chargeback")
}

// refusing is w after the bank has refused to give back what was too much, in every way.
func refusing(w *world) *world {
	for jobs := w.sent(); len(jobs) > 0; jobs = w.sent() {
		w.returnSaid(jobs[0].Request, "refused")
	}
	return w
}
