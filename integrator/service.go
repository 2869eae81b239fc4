package integrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// Service executes the rules. Its methods may be called from any goroutine, also while Run does not run: then calls are
// answered and stored, and what they cause waits.
type Service struct {
	store     Store
	providers map[string]provider.Provider
	titles    wire.Names // what customers call them
	names     []string   // of providers, sorted
	show      []string   // that can show a code, the default first
	scan      []string
	envs      map[string]*bill.Env
	plain     *bill.Env // of a provider that is not configured
	merchant  string
	zone      *time.Location
	set       Settings
	log       *slog.Logger

	time    *ledgerTime
	kept    Reckoning   // what the store has; of keepTime
	changed atomic.Bool // something, since the ledger's time was marked

	watch    watchers
	codes    codes
	circuits *circuits
	queues   map[string]*queue
	lifts    single // above what a lost ledger has said of its bills
	skips    single // the numbers that it may have leased
}

// New makes a Service. It starts nothing: Run does.
func New(c Config) (*Service, error) {
	if c.Store == nil || len(c.Providers) == 0 {
		return nil, errors.New("integrator: a store and a provider are required")
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	kept, err := c.Store.Reckoning(context.Background())
	if err != nil {
		return nil, fmt.Errorf("read the ledger's time: %w", err)
	}
	s := &Service{
		store: c.Store, providers: c.Providers, titles: c.Names, merchant: c.Merchant, zone: c.Zone, set: c.Settings.withDefaults(), log: c.Log,
		envs: map[string]*bill.Env{}, queues: map[string]*queue{}, time: resume(c.Wall, kept), kept: kept,
	}
	s.plain = envOf(s.set.Bill, nil)
	s.circuits = newCircuits(s.set.BadAfter, s.set.BadRest)
	s.queues[clocks] = newQueue(clocks, s.set.Clocks, s.set.LookLimit)
	for name, p := range c.Providers {
		if name == clocks || p == nil {
			return nil, errors.New("integrator: a provider without a name or a value")
		}
		s.names = append(s.names, name)
		s.envs[name] = envOf(s.set.Bill, p)
		s.queues[name] = newQueue(name, s.set.PerProvider, max(s.set.LookLimit, s.envs[name].Traits.CallLimit))
	}
	slices.Sort(s.names)
	for _, name := range s.names {
		if _, ok := c.Providers[name].(provider.Shower); ok {
			s.show = prefer(s.show, name, c.Show)
		}
		if _, ok := c.Providers[name].(provider.Charger); ok {
			s.scan = prefer(s.scan, name, c.Scan)
		}
	}
	if c.Show != "" && !slices.Contains(s.show, c.Show) || c.Scan != "" && !slices.Contains(s.scan, c.Scan) {
		return nil, errors.New("integrator: a default provider is not there, or cannot do what it is the default for")
	}
	return s, nil
}

func prefer(list []string, name, first string) []string {
	if name == first {
		return slices.Insert(list, 0, name)
	}
	return append(list, name)
}

// providerFor is the provider of a new bill that names none.
func (s *Service) providerFor(mode payment.Mode) string {
	list := s.show
	if mode == payment.Scan {
		list = s.scan
	}
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func (s *Service) env(name string) *bill.Env {
	if e := s.envs[name]; e != nil {
		return e
	}
	return s.plain
}

// Run works until ctx ends: clocks, calls to providers, what is owed. It answers nil then, or the error of a store that
// cannot be written any more, after which the process must end.
func (s *Service) Run(ctx context.Context) error {
	begin := context.WithoutCancel(ctx) // a server that is ended at once ends well
	names, err := s.store.Queues(begin)
	if err == nil {
		err = s.tellStranded(begin, names)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queues := s.all(names)
	var wg sync.WaitGroup
	for _, q := range queues {
		wg.Go(func() {
			if err := s.serve(ctx, q); err != nil {
				cancel(err)
			}
		})
	}
	wg.Go(func() { s.clear(ctx) })
	wg.Go(func() { s.doubts(ctx) })
	wg.Go(func() { s.announce(ctx) })
	wg.Go(func() {
		if err := s.keepTime(ctx); err != nil {
			cancel(err)
		}
	})
	wg.Wait()
	s.markTime(ctx)
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// all is the queues to serve: those of the providers that are configured, and those that hold work of others, whose
// questions stay open until they are configured again.
func (s *Service) all(stored []string) []*queue {
	out := make([]*queue, 0, len(s.queues)+len(stored))
	for _, q := range s.queues {
		out = append(out, q)
	}
	for _, name := range stored {
		if s.queues[name] == nil {
			out = append(out, newQueue(name, 1, s.set.LookLimit))
		}
	}
	return out
}

// clear drops what nobody will ask for any more.
func (s *Service) clear(ctx context.Context) {
	t := time.NewTicker(keepHouse)
	defer t.Stop()
	for {
		now := s.time.now()
		err := errors.Join(s.store.Forget(ctx, now.Add(-s.set.KeepInbox)), s.store.ForgetNotices(ctx, now.Add(-s.set.KeepFor)))
		ts, lerr := s.store.Terminals(ctx)
		err = errors.Join(err, lerr)
		for _, t := range ts {
			if t.Seq > t.Trimmed {
				err = errors.Join(err, s.store.Trim(ctx, t.Name, s.set.KeepEvents, now.Add(-s.set.KeepFor)))
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("old events and notices were not cleared", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
