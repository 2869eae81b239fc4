package bank_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider/sandbox/bank"
)

var key = []byte("0123456789abcdef0123456789abcdef")

func newBank(t *testing.T, cfg bank.Config) *bank.Bank {
	t.Helper()
	cfg.Key = key
	b, err := bank.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mac is the signature as the documentation tells it.
func mac(k []byte, parts ...string) string {
	m := hmac.New(sha256.New, k)
	m.Write([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(m.Sum(nil))
}

type order struct {
	State   string `json:"state"`
	Payload string `json:"payload"`
	Code    string `json:"code"` // of a refusal
	Credits []struct {
		Txn   string `json:"txn"`
		Value int64  `json:"value"`
	} `json:"credits"`
	Returns []struct{ ID, State string } `json:"returns"`
}

// merchant does a signed request and checks the signature of the answer.
func merchant(t *testing.T, b *bank.Bank, method, path, body string) (int, order) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	sig := mac(key, "request", method, path, body)
	r.Header.Set(bank.Header, sig)
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	if got, want := w.Header().Get(bank.Header), mac(key, "answer", sig, strconv.Itoa(w.Code), w.Body.String()); got != want {
		t.Errorf("%s %s: %d is signed %q, want %q", method, path, w.Code, got, want)
	}
	var o order
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
		t.Fatalf("%s %s: %d, %v", method, path, w.Code, err)
	}
	return w.Code, o
}

// wallet does a request as a program on this machine would.
func wallet(t *testing.T, b *bank.Bank, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7475"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	return w.Code, out
}

const body = `{"amount":{"value":12550,"currency":"RUB"}}`

func TestSignature(t *testing.T) {
	b := newBank(t, bank.Config{})
	if status, o := merchant(t, b, "PUT", "/v1/orders/o1", body); status != http.StatusOK || o.State != "pending" {
		t.Fatalf("%d %+v", status, o)
	}
	good := mac(key, "request", "PUT", "/v1/orders/o2", body)
	for name, c := range map[string]struct{ method, path, body, sig string }{
		"none":               {"PUT", "/v1/orders/o2", body, ""},
		"another key's":      {"PUT", "/v1/orders/o2", body, mac([]byte("another key, just as long......."), "request", "PUT", "/v1/orders/o2", body)},
		"of another path":    {"PUT", "/v1/orders/o3", body, good},
		"of another body":    {"PUT", "/v1/orders/o2", body + " ", good},
		"of another method":  {"POST", "/v1/orders/o2/kill", body, good},
		"in capitals":        {"PUT", "/v1/orders/o2", body, strings.ToUpper(good)},
		"of an answer":       {"PUT", "/v1/orders/o2", body, mac(key, "answer", "", "200", body)},
		"without its prefix": {"PUT", "/v1/orders/o2", body, mac(key, "PUT", "/v1/orders/o2", body)},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set(bank.Header, c.sig)
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, w.Code)
		}
	}
	if status, _ := merchant(t, b, "GET", "/v1/orders/o2", ""); status != http.StatusNotFound {
		t.Errorf("an unsigned request made an order: %d", status)
	}
}

func TestMerchantRefusals(t *testing.T) {
	b := newBank(t, bank.Config{})
	merchant(t, b, "PUT", "/v1/orders/o1", body)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", "/v1/orders/o1", `{"amount":{"value":12551,"currency":"RUB"}}`, 409, "key_reused"},
		{"PUT", "/v1/orders/o1", `{"amount":{"value":12550,"currency":"EUR"}}`, 409, "key_reused"},
		{"PUT", "/v1/orders/o1/charge", body, 409, "key_reused"},
		{"PUT", "/v1/orders/o2", `{"amount":{"value":0,"currency":"RUB"}}`, 422, "bad_body"},
		{"PUT", "/v1/orders/o2", `{"amount":{"value":1.5,"currency":"RUB"}}`, 422, "bad_body"},
		{"PUT", "/v1/orders/o2", `{"amount":{"value":100,"currency":"RUBLE"}}`, 422, "bad_body"},
		{"PUT", "/v1/orders/o2", `not json`, 422, "bad_body"},
		{"PUT", "/v1/orders/o..2", body, 422, "bad_id"},
		{"PUT", "/v1/orders/" + strings.Repeat("o", 65), body, 422, "bad_id"},
		{"GET", "/v1/orders/o2", "", 404, "absent"},
		{"PUT", "/v1/orders/o2/returns/r1", `{"amount":{"value":1,"currency":"RUB"},"method":"refund"}`, 404, "absent"},
		{"PUT", "/v1/orders/o1/returns/r1", `{"amount":{"value":1,"currency":"EUR"},"method":"refund"}`, 422, "bad_body"},
		{"PUT", "/v1/orders/o1/returns/r1", `{"amount":{"value":1,"currency":"RUB"},"method":"gift"}`, 422, "bad_body"},
		{"POST", "/v1/orders/o1/kill", `{"amount":{"value":1,"currency":"RUB"}}`, 409, "key_reused"},
	} {
		if status, o := merchant(t, b, c.method, c.path, c.body); status != c.status || o.Code != c.code {
			t.Errorf("%s %s %s: %d %s, want %d %s", c.method, c.path, c.body, status, o.Code, c.status, c.code)
		}
	}
	if _, o := merchant(t, b, "GET", "/v1/orders/o1", ""); o.State != "pending" || len(o.Returns) != 0 {
		t.Errorf("a refusal did something: %+v", o)
	}
}

func TestWalletIsForThisMachineAlone(t *testing.T) {
	b := newBank(t, bank.Config{})
	for _, c := range []struct {
		name, remote, host, origin string
		want                       int
	}{
		{"curl", "127.0.0.1:1", "127.0.0.1:7475", "", 200},
		{"curl by name", "127.0.0.1:1", "localhost:7475", "", 200},
		{"curl over IPv6", "[::1]:1", "[::1]:7475", "", 200},
		{"the demo's page", "127.0.0.1:1", "127.0.0.1:7475", "http://127.0.0.1:7370", 200},
		{"a neighbour", "192.0.2.7:1", "192.0.2.1:7475", "", 403},
		{"a neighbour who says localhost", "192.0.2.7:1", "localhost:7475", "", 403},
		{"a page of another site", "127.0.0.1:1", "127.0.0.1:7475", "https://evil.example", 403},
		{"a page without an origin of its own", "127.0.0.1:1", "127.0.0.1:7475", "null", 403},
		{"a name that points here", "127.0.0.1:1", "evil.example:7475", "", 403},
		{"a name that looks like here", "127.0.0.1:1", "127.0.0.1.evil.example", "", 403},
		{"a name that looks like here in the origin", "127.0.0.1:1", "127.0.0.1:7475", "http://localhost.evil.example", 403},
	} {
		for _, path := range []string{"/wallet/code", "/bad-day/pause"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(map[string]string{"/wallet/code": "", "/bad-day/pause": `{"for":"0s"}`}[path]))
			r.RemoteAddr, r.Host = c.remote, c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			w := httptest.NewRecorder()
			b.Handler().ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s at %s: %d, want %d", c.name, path, w.Code, c.want)
			}
		}
	}
}

func TestRestartKeepsMoneyAndForgetsCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "bank")
		var log bytes.Buffer
		open := func() *bank.Bank {
			return newBank(t, bank.Config{State: dir, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		}
		b := open()
		_, o := merchant(t, b, "PUT", "/v1/orders/twice", `{"amount":{"value":12505,"currency":"RUB"}}`)
		wallet(t, b, "/wallet/pay", `{"payload":"`+o.Payload+`"}`)
		_, paid := merchant(t, b, "PUT", "/v1/orders/plain", body)
		wallet(t, b, "/wallet/pay", `{"payload":"`+paid.Payload+`"}`)
		back := `{"amount":{"value":5000,"currency":"RUB"},"method":"refund"}`
		merchant(t, b, "PUT", "/v1/orders/plain/returns/r1", back)
		_, used := wallet(t, b, "/wallet/code", "")
		_, fresh := wallet(t, b, "/wallet/code", `{}`)
		charge := func(id string, code any) order {
			t.Helper()
			_, o := merchant(t, b, "PUT", "/v1/orders/"+id+"/charge", `{"amount":{"value":12550,"currency":"RUB"},"code":"`+code.(string)+`"}`)
			return o
		}
		if o := charge("scanned", used["code"]); o.State != "paid" {
			t.Fatalf("%+v", o)
		}
		before := map[string]order{}
		for _, id := range []string{"twice", "plain", "scanned"} {
			_, before[id] = merchant(t, b, "GET", "/v1/orders/"+id, "")
		}

		b = open() // the first bank has gone; what was on its way is still to come
		for id, want := range before {
			_, got := merchant(t, b, "GET", "/v1/orders/"+id, "")
			if len(got.Credits) != len(want.Credits) || got.Credits[0] != want.Credits[0] || got.State != want.State || len(got.Returns) != len(want.Returns) {
				t.Errorf("%s: %+v after a restart, %+v before", id, got, want)
			}
		}
		if o := charge("again", fresh["code"]); o.State != "dead" {
			t.Errorf("a code from before the restart: %+v", o)
		}
		if _, o := merchant(t, b, "PUT", "/v1/orders/plain/returns/r1", back); len(o.Returns) != 1 {
			t.Errorf("one return became %d", len(o.Returns))
		}
		time.Sleep(2 * time.Second)
		if _, o := merchant(t, b, "GET", "/v1/orders/twice", ""); o.State != "paid" || len(o.Credits) != 2 {
			t.Errorf("the second payment did not survive: %+v", o)
		}

		files := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data = append(data, log.Bytes()...)
			for _, code := range []any{used["code"], fresh["code"]} {
				sum := sha256.Sum256([]byte(code.(string)))
				if bytes.Contains(data, []byte(code.(string))) || bytes.Contains(data, []byte(hex.EncodeToString(sum[:]))) {
					t.Errorf("%s or the log holds a pay code", path)
				}
			}
			return nil
		})
		if err != nil || files != 4 {
			t.Errorf("%d files, %v", files, err)
		}
	})
}

func TestDamagedStateIsSaid(t *testing.T) {
	for name, data := range map[string]string{"o1.json": "{", "o2.json": `{"id":"o3"}`, "o4.json": ""} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bank.New(bank.Config{Key: key, State: dir}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{".order-123", "notes.txt"} { // left by a crash, or by a person
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bank.New(bank.Config{Key: key, State: dir}); err != nil {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]bank.Config{
		"no key":               {},
		"short key":            {Key: key[:15]},
		"call-back to nowhere": {Key: key, Callback: "localhost"},
		"call-back by ftp":     {Key: key, Callback: "ftp://127.0.0.1/"},
		"rate above 1":         {Key: key, Evil: bank.Evil{Lost: 1.1}},
		"rate below 0":         {Key: key, Evil: bank.Evil{Busy: -0.1}},
		"rate of nothing":      {Key: key, Evil: bank.Evil{Slow: math.NaN()}},
	} {
		if _, err := bank.New(cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// post is the merchant's end of a call-back.
type post func(*http.Request) int

func (f post) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f(r), Body: io.NopCloser(strings.NewReader("")), Request: r, Header: http.Header{}}, nil
}

func TestCallbackIsRepeatedUntilItIsTaken(t *testing.T) {
	for _, c := range []struct {
		takes int32 // the try that the merchant answers with 200; 0 is none
		want  int32
	}{{1, 1}, {3, 3}, {0, 5}} {
		synctest.Test(t, func(t *testing.T) {
			var tries atomic.Int32
			client := &http.Client{Transport: post(func(r *http.Request) int {
				data, err := io.ReadAll(r.Body)
				if err != nil || r.Header.Get(bank.Header) != mac(key, "callback", string(data)) {
					t.Errorf("call-back is not signed: %v", err)
				}
				if tries.Add(1) == c.takes {
					return http.StatusOK
				}
				return http.StatusServiceUnavailable
			})}
			b := newBank(t, bank.Config{Callback: "http://merchant.example/hint", Client: client})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- b.Run(ctx) }()
			merchant(t, b, "PUT", "/v1/orders/o1", body)
			merchant(t, b, "POST", "/v1/orders/o1/kill", body)
			time.Sleep(time.Hour)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if n := tries.Load(); n != c.want {
				t.Errorf("%d tries, want %d", n, c.want)
			}
		})
	}
}

func TestNoVerbShowsTheKey(t *testing.T) {
	cfg := bank.Config{Key: key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{cfg, &cfg, newBank(t, cfg)} {
			text := fmt.Sprintf(verb, v)
			for _, bad := range []string{string(key), hex.EncodeToString(key), strings.Trim(fmt.Sprint(key), "[]")} {
				if strings.Contains(text, bad) {
					t.Errorf("%s of %T shows the key", verb, v)
				}
			}
		}
	}
}

func TestRestartGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := newBank(t, bank.Config{State: dir})
		_, o := merchant(t, b, "PUT", "/v1/orders/twice", `{"amount":{"value":12505,"currency":"RUB"}}`)
		wallet(t, b, "/wallet/pay", `{"payload":"`+o.Payload+`"}`)

		var told atomic.Int32
		client := &http.Client{Transport: post(func(*http.Request) int { told.Add(1); return http.StatusOK })}
		b = newBank(t, bank.Config{State: dir, Callback: "http://merchant.example/hint", Client: client})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		time.Sleep(2 * time.Second) // nobody asks
		if n := told.Load(); n != 1 {
			t.Errorf("%d call-backs about the second payment, want 1", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
