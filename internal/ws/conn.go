package ws

import (
	"cmp"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Conn is one WebSocket. Send, Latest, Beat and Close may be called by anybody at any time and never block; Receive has
// one caller. Done is closed when the socket is closed and the writer has ended. While nothing is to be written a Conn
// has no goroutine of its own.
type Conn struct {
	c     *websocket.Conn
	limit int64

	mu      sync.Mutex
	writing bool          // a writer runs, or has closed the socket for good: nobody starts another
	over    bool          // it has closed the socket
	done    chan struct{} // closed when over; nil while nobody has asked
	out     *backlog      // nil while nothing of Send or Latest waits
	pong    []byte        // payload of the newest ping not answered
	ponging bool
	ping    bool // one is due
	beat    time.Duration
	clock   *time.Timer // tick, after each beat and when the peer may be dead
	pinged  time.Time   // when the last ping was due
	heard   time.Time   // the last sign of life, or since when Receive waits for one
	waiting bool        // Receive does
	each    func(p []byte, err error) (more bool)
	closing *CloseError   // asked for, by us
	broken  bool          // the peer broke a limit: what still comes is thrown away
	failed  error         // why writing ended, if it failed
	ended   error         // why Receive ended
	readEnd chan struct{} // closed when Receive has ended; nil while no farewell waits for it
	empty   chan struct{} // closed when nothing of Send waits; nil while nobody waits in Drained
}

func start(c *websocket.Conn, o Options) *Conn {
	w := &Conn{c: c, limit: cmp.Or(o.MaxFrame, int64(MaxFrame)), beat: cmp.Or(o.Beat, Idle)}
	c.SetReadLimit(w.limit)
	c.SetPingHandler(func(s string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard = time.Now()
		w.pong, w.ponging = []byte(s), true // newest wins, as RFC 6455 5.5.3 allows: a flood of pings costs one pong
		w.nudge()
		return nil
	})
	c.SetPongHandler(func(string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard = time.Now()
		return nil
	})
	c.SetCloseHandler(func(int, string) error { return nil }) // the writer answers
	w.mu.Lock()                                               // tick may come at once
	defer w.mu.Unlock()
	w.pinged = time.Now()
	w.clock = time.AfterFunc(w.beat, w.tick)
	return w
}

// Protocol is the subprotocol that was agreed on, "" for none.
func (w *Conn) Protocol() string { return w.c.Subprotocol() }

// RemoteAddr is the peer's address.
func (w *Conn) RemoteAddr() net.Addr { return w.c.RemoteAddr() }

// Done is closed when the socket is closed and nothing of the connection runs any more but the caller's own Receive.
func (w *Conn) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done == nil {
		w.done = make(chan struct{})
		if w.over {
			close(w.done)
		}
	}
	return w.done
}

// Send queues a text frame; data must not be changed afterwards. ErrBehind: the queue was full, everything waiting has
// been dropped and the peer gets close 4429: it comes back and asks for what it lacks.
func (w *Conn) Send(class Class, data []byte) error {
	if int64(len(data)) > w.limit {
		return ErrTooBig
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing != nil || w.ended != nil {
		return ErrClosed
	}
	defer w.nudge()
	if !w.backlog().push(class, data) {
		w.drop()
		w.closing = &CloseError{Code: closeBehind, Reason: "behind", Local: true}
		return ErrBehind
	}
	return nil
}

// Latest queues a text frame of which only the newest of its key matters: one that has not left yet is replaced. It
// leaves when nothing of Send is waiting. With MaxLatest keys waiting, a new key is dropped. False: the frame is larger than
// the limit, and was dropped; what became of the connection, Receive says.
func (w *Conn) Latest(key string, data []byte) bool {
	if int64(len(data)) > w.limit {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing != nil || w.ended != nil {
		return true
	}
	w.backlog().replace(key, data)
	w.nudge()
	return true
}

// Beat changes how often we ping, and with it when a silent peer counts as dead (Dead). A ping leaves at once.
func (w *Conn) Beat(every time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if every <= 0 || every == w.beat || w.closing != nil || w.over {
		return
	}
	w.beat, w.ping = every, true
	w.pinged = time.Now()
	w.heard = w.pinged
	w.clock.Reset(every)
	w.nudge()
}

// Close asks for an end: what is queued leaves, then the close frame, then the socket closes. The first call counts.
// Watch Done for the end; it comes within WriteLimit for each frame still waiting and CloseGrace.
func (w *Conn) Close(code int, reason string) {
	if len(reason) > maxReason {
		reason = reason[:maxReason]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closing == nil && w.failed == nil { // a line that has failed is no end of ours
		w.closing = &CloseError{Code: code, Reason: reason, Local: true}
	}
	w.nudge()
}

// Kill closes the socket now, without a frame.
func (w *Conn) Kill() {
	w.mu.Lock()
	if w.closing == nil {
		w.closing = &CloseError{Code: websocket.CloseAbnormalClosure, Local: true}
	}
	w.drop()
	w.mu.Unlock()
	_ = w.c.Close() // without the lock: over TLS it may take seconds
	w.mu.Lock()
	w.nudge()
	w.mu.Unlock()
}

// Receive waits for the next frame. Any frame, control frames too, counts as life; silence ends the connection. After an
// error other than ErrNotText it gives the same error again: a *CloseError where a close frame, theirs or ours, was the
// cause. The slice belongs to the caller.
func (w *Conn) Receive() ([]byte, error) {
	if err := w.wait(); err != nil {
		return nil, err
	}
	return w.take(w.c.NextReader())
}

// Each gives every frame to do, as Receive would, until do returns false: for a connection that is idle most of its life.
// do runs on a goroutine that ends with it, and the next frame is waited for by a new one: work makes a stack several
// times as large as waiting needs, and it would not shrink back. Each returns at once; do may call Receive.
func (w *Conn) Each(do func(p []byte, err error) (more bool)) {
	w.mu.Lock()
	w.each = do
	w.mu.Unlock()
	w.next()
}

func (w *Conn) next() {
	if err := w.wait(); err != nil {
		w.each(nil, err)
		return
	}
	go w.listen()
}

// listen waits for a frame and does nothing else itself, so that what it calls has room in the least stack there is.
func (w *Conn) listen() { w.hand(w.c.NextReader()) }

func (w *Conn) hand(kind int, r io.Reader, err error) {
	if w.each(w.take(kind, r, err)) {
		w.next()
	}
}

func (w *Conn) wait() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = w.ended == nil
	w.heard = time.Now() // before that we did not listen
	return w.ended
}

// take reads the frame that has begun.
func (w *Conn) take(kind int, r io.Reader, err error) ([]byte, error) {
	var p []byte
	if err == nil {
		p, err = io.ReadAll(r)
	}
	w.mu.Lock()
	w.waiting = false
	w.mu.Unlock()
	if err != nil {
		w.linger(err)
		return nil, w.end(err)
	}
	if kind != websocket.TextMessage || !utf8.Valid(p) {
		return nil, ErrNotText
	}
	return p, nil
}

// end keeps the first cause and has the writer close the socket.
func (w *Conn) end(err error) error {
	var ce *websocket.CloseError
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closing != nil:
		err = w.closing
	case w.failed != nil:
		err = w.failed
	case errors.As(err, &ce):
		err = &CloseError{Code: ce.Code, Reason: ce.Text}
	}
	w.ended = err
	w.drop()
	if w.readEnd != nil {
		close(w.readEnd)
	}
	w.nudge()
	return err
}

// linger takes what is still on its way after a frame that broke a limit or RFC 6455: the library has sent its close
// frame, and closing a socket with bytes unread resets it, which would take that frame with it.
func (w *Conn) linger(err error) {
	var ce *websocket.CloseError
	var ne net.Error
	if errors.As(err, &ce) || errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return
	}
	w.mu.Lock()
	w.broken = true
	_ = w.c.SetReadDeadline(time.Now().Add(CloseGrace))
	w.mu.Unlock()
	_, _ = io.CopyN(io.Discard, w.c.NetConn(), MaxQueued)
}

// backlog is what waits; w.mu is held.
func (w *Conn) backlog() *backlog {
	if w.out == nil {
		w.out = &backlog{}
	}
	return w.out
}

// drop forgets what waits; w.mu is held.
func (w *Conn) drop() {
	w.out = nil
	w.emptied()
}
