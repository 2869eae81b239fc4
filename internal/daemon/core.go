package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/internal/checkout"
	"tilld/internal/durable"
	"tilld/internal/journal"
	"tilld/internal/link"
	"tilld/internal/localapi"
	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/internal/scans"
	"tilld/internal/totals"
	"tilld/internal/touches"
	"tilld/internal/wire"
	"tilld/payment/lane"
)

// core is the part of the box that needs a journal.
type core struct {
	*Daemon
	journal *journal.Journal
	box     *checkout.Box
	link    *link.Link
	scans   *scans.Scans
	touches *touches.Touches
	jobs    *printing.Printing
	books   *totals.Books
	paper   *paperCode
	moved   chan struct{}              // capacity 1: the line came or went, or an output
	printer map[string]chan struct{}   // by lane, capacity 1: there is news of a printer
	left    chan struct{}              // capacity 1: a question on a page has ended, and nobody has answered it
	banks   atomic.Pointer[wire.Names] // of the newest session; nil: there was none yet
}

// Pauses of the core's own work.
const (
	trimEvery = time.Hour        // old events and receipts are removed from the journal
	lookEvery = 10 * time.Second // for what nobody tells: room on the disk, why the line does not come
	putLimit  = time.Second      // for the displays of a lane to show a cart
)

// newCore opens the journal and puts the rest on it.
func (d *Daemon) newCore(ctx context.Context) (*core, error) {
	if err := durable.MakeDir(d.cfg.State); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	j, state, err := journal.Open(ctx, journal.Config{
		Dir: journalDir(d.cfg), MinFree: int64(d.cfg.Limits.MinFreeMiB) << 20, Reserve: int64(d.cfg.Limits.ReserveMiB) << 20,
	})
	if err != nil {
		return nil, err
	}
	d.tellJournal(state)
	c := &core{Daemon: d, journal: j, moved: make(chan struct{}, 1), printer: map[string]chan struct{}{}, left: make(chan struct{}, 1)}
	kept := measured{j, d.metrics}
	for name := range d.cfg.Lanes {
		c.printer[name] = make(chan struct{}, 1)
	}
	c.jobs = printing.New(d.printingConfig(func() {
		for _, bell := range c.printer {
			ring(bell)
		}
	}), kept)
	c.paper = newPaperCode(c.jobs, d.cfg.Lanes, time.Local, c.tellOutputs)
	c.paper.turned = func(l string) { ring(c.printer[l]) }
	c.box = checkout.New(checkoutConfig(d.cfg, state, c.canShow, d.log), kept, showing{d.stage, c.paper, d.tried}, waker{c})
	c.books = totals.New(kept, func() int64 { return j.Meta().Seq }, func(ctx context.Context, l string) ([]lane.Public, error) {
		return c.box.List(ctx, lane.Filter{Lane: l})
	})
	c.scans = scans.New(kept, c.box, seenAndHeard{d.stage, d.tried}, d.cfg.purposes())
	c.touches = touches.New(kept, touched{c.box, d.cfg.codeLife()}, d.stage, c.paper.ask)
	c.link, err = link.New(link.Config{
		URL: d.cfg.Link.URL, Terminal: d.cfg.Link.Terminal, Key: d.key, App: d.app(), TLS: d.tls, Log: d.log,
		Hint: c.hint,
	}, j, about{c})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return c, nil
}

// run takes payments until ctx ends or the journal stops; the journal is closed last.
func (c *core) run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, c.journal.Close()) }()
	under, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var lower errgroup.Group // outlives the box, so that its last calls may still leave
	lower.Go(func() error {
		if err := c.box.Ready(under); err != nil {
			return nil //nolint:nilerr // the box has ended before it began, and says why itself
		}
		return ended(c.link.Serve(under, owner{c.box, c})) // its first dial says whether a payment is open
	})
	lower.Go(func() error { c.watch(under); return nil })
	lower.Go(func() error { c.roster.Run(under, measured{c.journal, c.metrics}, c.log); return nil })
	lower.Go(func() error { c.jobs.Run(under); return nil })
	for name, bell := range c.printer {
		lower.Go(func() error { c.watchPrinter(under, name, bell); return nil })
	}
	lower.Go(func() error { c.watchQuestions(under); return nil })
	lower.Go(func() error { c.slips().follow(under, max(0, c.journal.Meta().Seq-slipsBack)); return nil })
	if err = c.box.Run(ctx); err != nil {
		err = fmt.Errorf("take payments: %w", err)
	}
	stop()
	return errors.Join(ended(err), lower.Wait())
}

// owners are the parts behind the API.
func (c *core) owners() localapi.Owners {
	return localapi.Owners{Payments: payments{c.box, c}, Printing: c.jobs, Events: c.journal, Glass: aside{c}, Journal: c.box, Health: looked{c}, Drawing: drawing{}, Devices: owned{c.roster, c.binder}, Totals: evening{c.books, c}, Metrics: c.metrics.Handler()}
}

// outputs tells the box which outputs carry the lane's code now; shown are those of the stage.
func (d *Daemon) outputs(lane string, shown []string) {
	if c := d.core.Load(); c != nil {
		c.tellOutputs(lane, c.paper.glass(lane, shown))
	}
}

// tellOutputs tells the box which of all outputs carry the lane's code. It waits for a box that its disk holds up: a word that
// was given up is never said again, and the box would go on taking a code for shown that is not, or the other way.
func (c *core) tellOutputs(lane string, shown []string) {
	_ = c.box.Outputs(context.Background(), lane, shown) // checkout.ErrStopped alone: nobody needs it any more
}

// canShow says whether one of the outputs could show a code now; none named are the lane's own.
func (c *core) canShow(lane string, outputs []string) bool {
	if len(outputs) == 0 {
		outputs = c.cfg.Lanes[lane].Outputs
	}
	if slices.Contains(outputs, byReceipt) {
		if ok, _, _ := c.jobs.Ready(lane); ok {
			return true
		}
	}
	return c.stage.CanShow(lane, outputs)
}

// ableToShow has the box look again at which lanes can show a code.
func (d *Daemon) ableToShow(string) {
	if c := d.core.Load(); c != nil {
		ring(c.moved)
	}
}

// watch keeps the list of troubles true and the journal short.
func (c *core) watch(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	halted := c.journal.Halted()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		c.look()
		_ = c.box.Look(ctx) // it has ended: so does this
		select {
		case <-ctx.Done():
			return
		case <-c.moved:
		case <-look.C:
		case <-halted:
			halted = nil // the box, which is made to look, ends
		case <-trim.C:
			if _, err := c.journal.Trim(ctx); err != nil && !errors.Is(err, record.ErrStopped) {
				c.log.Warn("old events could not be removed", "err", err)
			}
			if _, err := c.jobs.Trim(ctx, c.journal); err != nil && !errors.Is(err, record.ErrStopped) {
				c.log.Warn("old receipts could not be removed", "err", err)
			}
		}
	}
}

// watchPrinter tells a lane what its printer can do, until ctx ends. No lane waits for another's paper.
func (c *core) watchPrinter(ctx context.Context, name string, bell <-chan struct{}) {
	for {
		c.tellPage(name)
		if err := c.box.Receipt(ctx, name, c.receipt(c.jobs, name)); err != nil && ctx.Err() == nil && !errors.Is(err, checkout.ErrStopped) {
			c.log.Warn("receipt could not be told", "lane", name, "err", err)
		}
		c.paper.news(ctx, name)
		select {
		case <-ctx.Done():
			return
		case <-bell:
		}
	}
}

// tellPage tells a lane's page whether its code can be put on paper now, and whether a receipt that should be cannot.
func (c *core) tellPage(name string) {
	if page := c.pages[name]; page != nil {
		ok, _, _ := c.jobs.Ready(name)
		l := c.cfg.Lanes[name]
		page.Paperless(!ok && l.ReceiptPrinter != "" && l.Receipt == "paper")
		page.Able(touches.Paper, ok && c.paper.open(name))
	}
}

func (c *core) slips() *slips {
	return &slips{journal: c.journal, jobs: c.jobs, code: c.paper, lanes: c.cfg.Lanes, bank: c.bank, zone: time.Local, page: c.cfg.Link.Result, log: c.log, unpaid: &unpaid{health: c.health, rows: map[string]int{}}}
}

// bank is what customers call a provider; "" where nobody has said.
func (c *core) bank(provider string) string {
	if names := c.banks.Load(); names != nil {
		return (*names)[provider]
	}
	return ""
}

// ring tells somebody who looks that there is something to see.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default: // it rings already
	}
}
