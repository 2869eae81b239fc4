// Package terminal is the server's end of till.v1: it admits boxes, knows them by their keys, lets the newest epoch win,
// carries calls to the Office and events from it, and drains. It holds no money and decides nothing about any: what it
// forgets in a crash is asked for again.
package terminal

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tilld/internal/wire"
	"tilld/payment"
)

// Office is what the terminals talk to. Every method is called from several goroutines.
type Office interface {
	// Key is the public key of a terminal; ErrUnknown or, with the key, ErrBlocked for one that may not come in.
	Key(ctx context.Context, terminal string) (ed25519.PublicKey, error)
	// OpenSession raises the terminal's epoch and says how to go on. The signature has been verified.
	OpenSession(ctx context.Context, o wire.Open) (wire.Session, error)
	// Call answers one call with a result or a problem. An error closes the connection and the box asks again under the
	// same id: ErrSuperseded if epoch is not the newest any more.
	Call(ctx context.Context, terminal string, epoch int64, id, method string, params json.RawMessage) (*wire.Result, *wire.Problem, error)
	// Events is up to n stored events with seq > after, in order, with their age now.
	Events(ctx context.Context, terminal string, after int64, n int) ([]wire.Event, error)
	// Ack says that the box holds everything up to seq.
	Ack(ctx context.Context, terminal string, epoch, seq int64) error
	// Gauges takes in how far the box's journal has come, and answers a further block of numbers where it says that few are
	// left. ErrSuperseded as of Call; ErrRestored if it has gone back.
	Gauges(ctx context.Context, terminal string, epoch int64, g wire.Gauges) (*payment.Numbers, error)
	// Providers is which providers take new payments now. It is asked whenever Watch says that there is news, and must not
	// block.
	Providers() wire.Providers
	// Clock is what to tell a terminal of the time, and today's business day. If that is not the day have, of which it holds
	// numbers, a block of today's comes along; once. ErrSuperseded as of Call.
	Clock(ctx context.Context, terminal string, epoch int64, have string) (c wire.Clock, day string, err error)
	// Midnight is how long the business day still lasts. It must not block.
	Midnight() time.Duration
	// Watch has news called, until stop, when a terminal has newer events, and with "" for every terminal when Providers has
	// changed. It may be called from anywhere, so it must not block and must not call back.
	Watch(news func(terminal string)) (stop func())
}

// Errors an Office may wrap. Any other error is ours: the box gets 4503 and comes again.
var (
	ErrUnknown    = wire.ErrUnknown
	ErrBlocked    = wire.ErrBlocked
	ErrSuperseded = wire.ErrSuperseded
	ErrRestored   = wire.ErrRestored
)

// Config of a Server. Zero fields take the defaults named.
type Config struct {
	Hosts     []string      // exact Host values that terminals dial; nil: any
	Heartbeat time.Duration // 25 s: pings while nothing is open
	Busy      time.Duration // 5 s: pings while a payment is open
	Window    int           // 32: events in flight to one terminal
	Jitter    time.Duration // 5 s: over how long terminals spread their reconnecting
	Rate      float64       // 200: upgrades per second
	Burst     int           // 400: upgrades at once; the last quarter is for terminals with an open payment
	Pending   int           // 1000: connections that have not opened their session yet
	PerHour   int           // 60: sessions of one terminal without an open payment at once; each is given back by itself, all within an hour
	Spread    time.Duration // 5 s: over how long a drain spreads its closes
	MinApp    string        // version of the oldest wire.Program that is let in; "": every one
	OldUntil  time.Time     // older ones are let in until then, and told so; zero: they are not. In the zone whose days are told
	Log       *slog.Logger  // slog.Default()
	// TurnedAway is told of everybody who is not let in: a code, and the name of the terminal if it said one. May be nil.
	TurnedAway func(code, name string)
}

// Limits of a session, each a wait with an end.
const (
	openLimit   = 10 * time.Second // from the upgrade to a verified session.open
	officeLimit = 30 * time.Second // for one answer of the Office
	clockEvery  = 10 * time.Minute // hint.clock
	cloneMemory = time.Hour        // how long the boots that were superseded are remembered
	cloneBoots  = 4                // of one terminal
)

func (c Config) withDefaults() Config {
	c.Heartbeat = cmp.Or(c.Heartbeat, 25*time.Second)
	c.Busy = cmp.Or(c.Busy, 5*time.Second)
	c.Window = cmp.Or(c.Window, 32)
	c.Jitter = cmp.Or(c.Jitter, 5*time.Second)
	c.Rate = cmp.Or(c.Rate, 200)
	c.Burst = cmp.Or(c.Burst, 400)
	c.Pending = cmp.Or(c.Pending, 1000)
	c.PerHour = cmp.Or(c.PerHour, 60)
	c.Spread = cmp.Or(c.Spread, 5*time.Second)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.TurnedAway == nil {
		c.TurnedAway = func(string, string) {}
	}
	return c
}

// Server is the http.Handler of GET /v1/term.
type Server struct {
	office Office
	cfg    Config
	gate   *rate.Limiter

	ctx    context.Context // ends with Drain; every session's work hangs on it
	stop   context.CancelFunc
	wg     sync.WaitGroup // one for each connection
	unheed func()         // ends news

	mu       sync.Mutex
	draining bool
	conns    map[*session]struct{} // every connection
	pending  int                   // of them, not opened yet
	newest   map[string]*session   // by terminal, once opened
	boots    map[string]*history   // by terminal
	began    time.Time
	left     map[string]time.Time // by terminal: when its last session ended
	whole    map[string]time.Time // by terminal: when it has all PerHour sessions again
}

// New makes a Server that asks office.
func New(office Office, c Config) *Server {
	c = c.withDefaults()
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		office: office, cfg: c, gate: rate.NewLimiter(rate.Limit(c.Rate), c.Burst),
		ctx: ctx, stop: stop,
		began: time.Now(), left: map[string]time.Time{},
		conns: map[*session]struct{}{}, newest: map[string]*session{}, boots: map[string]*history{}, whole: map[string]time.Time{},
	}
	s.unheed = office.Watch(s.news)
	return s
}

// Online says which terminals have an open session, and since when.
func (s *Server) Online() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]time.Time, len(s.newest))
	for name, x := range s.newest {
		out[name] = x.since
	}
	return out
}

// Quiet is for how long a terminal has had no session, as far as this Server knows: it has seen none before its own start.
// 0: it has one.
func (s *Server) Quiet(terminal string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest[terminal] != nil {
		return 0
	}
	if t, was := s.left[terminal]; was {
		return time.Since(t)
	}
	return time.Since(s.began)
}

var _ http.Handler = (*Server)(nil)
