package link_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tilld/internal/link"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
)

// box is a journal, its owner and what it says of itself, in memory.
type box struct {
	t    *testing.T
	boot string

	mu       sync.Mutex
	calls    []record.Call
	seen     int64
	epoch    int64
	left     int // numbers
	taken    []wire.Event
	answers  map[string]*wire.Problem // nil: accepted
	results  map[string]*wire.Result
	sessions []wire.Session
	open     []string
	ups      []bool
	keep     bool                    // an owner at fault: answers are not settled
	fail     func(what string) error // may fail a commit
	link     *link.Link
}

func newBox(t *testing.T) *box {
	return &box{
		t: t, boot: payment.NewID(time.Now()), open: []string{"p"},
		answers: map[string]*wire.Problem{}, results: map[string]*wire.Result{},
	}
}

func boxKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("the key of a box under the test!"))
}

func (b *box) new(cfg link.Config) *link.Link {
	b.t.Helper()
	cfg.Terminal, cfg.Key, cfg.App = "till-1", boxKey(), "test/1"
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l, err := link.New(cfg, b, b)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.link = l
	b.mu.Unlock()
	return l
}

// start serves a new link to url until stop.
func (b *box) start(url string) (stop func()) {
	l := b.new(link.Config{URL: url})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, b) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			b.t.Errorf("serve ended with %v", err)
		}
	}
}

func (b *box) Calls() []record.Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]record.Call{}, b.calls...)
}

func (b *box) About() link.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return link.State{Journal: "j", Boot: b.boot, EpochSeen: b.epoch, Seen: b.seen, Writes: b.seen + 1, NumbersLeft: b.left, OpenPayments: append([]string{}, b.open...)}
}

func (b *box) may(what string) error {
	if b.fail == nil {
		return nil
	}
	return b.fail(what)
}

func (b *box) Answer(_ context.Context, id string, r *wire.Result, p *wire.Problem) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may("answer"); err != nil {
		return err
	}
	b.answers[id], b.results[id] = p, r
	if !b.keep {
		b.drop(id)
	}
	return nil
}

// drop settles a call; b.mu is held.
func (b *box) drop(id string) {
	kept := b.calls[:0:0]
	for _, c := range b.calls {
		if c.ID != id {
			kept = append(kept, c)
		}
	}
	b.calls = kept
}

func (b *box) Event(_ context.Context, e wire.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may("event"); err != nil {
		return err
	}
	b.seen, b.taken = e.Seq, append(b.taken, e)
	return nil
}

func (b *box) Session(_ context.Context, s wire.Session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may("session"); err != nil {
		return err
	}
	b.epoch, b.sessions = s.Epoch, append(b.sessions, s)
	if s.Snapshot != nil {
		b.seen = s.Snapshot.Seq
	}
	return nil
}

func (b *box) Link(up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ups = append(b.ups, up)
}

// add journals calls and wakes the link.
func (b *box) add(calls ...record.Call) {
	b.mu.Lock()
	b.calls = append(b.calls, calls...)
	l := b.link
	b.mu.Unlock()
	if l != nil {
		l.Wake()
	}
}

// get is a bill.get as a call.
func get(order, id string) record.Call {
	params, _ := json.Marshal(wire.Get{Payment: order})
	return record.Call{ID: id, Order: order, Method: wire.BillGet, Params: params}
}

func (b *box) ask(order string, n int) []string {
	ids := make([]string, n)
	calls := make([]record.Call, n)
	for i := range n {
		ids[i] = fmt.Sprintf("%s:get:%d", order, i)
		calls[i] = get(order, ids[i])
	}
	b.add(calls...)
	return ids
}
