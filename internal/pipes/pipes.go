// Package pipes is a network in memory, so that both ends of connections live in one bubble of time (testing/synctest). For
// tests alone.
package pipes

import (
	"context"
	"net"
	"sync"
)

// Net is a listener and the way to it. Its connections hold nothing: a write is over when the other end has read.
type Net struct {
	// Far, if it is set before the first call, makes the listener's end of each connection.
	Far func(net.Conn) net.Conn

	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// New is a network in the bubble of time of whoever calls.
func New() *Net { return &Net{conns: make(chan net.Conn), done: make(chan struct{})} }

// Accept waits for the next caller; net.ErrClosed after Close.
func (n *Net) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener, not the connections; it may be called again.
func (n *Net) Close() error { n.once.Do(func() { close(n.done) }); return nil }

// Addr is on this machine, as far as anybody can see.
func (n *Net) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7474} }

// Dial waits until the listener takes the call; net.ErrClosed after Close. Network and address do not matter.
func (n *Net) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	if n.Far != nil {
		far = n.Far(far)
	}
	select {
	case n.conns <- far:
		return near, nil
	case <-n.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Local is a Far that has every caller come from this machine.
func Local(c net.Conn) net.Conn { return local{c} }

type local struct{ net.Conn }

// RemoteAddr is a loopback address.
func (local) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
