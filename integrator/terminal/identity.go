package terminal

import (
	"context"
	"errors"
	"slices"
	"time"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// authenticate knows the box by its signature over our challenge, a clone by its boot, and a program that is too old by
// what it says of itself.
func (x *session) authenticate(ctx context.Context, c wire.Challenge, o wire.Open) error {
	key, err := x.s.office.Key(ctx, o.Terminal)
	if err != nil && !errors.Is(err, ErrBlocked) {
		return err
	}
	if !o.Verify(c, key) {
		return ErrUnknown // the same answer: nobody learns which terminals exist
	}
	if err != nil {
		x.log().Warn("blocked terminal turned away", "terminal", o.Terminal)
		return err
	}
	if x.s.cloned(o.Terminal, o.Boot) {
		x.log().Error("two boxes use one terminal's identity: pair one of them anew, then restart the one that was turned away", "terminal", o.Terminal, "boot", o.Boot)
		return errClone
	}
	if wire.TooOld(o.App, x.s.cfg.MinApp) {
		if time.Now().Before(x.s.cfg.OldUntil) {
			x.log().Warn("terminal let in for now: its program is too old", "terminal", o.Terminal, "app", o.App, "min_app", x.s.cfg.MinApp, "until", x.s.cfg.OldUntil)
			return nil
		}
		x.log().Warn("terminal turned away: its program is too old", "terminal", o.Terminal, "app", o.App, "min_app", x.s.cfg.MinApp)
		return errTooOld
	}
	return nil
}

var (
	errClone  = errors.New("a boot that was superseded has come back")
	errTooOld = errors.New("the program is older than any that is served")
)

// deny answers session.open with a problem and gives the refusal that closes the connection.
func (x *session) deny(err error) error {
	r, code, message, why := &refusal{wire.CloseOverload, "overloaded"}, wire.NoBusy, "the server cannot open a session now", ""
	switch {
	case errors.Is(err, ErrUnknown):
		r, code, message = &refusal{wire.CloseAuth, "not authorized"}, wire.NoAuth, "the terminal is not known by this name and key"
	case errors.Is(err, ErrBlocked):
		r, code, message = &refusal{wire.CloseBlocked, "blocked"}, wire.NoBlocked, "the terminal is blocked"
	case errors.Is(err, errOften):
		x.log().Warn("terminal comes too often and is told to rest", "terminal", x.terminal)
	case errors.Is(err, errClone):
		r, code, message = &refusal{wire.CloseClone, "clone suspected"}, wire.NoClone, "another box uses this terminal's identity"
	case errors.Is(err, errTooOld):
		r, code, message = &refusal{wire.CloseVersion, "program too old"}, wire.NoOldProgram, "the terminal's program is older than any that is served"
		why = x.s.cfg.MinApp
	default:
		x.log().Error("opening a session failed", "terminal", x.terminal, "err", err)
	}
	no := wire.Refuse(code, message)
	no.Data.Why = why
	if p, err := wire.EncodeProblem(wire.SessionID, no); err == nil {
		_ = x.conn.Send(ws.Call, p) // leaves before the close frame
	}
	return r
}

// supersede makes x the newest session of its terminal and closes the one before it. The higher epoch wins whatever the
// order in which two handshakes end.
func (s *Server) supersede(x *session) error {
	s.mu.Lock()
	s.opened(x)
	old := s.newest[x.terminal]
	if s.draining || (old != nil && old.epoch >= x.epoch) {
		draining := s.draining
		s.mu.Unlock()
		if draining {
			return &refusal{wire.CloseRestart, "restart"}
		}
		return &refusal{wire.CloseSuperseded, "superseded"}
	}
	s.newest[x.terminal] = x
	if old != nil && old.boot != x.boot {
		s.remember(x.terminal, old.boot)
	}
	s.mu.Unlock()
	if old != nil {
		old.stop()
		old.conn.Close(wire.CloseSuperseded, "superseded")
	}
	return nil
}

// Cut ends the session of a terminal that was blocked.
func (s *Server) Cut(terminal string) {
	s.mu.Lock()
	x := s.newest[terminal]
	s.mu.Unlock()
	if x != nil {
		x.stop()
		x.conn.Close(wire.CloseBlocked, "blocked")
	}
}

// history is the boots of one terminal whose living connection was taken over by another boot.
type history struct {
	boots []string // oldest first, at most cloneBoots
	until time.Time
}

// remember notes a superseded boot and forgets the terminals whose time is over; s.mu is held. A boot id is made at each
// start, so one that was superseded by another while its connection lived never comes back, unless two boxes run.
func (s *Server) remember(terminal, boot string) {
	now := time.Now()
	for name, h := range s.boots {
		if now.After(h.until) {
			delete(s.boots, name)
		}
	}
	h := s.boots[terminal]
	if h == nil {
		h = &history{}
		s.boots[terminal] = h
	}
	h.until = now.Add(cloneMemory)
	if h.boots = append(h.boots, boot); len(h.boots) > cloneBoots {
		h.boots = h.boots[1:]
	}
}

// cloned says that boot was superseded by another one while it was connected.
func (s *Server) cloned(terminal, boot string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.boots[terminal]
	return h != nil && time.Now().Before(h.until) && slices.Contains(h.boots, boot)
}
