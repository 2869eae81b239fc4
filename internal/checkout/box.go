// Package checkout takes payments on the box: it executes payment/lane's table, journals each step before anything is
// shown or told, keeps the clocks, and says when it does not know. It opens no device, socket or database: it is handed
// a journal and a stage, and it is the owner that the link to the integrator reports to.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// ErrStopped: the box has ended, or never began.
var ErrStopped = errors.New("checkout has stopped")

// Journal is what the box asks of its journal.
type Journal interface {
	record.Journal
	// CanStart answers record.ErrFull where a new payment has no room, record.ErrStopped after a failed write.
	// It answers record.ErrAcknowledge where a person is needed first.
	CanStart() error
	// Acknowledge keeps a person's word after a lost or restored journal.
	Acknowledge(ctx context.Context, who, why string) error
	// MarkRestored keeps that the integrator knows this journal for a copy.
	MarkRestored(ctx context.Context, why string) error
	// Typed calls f with each kept event of these types, oldest first, and reads the log once. f does not use the journal.
	Typed(ctx context.Context, types []string, f func(record.Event) error) error
}

// Box is the engine of all lanes. One goroutine, Run, owns its state; every method may be called from any goroutine and
// waits for Run to have booted.
type Box struct {
	cfg   Config
	times Times
	j     Journal
	stage Stage
	waker Waker
	log   *slog.Logger

	open    atomic.Pointer[[]string]
	copied  atomic.Bool
	left    atomic.Int64 // of numbers
	ops     chan func()  // unbuffered: an accepted op will be run
	stopped chan struct{}
	once    sync.Once

	line   chan struct{} // capacity 1: lineUp or offer has a new word; full: the loop has not looked yet
	lineUp atomic.Bool
	offer  atomic.Pointer[wire.Providers]  // the newest word about providers, until the loop has taken it
	leased atomic.Pointer[payment.Numbers] // likewise: a block of numbers of a new day

	// Below: of the loop alone.
	pays      map[string]*pay   // in memory: see keeps
	order     []string          // ids of pays, oldest first
	bills     map[string]string // id of a bill that is not its payment's → id of the payment
	lanes     map[string]*laneState
	link      linkState
	numbers   numbers
	restored  bool  // E33 has been applied
	room      error // of the journal's CanStart
	nextCheck time.Time
	calm      time.Time                   // after a failed commit nothing is tried again by itself before
	gets      int                         // bill.get calls made since boot
	extends   map[string]chan lane.Answer // who waits for the answer to an extend
	changed   chan struct{}               // closed and made anew at every step that changes a payment
	fatal     error
	beside    func(func(context.Context))         // runs a function beside the loop, until Run ends
	asking    bool                                // askAgain runs
	onRows    func(payment string, rows []string) // for tests: every row that was taken
}

// linkState is what the box knows of the line and of the integrator behind it.
type linkState struct {
	up        bool
	since     time.Time // of the last change
	providers []string
	scan      []string
	silent    []string // could show a code, and do not answer the integrator; nil: it does not say
	opened    bool     // a session was opened since boot
}

// New makes a box. Run starts it.
func New(cfg Config, j Journal, s Stage, w Waker) *Box {
	if cfg.Zone == nil {
		cfg.Zone = time.Local
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	b := &Box{
		cfg: cfg, times: cfg.Times.filled(), j: j, stage: s, waker: w, log: cfg.Log,
		ops: make(chan func()), stopped: make(chan struct{}),
		line: make(chan struct{}, 1), pays: map[string]*pay{}, bills: map[string]string{}, lanes: map[string]*laneState{},
		extends: map[string]chan lane.Answer{}, changed: make(chan struct{}),
	}
	b.copied.Store(cfg.Restored) // the link may ask before boot has looked
	return b
}

// Run boots from the journal and takes payments until ctx ends, which is a normal end, or the journal stops. When it
// returns, every lane's outputs have been wiped as far as they could be.
func (b *Box) Run(ctx context.Context) error {
	defer b.once.Do(func() { close(b.stopped) })
	paint, stopPaint := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for name, l := range b.cfg.Lanes {
		p := newPainter(b.stage, b.times.Output, func(r showReport) { b.report(paint, r) })
		b.lanes[name] = &laneState{name: name, cfg: l, painter: p}
		wg.Go(func() { p.run(paint) })
	}
	b.beside = func(f func(context.Context)) { wg.Go(func() { f(paint) }) }
	defer func() {
		for _, l := range b.lanes {
			l.painter.put(job{view: View{Lane: l.name, Screen: "idle"}})
		}
		stopPaint()
		wg.Wait()
	}()
	b.link.since = time.Now()
	b.look()
	if err := b.boot(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("boot from the journal: %w", err)
	}
	return b.loop(ctx)
}

// loop runs what is asked and what is due until ctx ends.
func (b *Box) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		b.settle()
		if b.fatal != nil {
			return b.fatal
		}
		b.publish()
		timer.Reset(b.untilDue())
		select {
		case f := <-b.ops:
			f()
		case <-b.line:
			b.lineMoved()
		case <-timer.C:
			b.tick()
		case <-ctx.Done():
			return nil
		}
	}
}

// gone is ErrStopped, with the journal's word where that ended the box: whoever asks is told so until the program ends. It
// is for callers who have seen stopped closed.
func (b *Box) gone() error {
	if b.fatal != nil {
		return fmt.Errorf("%w: %w", ErrStopped, b.fatal)
	}
	return ErrStopped
}

// do runs f on the loop. Once accepted f runs to its end whatever becomes of ctx.
func (b *Box) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case b.ops <- func() { defer close(done); f() }:
	case <-ctx.Done():
		return ctx.Err()
	case <-b.stopped:
		return b.gone()
	}
	<-done
	return nil
}

// ask is do for functions that answer.
func ask[T any](ctx context.Context, b *Box, f func() (T, error)) (T, error) {
	var v T
	var err error
	if e := b.do(ctx, func() { v, err = f() }); e != nil {
		return v, e
	}
	return v, err
}

// report takes a painter's report to the loop; it gives up when the painters are stopped.
func (b *Box) report(ctx context.Context, r showReport) {
	select {
	case b.ops <- func() { b.shown(r) }:
	case <-ctx.Done():
	case <-b.stopped:
	}
}

// took is told of every row that was taken.
func (b *Box) took(id string, rows []string) {
	if b.onRows != nil {
		b.onRows(id, rows)
	}
}
