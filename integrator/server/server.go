package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/provider/sandbox"
	"tilld/integrator/store/sqlite"
	"tilld/integrator/terminal"
	"tilld/internal/asleep"
	"tilld/internal/conffile"
	"tilld/internal/durable"
	"tilld/internal/logging"
	"tilld/internal/systemd"
	"tilld/internal/wire"
	"tilld/payment"
)

// Server is one integrator. Make it with New.
type Server struct {
	cfg     Config
	version string
	log     *slog.Logger
	store   *sqlite.Store
	service *integrator.Service
	term    *terminal.Server
	door    *logging.Door
	manager *systemd.Service // nil: none
	sleep   asleep.Source    // nil: nobody looks whether the machine sleeps
	ending  atomic.Bool      // it sends its terminals away, and is ready for no more
}

// Limits of the server's HTTP side and of its end.
const (
	headerLimit   = 5 * time.Second
	requestLimit  = 15 * time.Second
	callbackBytes = 64 << 10
	drainLimit    = 5 * time.Second
)

// New puts a server together; it opens the database and nothing else.
func New(ctx context.Context, c Config, version string, log *slog.Logger) (*Server, error) {
	banks, err := providers(c)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(c.Merchant.Zone)
	if err != nil {
		return nil, fmt.Errorf("the merchant's time zone: %w", err)
	}
	until, err := oldUntil(c, zone)
	if err != nil {
		return nil, err
	}
	if err := durable.MakeDir(c.State); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	store, err := sqlite.Open(context.WithoutCancel(ctx), database(c)) // a server that is ended meanwhile ends well, in Run
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: c, version: version, log: log, store: store, door: logging.NewDoor(log)}
	s.service, err = integrator.New(integrator.Config{
		Store: store, Providers: banks, Names: names(c), Merchant: c.Merchant.Name, Zone: zone, Settings: settings(c), Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.door.Hint(terminal.ForeignHost, "if they are the shop's boxes: put the name that they dial (link.url) into hosts of the settings, and see that the proxy hands on Host")
	s.term = terminal.New(s.service, terminal.Config{
		Hosts: hosts(c), Heartbeat: c.Times.Heartbeat.D(), Busy: c.Times.HeartbeatBusy.D(), Log: log, TurnedAway: s.door.Count,
		MinApp: c.MinApp, OldUntil: until,
	})
	return s, nil
}

// oldUntil is the end of the last day on which a tilld below min_app is let in.
func oldUntil(c Config, zone *time.Location) (time.Time, error) {
	if c.OldUntil == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, c.OldUntil, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("the last day of an old tilld: %w", err)
	}
	return day.AddDate(0, 0, 1), nil
}

// database is the file that holds every bill.
func database(c Config) string { return filepath.Join(c.State, "integrator.db") }

// hosts are the values of Host with which the server may be called.
func hosts(c Config) []string {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return conffile.HostValues(c.Hosts)
	}
	own := []string{c.Listen}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		own = append(own, net.JoinHostPort("localhost", port), net.JoinHostPort("127.0.0.1", port))
	}
	return conffile.HostValues(append(own, c.Hosts...))
}

// providers makes the banks' clients; they call nobody yet.
func providers(c Config) (map[string]provider.Provider, error) {
	out := map[string]provider.Provider{}
	for name, p := range c.Providers {
		b, err := conffile.Secret(p.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the key of provider %s: %w", name, err)
		}
		s, err := sandbox.New(sandbox.Config{URL: p.URL, Key: b, KillRefunds: p.KillRefunds})
		if err != nil {
			return nil, fmt.Errorf("provider %s: %w", name, err)
		}
		out[name] = s
	}
	return out, nil
}

// names are what customers call the providers that have a name.
func names(c Config) wire.Names {
	out := wire.Names{}
	for id, p := range c.Providers {
		if p.Name != "" {
			out[id] = p.Name
		}
	}
	return out
}

// settings puts the configuration's clocks over the defaults.
func settings(c Config) integrator.Settings {
	s := integrator.DefaultSettings()
	set := func(to *time.Duration, v time.Duration) {
		if v > 0 {
			*to = v
		}
	}
	t := c.Times
	set(&s.Bill.MaxOpen, t.MaxOpen.D())
	set(&s.Bill.LateLease, t.LateLease.D())
	set(&s.Bill.Confirm, t.Confirm.D())
	set(&s.Bill.ConfirmPrepayment, t.ConfirmAdvance.D())
	set(&s.Bill.CreateTimeout, t.CreateLimit.D())
	set(&s.Bill.Attempt, t.AttemptLimit.D())
	set(&s.Bill.KillNotBefore, t.KillNotBefore.D())
	set(&s.Bill.Doubt, t.DoubtAfter.D())
	set(&s.Silent, t.DoubtReview.D())
	set(&s.Bill.Poll, t.Poll.D())
	set(&s.Heartbeat, t.Heartbeat.D())
	set(&s.Busy, t.HeartbeatBusy.D())
	return s
}

// Under has the server tell its service manager how it stands. Call it before Run.
func (s *Server) Under(m *systemd.Service) { s.manager = m }

// Watching has the server look, with a, whether its machine is suspended. Call it before Run. Without it nobody looks.
func (s *Server) Watching(a asleep.Source) { s.sleep = a }

// Run serves until ctx ends, which is a normal end, the database stops, or the machine has slept, which is an *asleep.Error.
// Then terminals are drained, what the banks were asked is waited for, the database is closed.
func (s *Server) Run(ctx context.Context) (err error) {
	defer func() {
		if err = errors.Join(err, s.store.Close()); err != nil {
			s.manager.Status("ended: " + err.Error())
		}
	}()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.Listen)
	if errors.Is(err, context.Canceled) {
		return nil // told to end before it began
	}
	if err != nil {
		return fmt.Errorf("listen for terminals: %w", err)
	}
	s.log.Info("integrator started", "version", s.version, "listen", ln.Addr().String())
	h := s.serving(s.routes())
	g, ctx := errgroup.WithContext(ctx)
	if door, err := s.operator(ctx); err != nil {
		s.log.Error("integrator terminal works only while the server does not run, review and decide do not work", "err", err)
	} else {
		o := s.serving(operatorRoutes(&book{store: s.store, online: s.term.Online, cut: s.term.Cut}, &desk{office: s.service, quiet: s.term.Quiet, log: s.log}, s.log))
		g.Go(func() error {
			if err := o.Serve(door); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve the operator: %w", err)
			}
			return nil
		})
		g.Go(func() error { <-ctx.Done(); return o.Close() })
	}
	// The terminals are served while they are drained: what they still ask of a bank is asked, a customer's code above all.
	work, ended := context.WithCancel(context.WithoutCancel(ctx))
	defer ended()
	g.Go(func() error {
		if err := s.service.Run(work); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	})
	g.Go(func() error { // a server that can write nothing any more serves nobody, and its next start may
		select {
		case <-s.store.Halted():
			return s.store.Stopped()
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error {
		if err := h.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve terminals: %w", err)
		}
		return nil
	})
	if s.sleep != nil {
		g.Go(func() error { return s.untilAsleep(ctx, ended) })
	}
	s.manager.Ready()
	g.Go(func() error { s.standing(ctx); return nil })
	g.Go(func() error { s.manager.Watch(ctx, s.service.Answers); return nil })
	g.Go(func() error {
		<-ctx.Done()
		s.ending.Store(true) // before the first box is told to go: what stands in front sends no more here
		s.manager.Stopping()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
		defer cancel()
		if err := s.term.Drain(end); err != nil {
			s.log.Warn("terminals were cut", "err", err)
		}
		ended()
		if err := h.Shutdown(end); err != nil {
			return errors.Join(err, h.Close()) // who has not said all by now is cut
		}
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	s.log.Info("integrator ended")
	return nil
}

// standing tells the service manager how the server stands, anew each hour while bills wait for a bank that the settings do
// not name: no new ones come, and people end those that are there.
func (s *Server) standing(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		list, err := s.service.Stranded(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Warn("bills of banks that the settings do not name were not counted", "err", err)
		}
		s.manager.Status(standing(list))
		if err == nil && len(list) == 0 {
			return
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

func standing(list []integrator.Stranded) string {
	text := "serves terminals and banks"
	for _, x := range list {
		text += fmt.Sprintf("; bills that wait for %s, which the settings do not name: %d (integrator review)", x.Provider, x.Bills)
	}
	return text
}

// untilAsleep waits until the machine has been suspended, which no wait of this run has counted: bills and questions would
// be late by that. The ledger's time is told, end stops what works by it, and the *asleep.Error ends the run: what starts
// next finds at once what is due. At ctx's end there is no error.
func (s *Server) untilAsleep(ctx context.Context, end func()) error {
	err := asleep.Watch(ctx, s.sleep)
	var slept *asleep.Error
	switch {
	case errors.As(err, &slept):
		s.service.Slept(slept.For)
		end()
		s.log.Warn("the machine was suspended, and the server starts anew", "for", slept.For.Round(time.Second))
	case ctx.Err() != nil: // the end of the run, whatever the watch says of it
		err = nil
	}
	return err
}

// serving is an HTTP server with this program's limits.
func (s *Server) serving(h http.Handler) *http.Server {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerLimit, ReadTimeout: requestLimit, WriteTimeout: requestLimit,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.door.Watch(srv)
	return srv
}

// routes are the terminals' WebSocket, the banks' call-backs, the page of a doubt slip and the probes.
func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.Handle("/v1/term", s.term)
	m.HandleFunc("POST /v1/callback/{provider}", s.callback)
	m.Handle("GET /s/{payment}", newResults(s.cfg.Merchant.Name, func(r *http.Request, id string) (payment.Bill, error) {
		return s.service.Bill(r.Context(), id)
	}))
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	m.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.store.Stopped(); err != nil {
			http.Error(w, "the database has stopped", http.StatusServiceUnavailable)
			return
		}
		if s.ending.Load() {
			http.Error(w, "the server is ending", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	return m
}

// callback hands a bank's message on; the provider's own client knows what it says.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("provider")
	if _, known := s.cfg.Providers[name]; !known {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, callbackBytes))
	if err != nil {
		http.Error(w, "the message is too long or did not end", http.StatusRequestEntityTooLarge)
		return
	}
	status, reply := s.service.Callback(r.Context(), name, r, body)
	w.WriteHeader(status)
	_, _ = w.Write(reply)
}

// Check looks at what a configuration names and can be looked at without calling anybody.
func Check(c Config) error {
	_, err := providers(c)
	return err
}
