//go:build usbbench

package gadget_test

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/usbbench/gadget"
)

const nonblock = unix.O_NONBLOCK | unix.O_CLOEXEC

// slow is a printer that keeps a little of what is not read from it, and takes no more.
type slow struct {
	bulk *gadget.Bulk
	once sync.Once
	gone chan struct{}
}

func newSlow(b *gadget.Bulk) *slow {
	b.Reset()
	b.Room(4096)
	return &slow{bulk: b, gone: make(chan struct{})}
}

// Read takes what the host has to say.
func (s *slow) Read(b []byte) (int, error) {
	for {
		if n := s.bulk.Take(b); n > 0 {
			return n, nil
		}
		select {
		case <-s.gone:
			return 0, io.EOF
		case <-time.After(time.Millisecond):
		}
	}
}

// Write says something.
func (s *slow) Write(b []byte) (int, error) { s.bulk.Send(b); return len(b), nil }

// Close ends a Read.
func (s *slow) Close() error {
	s.once.Do(func() { close(s.gone) })
	return nil
}

// reportsBothWays is a device of its maker's own usage with reports of 64 bytes each way, without numbers.
var reportsBothWays = []byte{
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
	0x95, reportLength, 0x09, 0x01, 0x81, 0x02,
	0x95, reportLength, 0x09, 0x01, 0x91, 0x02, 0xc0,
}

const reportLength = 64

// packed carries bytes in reports: how many, then they.
type packed struct {
	line   io.ReadWriteCloser
	number []byte // that a report begins with where it is written

	mu   sync.Mutex // of Read
	rest []byte
}

// Write sends b in as many reports as it takes.
func (p *packed) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n := min(len(b)-done, reportLength-1)
		r := make([]byte, len(p.number)+reportLength)
		body := r[copy(r, p.number):]
		body[0] = byte(n)
		copy(body[1:], b[done:done+n])
		if k, err := p.line.Write(r); err != nil || k != len(r) {
			return done, fmt.Errorf("%d of %d bytes of a report, %w", k, len(r), err)
		}
		done += n
	}
	return len(b), nil
}

// Read gives what the reports carry.
func (p *packed) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.rest) == 0 {
		r := make([]byte, 4096)
		n, err := p.line.Read(r)
		if err != nil {
			return 0, err
		}
		if n != reportLength || int(r[0]) >= reportLength {
			return 0, fmt.Errorf("a report of %d bytes that counts %d", n, r[0])
		}
		p.rest = r[1 : 1+r[0]]
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// Close closes the line.
func (p *packed) Close() error { return p.line.Close() }

// String is the line's name.
func (p *packed) String() string { return fmt.Sprint(p.line) }
