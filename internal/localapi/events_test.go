package localapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/internal/localapi"
	"tilld/internal/record"
	"tilld/internal/ws"
)

type pageOf struct {
	Events       []record.Event
	Next, Oldest int64
}

func (f *fixture) page(token, query string) pageOf {
	f.t.Helper()
	a := f.do(token, "GET", "/v1/events"+query, "")
	var p pageOf
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != http.StatusOK || p.Events == nil {
		f.t.Fatalf("events%s: %d %s (%v)", query, a.status, a.body, err)
	}
	return p
}

func TestPoll(t *testing.T) {
	t.Parallel()
	f := start(t)
	one, two := f.create("till-1", "R-1"), f.create("till-2", "R-2")
	f.box.Announce("health.changed", "", "printer", map[string]string{"code": "no_paper"})
	all := f.page("tech", "")
	if len(all.Events) != 3 || all.Next != 3 || all.Oldest != 1 || all.Events[0].Subject != one.ID || all.Events[0].Type != "payment.submitted" {
		t.Errorf("all: %+v", all)
	}
	if own := f.page("till-2", "?after=0"); len(own.Events) != 2 || own.Events[0].Subject != two.ID || own.Events[1].Subject != "printer" || own.Next != 3 {
		t.Errorf("a lane's own and nobody's: %+v", own)
	}
	if part := f.page("tech", "?after=1&limit=1"); len(part.Events) != 1 || part.Next != 2 {
		t.Errorf("a page of one: %+v", part)
	}
	if none := f.page("tech", "?after=3"); len(none.Events) != 0 || none.Next != 3 {
		t.Errorf("nothing new: %+v", none)
	}
	// What is another lane's business moves the cursor and ends no wait.
	got := make(chan pageOf, 1)
	go func() { got <- f.page("till-2", "?after=3&wait=30") }()
	f.shown(one.ID)
	f.shown(two.ID)
	select {
	case p := <-got:
		if len(p.Events) != 1 || p.Events[0].Subject != two.ID || p.Next != 5 {
			t.Errorf("news: %+v", p)
		}
	case <-time.After(time.Minute):
		t.Fatal("the poll did not end with the news")
	}
	began := time.Now()
	if p := f.page("till-1", "?after=5&wait=1"); len(p.Events) != 0 || time.Since(began) < time.Second {
		t.Errorf("a wait without news: %+v after %v", p, time.Since(began))
	}
}

func TestPollOfWhatIsGone(t *testing.T) {
	f := start(t)
	for i := range 5 {
		f.create("till-1", fmt.Sprintf("R-%d", i))
	}
	f.box.Trim(2)
	if p := f.page("tech", ""); len(p.Events) != 3 || p.Oldest != 3 {
		t.Errorf("all that are kept: %+v", p)
	}
	if p := f.page("tech", "?after=2"); len(p.Events) != 3 {
		t.Errorf("just in time: %+v", p)
	}
	for _, after := range []string{"0", "1", "6", "999999"} { // the last two were seen in another journal
		a := f.do("tech", "GET", "/v1/events?after="+after, "")
		if a.status != http.StatusGone || a.code() != "events_trimmed" || !strings.Contains(a.body, `"oldest":3`) {
			t.Errorf("after %s: %d %s", after, a.status, a.body)
		}
		if !strings.Contains(a.body, "GET /v1/payments without a filter") { // two filters narrow: what is paid and waits for its goods would be missed
			t.Errorf("what to do: %s", a.body)
		}
	}
}

// dial opens a stream.
func (f *fixture) dial(query string, o ws.Options) (*ws.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if o.MaxFrame == 0 {
		o.MaxFrame = 1 << 20
	}
	return ws.Dial(ctx, "ws://"+f.addr+"/v1/events"+query, o)
}

func next(t *testing.T, c *ws.Conn) record.Event {
	t.Helper()
	b, err := c.Receive()
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	var e record.Event
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return e
}

func TestStream(t *testing.T) {
	f := start(t)
	old := f.create("till-1", "R-1")
	f.create("till-2", "R-2")
	c, err := f.dial("?after=0", ws.Options{Protocols: []string{"tilld.v1", "bearer.till-1"}, Header: http.Header{"Origin": {page}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if c.Protocol() != "tilld.v1" {
		t.Errorf("subprotocol %q", c.Protocol())
	}
	if e := next(t, c); e.Seq != 1 || e.Subject != old.ID {
		t.Errorf("first: %+v", e)
	}
	f.shown(old.ID)
	e := next(t, c)
	if e.Seq != 3 || e.Type != "payment.open" || !strings.Contains(string(e.Data), `"version":2`) {
		t.Errorf("second: %+v %s", e, e.Data)
	}
	// A subscriber has nothing to say.
	if err := c.Send(ws.Event, []byte(`{"hello":1}`)); err != nil {
		t.Fatal(err)
	}
	_, err = c.Receive()
	var end *ws.CloseError
	if !errors.As(err, &end) || end.Code != 4400 {
		t.Errorf("after a message: %v", err)
	}
}

func TestStreamRefuses(t *testing.T) {
	f := start(t)
	for name, tc := range map[string]struct {
		o      ws.Options
		query  string
		status int
	}{
		"no token":          {ws.Options{}, "", 401},
		"wrong token":       {ws.Options{Protocols: []string{"tilld.v1", "bearer.nobody"}}, "", 401},
		"token in address":  {ws.Options{}, "?token=till-1", 401},
		"another page":      {ws.Options{Protocols: []string{"tilld.v1", "bearer.till-1"}, Header: http.Header{"Origin": {"https://evil.example"}}}, "", 403},
		"kiosk":             {ws.Options{Protocols: []string{"tilld.v1", "bearer.kiosk-1"}}, "", 403},
		"after what is not": {ws.Options{Protocols: []string{"tilld.v1", "bearer.till-1"}}, "?after=77", 410},
		"not a number":      {ws.Options{Protocols: []string{"tilld.v1", "bearer.till-1"}}, "?after=x", 422},
	} {
		_, err := f.dial(tc.query, tc.o)
		var h *ws.HandshakeError
		if !errors.As(err, &h) || h.Status != tc.status {
			t.Errorf("%s: %v, want %d", name, err, tc.status)
		}
	}
}

// TestStreamOfALongBacklog: far more than one connection may have waiting, at the reader's pace.
func TestStreamOfALongBacklog(t *testing.T) {
	f := start(t)
	const n = 3000
	p := f.create("till-1", "R-1")
	for range n - 1 {
		f.box.Announce("payment.open", "1", p.ID, map[string]string{"pad": strings.Repeat("x", 400)})
	}
	c, err := f.dial("", ws.Options{Header: http.Header{"Authorization": {"Bearer till-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	for want := int64(1); want <= n; want++ {
		if e := next(t, c); e.Seq != want {
			t.Fatalf("event %d after %d", e.Seq, want-1)
		}
	}
}

// An event that no frame can hold, as an older version wrote some, keeps what is behind it from nobody: it comes without its
// data, and the log says so. The long poll has it whole.
func TestAnEventTooLargeForAFrame(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	f.box.Announce("totals.closed", "", "Z-1", map[string]string{"pad": strings.Repeat("x", 600<<10)})
	f.paid(p.ID)
	c, err := f.dial("?after=1", ws.Options{MaxFrame: 512 << 10, Header: http.Header{"Authorization": {"Bearer till-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	if e := next(t, c); e.Seq != 2 || e.Type != "totals.closed" || string(e.Data) != "null" {
		t.Errorf("the large one: %d %s, %d bytes of data", e.Seq, e.Type, len(e.Data))
	}
	if e := next(t, c); e.Seq != 3 || e.Type != "payment.paid" || !strings.Contains(string(e.Data), p.ID) {
		t.Errorf("what is behind it: %+v", e)
	}
	if !strings.Contains(f.log.String(), "event went without its data") || !strings.Contains(f.log.String(), "event=2") {
		t.Errorf("the log: %s", f.log)
	}
	if got := f.page("till-1", "?after=1"); len(got.Events) != 2 || len(got.Events[0].Data) < 600<<10 {
		t.Errorf("by long poll: %d events", len(got.Events))
	}
}

// A stream that ends for another reason than its subscriber says why in the log.
func TestABrokenStreamSaysWhy(t *testing.T) {
	f := start(t)
	f.create("till-1", "R-1")
	c, err := f.dial("", ws.Options{Header: http.Header{"Authorization": {"Bearer till-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	next(t, c)
	f.box.Fail("Events", errors.New("the disk hums"))
	f.box.Announce("payment.open", "1", "x", 1)
	_, err = c.Receive()
	var end *ws.CloseError
	if !errors.As(err, &end) || end.Code != 1011 {
		t.Errorf("ended with %v", err)
	}
	if log := f.log.String(); !strings.Contains(log, "event stream broke off") || !strings.Contains(log, "the disk hums") || !strings.Contains(log, `caller="till one"`) {
		t.Errorf("the log: %s", log)
	}
}

// TestStalledSubscriberDelaysNobody: one subscriber stops reading with megabytes before it; another hears everything at
// once, and calls are answered.
func TestStalledSubscriberDelaysNobody(t *testing.T) {
	depth.Long(t, "20 MB past a stalled subscriber")
	f := start(t)
	p := f.create("till-1", "R-1")
	stalled, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	_ = stalled.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(stalled, "GET /v1/events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer till-1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", f.addr)
	reader, err := f.dial("", ws.Options{Header: http.Header{"Authorization": {"Bearer till-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Kill()
	const n = 200
	pad := strings.Repeat("x", 100<<10)
	var slowest time.Duration
	for i := range n {
		f.box.Announce("payment.open", "1", p.ID, map[string]string{"pad": pad})
		if i%20 == 0 {
			began := time.Now()
			if a := f.do("till-1", "GET", "/v1/payments/"+p.ID, ""); a.status != http.StatusOK {
				t.Fatalf("a call beside it: %d", a.status)
			}
			slowest = max(slowest, time.Since(began))
		}
	}
	for want := int64(1); want <= n+1; want++ {
		if e := next(t, reader); e.Seq != want {
			t.Fatalf("event %d after %d", e.Seq, want-1)
		}
	}
	if slowest > 2*time.Second {
		t.Errorf("the slowest call beside a stalled subscriber took %v", slowest)
	}
	t.Logf("%d MB past a stalled subscriber, slowest call %v", n*len(pad)>>20, slowest)
}

func TestWaitersAreBounded(t *testing.T) {
	f := start(t, func(c *localapi.Config) { c.Waiting = 2 })
	for range 2 {
		c, err := f.dial("", ws.Options{Header: http.Header{"Authorization": {"Bearer tech"}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Kill()
	}
	if a := f.do("tech", "GET", "/v1/events", ""); a.code() != "busy" || a.head.Get("Retry-After") != "1" {
		t.Errorf("one too many: %d %s", a.status, a.body)
	}
	if a := f.do("tech", "GET", "/v1/availability", ""); a.status != http.StatusOK {
		t.Errorf("a call that does not wait: %d", a.status)
	}
}
