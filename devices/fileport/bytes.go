package fileport

import (
	"errors"
	"fmt"
	"os"

	"tilld/devices"
)

// Read reads what is there: one report, some events, or at least one byte.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.node.Read(b)
	if err != nil {
		err = fmt.Errorf("read %s: %w", p.path, p.lost(err))
	}
	return n, err
}

// Write writes all of b. It goes on for as long as the device takes bytes, however slowly; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that the kernel was given. With any other error, too, the count is
// what may have left: a printer that was given a byte may print it.
func (p *Port) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := p.node.put(b[done:], p.limit)
		done += n
		slow := n > 0 && errors.Is(err, os.ErrDeadlineExceeded) // but it moves
		if err != nil && !slow {
			return done, p.unwritten(err)
		}
	}
	return done, nil
}

func (p *Port) unwritten(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("write to %s: %w", p.path, devices.ErrStalled)
	}
	return fmt.Errorf("write to %s: %w", p.path, p.lost(err))
}

// Close ends a blocked Read and Write, and gives a grabbed keyboard back. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = p.node.Close() })
	return p.err
}
