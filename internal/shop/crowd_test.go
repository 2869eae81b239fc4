//go:build processes

package shop_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tilld/integrator/server"
	"tilld/internal/link"
	"tilld/internal/localapi/client"
	"tilld/internal/record"
	"tilld/internal/shop"
	"tilld/internal/wire"
	"tilld/internal/ws"
	"tilld/payment"
)

// subscribers are fifty pages that read the box's events, one of which stops reading: it is cut off, and the others get
// each event as they did before.
func (f *field) subscribers() {
	f.t.Helper()
	const readers = 49
	before := f.stand()
	var mu sync.Mutex
	var late []time.Duration
	var seen [readers]atomic.Int64
	var conns []*ws.Conn
	var wg sync.WaitGroup
	for i := range readers {
		c, err := ws.Dial(f.t.Context(), "ws://"+f.cfg.TilldListen+"/v1/events?after="+fmt.Sprint(f.newest()), ws.Options{
			Protocols: []string{"tilld.v1", "bearer." + f.token}, MaxFrame: 1 << 20, Header: http.Header{"Origin": {"http://" + f.cfg.Listen}},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		conns = append(conns, c)
		wg.Go(func() {
			for {
				b, err := c.Receive()
				if err != nil {
					return
				}
				var e struct {
					Seq int64
					At  time.Time
				}
				if err := json.Unmarshal(b, &e); err != nil || seen[i].Load() != 0 && e.Seq != seen[i].Load()+1 {
					f.t.Errorf("subscriber %d: event %d after %d (%v)", i, e.Seq, seen[i].Load(), err)
					return
				}
				mu.Lock()
				late = append(late, time.Since(e.At))
				mu.Unlock()
				seen[i].Store(e.Seq)
			}
		})
	}
	median := func() time.Duration { // of what came since it was asked last
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(late)
		m := late[len(late)/2]
		late = nil
		return m
	}
	reached := func() { // every reader has had everything
		f.t.Helper()
		newest := f.newest()
		for end := time.Now().Add(tryLimit); ; time.Sleep(20 * time.Millisecond) {
			least := int64(1 << 62)
			for i := range seen {
				least = min(least, seen[i].Load())
			}
			if least >= newest {
				return
			}
			if time.Now().After(end) {
				f.t.Fatalf("a subscriber has had events up to %d of %d", least, newest)
			}
		}
	}
	least := f.many("sales beside a subscriber that stalls", 2, 10)
	for range least {
		f.sale()
	}
	reached()
	alone := median()
	stalled, err := f.upgrade(f.cfg.TilldListen, 0, narrow)
	if err != nil {
		f.t.Fatal(err)
	}
	defer stalled.Close()
	began, sales, took, waited := time.Now(), 0, time.Duration(0), time.Duration(0)
	within := f.stand()
	for !strings.Contains(f.log.String(), "code=slow_reader") && time.Since(began) < time.Minute+patience || sales < least {
		took = max(took, f.sale())
		sales++
		at := time.Now()
		reached()
		waited = max(waited, time.Since(at))
		if sales > 20 { // enough to fill its line: it is time's turn
			time.Sleep(time.Second)
		}
	}
	cut := time.Since(began)
	reached()
	if waited > strangersSlow {
		f.t.Errorf("the other 49 had an event as long as %v after it, as one of them did not read", waited)
	}
	beside := median()
	if !strings.Contains(f.log.String(), "code=slow_reader") {
		f.t.Errorf("a subscriber that does not read is still there after %v and %d sales", cut, sales)
	}
	for _, c := range conns {
		c.Kill()
	}
	wg.Wait()
	f.row("one of 50 subscribers does not read", 1, took, 1, cut, before, within, f.settled("subscribers", before, strangersSlack))
	fmt.Fprintf(f.table, "  events to the other 49: median %v after the fact without it, %v beside it: ratio %.2f\n", alone.Round(time.Microsecond), beside.Round(time.Microsecond), float64(beside)/float64(alone))
}

// narrow makes a line that holds next to nothing, so that its writer notices soon that nobody reads.
func narrow(_, _ string, c syscall.RawConn) (err error) {
	if e := c.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err == nil {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 536)
		}
	}); e != nil {
		return e
	}
	return err
}

// newest is the last event that has happened.
func (f *field) newest() (seq int64) {
	f.t.Helper()
	f.try("read the events", func() error {
		for {
			p, err := f.api.Events(f.t.Context(), seq, 0, 1000)
			if err != nil || len(p.Events) == 0 {
				return err
			}
			seq = p.Next
		}
	})
	return seq
}

// herd has so many boxes come back at one moment, because the integrator was killed, among them the shop's own with ten open
// payments. Those are paid at that moment.
func (f *field) herd(n int) {
	f.t.Helper()
	c, err := server.LoadConfig(filepath.Join(f.cfg.State, "integrator.yaml"))
	if err != nil {
		f.t.Fatal(err)
	}
	door, err := server.OpenBoxes(f.t.Context(), c)
	if err != nil {
		f.t.Fatal(err)
	}
	before := f.stand()
	ctx, leave := context.WithCancel(f.t.Context())
	defer leave()
	boxes := make([]*idleBox, n)
	next := make(chan int, n)
	var adding, running sync.WaitGroup
	for range 8 {
		adding.Go(func() {
			for i := range next {
				if err := boxes[i].join(ctx, f, door, &running, i); err != nil {
					f.t.Error(err)
				}
			}
		})
	}
	for i := range n {
		boxes[i] = &idleBox{journal: payment.NewID(time.Now()), boot: payment.NewID(time.Now())}
		next <- i
	}
	close(next)
	adding.Wait()
	if err := door.Close(); err != nil {
		f.t.Error(err)
	}
	f.allIn(boxes, 1)
	var open []client.Payment
	for lane := 1; lane <= 10; lane++ {
		open = append(open, f.opened(fmt.Sprint(lane)))
	}
	within := f.stand()
	began := time.Now()
	f.shop.Kill(shop.Integrator)
	for _, p := range open {
		f.pay(p.QR.Payload, nil)
	}
	for _, p := range open {
		f.handOver(p.ID)
	}
	took := time.Since(began)
	f.allIn(boxes, 2)
	back := time.Since(began)
	leave()
	running.Wait()
	f.row(fmt.Sprintf("%d boxes come back beside ten open payments", n), n, took, n, back, before, within, f.settled("herd", before, 2*strangersSlack)) // the new process has lines of its own to the bank: one for each of the ten
	fmt.Fprintf(f.table, "  the ten were paid and handed over %v after the kill; all %d boxes were back after %v\n", took.Round(time.Millisecond), n, back.Round(time.Millisecond))
}

// allIn waits until every box has opened so many sessions.
func (f *field) allIn(boxes []*idleBox, sessions int64) {
	f.t.Helper()
	for end := time.Now().Add(6 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		in := 0
		for _, b := range boxes {
			if b.epoch.Load() >= sessions {
				in++
			}
		}
		if in == len(boxes) {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("%d of %d boxes are in", in, len(boxes))
		}
	}
}

// idleBox is a box without customers, with the boxes' own link.
type idleBox struct {
	journal, boot string
	epoch         atomic.Int64
	seen          atomic.Int64
}

// join registers the box and lets it come.
func (b *idleBox) join(ctx context.Context, f *field, door interface {
	Add(ctx context.Context, name, key string) error
}, running *sync.WaitGroup, i int,
) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("idle-%04d", i)
	for end := time.Now().Add(tryLimit + patience); ; { // the same again does no harm, and those who are in already take the server's time
		err := door.Add(ctx, name, base64.StdEncoding.EncodeToString(public))
		if err == nil {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("add %s: %w", name, err)
		}
	}
	l, err := link.New(link.Config{
		URL: "ws://" + f.cfg.IntegratorListen + "/v1/term", Terminal: name, Key: private, App: "test/1", Log: slog.New(slog.DiscardHandler),
	}, b, b)
	if err != nil {
		return err
	}
	running.Go(func() { _ = l.Serve(ctx, b) }) // its error is ctx's
	return nil
}

func (b *idleBox) Calls() []record.Call { return nil }
func (b *idleBox) About() link.State {
	return link.State{Journal: b.journal, Boot: b.boot, EpochSeen: b.epoch.Load(), Seen: b.seen.Load()}
}
func (b *idleBox) Answer(context.Context, string, *wire.Result, *wire.Problem) error { return nil }
func (b *idleBox) Event(_ context.Context, e wire.Event) error                       { b.seen.Store(e.Seq); return nil }

func (b *idleBox) Session(_ context.Context, s wire.Session) error {
	b.epoch.Store(s.Epoch)
	return nil
}
func (b *idleBox) Link(bool) {}
