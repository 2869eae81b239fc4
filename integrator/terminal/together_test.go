package terminal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"tilld/integrator/terminal"
	"tilld/internal/freeport"
	"tilld/internal/link"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
)

// box is the smallest owner of a link: a journal in memory.
type box struct {
	name string
	link *link.Link
	open []string // payments

	mu       sync.Mutex
	calls    []record.Call
	seen     int64
	epoch    int64
	came     time.Time // of the newest session
	answered chan string
	fault    error
}

// startBox runs a link of a box with an open payment to url until stop.
func startBox(tb testing.TB, url, name string) (b *box, stop func()) {
	tb.Helper()
	b = &box{name: name, open: []string{"p"}, answered: make(chan string, 16)}
	return b, b.start(tb, link.Config{URL: url})
}

// start runs the box's link until stop.
func (b *box) start(tb testing.TB, c link.Config) (stop func()) {
	tb.Helper()
	name := b.name
	c.Terminal, c.Key, c.App, c.Log = name, key(name), "test/1", slog.New(slog.DiscardHandler)
	l, err := link.New(c, b, b)
	if err != nil {
		tb.Fatal(err)
	}
	b.link = l
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.Serve(ctx, b); !errors.Is(err, context.Canceled) {
			tb.Errorf("%s: serve ended with %v", name, err)
		}
	}()
	return func() { cancel(); <-done }
}

func (b *box) Calls() []record.Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]record.Call(nil), b.calls...)
}

func (b *box) About() link.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return link.State{Journal: "j-" + b.name, Boot: "b-" + b.name, EpochSeen: b.epoch, Seen: b.seen, OpenPayments: b.open}
}

func (b *box) Answer(_ context.Context, id string, r *wire.Result, p *wire.Problem) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p != nil || r == nil {
		b.fault = fmt.Errorf("%s was refused: %w", id, p)
	}
	for i, c := range b.calls {
		if c.ID == id {
			b.calls = append(append([]record.Call(nil), b.calls[:i]...), b.calls[i+1:]...)
			b.answered <- id
			return nil
		}
	}
	b.fault = fmt.Errorf("%s was answered twice", id)
	return nil
}

func (b *box) Event(_ context.Context, e wire.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Seq != b.seen+1 {
		b.fault = fmt.Errorf("event %d after %d", e.Seq, b.seen)
	}
	b.seen = e.Seq
	return nil
}

func (b *box) Session(_ context.Context, s wire.Session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch, b.came = s.Epoch, time.Now()
	return nil
}

func (b *box) Link(bool) {}

// ask journals a call and wakes the link.
func (b *box) ask(id, order, method string, params any) {
	p, _ := json.Marshal(params) // structs of wire always marshal
	b.mu.Lock()
	b.calls = append(b.calls, record.Call{ID: id, Order: order, Method: method, Params: p})
	b.mu.Unlock()
	b.link.Wake()
}

// listen serves s on addr ("127.0.0.1:0" for a new one).
func listen(tb testing.TB, s *terminal.Server, addr string) (*listening, string) {
	tb.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	hs := &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = hs.Serve(l) }()
	return &listening{hs, l}, l.Addr().String()
}

// listening is an HTTP server and its socket: one that is closed before its Serve has begun would leave the socket open
// for a while.
type listening struct {
	*http.Server
	l net.Listener
}

func (s *listening) Close() error { return errors.Join(s.l.Close(), s.Server.Close()) }

// asked is how many calls have reached the office.
func (o *office) asked() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.order)
}

// TestRestart: ten boxes keep asking while their server is replaced, again and again; every call is answered once,
// every bill made once, every event taken in once and in order.
func TestRestart(t *testing.T) {
	t.Parallel()
	const boxes, each, restarts = 10, 30, 4
	var names []string
	for i := range boxes {
		names = append(names, fmt.Sprint("till-", i))
	}
	o := newOffice(names...)
	cfg := terminal.Config{Spread: time.Millisecond, Jitter: time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	s := terminal.New(o, cfg)
	own, err := freeport.Take(1) // nobody takes it while it is between two servers, not even a box that dials
	if err != nil {
		t.Fatal(err)
	}
	hs, addr := listen(t, s, own[0])
	var all []*box
	var stops []func()
	for _, name := range names {
		b, stop := startBox(t, "ws://"+addr+"/v1/term", name)
		all, stops = append(all, b), append(stops, stop)
	}
	var wg sync.WaitGroup
	for _, b := range all {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%s-p%d", b.name, i)
				b.ask(id+":create", id, wire.BillCreate, wire.Create{Payment: id, Amount: payment.Money{Value: 100, Currency: "RUB"}})
				b.ask(id+":get:1", id, wire.BillGet, wire.Get{Payment: id})
				for range 2 {
					select {
					case <-b.answered:
					case <-time.After(time.Minute):
						t.Errorf("%s: payment %d was not answered", b.name, i)
						return
					}
				}
			}
		})
	}
	for i := range restarts {
		for o.asked() < (i+1)*boxes*each/restarts/2 { // in the middle of things, wherever that is
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_ = s.Drain(ctx) // some end by a close frame, some are cut
		cancel()
		_ = hs.Close()
		s = terminal.New(o, cfg)
		hs, _ = listen(t, s, addr)
	}
	wg.Wait()
	deadline := time.Now().Add(time.Minute)
	for _, b := range all {
		for time.Now().Before(deadline) && b.About().Seen < each {
			time.Sleep(time.Millisecond)
		}
	}
	for _, stop := range stops {
		stop()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		t.Error(err)
	}
	_ = hs.Close()
	epochs := int64(0)
	for _, b := range all {
		if b.fault != nil || b.seen != each || len(b.calls) != 0 {
			t.Errorf("%s: seen %d of %d, %d calls left, %v", b.name, b.seen, each, len(b.calls), b.fault)
		}
		epochs += b.epoch
	}
	if len(o.bills) != boxes*each {
		t.Errorf("%d bills, want %d", len(o.bills), boxes*each)
	}
	t.Logf("%d sales over %d sessions of %d boxes, %d restarts", boxes*each, epochs, boxes, restarts)
}
