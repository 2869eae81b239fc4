package integrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox"
	sandboxbank "tilld/integrator/provider/sandbox/bank"
	"tilld/internal/wire"
	"tilld/payment"
)

// town is a server with the sandbox bank, both as they are by default, in a bubble of its own time.
type town struct {
	*rig
	bank    *sandboxbank.Bank
	running sync.WaitGroup
	ahead   func(path string) // of what the bank is asked
}

// direct is a line to a handler without sockets. Whoever hangs up does not wait for the handler.
type direct struct {
	h       http.Handler
	running *sync.WaitGroup
}

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr, r.RequestURI = "127.0.0.1:4000", r.URL.RequestURI()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	done := make(chan struct{})
	d.running.Go(func() {
		defer close(done)
		d.h.ServeHTTP(rec, r)
	})
	select {
	case <-done:
		return rec.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func inTown(t *testing.T, f func(*town)) {
	t.Helper()
	inTownOf(t, sandboxbank.Evil{}, f)
}

func inTownOf(t *testing.T, evil sandboxbank.Evil, f func(*town)) {
	t.Helper()
	inTownWith(t, sandboxbank.Config{Evil: evil}, f)
}

func inTownWith(t *testing.T, c sandboxbank.Config, f func(*town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &town{rig: newRig(t)}
		key := bytes.Repeat([]byte("k"), 32)
		hints := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			status, reply := w.svc.Callback(r.Context(), "sandbox", r, body)
			rw.WriteHeader(status)
			_, _ = rw.Write(reply)
		})
		var err error
		c.Key, c.Callback, c.Client = key, "http://127.0.0.1/hint", &http.Client{Transport: direct{hints, &w.running}}
		w.bank, err = sandboxbank.New(c)
		w.ok(err)
		orders := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if w.ahead != nil {
				w.ahead(r.URL.Path)
			}
			w.bank.Handler().ServeHTTP(rw, r)
		})
		p, err := sandbox.New(sandbox.Config{
			URL: "http://127.0.0.1:7475", Key: key, Transport: direct{orders, &w.running}, KillRefunds: c.Evil.KillRefunds > 0,
		})
		w.ok(err)
		w.more = map[string]provider.Provider{"sandbox": p}
		w.start()
		ctx, stop := context.WithCancel(t.Context())
		w.running.Go(func() { _ = w.bank.Run(ctx) })
		defer w.running.Wait()
		defer stop()
		defer w.down()
		f(w)
	})
}

// wallet does what a customer does with a phone.
func (w *town) wallet(path string, in map[string]any) map[string]any {
	w.Helper()
	body, err := json.Marshal(in)
	w.ok(err)
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, "http://127.0.0.1:7475"+path, bytes.NewReader(body))
	w.ok(err)
	resp, err := direct{w.bank.Handler(), &w.running}.RoundTrip(req)
	w.ok(err)
	defer resp.Body.Close()
	var out map[string]any
	w.ok(json.NewDecoder(resp.Body).Decode(&out))
	return out
}

func (w *town) sale(mode payment.Mode, amount int64) string {
	w.Helper()
	c := w.request(mode, amount)
	c.Provider, c.LifeMS = "sandbox", 0
	w.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
	return c.Payment
}

// shown is a sale whose code is on the glass, and the code.
func (w *town) shown(amount int64) (id, payload string) {
	w.Helper()
	id = w.sale(payment.Show, amount)
	return id, w.await(id, payment.EvOpen, 13*time.Second).Payload
}

func (w *town) pays(payload string) {
	w.Helper()
	w.wallet("/wallet/pay", map[string]any{"payload": payload})
}

func (w *town) scans(id string, n int) {
	w.Helper()
	code, _ := w.wallet("/wallet/code", map[string]any{})["code"].(string)
	w.charge(id, n, code)
	synctest.Wait() // the bank has been asked, or has the code
}

// is awaits an event and checks the status that it says.
func (w *town) is(id, kind, status string, limit time.Duration) payment.Bill {
	w.Helper()
	b := w.await(id, kind, limit)
	if b.Status != status {
		w.Errorf("%s is %s, want %s", kind, b.Status, status)
	}
	return b
}

// books are the sums of the ledger, in which nothing is in doubt or held any more.
func (w *town) books(credits, goods, returned, owed int64) {
	w.Helper()
	synctest.Wait()
	rep, err := w.svc.Audit(w.Context())
	w.ok(err)
	if s := rep.Sums["RUB"]; s.Credits != credits || s.Goods != goods || s.Returned != returned || s.Owed != owed || s.Held != 0 || !rep.OK() || len(rep.Doubts) != 0 {
		w.Errorf("audit %+v, want credits %d goods %d returned %d owed %d", rep, credits, goods, returned, owed)
	}
}

// sold confirms a paid sale.
func (w *town) sold(id string, amount int64) {
	w.Helper()
	w.confirm(id, amount)
	w.is(id, payment.EvDone, "confirmed", time.Second)
}

// magicShown is every magic amount with a code that the shop shows, as the till hears of it.
var magicShown = []struct {
	name string
	do   func(w *town)
}{
	{"01 is declined once", func(w *town) {
		id, code := w.shown(12501)
		w.pays(code)
		w.is(id, payment.EvPaying, "paying", 6*time.Second)
		if b := w.is(id, payment.EvOpen, "open", 10*time.Second); b.Declined == nil || b.Declined.Why != "not_enough" || !b.Declined.Retry {
			w.Errorf("declined %+v", b.Declined)
		}
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 12501)
		w.books(12501, 12501, 0, 0)
	}},
	{"02 is declined for good", func(w *town) {
		id, code := w.shown(12502)
		w.pays(code)
		w.is(id, payment.EvPaying, "paying", 6*time.Second)
		if b := w.is(id, payment.EvClosed, "refused", 10*time.Second); b.Why != "limit" {
			w.Errorf("closed: why %q", b.Why)
		}
		w.books(0, 0, 0, 0)
	}},
	{"02 dies by itself", func(w *town) {
		id, _ := w.shown(12502)
		w.is(id, payment.EvClosed, "refused", 14*time.Second)
		w.books(0, 0, 0, 0)
	}},
	{"03 is paid 6 s after its end without a wallet, and taken", func(w *town) {
		id, _ := w.shown(12503)
		w.is(id, payment.EvClosing, "closing", 301*time.Second)
		if b := w.is(id, payment.EvLate, "closing", 12*time.Second); b.LeaseMS < 25_000 || b.Held != 12503 {
			w.Errorf("late: %+v", b)
		}
		w.accepted(payment.OutAccepted, id+":accept_late", wire.BillAcceptLate, wire.AcceptLate{Payment: id})
		w.is(id, payment.EvPaid, "paid", 0)
		w.sold(id, 12503)
		w.books(12503, 12503, 0, 0)
	}},
	{"03 is paid 6 s after its end, and not taken", func(w *town) {
		id, code := w.shown(12503)
		w.pays(code)
		w.is(id, payment.EvLate, "closing", 315*time.Second)
		w.is(id, payment.EvPaidAfter, "closing", 31*time.Second)
		w.is(id, payment.EvClosed, "expired", 10*time.Second)
		w.is(id, payment.EvReturned, "expired", 10*time.Second)
		w.books(12503, 0, 12503, 0)
	}},
	{"04 is paid while it is cancelled", func(w *town) {
		id, _ := w.shown(12504)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvPaidAfter, "closing", 10*time.Second)
		w.is(id, payment.EvClosed, "canceled", 10*time.Second)
		w.await(id, payment.EvReturned, 10*time.Second)
		w.books(12504, 0, 12504, 0)
	}},
	{"05 is paid twice", func(w *town) {
		id, code := w.shown(12505)
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.is(id, payment.EvOver, "paid", 6*time.Second)
		w.await(id, payment.EvReturned, 10*time.Second)
		w.sold(id, 12505)
		w.books(25010, 12505, 12505, 0)
	}},
	{"06 is paid, the bank is silent for 75 s", func(w *town) {
		id, code := w.shown(12506)
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 120*time.Second)
		w.sold(id, 12506)
		w.books(12506, 12506, 0, 0)
	}},
	{"06 is cancelled, the bank is silent for 75 s, then says paid", func(w *town) {
		id, _ := w.shown(12506)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvDoubt, "unknown", 61*time.Second)
		w.is(id, payment.EvPaidAfter, "closing", 60*time.Second)
		w.is(id, payment.EvClosed, "canceled", 10*time.Second)
		w.await(id, payment.EvReturned, 10*time.Second)
		w.books(12506, 0, 12506, 0)
	}},
	{"07 is paid, the bank is silent for 75 s, then says dead", func(w *town) {
		id, code := w.shown(12507)
		w.pays(code)
		w.is(id, payment.EvClosed, "refused", 120*time.Second)
		w.books(0, 0, 0, 0)
	}},
	{"07 is cancelled, the bank is silent for 75 s, then says dead", func(w *town) {
		id, _ := w.shown(12507)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvDoubt, "unknown", 61*time.Second)
		w.is(id, payment.EvClosed, "canceled", 6*time.Minute)
		w.books(0, 0, 0, 0)
	}},
	{"08 is slow", func(w *town) {
		began := time.Now()
		id, code := w.shown(12508)
		if took := time.Since(began); took != 12*time.Second {
			w.Errorf("the code came after %v", took)
		}
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 12508)
		w.books(12508, 12508, 0, 0)
	}},
	{"08 is slow, and cancelled before it answers", func(w *town) {
		id := w.sale(payment.Show, 12508)
		time.Sleep(5 * time.Second)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvClosed, "canceled", 30*time.Second)
		w.books(0, 0, 0, 0)
	}},
	{"09 is paid in two parts", func(w *town) {
		id, code := w.shown(12509)
		w.pays(code)
		w.is(id, payment.EvPart, "part_paid", 6*time.Second)
		w.is(id, payment.EvPaid, "paid", 8*time.Second)
		w.sold(id, 12509)
		w.books(12509, 12509, 0, 0)
	}},
	{"10 cannot be returned", func(w *town) {
		id, code := w.shown(12510)
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 12510)
		w.giveBack(id, "r1", 510)
		if b := w.is(id, payment.EvReview, "part_returned", time.Minute); b.Returns[0].State != "refused" || b.Owed != 510 {
			w.Errorf("returns %+v", b.Returns)
		}
		w.books(12510, 12000, 0, 510)
	}},
	{"11 can be returned an hour later", func(w *town) {
		id, code := w.shown(12511)
		w.pays(code)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 12511)
		w.giveBack(id, "r1", 511)
		if b := w.is(id, payment.EvReview, "part_returned", time.Minute); b.Returns[0].State != "short" {
			w.Errorf("returns %+v", b.Returns)
		}
		w.is(id, payment.EvReturned, "part_returned", 61*time.Minute)
		w.books(12511, 12000, 511, 0)
	}},
	{"12 is being paid for 40 s", func(w *town) {
		id, code := w.shown(12512)
		w.pays(code)
		w.is(id, payment.EvPaying, "paying", 6*time.Second)
		w.is(id, payment.EvPaid, "paid", 45*time.Second)
		w.sold(id, 12512)
		w.books(12512, 12512, 0, 0)
	}},
	{"13 gets no code", func(w *town) {
		id := w.sale(payment.Show, 12513)
		w.is(id, payment.EvClosed, "refused", time.Second)
		w.books(0, 0, 0, 0)
	}},
}

// magicScanned is every magic amount with a code that the customer shows.
var magicScanned = []struct {
	name string
	do   func(w *town)
}{
	{"01 is declined, the next code is taken", func(w *town) {
		id := w.sale(payment.Scan, 12501)
		w.scans(id, 1)
		if b := w.is(id, payment.EvDeclined, "open", time.Second); !b.Declined.Retry || b.Declined.Why != "not_enough" {
			w.Errorf("declined %+v", b.Declined)
		}
		w.scans(id, 2)
		w.is(id, payment.EvPaid, "paid", time.Second)
		w.sold(id, 12501)
		w.books(12501, 12501, 0, 0)
	}},
	{"02 is declined for good, and ends with its life", func(w *town) {
		id := w.sale(payment.Scan, 12502)
		for n := 1; n <= 2; n++ { // another code may be another wallet: the till may show one
			w.scans(id, n)
			if b := w.is(id, payment.EvDeclined, "open", time.Second); b.Declined.Retry || b.Declined.Why != "limit" {
				w.Errorf("declined %+v", b.Declined)
			}
		}
		w.is(id, payment.EvClosed, "expired", 301*time.Second)
		w.books(0, 0, 0, 0)
	}},
	{"02 is declined for good, and cancelled", func(w *town) {
		id := w.sale(payment.Scan, 12502)
		w.scans(id, 1)
		w.await(id, payment.EvDeclined, time.Second)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvClosed, "canceled", time.Second)
		w.books(0, 0, 0, 0)
	}},
	{"03 is paid after the kill that got no answer", func(w *town) {
		id := w.sale(payment.Scan, 12503)
		w.scans(id, 1)
		w.is(id, payment.EvClosing, "closing", 61*time.Second)
		w.is(id, payment.EvPaid, "paid", 15*time.Second) // on time: the sale's own end has not come
		w.sold(id, 12503)
		w.books(12503, 12503, 0, 0)
	}},
	{"04 is paid while it is killed", func(w *town) {
		id := w.sale(payment.Scan, 12504)
		w.scans(id, 1)
		time.Sleep(time.Second) // the charge is at the bank: one of a sale that is over would not be made
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvPaidAfter, "closing", 30*time.Second)
		w.is(id, payment.EvClosed, "canceled", 10*time.Second)
		w.await(id, payment.EvReturned, 10*time.Second)
		w.books(12504, 0, 12504, 0)
	}},
	{"05 is paid twice", func(w *town) {
		id := w.sale(payment.Scan, 12505)
		w.scans(id, 1)
		w.is(id, payment.EvPaid, "paid", time.Second)
		w.is(id, payment.EvOver, "paid", 10*time.Second)
		w.await(id, payment.EvReturned, 10*time.Second)
		w.sold(id, 12505)
		w.books(25010, 12505, 12505, 0)
	}},
	{"06 is paid, the bank is silent for 75 s", func(w *town) {
		id := w.sale(payment.Scan, 12506)
		w.scans(id, 1)
		w.is(id, payment.EvClosing, "closing", 61*time.Second)
		w.is(id, payment.EvPaid, "paid", 75*time.Second)
		w.sold(id, 12506)
		w.books(12506, 12506, 0, 0)
	}},
	{"07 is charged, the bank is silent for 75 s, then says dead", func(w *town) {
		id := w.sale(payment.Scan, 12507)
		w.scans(id, 1)
		w.is(id, payment.EvClosed, "expired", 3*time.Minute)
		w.books(0, 0, 0, 0)
	}},
	{"08 is slow", func(w *town) {
		id := w.sale(payment.Scan, 12508)
		began := time.Now()
		w.scans(id, 1)
		w.is(id, payment.EvPaid, "paid", 13*time.Second)
		if took := time.Since(began); took != 12*time.Second {
			w.Errorf("it was paid after %v", took)
		}
		w.sold(id, 12508)
		w.books(12508, 12508, 0, 0)
	}},
	{"09 is paid in two parts", func(w *town) {
		id := w.sale(payment.Scan, 12509)
		w.scans(id, 1)
		w.is(id, payment.EvPart, "charging", time.Second)
		w.is(id, payment.EvPaid, "paid", 6*time.Second)
		w.sold(id, 12509)
		w.books(12509, 12509, 0, 0)
	}},
	{"12 is being paid for 40 s", func(w *town) {
		id := w.sale(payment.Scan, 12512)
		w.scans(id, 1)
		w.is(id, payment.EvPaid, "paid", 45*time.Second)
		w.sold(id, 12512)
		w.books(12512, 12512, 0, 0)
	}},
	{"13 is refused, and cancelled", func(w *town) {
		id := w.sale(payment.Scan, 12513)
		w.scans(id, 1)
		w.is(id, payment.EvDeclined, "open", time.Second)
		w.giveBack(id, "whole", 0)
		w.is(id, payment.EvClosed, "canceled", time.Second)
		w.books(0, 0, 0, 0)
	}},
}

// TestMagicAmounts plays the sandbox bank's whole table against a server with the settings of the design.
func TestMagicAmounts(t *testing.T) {
	for _, c := range magicShown {
		t.Run("shown/"+c.name, func(t *testing.T) { inTown(t, c.do) })
	}
	for _, c := range magicScanned {
		t.Run("scanned/"+c.name, func(t *testing.T) { inTown(t, c.do) })
	}
	t.Logf("%d stories shown, %d scanned", len(magicShown), len(magicScanned))
}
