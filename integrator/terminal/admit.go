package terminal

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tilld/internal/wire"
	"tilld/internal/ws"
)

// OpenHeader is 1 in the upgrade of a terminal with an open payment, or with a call that was not answered: it is let in
// first. It is a wish, not a right: who lies about it competes with the liars.
const OpenHeader = "X-Till-Open"

// ForeignHost is the code of those who dial a name that Config.Hosts lacks: as a rule the shop's own boxes, by a name that nobody
// has put into the settings.
const ForeignHost = "host"

// ServeHTTP admits a terminal. Refusals come before the upgrade, cheapest first: 405, 426 with the list of what is
// spoken, 403 for a browser, 503 with Retry-After where the gate, the guard, the number of unopened connections or a drain says no.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		s.refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", "a terminal connects with GET")
		return
	case len(r.Header.Values("Origin")) > 0:
		s.refuse(w, http.StatusForbidden, "origin", "browsers are not let in here")
		return
	case !ws.IsUpgrade(r) || !slices.Contains(ws.Protocols(r), wire.Protocol):
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Protocol", wire.Protocol)
		s.refuse(w, http.StatusUpgradeRequired, "unsupported_version", "this server speaks "+wire.Protocol+" over WebSocket")
		return
	}
	x, wait := s.admit(r.Header.Get(NameHeader), r.Header.Get(OpenHeader) == "1")
	if x == nil {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		s.refuse(w, http.StatusServiceUnavailable, "overloaded", "come again after the time in Retry-After")
		return
	}
	c, err := ws.Upgrade(w, r, ws.Options{
		Protocols: []string{wire.Protocol}, MaxFrame: wire.MaxFrame, Beat: s.cfg.Heartbeat, Hosts: s.cfg.Hosts,
	})
	if err != nil {
		s.leave(x)
		code := "no_handshake"
		if errors.Is(err, ws.ErrHost) {
			code = ForeignHost
		}
		s.cfg.TurnedAway(code, "")
		s.cfg.Log.Debug("upgrade refused", "remote", r.RemoteAddr, "err", err)
		return
	}
	s.mu.Lock()
	x.conn = c
	if s.draining { // since admit: the drain did not see this connection
		c.Close(wire.CloseRestart, "restart")
	}
	s.mu.Unlock()
	go x.run(r.Host) // the handler returns, which frees its buffers: most of what an idle connection would cost
}

// admit takes a place for one connection, or says how long to stay away.
func (s *Server) admit(name string, open bool) (*session, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil, s.away(s.cfg.Spread)
	}
	if rest := s.resting(name); rest > 0 && !open {
		return nil, rest
	}
	if !open && s.gate.Tokens() < float64(s.cfg.Burst)/4 {
		return nil, s.away(0)
	}
	if s.pending >= s.cfg.Pending || !s.gate.Allow() {
		return nil, s.away(0)
	}
	x := &session{s: s}
	s.conns[x] = struct{}{}
	s.pending++
	x.pending = true
	s.wg.Add(1)
	return x, 0
}

// away is a Retry-After of whole seconds, at least one, spread over the jitter so that those turned away now do not
// come back together.
func (s *Server) away(atLeast time.Duration) time.Duration {
	n := int64((atLeast + s.cfg.Jitter) / time.Second)
	return atLeast.Truncate(time.Second) + time.Duration(1+rand.Int64N(max(n, 1)))*time.Second
}

// leave gives a place back.
func (s *Server) leave(x *session) {
	s.mu.Lock()
	delete(s.conns, x)
	s.opened(x)
	if s.newest[x.terminal] == x { // a newer session may hold the name by now: a late close must not remove it
		delete(s.newest, x.terminal)
		s.left[x.terminal] = time.Now()
	}
	s.mu.Unlock()
	s.wg.Done()
}

// opened ends x's time among the pending; s.mu is held.
func (s *Server) opened(x *session) {
	if x.pending {
		x.pending = false
		s.pending--
	}
}

// problem is a refusal over HTTP, as RFC 9457 has it.
type problem struct {
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Code      string   `json:"code"`
	Protocols []string `json:"protocols"`
}

func (s *Server) refuse(w http.ResponseWriter, status int, code, title string) {
	s.cfg.TurnedAway(code, "")
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{"about:blank", title, status, code, []string{wire.Protocol}})
}
