package terminal_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/link"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

func (x *till) gauge(writes int64) {
	p, _ := wire.EncodeNote(wire.HintGauges, wire.Gauges{Writes: writes})
	_ = x.Send(ws.Call, p)
}

func TestACounterThatWentBackEndsTheSession(t *testing.T) {
	o := newOffice("till-1")
	url, _ := serve(t, o, terminal.Config{})
	x := mustCome(t, url, "till-1", "b", 0)
	for _, n := range []int64{0, 12, 12, -1, 15, 14} { // 0 is known from session.open, a repeat says nothing, -1 is no counter
		x.gauge(n)
		x.call("p:get", wire.BillGet, "p") // answered, so that one is told before the next
		if _, err := x.next(); err != nil {
			break
		}
		for until := time.Now().Add(time.Minute); n > 0 && o.lastGauge() != n && time.Now().Before(until); {
			x.call("p:get", wire.BillGet, "p")
			if _, err := x.next(); err != nil {
				break
			}
		}
	}
	var err error
	for err == nil {
		_, err = x.next()
	}
	if code(err) != wire.CloseOverload {
		t.Errorf("ended with %v", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.gauged, []int64{12, 15, 14}) {
		t.Errorf("the office was told %v", o.gauged)
	}
}

func (o *office) lastGauge() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.gauged) == 0 {
		return 0
	}
	return o.gauged[len(o.gauged)-1]
}

// A box that says that it has few numbers left is sent some, once in ten minutes: what it says meanwhile it may have said before
// it had them.
func TestABoxWithFewNumbersIsSentSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, stop := bubble(t, newOffice("till-1"), terminal.Config{Heartbeat: time.Hour})
		defer stop()
		x := mustComeBy(t, p, "till-1")
		defer func() { x.Kill(); <-x.Done() }()
		asks := func(writes int64, left *int) {
			g, _ := wire.EncodeNote(wire.HintGauges, wire.Gauges{Writes: writes, NumbersLeft: left})
			_ = x.Send(ws.Call, g)
			synctest.Wait()
		}
		var got []time.Duration // when numbers came
		began := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				m, err := x.next()
				if err != nil {
					return
				}
				var c wire.Clock
				if m.Method != wire.HintClock || wire.Into(m.Params, &c) != nil {
					t.Errorf("it is sent %s", m.Method)
				} else if c.Numbers != nil {
					if now, err := time.Parse(time.RFC3339, c.Now); err != nil || time.Since(now) >= time.Second || c.Numbers.From != 2000 {
						t.Errorf("it is sent %+v with %+v: %v", c, c.Numbers, err)
					}
					got = append(got, time.Since(began))
				}
			}
		}()
		for _, left := range []*int{nil, new(5), new(-1), new(4), new(0), new(0), new(0)} { // at 0, 4, … 24 minutes
			asks(int64(time.Since(began)/time.Minute)+10, left)
			time.Sleep(4 * time.Minute)
		}
		x.Kill()
		<-done
		if want := []time.Duration{12 * time.Minute, 24 * time.Minute}; !slices.Equal(got, want) {
			t.Errorf("numbers came after %v, want %v", got, want)
		}
	})
}

func TestProvidersAreToldWhenTheyChangeAndOnlyThen(t *testing.T) {
	o := newOffice("till-1")
	o.offer = wire.Providers{Show: []string{"bank", "other"}, Scan: []string{"bank"}}
	url, _ := serve(t, o, terminal.Config{})
	x := mustCome(t, url, "till-1", "b", 0)
	if !slices.Equal(x.session.Providers, []string{"bank", "other"}) {
		t.Fatalf("the session names %v", x.session.Providers)
	}
	o.offers(o.offer) // no change, no hint
	for _, show := range [][]string{{"other"}, nil, {"bank", "other"}} {
		o.offers(wire.Providers{Show: show, Scan: []string{"bank"}})
		m := x.must()
		var p wire.Providers
		if m.Method != wire.HintProviders || wire.Into(m.Params, &p) != nil || !slices.Equal(p.Show, show) || p.Show == nil || !slices.Equal(p.Scan, []string{"bank"}) {
			t.Fatalf("%s %s, want show %v", m.Method, m.Params, show)
		}
	}
	for _, silent := range [][]string{{"slow"}, nil} { // one that was not offered before either
		o.offers(wire.Providers{Show: []string{"bank"}, Silent: silent})
		o.offers(wire.Providers{Show: []string{"bank"}, Silent: silent})
		m := x.must()
		var p wire.Providers
		if m.Method != wire.HintProviders || wire.Into(m.Params, &p) != nil || !slices.Equal(p.Silent, silent) {
			t.Fatalf("%s %s, want silent %v", m.Method, m.Params, silent)
		}
	}
}

// TestWhoComesTooOftenRests: sixty sessions without a payment are let in, the next is turned away for a minute and no longer,
// and one with a payment never.
func TestWhoComesTooOftenRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, stop := bubble(t, newOffice("till-1"), terminal.Config{Rate: 1000, Burst: 1000})
		defer stop()
		come := func(named bool, open ...string) (retry time.Duration, closed int) {
			t.Helper()
			h := http.Header{}
			if named {
				h.Set("X-Till-Terminal", "till-1")
			}
			if len(open) > 0 {
				h.Set("X-Till-Open", "1")
			}
			c, err := ws.Dial(t.Context(), "ws://pipe/v1/term", ws.Options{Protocols: []string{wire.Protocol}, Dial: p.Dial, Header: h})
			if err != nil {
				var he *ws.HandshakeError
				if !errors.As(err, &he) || he.Status != http.StatusServiceUnavailable {
					t.Fatal(err)
				}
				return he.RetryAfter, 0
			}
			x := &till{t: t, Conn: c}
			defer func() { c.Kill(); <-c.Done() }()
			var ch wire.Challenge
			_ = wire.Into(x.must().Params, &ch)
			o := wire.Open{Terminal: "till-1", Journal: "j", Boot: "b", OpenPayments: open}
			o.Sign(ch, key("till-1"))
			f, _ := wire.EncodeCall(wire.SessionID, wire.SessionOpen, o)
			_ = c.Send(ws.Call, f)
			if m := x.must(); m.Problem != nil {
				_, err := x.next()
				return 0, code(err)
			}
			return 0, 0
		}
		mustRest := func(left time.Duration) {
			t.Helper()
			if retry, _ := come(true); retry != left {
				t.Errorf("it is told to come after %v, want %v", retry, left)
			}
			if _, closed := come(false); closed != wire.CloseOverload {
				t.Errorf("one that hides its name is closed with %d", closed)
			}
		}
		mustCome := func(what string, open ...string) {
			t.Helper()
			if retry, closed := come(true, open...); retry != 0 || closed != 0 {
				t.Errorf("%s: Retry-After %v, closed with %d", what, retry, closed)
			}
		}
		for range 60 {
			mustCome("one of the first sixty")
		}
		mustRest(time.Minute)
		for range 3 {
			mustCome("with a payment open", "p")
		}
		for range 5 { // as long as it comes whenever it may
			time.Sleep(20 * time.Second)
			mustRest(40 * time.Second)
			time.Sleep(40 * time.Second)
			mustCome("after its rest")
		}
		time.Sleep(10*time.Minute + time.Second)
		for range 10 {
			mustCome("one of ten after ten minutes")
		}
		mustRest(59 * time.Second)
		time.Sleep(time.Hour)
		for range 60 {
			mustCome("one of sixty after an hour")
		}
		mustRest(time.Minute)
	})
}

// TestALineThatFlapsShutsNoShopOut: a line that lives for 22 s at a time, as behind a proxy that cuts idle lines, for hours, and no
// payment is open. Whenever a till is turned away for want of it, its box has a session a minute later.
func TestALineThatFlapsShutsNoShopOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Int64
		p, _, stop := bubble(t, newOffice("till-1"), terminal.Config{TurnedAway: func(code, _ string) {
			if code == "overloaded" {
				away.Add(1)
			}
		}})
		defer stop()
		b := &box{name: "till-1", answered: make(chan string, 1)}
		defer b.start(t, link.Config{URL: "ws://localhost/v1/term", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := p.Dial(ctx, network, address)
			if err == nil {
				time.AfterFunc(22*time.Second, func() { _ = c.Close() })
			}
			return c, err
		}})()
		asks, down, longest := 0, 0, time.Duration(0)
		for range 60 { // customers
			time.Sleep(2*time.Minute + 37*time.Second) // at another moment of the cycle each time
			asked := time.Now()
			for ; !b.link.Status().Up; time.Sleep(time.Second) {
				if wait := time.Since(asked); wait > 65*time.Second {
					t.Fatalf("no line %v after a till was turned away first", wait)
				} else if wait%(10*time.Second) == 0 {
					b.link.Wake()
					asks++
				}
			}
			if wait := time.Since(asked); wait > 0 {
				down, longest = down+1, max(longest, wait)
			}
		}
		if away.Load() < 20 || down == 0 {
			t.Errorf("the box was turned away %d times, and %d customers met no line: this proves little", away.Load(), down)
		}
		t.Logf("%d of 60 customers met no line, the tills asked %d times, the longest wait was %v; the box was turned away %d times", down, asks, longest, away.Load())
	})
}
