package terminal

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// session is one connection. Its reader is run, then heard; serial answers calls beside it, stream sends events. Those
// two are there while they have something to do: an idle terminal costs one goroutine, whose stack has not grown.
type session struct {
	s       *Server
	conn    *ws.Conn
	pending bool // guarded by Server.mu

	terminal string
	boot     string
	epoch    int64
	since    time.Time
	beat     time.Duration
	busy     time.Duration
	window   int

	work sync.WaitGroup // calls and the stream

	mu      sync.Mutex
	ctx     context.Context           // of the work that runs; nil while none does
	cancel  context.CancelFunc        // of ctx
	runs    int                       // how much work that is
	stopped bool                      // none begins any more, and what ran has been told to end
	orders  map[string][]wire.Message // calls waiting behind the running one, by payment; nil for none
	flying  int                       // calls without an answer
	sent    int64                     // last event given to the connection
	acked   int64                     // last event the box holds
	writes  int64                     // the box's record counter, as last said
	left    *int                      // how many numbers it has left, likewise
	entered bool                      // session.open has been answered, and the session goes on
	streams bool                      // stream runs
	news    bool                      // it is to look once more
	clock   *time.Timer               // timeCame; nil until entered

	told   int64          // of the stream: the ack that the Office knows
	gauged int64          // of the stream: the counter that the Office knows
	leased time.Time      // of the stream: when the box was last sent numbers for want of them
	offer  wire.Providers // of the stream: the providers that the box knows of
	day    string         // of tellTime: the business day of which the box has numbers
}

// run is the beginning of a connection, dialled as host.
func (x *session) run(host string) {
	if err := x.open(x.s.ctx, host); err != nil {
		x.end(err)
		return
	}
	x.conn.Each(x.heard)
}

// heard deals with a frame; an error ends the connection.
func (x *session) heard(p []byte, err error) (more bool) {
	if err = x.take(p, err); err != nil {
		x.end(err)
	}
	return err == nil
}

// end is the last of a connection. The code of the first refusal goes to the box.
func (x *session) end(err error) {
	defer x.s.leave(x)
	x.stop() // calls in progress are asked again by their id
	x.work.Wait()
	var end *refusal
	switch {
	case errors.As(err, &end) && x.epoch == 0:
		x.conn.Close(end.code, end.reason)
		x.s.cfg.TurnedAway(strconv.Itoa(end.code), x.terminal) // a line for each would be a stranger's to fill the disk with
	case errors.As(err, &end):
		x.conn.Close(end.code, end.reason)
		x.log().Warn("terminal refused", "terminal", x.terminal, "code", end.code, "err", end.reason)
	case x.epoch > 0:
		x.log().Info("terminal went", "terminal", x.terminal, "epoch", x.epoch, "err", err)
	default:
		x.s.cfg.TurnedAway("no_session", "")
	}
	x.conn.Close(wire.CloseOverload, "overloaded") // where the line is whole and nobody has closed it
	x.settle()
}

// start runs work beside the reader, with a context that ends with the session; x.mu is held.
func (x *session) start(work func(ctx context.Context)) {
	if x.stopped {
		return
	}
	if x.runs++; x.runs == 1 {
		x.ctx, x.cancel = context.WithCancel(x.s.ctx)
	}
	ctx := x.ctx
	x.work.Go(func() {
		work(ctx)
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.runs--; x.runs == 0 {
			x.cancel()
			x.ctx, x.cancel = nil, nil // an idle session holds none
		}
	})
}

// stop ends the session's work.
func (x *session) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stopped = true
	if x.cancel != nil {
		x.cancel()
	}
	if x.clock != nil {
		x.clock.Stop()
	}
}

// log names the connection. It is made when it is used: most sessions say nothing for hours.
func (x *session) log() *slog.Logger {
	return x.s.cfg.Log.With("remote", x.conn.RemoteAddr().String())
}

// settle reads on until the socket is closed: the peer's close frame is among what it still sends.
func (x *session) settle() {
	for {
		if _, err := x.conn.Receive(); err != nil && !errors.Is(err, ws.ErrNotText) {
			break
		}
	}
	<-x.conn.Done()
}

// refusal ends a connection with a code of ours.
type refusal struct {
	code   int
	reason string // a constant phrase: it leaves the house
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.reason) }

func malformed(reason string) error { return &refusal{wire.CloseBadFrame, reason} }

// open is the handshake: challenge, session.open, its answer.
func (x *session) open(ctx context.Context, host string) error {
	late := time.AfterFunc(openLimit, func() { x.conn.Close(wire.CloseBehind, "no session.open in time") })
	defer late.Stop()
	var nonce [32]byte
	_, _ = rand.Read(nonce[:]) // never fails
	c := wire.Challenge{Nonce: base64.StdEncoding.EncodeToString(nonce[:]), Host: host, Protocol: wire.Protocol}
	if err := x.note(wire.SessionChallenge, c); err != nil {
		return err
	}
	m, err := decode(x.conn.Receive())
	if err != nil {
		return err
	}
	if m.Method != wire.SessionOpen || m.ID != wire.SessionID {
		return malformed("the first frame must be session.open")
	}
	o, err := wire.DecodeOpen(m.Params)
	if err != nil {
		return malformed("session.open is incomplete")
	}
	x.terminal, x.boot = o.Terminal, o.Boot
	ctx, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	if err := x.authenticate(ctx, c, o); err != nil {
		return x.deny(err)
	}
	late.Stop() // what the Office takes is not the box's lateness
	if err := x.s.visit(o.Terminal, len(o.OpenPayments) > 0); err != nil {
		return x.deny(err)
	}
	answer, err := x.s.office.OpenSession(ctx, o)
	if err != nil {
		return x.deny(err)
	}
	return x.enter(ctx, o, answer)
}

// enter makes x the terminal's session and answers session.open, in as many frames as its snapshot needs.
func (x *session) enter(ctx context.Context, o wire.Open, a wire.Session) error {
	x.epoch, x.since = a.Epoch, time.Now()
	x.beat, x.busy, x.window = x.s.cfg.Heartbeat, x.s.cfg.Busy, x.s.cfg.Window
	x.fill(&a)
	x.offer = wire.Providers{Show: a.Providers, Scan: a.ScanProviders, Silent: a.Silent}
	if a.Numbers != nil {
		x.day = a.Numbers.Day
	}
	x.writes, x.gauged = o.Writes, o.Writes
	x.sent = o.Seen
	if a.Resume == "snapshot" && a.Snapshot != nil {
		x.sent = a.Snapshot.Seq
	}
	x.acked, x.told = x.sent, x.sent
	var rest []wire.Part
	if a.Snapshot != nil {
		if n := len(a.Snapshot.Payments); n > wire.MaxSnapshot {
			x.log().Error("a terminal has more open bills than a snapshot may have", "terminal", x.terminal, "bills", n, "most", wire.MaxSnapshot)
			return &refusal{wire.CloseOverload, "too many open bills"}
		}
		a.Snapshot, rest = a.Snapshot.Split()
	}
	frame, err := wire.EncodeResult(wire.SessionID, a)
	if err != nil {
		return fmt.Errorf("answer session.open: %w", err)
	}
	if err := x.s.supersede(x); err != nil {
		return err
	}
	if err := x.conn.Send(ws.Call, frame); err != nil {
		return err
	}
	for _, p := range rest {
		if err := x.conn.Drained(ctx); err != nil { // at the box's pace: all at once would be too much for the queue
			return err
		}
		if err := x.note(wire.SessionSnapshot, p); err != nil {
			return err
		}
	}
	x.pace(len(o.OpenPayments) > 0)
	x.log().Info("terminal came", "terminal", x.terminal, "epoch", x.epoch, "app", o.App, "resume", a.Resume)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.entered = true
	x.clock = time.AfterFunc(x.untilClock(), x.timeCame)
	x.look()
	return nil
}

// fill adds what the Office left to us; what it said is kept.
func (x *session) fill(a *wire.Session) {
	ms := func(to *int64, d *time.Duration) {
		if *to > 0 {
			*d = time.Duration(*to) * time.Millisecond
		}
		*to = d.Milliseconds()
	}
	jitter := x.s.cfg.Jitter
	ms(&a.HeartbeatMS, &x.beat)
	ms(&a.BusyMS, &x.busy)
	ms(&a.JitterMS, &jitter)
	if a.Window > 0 {
		x.window = min(a.Window, ws.MaxEvents/2)
	}
	a.Window = x.window
	a.MinApp = cmp.Or(a.MinApp, x.s.cfg.MinApp)
	if until := x.s.cfg.OldUntil; a.MinApp != "" && x.since.Before(until) {
		a.DeprecatedAfter = until.Add(-time.Nanosecond).Format(time.DateOnly)
	}
	if a.Now == "" {
		a.Now = x.since.UTC().Format(time.RFC3339)
	}
	if a.Resume == "" {
		a.Resume = "ok"
	}
}

// pace sets the heartbeat: short while a payment is open at the box.
func (x *session) pace(open bool) {
	if open {
		x.conn.Beat(x.busy)
	} else {
		x.conn.Beat(x.beat)
	}
}

// decode reads a frame as Receive gives it.
func decode(p []byte, err error) (wire.Message, error) {
	if errors.Is(err, ws.ErrNotText) {
		return wire.Message{}, malformed("not a text frame")
	}
	if err != nil {
		return wire.Message{}, err
	}
	m, err := wire.Decode(p)
	if err != nil {
		return wire.Message{}, malformed("not a frame of " + wire.Protocol)
	}
	return m, nil
}

func (x *session) note(method string, params any) error {
	p, err := wire.EncodeNote(method, params)
	if err != nil {
		return err
	}
	return x.conn.Send(ws.Call, p)
}
