package bill_test

import (
	"slices"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// gone takes the bank out of the server's settings, or puts it back.
func (w *world) gone(gone bool) *world { w.env.Traits.Gone = gone; return w }

// given is how often the last step had something given back.
func (w *world) given() (n int) {
	for _, f := range w.fx {
		if f.Kind == bill.Do && (f.Work.Kind == bill.GiveBack || f.Work.Request != "") {
			n++
		}
	}
	return n
}

// O2, O6, O7: what a bank owes that is not in the settings any more is not sent and not asked about; a person says what became
// of it, and what nobody has said goes on once the bank is back.
func TestWhatIsOwedByABankThatIsGone(t *testing.T) {
	said := func(w *world, verdict, why string) *world {
		return w.step(bill.Event{Cause: bill.Resolved, Obligation: w.s.Obligations[0].ID, Verdict: verdict, Evidence: why, Why: why, Who: "anna", NotDone: true})
	}
	for name, begin := range map[string]func() (w *world, request string){
		"it was not asked": func() (*world, string) {
			return newWorld(t).opened().paid(200).gone(true).whole("k"), ""
		},
		"it was asked": func() (*world, string) {
			w := newWorld(t).opened().paid(200).whole("k")
			request := w.asked().Request
			w.report(bill.Report{Work: bill.GiveBack, Request: request, Fail: bill.Unclear}).took("O6")
			return w.gone(true), request
		},
		"it has said that it does it later": func() (*world, string) {
			w := newWorld(t).opened().paid(200).whole("k")
			request := w.asked().Request
			w.returnSaid(request, "pending").took("O4")
			return w.gone(true), request
		},
		"the account was short": func() (*world, string) {
			w := newWorld(t).opened().paid(200).whole("k")
			w.returnSaid(w.asked().Request, "short").took("O5s")
			return w.gone(true), ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, request := begin()
			w.tick(72*time.Hour).sums(0, 200, 0, 0)
			w.has("returns", "none is sent or asked about", w.given() == 0 && w.s.Obligations[0].Request == request)
			id := w.s.Obligations[0].ID
			may := bill.Choices(w.s, bill.Event{Now: w.now, Env: &w.env})
			w.has("a person", "may", slices.Equal(may, []bill.Choice{{Verdict: bill.VerdictManual, Obligation: id}, {Verdict: bill.VerdictStays, Obligation: id}}))
			said(w, bill.VerdictRetry, "x").refused(payment.NoWrongState)
			said(w, bill.VerdictManual, "").refused(payment.NoWrongState) // without evidence
			said(w, bill.VerdictStays, "the bank does not answer the telephone").took("O7").told().sums(0, 200, 0, 0)
			before := w.s

			said(w, bill.VerdictManual, "cash order 17").took("O7").told(payment.EvReturned).sums(0, 0, 200, 0).status("returned")
			o := w.s.Obligations[0]
			w.has("obligation", "is done by hand", o.State == bill.Paid && o.Manual == "cash order 17" && !o.Short && !o.Async && o.Next.IsZero())
			said(w, bill.VerdictManual, "cash order 18").took("B39a").told()
			w.gone(false).tick(72*time.Hour).has("returns", "none is sent once the bank is back", w.given() == 0)
			if request != "" { // and what it says then changes nothing any more
				w.returnSaid(request, "done").told().sums(0, 0, 200, 0)
				w.returnSaid(request, "refused").told().sums(0, 0, 200, 0)
			}

			w.s = before // the bank is back before anybody has said
			w.gone(false).tick(2 * time.Hour)
			w.has("returns", "go on", w.given() > 0 && (request == "" || w.s.Obligations[0].Request == request))
			w.returnSaid(w.s.Obligations[0].Request, "done").took("O3").sums(0, 0, 200, 0)
		})
	}

	w := newWorld(t).opened().paid(200).whole("k")
	w.asked()
	said(w, bill.VerdictManual, "cash order 17").refused(payment.NoWrongState) // a bank that is there has the word
	w.has("a person", "may nothing", len(bill.Choices(w.s, bill.Event{Now: w.now, Env: &w.env})) == 0)
}

// A bank that may be giving back by itself holds up the end of its bill. If it is gone, a person says whether it has.
func TestADoubtAtABankThatIsGoneEnds(t *testing.T) {
	w := newWorld(t)
	w.env.Traits.KillRefunds = true
	w.opened().paid(100)
	w.now = w.s.ExpiresAt
	w.step(bill.Event{Cause: bill.Tick}).looked(bill.Pending).took("B13k")
	w.report(bill.Report{Work: bill.Kill, Status: bill.Dead}).took("B18")
	w.whole("k").took("B11a") // what came is owed now, and the kill may give it back
	w.has("obligation", "is the bank's to give back", len(w.s.Obligations) == 1 && w.s.Obligations[0].ByProvider)
	w.gone(true).tick(48 * time.Hour).step(bill.Event{Cause: bill.Silent}).took("B21")
	dead := bill.Event{Cause: bill.Decided, Verdict: bill.VerdictDead, Who: "anna", Why: "not in the list"}
	w.step(dead).refused(payment.NoWrongState)
	w.step(bill.Event{Cause: bill.Resolved, Obligation: w.s.Obligations[0].ID, Verdict: bill.VerdictManual, Evidence: "in the bank's list", Who: "anna"}).took("O7")
	w.step(dead).took("B21a", "B13").told(payment.EvClosed).sums(0, 0, 100, 0).flags()
}
