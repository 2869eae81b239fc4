package integrator_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// settings starts the server anew with r.bank in its settings, or with another bank in its place.
func (r *rig) settings(bank bool) {
	r.Helper()
	r.down()
	r.unset = !bank
	r.up()
	r.session()
}

// stranded fails unless so much waits for the bank, by the log of the last start and by what is asked.
func (r *rig) stranded(want integrator.Stranded) {
	r.Helper()
	synctest.Wait() // the start says it beside the calls that it takes
	list, err := r.svc.Stranded(r.Context())
	r.ok(err)
	if len(list) != 1 || list[0] != want {
		r.Errorf("stranded: %+v, want %+v", list, want)
	}
	const line = `"bills wait for a provider that is not configured" provider=bank bills=`
	if _, after, said := strings.Cut(r.log.String(), line); !said || !strings.HasPrefix(after, "1 doubts=") {
		r.Errorf("the log does not say it: %s", r.log.String())
	}
}

var (
	manual = integrator.Decision{Verdict: bill.VerdictManual}
	stays  = integrator.Decision{Verdict: bill.VerdictStays}
)

// A return is with a bank that has not answered, or is still to be asked for, and the bank is taken out of the settings.
func TestAReturnOfABankThatIsGoneIsAPersons(t *testing.T) {
	for name, asked := range map[string]bool{"asked for": true, "not asked for yet": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				r.bank.script("return", slices.Repeat([]error{errLine}, 2000)...)
				var id string
				if asked {
					id = paidBack(r)
					r.silence()
					time.Sleep(time.Second)
				} else {
					id = r.create(payment.Show, 100)
					r.await(id, payment.EvOpen, time.Second)
					r.bank.pay(id, "T"+id, 100, 0)
					r.hint(id)
					r.await(id, payment.EvPaid, time.Second)
				}
				r.settings(false)
				if !asked {
					r.giveBack(id, "whole", 0)
					r.await(id, payment.EvClosed, time.Second)
				}
				sent := r.bank.count("return")
				time.Sleep(72 * time.Hour)
				list, err := r.svc.Stranded(r.Context())
				if r.ok(err); len(list) != 1 || list[0] != (integrator.Stranded{Provider: "bank", Bills: 1, Debts: 1}) {
					t.Errorf("stranded: %+v", list)
				}
				if n := strings.Count(r.log.String(), "provider did not answer"); n > 3 {
					t.Errorf("the log says %d times that a bank did not answer which nobody asks", n)
				}
				w, may := r.waiting()
				if !w.Gone || len(w.Debts) != 1 || w.Debts[0].State != "no_provider" || !slices.Equal(may, []string{"manual", "stays"}) {
					t.Fatalf("may %v of %+v", may, w)
				}
				r.cannot(id, integrator.Decision{Verdict: bill.VerdictRetry}, "do not name", "bank")
				r.decide(id, stays)
				r.decide(id, manual)
				if b := r.await(id, payment.EvReturned, 0); b.Returned != 100 || b.Owed != 0 {
					t.Errorf("by hand: %+v", b)
				}
				if again := r.decide(id, integrator.Decision{Verdict: bill.VerdictManual, Who: "Boris"}); again.Who != "Anna" {
					t.Errorf("again: %+v", again)
				}
				r.nobodyWaits()
				r.settings(true)
				time.Sleep(72 * time.Hour)
				if n := r.bank.count("return"); n != sent {
					t.Errorf("the bank was told %d times more, of money that was given back by hand", n-sent)
				}
				rep, err := r.svc.Audit(t.Context())
				if err != nil || !rep.OK() || rep.Sums["RUB"] != (integrator.Sums{Credits: 100, Returned: 100}) {
					t.Errorf("audit %+v, %v", rep, err)
				}
			})
		})
	}
}

// What a bank that is gone still owes goes on by itself once it is in the settings again.
func TestABankThatIsBackGivesBack(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.bank.script("return", errLine) // it has done it, and the answer is lost
		id := paidBack(r)
		r.silence()
		time.Sleep(time.Second)
		r.settings(false)
		r.stranded(integrator.Stranded{Provider: "bank", Bills: 1, Debts: 1})
		time.Sleep(72 * time.Hour)
		r.bank.script("look")
		r.settings(true)
		r.await(id, payment.EvReturned, 2*time.Hour)
		r.audit(100, 0, 100, 0)
		if list, err := r.svc.Stranded(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("stranded: %+v, %v", list, err)
		}
		r.nobodyWaits()
	})
}

// A doubt whose bank is gone is a person's after its two days, like any other.
func TestADoubtOfABankThatIsGoneIsAPersons(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id, _ := r.doubtful()
		r.settings(false)
		r.stranded(integrator.Stranded{Provider: "bank", Bills: 1, Doubts: 1})
		if w, may := r.waiting(); !w.Gone || len(may) != 0 || w.From.IsZero() {
			t.Errorf("may %v of %+v", may, w)
		}
		r.cannot(id, dead(), "do not name bank", "until")
		r.await(id, payment.EvReview, 50*time.Hour)
		if w, may := r.waiting(); !w.Gone || !slices.Equal(may, []string{"dead", "paid"}) {
			t.Errorf("may %v of %+v", may, w)
		}
		r.decide(id, dead())
		if b := r.await(id, payment.EvClosed, 0); b.Status != "expired" {
			t.Errorf("closed: %+v", b)
		}
		r.nobodyWaits()
		r.audit(0, 0, 0, 0)
		other := r.request(payment.Show, 300) // the shop sells by the other bank meanwhile
		r.accepted(payment.OutCreated, other.Payment+":create", wire.BillCreate, other)
		r.await(other.Payment, payment.EvOpen, time.Second)
	})
}
