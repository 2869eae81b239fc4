package terminal

import (
	"errors"
	"time"
)

// NameHeader is the terminal's name in its upgrade, so that one that comes too often can be told so before any work. It
// proves nothing: what it is held against are the sessions that this terminal has opened with its key.
const NameHeader = "X-Till-Terminal"

// errOften: the terminal has opened too many sessions, with no payment open.
var errOften = errors.New("too many sessions without a payment")

// guardWindow is how long it takes until a terminal that has used up its PerHour sessions has all of them again. They come
// back one by one: a shop whose line has flapped sells nothing while its box is kept away, so that is never for long.
const guardWindow = time.Hour

// each is after how long one more session may be opened, and so the longest rest that the guard asks for.
func (s *Server) each() time.Duration { return guardWindow / time.Duration(s.cfg.PerHour) }

// resting is how long a terminal still has to stay away, 0 for one that may come; s.mu is held.
func (s *Server) resting(name string) time.Duration {
	return max(0, time.Until(s.whole[name].Add(s.each()-guardWindow)))
}

// visit counts a session that its terminal has proved to be its own, or says errOften. One with an open payment is let in
// and not counted: somebody stands there.
func (s *Server) visit(name string, open bool) error {
	if open {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resting(name) > 0 {
		return errOften
	}
	whole := s.whole[name]
	if now := time.Now(); whole.Before(now) {
		whole = now
	}
	s.whole[name] = whole.Add(s.each())
	return nil
}
