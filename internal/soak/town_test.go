// Package soak_test lets a whole shop live for a long time: thirty days in a bubble of time, or an hour of the real
// programs. What grows with time and not with sales is a leak. In the same town every frame of a sale meets every fault of
// the line, and the clocks step.
package soak_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox"
	"tilld/integrator/provider/sandbox/bank"
	"tilld/integrator/store/sqlite"
	"tilld/integrator/terminal"
	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/link"
	"tilld/internal/wire"
	"tilld/payment"
)

var (
	bankKey = bank.Key("0123456789abcdef0123456789abcdef")
	boxKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

// town is a box, its integrator and a bank, each on the real code and on a disk of its own.
type town struct {
	t   *testing.T
	dir string
	log *slog.Logger

	bankNet *network
	termNet atomic.Pointer[network] // of the server as it is now
	wallet  *http.Client            // the customer's phone

	through func(context.Context) (net.Conn, error) // the box dials through it; nil: straight

	boxOff, serverOff atomic.Int64 // by which their wall clocks are wrong

	server *office
	ear    atomic.Pointer[office] // the server while it hears the bank
	box    *box
	end    []func()
}

func newTown(t *testing.T) *town { return townIn(t, memory(t)) }

// townIn is a town whose disks are in dir.
func townIn(t *testing.T, dir string) *town {
	w := &town{t: t, dir: dir, log: slog.New(slog.DiscardHandler), bankNet: newNetwork()}
	tr := &http.Transport{DialContext: w.bankNet.dial}
	w.wallet = &http.Client{Transport: tr}
	b, err := bank.New(bank.Config{
		Key: bankKey, Callback: "http://127.0.0.1:7474/v1/callback/sandbox", State: filepath.Join(w.dir, "bank"),
		Client: &http.Client{Transport: hearing{w}},
	})
	w.ok(err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Serve(ctx, w.bankNet); err != nil {
			t.Errorf("bank: %v", err)
		}
	})
	w.end = append(w.end, func() { tr.CloseIdleConnections(); stop(); running.Wait() })
	w.openServer()
	w.openBox()
	return w
}

// memory is a folder whose files cost no disk, where there is one: what a power cut leaves is no question here.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "tilld-soak-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (w *town) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// close ends all of it in order.
func (w *town) close() {
	w.closeBox()
	w.closeServer()
	for _, f := range w.end {
		f()
	}
}

// hearing carries the bank's call-backs to the integrator as it is now, without a socket.
type hearing struct{ w *town }

// RoundTrip hands the request on.
func (h hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	s := h.w.ear.Load()
	if s == nil {
		return nil, errors.New("the integrator is down")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, reply := s.service.Callback(r.Context(), "sandbox", r, body)
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(reply)), Header: http.Header{}, Request: r}, nil
}

// office is the integrator.
type office struct {
	store   *sqlite.Store
	service *integrator.Service
	stop    func()
}

func (w *town) openServer() {
	w.t.Helper()
	store, err := sqlite.Open(context.Background(), filepath.Join(w.dir, "ledger.db"))
	w.ok(err)
	tr := &http.Transport{DialContext: w.bankNet.dial}
	p, err := sandbox.New(sandbox.Config{URL: "http://127.0.0.1:7475", Key: sandbox.Key(bankKey), Transport: tr})
	w.ok(err)
	svc, err := integrator.New(integrator.Config{
		Store: w.ledger(store), Providers: map[string]provider.Provider{"sandbox": p}, Merchant: "Shop", Zone: time.UTC,
		Settings: integrator.DefaultSettings(), Log: w.log, Wall: wrong(&w.serverOff),
	})
	w.ok(err)
	w.ok(svc.AddTerminal(context.Background(), "box", boxKey.Public().(ed25519.PublicKey)))
	term := terminal.New(w.office(svc), terminal.Config{Log: w.log})
	ctx, stop := context.WithCancel(context.Background())
	net := newNetwork()
	w.termNet.Store(net)
	hs := &http.Server{Handler: term, ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	running.Go(func() {
		if err := hs.Serve(net); !errors.Is(err, http.ErrServerClosed) {
			w.t.Errorf("terminals: %v", err)
		}
	})
	running.Go(func() {
		if err := svc.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			w.t.Errorf("integrator: %v", err)
		}
	})
	w.server = &office{store: store, service: svc, stop: func() {
		end, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := term.Drain(end); err != nil {
			w.t.Errorf("drain: %v", err)
		}
		stop()
		_ = hs.Close()
		_ = net.Close()
		running.Wait()
		p.Close()
		tr.CloseIdleConnections()
		w.ok(store.Close())
	}}
	w.ear.Store(w.server)
}

// wrong is a wall clock that is off by as much as the number says.
func wrong(off *atomic.Int64) func() time.Time {
	return func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
}

func (w *town) closeServer() {
	w.ear.Store(nil)
	w.server.stop()
}

// box is the daemon without its devices: checkout, journal and link.
type box struct {
	*checkout.Box
	journal *journal.Journal
	link    *link.Link
	town    *town
	stop    func()
	resumed atomic.Bool // a session has begun and no event has come in it
}

func (w *town) openBox() {
	w.t.Helper()
	j, state, err := journal.Open(context.Background(), journal.Config{Dir: filepath.Join(w.dir, "journal"), Reserve: -1, Now: wrong(&w.boxOff)})
	w.ok(err)
	b := &box{journal: j, town: w}
	b.Box = checkout.New(checkout.Config{
		Lanes:    map[string]checkout.Lane{"1": {Attended: true, Language: "en", Outputs: []string{"till"}, Scanner: true}},
		Restored: state.Restored, Zone: time.UTC, Log: w.log, Wall: wrong(&w.boxOff),
	}, j, till{}, b)
	b.link, err = link.New(link.Config{
		URL: "ws://127.0.0.1:7474/v1/term", Terminal: "box", Key: boxKey, App: "tilld/soak", Log: w.log, Hint: b.Hint,
		Dial: func(ctx context.Context, n, a string) (net.Conn, error) {
			if w.through != nil {
				return w.through(ctx)
			}
			return w.termNet.Load().dial(ctx, n, a)
		},
	}, j, b)
	w.ok(err)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := b.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			w.t.Errorf("box: %v", err)
		}
	})
	w.ok(b.Ready(ctx))
	running.Go(func() { _ = b.link.Serve(ctx, b) })
	b.stop = func() {
		stop()
		running.Wait()
		w.ok(j.Close())
	}
	w.box = b
}

func (w *town) closeBox() { w.box.stop() }

// Wake hands on that there are calls to send.
func (b *box) Wake() {
	if b.link != nil {
		b.link.Wake()
	}
}

// About tells the link how the box stands.
func (b *box) About() link.State {
	m := b.journal.Meta()
	return link.State{
		Journal: m.Journal, Boot: m.Boot, EpochSeen: m.Epoch, Seen: m.Seen, Writes: m.Writes, Restored: b.Copied(), OpenPayments: b.OpenPayments(),
	}
}

// Session keeps the session's epoch beside what the box takes in.
func (b *box) Session(ctx context.Context, s wire.Session) error {
	if err := b.Box.Session(ctx, s); err != nil {
		return err
	}
	b.resumed.Store(true)
	return b.journal.SetEpoch(ctx, s.Epoch)
}

// till is a till that draws the code itself.
type till struct{}

// Show shows everything at once.
func (till) Show(_ context.Context, v checkout.View) ([]string, error) {
	if v.Payload == "" {
		return nil, nil
	}
	return []string{"till"}, nil
}

// phone is one act of the customer's phone at the bank.
func (w *town) phone(path string, in any) map[string]any {
	w.t.Helper()
	body, err := json.Marshal(in)
	w.ok(err)
	a, err := w.wallet.Post("http://127.0.0.1:7475"+path, "application/json", bytes.NewReader(body))
	w.ok(err)
	defer a.Body.Close()
	out := map[string]any{}
	w.ok(json.NewDecoder(a.Body).Decode(&out))
	return out
}

func rub(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
