package integrator

import (
	"context"
	"errors"
	"sync"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment/bill"
)

// circuits knows which providers do not take new orders: several creates in a row went without an answer. Such a provider
// is offered to no till until it has answered something again, or a rest is over; then the next create is the probe, and
// one more failure is enough. It is memory alone: a server that starts believes in everybody.
type circuits struct {
	after int           // failures in a row that open one
	rest  time.Duration // the first rest; it doubles up to longestRest

	mu    sync.Mutex
	lines map[string]*line
	moved chan struct{} // something has changed; capacity 1
}

// line is one provider's circuit.
type line struct {
	fails int
	rest  time.Duration
	until time.Time // not offered before; zero while it is trusted
}

// longestRest is the longest time for which a provider is not offered without another try.
const longestRest = 5 * time.Minute

func newCircuits(after int, rest time.Duration) *circuits {
	return &circuits{after: after, rest: rest, lines: map[string]*line{}, moved: make(chan struct{}, 1)}
}

// heard takes in how a call to a provider ended. A refusal is an answer; a create alone counts as a failure, because the
// other calls are repeated by themselves. It says whether the provider has gone bad or come back with it.
func (c *circuits) heard(name string, kind bill.WorkKind, err error) (bad, back bool) {
	answered := err == nil || errors.Is(err, provider.ErrRefused)
	if !answered && kind != bill.Present {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lines[name]
	if answered {
		delete(c.lines, name)
		back = l != nil && !l.until.IsZero()
	} else {
		if l == nil {
			l = &line{rest: c.rest}
			c.lines[name] = l
		}
		if l.fails++; l.fails >= c.after {
			bad = l.until.IsZero()
			l.until = time.Now().Add(l.rest)
			l.rest = min(2*l.rest, longestRest)
		}
	}
	if bad || back || !answered {
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
	return bad, back
}

// offered is the names without those that rest, and those that do; neither is nil.
func (c *circuits) offered(names []string) (out, silent []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, silent = make([]string, 0, len(names)), []string{}
	for _, name := range names {
		if l := c.lines[name]; l == nil || !time.Now().Before(l.until) {
			out = append(out, name)
		} else {
			silent = append(silent, name)
		}
	}
	return out, silent
}

// next is when the first rest ends that had not ended at a moment, the zero time for none.
func (c *circuits) next(at time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var first time.Time
	for _, l := range c.lines {
		if at.Before(l.until) && (first.IsZero() || l.until.Before(first)) {
			first = l.until
		}
	}
	return first
}

// announce tells every terminal when a provider's rest begins, and when it is over, until ctx ends. A rest that ends while
// another is told has an end of its own to be told: no terminal would offer that provider before something else happens.
func (s *Service) announce(ctx context.Context) {
	for told := time.Now(); ; {
		var over <-chan time.Time
		stop := func() bool { return true }
		if next := s.circuits.next(told); !next.IsZero() {
			t := time.NewTimer(time.Until(next))
			over, stop = t.C, t.Stop
		}
		select {
		case <-over:
		case <-s.circuits.moved:
		case <-ctx.Done():
			stop()
			return
		}
		stop()
		told = time.Now()
		s.watch.signal("")
	}
}

// heard keeps the circuit of a provider by what it answered; what was broken off because the Service ends says nothing.
func (s *Service) heard(ctx context.Context, name string, kind bill.WorkKind, err error) {
	if ctx.Err() != nil {
		return
	}
	switch bad, back := s.circuits.heard(name, kind, err); {
	case bad:
		s.log.Error("provider is not offered any more: it does not answer", "provider", name, "err", err)
	case back:
		s.log.Info("provider is offered again", "provider", name)
	}
}

// Providers is which providers take new payments now, for the terminals. A code that is scanned is charged while the
// customer waits and says at once how that went, so providers are not held back there.
func (s *Service) Providers() wire.Providers {
	show, silent := s.circuits.offered(s.show)
	return wire.Providers{Show: show, Scan: s.scan, Silent: silent}
}
