package ws

import (
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// nudge starts the writer unless it runs; w.mu is held. The writer leaves under the same lock and only with nothing to
// write, so whatever is queued has one.
func (w *Conn) nudge() {
	if !w.writing {
		w.writing = true
		go w.write()
	}
}

// tick pings when that is due and ends a connection whose peer has been silent for too long. One timer does both: a
// deadline on the socket would be moved with every frame, and on the reader's small stack. Once we are closing only
// CloseGrace counts.
func (w *Conn) tick() {
	if w.silent() {
		_ = w.c.Close() // Receive fails and says why
	}
}

// silent sees to the ping and the next tick, unless the peer is dead.
func (w *Conn) silent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || w.closing != nil || w.broken {
		return false
	}
	now := time.Now()
	next := w.beat - now.Sub(w.pinged)
	if next < -w.beat { // we did not run ourselves: what the peer has said meanwhile is not read yet
		w.heard = now
	}
	if next <= 0 {
		w.ping, w.pinged, next = true, now, w.beat
		w.nudge()
	}
	if w.waiting {
		left := Dead(w.beat) - now.Sub(w.heard)
		if left <= 0 {
			w.failed = ErrSilent
			return true
		}
		next = min(next, left)
	}
	w.clock.Reset(next)
	return false
}

// write is the connection's only writer. It ends when nothing is left to write, or for good: the peer is gone, a write
// failed, or a close was asked for and sent. Then it closes the socket.
func (w *Conn) write() {
	for again := true; again; {
		var err error
		if again, err = w.step(); err != nil {
			w.shut(err)
			return // Receive fails on the closed socket and says why
		}
	}
}

// shut closes the socket; a failed write is kept as the cause of the end.
func (w *Conn) shut(err error) {
	w.mu.Lock()
	if w.ended == nil && w.closing == nil && w.failed == nil {
		w.failed = fmt.Errorf("write to the peer: %w", err)
	}
	w.mu.Unlock()
	_ = w.c.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.clock.Stop()
	if w.done != nil {
		close(w.done)
	}
}

// step writes the next thing that waits; again is false when nothing does, and then the writer has left.
func (w *Conn) step() (again bool, err error) {
	w.mu.Lock()
	switch {
	case w.ended != nil:
		e := w.ended
		w.mu.Unlock()
		if ce := (*CloseError)(nil); errors.As(e, &ce) && !ce.Local {
			_ = w.control(websocket.CloseMessage, closeBody(ce.Code, ""))
		}
		return false, e
	case w.ponging && w.closing == nil: // a flood of pings must not put off our end
		p := w.pong
		w.pong, w.ponging = nil, false
		w.mu.Unlock()
		return true, w.control(websocket.PongMessage, p)
	case w.ping && w.closing == nil:
		w.ping = false
		w.mu.Unlock()
		return true, w.control(websocket.PingMessage, nil)
	case w.out != nil:
		p, last := w.out.pop()
		if len(w.out.queue) == 0 {
			w.emptied()
		}
		if last {
			w.out = nil
		}
		w.mu.Unlock()
		return true, w.text(p)
	case w.closing != nil:
		ce := w.closing
		_ = w.c.SetReadDeadline(time.Now().Add(CloseGrace))
		w.readEnd = make(chan struct{})
		w.mu.Unlock()
		return false, w.farewell(ce)
	}
	w.writing = false
	w.mu.Unlock()
	return false, nil
}

// farewell sends our close frame and waits for the peer's, so that the frame is not lost in a reset.
func (w *Conn) farewell(ce *CloseError) error {
	if err := w.control(websocket.CloseMessage, closeBody(ce.Code, ce.Reason)); err != nil {
		return err
	}
	t := time.NewTimer(CloseGrace)
	defer t.Stop()
	select {
	case <-w.readEnd:
	case <-t.C:
	}
	return ce
}

// closeBody is the payload of a close frame; codes that may not be sent become an empty one.
func closeBody(code int, reason string) []byte {
	if code == websocket.CloseAbnormalClosure || code == websocket.CloseTLSHandshake {
		code = websocket.CloseNoStatusReceived
	}
	return websocket.FormatCloseMessage(code, reason)
}

func (w *Conn) text(p []byte) error {
	_ = w.c.SetWriteDeadline(time.Now().Add(WriteLimit))
	return w.c.WriteMessage(websocket.TextMessage, p)
}

func (w *Conn) control(kind int, p []byte) error {
	return w.c.WriteControl(kind, p, time.Now().Add(WriteLimit))
}
