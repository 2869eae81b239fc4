// Package cable is a TCP line that somebody can cut, or leave hanging so that it looks whole and carries nothing; and a Line
// that knows the frames of a box and its integrator, so that one of them can meet a fault. Neither knows what a frame means.
package cable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// State of a cable.
type State string

// States.
const (
	Whole  State = "whole"
	Cut    State = "cut"    // connections are reset, and none comes through
	Silent State = "silent" // connections stay open and carry nothing, until it is whole again
)

// dialLimit is how long the far end may take to answer a call.
const dialLimit = 5 * time.Second

// Cable carries connections from its own address to another. Make it with Lay.
type Cable struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	state State
	flow  chan struct{} // closed while bytes may pass
	conns map[net.Conn]bool
}

// Lay makes a whole cable from a free loopback port to the address to. It carries nothing before Serve.
func Lay(ctx context.Context, to string) (*Cable, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lay a cable to %s: %w", to, err)
	}
	flow := make(chan struct{})
	close(flow)
	return &Cable{ln: ln, to: to, state: Whole, flow: flow, conns: map[net.Conn]bool{}}, nil
}

// Addr is the near end: whoever dials it reaches the far one.
func (c *Cable) Addr() string { return c.ln.Addr().String() }

// State is what has been done to it.
func (c *Cable) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Set cuts, silences or mends it.
func (c *Cable) Set(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == c.state {
		return
	}
	if c.state == Silent {
		close(c.flow)
	}
	if c.state = s; s == Silent {
		c.flow = make(chan struct{})
	}
	if s == Cut {
		for conn := range c.conns {
			reset(conn)
		}
	}
}

// Serve carries until ctx ends, which is a normal end; then everything is closed.
func (c *Cable) Serve(ctx context.Context) error {
	var carriers sync.WaitGroup
	defer carriers.Wait()
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	for {
		near, err := c.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cable to %s: %w", c.to, err)
		}
		if !c.keep(near) {
			reset(near)
			continue
		}
		carriers.Go(func() { c.carry(ctx, near) })
	}
}

// Close ends Serve.
func (c *Cable) Close() {
	_ = c.ln.Close()
	c.Set(Cut)
}

// carry joins one connection to the far end until either side ends.
func (c *Cable) carry(ctx context.Context, near net.Conn) {
	defer c.drop(near)
	if !c.passes(ctx) {
		return
	}
	far, err := (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", c.to)
	if err != nil {
		return // nobody is there: as without a cable, the caller is hung up on
	}
	if !c.keep(far) {
		reset(far)
		return
	}
	defer c.drop(far)
	var back sync.WaitGroup
	back.Go(func() { c.pump(ctx, near, far) })
	c.pump(ctx, far, near)
	back.Wait()
}

// pump copies one direction. Its end closes both, so that the other direction ends too.
func (c *Cable) pump(ctx context.Context, to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if !c.passes(ctx) {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// passes waits while the cable is silent; no means that it was cut or that ctx has ended.
func (c *Cable) passes(ctx context.Context) bool {
	for {
		c.mu.Lock()
		state, flow := c.state, c.flow
		c.mu.Unlock()
		if state != Silent {
			return state == Whole
		}
		select {
		case <-ctx.Done():
			return false
		case <-flow:
		}
	}
}

// keep notes a connection, so that a cut finds it; no means that the cable is cut.
func (c *Cable) keep(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Cut {
		return false
	}
	c.conns[conn] = true
	return true
}

func (c *Cable) drop(conn net.Conn) {
	c.mu.Lock()
	delete(c.conns, conn)
	c.mu.Unlock()
	_ = conn.Close()
}

// reset closes a connection without a farewell.
func reset(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}
