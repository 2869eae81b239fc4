package integrator_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/store/sqlite"
	"tilld/payment"
)

// counting is a store that counts what is claimed off its queues.
type counting struct {
	*sqlite.Store
	claimed atomic.Int64
}

func (c *counting) Claim(ctx context.Context, queue string, now time.Time, lease time.Duration, n int) ([]integrator.Work, error) {
	ws, err := c.Store.Claim(ctx, queue, now, lease, n)
	if queue != "" {
		c.claimed.Add(int64(len(ws)))
	}
	return ws, err
}

// turns is a bank that takes down who has his turn, and lets nobody end before go is closed.
type turns struct {
	*bank
	mu    sync.Mutex
	ids   []string
	leave chan struct{}
}

func (b *turns) Present(ctx context.Context, o provider.Order) (provider.Report, error) {
	b.mu.Lock()
	b.ids = append(b.ids, o.ID)
	b.mu.Unlock()
	<-b.leave
	return b.bank.Present(ctx, o)
}

// at is a server over a counting store with so many places for the bank.
func at(t *testing.T, r *rig, places int) (*counting, *turns) {
	t.Helper()
	r.down()
	store, err := sqlite.Open(t.Context(), filepath.Join(r.dir, "ledger.db"))
	r.ok(err)
	c, b := &counting{Store: store}, &turns{bank: r.bank, leave: make(chan struct{})}
	r.store = store
	r.svc, err = integrator.New(integrator.Config{
		Store: c, Providers: map[string]provider.Provider{"bank": b}, Show: "bank", Merchant: "shop",
		Settings: integrator.Settings{PerProvider: places}, Log: slog.New(slog.DiscardHandler),
	})
	r.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan error, 1)
	svc, done := r.svc, r.done
	go func() { done <- svc.Run(ctx) }()
	synctest.Wait() // the queue has seen that nothing waits
	r.session()
	return c, b
}

// The first call about a bill needs no claim: it is claimed where it is made, while a place is free. Who finds none waits on
// the queue, and has his turn before whoever comes when a place is free again.
func TestWorkIsDoneWhereItIsMadeInTurn(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c, b := at(t, r, 1)
		var asked []string
		for range 5 {
			asked = append(asked, r.create(payment.Show, 100))
			synctest.Wait()
			time.Sleep(time.Millisecond) // of the bubble: each is due after the one before
		}
		if len(b.ids) != 1 || c.claimed.Load() != 0 {
			t.Fatalf("%d orders are being made and %d pieces of work were claimed, want 1 and none", len(b.ids), c.claimed.Load())
		}
		close(b.leave)
		for _, id := range asked {
			r.await(id, payment.EvOpen, time.Second)
		}
		t.Logf("5 sales at one place: %d pieces of work were claimed", c.claimed.Load())
		if !slices.Equal(b.ids, asked) || c.claimed.Load() != 4 {
			t.Errorf("turns were %v, want %v; %d claims, want 4", b.ids, asked, c.claimed.Load())
		}
		r.bank.pay(asked[4], "T", 100, 0)
		r.hint(asked[4])
		r.await(asked[4], payment.EvPaid, time.Second)
		if n := c.claimed.Load(); n != 4 {
			t.Errorf("after a call-back %d claims, want no more", n)
		}
	})
}

// A server that ends waits for work that was claimed where it was made, as for any other.
func TestWorkThatWasTakenIsFinished(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		_, b := at(t, r, 2)
		id := r.create(payment.Show, 100)
		synctest.Wait()
		r.stop()
		time.Sleep(time.Second)
		select {
		case err := <-r.done:
			t.Fatalf("it ended beside a call to the bank: %v", err)
		default:
		}
		close(b.leave)
		r.down()
		r.up()
		r.session()
		r.await(id, payment.EvOpen, time.Second)
		if n := r.bank.count("present"); n != 1 {
			t.Errorf("the order was made %d times", n)
		}
	})
}
