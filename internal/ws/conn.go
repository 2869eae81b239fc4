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
	pinger  *time.Timer   // tick, after each beat
	queue   []frame
	held    [2]int // frames of each class in queue
	bytes   int    // in queue
	latest  map[string][]byte
	order   []string // keys of latest, oldest first
	pong    []byte   // payload of the newest ping not answered
	ponging bool
	beat    time.Duration
	ping    bool          // one is due
	closing *CloseError   // asked for, by us
	broken  bool          // the peer broke a limit: what still comes is thrown away
	failed  error         // why writing ended, if it failed
	ended   error         // why Receive ended
	readEnd chan struct{} // closed when Receive has ended; nil while no farewell waits for it
	empty   chan struct{} // closed when queue runs empty; nil while nobody waits in Drained
}

type frame struct {
	class Class
	data  []byte
}

func start(c *websocket.Conn, o Options) *Conn {
	w := &Conn{c: c, limit: cmp.Or(o.MaxFrame, int64(MaxFrame)), beat: cmp.Or(o.Beat, Idle)}
	c.SetReadLimit(w.limit)
	c.SetPingHandler(func(s string) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.setDeadline()
		w.pong, w.ponging = []byte(s), true // newest wins, as RFC 6455 5.5.3 allows: a flood of pings costs one pong
		w.nudge()
		return nil
	})
	c.SetPongHandler(func(string) error { w.touch(); return nil })
	c.SetCloseHandler(func(int, string) error { return nil }) // the writer answers
	w.mu.Lock()                                               // tick may come at once
	defer w.mu.Unlock()
	w.setDeadline()
	w.pinger = time.AfterFunc(w.beat, w.tick)
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
	limit := MaxEvents
	if class == Call {
		limit = MaxCalls
	}
	if w.held[class] >= limit || w.bytes+len(data) > MaxQueued {
		w.drop()
		w.closing = &CloseError{Code: closeBehind, Reason: "behind", Local: true}
		return ErrBehind
	}
	w.queue = append(w.queue, frame{class, data})
	w.held[class]++
	w.bytes += len(data)
	return nil
}

// Latest queues a text frame of which only the newest of its key matters: one that has not left yet is replaced. It
// leaves when nothing of Send is waiting. With MaxLatest keys waiting, a new key is dropped.
func (w *Conn) Latest(key string, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, waiting := w.latest[key]
	if w.closing != nil || w.ended != nil || int64(len(data)) > w.limit || (!waiting && len(w.order) >= MaxLatest) {
		return
	}
	if w.latest == nil {
		w.latest = map[string][]byte{}
	}
	if !waiting {
		w.order = append(w.order, key)
	}
	w.latest[key] = data
	w.nudge()
}

// Beat changes how often we ping, and with it when a silent peer counts as dead (Dead). A ping leaves at once.
func (w *Conn) Beat(every time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if every <= 0 || every == w.beat || w.closing != nil || w.over {
		return
	}
	w.beat, w.ping = every, true
	w.pinger.Reset(every)
	w.setDeadline()
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
	if w.closing == nil {
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
	w.mu.Lock()
	ended := w.ended
	w.setDeadline()
	w.mu.Unlock()
	if ended != nil {
		return nil, ended
	}
	kind, p, err := w.c.ReadMessage()
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
	var ne net.Error
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closing != nil:
		err = w.closing
	case w.failed != nil:
		err = w.failed
	case errors.As(err, &ce):
		err = &CloseError{Code: ce.Code, Reason: ce.Text}
	case errors.As(err, &ne) && ne.Timeout():
		err = errors.New("peer was silent for too long")
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

// touch notes a sign of life.
func (w *Conn) touch() {
	w.mu.Lock()
	w.setDeadline()
	w.mu.Unlock()
}

// setDeadline moves the end of our patience; w.mu is held. Once we are closing only CloseGrace counts.
func (w *Conn) setDeadline() {
	if w.closing == nil && !w.broken {
		_ = w.c.SetReadDeadline(time.Now().Add(Dead(w.beat)))
	}
}

// drop empties the queues; w.mu is held.
func (w *Conn) drop() {
	w.queue, w.held, w.bytes, w.latest, w.order = nil, [2]int{}, 0, nil, nil
	w.emptied()
}
