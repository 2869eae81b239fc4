package terminal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/pipes"
	"tilld/internal/planted"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

// till is a box with an open session.
type till struct {
	t    *testing.T
	name string
	*ws.Conn
	session wire.Session
}

// come opens a session, or gives the problem and the close code it got.
func come(t *testing.T, url, name, boot string, seen int64) (*till, *wire.Problem, error) {
	t.Helper()
	return comeBy(t, url, ws.Options{Protocols: []string{wire.Protocol}}, name, boot, seen)
}

func comeBy(t *testing.T, url string, by ws.Options, name, boot string, seen int64) (*till, *wire.Problem, error) {
	t.Helper()
	c, err := ws.Dial(t.Context(), url, by)
	if err != nil {
		return nil, nil, err
	}
	x := &till{t: t, name: name, Conn: c}
	t.Cleanup(c.Kill)
	m, err := x.next()
	if err != nil {
		return nil, nil, err
	}
	var ch wire.Challenge
	if err := wire.Into(m.Params, &ch); err != nil {
		t.Fatal(err)
	}
	o := wire.Open{Terminal: name, Journal: "j", Boot: boot, Seen: seen}
	o.Sign(ch, key(name))
	p, err := wire.EncodeCall(wire.SessionID, wire.SessionOpen, o)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Send(ws.Call, p)
	m, err = x.next()
	if err != nil {
		return nil, nil, err
	}
	if m.Problem != nil {
		_, err := x.next()
		return nil, m.Problem, err
	}
	return x, nil, wire.Into(m.Result, &x.session)
}

func mustCome(t *testing.T, url, name, boot string, seen int64) *till {
	t.Helper()
	x, p, err := come(t, url, name, boot, seen)
	if err != nil || p != nil {
		t.Fatalf("no session: %v, %v", p, err)
	}
	return x
}

// mustComeBy opens a session over p.
func mustComeBy(t *testing.T, p *pipes.Net, name string) *till {
	t.Helper()
	x, problem, err := comeBy(t, "ws://pipe/v1/term", ws.Options{Protocols: []string{wire.Protocol}, Dial: p.Dial}, name, "b", 0)
	if err != nil || problem != nil {
		t.Fatalf("no session: %v, %v", problem, err)
	}
	return x
}

func (x *till) next() (wire.Message, error) {
	p, err := x.Receive()
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Decode(p)
}

func (x *till) must() wire.Message {
	x.t.Helper()
	m, err := x.next()
	if err != nil {
		x.t.Fatal(err)
	}
	return m
}

func (x *till) call(id, method, of string) {
	x.t.Helper()
	p, err := wire.EncodeCall(id, method, wire.Get{Payment: of})
	if err != nil {
		x.t.Fatal(err)
	}
	if err := x.Send(ws.Call, p); err != nil {
		x.t.Fatal(err)
	}
}

// ack goes out as a box's does: only the newest matters, and however late it leaves, none waits behind it.
func (x *till) ack(seq int64) {
	p, _ := wire.EncodeNote(wire.EventAck, wire.Ack{Seq: seq})
	x.Latest(wire.EventAck, p)
}

func code(err error) int {
	var ce *ws.CloseError
	if errors.As(err, &ce) {
		return ce.Code
	}
	return 0
}

func TestAdmission(t *testing.T) {
	get := func(url string, h map[string]string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(url, "ws"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Sec-WebSocket-Version", "13")
		r.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		r.Header.Set("Sec-WebSocket-Protocol", wire.Protocol)
		for k, v := range h {
			r.Header.Set(k, v)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	t.Run("OpenPaymentsComeFirst", func(t *testing.T) {
		url, _ := serve(t, newOffice(), terminal.Config{Rate: 0.0001, Burst: 8, Pending: 100})
		count := func(h map[string]string) (in, out int) {
			for range 20 {
				switch resp := get(url, h); resp.StatusCode {
				case http.StatusSwitchingProtocols:
					in++
				case http.StatusServiceUnavailable:
					out++
					if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || n < 1 {
						t.Fatalf("Retry-After %q", resp.Header.Get("Retry-After"))
					}
				default:
					t.Fatalf("answered %s", resp.Status)
				}
			}
			return in, out
		}
		if in, out := count(nil); in < 5 || in > 7 || in+out != 20 {
			t.Errorf("%d terminals without a payment came in and %d not, of a burst of 8", in, out)
		}
		if in, _ := count(map[string]string{"X-Till-Open": "1"}); in < 1 || in > 3 {
			t.Errorf("%d terminals with a payment came in by what was kept for them", in)
		}
	})
	t.Run("UnopenedConnectionsAreBounded", func(t *testing.T) {
		url, _ := serve(t, newOffice(), terminal.Config{Pending: 3})
		for range 3 {
			c, err := ws.Dial(t.Context(), url, ws.Options{Protocols: []string{wire.Protocol}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Kill)
		}
		if resp := get(url, map[string]string{"X-Till-Open": "1"}); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("the fourth got %s", resp.Status)
		}
	})
	t.Run("HostMustBeListed", func(t *testing.T) {
		away := make(chan string, 1)
		url, _ := serve(t, newOffice(), terminal.Config{Hosts: []string{"integrator.example"}, TurnedAway: func(code, _ string) { away <- code }})
		if resp := get(url, nil); resp.StatusCode != http.StatusForbidden {
			t.Errorf("got %s", resp.Status)
		}
		if code := <-away; code != terminal.ForeignHost {
			t.Errorf("counted as %s", code)
		}
	})
	t.Run("RefusalIsAProblemDocument", func(t *testing.T) {
		url, _ := serve(t, newOffice(), terminal.Config{})
		for method, want := range map[string]int{"POST": 405, "GET": 426} {
			r := httptest.NewRequest(method, "/v1/term", nil)
			w := httptest.NewRecorder()
			terminal.New(newOffice(), terminal.Config{}).ServeHTTP(w, r)
			var doc struct {
				Status    int
				Code      string
				Protocols []string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != want || doc.Status != want || doc.Code == "" || !slices.Equal(doc.Protocols, []string{wire.Protocol}) {
				t.Errorf("%s: %d %s", method, w.Code, w.Body)
			}
		}
		_ = url
	})
}

func TestIdentity(t *testing.T) {
	o := newOffice("till-1", "till-2", "blocked")
	log := &lockedWriter{}
	url, s := serve(t, o, terminal.Config{Log: slog.New(slog.NewTextHandler(log, nil))})
	_, p, err := come(t, url, "blocked", "b", 0)
	if p == nil || p.Data.Code != wire.NoBlocked || code(err) != wire.CloseBlocked {
		t.Errorf("blocked: %v, %v", p, err)
	}
	a := mustCome(t, url, "till-1", "boot-a", 0)
	b := mustCome(t, url, "till-1", "boot-b", 0)
	if _, err := a.next(); code(err) != wire.CloseSuperseded {
		t.Errorf("the older session ended with %v", err)
	}
	<-a.Done()
	_, p, err = come(t, url, "till-1", "boot-a", 0)
	if p == nil || p.Data.Code != wire.NoClone || code(err) != wire.CloseClone {
		t.Errorf("a boot that was superseded: %v, %v", p, err)
	}
	if _, ok := s.Online()["till-1"]; !ok || len(s.Online()) != 1 {
		t.Errorf("online %v", s.Online())
	}
	n := mustCome(t, url, "till-2", "boot-n", 0)
	s.Cut("till-2")
	if _, err := n.next(); code(err) != wire.CloseBlocked {
		t.Errorf("blocked while it was here: %v", err)
	}
	<-n.Done()
	s.Cut("nobody")
	b.call("p:get:1", wire.BillGet, "p")
	if m := b.must(); m.ID != "p:get:1" {
		t.Errorf("got %+v", m)
	}
	if out := log.String(); !strings.Contains(out, "level=ERROR") || !strings.Contains(out, "two boxes") || !strings.Contains(out, "restart") {
		t.Errorf("no alarm in the log:\n%s", out)
	}
}

// lockedWriter is a log that several goroutines write, and a test reads.
type lockedWriter struct {
	mu sync.Mutex
	w  bytes.Buffer
}

func (l *lockedWriter) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.String()
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestCalls(t *testing.T) {
	t.Run("PaymentsSideBySideEachInOrder", func(t *testing.T) {
		o := newOffice("till-1")
		free, started := make(chan struct{}), make(chan struct{}, wire.MaxInFlight)
		var mu sync.Mutex
		running, most := map[string]int{}, 0
		o.hold = func(ctx context.Context, _, of string) error {
			mu.Lock()
			running[of]++
			most = max(most, len(running))
			if running[of] > 1 {
				t.Errorf("two calls of %s at once", of)
			}
			mu.Unlock()
			defer func() {
				mu.Lock()
				if running[of]--; running[of] == 0 {
					delete(running, of)
				}
				mu.Unlock()
			}()
			started <- struct{}{}
			select {
			case <-free:
			case <-ctx.Done():
			}
			return nil
		}
		url, _ := serve(t, o, terminal.Config{})
		x := mustCome(t, url, "till-1", "b", 0)
		for i := range wire.MaxInFlight {
			x.call(fmt.Sprintf("p%d:get:%d", i%4, i), wire.BillGet, fmt.Sprintf("p%d", i%4))
		}
		for range 4 {
			<-started
		}
		began := map[string]int{}
		for range wire.MaxInFlight {
			free <- struct{}{}
		}
		for range wire.MaxInFlight {
			m := x.must()
			of, n, _ := strings.Cut(m.ID, ":get:")
			i, _ := strconv.Atoi(n)
			if was, ok := began[of]; ok && i < was {
				t.Errorf("%s was answered after %d", m.ID, was)
			}
			began[of] = i
		}
		if most != 4 {
			t.Errorf("%d payments ran side by side, want 4", most)
		}
	})
	t.Run("SeventeenthInFlightIsRefused", func(t *testing.T) {
		o := newOffice("till-1")
		o.hold = func(ctx context.Context, _, _ string) error { <-ctx.Done(); return ctx.Err() }
		url, _ := serve(t, o, terminal.Config{})
		x := mustCome(t, url, "till-1", "b", 0)
		for i := range wire.MaxInFlight + 1 {
			x.call(fmt.Sprintf("p:get:%d", i), wire.BillGet, "p")
		}
		if _, err := x.next(); code(err) != wire.CloseBadFrame {
			t.Errorf("ended with %v", err)
		}
	})
	for err, want := range map[error]int{terminal.ErrSuperseded: wire.CloseSuperseded, errors.New("database is gone"): wire.CloseOverload} {
		t.Run("ErrorClosesAndSaysNothing/"+strconv.Itoa(want), func(t *testing.T) {
			o := newOffice("till-1")
			o.hold = func(context.Context, string, string) error { return err }
			url, _ := serve(t, o, terminal.Config{})
			x := mustCome(t, url, "till-1", "b", 0)
			x.call("p:get:1", wire.BillGet, "p")
			_, end := x.next()
			if code(end) != want || strings.Contains(end.Error(), "database") {
				t.Errorf("ended with %v", end)
			}
		})
	}
	t.Run("CallWithoutAPaymentIsRefused", func(t *testing.T) {
		url, _ := serve(t, newOffice("till-1"), terminal.Config{})
		x := mustCome(t, url, "till-1", "b", 0)
		for _, params := range []string{`{}`, `{"payment":7}`, `{"payment":""}`, `{"payment":"a b"}`} {
			p, err := wire.EncodeCall("p:get:1", wire.BillGet, json.RawMessage(params))
			if err != nil {
				t.Fatal(err)
			}
			_ = x.Send(ws.Call, p)
			if m := x.must(); m.Problem == nil || m.Problem.Code != wire.CodeBadParams {
				t.Errorf("%s: %+v", params, m)
			}
		}
	})
}

func TestStream(t *testing.T) {
	t.Run("WindowHoldsBackWhatIsNotAcked", func(t *testing.T) {
		o := newOffice("till-1")
		o.emit("till-1", 100)
		url, _ := serve(t, o, terminal.Config{Window: 8})
		x := mustCome(t, url, "till-1", "b", 10)
		last := int64(10)
		read := func(n int) {
			for range n {
				e, err := wire.DecodeEvent(x.must().Params)
				if err != nil || e.Seq != last+1 {
					t.Fatalf("event %d after %d: %v", e.Seq, last, err)
				}
				last = e.Seq
			}
		}
		read(8)
		x.call("p:get:1", wire.BillGet, "p") // its answer would come behind a ninth event
		if m := x.must(); !m.IsAnswer() {
			t.Fatalf("beyond the window came %s %s", m.Method, m.Params)
		}
		for last < 100 {
			n := min(int(100-last), 8)
			x.ack(last)
			read(n)
		}
		x.ack(100)
		o.emit("till-1", 1) // an event that comes while the stream sleeps
		read(1)
		x.ack(101)
		for o.ackedOf("till-1") != 101 {
			time.Sleep(time.Millisecond)
		}
	})
	t.Run("OneSlowTerminalDelaysNobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { // nothing takes time here but to wait for the slow one
			o := newOffice("slow", "quick")
			p, s, stop := bubble(t, o, terminal.Config{Window: 128})
			defer stop()
			slow := mustComeBy(t, p, "slow") // never reads again
			quick := mustComeBy(t, p, "quick")
			o.emit("slow", 200)
			synctest.Wait() // the pipe holds nothing: the first of them is being written
			began := time.Now()
			for i := range 200 {
				o.emit("quick", 1)
				if e, err := wire.DecodeEvent(quick.must().Params); err != nil || e.Seq != int64(i+1) {
					t.Fatalf("event %d: %v", e.Seq, err)
				}
				quick.ack(int64(i + 1))
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("200 events took %v beside a stalled terminal", took)
			}
			if got := s.Online(); len(got) != 2 {
				t.Errorf("online %v: the slow one was to be there to the end", got)
			}
			for _, x := range []*till{slow, quick} {
				x.Kill()
				<-x.Done()
			}
		})
	})
	t.Run("GapInTheStoreIsNeverSent", func(t *testing.T) {
		o := newOffice("till-1")
		o.events["till-1"] = []wire.Event{{Seq: 1, Type: "bill.part", Body: json.RawMessage(`{}`)}, {Seq: 3, Type: "bill.part", Body: json.RawMessage(`{}`)}}
		url, _ := serve(t, o, terminal.Config{})
		x := mustCome(t, url, "till-1", "b", 0)
		if e, err := wire.DecodeEvent(x.must().Params); err != nil || e.Seq != 1 {
			t.Fatalf("event %d: %v", e.Seq, err)
		}
		if _, err := x.next(); code(err) != wire.CloseOverload {
			t.Errorf("ended with %v", err)
		}
	})
}

func (o *office) ackedOf(name string) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.acked[name]
}

func TestDrain(t *testing.T) {
	t.Run("EveryTerminalIsToldAndClosedOverTime", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const n, spread = 20, 200 * time.Millisecond
			var names []string
			for i := range n {
				names = append(names, fmt.Sprint("till-", i))
			}
			p, s, stop := bubble(t, newOffice(names...), terminal.Config{Spread: spread})
			defer stop()
			ends := make(chan time.Time, n)
			for _, name := range names {
				x := mustComeBy(t, p, name)
				go func() {
					told := false
					for {
						m, err := x.next()
						if err != nil {
							if !told || code(err) != wire.CloseRestart {
								t.Errorf("%s: told %v, then %v", name, told, err)
							}
							ends <- time.Now()
							return
						}
						told = told || m.Method == wire.HintDrain
					}
				}()
			}
			began := time.Now()
			if err := s.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			var closes []time.Duration
			for range n {
				e := <-ends
				closes = append(closes, e.Sub(began))
			}
			for i, at := range closes {
				if want := spread * time.Duration(i) / n; at != want {
					t.Errorf("close %d came after %v, want %v", i, at, want)
				}
			}
			if took := time.Since(began); took != closes[n-1] {
				t.Errorf("drained in %v, the last close came after %v", took, closes[n-1])
			}
			_, _, err := comeBy(t, "ws://pipe/v1/term", ws.Options{Protocols: []string{wire.Protocol}, Dial: p.Dial}, "till-1", "b", 0)
			if !strings.Contains(fmt.Sprint(err), "503") {
				t.Errorf("a terminal that comes to a drained server: %v", err)
			}
		})
	})
	t.Run("TerminalThatHangsCannotHoldItUp", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := newOffice("till-1")
			o.hold = func(ctx context.Context, _, _ string) error { <-ctx.Done(); return nil }
			p, s, stop := bubble(t, o, terminal.Config{})
			defer stop()
			x := mustComeBy(t, p, "till-1")
			x.call("p:get:1", wire.BillGet, "p")
			synctest.Wait() // it is held
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) { // x never reads: no close frame comes back
				t.Errorf("ended with %v", err)
			}
			if took := time.Since(began); took != 100*time.Millisecond {
				t.Errorf("took %v", took)
			}
			if len(s.Online()) != 0 {
				t.Errorf("online %v", s.Online())
			}
			x.Kill()
			<-x.Done()
		})
	})
}

// bubble serves a Server in memory until stop.
func bubble(t *testing.T, o terminal.Office, c terminal.Config) (p *pipes.Net, s *terminal.Server, stop func()) {
	t.Helper()
	p = pipes.New()
	if planted.Bug() == oneByOne {
		p.Far = planted.InTurn()
	}
	c.Log = slog.New(slog.DiscardHandler)
	s = terminal.New(o, c)
	hs := &http.Server{Handler: atTheDoor(s)}
	hs.SetKeepAlivesEnabled(false)
	go func() { _ = hs.Serve(p) }()
	return p, s, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Drain(ctx); err != nil {
			t.Errorf("drain: %v", err)
		}
		_ = p.Close()
		_ = hs.Close()
	}
}

func TestPatience(t *testing.T) {
	t.Run("ConnectionThatOpensNoSessionIsClosed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var away []string
			p, _, stop := bubble(t, newOffice("till-1"), terminal.Config{TurnedAway: func(code, _ string) { away = append(away, code) }})
			defer stop()
			c, err := ws.Dial(t.Context(), "ws://pipe/v1/term", ws.Options{Protocols: []string{wire.Protocol}, Dial: p.Dial})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for err == nil {
				_, err = c.Receive()
			}
			if took := time.Since(began); code(err) != wire.CloseBehind || took != 10*time.Second {
				t.Errorf("ended after %v with %v", took, err)
			}
			<-c.Done()
			synctest.Wait()
			if len(away) != 1 || away[0] != "no_session" {
				t.Errorf("counted as %v", away)
			}
		})
	})
	t.Run("ClockIsTold", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _, stop := bubble(t, newOffice("till-1"), terminal.Config{})
			defer stop()
			x := mustComeBy(t, p, "till-1")
			began := time.Now() // a bubble begins at midnight; the office's day ends at the hour
			for _, after := range []time.Duration{10 * time.Minute, 20 * time.Minute, 30 * time.Minute, 40 * time.Minute, 50 * time.Minute, time.Hour, 70 * time.Minute} {
				m := x.must()
				var c wire.Clock
				if m.Method != wire.HintClock || wire.Into(m.Params, &c) != nil || time.Since(began) != after {
					t.Errorf("%s after %v, want it after %v", m.Method, time.Since(began), after)
				}
				if (c.Numbers != nil) != (after == time.Hour) {
					t.Errorf("after %v: numbers %+v", after, c.Numbers)
				}
			}
			x.Kill()
			<-x.Done()
		})
	})
}
