package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/internal/checkout"
	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/link"
	"tilld/internal/localapi"
	"tilld/internal/record"
	"tilld/internal/scans"
	"tilld/internal/stage"
)

// Daemon is one box. Make it with New.
type Daemon struct {
	cfg     Config
	version string
	log     *slog.Logger

	journal *journal.Journal
	health  *health.List
	box     *checkout.Box
	stage   *stage.Stage
	link    *link.Link
	scans   *scans.Scans
}

// trimEvery is how often old events are removed from the journal.
const trimEvery = time.Hour

// New puts a box together; it opens the journal and nothing else.
func New(c Config, version string, log *slog.Logger) (*Daemon, error) {
	key, err := loadKey(c.Link.Key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	d := &Daemon{cfg: c, version: version, log: log, health: &health.List{}}
	j, state, err := journal.Open(context.Background(), journal.Config{
		Dir: journalDir(c), MinFree: int64(c.Limits.MinFreeMiB) << 20, Reserve: int64(c.Limits.ReserveMiB) << 20,
	})
	if err != nil {
		return nil, err
	}
	d.journal = j
	d.tellJournal(state)
	d.stage = stage.New(stageLanes(c), d.outputs, log)
	d.box = checkout.New(checkoutConfig(c, state, log), j, showing{d.stage}, waker{d})
	roots, err := tlsRoots(c.Link.CA)
	if err == nil {
		d.link, err = link.New(link.Config{
			URL: c.Link.URL, Terminal: c.Link.Terminal, Key: key, App: "tilld/" + version, TLS: roots, Log: log,
		}, j, about{d})
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	d.scans = scans.New(j, d.box)
	return d, nil
}

// Run takes payments until ctx ends, which is a normal end, or the journal stops. Then, in this order: no new request is
// taken, running ones finish, the glass is wiped, devices and link are closed, the journal is closed.
func (d *Daemon) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.journal.Close()) }()
	listeners, err := d.listen(ctx)
	if err != nil {
		return err
	}
	d.log.Info("tilld started", "version", d.version, "listen", d.cfg.Listen, "lanes", len(d.cfg.Lanes))

	// The box outlives the API, and devices and link the box: what is taken on is taken to its end.
	under, stopUnder := context.WithCancel(context.WithoutCancel(ctx))
	defer stopUnder()
	boxCtx, stopBox := context.WithCancel(under)
	defer stopBox()

	g, ctx := errgroup.WithContext(ctx)
	var lower errgroup.Group
	lower.Go(func() error { return ended(d.link.Serve(under, owner{d.box, d.journal})) })
	for name, l := range d.cfg.Lanes {
		lower.Go(func() error { d.superviseDisplay(under, name, l.Display); return nil })
		lower.Go(func() error { d.superviseScanner(under, name, l); return nil })
	}
	lower.Go(func() error { d.watch(under); return nil })
	g.Go(func() error {
		if err := d.box.Run(boxCtx); err != nil {
			return fmt.Errorf("take payments: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		defer stopBox() // the API has ended: nobody asks any more
		return localapi.Serve(ctx, d.api(listeners), d.log, listeners...)
	})
	err = g.Wait()
	stopUnder()
	err = errors.Join(ended(err), lower.Wait())
	if err == nil {
		d.log.Info("tilld ended")
	}
	return err
}

// ended makes being told to stop a normal end.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// tellLimit is how long a display that came or went waits for the box to take note.
const tellLimit = time.Second

// outputs tells the box which outputs carry the lane's code now.
func (d *Daemon) outputs(lane string, shown []string) {
	ctx, cancel := context.WithTimeout(context.Background(), tellLimit)
	defer cancel()
	if err := d.box.Outputs(ctx, lane, shown); err != nil && !errors.Is(err, checkout.ErrStopped) {
		d.log.Warn("outputs could not be told", "lane", lane, "err", err)
	}
}

// listen opens the API's sockets.
func (d *Daemon) listen(ctx context.Context) ([]net.Listener, error) {
	tcp, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for till software: %w", err)
	}
	if d.cfg.Socket == "" {
		return []net.Listener{tcp}, nil
	}
	unix, err := localapi.ListenUnix(d.cfg.Socket)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for till software: %w", err), tcp.Close())
	}
	return []net.Listener{tcp, unix}, nil
}

// watch keeps the list of troubles true and the journal short.
func (d *Daemon) watch(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			d.tellLink()
			d.tellDisk()
		case <-trim.C:
			if _, err := d.journal.Trim(ctx); err != nil && !errors.Is(err, record.ErrStopped) {
				d.log.Warn("old events could not be removed", "err", err)
			}
		}
	}
}
