package terminal

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"tilld/internal/wire"
)

// Drain lets nobody new in, tells every terminal, and closes them with 1012 spread over Config.Spread, so that they do
// not fall upon the next server together. It returns when all are gone, or when ctx ends: then sockets are closed
// without a frame. Afterwards nothing of the Server runs.
func (s *Server) Drain(ctx context.Context) error {
	defer s.unheed()
	s.mu.Lock()
	s.draining = true
	all := make([]*session, 0, len(s.conns))
	for x := range s.conns {
		if x.conn != nil { // else inside its upgrade: it finds draining set
			all = append(all, x)
		}
	}
	s.mu.Unlock()
	var closing sync.WaitGroup
	for i, x := range all {
		after := s.cfg.Spread * time.Duration(i) / time.Duration(len(all))
		closing.Go(func() { x.drain(ctx, after, s.cfg.Jitter) })
	}
	closing.Wait()
	gone := make(chan struct{})
	go func() { s.wg.Wait(); close(gone) }()
	select {
	case <-gone:
		s.stop()
		return nil
	case <-ctx.Done():
	}
	s.stop()
	s.mu.Lock()
	for x := range s.conns {
		if x.conn != nil {
			x.conn.Kill()
		}
	}
	s.mu.Unlock()
	<-gone
	return ctx.Err()
}

// drain says when, waits for it, and closes.
func (x *session) drain(ctx context.Context, after, jitter time.Duration) {
	if p, err := wire.EncodeNote(wire.HintDrain, wire.Drain{AfterMS: after.Milliseconds(), JitterMS: rand.Int64N(jitter.Milliseconds() + 1)}); err == nil {
		x.conn.Latest(wire.HintDrain, p)
	}
	t := time.NewTimer(after)
	defer t.Stop()
	select {
	case <-t.C:
	case <-x.conn.Done():
	case <-ctx.Done():
	}
	x.conn.Close(wire.CloseRestart, "restart")
}
