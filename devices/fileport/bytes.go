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
	read := p.f.Read
	if p.kind == Printer {
		read = p.lp.Read
	}
	n, err := read(b)
	if err != nil {
		err = fmt.Errorf("read %s: %w", p.path, p.lost(err))
	}
	return n, err
}

// Write writes all of b. It goes on for as long as the device takes bytes, however slowly; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that the kernel was given. With any other error, too, the count is
// what may have left: a printer that was given a byte may print it.
func (p *Port) Write(b []byte) (int, error) {
	put, done := p.put, 0
	if p.kind == Printer {
		put = p.transfer
	}
	for done < len(b) {
		n, err := put(b[done:], time.Now().Add(p.limit))
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

// put writes what the device takes until then, all of b where it can.
func (p *Port) put(b []byte, until time.Time) (int, error) {
	if err := p.f.SetWriteDeadline(until); err != nil {
		return 0, err
	}
	return p.f.Write(b)
}

// Close ends a blocked Read and Write, and gives a grabbed keyboard back. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() {
		if p.kind == Printer {
			p.err = p.lp.Close()
		} else {
			p.err = p.f.Close()
		}
	})
	return p.err
}
