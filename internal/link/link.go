// Package link is the box's end of the line to the integrator: it dials, proves who it is, sends what the journal holds
// and hands what comes to the owner, who commits it. It keeps nothing of its own: after a crash everything it needs is
// in the journal, and nothing here decides about money.
package link

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
)

// Config of a Link.
type Config struct {
	URL      string             // wss://host/v1/term; ws:// for loopback alone
	Terminal string             // our name at the integrator
	Key      ed25519.PrivateKey // its public half is known there
	App      string             // "tilld/1.0.0"
	Caps     []string
	TLS      *tls.Config // nil: the system's roots
	Log      *slog.Logger
	// Hint is told of hint.* from the server, newest wins; it must not block. May be nil.
	Hint func(method string, params json.RawMessage)
	// Dial replaces TCP, for tests. May be nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Calls is the part of the journal that the link reads: every call not settled, in the order of their commits.
type Calls interface {
	Calls() []record.Call
}

// State is what session.open says of the box.
type State struct {
	Journal      string // id made with the database
	Boot         string // id made at this start
	EpochSeen    int64  // of the newest session taken in
	Seen         int64  // last event taken in
	Writes       int64  // the journal's record counter
	NumbersLeft  int    // payment numbers that no payment bears yet
	Restored     bool   // the journal was found to be a copy
	OpenPayments []string
}

// About tells how the box stands now. It is asked at each dial and at each Wake, and must not block.
type About interface {
	About() State
}

// Status is how the line stands, for people.
type Status struct {
	Up          bool      `json:"up"`
	Since       time.Time `json:"since"`                // of Up or of its absence
	LastError   string    `json:"last_error,omitempty"` // one sentence without a full stop; "" while up
	Remedy      string    `json:"remedy,omitempty"`     // what to do about it
	NeedsPerson bool      `json:"needs_person,omitempty"`
	Epoch       int64     `json:"epoch,omitempty"`
}

// Limits, each a wait with an end.
const (
	openLimit    = 20 * time.Second // from the upgrade to the answer of session.open
	stable       = 10 * time.Second // a session that lived this long starts the back-off anew
	closeLimit   = 3 * time.Second  // for a close frame to leave when the box stops
	firstJitter  = 5 * time.Second  // until a server has said its own
	openJitter   = time.Second      // with an open payment or an unanswered call
	openLongest  = 5 * time.Second  // likewise, after many tries
	gaugesLeast  = time.Second      // between two hint.gauges
	longestDelay = 120 * time.Second
	personLeast  = 60 * time.Second // between tries that need a person first
	retryAfter   = 10 * time.Minute // the longest Retry-After that is believed
	openRetry    = time.Minute      // likewise with an open payment, and once a till was turned away
)

// Link is a wire.Link. Make it with New.
type Link struct {
	cfg   Config
	url   *url.URL
	calls Calls
	about About
	wake  chan struct{} // capacity 1: full means that a look is due anyway

	mu     sync.Mutex
	status Status
	jitter time.Duration
}

var _ wire.Link = (*Link)(nil)

// New checks the configuration; it opens nothing.
func New(cfg Config, calls Calls, about About) (*Link, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("integrator's URL is not of the form wss://host/v1/term")
	}
	switch {
	case u.Scheme == "wss":
	case u.Scheme == "ws" && loopbackName(u.Hostname()):
	case u.Scheme == "ws":
		return nil, errors.New("integrator's URL: ws:// is for loopback alone, use wss://")
	default:
		return nil, errors.New("integrator's URL must begin with wss://")
	}
	if !payment.ValidTerminal(cfg.Terminal) {
		return nil, fmt.Errorf("terminal's name must be 1 to %d printable characters without a blank", payment.MaxTerminal)
	}
	if len(cfg.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("terminal's key is not an Ed25519 private key")
	}
	if calls == nil || about == nil {
		return nil, errors.New("a link needs a journal and what to say of the box")
	}
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	return &Link{
		cfg: cfg, url: u, calls: calls, about: about, wake: make(chan struct{}, 1),
		status: Status{Since: time.Now(), LastError: "it has not been tried yet", Remedy: byItself},
		jitter: firstJitter,
	}, nil
}

// loopbackName says whether a host is spelt as loopback; where it leads is looked at again when it is dialled.
func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Wake says that the journal may hold new calls, that a payment was opened or has ended, or that a till was turned away for
// want of a line. It never blocks.
func (l *Link) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Status is how the line stands now.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Serve dials, opens, resumes and reconnects until ctx ends; its error is ctx's. One call at a time.
func (l *Link) Serve(ctx context.Context, o wire.Owner) error {
	var b backoff
	for {
		began := time.Now()
		err := l.once(ctx, o)
		l.down(o, err)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) >= stable && l.wasUp(err) {
			b.tries = 0
		}
		if err := l.rest(ctx, &b, err); err != nil {
			return err
		}
	}
}

// ended is how one connection ended, whether its session had been open, and how long a draining server asked us to stay
// away.
type ended struct {
	opened bool
	drain  time.Duration
	err    error
}

func (e *ended) Error() string { return e.err.Error() }
func (e *ended) Unwrap() error { return e.err }

func (l *Link) wasUp(err error) bool {
	var e *ended
	return errors.As(err, &e) && e.opened
}

func (l *Link) up(o wire.Owner, s wire.Session) {
	l.mu.Lock()
	l.status = Status{Up: true, Since: time.Now(), Epoch: s.Epoch}
	if s.JitterMS > 0 {
		l.jitter = min(time.Duration(s.JitterMS)*time.Millisecond, longestDelay)
	}
	l.mu.Unlock()
	l.cfg.Log.Info("link up", "epoch", s.Epoch, "resume", s.Resume)
	o.Link(true)
}

// down notes the end of a connection. The first failure is logged, its repeats are not.
func (l *Link) down(o wire.Owner, err error) {
	t := why(err)
	l.mu.Lock()
	was := l.status
	l.status.Up, l.status.LastError, l.status.Remedy, l.status.NeedsPerson = false, t.text, t.remedy, t.person
	if was.Up {
		l.status.Since = time.Now()
	}
	l.mu.Unlock()
	if was.Up {
		o.Link(false)
	}
	switch {
	case was.Up || was.LastError != t.text && !t.person:
		l.cfg.Log.Warn("link down", "why", t.text, "err", err)
	case was.LastError != t.text:
		l.cfg.Log.Error("link needs a person", "why", t.text, "do", t.remedy, "err", err)
	}
}

func (l *Link) header(open bool) http.Header {
	h := http.Header{"X-Till-Terminal": {l.cfg.Terminal}}
	if open {
		h.Set("X-Till-Open", "1")
	}
	return h
}
