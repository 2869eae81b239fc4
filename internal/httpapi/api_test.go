package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/internal/httpapi"
)

type thing struct {
	Name   string         `json:"name" minLength:"1" maxLength:"8" pattern:"^[a-z]+$"`
	Kind   string         `json:"kind,omitempty" enum:"one,two"`
	Secret httpapi.Masked `json:"secret,omitempty" maxLength:"4"`
	Amount *struct {
		Value    int64  `json:"value" minimum:"1" maximum:"1000000000000"`
		Currency string `json:"currency"`
	} `json:"amount,omitempty"`
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *logs) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

type rig struct {
	t    *testing.T
	addr string
	log  *logs
	api  *httpapi.API
	stop func()
	held chan struct{} // calls of /wait that have begun
}

type reply struct {
	Body struct {
		Name string `json:"name"`
	}
}

// serve is a small API on a real port: every shape of route once.
func serve(t *testing.T) *rig { return serveWithin(t, time.Second) }

// serveWithin is one whose bodies have to arrive in that time.
func serveWithin(t *testing.T, bodyTime time.Duration) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, addr: l.Addr().String(), log: &logs{}, held: make(chan struct{}, 100)}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	hosts := httpapi.LoopbackHosts(l.Addr())
	r.api = httpapi.New(httpapi.Config{
		Title: "test", Version: "1", Servers: []string{"http://" + r.addr}, Hosts: hosts, Origins: append(httpapi.OwnOrigins(hosts), "https://shop.example"),
		MaxBody: 4096, BodyTime: bodyTime, MaxWaiting: 1, Log: log,
		Admit: func(r *http.Request, rt httpapi.Route) (context.Context, error) {
			who, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok {
				return nil, httpapi.Refuse(httpapi.Unauthorized)
			}
			if !slices.Contains(rt.Allow, who) {
				return nil, httpapi.Refuse(httpapi.Forbidden)
			}
			return r.Context(), nil
		},
	})
	httpapi.Handle(r.api, httpapi.Route{ID: "make", Method: "POST", Path: "/things", Summary: "make", Allow: []string{"me"}, Status: http.StatusCreated},
		func(_ context.Context, in *struct{ Body thing }) (*reply, error) {
			out := &reply{}
			out.Body.Name = in.Body.Name + fmt.Sprintf("%v%+v", in.Body.Secret, in.Body.Secret)
			return out, nil
		})
	httpapi.Handle(r.api, httpapi.Route{ID: "look", Method: "GET", Path: "/things/{id}", Summary: "look", Allow: []string{"me"}},
		func(_ context.Context, in *struct {
			ID string `path:"id" maxLength:"16"`
			N  int    `query:"n" minimum:"1" maximum:"5"`
		},
		) (*reply, error) {
			switch in.ID {
			case "broken":
				return nil, errors.New("the disk is on fire")
			case "panic":
				panic(canary)
			case "index":
				return nil, fmt.Errorf("never %d", []int{}[in.N])
			}
			return &reply{}, nil
		})
	httpapi.Handle(r.api, httpapi.Route{ID: "act", Method: "POST", Path: "/things/{id}/act", Summary: "act", Open: true},
		func(context.Context, *struct {
			ID string `path:"id"`
		},
		) (*struct{}, error) {
			return nil, nil
		})
	httpapi.HandleHTTP(r.api, httpapi.Route{ID: "wait", Method: "GET", Path: "/wait", Summary: "wait", Open: true, Waits: true},
		func(w http.ResponseWriter, req *http.Request, _ *struct{}) error {
			ctx, over := httpapi.Waiting(req.Context())
			defer over()
			r.held <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	r.api.Mount("GET /page/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }))
	h := r.api.Handler()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- httpapi.Serve(ctx, h, log, l) }()
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

// raw sends text as it is and reads one answer.
func (r *rig) raw(text string) (int, http.Header, string) {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		r.t.Fatalf("%.80q: %v", text, err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(b)
}

// ask sends a request with a token and a JSON body, head lines besides.
func (r *rig) ask(method, path, body string, head ...string) (int, http.Header, string) {
	lines := []string{method + " " + path + " HTTP/1.1", "Host: " + r.addr, "Authorization: Bearer me", "Connection: close"}
	if body != "" {
		lines = append(lines, "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)))
	}
	for _, h := range head {
		name, _, _ := strings.Cut(h, ":")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+":") })
		if !strings.HasSuffix(h, ":") {
			lines = append(lines, h)
		}
	}
	return r.raw(strings.Join(lines, "\r\n") + "\r\n\r\n" + body)
}

// TestEveryGeneralCode asks for each code of the general list, and fails for one that no request reaches.
func TestEveryGeneralCode(t *testing.T) {
	r := serve(t)
	good := `{"name":"x"}`
	post := func(body string, head ...string) func() (int, http.Header, string) {
		return func() (int, http.Header, string) { return r.ask("POST", "/things", body, head...) }
	}
	get := func(path string, head ...string) func() (int, http.Header, string) {
		return func() (int, http.Header, string) { return r.ask("GET", path, "", head...) }
	}
	cases := map[string][]func() (int, http.Header, string){
		httpapi.BadJSON:          {post(`{"name":"` + canary), post(`[]`), post(""), func() (int, http.Header, string) { return r.ask("POST", "/things/1/act", "[]") }},
		httpapi.TooDeep:          {post(strings.Repeat(`{"name":`, 20) + "1" + strings.Repeat("}", 20))},
		httpapi.DuplicateField:   {post(`{"name":"x","name":"y"}`)},
		httpapi.UnknownField:     {post(`{"name":"x","nam":"` + canary + `"}`), post(`{"Name":"x","name":"x"}`), post(`{"name":"x","` + canary + `":1}`), func() (int, http.Header, string) { return r.ask("POST", "/things/1/act", `{"a":1}`) }},
		httpapi.MissingField:     {post(`{}`), post(`{"kind":"one"}`), post(`{"name":"x","amount":{"value":1}}`)},
		httpapi.InvalidField:     {post(`{"name":""}`), post(`{"name":"` + canary + `"}`), post(`{"name":"x","kind":"` + canary + `"}`), post(`{"name":1}`), post(`{"name":"x","secret":"` + canary + `"}`), post(`{"name":["` + canary + `"]}`)},
		httpapi.AmountFormat:     {post(`{"name":"x","amount":{"value":0,"currency":"RUB"}}`), post(`{"name":"x","amount":{"value":1.5,"currency":"RUB"}}`), post(`{"name":"x","amount":{"value":"` + canary + `","currency":"RUB"}}`)},
		httpapi.BadParameter:     {get("/things/1?n=9"), get("/things/1?n=" + canary), get("/things/1?n=1&n=2"), get("/things/1?n=%zz"), get("/things/" + canary)},
		httpapi.UnknownParameter: {get("/things/1?m=1"), get("/things/1?token=" + canary), get("/things/1?" + canary + "=1")},
		httpapi.Unauthorized:     {get("/things/1", "Authorization:")},
		httpapi.Forbidden:        {get("/things/1", "Authorization: Bearer "+canary)},
		httpapi.OriginRefused:    {get("/things/1", "Origin: https://evil.example/"+canary)},
		httpapi.HostRefused:      {get("/things/1", "Host: "+canary+".example")},
		httpapi.NoRoute:          {get("/" + canary), get("/things/1/"), get("/things/../things/1"), get("//things/1"), get("/docs"), get("/openapi.yaml"), get("/schemas/Thing.json")},
		httpapi.MethodNotAllowed: {func() (int, http.Header, string) { return r.ask("DELETE", "/things/1", "") }, func() (int, http.Header, string) { return r.ask("OPTIONS", "/things", "") }},
		httpapi.BodyTooLarge:     {post(`{"name":"` + strings.Repeat(canary, 300) + `"}`)},
		httpapi.MediaType:        {post(good, "Content-Type: text/plain"), post(good, "Content-Type:"), post(good, "Content-Type: application/json; charset=latin1"), post(good, "Content-Type: application/json; a="+canary)},
		httpapi.SlowBody: {func() (int, http.Header, string) { // it never comes: however short the time, the answer is the same
			return serveWithin(t, 10*time.Millisecond).ask("POST", "/things", good, "Content-Length: 100")
		}},
		httpapi.Internal: {get("/things/broken"), get("/things/panic"), get("/things/index")},
		httpapi.Busy: {func() (int, http.Header, string) {
			go func() { // ends with the server
				if resp, err := http.Get("http://" + r.addr + "/wait"); err == nil {
					resp.Body.Close()
				}
			}()
			<-r.held
			return r.ask("GET", "/wait", "")
		}},
		httpapi.Stopping: {func() (int, http.Header, string) {
			s := serve(t)
			go func() { <-s.held; s.stop() }()
			return s.ask("GET", "/wait", "")
		}},
	}
	for _, c := range httpapi.General() {
		asks := cases[c.Code]
		if len(asks) == 0 {
			t.Errorf("%s: no request of this test reaches it", c.Code)
		}
		for i, ask := range asks {
			status, head, body := ask()
			var p httpapi.Problem
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				t.Errorf("%s, %d: no problem document: %v %q", c.Code, i, err, body)
				continue
			}
			if status != c.Status || p.Status != c.Status || p.Code != c.Code || p.Title != c.Title || p.Do != c.Do || head.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s, %d: %d %s", c.Code, i, status, body)
			}
			if strings.Contains(body, canary) || strings.Contains(fmt.Sprint(head), canary) {
				t.Errorf("%s, %d: what came in came back: %v %s", c.Code, i, head, body)
			}
		}
		delete(cases, c.Code)
	}
	for code := range cases {
		t.Errorf("%s is in this test and not in the list", code)
	}
	if strings.Contains(r.log.String(), canary) {
		t.Errorf("what came in is in the log: %s", r.log.String())
	}
	for _, want := range []string{"the disk is on fire", "index out of range", "panic=string"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
}

func TestIncidentsAreFoundInTheLog(t *testing.T) {
	r := serve(t)
	_, _, body := r.ask("GET", "/things/broken", "")
	var p httpapi.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	id, ok := strings.CutPrefix(p.Instance, "urn:tilld:incident:")
	if !ok || len(id) != 6 || !strings.Contains(r.log.String(), "incident="+id) || strings.Contains(body, "fire") {
		t.Errorf("instance %q, body %s, log %s", p.Instance, body, r.log.String())
	}
}

func TestGoodCalls(t *testing.T) {
	r := serve(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		head               []string
	}{
		{"POST", "/things", `{"name":"x","secret":"1234","amount":{"value":1,"currency":"RUB"}}`, 201, nil},
		{"POST", "/things", `{"name":"x"}`, 201, []string{"Content-Type: application/json; charset=UTF-8"}},
		{"POST", "/things", `{"name":"x"}`, 201, []string{"Origin: https://shop.example"}},
		{"GET", "/things/1?n=5", "", 200, nil},
		{"HEAD", "/things/1", "", 200, nil},
		{"POST", "/things/1/act", "", 204, nil},
		{"POST", "/things/1/act", "{}", 204, nil},
		{"GET", "/page/any", "", 200, nil},
		{"GET", "/openapi.json", "", 200, []string{"Authorization:"}},
	} {
		status, head, body := r.ask(tc.method, tc.path, tc.body, tc.head...)
		if status != tc.status {
			t.Errorf("%s %s %s: %d %s", tc.method, tc.path, tc.body, status, body)
		}
		if strings.Contains(body, "1234") || strings.Contains(body, "$schema") {
			t.Errorf("%s %s: %s", tc.method, tc.path, body)
		}
		if head.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: headers %v", tc.method, tc.path, head)
		}
		if head.Get("Access-Control-Allow-Origin") == "*" || head.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s %s: shares with everybody: %v", tc.method, tc.path, head)
		}
	}
}

func TestPreflight(t *testing.T) {
	r := serve(t)
	status, head, _ := r.ask("OPTIONS", "/things", "", "Origin: https://shop.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Private-Network: true")
	want := map[string]string{
		"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Allow-Methods": "POST",
		"Access-Control-Allow-Headers": "Authorization, Content-Type", "Access-Control-Allow-Private-Network": "true",
	}
	if status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	for k, v := range want {
		if head.Get(k) != v {
			t.Errorf("%s: %q, want %q", k, head.Get(k), v)
		}
	}
	if !slices.Contains(head.Values("Vary"), "Origin") {
		t.Errorf("Vary: %v", head.Values("Vary"))
	}
	if status, head, _ := r.ask("OPTIONS", "/things", "", "Origin: https://evil.example", "Access-Control-Request-Method: POST"); status != http.StatusForbidden || head.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a stranger's preflight: %d %v", status, head)
	}
	if status, _, _ := r.ask("OPTIONS", "/none", "", "Origin: https://shop.example"); status != http.StatusNotFound {
		t.Errorf("a preflight of no address: %d", status)
	}
}

func TestServeEndsWithItsWaits(t *testing.T) {
	r := serve(t)
	answered := make(chan int, 1)
	go func() { status, _, _ := r.ask("GET", "/wait", ""); answered <- status }()
	<-r.held
	began := time.Now()
	r.stop()
	if took := time.Since(began); took >= httpapi.StopTime {
		t.Errorf("stopping took %v with one wait open", took)
	}
	if status := <-answered; status != http.StatusServiceUnavailable {
		t.Errorf("the wait was answered %d", status)
	}
	if _, err := net.DialTimeout("tcp", r.addr, time.Second); err == nil {
		t.Error("the listener is still open")
	}
}

func TestServeSaysWhyItCannot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	err = httpapi.Serve(context.Background(), http.NotFoundHandler(), slog.New(slog.DiscardHandler), l)
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("serving on a closed listener: %v", err)
	}
}

// A box that listens at the usual port serves pages whose origin has none.
func TestOriginsOfOwnPagesAreThoseThatBrowsersSay(t *testing.T) {
	got := httpapi.OwnOrigins([]string{"localhost:80", "127.0.0.1:80", "localhost:7373", "127.0.0.1:8080"})
	if want := []string{"http://localhost", "http://127.0.0.1", "http://localhost:7373", "http://127.0.0.1:8080"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
