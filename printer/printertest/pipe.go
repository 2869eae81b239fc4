package printertest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"tilld/devices"
)

// Pipe is a line in memory and its far end. It holds nothing: a byte has left when it has been read. It works inside a
// test bubble, where time passes by itself.
func Pipe(limit time.Duration) (devices.Port, io.ReadWriteCloser) {
	near, far := net.Pipe()
	return &pipe{near, limit}, far
}

type pipe struct {
	net.Conn
	limit time.Duration
}

// Write writes within the limit.
func (p *pipe) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
		return 0, fmt.Errorf("write to pipe: %w", err)
	}
	n, err := p.Conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("write to pipe: %w", devices.ErrStalled)
	}
	return n, err
}

// String names the line.
func (*pipe) String() string { return "pipe" }

// Record is a line that keeps what is written to it.
func Record(p devices.Port, to io.Writer) devices.Port { return recorded{p, to} }

type recorded struct {
	devices.Port
	to io.Writer
}

// Write keeps what has left.
func (r recorded) Write(b []byte) (int, error) {
	n, err := r.Port.Write(b)
	_, _ = r.to.Write(b[:n])
	return n, err
}
