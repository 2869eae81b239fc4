package daemon

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/display"
	"tilld/internal/asleep"
	"tilld/internal/health"
	"tilld/internal/localapi"
	"tilld/internal/metrics"
	"tilld/internal/roster"
	"tilld/internal/stage"
	"tilld/internal/systemd"
	"tilld/kiosk"
)

// Daemon is one box. Make it with New.
type Daemon struct {
	cfg      Config
	version  string
	log      *slog.Logger
	key      ed25519.PrivateKey
	tls      *tls.Config
	health   *health.List
	stage    *stage.Stage
	pages    map[string]*kiosk.Kiosk // by lane
	printers lines
	metrics  *metrics.Metrics
	roster   *roster.Roster
	members  map[string]*roster.Member // of it, by id
	plugged  bell                      // something was plugged in
	hears    atomic.Bool               // a plug is heard
	machine  machine
	binder   *binder
	tried    map[string]*tried // scanners, by lane
	last     *lastShown
	manager  *systemd.Service     // nil: none
	sleep    asleep.Source        // nil: nobody looks whether the machine sleeps
	giveBack func()               // gives memory that nobody uses back to the machine
	sells    atomic.Bool          // the manager knows that the journal is open
	core     atomic.Pointer[core] // nil until the journal is open
	looking  sync.Mutex           // of shared
	unseen   sync.Once            // that some programs cannot be seen was logged
}

// Between two attempts to open a journal that cannot be used as it is.
const (
	openAgain = 5 * time.Second // at least
	openShare = 9               // times what the last one took
)

// New checks what the configuration names; it opens nothing.
func New(c Config, version string, log *slog.Logger) (*Daemon, error) {
	catalog, err := check(c)
	if err != nil {
		return nil, err
	}
	d := &Daemon{cfg: c, version: version, log: log, health: &health.List{}, machine: thisMachine(), giveBack: debug.FreeOSMemory}
	d.last = &lastShown{path: filepath.Join(c.State, lastShownName)}
	if d.key, err = loadKey(c.Link.Key); err != nil {
		return nil, err
	}
	if d.tls, err = tlsRoots(c.Link.CA); err != nil {
		return nil, err
	}
	d.enlist()
	d.binder = d.newBinder(catalog)
	d.metrics = metrics.New(version, d.stands)
	d.stage = stage.New(stageLanes(c), d.outputs, log)
	d.stage.OnAble(d.ableToShow)
	d.stage.OnForsaken(d.forsaken)
	d.pages, err = d.newPages()
	return d, err
}

// Run takes payments until ctx ends, which is a normal end, or the journal stops, or the machine was suspended, which is an
// *asleep.Error. A journal that cannot be used does not end it: the API says what is wrong, the glass that the till is
// closed, and it is tried again. At the end, in this order: no new request is taken, running ones finish, the glass is
// wiped, link and journal are closed, the glass says that the till is closed, the devices are closed.
func (d *Daemon) Run(ctx context.Context) (err error) {
	defer func() { d.tellEnd(err) }()
	listeners, err := d.listen(ctx)
	if err != nil {
		return ended(err)
	}
	d.log.Info("tilld started", "version", d.version, "listen", d.cfg.Listen, "lanes", len(d.cfg.Lanes))
	for _, n := range AllNotUsed(d.cfg) {
		d.log.Warn("setting is not used", "setting", n.Path, "why", n.Why)
	}
	api := &current{}
	api.set(d.api(listeners, d.closed()))

	// Devices outlive the core, and the core the API: what is taken on is taken to its end.
	under, stopDevices := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDevices()
	coreCtx, stopCore := context.WithCancel(under)
	defer stopCore()
	var devices errgroup.Group
	for name, l := range d.cfg.Lanes {
		glass, gun := d.plugged.ear(), d.plugged.ear()
		devices.Go(func() error { d.superviseDisplay(under, name, l.Display, glass); return nil })
		devices.Go(func() error { d.superviseScanner(under, name, l, gun); return nil })
	}
	for name, page := range d.pages {
		d.page(name, false)
		devices.Go(func() error { return page.Serve(under, func(display.Shown) {}) })
	}
	devices.Go(func() error { d.stage.Run(under); return nil })
	for name, p := range d.cfg.Printers {
		paper := d.plugged.ear()
		devices.Go(func() error { d.supervisePrinter(under, name, p, paper); return nil })
	}
	devices.Go(func() error { d.watch(under); return nil })
	devices.Go(func() error { d.binder.serve(under); return nil })
	d.manager.Ready()
	devices.Go(func() error { d.tellManager(under); return nil })
	g, ctx := errgroup.WithContext(ctx)
	if d.sleep != nil {
		g.Go(func() error { return d.untilAsleep(ctx, under, stopCore) })
	}
	devices.Go(func() error {
		d.manager.Watch(ctx, d.answers)
		<-ctx.Done()
		d.manager.Stopping()
		return nil
	})
	g.Go(func() error {
		defer stopCore() // the API has ended: nobody asks any more
		return localapi.Serve(ctx, api, d.log, listeners...)
	})
	g.Go(func() error {
		c, err := d.open(ctx)
		if err != nil {
			return err
		}
		if err := c.jobs.Start(coreCtx); err != nil {
			return errors.Join(err, c.journal.Close())
		}
		d.printers.attach(c.jobs)
		api.set(d.api(listeners, c.owners()))
		g.Go(func() error { d.tellSelling(coreCtx, c); return nil })
		g.Go(func() error { // a box that has started waits for hours: what only the start needed goes back to the machine
			d.giveBack()
			return nil
		})
		return c.run(coreCtx)
	})
	err = ended(g.Wait())
	d.shut(under)
	stopDevices()
	err = errors.Join(err, devices.Wait())
	if err == nil {
		d.log.Info("tilld ended")
	}
	return err
}

// shut says on every glass that the till is closed: a pole shows its last line for as long as it has power.
func (d *Daemon) shut(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, putLimit)
	defer cancel()
	var all sync.WaitGroup
	for name := range d.cfg.Lanes {
		all.Go(func() {
			if err := d.stage.Shut(limited, name, true); err != nil {
				d.log.Warn("display did not show", "lane", name, "err", err)
			}
		})
	}
	all.Wait()
}

// open opens the journal and what stands on it; it tries until it can, or ctx ends.
func (d *Daemon) open(ctx context.Context) (*core, error) {
	last := ""
	for {
		began := time.Now()
		c, err := d.newCore(ctx)
		if err == nil {
			d.health.Clear(closedCode, "")
			d.core.Store(c)
			return c, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err.Error() != last {
			last = err.Error()
			d.log.Error("journal cannot be used; no payment is taken", "err", err)
		}
		d.tellClosed(err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pauseAfter(time.Since(began))):
		}
	}
}

// pauseAfter is the pause behind an attempt that took so long. One that ends in a migration for which there is no room has
// written a copy of the journal, and the half of a log, before: it must not wear out the disk of a shop that is closed.
func pauseAfter(took time.Duration) time.Duration { return max(openAgain, openShare*took) }

// current is the API as it is now: that of a box without a journal first, then that of the open one.
type current struct{ h atomic.Pointer[http.Handler] }

func (c *current) set(h http.Handler) { c.h.Store(&h) }

// ServeHTTP hands the request to the API as it is now.
func (c *current) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*c.h.Load()).ServeHTTP(w, r) }

// ended makes being told to stop a normal end.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
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
