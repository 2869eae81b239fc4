package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/link"
	"tilld/internal/localapi"
	"tilld/internal/record"
	"tilld/internal/scans"
	"tilld/internal/touches"
)

// core is the part of the box that needs a journal.
type core struct {
	*Daemon
	journal *journal.Journal
	box     *checkout.Box
	link    *link.Link
	scans   *scans.Scans
	touches *touches.Touches
	moved   chan struct{} // capacity 1: the line came or went
}

// Pauses of the core's own work.
const (
	trimEvery = time.Hour        // old events are removed from the journal
	lookEvery = 10 * time.Second // for what nobody tells: room on the disk, why the line does not come
	extendBy  = 5 * time.Minute  // by which a customer's touch prolongs a code
	tellLimit = time.Second      // for the box to take note of a display that came or went
)

// newCore opens the journal and puts the rest on it.
func (d *Daemon) newCore(ctx context.Context) (*core, error) {
	if err := os.MkdirAll(d.cfg.State, 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	j, state, err := journal.Open(ctx, journal.Config{
		Dir: journalDir(d.cfg), MinFree: int64(d.cfg.Limits.MinFreeMiB) << 20, Reserve: int64(d.cfg.Limits.ReserveMiB) << 20,
	})
	if err != nil {
		return nil, err
	}
	d.tellJournal(state)
	c := &core{Daemon: d, journal: j, moved: make(chan struct{}, 1)}
	c.box = checkout.New(checkoutConfig(d.cfg, state, d.log), j, showing{d.stage}, waker{c})
	c.scans = scans.New(j, c.box)
	c.touches = touches.New(j, touched{c.box}, d.stage, nil)
	c.link, err = link.New(link.Config{
		URL: d.cfg.Link.URL, Terminal: d.cfg.Link.Terminal, Key: d.key, App: "tilld/" + d.version, TLS: d.tls, Log: d.log,
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
	if err = c.box.Run(ctx); err != nil {
		err = fmt.Errorf("take payments: %w", err)
	}
	stop()
	return errors.Join(ended(err), lower.Wait())
}

// owners are the parts behind the API.
func (c *core) owners() localapi.Owners {
	return localapi.Owners{Payments: payments{c.box}, Events: c.journal, Journal: c.box, Health: looked{c}, Drawing: drawing{}}
}

// outputs tells the box which outputs carry the lane's code now.
func (d *Daemon) outputs(lane string, shown []string) {
	c := d.core.Load()
	if c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
	defer cancel()
	if err := c.box.Outputs(ctx, lane, shown); err != nil && !errors.Is(err, checkout.ErrStopped) {
		d.log.Warn("outputs could not be told", "lane", lane, "err", err)
	}
}

// watch keeps the list of troubles true and the journal short.
func (c *core) watch(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		c.look()
		select {
		case <-ctx.Done():
			return
		case <-c.moved:
		case <-look.C:
		case <-trim.C:
			if _, err := c.journal.Trim(ctx); err != nil && !errors.Is(err, record.ErrStopped) {
				c.log.Warn("old events could not be removed", "err", err)
			}
		}
	}
}
