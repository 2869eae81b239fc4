package fileport

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

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
// limit, the answer is devices.ErrStalled and the count that the kernel was given.
func (p *Port) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		if err := p.f.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
			return done, fmt.Errorf("write to %s: %w", p.path, err)
		}
		n, err := p.f.Write(b[done:])
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

// flushed waits until the printer has taken what usblp still holds: without waiting, the kernel answers a write before the
// transfer has begun, and drops it at Close.
func (p *Port) flushed() error {
	if p.kind != Printer {
		return nil
	}
	if err := p.f.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
		return err
	}
	c, err := p.f.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	err = c.Write(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, pe := unix.Poll(fds, 0)
		switch {
		case pe != nil && !errors.Is(pe, unix.EINTR):
			e = pe
		case n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
			e = p.lost(unix.ENODEV)
		case n == 0 || fds[0].Revents&unix.POLLOUT == 0:
			return false
		}
		return true
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return devices.ErrStalled
	case err != nil:
		return err
	}
	return e
}

// Close ends a blocked Read and Write, and gives a grabbed keyboard back. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = p.f.Close() })
	return p.err
}
