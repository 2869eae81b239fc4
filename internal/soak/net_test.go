package soak_test

import (
	"context"
	"net"
	"sync"
	"time"
)

// pipes is a network in memory, so that a shop, its integrator and its bank live in one bubble of time. Cutting it ends
// every connection and lets nobody in until it is mended.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once

	mu   sync.Mutex
	cut  bool
	open map[*pipe]struct{}
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), done: make(chan struct{}), open: map[*pipe]struct{}{}}
}

// Accept waits for the next caller.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener.
func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

// Addr is on this machine, as far as anybody can see.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7474} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	cut := p.cut
	p.mu.Unlock()
	if cut {
		return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
	}
	near, far := net.Pipe()
	c := &pipe{Conn: near, of: p}
	select {
	case p.conns <- local{far}:
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = struct{}{}
	return c, nil
}

// cutFor ends every connection and refuses new ones for so long.
func (p *pipes) cutFor(d time.Duration) {
	p.mu.Lock()
	p.cut = true
	for c := range p.open {
		_ = c.Conn.Close()
	}
	p.mu.Unlock()
	time.Sleep(d)
	p.mu.Lock()
	p.cut = false
	p.mu.Unlock()
}

type pipe struct {
	net.Conn
	of *pipes
}

// Close ends the connection and forgets it.
func (c *pipe) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// local is a connection that says it comes from this machine.
type local struct{ net.Conn }

// RemoteAddr is a loopback address.
func (local) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
