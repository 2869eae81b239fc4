package link_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/link"
	"tilld/internal/pipes"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/internal/ws"
	"tilld/payment"
)

// server is the other end inside a test bubble: every dial lands in handle.
type server struct {
	*pipes.Net
	hs     *http.Server
	mu     sync.Mutex
	dials  []time.Time
	opens  []string // X-Till-Open of each
	deaf   atomic.Bool
	handle func(w http.ResponseWriter, r *http.Request)
}

func (s *server) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := s.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &line{c, s}, nil
}

// line is the box's end of the cable; a deaf one loses what comes.
type line struct {
	net.Conn
	s *server
}

func (l *line) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if err != nil || !l.s.deaf.Load() {
			return n, err
		}
	}
}

// bubble serves a box against handle; the returned stop ends everything.
func bubble(t *testing.T, b *box, handle func(w http.ResponseWriter, r *http.Request)) (s *server, l *link.Link, stop func()) {
	t.Helper()
	s = &server{Net: pipes.New(), handle: handle}
	s.hs = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.dials = append(s.dials, time.Now())
		s.opens = append(s.opens, r.Header.Get("X-Till-Open"))
		s.mu.Unlock()
		s.handle(w, r)
	})}
	s.hs.SetKeepAlivesEnabled(false)
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.hs.Serve(s) })
	l = b.new(link.Config{URL: "ws://localhost/v1/term", Dial: s.dial})
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if err := l.Serve(ctx, b); !errors.Is(err, context.Canceled) {
			t.Errorf("serve ended with %v", err)
		}
	})
	return s, l, func() {
		cancel()
		_ = s.Close()
		_ = s.hs.Close()
		wg.Wait()
	}
}

func (s *server) gaps() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []time.Duration
	for i := 1; i < len(s.dials); i++ {
		out = append(out, s.dials[i].Sub(s.dials[i-1]))
	}
	return out
}

// session plays a server whose sessions open and then run f until it returns.
func session(f func(c *ws.Conn, o wire.Open)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, ws.Options{Protocols: []string{wire.Protocol}, Beat: time.Hour})
		if err != nil {
			return
		}
		go func() {
			defer c.Kill()
			p, _ := wire.EncodeNote(wire.SessionChallenge, wire.Challenge{
				Nonce: strings.Repeat("A", 44), Host: r.Host, Protocol: wire.Protocol,
			})
			_ = c.Send(ws.Call, p)
			m, err := receive(c)
			if err != nil {
				return
			}
			o, _ := wire.DecodeOpen(m.Params)
			p, _ = wire.EncodeResult(wire.SessionID, wire.Session{
				Epoch: o.EpochSeen + 1, HeartbeatMS: 25_000, BusyMS: 5_000, Resume: "ok", JitterMS: 60_000, Window: 8,
			})
			_ = c.Send(ws.Call, p)
			f(c, o)
		}()
	}
}

// refusing plays a server that answers session.open with a refusal and closes.
func refusing(code int, no, why string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := ws.Upgrade(w, r, ws.Options{Protocols: []string{wire.Protocol}, Beat: time.Hour})
		if err != nil {
			return
		}
		go func() {
			p, _ := wire.EncodeNote(wire.SessionChallenge, wire.Challenge{Nonce: strings.Repeat("A", 44), Host: r.Host, Protocol: wire.Protocol})
			_ = c.Send(ws.Call, p)
			if _, err := receive(c); err != nil {
				return
			}
			q := wire.Refuse(no, "no")
			q.Data.Why = why
			p, _ = wire.EncodeProblem(wire.SessionID, q)
			_ = c.Send(ws.Call, p)
			c.Close(code, "no")
			drain(c)
		}()
	}
}

func receive(c *ws.Conn) (wire.Message, error) {
	p, err := c.Receive()
	if err != nil {
		return wire.Message{}, err
	}
	return wire.Decode(p)
}

// drain reads until the end.
func drain(c *ws.Conn) {
	for {
		if _, err := c.Receive(); err != nil {
			return
		}
	}
}

func TestReconnect(t *testing.T) {
	t.Run("RetryAfterIsRespected", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, l, stop := bubble(t, newBox(t), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			defer stop()
			time.Sleep(10 * time.Minute)
			for _, g := range s.gaps() {
				if g < 30*time.Second || g > 30*time.Second+2*time.Minute {
					t.Errorf("came back after %v", g)
				}
			}
			if len(s.gaps()) < 3 || l.Status().NeedsPerson || !strings.Contains(l.Status().LastError, "busy") {
				t.Errorf("%d tries, status %+v", len(s.gaps()), l.Status())
			}
		})
	})
	t.Run("WhatNeedsAPersonIsTriedSlowly", func(t *testing.T) {
		for _, code := range []int{wire.CloseAuth, wire.CloseBlocked, wire.CloseVersion, wire.CloseClone} {
			synctest.Test(t, func(t *testing.T) {
				s, l, stop := bubble(t, newBox(t), func(w http.ResponseWriter, r *http.Request) {
					c, err := ws.Upgrade(w, r, ws.Options{Protocols: []string{wire.Protocol}})
					if err != nil {
						return
					}
					c.Close(code, "")
					go drain(c)
				})
				defer stop()
				time.Sleep(20 * time.Minute)
				for _, g := range s.gaps() {
					if g < time.Minute || g > 3*time.Minute {
						t.Errorf("%d: came back after %v", code, g)
					}
				}
				if st := l.Status(); len(s.gaps()) < 3 || !st.NeedsPerson || st.Up || st.LastError == "" || code == wire.CloseClone && !strings.Contains(st.Remedy, "restart this box") {
					t.Errorf("%d: %d tries, status %+v", code, len(s.gaps()), st)
				}
			})
		}
	})
	t.Run("ProgramThatIsTooOldSaysWhichIsWanted", func(t *testing.T) {
		for why, want := range map[string]string{
			"1.4.0":     "this box has test/1, and the integrator serves none below 1.4.0",
			"":          "this box's version is too old for the integrator",
			"<b>4</b>.": "this box's version is too old for the integrator", // what is no version is not repeated
		} {
			synctest.Test(t, func(t *testing.T) {
				s, l, stop := bubble(t, newBox(t), refusing(wire.CloseVersion, wire.NoOldProgram, why))
				defer stop()
				time.Sleep(20 * time.Minute)
				st := l.Status()
				t.Logf("%s. %s", st.LastError, st.Remedy)
				if st.Up || !st.NeedsPerson || st.LastError != want || !strings.HasPrefix(st.Remedy, "Install a newer tilld") {
					t.Errorf("status %+v, want %q", st, want)
				}
				for _, g := range s.gaps() {
					if g < time.Minute || g > 3*time.Minute {
						t.Errorf("came back after %v", g)
					}
				}
				if len(s.gaps()) < 3 {
					t.Errorf("%d tries", len(s.gaps()))
				}
			})
		}
	})
	t.Run("PaymentThatOpensShortensTheWait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			s, l, stop := bubble(t, b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
			defer stop()
			time.Sleep(time.Hour) // the window is two minutes by now
			synctest.Wait()
			before := len(s.gaps())
			b.mu.Lock()
			b.open = []string{"p"}
			b.mu.Unlock()
			l.Wake()
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if got := len(s.gaps()); got <= before {
				t.Error("no try within a second of a payment's opening")
			}
			if s.opens[0] != "" || s.opens[len(s.opens)-1] != "1" {
				t.Errorf("X-Till-Open was %q, then %q", s.opens[0], s.opens[len(s.opens)-1])
			}
		})
	})
	t.Run("CallThatIsNotAnsweredCountsAsAnOpenPayment", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			s, _, stop := bubble(t, b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
			defer stop()
			time.Sleep(time.Hour)
			b.add(get("p", "p:get:1")) // a return of a sale that is over, say
			before := len(s.gaps())
			time.Sleep(time.Minute)
			synctest.Wait()
			for _, g := range s.gaps()[before+1:] {
				if g > 5*time.Second {
					t.Errorf("came back after %v", g)
				}
			}
			if got := len(s.gaps()) - before; got < 10 || s.opens[len(s.opens)-1] != "1" {
				t.Errorf("%d tries in a minute, X-Till-Open %q", got, s.opens[len(s.opens)-1])
			}
		})
	})
	t.Run("WindowsDoubleToTwoMinutesOrFiveSecondsWithAnOpenPayment", func(t *testing.T) {
		windows := func(jitter time.Duration, open bool) []time.Duration {
			top := make([]time.Duration, 12)
			for range 300 {
				for i, d := range link.Delays(len(top), jitter, open, errors.New("x")) {
					top[i] = max(top[i], d)
				}
			}
			return top
		}
		for _, c := range []struct {
			jitter time.Duration
			open   bool
			first  time.Duration
			last   time.Duration
		}{
			{5 * time.Second, false, 5 * time.Second, 120 * time.Second},
			{5 * time.Second, true, time.Second, 5 * time.Second},
			{100 * time.Second, false, 100 * time.Second, 120 * time.Second},
		} {
			want := c.first
			for i, d := range windows(c.jitter, c.open) {
				if d >= want || d < want*8/10 {
					t.Errorf("jitter %v, open %v, try %d: longest of 300 is %v, want nearly %v", c.jitter, c.open, i, d, want)
				}
				want = min(2*want, c.last)
			}
		}
	})
	t.Run("DrainingServerSaysWhenToComeBack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			s, _, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				p, _ := wire.EncodeNote(wire.HintDrain, wire.Drain{AfterMS: 1000, JitterMS: 77_000})
				c.Latest(wire.HintDrain, p)
				time.Sleep(time.Second)
				c.Close(wire.CloseRestart, "restart")
				drain(c)
			}))
			defer time.Sleep(time.Second)
			defer stop()
			time.Sleep(10 * time.Minute)
			for _, g := range s.gaps() {
				if g != 78*time.Second {
					t.Errorf("came back after %v, want 1 s and 77 s", g)
				}
			}
			if len(s.gaps()) < 5 {
				t.Errorf("%d tries", len(s.gaps()))
			}
		})
	})
	t.Run("ServersJitterIsTakenUp", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			s, _, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				time.Sleep(15 * time.Second) // a session worth the name: no doubling
				c.Close(wire.CloseRestart, "restart")
				drain(c)
			}))
			defer time.Sleep(15 * time.Second) // the server's last session
			defer stop()
			time.Sleep(2 * time.Hour)
			longest := slices.Max(s.gaps())
			if longest < 45*time.Second || longest > 77*time.Second {
				t.Errorf("longest of %d waits is %v, want nearly 15 s and a jitter of 60 s", len(s.gaps()), longest)
			}
		})
	})
}

func TestHeartbeat(t *testing.T) {
	for open, want := range map[int]time.Duration{0: 52 * time.Second, 1: 12 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = b.open[:open]
			s, l, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) { drain(c) }))
			defer stop()
			time.Sleep(40 * time.Second) // pings are answered
			synctest.Wait()
			if !l.Status().Up {
				t.Fatalf("not up: %+v", l.Status())
			}
			s.deaf.Store(true)
			time.Sleep(want)
			synctest.Wait()
			if st := l.Status(); st.Up || time.Since(st.Since) > want/2 {
				t.Errorf("open %d: a cut cable was noticed %v ago of %v: %+v", open, time.Since(st.Since), want, st)
			}
			s.deaf.Store(false)
		})
	}
	t.Run("OpeningAPaymentIsToldAndQuickens", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			hints := make(chan int, 9)
			_, l, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				for {
					m, err := receive(c)
					if err != nil {
						return
					}
					var busy wire.Busy
					if m.Method == wire.HintBusy && json.Unmarshal(m.Params, &busy) == nil {
						hints <- busy.Open
					}
				}
			}))
			defer stop()
			for _, n := range []int{0, 1, 2, 0} {
				b.mu.Lock()
				b.open = slices.Repeat([]string{"p"}, n)
				b.mu.Unlock()
				l.Wake()
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			if got := []int{<-hints, <-hints, <-hints}; !slices.Equal(got, []int{0, 1, 0}) || len(hints) != 0 {
				t.Errorf("told %v and %d more", got, len(hints))
			}
			if !l.Status().Up {
				t.Errorf("the line went: %+v", l.Status())
			}
		})
	})
}

func TestTheRecordCounterGoesWithTheHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		b.open, b.left = nil, 50
		type told struct {
			writes int64
			left   int
			after  time.Duration
		}
		var began time.Time
		got := make(chan told, 9)
		_, l, stop := bubble(t, b, session(func(c *ws.Conn, o wire.Open) {
			began = time.Now()
			if o.NumbersLeft == nil || *o.NumbersLeft != 50 {
				t.Errorf("session.open says that %v numbers are left", o.NumbersLeft)
			}
			for {
				m, err := receive(c)
				if err != nil {
					return
				}
				var g wire.Gauges
				if m.Method == wire.HintGauges && wire.Into(m.Params, &g) == nil && g.NumbersLeft != nil {
					got <- told{g.Writes, *g.NumbersLeft, time.Since(began)}
				}
			}
		}))
		defer stop()
		synctest.Wait()
		time.Sleep(90 * time.Second) // nothing moves: nothing is said
		set := func(seen int64, open ...string) {
			b.mu.Lock()
			b.seen, b.open = seen, open
			b.left = 50 - int(seen)
			b.mu.Unlock()
			l.Wake()
			synctest.Wait()
		}
		set(7)
		time.Sleep(20 * time.Second)
		set(8, "p") // from here on each 5 s
		time.Sleep(7 * time.Second)
		set(9, "p")
		set(10, "p")
		time.Sleep(7 * time.Second)
		synctest.Wait()
		close(got)
		var all []told
		for g := range got {
			all = append(all, g)
		}
		want := []told{{8, 43, 100 * time.Second}, {9, 42, 115 * time.Second}, {11, 40, 120 * time.Second}}
		if !slices.Equal(all, want) {
			t.Errorf("told %v, want %v", all, want)
		}
	})
}

func TestCalls(t *testing.T) {
	t.Run("ChargeWhoseCodeIsLostIsNeverSentAndItsVoidIs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			lost := record.Call{ID: "p:charge:1", Order: "p", Method: wire.BillCharge, Volatile: true}
			b.add(lost, get("p", "p:get:1"), get("q", "q:get:1"))
			var mu sync.Mutex
			var got []string
			_, l, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				for {
					m, err := receive(c)
					if err != nil {
						return
					}
					if m.IsCall() {
						mu.Lock()
						got = append(got, m.ID)
						mu.Unlock()
						p, _ := wire.EncodeResult(m.ID, wire.Result{Outcome: payment.OutBill})
						_ = c.Send(ws.Call, p)
					}
				}
			}))
			defer stop()
			synctest.Wait()
			mu.Lock()
			if !slices.Equal(got, []string{"q:get:1"}) {
				t.Errorf("sent %v", got)
			}
			mu.Unlock()
			b.mu.Lock()
			b.calls[0] = record.Call{ID: "p:charge_void:1", Order: "p", Method: wire.BillChargeVoid, Params: json.RawMessage(`{"payment":"p","attempt":1}`)}
			b.mu.Unlock()
			l.Wake()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(got, []string{"q:get:1", "p:charge_void:1", "p:get:1"}) {
				t.Errorf("sent %v", got)
			}
		})
	})
	t.Run("AnswerToADroppedCallIsNotHandedOn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.add(get("p", "p:get:1"))
			_, l, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				for {
					m, err := receive(c)
					if err != nil {
						return
					}
					if m.ID == "p:get:1" {
						b.mu.Lock()
						b.drop(m.ID)
						b.mu.Unlock()
					}
					if m.IsCall() {
						p, _ := wire.EncodeResult(m.ID, wire.Result{Outcome: payment.OutBill})
						_ = c.Send(ws.Call, p)
					}
				}
			}))
			defer stop()
			synctest.Wait()
			b.add(get("p", "p:get:2"))
			synctest.Wait()
			if _, ok := b.results["p:get:1"]; ok || b.results["p:get:2"] == nil || !l.Status().Up {
				t.Errorf("answers %v, status %+v", b.results, l.Status())
			}
		})
	})
	t.Run("ManyCallsLeaveOnceAndInOrder", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const many = 400
			b := newBox(t)
			for i := range many {
				b.calls = append(b.calls, get(fmt.Sprint("p", i), fmt.Sprint("p", i, ":get:1")))
			}
			var sent []string
			_, _, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				var open []string
				for {
					m, err := receive(c)
					if err != nil {
						return
					}
					if !m.IsCall() {
						continue
					}
					sent, open = append(sent, m.ID), append(open, m.ID)
					for len(open) == wire.MaxInFlight || len(sent) == many && len(open) > 0 {
						i := len(sent) % len(open) // any of them
						p, _ := wire.EncodeResult(open[i], wire.Result{Outcome: payment.OutBill})
						_ = c.Send(ws.Call, p)
						open = slices.Delete(open, i, i+1)
					}
				}
			}))
			defer stop()
			synctest.Wait()
			if len(sent) != many || len(b.answers) != many || len(b.calls) != 0 {
				t.Fatalf("%d calls left, %d answers came, %d wait", len(sent), len(b.answers), len(b.calls))
			}
			for i, id := range sent {
				if id != fmt.Sprint("p", i, ":get:1") {
					t.Fatalf("call %d is %s", i, id)
				}
			}
			t.Logf("%d calls, %d at once", many, wire.MaxInFlight)
		})
	})
	t.Run("AnswerThatTheOwnerLeavesOpenIsNotAskedAgainOnThisLine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.keep = true
			b.add(get("p", "p:get:1"), get("p", "p:get:2"))
			var mu sync.Mutex
			sent := map[string]int{}
			_, l, stop := bubble(t, b, session(func(c *ws.Conn, _ wire.Open) {
				for {
					m, err := receive(c)
					if err != nil {
						return
					}
					if m.IsCall() {
						mu.Lock()
						sent[m.ID]++
						mu.Unlock()
						p, _ := wire.EncodeResult(m.ID, wire.Result{Outcome: payment.OutBill})
						_ = c.Send(ws.Call, p)
					}
				}
			}))
			defer stop()
			for range 5 {
				time.Sleep(time.Minute)
				l.Wake()
			}
			b.add(get("q", "q:get:1")) // other payments are not held up
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if sent["p:get:1"] != 1 || sent["p:get:2"] != 0 || sent["q:get:1"] != 1 {
				t.Errorf("sent %v", sent)
			}
		})
	})
}

func TestOwner(t *testing.T) {
	for _, what := range []string{"session", "event", "answer"} {
		t.Run("NewsOfAFailedCommitComesAgain/"+what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBox(t)
				failures := 2
				b.fail = func(of string) error {
					if of == what && failures > 0 {
						failures--
						return errors.New("disk is full")
					}
					return nil
				}
				b.add(get("p", "p:get:1"))
				sessions := 0
				_, l, stop := bubble(t, b, session(func(c *ws.Conn, o wire.Open) {
					sessions++
					if o.Seen == 0 {
						p, _ := wire.EncodeNote(wire.EventNote, wire.Event{Seq: 1, Type: "bill.part", Body: json.RawMessage(`{}`)})
						_ = c.Send(ws.Event, p)
					}
					for {
						m, err := receive(c)
						if err != nil {
							return
						}
						if m.IsCall() {
							p, _ := wire.EncodeResult(m.ID, wire.Result{Outcome: payment.OutBill})
							_ = c.Send(ws.Call, p)
						}
					}
				}))
				defer stop()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				if sessions != 3 || len(b.taken) != 1 || len(b.calls) != 0 || !l.Status().Up {
					t.Errorf("%d sessions, %d events, %d calls left, %+v", sessions, len(b.taken), len(b.calls), l.Status())
				}
			})
		})
	}
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, quit := newBox(t), make(chan struct{})
		defer synctest.Wait()
		defer close(quit)
		_, l, stop := bubble(t, b, session(func(*ws.Conn, wire.Open) { <-quit })) // reads nothing
		synctest.Wait()
		if !l.Status().Up {
			t.Fatalf("not up: %+v", l.Status())
		}
		began := time.Now()
		stop()
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("stopping took %v", took)
		}
		if l.Status().Up || !slices.Equal(b.ups, []bool{true, false}) {
			t.Errorf("up %v, told %v", l.Status().Up, b.ups)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"ws://integrator.example/v1/term": "loopback",
		"http://localhost/v1/term":        "wss://",
		"wss:///v1/term":                  "form",
		"wss://user:secret@h/v1/term":     "form",
		"::":                              "form",
	} {
		_, err := link.New(link.Config{URL: url, Terminal: "t", Key: boxKey()}, newBox(t), newBox(t))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want a word of %q", url, err, want)
		}
	}
	for _, cfg := range []link.Config{
		{URL: "wss://h/", Terminal: "", Key: boxKey()},
		{URL: "wss://h/", Terminal: "a b", Key: boxKey()},
		{URL: "wss://h/", Terminal: "t", Key: boxKey()[:10]},
	} {
		if _, err := link.New(cfg, newBox(t), newBox(t)); err == nil {
			t.Errorf("%q with a key of %d bytes was taken", cfg.Terminal, len(cfg.Key))
		}
	}
}

func TestTLS(t *testing.T) {
	up := make(chan struct{}, 1)
	handle := session(func(c *ws.Conn, _ wire.Open) {
		select {
		case up <- struct{}{}:
		default:
		}
		drain(c)
	})
	hs := httptest.NewTLSServer(http.HandlerFunc(handle))
	hs.Config.ErrorLog = nil
	defer hs.Close()
	roots := x509.NewCertPool()
	roots.AddCert(hs.Certificate())
	url := "wss" + strings.TrimPrefix(hs.URL, "https")
	run := func(cfg *tls.Config) (*link.Link, func()) {
		b := newBox(t)
		l := b.new(link.Config{URL: url, TLS: cfg})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Serve(ctx, b) }()
		return l, func() { cancel(); <-done }
	}
	_, stop := run(&tls.Config{RootCAs: roots})
	<-up
	stop()
	l, stop := run(nil) // the system's roots do not know this server
	defer stop()
	for l.Status().LastError == "it has not been tried yet" {
		time.Sleep(time.Millisecond)
	}
	if st := l.Status(); st.Up || !st.NeedsPerson || !strings.Contains(st.LastError, "certificate") {
		t.Errorf("status %+v", st)
	}
}

// A call whose answer is taken in while the line looks for what may leave is not sent once more.
func TestAnAnsweredCallLeavesOnce(t *testing.T) {
	all, twice := 0, 0
	for range 40 {
		left, again, err := new(link.Answered).Run(100)
		if err != nil {
			t.Fatal(err)
		}
		all += left
		if again != "" {
			twice++
			t.Errorf("%s left again", again)
		}
	}
	t.Logf("%d calls left; in %d of 40 runs one of them again", all, twice)
}
