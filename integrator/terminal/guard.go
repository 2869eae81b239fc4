package terminal

import (
	"errors"
	"time"
)

// NameHeader is the terminal's name in its upgrade, so that one that comes too often can be told so before any work. It
// proves nothing: what it is held against are the sessions that this terminal has opened with its key.
const NameHeader = "X-Till-Terminal"

// errOften: the terminal has opened too many sessions this hour, with no payment open.
var errOften = errors.New("too many sessions within an hour")

// guardWindow is how far back the guard looks, and so the longest rest it asks for.
const guardWindow = time.Hour

// resting is how long a terminal still has to stay away, 0 for one that may come; s.mu is held.
func (s *Server) resting(name string) time.Duration {
	came := s.came[name]
	if len(came) < s.cfg.PerHour {
		return 0
	}
	return max(0, time.Until(came[len(came)-s.cfg.PerHour].Add(guardWindow)))
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
	came := append(s.came[name], time.Now())
	s.came[name] = came[max(0, len(came)-s.cfg.PerHour):]
	return nil
}
