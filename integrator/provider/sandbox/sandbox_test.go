package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tilld/integrator/provider/providertest"
	"tilld/integrator/provider/sandbox"
	"tilld/integrator/provider/sandbox/bank"
	"tilld/payment"
)

var key = []byte("0123456789abcdef0123456789abcdef")

// town is a bank on a real socket, a merchant that hears its call-backs, and the provider between them.
type town struct {
	URL      string
	Line     *providertest.Line
	Provider *sandbox.Provider
	hints    chan hint
}

type hint struct {
	r    *http.Request
	body []byte
}

func newTown(t *testing.T, cfg bank.Config, pc sandbox.Config) *town {
	t.Helper()
	w := &town{hints: make(chan hint, 64), Line: &providertest.Line{Base: &http.Transport{}}}
	merchant := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		select {
		case w.hints <- hint{r.Clone(context.Background()), body}:
		default: // nobody in this test listens
		}
	}))
	cfg.Key, cfg.Callback = key, merchant.URL
	b, err := bank.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx, ln) }()
	w.URL = "http://" + ln.Addr().String()
	pc.URL, pc.Key, pc.Transport = w.URL, key, w.Line
	if w.Provider, err = sandbox.New(pc); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Provider.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("bank ended with %v", err)
		}
		merchant.Close()
	})
	return w
}

// wallet calls the wallet's API and returns its answer.
func (w *town) wallet(t *testing.T, path string, in any) map[string]any {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(w.URL+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, out["code"])
	}
	return out
}

func (w *town) code(t *testing.T) payment.Code {
	t.Helper()
	return payment.NewCode(fmt.Sprint(w.wallet(t, "/wallet/code", struct{}{})["code"]))
}

func (w *town) harness() providertest.Harness {
	return providertest.Harness{
		Provider: w.Provider, Line: w.Line, Currency: "RUB", Life: 50 * time.Millisecond,
		Pay: func(t *testing.T, payload string, value int64) {
			in := map[string]any{"payload": payload}
			if value > 0 {
				in["amount"] = value
			}
			w.wallet(t, "/wallet/pay", in)
		},
		Decline: func(t *testing.T, payload string) {
			w.wallet(t, "/wallet/begin", map[string]any{"payload": payload})
			w.wallet(t, "/wallet/refuse", map[string]any{"payload": payload})
		},
		Code: w.code,
		Hint: func(t *testing.T) (*http.Request, []byte) {
			select {
			case h := <-w.hints:
				return h.r, h.body
			case <-time.After(time.Minute):
				t.Fatal("no call-back came")
				return nil, nil
			}
		},
	}
}

func TestContract(t *testing.T) {
	limits := sandbox.Config{CallLimit: time.Second, AskLimit: time.Second}
	t.Run("Plain", func(t *testing.T) {
		t.Parallel()
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			return newTown(t, bank.Config{}, limits).harness()
		})
	})
	t.Run("ReturnsTakeTheirTime", func(t *testing.T) {
		t.Parallel()
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			return newTown(t, bank.Config{Times: bank.Times{Return: 20 * time.Millisecond}}, limits).harness()
		})
	})
	t.Run("StateOnDisk", func(t *testing.T) {
		t.Parallel()
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			return newTown(t, bank.Config{State: t.TempDir()}, limits).harness()
		})
	})
	t.Run("CallbacksGoWrong", func(t *testing.T) {
		t.Parallel()
		evil := bank.Evil{Seed: 7, Duplicate: 0.5, Reorder: 0.3, LateHint: 0.3}
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			return newTown(t, bank.Config{Evil: evil, Times: bank.Times{LateHint: 10 * time.Millisecond}}, limits).harness()
		})
	})
}
