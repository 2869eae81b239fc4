package link

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// once is one connection from dial to end. A frame that is not ours closes it with 4400; the next one resumes.
func (l *Link) once(ctx context.Context, o wire.Owner) error {
	c, err := ws.Dial(ctx, l.url.String(), ws.Options{
		Protocols: []string{wire.Protocol}, MaxFrame: wire.MaxFrame,
		Header: l.header(l.urgent()), TLS: l.cfg.TLS, Dial: l.cfg.Dial,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { farewell(c) })
	x := &session{l: l, c: c, owner: o, outbox: outbox{
		flying: map[string]string{}, over: map[string]struct{}{}, look: make(chan struct{}, 1),
	}}
	err = x.run(ctx)
	stop() // before cancel: from here on settle closes, with the code that err calls for
	cancel()
	x.settle(err)
	return &ended{x.open, x.drain, err}
}

// farewell closes a connection whether the server listens or not; it ends with the connection.
func farewell(c *ws.Conn) {
	c.Close(1000, "")
	late := time.NewTimer(closeLimit)
	defer late.Stop()
	select {
	case <-c.Done():
	case <-late.C:
		c.Kill()
	}
}

// session is one connection. Its reader is run; send is beside it once the session is open.
type session struct {
	l     *Link
	c     *ws.Conn
	owner wire.Owner
	open  bool
	last  int64 // newest event the journal holds
	beat  time.Duration
	busy  time.Duration
	told  int64         // the journal's record counter, as the server knows it
	drain time.Duration // how long a draining server asks us to stay away

	outbox
}

// broken is a frame that is not ours.
type broken struct{ what string }

func (b *broken) Error() string { return "the integrator broke the protocol: " + b.what }

// outdated is a refusal of this program, which is older than the least that the integrator serves.
type outdated struct {
	app, least string
	err        error
}

func (o *outdated) Error() string { return o.err.Error() }
func (o *outdated) Unwrap() error { return o.err }

// settle closes the connection with the code that err calls for and waits until its socket is closed.
func (x *session) settle(err error) {
	var b *broken
	if errors.As(err, &b) {
		x.c.Close(wire.CloseBadFrame, "not a frame of "+wire.Protocol)
	} else {
		x.c.Close(1000, "")
	}
	late := time.AfterFunc(closeLimit, x.c.Kill)
	defer late.Stop()
	for {
		if _, err := x.c.Receive(); err != nil && !errors.Is(err, ws.ErrNotText) {
			break
		}
	}
	<-x.c.Done()
}

// run opens the session, then takes frames in until the connection ends.
func (x *session) run(ctx context.Context) error {
	if x.c.Protocol() != wire.Protocol {
		return &broken{"it did not agree on " + wire.Protocol}
	}
	s, err := x.handshake(ctx)
	if err != nil {
		return err
	}
	if err := x.owner.Session(ctx, s); err != nil {
		return fmt.Errorf("take the session in: %w", err)
	}
	x.open = true
	x.l.up(x.owner, s)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); x.send(ctx) }()
	defer func() { cancel(); <-done }()
	for {
		m, err := x.receive()
		if err != nil {
			return err
		}
		if err := x.take(ctx, m); err != nil {
			return err
		}
	}
}

// handshake proves who we are to the host that we dialled, and to no other.
func (x *session) handshake(ctx context.Context) (wire.Session, error) {
	late := time.AfterFunc(openLimit, func() { x.c.Close(wire.CloseBadFrame, "no session in time") })
	defer late.Stop()
	m, err := x.receive()
	if err != nil {
		return wire.Session{}, err
	}
	var c wire.Challenge
	if m.Method != wire.SessionChallenge || !m.IsNote() || wire.Into(m.Params, &c) != nil {
		return wire.Session{}, &broken{"its first frame is no challenge"}
	}
	if c.Protocol != wire.Protocol || c.Host != x.l.url.Host || len(c.Nonce) < 32 || strings.Contains(c.Nonce, "\n") {
		return wire.Session{}, &broken{"its challenge is not for this protocol and host"}
	}
	st := x.l.about.About()
	o := wire.Open{
		Terminal: x.l.cfg.Terminal, Journal: st.Journal, Boot: st.Boot, EpochSeen: st.EpochSeen, Seen: st.Seen,
		OpenPayments: append([]string{}, st.OpenPayments[:min(len(st.OpenPayments), wire.MaxOpenNamed)]...), Writes: st.Writes, NumbersLeft: &st.NumbersLeft, Restored: st.Restored,
		Caps: append([]string{}, x.l.cfg.Caps...), App: x.l.cfg.App,
	}
	o.Sign(c, x.l.cfg.Key)
	p, err := wire.EncodeCall(wire.SessionID, wire.SessionOpen, o)
	if err != nil {
		return wire.Session{}, err
	}
	if err := x.c.Send(ws.Call, p); err != nil {
		return wire.Session{}, err
	}
	if m, err = x.unhinted(); err != nil {
		return wire.Session{}, err
	}
	s, err := x.opened(ctx, m, o)
	if err != nil || s.Snapshot == nil {
		return s, err
	}
	return s, x.gather(s.Snapshot)
}

// unhinted waits for one frame that is no hint; hints on the way are taken in.
func (x *session) unhinted() (wire.Message, error) {
	for {
		m, err := x.receive()
		if err != nil || !isHint(m) {
			return m, err
		}
		x.hint(m)
	}
}

// gather waits for the parts of a snapshot that one frame does not hold. Nothing is taken in before the last: after a cut
// the next session begins with the first again.
func (x *session) gather(s *wire.Snapshot) error {
	for next := 1; s.More; next++ {
		m, err := x.unhinted()
		if err != nil {
			return err
		}
		var p wire.Part
		if m.Method != wire.SessionSnapshot || !m.IsNote() || wire.Into(m.Params, &p) != nil {
			return &broken{"a part of its snapshot is missing"}
		}
		if err := s.Add(p, next); err != nil {
			return &broken{err.Error()}
		}
	}
	return nil
}

// opened reads the answer to session.open.
func (x *session) opened(ctx context.Context, m wire.Message, o wire.Open) (wire.Session, error) {
	var s wire.Session
	switch {
	case !m.IsAnswer() || m.ID != wire.SessionID:
		return s, &broken{"session.open was not answered"}
	case m.Problem != nil:
		return s, x.denied(m.Problem)
	case wire.Into(m.Result, &s) != nil || s.Epoch < 1 || (s.Resume == "snapshot") != (s.Snapshot != nil):
		return s, &broken{"its session is incomplete"}
	case s.Resume != "ok" && s.Resume != "snapshot":
		return s, &broken{"it resumes in an unknown way"}
	}
	x.last, x.told = o.Seen, o.Writes
	if s.Snapshot != nil {
		x.last = s.Snapshot.Seq
	}
	x.beat = time.Duration(s.HeartbeatMS) * time.Millisecond
	x.busy = time.Duration(s.BusyMS) * time.Millisecond
	return s, ctx.Err()
}

// denied waits for the close frame that follows a refused session.open: its code says what kind of refusal it was.
func (x *session) denied(p *wire.Problem) error {
	if _, err := x.c.Receive(); err != nil {
		var ce *ws.CloseError
		if errors.As(err, &ce) && !ce.Local {
			if ce.Code == wire.CloseVersion && wire.IsVersion(p.Data.Why) {
				return &outdated{x.l.cfg.App, p.Data.Why, ce}
			}
			return ce
		}
	}
	return fmt.Errorf("the integrator refused the session: %w", p)
}

// receive waits for one frame and reads it.
func (x *session) receive() (wire.Message, error) {
	p, err := x.c.Receive()
	if errors.Is(err, ws.ErrNotText) {
		return wire.Message{}, &broken{"a frame that is no text"}
	}
	if err != nil {
		return wire.Message{}, err
	}
	m, err := wire.Decode(p)
	if err != nil {
		return wire.Message{}, &broken{err.Error()}
	}
	return m, nil
}

func isHint(m wire.Message) bool { return m.IsNote() && strings.HasPrefix(m.Method, wire.HintPrefix) }

func (x *session) hint(m wire.Message) {
	var d wire.Drain
	if m.Method == wire.HintDrain && wire.Into(m.Params, &d) == nil && d.JitterMS > 0 {
		x.drain = min(time.Duration(min(d.JitterMS, math.MaxInt32))*time.Millisecond, longestDelay)
	}
	if x.l.cfg.Hint != nil {
		x.l.cfg.Hint(m.Method, m.Params)
	}
}

// take hands one frame to where it belongs.
func (x *session) take(ctx context.Context, m wire.Message) error {
	switch {
	case m.IsAnswer():
		return x.answer(ctx, m)
	case isHint(m):
		x.hint(m)
		return nil
	case m.IsNote() && m.Method == wire.EventNote:
		return x.event(ctx, m)
	}
	return &broken{"a message of an unknown kind"}
}

// event takes one event in and acknowledges what the journal holds. A repeat is acknowledged and nothing else; a gap
// ends the connection: what is missing comes again after it.
func (x *session) event(ctx context.Context, m wire.Message) error {
	e, err := wire.DecodeEvent(m.Params)
	if err != nil {
		return &broken{err.Error()}
	}
	if e.Seq > x.last+1 {
		return &broken{fmt.Sprintf("event %d after %d", e.Seq, x.last)}
	}
	if e.Seq == x.last+1 {
		if err := x.owner.Event(ctx, e); err != nil {
			return fmt.Errorf("take event %d in: %w", e.Seq, err)
		}
		x.last = e.Seq
	}
	p, err := wire.EncodeNote(wire.EventAck, wire.Ack{Seq: x.last})
	if err != nil {
		return err
	}
	x.c.Latest(wire.EventAck, p) // cumulative: only the newest matters
	return nil
}
