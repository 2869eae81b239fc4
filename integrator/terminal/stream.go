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

// stream sends the terminal's events in order, never more than the window without an ack, and tells the Office how far
// the box has come. It ends with the session.
func (x *session) stream() {
	changed, stop := x.s.office.Watch(x.terminal)
	defer stop()
	told := x.acked
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()
	for {
		n, err := x.more()
		if err == nil {
			told, err = x.tell(told)
		}
		if err == nil {
			err = x.gauge()
		}
		if err != nil {
			x.fail(fmt.Errorf("stream events: %w", err))
			return
		}
		if n > 0 {
			continue // there may be more
		}
		x.providers()
		select {
		case <-changed:
		case <-x.wake:
		case <-clock.C:
			x.clock()
		case <-x.ctx.Done():
			return
		}
	}
}

// clock tells the box our time, for the technician's page.
func (x *session) clock() {
	if p, err := wire.EncodeNote(wire.HintClock, wire.Clock{Now: time.Now().UTC().Format(time.RFC3339)}); err == nil {
		x.conn.Latest(wire.HintClock, p)
	}
}

// gauge gives the Office the box's record counter, if it has moved. One that went back ends the session: the next one
// is opened by rows E33.
func (x *session) gauge() error {
	x.mu.Lock()
	writes := x.writes
	x.mu.Unlock()
	if writes == x.heard {
		return nil
	}
	ctx, cancel := context.WithTimeout(x.ctx, officeLimit)
	defer cancel()
	x.heard = writes
	return x.s.office.Gauges(ctx, x.terminal, x.epoch, wire.Gauges{Writes: writes})
}

// providers tells the box which providers take new payments, if that is not what it knows.
func (x *session) providers() {
	now := x.s.office.Providers()
	if slices.Equal(now.Show, x.offer.Show) && slices.Equal(now.Scan, x.offer.Scan) {
		return
	}
	x.offer = now
	now.Show, now.Scan = append([]string{}, now.Show...), append([]string{}, now.Scan...) // never null
	if p, err := wire.EncodeNote(wire.HintProviders, now); err == nil {
		x.conn.Latest(wire.HintProviders, p)
	}
}

// more sends as many events as the window has room for and says how many that were.
func (x *session) more() (int, error) {
	x.mu.Lock()
	after, room := x.sent, x.window-int(x.sent-x.acked)
	x.mu.Unlock()
	if room <= 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(x.ctx, officeLimit)
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

// tell gives the Office the newest ack, if it is newer than told. Many acks become one.
func (x *session) tell(told int64) (int64, error) {
	x.mu.Lock()
	acked := x.acked
	x.mu.Unlock()
	if acked <= told {
		return told, nil
	}
	ctx, cancel := context.WithTimeout(x.ctx, officeLimit)
	defer cancel()
	return acked, x.s.office.Ack(ctx, x.terminal, x.epoch, acked)
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
		select {
		case x.wake <- struct{}{}:
		default:
		}
	}
	return nil
}
