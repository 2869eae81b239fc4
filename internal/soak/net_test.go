package soak_test

import (
	"context"
	"net"
	"sync"
	"time"

	"tilld/internal/pipes"
)

// network is one in memory that can be cut: that ends every connection and lets nobody in until it is mended.
type network struct {
	*pipes.Net

	mu   sync.Mutex
	cut  bool
	open map[*connection]struct{}
}

func newNetwork() *network {
	n := &network{Net: pipes.New(), open: map[*connection]struct{}{}}
	n.Far = pipes.Local
	return n
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	cut := n.cut
	n.mu.Unlock()
	if cut {
		return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
	}
	near, err := n.Dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: near, of: n}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[c] = struct{}{}
	return c, nil
}

// cutFor ends every connection and refuses new ones for so long.
func (n *network) cutFor(d time.Duration) {
	n.mu.Lock()
	n.cut = true
	for c := range n.open {
		_ = c.Conn.Close()
	}
	n.mu.Unlock()
	time.Sleep(d)
	n.mu.Lock()
	n.cut = false
	n.mu.Unlock()
}

type connection struct {
	net.Conn
	of *network
}

// Close ends the connection and forgets it.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
