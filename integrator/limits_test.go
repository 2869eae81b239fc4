package integrator_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// What a cashier writes as the reason of a return never stands in its way, and is not a part of what its key stands for: a
// box with a restored journal says another reason, and it is the same fence.
func TestAReasonNeverStandsInTheWayOfAReturn(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		for i, reason := range []string{
			"", "broken", strings.Repeat("x", 3000), strings.Repeat("ж", payment.MaxReason), strings.Repeat("ж", payment.MaxReason+1), strings.Repeat("語", 9000), "a\x00\n\u2028",
		} {
			id := r.create(payment.Show, 100)
			key := fmt.Sprint("k", i)
			p := wire.Return{Payment: id, Key: key, Whole: true, Reason: reason}
			r.accepted(payment.OutFenced, id+":return:"+key, wire.BillReturn, p)
			st, err := r.store.Bill(t.Context(), id)
			r.ok(err)
			if got := st.Returns[0].Why; got != payment.Cut(reason, payment.MaxReason) || !payment.Fits(got, payment.MaxReason) {
				t.Errorf("of a reason of %d bytes %d are kept", len(reason), len(got))
			}
			for _, other := range []string{"restored", ""} {
				p.Reason = other
				r.accepted(payment.OutFenced, id+":return:"+key, wire.BillReturn, p)
				r.accepted(payment.OutFenced, id+":return:"+key+":again", wire.BillReturn, p)
			}
			p.Whole, p.Amount = false, 1
			r.refused(payment.NoKeyReused, id+":return:"+key, wire.BillReturn, p)
		}
	})
}

// A ledger of before holds answers whose hash has the reason in it. A box that has not had such an answer asks again with
// the same words, and it is the same call.
func TestAReturnThatWasAnsweredByAnOlderServerIsAnsweredAgain(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		p := wire.Return{Payment: id, Key: "k", Whole: true, Reason: "broken"}
		b, err := json.Marshal(p)
		r.ok(err)
		h := sha256.Sum256(append([]byte(wire.BillReturn+"\n"), b...))
		call := id + ":return:k"
		r.ok(r.store.Change(t.Context(), integrator.Subject{Bill: id, Terminal: "till-1", Epoch: r.epoch, Call: call}, func(c *integrator.Case) error {
			c.Called = &integrator.Called{Hash: hex.EncodeToString(h[:]), Outcome: payment.OutFenced}
			return nil
		}))
		r.accepted(payment.OutFenced, call, wire.BillReturn, p)
		p.Whole, p.Amount = false, 1
		r.refused(payment.NoKeyReused, call, wire.BillReturn, p)
	})
}

// Names are as long as people count them: what the till's API and the box's configuration take is taken here.
func TestNamesAreCountedInCharacters(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		for _, letter := range []string{"a", "ж", "語", "<"} {
			for field, f := range map[string]struct {
				most int
				set  func(*wire.Create, string)
			}{
				"lane":  {payment.MaxLane, func(c *wire.Create, s string) { c.Lane = s }},
				"payee": {payment.MaxPayee, func(c *wire.Create, s string) { c.Payee = s }},
			} {
				c := r.request(payment.Show, 100)
				f.set(&c, strings.Repeat(letter, f.most))
				r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
				c = r.request(payment.Show, 100)
				f.set(&c, strings.Repeat(letter, f.most+1))
				if p := r.refused(wire.NoBadParams, c.Payment+":create", wire.BillCreate, c); strings.Contains(p.Message, letter+letter) {
					t.Errorf("%s: the refusal repeats what was sent: %s", field, p.Message)
				}
			}
		}
	})
}

// frames fails unless each of the box's events fits in a frame; it says how long the longest is.
func (r *rig) frames() (longest int) {
	r.Helper()
	for after := int64(0); ; {
		es, err := r.svc.Events(r.Context(), "till-1", after, 100)
		r.ok(err)
		if len(es) == 0 {
			return longest
		}
		for _, e := range es {
			p, err := wire.EncodeNote(wire.EventNote, e)
			if err != nil {
				r.Fatalf("event %d %s stops the box's line: %v", e.Seq, e.Type, err)
			}
			longest, after = max(longest, len(p)), e.Seq
		}
	}
}

// A bank may answer anything. What nobody could scan is no code: the bill ends in order, money that comes for it all the
// same is given back, and the box's line goes on.
func TestNoAnswerOfABankStopsTheLine(t *testing.T) {
	for name, payload := range map[string]string{
		"a page instead of a link":      strings.Repeat("<html>", 12_000),
		"signs that JSON writes as six": strings.Repeat("&", 11_000),
		"one byte too long":             "https://pay.example/" + strings.Repeat("x", payment.MaxPayload-19),
		"a line feed":                   "https://pay.example/\n",
		"a letter of another alphabet":  "https://pay.example/ж",
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				r.bank.payload = payload
				id := r.create(payment.Show, 100)
				if b := r.await(id, payment.EvClosing, 30*time.Second); b.Payload != "" {
					t.Errorf("the payload of %d bytes is in the bill", len(b.Payload))
				}
				r.bank.pay(id, "T1", 100, 0) // somebody has the bank's page all the same
				r.hint(id)
				r.await(id, payment.EvPaidAfter, time.Minute)
				time.Sleep(10 * time.Minute)
				if b := r.get(id); b.Life != payment.Closed || b.Doubt {
					t.Errorf("the bill has not ended: %+v", b)
				}
				r.audit(100, 0, 100, 0)
				if !strings.Contains(r.log.String(), "a code that cannot be shown") {
					t.Error("the log does not say so")
				}
				t.Logf("the longest event has %d bytes", r.frames())
			})
		})
	}
	run(t, func(t *testing.T, r *rig) { // the longest that is drawn
		r.bank.payload = "https://pay.example/" + strings.Repeat("&", payment.MaxPayload-20)
		id := r.create(payment.Show, 100)
		if b := r.await(id, payment.EvOpen, time.Second); b.Payload != r.bank.payload {
			t.Errorf("open with %d bytes", len(b.Payload))
		}
		r.frames()
	})
}

// The bank's reason for a no is a code, or it is not told.
func TestADeclineWithoutACodeIsOther(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		for want, why := range map[string]string{"not_enough": "not_enough", "other": strings.Repeat("&", 70_000)} {
			r.bank.codes[codeOne] = func(o *order) { o.dead, o.decline = true, &payment.Decline{Why: why, Retry: true} }
			id := r.create(payment.Scan, 700)
			r.charge(id, 1, codeOne)
			if b := r.await(id, payment.EvDeclined, time.Second); b.Declined == nil || b.Declined.Why != want {
				t.Errorf("declined: %+v", b.Declined)
			}
		}
		r.bank.script("present", provider.ErrRefused)
		r.await(r.create(payment.Show, 100), payment.EvClosed, time.Second)
		r.frames()
	})
}

// A till that makes a new reference where it should repeat the old one comes to an end before the bill is too large to be
// told.
func TestReturnsOfABillAreCounted(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 1000)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 1000, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 1000)
		key := func(n int) string { return fmt.Sprintf("%03d%s", n, strings.Repeat("&", 61)) } // the longest there is
		for n := range payment.MaxReturns {
			r.giveBack(id, key(n), 1)
		}
		r.refused(payment.NoTooManyReturns, id+":return:more", wire.BillReturn, wire.Return{Payment: id, Key: "more", Amount: 1})
		r.giveBack(id, key(7), 1) // the same one again is none more
		time.Sleep(time.Hour)
		if b := r.get(id); len(b.Returns) != payment.MaxReturns || b.Returned != payment.MaxReturns {
			t.Errorf("%d returns, %d given back", len(b.Returns), b.Returned)
		}
		longest := r.frames()
		res, _ := r.call(id+":get", wire.BillGet, wire.Get{Payment: id})
		p, err := wire.EncodeResult(id+":get", res)
		r.ok(err)
		t.Logf("the longest event has %d bytes, an answer %d", longest, len(p))
	})
}

// largest is a bill with as much in it as the limits let in: each text is of the sign that JSON writes longest.
func largest(sign string) payment.Bill {
	text := func(n int) string { return strings.Repeat(sign, n) }
	ascii := func(n int) string { return strings.Repeat("&", n) }
	const most = 1<<63 - 1
	s := bill.State{
		ID: strings.Repeat("z", 26), Version: most, Terminal: ascii(wire.MaxID), Life: payment.Open, Doubt: true, Review: true, Late: payment.LateOffered,
		Payload: ascii(payment.MaxPayload), Why: ascii(payment.MaxWhy), By: "deadline", Who: text(payment.MaxWho), LastAttempt: 1000,
		Declined: &payment.Decline{Attempt: 1000, Why: ascii(payment.MaxWhy)}, Need: most,
		Request: bill.Create{
			Lane: text(payment.MaxLane), Reference: strings.Repeat("x", 64), Number: "99999", Provider: text(payment.MaxProvider), Payee: text(payment.MaxPayee),
			Mode: payment.Show, Purpose: payment.Prepayment, IfNotConfirmed: payment.Return, Amount: payment.Money{Value: payment.MaxValue, Currency: "RUB"},
		},
	}
	for range payment.MaxReturns {
		s.Returns = append(s.Returns, bill.Return{Key: ascii(64), Amount: payment.MaxValue})
	}
	now := time.Now()
	s.ExpiresAt, s.MaxOpenAt, s.LateUntil, s.ExitUntil = now.Add(time.Hour), now.Add(time.Hour), now.Add(time.Hour), now.Add(time.Hour)
	b := bill.Snapshot(s, now)
	b.Reason, b.LeaseMS, b.Flags = payment.Returning, most, []string{"late", "over", "owed", "review"}
	for _, n := range []*int64{&b.Paid, &b.Due, &b.Held, &b.Kept, &b.Owed, &b.Returned, &b.Over, &b.Applied, &b.RemainingMS, &b.MaxOpenMS, &b.ExitMS, &b.Most} {
		*n = most
	}
	return b
}

// Every event and every answer fits in a frame, whatever the limits let in: a field that is added to the bill has to find
// its place here.
func TestTheLargestBillFitsInAFrame(t *testing.T) {
	for _, sign := range []string{"x", "ж", "語", "😀", "&", "\u2028", "\x01", `"`, `\`} {
		b := largest(sign)
		for i, v := 0, reflect.ValueOf(b); i < v.NumField(); i++ {
			if f := v.Field(i); f.Kind() != reflect.Bool && f.IsZero() {
				t.Fatalf("%s is empty: nobody knows how large it may be", v.Type().Field(i).Name)
			}
		}
		body, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		const most = 1<<63 - 1
		event, err := wire.EncodeNote(wire.EventNote, wire.Event{Seq: most, Type: payment.EvConfirmWanted, Age: most, Fresh: most, Body: body})
		if err != nil {
			t.Fatalf("of %q: %v", sign, err)
		}
		id := strings.Repeat("&", wire.MaxID)
		result, err := wire.EncodeResult(id, &wire.Result{Outcome: payment.OutReferenceSeen, Owed: most, Bill: &b, Numbers: &payment.Numbers{Day: "2026-11-22", From: most, To: most}})
		if err != nil {
			t.Fatalf("an answer of %q: %v", sign, err)
		}
		problem := wire.Refuse(payment.NoTooManyReturns, strings.Repeat("x", 200))
		problem.Data.Why, problem.Data.Bill = strings.Repeat("&", payment.MaxWhy), &b
		refusal, err := wire.EncodeProblem(id, problem)
		if err != nil {
			t.Fatalf("a refusal of %q: %v", sign, err)
		}
		t.Logf("%q: an event of %d bytes, an answer of %d, a refusal of %d, of %d", sign, len(event), len(result), len(refusal), wire.MaxFrame)
	}
}
