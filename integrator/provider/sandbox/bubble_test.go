package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/providertest"
	"tilld/integrator/provider/sandbox"
	"tilld/integrator/provider/sandbox/bank"
	"tilld/internal/pipes"
	"tilld/payment"
)

// bubble is a bank, a merchant's ear and a provider in one bubble of time.
type bubble struct {
	t        *testing.T
	bank     *bank.Bank
	provider *sandbox.Provider
	line     *providertest.Line
	http     *http.Client
	start    time.Time

	mu    sync.Mutex
	hints []heard
}

// heard is a call-back, as the merchant got it.
type heard struct {
	at    time.Duration
	Order string         `json:"order"`
	State provider.State `json:"state"`
}

// inBubble runs f in a town whose hours pass in no time.
func inBubble(t *testing.T, cfg bank.Config, f func(t *testing.T, w *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		net, ear := pipes.New(), pipes.New()
		net.Far, ear.Far = pipes.Local, pipes.Local
		tr := &http.Transport{DialContext: net.Dial}
		w := &bubble{t: t, http: &http.Client{Transport: tr}, start: time.Now(), line: &providertest.Line{Base: tr}}
		merchant := &http.Server{Handler: http.HandlerFunc(w.hear), ReadHeaderTimeout: time.Second}
		earTransport := &http.Transport{DialContext: ear.Dial}
		cfg.Key, cfg.Callback, cfg.Client = key, "http://127.0.0.1/hint", &http.Client{Transport: earTransport}
		var err error
		if w.bank, err = bank.New(cfg); err != nil {
			t.Fatal(err)
		}
		if w.provider, err = sandbox.New(sandbox.Config{URL: "http://127.0.0.1:7475", Key: key, Transport: w.line}); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.bank.Serve(ctx, net); err != nil {
				t.Errorf("bank: %v", err)
			}
		})
		running.Go(func() {
			if err := merchant.Serve(ear); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("merchant: %v", err)
			}
		})
		f(t, w)
		w.provider.Close()
		cancel()
		tr.CloseIdleConnections()
		earTransport.CloseIdleConnections()
		_ = merchant.Close()
		_ = ear.Close()
		running.Wait()
	})
}

func (w *bubble) hear(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	order, status, _, err := w.provider.Callback(r, body)
	if err != nil || status != http.StatusOK {
		w.t.Errorf("call-back: status %d, %v", status, err)
	}
	h := heard{at: time.Since(w.start)}
	if err := json.Unmarshal(body, &h); err != nil || h.Order != order {
		w.t.Errorf("call-back names %q and is read as %q", h.Order, order)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hints = append(w.hints, h)
}

// told is every call-back about an order so far.
func (w *bubble) told(id string) []heard {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []heard
	for _, h := range w.hints {
		if h.Order == id {
			out = append(out, h)
		}
	}
	return out
}

// at waits until so long after the start.
func (w *bubble) at(d time.Duration) {
	time.Sleep(time.Until(w.start.Add(d)))
	synctest.Wait()
}

func (w *bubble) wallet(path string, in any) (status int, out map[string]any) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.http.Post("http://127.0.0.1:7475"+path, "application/json", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		w.t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

// pay pays a payload and checks what the payer is told.
func (w *bubble) pay(payload string, want provider.State) {
	w.t.Helper()
	if status, out := w.wallet("/wallet/pay", map[string]any{"payload": payload}); status != http.StatusOK || out["state"] != string(want) {
		w.t.Errorf("the payer gets %d %v, want 200 %s", status, out, want)
	}
}

func (w *bubble) code() payment.Code {
	w.t.Helper()
	_, out := w.wallet("/wallet/code", struct{}{})
	return payment.NewCode(fmt.Sprint(out["code"]))
}

func (w *bubble) order(value int64) provider.Order {
	return provider.Order{
		ID: payment.NewID(time.Now()), Amount: payment.Money{Value: value, Currency: "RUB"},
		Expiry: time.Now().Add(20 * time.Minute), Number: "4821",
	}
}

func (w *bubble) present(value int64) (provider.Order, string) {
	w.t.Helper()
	o := w.order(value)
	r, err := w.provider.Present(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return o, r.Payload
}

// is checks a report: its state, its payments, its decline ("" is none).
func (w *bubble) is(r provider.Report, err error, state provider.State, decline string, credits ...int64) {
	w.t.Helper()
	at := time.Since(w.start)
	if err != nil {
		w.t.Errorf("at %s: %v", at, err)
		return
	}
	got := []int64{}
	for _, c := range r.Credits {
		got = append(got, c.Amount.Value)
	}
	why := ""
	if r.Decline != nil {
		why = fmt.Sprintf("%s retry:%v", r.Decline.Why, r.Decline.Retry)
	}
	if r.State != state || why != decline || fmt.Sprint(got) != fmt.Sprint(append([]int64{}, credits...)) {
		w.t.Errorf("at %s: %s %v %q, want %s %v %q", at, r.State, got, why, state, credits, decline)
	}
}

// sees looks at an order at a moment.
func (w *bubble) sees(at time.Duration, o provider.Order, state provider.State, decline string, credits ...int64) {
	w.t.Helper()
	w.at(at)
	r, err := w.provider.Look(w.t.Context(), o)
	w.is(r, err, state, decline, credits...)
}

// deaf looks at an order at a moment when nothing is answered.
func (w *bubble) deaf(at time.Duration, o provider.Order) {
	w.t.Helper()
	w.at(at)
	r, err := w.provider.Look(w.t.Context(), o)
	if err == nil || errors.Is(err, provider.ErrRefused) || errors.Is(err, provider.ErrBusy) {
		w.t.Errorf("at %s: %q, %v; want no answer", at, r.State, err)
	}
}
