package bank

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// stopLimit is how long Serve lets requests end after its context has ended.
const stopLimit = 3 * time.Second

// Bank is a bank. Make it with New, serve its Handler, and keep Run running: or let Serve do both.
type Bank struct {
	cfg    Config
	times  Times
	log    *slog.Logger
	sign   signer
	zone   *time.Location
	prefix string
	client *http.Client
	mux    *http.ServeMux
	wake   chan struct{} // one: a wake that waits is as good as two
	hints  sync.WaitGroup
	slots  chan struct{} // call-backs on their way; a full one makes the loop wait

	mu       sync.Mutex
	orders   map[string]*order
	payloads map[string]*order
	codes    map[[sha256.Size]byte]*payCode
	live     map[string]*order // those to which something happens by itself
	queue    []hint
	hinted   map[string]int // call-backs queued so far, by order: evil counts them
	calls    map[string]int // requests so far, by order: the same
	paused   time.Time
}

// New is a bank with the orders that its state directory holds.
func New(cfg Config) (*Bank, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	b := &Bank{
		cfg: cfg, times: cfg.Times.filled(), log: cfg.Log, zone: cfg.Zone, prefix: cfg.Prefix, client: cfg.Client,
		wake: make(chan struct{}, 1), slots: make(chan struct{}, 8),
		orders: map[string]*order{}, payloads: map[string]*order{},
		codes: map[[sha256.Size]byte]*payCode{}, live: map[string]*order{},
		hinted: map[string]int{}, calls: map[string]int{},
	}
	b.sign, b.cfg.Key = cfg.Key.signer(), nil
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.zone == nil {
		b.zone = time.UTC
	}
	if b.prefix == "" {
		b.prefix = Prefix
	}
	if b.client == nil {
		b.client = &http.Client{}
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	b.routes()
	return b, nil
}

// Handler is the bank's door: the merchant's API, the wallet's, and the switch for a bad day.
func (b *Bank) Handler() http.Handler { return b.mux }

// Pause makes the bank unreachable for d: every request but the switch itself gets an unsigned 503. 0 ends it.
func (b *Bank) Pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.paused = time.Now().Add(d)
	b.log.Info("bank paused", "for", d)
}

// Run lets time pass at the bank: payments that were on their way land, orders expire, call-backs leave. It returns nil
// when ctx ends, after its call-backs have ended.
func (b *Bank) Run(ctx context.Context) error {
	defer b.hints.Wait()
	for {
		next := b.tick(ctx)
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = time.After(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-b.wake:
		case <-timer:
		}
	}
}

// tick does what is due and answers when to come again; the zero time is "when woken".
func (b *Bank) tick(ctx context.Context) time.Time {
	now := time.Now()
	b.mu.Lock()
	var next time.Time
	for _, o := range b.live {
		if o.advance(now, b.times) {
			b.settle(o, now)
		}
		if t := o.next(); !t.IsZero() {
			next = earlier(next, t)
		}
	}
	var due []hint
	due, b.queue = split(b.queue, now)
	for _, h := range b.queue {
		next = earlier(next, h.due)
	}
	b.mu.Unlock()
	for _, h := range due {
		select {
		case b.slots <- struct{}{}:
		case <-ctx.Done():
			return next
		}
		b.hints.Go(func() {
			defer func() { <-b.slots }()
			b.deliver(ctx, h)
		})
	}
	return next
}

func (b *Bank) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// settle keeps an order after a change and tells the merchant of it. The lock is held.
func (b *Bank) settle(o *order, now time.Time) {
	if err := b.keep(o); err != nil {
		// The answer that follows may promise what a restart forgets: a person must see that.
		b.log.Error("order not kept", "order", o.ID, "err", err)
	}
	if o.next().IsZero() {
		delete(b.live, o.ID)
	} else {
		b.live[o.ID] = o
	}
	if o.changed {
		o.changed = false
		b.tell(o, now)
	}
	b.nudge()
}

// Serve serves on ln and runs the bank until ctx ends; then nil, after everything it started has ended.
func (b *Bank) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           b.mux,
		BaseContext:       func(net.Listener) context.Context { return ctx }, // ends requests that are being held
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) }) // Run has no error to tell
	running.Go(func() {
		<-ctx.Done()
		limit, done := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer done()
		if srv.Shutdown(limit) != nil {
			_ = srv.Close() // what did not end by itself is cut
		}
	})
	err := srv.Serve(ln)
	cancel()
	running.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
