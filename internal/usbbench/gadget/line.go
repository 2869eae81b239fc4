package gadget

import (
	"io"
)

// Serve hands the endpoints to whoever plays the device, as a line that begins with the first byte behind each plug and
// ends with the cable. What serve does not read the host cannot get rid of.
func (b *Bulk) Serve(serve func(io.ReadWriteCloser) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serve = serve
}

// line is the device's end, from one plug to the next pull.
type line struct {
	b *Bulk
	r *io.PipeReader
	w *io.PipeWriter
}

// dial is the line of this plug; nil where nobody serves. The lock is held.
func (b *Bulk) dial() *line {
	if b.line == nil && b.serve != nil {
		r, w := io.Pipe()
		b.line = &line{b, r, w}
		go func(l *line, serve func(io.ReadWriteCloser) error) { _ = serve(l) }(b.line, b.serve)
	}
	return b.line
}

// hangUp ends the line, and forgets what was to be said over it.
func (b *Bulk) hangUp() {
	b.mu.Lock()
	l := b.line
	b.line = nil
	if l != nil {
		b.send = nil
	}
	b.mu.Unlock()
	if l != nil {
		_ = l.w.Close()
	}
}

// Read is what the host has sent.
func (l *line) Read(p []byte) (int, error) { return l.r.Read(p) }

// Write says something to the host, which hears it when it next reads.
func (l *line) Write(p []byte) (int, error) {
	l.b.mu.Lock()
	defer l.b.mu.Unlock()
	if l.b.line != l {
		return 0, io.ErrClosedPipe
	}
	l.b.send = append(l.b.send, append([]byte(nil), p...))
	l.b.change.Broadcast()
	return len(p), nil
}

// Close is the device hanging up.
func (l *line) Close() error { return l.r.Close() }
