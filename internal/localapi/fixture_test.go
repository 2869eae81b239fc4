package localapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/localapi/localapitest"
	"tilld/payment"
	"tilld/payment/lane"
)

const page = "https://pos.shop.example"

// fixture is the API on a real loopback port and a real unix socket, with owners that move when told.
type fixture struct {
	t      *testing.T
	box    *localapitest.Box
	addr   string // 127.0.0.1:port
	socket string
	api    *httpapi.API
	log    *logs

	mu   sync.Mutex
	seen map[string]int // problem codes that callers have read
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *logs) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func start(t *testing.T, change ...func(*localapi.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, box: &localapitest.Box{}, log: &logs{}, seen: map[string]int{}}
	ok := lane.Ability{OK: true}
	f.box.SetAvailability("1", lane.Availability{Show: ok, Scan: ok, Receipt: "paper"})
	f.box.SetAvailability("2", lane.Availability{Show: ok, Receipt: "none"})
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = tcp.Addr().String()
	dir, err := os.MkdirTemp("", "tilld") // a path of t.TempDir may be longer than a socket's may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f.socket = filepath.Join(dir, "s")
	unix, err := localapi.ListenUnix(f.socket)
	if err != nil {
		t.Fatal(err)
	}
	hosts := httpapi.LoopbackHosts(tcp.Addr())
	cfg := localapi.Config{
		Lanes: []string{"1", "2"}, Hosts: hosts, Origins: append(httpapi.OwnOrigins(hosts), page),
		Tokens: []localapi.Token{
			localapi.NewToken("till one", "till-1", "1", localapi.Till),
			localapi.NewToken("till two", "till-2", "2", localapi.Till),
			localapi.NewToken("boss", "boss-1", "1", localapi.Till, localapi.Supervisor),
			localapi.NewToken("service", "tech", "", localapi.Technician),
			localapi.NewToken("page", "kiosk-1", "1", localapi.Kiosk),
			localapi.NewToken("everything", "all", "", localapi.Till, localapi.Supervisor, localapi.Technician),
		},
		Peers: []localapi.Peer{{Name: "me", UID: os.Getuid(), GID: -1, Lane: "1", Roles: []localapi.Role{localapi.Till}}},
		Log:   slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&cfg)
	}
	f.api = localapi.Build(cfg, f.box.Owners())
	h := f.api.Handler()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- localapi.Serve(ctx, h, cfg.Log, tcp, unix) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(httpapi.StopTime + time.Minute):
			t.Error("the server did not stop")
		}
		if strings.Contains(f.log.String(), "description lacks") {
			t.Errorf("a code was answered that the description lacks: %s", f.log.String())
		}
	})
	return f
}

// answer is one reply, read to its end.
type answer struct {
	status int
	head   http.Header
	body   string
}

func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &p)
	return p.Code
}

func (a answer) payment(t *testing.T) lane.Public {
	t.Helper()
	var p lane.Public
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("no payment: %v in %s", err, a.body)
	}
	return p
}

// do asks over TCP. Every problem that comes back must be one that the description promises for that route.
func (f *fixture) do(token, method, path, body string, head ...string) answer {
	f.t.Helper()
	return f.ask(http.DefaultTransport, "http://"+f.addr, token, method, path, body, head...)
}

// unix asks over the socket.
func (f *fixture) unix(token, method, path, body string) answer {
	f.t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", f.socket)
	}}
	defer tr.CloseIdleConnections()
	return f.ask(tr, "http://localhost", token, method, path, body)
}

func (f *fixture) ask(tr http.RoundTripper, base, token, method, path, body string, head ...string) answer {
	f.t.Helper()
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
		if head[i] == "Host" {
			req.Host = head[i+1]
		}
	}
	resp, err := (&http.Client{Transport: tr, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{resp.StatusCode, resp.Header, string(b)}
	if a.status >= 400 {
		f.promised(method, path, a)
	}
	return a
}

// promised checks a refusal against the description of the route, and notes its code.
func (f *fixture) promised(method, path string, a answer) {
	f.t.Helper()
	if ct := a.head.Get("Content-Type"); ct != "application/problem+json" {
		f.t.Errorf("%s %s: %d as %q, want a problem document", method, path, a.status, ct)
		return
	}
	var p httpapi.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != a.status || p.Title == "" || p.Do == "" || p.Type != "urn:tilld:problem:"+p.Code {
		f.t.Errorf("%s %s: broken problem %s (%v)", method, path, a.body, err)
	}
	f.mu.Lock()
	f.seen[p.Code]++
	f.mu.Unlock()
	if p.Code == httpapi.NoRoute || p.Code == httpapi.MethodNotAllowed || p.Code == httpapi.HostRefused || p.Code == httpapi.OriginRefused {
		return // of every address, or of none
	}
	bare, _, _ := strings.Cut(path, "?")
	for _, rt := range f.api.Routes() {
		if rt.Method == method && matches(rt.Path, bare) {
			if !slices.Contains(f.api.Codes(rt.ID), p.Code) {
				f.t.Errorf("%s %s answered %s, which its description does not name", method, path, p.Code)
			}
			return
		}
	}
	f.t.Errorf("%s %s answered %s and is no route", method, path, p.Code)
}

func matches(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// sale is a good body.
func sale(reference string) string {
	return `{"reference":"` + reference + `","amount":{"value":12550,"currency":"RUB"},"mode":"show","purpose":"sale"}`
}

// create makes a payment and fails the test if it cannot.
func (f *fixture) create(token, reference string) lane.Public {
	f.t.Helper()
	a := f.do(token, "POST", "/v1/payments", sale(reference))
	if a.status != http.StatusCreated {
		f.t.Fatalf("create: %d %s", a.status, a.body)
	}
	return a.payment(f.t)
}

// shown puts a code on the glass; paid brings the money.
func (f *fixture) shown(id string) {
	f.box.Move(id, "payment.open", func(p *lane.Public) {
		p.State, p.QR = "open", &lane.QR{Payload: "https://qr.example/" + id}
		ms := int64(287000)
		p.RemainingMS = &ms
	})
}

func (f *fixture) paid(id string) {
	f.box.Move(id, "payment.paid", func(p *lane.Public) {
		p.State, p.QR, p.RemainingMS, p.Lights.HandOver, p.Paid = "paid", nil, nil, true, p.Amount
	})
}

var someID = payment.NewID(time.Now())
