// Package localapi is the box's API for till software: resources, roles and who may see what. It decides nothing about
// money and keeps nothing: each call is handed to the owner behind it, whose small interface is declared here.
package localapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/logging"
)

// Version of the API, as its description says it.
const Version = "1"

// Config of the API. The zero value of every limit is its default.
type Config struct {
	Lanes   []string // names of the box's lanes
	Hosts   []string // exact Host values, port included; httpapi.LoopbackHosts makes those of a listener
	Origins []string // exact origins of pages that may call, the box's own included; see httpapi.OwnOrigins
	Tokens  []Token
	Peers   []Peer
	Pages   map[string]http.Handler // pattern → page that is no call of this API, and guards itself but for Host and Origin

	MinLife  time.Duration // shortest expires_in: 15 s
	MaxLife  time.Duration // longest expires_in: 20 min
	ExtendBy time.Duration // where extend does not say: 5 min
	MaxWait  time.Duration // longest wait of a long poll: 60 s
	Waiting  int           // callers that may wait at once: 256
	Log      *slog.Logger  // nil: slog's default
}

func (c Config) filled() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.MinLife, 15*time.Second)
	def(&c.MaxLife, 20*time.Minute)
	def(&c.ExtendBy, 5*time.Minute)
	def(&c.MaxWait, time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

type server struct {
	cfg  Config
	own  Owners
	who  callers
	door *logging.Door
}

// New is the API as a handler.
func New(c Config, o Owners) http.Handler { return build(c, o).Handler() }

func build(c Config, o Owners) *httpapi.API {
	c = c.filled()
	s := &server{cfg: c, own: o, who: callers{tokens: c.Tokens, peers: c.Peers}}
	a := httpapi.New(httpapi.Config{
		Title: "tilld", Version: Version, Text: about,
		Servers: []string{"http://127.0.0.1:7373"}, Tags: tags, Names: names,
		Hosts: c.Hosts, Origins: c.Origins, Admit: s.admit, MaxWaiting: c.Waiting, Log: c.Log,
	})
	s.door = a.Door
	s.payments(a)
	s.acts(a)
	s.pictures(a)
	s.stream(a)
	s.display(a)
	s.box(a)
	s.printJobs(a)
	s.devices(a)
	s.totals(a)
	s.metrics(a)
	for pattern, h := range c.Pages {
		a.Mount(pattern, h)
	}
	describe(a)
	return a
}

// Serve answers on every listener until ctx ends; httpapi.Serve says how it stops.
func Serve(ctx context.Context, h http.Handler, log *slog.Logger, ls ...net.Listener) error {
	return httpapi.Serve(ctx, h, log, ls...)
}

// ListenUnix listens at path for every user of the machine, as the loopback address does: the kernel says who has connected,
// and Config.Peers who may do what. A mode that kept others out would ask for membership in the daemon's own group, which
// reads the scanners' nodes. A socket that a dead program left is removed; one that answers is not.
func ListenUnix(path string) (net.Listener, error) {
	if st, err := os.Lstat(path); err == nil && st.Mode()&fs.ModeSocket != 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		cancel()
		if err == nil {
			_ = c.Close()
			return nil, fmt.Errorf("listen on %s: another program answers there", path)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove the socket that a dead program left: %w", err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("set the mode of %s: %w", path, err)
	}
	return l, nil
}
