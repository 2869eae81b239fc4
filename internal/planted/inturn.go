package planted

import (
	"net"
	"time"
)

// InTurn is a bug of whoever serves many lines: one writes at a time, and one whose other end reads nothing holds up the rest.
// What it answers wraps the server's end of each.
func InTurn() func(net.Conn) net.Conn {
	turn := make(chan struct{}, 1) // a lock on which a bubble's time goes by
	return func(c net.Conn) net.Conn { return inTurn{c, turn} }
}

type inTurn struct {
	net.Conn
	turn chan struct{}
}

// Write waits for its turn, not so long that its own time is over.
func (c inTurn) Write(b []byte) (int, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-time.After(time.Second):
	}
	return c.Conn.Write(b)
}
