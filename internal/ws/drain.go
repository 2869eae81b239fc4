package ws

import "context"

// Drained returns when nothing of Send is waiting any more: for a producer that has much to send and would rather go at
// the peer's pace than be cut off with ErrBehind. ErrClosed when the connection ends first, or ctx's error.
func (w *Conn) Drained(ctx context.Context) error {
	w.mu.Lock()
	if w.closing != nil || w.ended != nil || w.failed != nil {
		w.mu.Unlock()
		return ErrClosed
	}
	if w.out == nil || len(w.out.queue) == 0 {
		w.mu.Unlock()
		return nil
	}
	if w.empty == nil {
		w.empty = make(chan struct{})
	}
	empty := w.empty
	w.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-w.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// emptied lets those go who wait in Drained; w.mu is held.
func (w *Conn) emptied() {
	if w.empty != nil {
		close(w.empty)
		w.empty = nil
	}
}
