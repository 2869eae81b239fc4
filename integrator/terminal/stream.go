package terminal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// news wakes the stream of the terminal, or all of them for "".
func (s *Server) news(terminal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if terminal != "" {
		if x := s.newest[terminal]; x != nil {
			x.wake()
		}
		return
	}
	for _, x := range s.newest {
		x.wake()
	}
}

func (x *session) wake() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.look()
}

// look has the stream look at what there is to tell either side; x.mu is held. It begins when the session has been opened:
// its first look finds what has come before.
func (x *session) look() {
	x.news = true
	if x.entered && !x.streams {
		x.streams = true
		x.start(x.stream)
	}
}

// stream sends the terminal's events in order, never more than the window without an ack, and tells the Office how far
// the box has come. It ends when there is no more news, or for good with the session.
func (x *session) stream(ctx context.Context) {
	for {
		x.mu.Lock()
		if !x.news {
			x.streams = false
			x.mu.Unlock()
			return
		}
		x.news = false
		x.mu.Unlock()
		if err := x.round(ctx); err != nil {
			x.fail(ctx, fmt.Errorf("stream events: %w", err))
			return
		}
	}
}

// round is one look.
func (x *session) round(ctx context.Context) error {
	for {
		n, err := x.more(ctx)
		if err == nil {
			err = x.tell(ctx)
		}
		if err == nil {
			err = x.gauge(ctx)
		}
		if err != nil {
			return err
		}
		if n == 0 { // else there may be more
			x.providers()
			return nil
		}
	}
}

// untilClock is when the box is to be told the time again: now and then, and when a business day begins.
func (x *session) untilClock() time.Duration {
	return min(clockEvery, max(x.s.office.Midnight(), time.Second))
}

// timeCame has the box told the time.
func (x *session) timeCame() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.start(x.tellTime)
}

// tellTime tells the box our time, for the technician's page, and gives it numbers of a day that has begun.
func (x *session) tellTime(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	c, day, err := x.s.office.Clock(limited, x.terminal, x.epoch, x.day)
	if err != nil {
		x.fail(ctx, fmt.Errorf("tell the time: %w", err))
		return
	}
	x.day = day
	if p, err := wire.EncodeNote(wire.HintClock, c); err == nil {
		x.conn.Latest(wire.HintClock, p)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.stopped {
		x.clock.Reset(x.untilClock())
	}
}

// gauge gives the Office the box's record counter, if it has moved. One that went back ends the session: the next one
// is opened by rows E33. A box that says that it has few numbers left is sent a block; what it says soon after was said
// before it had that, or it takes none in.
func (x *session) gauge(ctx context.Context) error {
	x.mu.Lock()
	g := wire.Gauges{Writes: x.writes, NumbersLeft: x.left}
	x.mu.Unlock()
	if g.Writes == x.gauged {
		return nil
	}
	if !x.leased.IsZero() && time.Since(x.leased) < clockEvery {
		g.NumbersLeft = nil
	}
	ctx, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	x.gauged = g.Writes
	more, err := x.s.office.Gauges(ctx, x.terminal, x.epoch, g)
	if err != nil || more == nil {
		return err
	}
	x.leased = time.Now()
	p, err := wire.EncodeNote(wire.HintClock, wire.Clock{Now: x.leased.UTC().Format(time.RFC3339), Numbers: more})
	if err == nil {
		x.conn.Latest(wire.HintClock, p)
	}
	return err
}

// providers tells the box which providers take new payments, if that is not what it knows.
func (x *session) providers() {
	now := x.s.office.Providers()
	if slices.Equal(now.Show, x.offer.Show) && slices.Equal(now.Scan, x.offer.Scan) && slices.Equal(now.Silent, x.offer.Silent) {
		return
	}
	x.offer = now
	now.Show, now.Scan = append([]string{}, now.Show...), append([]string{}, now.Scan...) // never null
	if p, err := wire.EncodeNote(wire.HintProviders, now); err == nil {
		x.conn.Latest(wire.HintProviders, p)
	}
}

// more sends as many events as the window has room for and says how many that were.
func (x *session) more(ctx context.Context) (int, error) {
	x.mu.Lock()
	after, room := x.sent, x.window-int(x.sent-x.acked)
	x.mu.Unlock()
	if room <= 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	events, err := x.s.office.Events(ctx, x.terminal, after, room)
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		if e.Seq != after+1 {
			return 0, fmt.Errorf("event %d follows %d", e.Seq, after)
		}
		after = e.Seq
		p, err := wire.EncodeNote(wire.EventNote, e)
		if err != nil {
			return 0, err
		}
		x.mu.Lock()
		x.sent = e.Seq // before it leaves: its ack may be faster than we are
		x.mu.Unlock()
		if err := x.conn.Send(ws.Event, p); err != nil {
			return 0, err
		}
	}
	return len(events), nil
}

// tell gives the Office the newest ack. Many acks become one.
func (x *session) tell(ctx context.Context) error {
	x.mu.Lock()
	acked := x.acked
	x.mu.Unlock()
	if acked <= x.told {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	x.told = acked
	return x.s.office.Ack(ctx, x.terminal, x.epoch, acked)
}

// ack notes what the box holds. An ack of what was never sent is not ours.
func (x *session) ack(params json.RawMessage) error {
	var a wire.Ack
	if err := wire.Into(params, &a); err != nil {
		return malformed("event.ack needs a seq")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if a.Seq > x.sent {
		return malformed("ack of an event that was not sent")
	}
	if a.Seq > x.acked {
		x.acked = a.Seq
		x.look()
	}
	return nil
}
