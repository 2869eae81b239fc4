package wiretest

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

func (s *Server) noProtocol(ctx context.Context) error {
	_, resp, err := dialRaw(ctx, s.URL, http.Header{"Sec-Websocket-Protocol": {"till.v999"}})
	if err != nil {
		return err
	}
	if resp.status != http.StatusUpgradeRequired || !strings.Contains(resp.header.Get("Sec-WebSocket-Protocol"), wire.Protocol) {
		return fmt.Errorf("answered HTTP %d with list %q, want 426 with %s", resp.status, resp.header.Get("Sec-WebSocket-Protocol"), wire.Protocol)
	}
	return nil
}

func (s *Server) browser(ctx context.Context) error {
	_, resp, err := dialRaw(ctx, s.URL, http.Header{"Sec-Websocket-Protocol": {wire.Protocol}, "Origin": {"https://shop.example"}})
	if err != nil {
		return err
	}
	if resp.status != http.StatusForbidden {
		return fmt.Errorf("answered HTTP %d, want 403", resp.status)
	}
	return nil
}

func (s *Server) handshake(ctx context.Context) error {
	p, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer p.hangUp()
	c, err := p.challenge()
	if err != nil {
		return err
	}
	nonce, err := base64.StdEncoding.DecodeString(c.Nonce)
	if err != nil || len(nonce) < 32 || c.Protocol != wire.Protocol || c.Host == "" || !strings.Contains(s.URL, c.Host) {
		return errors.New("the challenge lacks 32 bytes of nonce, our protocol, or the host as dialled")
	}
	o := s.hello(s.boot())
	o.Sign(c, s.Key)
	if err := p.call(wire.SessionID, wire.SessionOpen, o); err != nil {
		return err
	}
	m, err := p.next()
	if err != nil {
		return err
	}
	var a wire.Session
	if m.ID != wire.SessionID || m.Result == nil || wire.Into(m.Result, &a) != nil {
		return errors.New("session.open was not accepted")
	}
	if a.Epoch < 1 || a.HeartbeatMS < 1 || a.BusyMS < 1 || a.BusyMS > a.HeartbeatMS || a.Window < 1 || a.Session == "" {
		return errors.New("the session lacks epoch, heartbeats, window or its id")
	}
	if (a.Resume == "snapshot") != (a.Snapshot != nil) || (a.Resume != "ok" && a.Resume != "snapshot") {
		return fmt.Errorf("resume is %q, snapshot there: %v", a.Resume, a.Snapshot != nil)
	}
	if _, err := time.Parse(time.RFC3339, a.Now); err != nil {
		return errors.New("now is no RFC 3339 time")
	}
	if a.Snapshot != nil {
		s.seen = a.Snapshot.Seq
		return p.gather(a.Snapshot)
	}
	return nil
}

// denied opens with o as changed by f and wants 4401.
func (s *Server) denied(ctx context.Context, f func(c *wire.Challenge, o *wire.Open) ed25519.PrivateKey) error {
	p, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer p.hangUp()
	c, err := p.challenge()
	if err != nil {
		return err
	}
	o := s.hello(s.boot())
	key := f(&c, &o)
	o.Sign(c, key)
	if err := p.call(wire.SessionID, wire.SessionOpen, o); err != nil {
		return err
	}
	m, err := p.next()
	if err != nil {
		return err
	}
	return errors.Join(refusedWith(m, wire.NoAuth), p.closes(wire.CloseAuth))
}

func (s *Server) wrongKey(ctx context.Context) error {
	return s.denied(ctx, func(*wire.Challenge, *wire.Open) ed25519.PrivateKey {
		return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	})
}

func (s *Server) unknownTerminal(ctx context.Context) error {
	return s.denied(ctx, func(_ *wire.Challenge, o *wire.Open) ed25519.PrivateKey {
		o.Terminal = "nobody-" + s.boot()
		return s.Key
	})
}

func (s *Server) otherHost(ctx context.Context) error {
	return s.denied(ctx, func(c *wire.Challenge, _ *wire.Open) ed25519.PrivateKey {
		c.Host = "evil.example"
		return s.Key
	})
}

func (s *Server) firstFrame(ctx context.Context) error {
	p, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer p.hangUp()
	id, c := s.create()
	if err := p.call(id, wire.BillCreate, c); err != nil {
		return err
	}
	return p.closes(wire.CloseBadFrame)
}

func (s *Server) unknownMethod(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		if err := p.call("x:dance", "bill.dance", wire.Get{Payment: "x"}); err != nil {
			return err
		}
		m, err := s.answer(p, "x:dance", nil)
		if err != nil {
			return err
		}
		if m.Problem == nil || m.Problem.Code != wire.CodeUnknownMethod {
			return errors.New("an unknown method was not answered with -32601")
		}
		return s.alive(p)
	})
}

// alive makes a bill to see that the line still works.
func (s *Server) alive(p *peer) error {
	id, c := s.create()
	if err := p.call(id, wire.BillCreate, c); err != nil {
		return err
	}
	m, err := s.answer(p, id, nil)
	if err != nil {
		return err
	}
	r, err := outcome(m)
	if err == nil && r.Outcome != payment.OutCreated {
		err = fmt.Errorf("bill.create gave %q", r.Outcome)
	}
	return err
}

func (s *Server) unknownHint(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		return errors.Join(p.text(`{"jsonrpc":"2.0","method":"hint.of_the_future","params":{"any":[1,2]}}`), s.alive(p))
	})
}

func (s *Server) fragments(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		hint := []byte(`{"jsonrpc":"2.0","method":"hint.busy","params":{"open":0}}`)
		err := errors.Join(p.frame(opText, hint[:10], true), p.frame(0x80|opPing, []byte("between"), true),
			p.frame(0, hint[10:20], true), p.frame(0x80, hint[20:], true))
		return errors.Join(err, s.alive(p))
	})
}

func (s *Server) ping(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		if err := p.frame(0x80|opPing, []byte("till"), true); err != nil {
			return err
		}
		_ = p.SetReadDeadline(time.Now().Add(StepLimit))
		for {
			var h [2]byte
			if _, err := io.ReadFull(p.br, h[:]); err != nil {
				return fmt.Errorf("waiting for a pong: %w", err)
			}
			b, err := p.payload(h[1])
			if err != nil {
				return err
			}
			if h[0]&15 == opPong && string(b) == "till" {
				return nil
			}
		}
	})
}

func (s *Server) repeat(ctx context.Context) error {
	id, c := s.create()
	first := ""
	err := s.with(ctx, func(p *peer) error {
		if err := p.call(id, wire.BillCreate, c); err != nil {
			return err
		}
		m, err := s.answer(p, id, nil)
		first = m.ID
		return err
	})
	if err != nil || first == "" {
		return errors.Join(errors.New("the first send"), err)
	}
	return s.with(ctx, func(p *peer) error { // the answer was lost with the socket
		for range 3 {
			if err := p.call(id, wire.BillCreate, c); err != nil {
				return err
			}
			m, err := s.answer(p, id, nil)
			if err != nil {
				return err
			}
			r, err := outcome(m)
			if err != nil {
				return err
			}
			if r.Outcome != payment.OutCreated || r.Bill == nil || r.Bill.Payment != c.Payment {
				return fmt.Errorf("a repeat gave %q", r.Outcome)
			}
		}
		return nil
	})
}

func (s *Server) keyReused(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		id, c := s.create()
		for i := range 2 {
			if err := p.call(id, wire.BillCreate, c); err != nil {
				return err
			}
			m, err := s.answer(p, id, nil)
			if err != nil {
				return err
			}
			if i == 1 {
				return refusedWith(m, "key_reused")
			}
			c.Amount.Value++
		}
		return nil
	})
}

func (s *Server) serial(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		id, c := s.create()
		ids := []string{id}
		if err := p.call(id, wire.BillCreate, c); err != nil {
			return err
		}
		for i := range 10 {
			ids = append(ids, fmt.Sprintf("%s:get:%d", c.Payment, i))
			if err := p.call(ids[i+1], wire.BillGet, wire.Get{Payment: c.Payment}); err != nil {
				return err
			}
		}
		for _, id := range ids { // answer fails on another order; unknown_bill would show a get that overtook the create
			m, err := s.answer(p, id, nil)
			if err != nil {
				return err
			}
			if _, err := outcome(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) resume(ctx context.Context) error {
	id, c := s.create()
	var seq int64
	err := s.with(ctx, func(p *peer) error {
		if err := p.call(id, wire.BillCreate, c); err != nil {
			return err
		}
		// The answer and the event come in either order, behind events of cases before this one.
		answered := false
		for !answered || seq == 0 {
			m, err := p.next()
			if err != nil {
				return fmt.Errorf("waiting for an answer and an event: %w", err)
			}
			if m.IsAnswer() {
				answered = true
				continue
			}
			e, of, err := s.news(m)
			if err != nil {
				return err
			}
			if of == c.Payment {
				seq = e.Seq
			}
		}
		return nil // nothing was acknowledged
	})
	if err != nil {
		return err
	}
	s.seen = seq - 1 // as if the commit had been lost
	return s.with(ctx, func(p *peer) error {
		e, err := s.eventOf(p, c.Payment)
		if err != nil {
			return fmt.Errorf("after the first reconnect: %w", err)
		}
		if e.Seq != seq {
			return fmt.Errorf("event %d came again as %d", seq, e.Seq)
		}
		return errors.Join(p.note(wire.EventAck, wire.Ack{Seq: e.Seq}), s.alive(p)) // take refuses it if it came twice
	})
}

func (s *Server) wildAck(ctx context.Context) error {
	return s.with(ctx, func(p *peer) error {
		return errors.Join(p.note(wire.EventAck, wire.Ack{Seq: s.seen + 1_000_000}), p.closes(wire.CloseBadFrame))
	})
}

func (s *Server) superseded(ctx context.Context) error {
	boot := s.boot()
	old, a, err := s.open(ctx, boot)
	if err != nil {
		return err
	}
	defer old.hangUp()
	young, b, err := s.open(ctx, boot)
	if err != nil {
		return err
	}
	defer young.hangUp()
	if b.Epoch <= a.Epoch {
		return fmt.Errorf("epoch %d after %d", b.Epoch, a.Epoch)
	}
	if err := old.closes(wire.CloseSuperseded); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, old.br) // until the server has ended it: that must not take the new session with it
	return s.alive(young)
}

func (s *Server) clone(ctx context.Context) error {
	one, two := s.boot(), s.boot()
	a, _, err := s.open(ctx, one)
	if err != nil {
		return err
	}
	defer a.hangUp()
	b, _, err := s.open(ctx, two)
	if err != nil {
		return err
	}
	defer b.hangUp()
	if err := a.closes(wire.CloseSuperseded); err != nil {
		return err
	}
	again, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer again.hangUp()
	c, err := again.challenge()
	if err != nil {
		return err
	}
	o := s.hello(one)
	o.Sign(c, s.Key)
	if err := again.call(wire.SessionID, wire.SessionOpen, o); err != nil {
		return err
	}
	m, err := again.next()
	if err != nil {
		return err
	}
	return errors.Join(refusedWith(m, wire.NoClone), again.closes(wire.CloseClone), s.alive(b))
}

// as opens a session as a program of that name and gives the answer to session.open.
func (s *Server) as(ctx context.Context, app string) (*peer, wire.Message, error) {
	p, err := s.dial(ctx)
	if err != nil {
		return nil, wire.Message{}, err
	}
	c, err := p.challenge()
	if err != nil {
		return nil, wire.Message{}, errors.Join(err, p.Close())
	}
	o := s.hello(s.boot())
	o.App = app
	o.Sign(c, s.Key)
	if err := p.call(wire.SessionID, wire.SessionOpen, o); err != nil {
		return nil, wire.Message{}, errors.Join(err, p.Close())
	}
	m, err := p.next()
	if err != nil {
		return nil, m, errors.Join(err, p.Close())
	}
	return p, m, nil
}

// tooOld: what is below min_app is told so, with the version that is wanted, and closed; min_app itself is let in.
func (s *Server) tooOld(ctx context.Context) error {
	p, m, err := s.as(ctx, s.Old)
	if err != nil {
		return err
	}
	defer p.hangUp()
	if err := errors.Join(refusedWith(m, wire.NoOldProgram), p.closes(wire.CloseVersion)); err != nil {
		return err
	}
	least := m.Problem.Data.Why
	if !wire.TooOld(s.Old, least) {
		return fmt.Errorf("%s was turned away, %q is wanted", s.Old, least)
	}
	q, a, err := s.open(ctx, s.boot())
	if err != nil {
		return err
	}
	q.hangUp()
	if a.MinApp != least {
		return fmt.Errorf("min_app is %q, and %q was wanted", a.MinApp, least)
	}
	return s.letIn(ctx, wire.Program+"/"+least)
}

func (s *Server) noVersion(ctx context.Context) error {
	for _, app := range []string{wire.Program + "/unknown", wire.Program + "/81ea968-dirty", wire.Program, "", "wiretest/0"} {
		if err := s.letIn(ctx, app); err != nil {
			return fmt.Errorf("%q: %w", app, err)
		}
	}
	return nil
}

func (s *Server) letIn(ctx context.Context, app string) error {
	p, m, err := s.as(ctx, app)
	if err != nil {
		return err
	}
	defer p.hangUp()
	if m.Result == nil {
		return fmt.Errorf("not let in: %w", m.Problem)
	}
	return nil
}
