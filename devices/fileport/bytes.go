package fileport

import (
	"errors"
	"fmt"
	"os"
	"time"

	"tilld/devices"
)

// Read reads what is there: one report, some events, or at least one byte.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.f.Read(b)
	if err != nil {
		err = fmt.Errorf("read %s: %w", p.path, p.lost(err))
	}
	return n, err
}

// Write writes all of b. It goes on for as long as the device takes bytes, however slowly; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that the kernel was given. With any other error, too, the count is
// what may have left: a printer that was given a byte may print it.
func (p *Port) Write(b []byte) (int, error) {
	put, done := p.f.Write, 0
	if p.kind == Printer {
		put = p.transfer
	}
	for done < len(b) {
		if err := p.f.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
			return done, fmt.Errorf("write to %s: %w", p.path, err)
		}
		n, err := put(b[done:])
		done += n
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n > 0: // slow, but it moves
		case errors.Is(err, os.ErrDeadlineExceeded):
			return done, fmt.Errorf("write to %s: %w", p.path, devices.ErrStalled)
		case err != nil:
			return done, fmt.Errorf("write to %s: %w", p.path, p.lost(err))
		}
	}
	if err := p.flushed(); err != nil {
		return done, fmt.Errorf("write to %s: %w", p.path, err)
	}
	return done, nil
}

// Close ends a blocked Read and Write, and gives a grabbed keyboard back. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = p.f.Close() })
	return p.err
}
