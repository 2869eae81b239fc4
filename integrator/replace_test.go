package integrator_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/internal/wire"
	"tilld/payment"
)

// newBox is the box that stands in the place of till-1.
const newBox = "till-2"

// comes opens a session of the new box.
func (r *rig) comes(seen int64) wire.Session {
	r.Helper()
	s, err := r.svc.OpenSession(r.Context(), wire.Open{Terminal: newBox, Journal: "j2", Boot: "b2", Seen: seen, Writes: 1})
	r.ok(err)
	return s
}

// of makes a call of the new box.
func (r *rig) of(s wire.Session, id, method string, params any) (*wire.Result, *wire.Problem) {
	r.Helper()
	p, err := json.Marshal(params)
	r.ok(err)
	res, problem, err := r.svc.Call(r.Context(), newBox, s.Epoch, id, method, p)
	r.ok(err)
	return res, problem
}

// B35: the open bills of a box that is gone are the business of the one in its place.
func TestABoxInThePlaceOfAnotherHasItsOpenBills(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.ok(r.svc.AddTerminal(t.Context(), newBox, make(ed25519.PublicKey, ed25519.PublicKeySize)))
		made := func() string {
			id := r.create(payment.Show, 100)
			r.await(id, payment.EvOpen, time.Second)
			return id
		}
		paid := func() string {
			id := made()
			r.bank.pay(id, "T"+id, 100, 0)
			r.hint(id)
			r.await(id, payment.EvPaid, time.Second)
			return id
		}
		over, open, part, full, same := paid(), made(), made(), paid(), paid()
		r.confirm(over, 100)
		r.bank.pay(part, "T"+part, 40, 0)
		r.hint(part)
		r.await(part, payment.EvPart, time.Second)
		first := r.comes(0)
		c := r.request(payment.Scan, 500) // its counter has begun anew
		c.Reference = r.get(same).Reference
		if _, problem := r.of(first, c.Payment+":create", wire.BillCreate, c); problem != nil {
			t.Fatal(problem)
		}

		block := func(name string, is bool) {
			r.ok(r.store.ChangeTerminal(t.Context(), name, func(x *integrator.Terminal) error { x.Blocked = is; return nil }))
		}
		cannot := func(old, by, who, words string) {
			t.Helper()
			_, err := r.svc.Replace(t.Context(), old, by, who)
			var no *integrator.Refusal
			if !errors.As(err, &no) || !strings.Contains(no.Why, words) {
				t.Errorf("%s by %s: %v, want %q", old, by, err, words)
			}
		}
		cannot("till-1", newBox, "Anna", "blocked first")
		block("till-1", true)
		cannot("till-1", "till-1", "Anna", "its own place")
		cannot("till-1", "nobody", "Anna", "terminal list")
		cannot("nobody", newBox, "Anna", "terminal list")
		cannot("till-1", newBox, " ", "a name")
		block(newBox, true)
		cannot("till-1", newBox, "Anna", "the new box is blocked")
		block(newBox, false)
		if st, err := r.store.Bill(t.Context(), open); err != nil || st.Terminal != "till-1" {
			t.Fatalf("it was refused, and a bill has moved: %+v, %v", st, err)
		}

		for i, want := range [][]string{{open, part, full}, {}} { // the second time changes nothing
			got, err := r.svc.Replace(t.Context(), "till-1", newBox, "Anna")
			r.ok(err)
			slices.Sort(got.Moved) // bills of one moment have no order
			slices.Sort(want)
			if !slices.Equal(got.Moved, want) || !slices.Equal(got.Left, []string{same}) {
				t.Fatalf("time %d: %+v, want %v moved and %v left", i+1, got, want, same)
			}
		}
		if _, _, err := r.svc.Call(t.Context(), newBox, first.Epoch, "x", wire.BillGet, json.RawMessage(`{"payment":"`+full+`"}`)); !errors.Is(err, integrator.ErrSuperseded) {
			t.Errorf("the session of before goes on: %v", err)
		}
		synctest.Wait()
		s := r.comes(1) // it has seen that its own bill was opened
		if s.Resume != "snapshot" || !slices.Contains(s.Snapshot.Payments, full) || slices.Contains(s.Snapshot.Payments, over) || slices.Contains(s.Snapshot.Payments, same) {
			t.Fatalf("the new box is told of %+v", s.Snapshot)
		}
		get := func(id string) payment.Bill {
			t.Helper()
			res, problem := r.of(s, id+":get", wire.BillGet, wire.Get{Payment: id})
			if problem != nil {
				t.Fatal(problem)
			}
			return *res.Bill
		}
		if b := get(full); b.Life != payment.Open || b.Held != 100 || b.Who != "Anna" {
			t.Errorf("a bill that was paid in full: %+v", b)
		}
		time.Sleep(time.Minute) // its bank has ended what nobody will pay any more
		for id, back := range map[string]int64{open: 0, part: 40} {
			if b := get(id); b.Life != payment.Closed || b.Returned != back || b.Owed != 0 {
				t.Errorf("a bill that was not paid in full: %+v", b)
			}
		}
		if res, problem := r.of(s, full+":confirm", wire.BillConfirm, wire.Confirm{Payment: full, Final: 100}); problem != nil || res.Outcome != payment.OutConfirmed {
			t.Errorf("the new box's word on the goods: %+v, %v", res, problem)
		}
		r.decide(same, integrator.Decision{Verdict: "return"}) // what could not move is decided here
		synctest.Wait()
		time.Sleep(time.Second)
		r.audit(340, 200, 140, 0)
	})
}
