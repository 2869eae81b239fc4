// Package ws is the only door to gorilla/websocket: it opens WebSockets, carries text frames over them and keeps them
// alive. It refuses to know what the frames say, never compresses, never blocks a producer and never reads without a
// limit.
//
// What it does about that library's edges: one writer at a time for each connection (a second concurrent one panics),
// there while something is to be written and no longer, a read limit (the default is none), small read buffers and write
// buffers from a shared pool, deadlines on every write and every wait for a frame, Origin refused unless the caller allows
// it (the default accepts a request without Origin and compares with Host alone), one error kept after the first (reading
// on after an error panics in the end).
package ws

import (
	"errors"
	"fmt"
	"time"
)

// Limits, each with a name. MaxFrame and Idle are the defaults of Options.
const (
	MaxFrame       = 64 << 10         // bytes of one message, either way
	Idle           = 25 * time.Second // between pings
	WriteLimit     = 10 * time.Second // for one frame to leave
	HandshakeLimit = 10 * time.Second // for the upgrade, from dial to 101
	CloseGrace     = time.Second      // for the peer's close frame once ours has left
	MaxQueued      = 1 << 20          // bytes waiting for one peer
	MaxEvents      = 256              // frames of class Event waiting for one peer
	MaxCalls       = 64               // frames of class Call waiting for one peer
	MaxLatest      = 32               // keys of Latest waiting for one peer
)

const (
	readBuffer  = 512     // of each connection; a longer frame costs another system call
	writeBuffer = 1 << 10 // shared by all
	closeBehind = 4429
	maxReason   = 123 // bytes that a close frame has room for
)

// Dead is how long a connection may stay silent before it counts as dead: two pings missed and two seconds more, 12 s
// at 5 s, 52 s at 25 s.
func Dead(every time.Duration) time.Duration { return 2*every + 2*time.Second }

// Class says which of two bounds a frame counts against, so that a burst of one kind cannot crowd out the other. Frames
// leave in the order of their sending whatever their class.
type Class uint8

// Event is for what is stored and can be sent again; Call for calls and their answers.
const (
	Event Class = iota
	Call
)

// Errors of a connection.
var (
	// ErrBehind: the peer reads too slowly; the queue was dropped and the connection is being closed with 4429.
	ErrBehind = errors.New("peer is too far behind")
	// ErrNotText: the frame was binary or no UTF-8. The connection is still open: the caller closes with its own code.
	ErrNotText = errors.New("frame is not UTF-8 text")
	// ErrTooBig: a frame to be sent is larger than the limit of this connection.
	ErrTooBig = errors.New("frame is larger than the limit")
	// ErrClosed: Close was called before.
	ErrClosed = errors.New("connection is closed")
	// ErrSilent: not even a pong came within two heartbeats and a rest.
	ErrSilent = errors.New("peer was silent for too long")
)

// CloseError is how a connection ended: by a close frame, the peer's or (Local) ours.
type CloseError struct {
	Code   int
	Reason string // the peer's own words when not Local: never shown to people as ours
	Local  bool
}

// Error names the code.
func (e *CloseError) Error() string {
	who := "by the peer"
	if e.Local {
		who = "by us"
	}
	if e.Reason == "" {
		return fmt.Sprintf("connection closed %s with %d", who, e.Code)
	}
	return fmt.Sprintf("connection closed %s with %d: %s", who, e.Code, e.Reason)
}

// HandshakeError is an upgrade that the server answered with something else than 101.
type HandshakeError struct {
	Status     int           // HTTP status
	RetryAfter time.Duration // 0 if the server did not say
	Protocols  []string      // Sec-WebSocket-Protocol of the answer: what the server would speak
}

// Error names the status.
func (e *HandshakeError) Error() string { return fmt.Sprintf("upgrade refused with HTTP %d", e.Status) }
