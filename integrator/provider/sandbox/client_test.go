package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox"
	"tilld/payment"
)

func mac(k []byte, parts ...string) string {
	m := hmac.New(sha256.New, k)
	m.Write([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(m.Sum(nil))
}

// played is a bank that says what the test wants, signed with k over what the test wants.
type played struct {
	status int
	body   string
	sign   func(request string, status int, body string) string
}

func (p played) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}}
	if s := p.sign(r.Header.Get("Sandbox-Signature"), p.status, p.body); s != "" {
		h.Set("Sandbox-Signature", s)
	}
	return &http.Response{StatusCode: p.status, Header: h, Body: io.NopCloser(strings.NewReader(p.body)), Request: r}, nil
}

func honest(request string, status int, body string) string {
	return mac(key, "answer", request, strconv.Itoa(status), body)
}

func client(t *testing.T, rt http.RoundTripper) *sandbox.Provider {
	t.Helper()
	p, err := sandbox.New(sandbox.Config{URL: "http://127.0.0.1:1", Key: key, Transport: rt})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnswers(t *testing.T) {
	o := provider.Order{ID: "o1", Amount: payment.Money{Value: 12550, Currency: "RUB"}, Expiry: time.Now().Add(time.Hour)}
	ok := func(rest string) string {
		return `{"id":"o1","amount":{"value":12550,"currency":"RUB"},"state":"pending"` + rest + `}`
	}
	for _, c := range []struct {
		name   string
		bank   played
		want   error // nil with a state: an answer; nil without: an error that leaves everything open
		state  provider.State
		answer bool
	}{
		{"pending", played{200, ok(""), honest}, nil, provider.Pending, true},
		{"a state we don't know", played{200, `{"id":"o1","amount":{"value":12550,"currency":"RUB"},"state":"frozen"}`, honest}, nil, provider.Unknown, true},
		{"fields we don't know", played{200, ok(`,"mood":"good"`), honest}, nil, provider.Pending, true},
		{"absent", played{404, `{"code":"absent"}`, honest}, nil, provider.Absent, true},
		{"refused", played{422, `{"code":"refused"}`, honest}, provider.ErrRefused, "", false},
		{"busy", played{429, `{"code":"busy"}`, honest}, provider.ErrBusy, "", false},
		{"id used otherwise", played{409, `{"code":"key_reused"}`, honest}, nil, "", false},
		{"not ours to know", played{404, `{"code":"no_route"}`, honest}, nil, "", false},
		{"server error", played{500, `{"code":"refused"}`, honest}, nil, "", false},
		{"moved", played{307, ``, honest}, nil, "", false},
		{"another order", played{200, strings.Replace(ok(""), "o1", "o2", 1), honest}, nil, "", false},
		{"another amount", played{200, strings.Replace(ok(""), "12550", "12551", 1), honest}, nil, "", false},
		{"another currency", played{200, strings.Replace(ok(""), "RUB", "EUR", 1), honest}, nil, "", false},
		{"a payment without an id", played{200, ok(`,"credits":[{"value":100}]`), honest}, nil, "", false},
		{"a payment of nothing", played{200, ok(`,"credits":[{"txn":"T1","value":0}]`), honest}, nil, "", false},
		{"a payment of a fraction", played{200, ok(`,"credits":[{"txn":"T1","value":0.5}]`), honest}, nil, "", false},
		{"a return in a state we don't know", played{200, ok(`,"returns":[{"id":"r1","state":"lost"}]`), honest}, nil, "", false},
		{"no json", played{200, `welcome`, honest}, nil, "", false},
		{"longer than any answer", played{200, ok("") + strings.Repeat(" ", 1<<20), honest}, nil, "", false},
		{"refused, unsigned", played{422, `{"code":"refused"}`, unsigned}, nil, "", false},
		{"busy, unsigned", played{429, `{"code":"busy"}`, unsigned}, nil, "", false},
		{"absent, unsigned", played{404, `{"code":"absent"}`, unsigned}, nil, "", false},
		{"signed with another key", played{200, ok(""), func(r string, s int, b string) string {
			return mac([]byte("another key"), "answer", r, strconv.Itoa(s), b)
		}}, nil, "", false},
		{"of another request", played{200, ok(""), func(_ string, s int, b string) string {
			return honest("0000", s, b)
		}}, nil, "", false},
		{"with another status", played{200, ok(""), func(r string, _ int, b string) string { return honest(r, 422, b) }}, nil, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := client(t, c.bank)
			for name, call := range map[string]func() (provider.Report, error){
				"look":    func() (provider.Report, error) { return p.Look(t.Context(), o) },
				"kill":    func() (provider.Report, error) { return p.Kill(t.Context(), o) },
				"present": func() (provider.Report, error) { return p.Present(t.Context(), o) },
				"charge":  func() (provider.Report, error) { return p.Charge(t.Context(), o, payment.NewCode("canary")) },
				"return": func() (provider.Report, error) {
					return p.Return(t.Context(), o, "r1", "refund", "T1", o.Amount)
				},
			} {
				r, err := call()
				switch {
				case c.answer && (err != nil || r.State != c.state):
					t.Errorf("%s: %q, %v; want %q", name, r.State, err, c.state)
				case c.answer:
				case err == nil:
					t.Errorf("%s: %q, want an error", name, r.State)
				case c.want != nil && !errors.Is(err, c.want):
					t.Errorf("%s: %v, want %v", name, err, c.want)
				case c.want == nil && (errors.Is(err, provider.ErrRefused) || errors.Is(err, provider.ErrBusy)):
					t.Errorf("%s: %v says that nothing happened", name, err)
				}
			}
		})
	}
}

func unsigned(string, int, string) string { return "" }

// parrot is a transport whose error quotes what it was given, as those of the standard library may quote an answer.
type parrot struct{}

func (parrot) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	return nil, errors.Join(fmt.Errorf("malformed answer %q", body), err)
}

func TestErrorsQuoteNothing(t *testing.T) {
	code := payment.NewCode("SBX1CANARYCANARYCANARYAA")
	_, err := client(t, parrot{}).Charge(t.Context(), provider.Order{ID: "o1", Amount: payment.Money{Value: 1, Currency: "RUB"}}, code)
	if err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Error("the error quotes the code, or there is none")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]sandbox.Config{
		"no address":          {Key: key},
		"no host":             {Key: key, URL: "127.0.0.1"},
		"another scheme":      {Key: key, URL: "ftp://127.0.0.1"},
		"a name and password": {Key: key, URL: "http://a:b@127.0.0.1"},
		"short key":           {Key: key[:15], URL: "http://127.0.0.1"},
	} {
		_, err := sandbox.New(cfg)
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		if strings.Contains(err.Error(), string(key[:15])) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func TestNoVerbShowsTheKey(t *testing.T) {
	cfg := sandbox.Config{URL: "http://127.0.0.1", Key: key}
	p, err := sandbox.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{cfg, &cfg, p, *p} {
			text := fmt.Sprintf(verb, v)
			for _, bad := range []string{string(key), hex.EncodeToString(key), strings.Trim(fmt.Sprint(key), "[]")} {
				if strings.Contains(text, bad) {
					t.Errorf("%s of %T shows the key", verb, v)
				}
			}
		}
	}
}
