package bill_test

import (
	"strings"
	"testing"
	"time"

	"tilld/payment/bill"
)

// asked is the one return that the worker sends now.
func (w *world) asked() bill.Work {
	w.t.Helper()
	jobs := w.sent()
	if len(jobs) != 1 {
		w.t.Fatalf("sent %+v", jobs)
	}
	return jobs[0]
}

// A ledger that was put back from a copy asks for the same return by the same request id, which the bank has done, and for
// everything else by another, whatever the lost ledger had asked for since the copy was made.
func TestARequestIDIsThatOfOneReturnOverACopyToo(t *testing.T) {
	w := newWorld(t)
	w.opened(func(c *bill.Create) { c.Amount.Value = 800 }).paid(800).confirm(800).took("B7")
	copied := w.s
	lost := map[string]string{}
	for _, key := range []string{"a", "b"} {
		lost[key] = w.giveBack(key, 200).asked().Request
		w.returnSaid(lost[key], "done").took("O3")
	}
	w.s = copied
	fresh := map[string]string{}
	for _, key := range []string{"c", "b", "a"} { // the till goes on selling before it says again what it was promised
		fresh[key] = w.giveBack(key, 200).asked().Request
		w.returnSaid(fresh[key], "done").took("O3")
	}
	for key, id := range lost {
		w.has(key, "was "+id+" before and is "+fresh[key], fresh[key] == id)
	}
	w.has("c", "has another", fresh["c"] != lost["a"] && fresh["c"] != lost["b"] && lost["a"] != lost["b"])
	w.sums(200, 0, 600, 0)

	w.s = copied // the same key for another amount is another return: the bank must not take it for the one it has done
	w.has("another amount", "another id", w.giveBack("a", 100).asked().Request != lost["a"])
	t.Logf("before %v, after %v", lost, fresh)
}

// What nobody asked for has no key: it is known by its payment and its amount.
func TestARequestIDOfADebtWithoutAKeyFollowsFromThePayment(t *testing.T) {
	w := newWorld(t)
	w.opened().paid(200)
	copied := w.s
	second := w.onTime(200)
	over := w.looked(bill.Pending, second).took("B6a").asked()
	w.returnSaid(over.Request, "done").confirm(150)
	w.returnSaid(w.asked().Request, "done")
	w.s = copied
	below := w.confirm(150).asked() // the box has the first word now, and the second payment is found behind it
	w.has("below", "is another return", below.Request != over.Request)
	again := w.returnSaid(below.Request, "done").looked(bill.Dead, second).took("B16a").asked()
	w.has("the second payment", "goes back by the id that it went back by", again.Txn == over.Txn && again.Request == over.Request)
}

// Each try has an id of its own, of one length, also where the bank refuses, is short, bounces, and a person tries again. They
// are the same in every version of this program: a copy may be an old one's.
func TestARequestIDIsUsedForOneTry(t *testing.T) {
	w := newWorld(t)
	w.env.Traits.Methods = []string{"cancel", "refund"}
	w.opened().paid(200).whole("a")
	seen := map[string]bool{}
	try := func(said string) string {
		id := w.asked().Request
		if rest, ok := strings.CutPrefix(id, billID+"r"); !ok || len(rest) != 13 || strings.Trim(rest, "0123456789abcdefghjkmnpqrstvwxyz") != "" || seen[id] {
			t.Errorf("try %d has the id %q", len(seen)+1, id)
		}
		seen[id] = true
		w.returnSaid(id, said)
		return id
	}
	first, second := try("refused"), try("short")
	w.after(time.Hour)
	try("refused")
	w.step(bill.Event{Cause: bill.Resolved, Obligation: w.s.Obligations[0].ID, Verdict: bill.VerdictRetry, NotDone: true, Who: "anna"}).took("O7")
	try("done")
	w.step(bill.Event{Cause: bill.Bounced, Obligation: w.s.Obligations[0].ID}).took("O8")
	try("done")
	w.sums(0, 0, 200, 0).status(bill.StReturned)
	w.has("tries", "are five, and counted as one return", len(seen) == 5 && len(w.s.Requested) == 1 && w.s.Requested[0].Times == 5)
	if first != billID+"rmkmb0f3fbwwm9" || second != billID+"r6aw4tcgrgrmk0" {
		t.Errorf("the first two ids are %s and %s: a copy of before would be asked for by others", first, second)
	}
}
