package shop_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/integrator/server"
	"tilld/internal/freeport"
	"tilld/internal/localapi/client"
	"tilld/internal/shop"
)

// rig is one open shop and the hands of everybody in front of it.
type rig struct {
	t     testing.TB
	cfg   shop.Config
	shop  *shop.Shop
	api   *client.Client
	log   *logBook
	token string
	heard func(error)   // what each try was answered; nil: nobody listens
	limit time.Duration // of a try; 0: tryLimit
	close func() error  // ends the shop; once
}

// How long the rig waits: emergency stops all of them, above whatever a loaded machine takes for what takes no time.
const (
	openLimit  = time.Minute
	closeLimit = time.Minute
	tryLimit   = time.Minute // of a till that asks again while its box is away
	patience   = time.Minute // above any other limit: what comes in time waits for none of it
)

// openShop opens a shop on free ports in a folder of the test's own, or in c.State.
func openShop(t testing.TB, c shop.Config) *rig {
	t.Helper()
	said := restating{t, &failures{}}
	r := &rig{t: said, log: &logBook{}, token: shop.Token}
	if c.State == "" {
		c.State = t.TempDir()
	}
	ports := freePorts(t, 4)
	c.Version, c.Listen, c.TilldListen, c.IntegratorListen, c.BankListen = "test", ports[0], ports[1], ports[2], ports[3]
	c.Stderr = r.log
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := shop.New(c, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func() { close(ready) }) }()
	r.cfg, r.shop = c, s
	r.close = sync.OnceValue(func() error {
		stop()
		select {
		case err := <-ended:
			return err
		case <-time.After(closeLimit):
			return errors.New("the shop did not close in time")
		}
	})
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Errorf("close the shop: %v", err)
		}
		if t.Failed() {
			t.Logf("the end of the shop's log:\n%s", r.log.tail(12_000))
			t.Log(said.failures.again())
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the shop did not open: %v", err)
	case <-time.After(openLimit):
		t.Fatalf("the shop did not open within %v", openLimit)
	}
	r.api, err = client.New("http://"+c.TilldListen, r.token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.api.Close)
	return r
}

// restating is a test, and its subtests, that say once more, behind the programs' log, what of them has failed: of a long
// output the end is read first.
type restating struct {
	testing.TB
	*failures
}

func (a restating) Error(args ...any) { a.Helper(); a.TB.Error(a.keep(fmt.Sprintln(args...))) }

func (a restating) Errorf(format string, args ...any) {
	a.Helper()
	a.TB.Error(a.keep(fmt.Sprintf(format, args...)))
}

func (a restating) Fatal(args ...any) { a.Helper(); a.TB.Fatal(a.keep(fmt.Sprintln(args...))) }

func (a restating) Fatalf(format string, args ...any) {
	a.Helper()
	a.TB.Fatal(a.keep(fmt.Sprintf(format, args...)))
}

// failures are what a shop's tests have failed with.
type failures struct {
	mu  sync.Mutex // guards the following
	all []string
}

func (f *failures) keep(what string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	what = strings.TrimSuffix(what, "\n")
	f.all = append(f.all, what)
	return what
}

func (f *failures) again() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return "failed: " + strings.Join(f.all, "\nfailed: ")
}

func freePorts(t testing.TB, n int) []string {
	t.Helper()
	addrs, err := freeport.Take(n)
	if err != nil {
		t.Fatal(err)
	}
	return addrs
}

// ---- the till ----

// try repeats f as a till does while its box is away or not ready.
func (r *rig) try(what string, f func() error) {
	r.t.Helper()
	limit := time.Now().Add(cmp.Or(r.limit, tryLimit))
	for {
		err := f()
		if r.heard != nil {
			r.heard(err)
		}
		if err == nil {
			return
		}
		var away *client.Unreachable
		var p *client.Problem
		if !errors.As(err, &away) && (!errors.As(err, &p) || p.Status < http.StatusInternalServerError) || time.Now().After(limit) {
			r.t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond) // a real box over real sockets: there is no clock to turn
	}
}

// create asks for a payment, again and again under one reference while the box is away.
func (r *rig) create(n client.NewPayment) client.Payment {
	r.t.Helper()
	n.Purpose = "sale"
	var p client.Payment
	r.try("create "+n.Reference, func() (err error) { p, _, err = r.api.Create(r.t.Context(), n); return err })
	return p
}

// until waits until the payment is as it should be.
func (r *rig) until(id string, limit time.Duration, what string, ok func(client.Payment) bool) client.Payment {
	r.t.Helper()
	end := time.Now().Add(limit + patience)
	var p client.Payment
	for {
		r.try("look at a payment", func() (err error) { p, err = r.api.Wait(r.t.Context(), id, p.Version, time.Second); return err })
		if p.Lights.HandOver && p.Lights.OtherTender {
			r.t.Fatalf("payment %s (%s) has both lights on", p.Number, p.State)
		}
		if ok(p) {
			return p
		}
		if time.Now().After(end) {
			b, _ := json.Marshal(p)
			r.t.Fatalf("payment %s never was %s within %v: %s", p.Number, what, limit, b)
		}
	}
}

func (r *rig) untilState(id string, limit time.Duration, states ...string) client.Payment {
	r.t.Helper()
	return r.until(id, limit, strings.Join(states, " or "), func(p client.Payment) bool { return slices.Contains(states, p.State) })
}

// over: ended without goods, and the lane is free.
func over(p client.Payment) bool {
	return p.Lights.OtherTender && p.State != "closing" && p.State != "in_doubt" && p.Owed.Value == 0
}

func rub(value int64) client.Money { return client.Money{Value: value, Currency: "RUB"} }

// ---- the customer, and the hand with the scanner ----

// post is one call of the outside world; it answers the status and the body.
func (r *rig) post(addr, path string, in any) (int, []byte) {
	r.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+addr+path, bytes.NewReader(b))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // a kept line is closed by the far end when nobody asks for long, and a POST on its last moment is lost
	a, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	return a.StatusCode, body
}

func (r *rig) pay(payload string, more map[string]any) {
	r.t.Helper()
	in := map[string]any{"payload": payload}
	for k, v := range more {
		in[k] = v
	}
	if status, body := r.post(r.cfg.BankListen, "/wallet/pay", in); status != http.StatusOK {
		r.t.Fatalf("pay: %d %s", status, body)
	}
}

func (r *rig) walletCode() string {
	r.t.Helper()
	var out struct{ Code string }
	if status, body := r.post(r.cfg.BankListen, "/wallet/code", map[string]any{}); status != http.StatusOK || json.Unmarshal(body, &out) != nil {
		r.t.Fatalf("wallet code: %d", status)
	}
	return out.Code
}

// askingCode is a code whose payer the bank asks first.
func (r *rig) askingCode() string {
	r.t.Helper()
	var out struct{ Code string }
	if status, body := r.post(r.cfg.BankListen, "/wallet/code", map[string]bool{"confirm": true}); status != http.StatusOK || json.Unmarshal(body, &out) != nil {
		r.t.Fatalf("wallet code: %d", status)
	}
	return out.Code
}

// payer is what a payer does on the phone, view, confirm or refuse, once the bank knows of the charge.
func (r *rig) payer(does, code string) {
	r.t.Helper()
	limit := time.Now().Add(tryLimit)
	for {
		status, body := r.post(r.cfg.BankListen, "/wallet/"+does, map[string]string{"code": code})
		if status == http.StatusOK {
			return
		}
		if time.Now().After(limit) {
			r.t.Fatalf("%s: %d %s", does, status, body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (r *rig) scan(text string) {
	r.t.Helper()
	if status, body := r.post(r.cfg.Listen, "/scan", map[string]string{"text": text}); status != http.StatusNoContent {
		r.t.Fatalf("scan: %d %s", status, body)
	}
}

func (r *rig) pole() string {
	r.t.Helper()
	a, err := http.Get("http://" + r.cfg.Listen + "/pole")
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// ---- the books ----

func (r *rig) audit() server.Report {
	r.t.Helper()
	c, err := server.LoadConfig(filepath.Join(r.cfg.State, "integrator.yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := server.Audit(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// bankBooks are the bank's own sums, from its own files: what came in, and what it gave back.
func (r *rig) bankBooks() (credits, returned int64) {
	r.t.Helper()
	return bankBooks(r.t, r.cfg.State)
}

// bankBooks are those of the shop in the folder state.
func bankBooks(t testing.TB, state string) (credits, returned int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "bank", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var o struct {
			Credits []struct{ Value int64 }
			Returns []struct {
				State string
				Value int64
			}
		}
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		for _, c := range o.Credits {
			credits += c.Value
		}
		for _, g := range o.Returns {
			if g.State == "done" {
				returned += g.Value
			}
		}
	}
	return credits, returned
}

// balanced waits until nothing is owed or held any more, and compares the integrator's books with the bank's.
func (r *rig) balanced(limit time.Duration) server.Report {
	r.t.Helper()
	end := time.Now().Add(limit + patience)
	for {
		a := r.audit()
		s := a.Sums["RUB"]
		credits, returned := r.bankBooks()
		if a.OK() && len(a.Doubts) == 0 && s.Held == 0 && s.Owed == 0 && s.Credits == credits && s.Returned == returned {
			r.t.Logf("%d bills: credits %d = goods %d + returned %d; the bank says the same", a.Bills, s.Credits, s.Goods, s.Returned)
			return a
		}
		if time.Now().After(end) {
			r.t.Fatalf("the books never balanced:\n%sthe bank says: credits %d, returned %d", a.Text(), credits, returned)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// logBook is everything that the programs said on stderr.
type logBook struct {
	mu   sync.Mutex
	b    bytes.Buffer
	from int
}

// mark is where since begins.
func (l *logBook) mark() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = l.b.Len()
}

func (l *logBook) since() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()[l.from:]
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBook) tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
