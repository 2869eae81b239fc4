package ssi_test

import (
	"errors"
	"io"
	"sync"

	"tilld/scanner/scannertest"
)

// socket is where a scanner's cable ends. What the scanner says while nobody listens is lost, as on a line of the machine,
// or waits, as in a USB device.
type socket struct {
	keeps bool

	mu      sync.Mutex
	changed *sync.Cond
	host    io.ReadWriteCloser // nil: nobody listens
	waits   [][]byte
	over    bool
}

func newSocket(keeps bool) *socket {
	s := &socket{keeps: keeps}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// listen has a host listen from now on.
func (s *socket) listen(host io.ReadWriteCloser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = host
	for _, b := range s.waits {
		_, _ = host.Write(b)
	}
	s.waits = nil
	s.changed.Broadcast()
}

// Close is the end of the scanner.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.changed.Broadcast()
	return nil
}

// Write is what the scanner says; it cannot see whether anybody listens.
func (s *socket) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.host != nil {
		if _, err := s.host.Write(b); err == nil {
			return len(b), nil
		}
	}
	if s.keeps {
		s.waits = append(s.waits, append([]byte(nil), b...))
	}
	return len(b), nil
}

// Read is what the scanner hears, of whichever host listens.
func (s *socket) Read(b []byte) (int, error) {
	var gone io.ReadWriteCloser
	for {
		s.mu.Lock()
		for s.host == gone && !s.over {
			s.changed.Wait()
		}
		host, over := s.host, s.over
		s.mu.Unlock()
		if over {
			return 0, io.EOF
		}
		if n, err := host.Read(b); err == nil {
			return n, nil
		}
		gone = host
	}
}

var errKilled = errors.New("killed")

// mortal is a host's line that ends with the host: behind so many acknowledgements, of which the last still gets out.
type mortal struct {
	*scannertest.Wire
	left int
}

// Write is what the host says.
func (m *mortal) Write(b []byte) (int, error) {
	ack := len(b) > 1 && b[1] == 0xd0
	if ack && m.left == 0 {
		_ = m.Close()
		return 0, errKilled
	}
	n, err := m.Wire.Write(b)
	if ack {
		if m.left--; m.left == 0 {
			_ = m.Close()
		}
	}
	return n, err
}
