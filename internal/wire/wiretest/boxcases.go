package wiretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

// lull is how long a box must have said nothing, once all that is due has come, before we believe that it waits.
const lull = 50 * time.Millisecond

func (b *Box) order() string {
	b.made++
	return fmt.Sprintf("%s-%d", payment.NewID(time.Now()), b.made)
}

// comes has the box call a server of its own that speaks the protocol, and hands over the connection, before the challenge.
func (b *Box) comes(ctx context.Context, protocol string, f func(h *house, p *peer, header http.Header) error) error {
	h, err := b.house(ctx, protocol)
	if err != nil {
		return err
	}
	defer h.stop()
	p, header, err := h.next(ctx)
	if err != nil {
		return err
	}
	defer p.hangUp()
	return f(h, p, header)
}

func (b *Box) handshake(ctx context.Context) error {
	return b.comes(ctx, wire.Protocol, func(_ *house, p *peer, header http.Header) error {
		if !strings.Contains(header.Get("Sec-WebSocket-Protocol"), wire.Protocol) {
			return errors.New("the box does not offer " + wire.Protocol)
		}
		if e := header.Get("Sec-WebSocket-Extensions"); e != "" {
			return fmt.Errorf("the box offers an extension: %s", e)
		}
		if header.Get("X-Till-Open") != "1" {
			return errors.New("the box has an open payment and does not say so")
		}
		if header.Get("Origin") != "" || header.Get("Authorization") != "" {
			return errors.New("the box sends headers of a browser or a secret")
		}
		if err := p.quiet(lull); err != nil {
			return fmt.Errorf("before the challenge: %w", err)
		}
		return nil
	})
}

func (b *Box) otherHost(ctx context.Context) error {
	return b.comes(ctx, wire.Protocol, func(_ *house, p *peer, _ http.Header) error {
		err := p.note(wire.SessionChallenge, wire.Challenge{
			Nonce: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Host: "bank.example", Protocol: wire.Protocol,
		})
		return errors.Join(err, p.closes(wire.CloseBadFrame)) // closes passes frames over: see that none was session.open
	})
}

func (b *Box) noProtocol(ctx context.Context) error {
	return b.comes(ctx, "", func(h *house, p *peer, _ http.Header) error {
		if _, err := b.challenge(p, h.host); err == nil {
			return errors.New("the box opened a session without a protocol agreed on")
		}
		return nil
	})
}

func (b *Box) tooEarly(ctx context.Context) error {
	return b.comes(ctx, wire.Protocol, func(h *house, p *peer, _ http.Header) error {
		if _, err := b.challenge(p, h.host); err != nil {
			return err
		}
		before := b.Taken()
		if err := errors.Join(p.event(b.Seen()+1), p.closes(wire.CloseBadFrame)); err != nil {
			return err
		}
		if b.Taken() != before {
			return errors.New("the event was taken in")
		}
		return nil
	})
}

func (b *Box) events(_ context.Context, _ *house, p *peer, o wire.Open) error {
	taken := b.Taken()
	for i := range 5 {
		seq := o.Seen + 1 + int64(i)
		if err := errors.Join(p.event(seq), p.acked(seq)); err != nil {
			return err
		}
		if b.Seen() != seq {
			return fmt.Errorf("event %d was acked, the journal stands at %d", seq, b.Seen())
		}
	}
	for _, again := range []int64{3, 5} { // a repeat is acked with what is durable
		if err := errors.Join(p.event(o.Seen+again), p.acked(o.Seen+5)); err != nil {
			return err
		}
	}
	if got := b.Taken() - taken; got != 5 {
		return fmt.Errorf("5 events and 2 repeats were taken in as %d", got)
	}
	return nil
}

func (b *Box) gap(ctx context.Context, h *house, p *peer, o wire.Open) error {
	if err := errors.Join(p.event(o.Seen+1), p.acked(o.Seen+1), p.event(o.Seen+3), p.closes(wire.CloseBadFrame)); err != nil {
		return err
	}
	q, again, err := b.open(ctx, h)
	if err != nil {
		return err
	}
	defer q.hangUp()
	if again.Seen != o.Seen+1 {
		return fmt.Errorf("came back with seen %d, want %d", again.Seen, o.Seen+1)
	}
	return errors.Join(q.event(o.Seen+2), q.event(o.Seen+3), q.acked(o.Seen+3))
}

func (b *Box) snapshot(ctx context.Context) error {
	return b.comes(ctx, wire.Protocol, func(h *house, p *peer, _ http.Header) error {
		o, err := b.challenge(p, h.host)
		if err != nil {
			return err
		}
		s := session(o.EpochSeen + 1)
		s.Resume, s.Snapshot = "snapshot", &wire.Snapshot{Seq: o.Seen + 100, Payments: []string{}}
		if err := errors.Join(p.result(wire.SessionID, s), p.event(o.Seen+101), p.acked(o.Seen+101)); err != nil {
			return err
		}
		if b.Seen() != o.Seen+101 {
			return fmt.Errorf("the journal stands at %d, want %d", b.Seen(), o.Seen+101)
		}
		return nil
	})
}

// begun is a connection whose session is answered with the beginning of a snapshot of two parts.
func (b *Box) begun(ctx context.Context, h *house) (*peer, wire.Open, []wire.Part, error) {
	p, _, err := h.next(ctx)
	if err != nil {
		return nil, wire.Open{}, nil, err
	}
	o, err := b.challenge(p, h.host)
	if err != nil {
		return nil, o, nil, errors.Join(err, p.Close())
	}
	s := session(o.EpochSeen + 1)
	s.Resume, s.Snapshot = "snapshot", &wire.Snapshot{Seq: o.Seen + 100, Payments: []string{"of-the-kit-0"}, More: true}
	parts := []wire.Part{{Index: 1, Payments: []string{"of-the-kit-1"}, More: true}, {Index: 2, Payments: []string{"of-the-kit-2"}}}
	return p, o, parts, p.result(wire.SessionID, s)
}

// parts: a snapshot in several frames is taken in when its last is there, and not before: a cut, a part out of turn or
// another frame between them leaves the box where it was.
func (b *Box) parts(ctx context.Context) error {
	h, err := b.house(ctx, wire.Protocol)
	if err != nil {
		return err
	}
	defer h.stop()
	first, _, err := b.open(ctx, h) // whose answer says to come back fast
	if err != nil {
		return err
	}
	first.hangUp()
	spoil := []struct {
		name string
		do   func(p *peer, o wire.Open, parts []wire.Part) error
	}{
		{"a cut", func(p *peer, _ wire.Open, parts []wire.Part) error {
			return errors.Join(p.note(wire.SessionSnapshot, parts[0]), p.Close())
		}},
		{"a part that is missing", func(p *peer, _ wire.Open, parts []wire.Part) error {
			return errors.Join(p.note(wire.SessionSnapshot, parts[1]), p.closes(wire.CloseBadFrame))
		}},
		{"a part that comes twice", func(p *peer, _ wire.Open, parts []wire.Part) error {
			return errors.Join(p.note(wire.SessionSnapshot, parts[0]), p.note(wire.SessionSnapshot, parts[0]), p.closes(wire.CloseBadFrame))
		}},
		{"an event between", func(p *peer, o wire.Open, parts []wire.Part) error {
			return errors.Join(p.note(wire.SessionSnapshot, parts[0]), p.event(o.Seen+101), p.closes(wire.CloseBadFrame))
		}},
	}
	for _, c := range spoil {
		before, taken := b.Seen(), b.Taken()
		p, o, parts, err := b.begun(ctx, h)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := c.do(p, o, parts); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if o.Seen != before || b.Seen() != before || b.Taken() != taken {
			return fmt.Errorf("%s: the journal moved from %d to %d", c.name, before, b.Seen())
		}
		p.hangUp()
	}
	p, o, parts, err := b.begun(ctx, h)
	if err != nil {
		return err
	}
	defer p.hangUp()
	err = errors.Join(p.note(wire.SessionSnapshot, parts[0]), p.text(`{"jsonrpc":"2.0","method":"hint.of_the_future","params":{}}`),
		p.note(wire.SessionSnapshot, parts[1]), p.event(o.Seen+101), p.acked(o.Seen+101))
	if err == nil && b.Seen() != o.Seen+101 {
		err = fmt.Errorf("the journal stands at %d, want %d", b.Seen(), o.Seen+101)
	}
	return err
}

func (b *Box) unknownHint(_ context.Context, _ *house, p *peer, o wire.Open) error {
	return errors.Join(p.text(`{"jsonrpc":"2.0","method":"hint.of_the_future","params":{"any":[1]}}`),
		p.event(o.Seen+1), p.acked(o.Seen+1))
}

// clockHint: the time, and the numbers of a day that has begun, interrupt nothing; nor do numbers that are none.
func (b *Box) clockHint(_ context.Context, _ *house, p *peer, o wire.Open) error {
	return errors.Join(p.text(`{"jsonrpc":"2.0","method":"hint.clock","params":{"now":"2026-11-22T21:00:00Z","numbers":{"day":"2026-11-23","from":5400,"to":5449}}}`),
		p.text(`{"jsonrpc":"2.0","method":"hint.clock","params":{"now":"2026-11-22T21:10:00Z","numbers":{"day":"","from":9,"to":-1}}}`),
		p.text(`{"jsonrpc":"2.0","method":"hint.clock","params":{"now":7,"numbers":[]}}`),
		p.event(o.Seen+1), p.acked(o.Seen+1))
}

func (b *Box) serial(_ context.Context, _ *house, p *peer, _ wire.Open) error {
	first := b.Ask(b.order(), 3)
	other := b.Ask(b.order(), 1)
	got, err := p.calls(2)
	if err != nil {
		return err
	}
	if err := same(ids(got), []string{first[0], other[0]}); err != nil {
		return fmt.Errorf("before any answer: %w", err)
	}
	for i, id := range first {
		if err := p.result(id, wire.Result{Outcome: payment.OutBill}); err != nil {
			return err
		}
		due := first[i+1 : min(i+2, len(first))]
		got, err := p.calls(len(due))
		if err != nil {
			return err
		}
		if err := same(ids(got), due); err != nil {
			return fmt.Errorf("after answer %d: %w", i+1, err)
		}
		if len(due) > 0 && b.Waiting(id) {
			return errors.New("an answer was not taken in before the next call left")
		}
	}
	return errors.Join(p.result(other[0], wire.Result{Outcome: payment.OutBill}), p.settled(b, append(first, other...)...))
}

func (b *Box) flight(_ context.Context, _ *house, p *peer, _ wire.Open) error {
	var all []string
	for range wire.MaxInFlight + 4 {
		all = append(all, b.Ask(b.order(), 1)...)
	}
	var got []string
	for want := wire.MaxInFlight; len(all) > 0; want = min(4, len(all)-len(got)) {
		more, err := p.calls(want)
		if err != nil {
			return err
		}
		if len(more) > want {
			return fmt.Errorf("%d more calls came, %d may be in flight", len(more), wire.MaxInFlight)
		}
		got = append(got, ids(more)...)
		if len(got) == len(all) {
			break
		}
		for _, id := range got[:4] {
			if err := p.result(id, wire.Result{Outcome: payment.OutBill}); err != nil {
				return err
			}
		}
		got, all = got[4:], all[4:]
	}
	if err := same(got, all); err != nil {
		return err
	}
	for _, id := range got {
		if err := p.result(id, wire.Result{Outcome: payment.OutBill}); err != nil {
			return err
		}
	}
	return p.settled(b, got...)
}

func (b *Box) repeat(ctx context.Context, h *house, p *peer, _ wire.Open) error {
	asked := b.Ask(b.order(), 1)
	first, err := p.calls(len(asked))
	if err != nil {
		return err
	}
	if err := same(ids(first), asked); err != nil {
		return err
	}
	if err := p.Close(); err != nil { // the answer is lost with the socket
		return err
	}
	q, _, err := b.open(ctx, h)
	if err != nil {
		return err
	}
	defer q.hangUp()
	again, err := q.calls(len(asked))
	if err != nil {
		return err
	}
	if err := same(ids(again), asked); err != nil {
		return fmt.Errorf("after the reconnect: %w", err)
	}
	if again[0].Method != first[0].Method || !bytes.Equal(again[0].Params, first[0].Params) {
		return errors.New("the call came again under its id with other params")
	}
	return errors.Join(q.result(asked[0], wire.Result{Outcome: payment.OutBill}), q.settled(b, asked...))
}

func (b *Box) refusal(_ context.Context, _ *house, p *peer, _ wire.Open) error {
	asked := b.Ask(b.order(), 1)
	if _, err := p.calls(len(asked)); err != nil {
		return err
	}
	frame, err := wire.EncodeProblem(asked[0], wire.Refuse(payment.NoWrongState, "not now"))
	return errors.Join(err, p.text(string(frame)), p.settled(b, asked...))
}

func (b *Box) superseded(ctx context.Context, h *house, p *peer, o wire.Open) error {
	if err := p.frame(0x80|opClose, []byte{wire.CloseSuperseded >> 8, wire.CloseSuperseded & 0xff}, false); err != nil {
		return err
	}
	q, again, err := b.open(ctx, h)
	if err != nil {
		return err
	}
	defer q.hangUp()
	if again.EpochSeen != o.EpochSeen+1 {
		return fmt.Errorf("came back with epoch_seen %d, want %d", again.EpochSeen, o.EpochSeen+1)
	}
	return nil
}

// tooOld: a box whose program is refused waits for a person. It has just come back at once, as it does where nothing is
// wrong, so that its silence is no slowness.
func (b *Box) tooOld(ctx context.Context, h *house, p *peer, _ wire.Open) error {
	p.hangUp()
	q, _, err := h.next(ctx)
	if err != nil {
		return err
	}
	defer q.hangUp()
	if _, err := b.challenge(q, h.host); err != nil {
		return err
	}
	no := wire.Refuse(wire.NoOldProgram, "the terminal's program is older than any that is served")
	no.Data.Why = "999.0.0"
	frame, err := wire.EncodeProblem(wire.SessionID, no)
	if err != nil {
		return err
	}
	code := []byte{wire.CloseVersion >> 8, wire.CloseVersion & 0xff}
	if err := errors.Join(q.text(string(frame)), q.frame(0x80|opClose, code, false), q.closes(wire.CloseVersion, 1000)); err != nil {
		return err
	}
	t := time.NewTimer(4 * lull)
	defer t.Stop()
	select {
	case again := <-h.conns:
		again.p.hangUp()
		return errors.New("the box came back at once")
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled waits until the box waits for none of ids.
func (p *peer) settled(b *Box, ids ...string) error {
	for range StepLimit / lull {
		open := 0
		for _, id := range ids {
			if b.Waiting(id) {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		if err := p.quiet(lull); err != nil {
			return err
		}
	}
	return errors.New("an answer was not taken in")
}
