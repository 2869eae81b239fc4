// Package shop is a whole shop on one machine: the daemon and the integrator with the configuration that a shop would
// write, and the outside world (bank, wallet, pole, scanner) played on real sockets and pseudo-terminals. It is for the
// demo and for tests; no other package knows that it exists.
package shop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/integrator/server"
	"tilld/internal/daemon"
	"tilld/internal/shop/cable"
)

// readyLimit is how long a shop may take to open.
const readyLimit = time.Minute

// Config of a shop. Every address is on loopback.
type Config struct {
	Version          string
	State            string // folder of configuration, databases and keys
	Listen           string // the outside world's page
	TilldListen      string
	IntegratorListen string
	BankListen       string
	Processes        bool                                  // tilld, integrator and bank as processes of their own
	Programs         string                                // folder of those programs; "" is that of this one
	Stderr           io.Writer                             // of those programs; nil is this one's
	Env              func(Part) []string                   // what each start of a process gets in its environment besides; nil: nothing
	Callback         string                                // where the bank calls back; "" is the integrator
	Evil             int64                                 // seed of a bank that has a bad day; 0: it has a good one
	KillRefunds      bool                                  // of a bank that gives money back where it is told to end a paid order
	Edit             func(name string, text []byte) []byte // changes tilld.yaml and integrator.yaml before they are written; nil: nothing
}

// Shop is one shop. Make it with New.
type Shop struct {
	cfg   Config
	log   *slog.Logger
	files files
	line  *cable.Cable // between the box and the integrator
	pole  *pole
	hand  *hand
	paper *printer
	parts map[Part]program

	around atomic.Pointer[func(blank func())] // a test's, in place of the unit's stop action; nil: none
}

// New checks the configuration; it opens nothing.
func New(c Config, log *slog.Logger) (*Shop, error) {
	for _, a := range []string{c.Listen, c.TilldListen, c.IntegratorListen, c.BankListen} {
		host, _, err := net.SplitHostPort(a)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, errors.New("a demo shop listens on loopback alone: give 127.0.0.1:PORT")
		}
	}
	state, err := filepath.Abs(c.State)
	if err != nil {
		return nil, fmt.Errorf("the shop's folder: %w", err)
	}
	c.State = state
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	if c.Programs == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the other programs: %w", err)
		}
		c.Programs = filepath.Dir(self)
	}
	return &Shop{cfg: c, log: log}, nil
}

// Run opens the shop, calls ready once it can take a payment, and closes it when ctx ends.
func (s *Shop) Run(ctx context.Context, ready func()) error {
	if err := s.furnish(ctx); err != nil {
		s.clear()
		return err
	}
	defer s.clear()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.line.Serve(ctx) })
	for _, p := range s.parts {
		g.Go(func() error { return p.run(ctx) })
	}
	g.Go(func() error { return s.serve(ctx) })
	g.Go(func() error {
		if err := s.untilReady(ctx); err != nil {
			return err
		}
		ready()
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// furnish makes devices, line, configuration and keys, and lets the box in at the integrator.
func (s *Shop) furnish(ctx context.Context) (err error) {
	places := filepath.Join(s.cfg.State, "dev")
	if s.pole, err = newPole(places); err != nil {
		return err
	}
	if s.hand, err = newHand(places); err != nil {
		return err
	}
	if s.paper, err = newPrinter(ctx); err != nil {
		return err
	}
	if s.line, err = cable.Lay(ctx, s.cfg.IntegratorListen); err != nil {
		return err
	}
	if s.files, err = newFiles(s.cfg, s.line.Addr(), s.pole.Path, s.hand.Path, s.paper.Addr); err != nil {
		return err
	}
	box, err := daemon.LoadConfig(s.files.tilld)
	if err != nil {
		return err
	}
	public, err := daemon.PublicKey(box)
	if err != nil {
		return err
	}
	office, err := server.LoadConfig(s.files.integrator)
	if err != nil {
		return err
	}
	if s.cfg.Processes {
		s.parts = s.children()
	} else {
		s.parts = s.insides()
	}
	return server.AddTerminal(ctx, office, Terminal, public)
}

// clear takes away what furnish has made, as far as it came.
func (s *Shop) clear() {
	if s.line != nil {
		s.line.Close()
	}
	if s.paper != nil {
		s.paper.close()
	}
	for _, p := range s.plugs() {
		p.out()
	}
}

// plugs are the devices that are there.
func (s *Shop) plugs() []*plug {
	var all []*plug
	if s.pole != nil {
		all = append(all, s.pole.plug)
	}
	if s.hand != nil {
		all = append(all, s.hand.plug)
	}
	return all
}

// serve is the outside world's page.
func (s *Shop) serve(ctx context.Context) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for the page: %w", err)
	}
	p := newPage(s)
	defer p.world.still()
	h := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = h.Shutdown(end)
	})
	defer stop()
	if err := h.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// untilReady waits until the box says that it can take payments.
func (s *Shop) untilReady(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	last := errors.New("no answer")
	for limit.Err() == nil {
		if last = ask(limit, "http://"+s.cfg.TilldListen+"/readyz"); last == nil {
			return nil
		}
		select {
		case <-limit.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the shop did not open within %v: %w", readyLimit, last)
}

func ask(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, a.Status)
	}
	return nil
}
