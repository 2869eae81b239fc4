// Package serialport is a serial line as a devices.Port. It is the only package that knows go.bug.st/serial, which sets
// the line's mode; all bytes go through a file of our own, because that library's Write can neither be ended nor limited
// and, after Close, reaches whatever file took its number.
package serialport

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"tilld/devices"
)

// Options of a line. Zero values are 9600 baud, 8 data bits, no parity, 1 stop bit, 2 s for a write.
type Options struct {
	Baud       int
	DataBits   int
	Parity     string // none even odd
	StopBits   int    // 1 or 2
	WriteLimit time.Duration
}

// Port is an open serial line.
type Port struct {
	path  string
	f     *os.File
	mode  serial.Port
	limit time.Duration
	once  sync.Once
	err   error
}

// Open opens path, locks it against other programs and sets its mode. Errors wrap devices.ErrAbsent (no such line),
// devices.ErrPerson (no permission, or another program holds it) or neither.
func Open(_ context.Context, path string, o Options) (*Port, error) {
	m, err := mode(o)
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", path, sorted(err))
	}
	if err := lock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open serial line %s: another program holds it: %w", path, devices.ErrPerson)
	}
	s, err := serial.Open(path, m)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("set the mode of serial line %s: %w", path, sorted(err))
	}
	p := &Port{path: path, f: f, mode: s, limit: o.WriteLimit}
	if p.limit <= 0 {
		p.limit = 2 * time.Second
	}
	return p, nil
}

func mode(o Options) (*serial.Mode, error) {
	m := &serial.Mode{BaudRate: o.Baud, DataBits: o.DataBits}
	if m.BaudRate == 0 {
		m.BaudRate = 9600
	}
	if m.DataBits == 0 {
		m.DataBits = 8
	}
	switch o.Parity {
	case "", "none":
	case "even":
		m.Parity = serial.EvenParity
	case "odd":
		m.Parity = serial.OddParity
	default:
		return nil, fmt.Errorf("parity must be none, even or odd: %w", devices.ErrPerson)
	}
	switch o.StopBits {
	case 0, 1:
	case 2:
		m.StopBits = serial.TwoStopBits
	default:
		return nil, fmt.Errorf("stop bits must be 1 or 2: %w", devices.ErrPerson)
	}
	return m, nil
}

// lock: flock keeps out programs that look for it; TIOCEXCL, set by the serial library too, keeps out the rest but root.
func lock(f *os.File) error {
	c, err := f.SyscallConn() // never f.Fd(): it would turn the file blocking
	if err != nil {
		return err
	}
	var e error
	if err := c.Control(func(fd uintptr) { e = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		return err
	}
	return e
}

func sorted(err error) error {
	var pe *serial.PortError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &pe) && (pe.Code() == serial.PortBusy || pe.Code() == serial.PermissionDenied):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &pe) && pe.Code() == serial.PortNotFound:
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	}
	return err
}

// Read reads what is there, at least one byte.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.f.Read(b)
	if n == 0 && err == nil {
		return 0, fmt.Errorf("read serial line %s: hang-up", p.path)
	}
	if err != nil {
		err = fmt.Errorf("read serial line %s: %w", p.path, err)
	}
	return n, err
}

// Write writes all of b within the line's limit.
func (p *Port) Write(b []byte) (int, error) {
	if err := p.f.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
		return 0, fmt.Errorf("write to serial line %s: %w", p.path, err)
	}
	n, err := p.f.Write(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("write to serial line %s: %w", p.path, devices.ErrStalled)
	case err != nil:
		err = fmt.Errorf("write to serial line %s: %w", p.path, err)
	case n < len(b):
		err = fmt.Errorf("write to serial line %s: only %d of %d bytes left", p.path, n, len(b))
	}
	return n, err
}

// Close ends a blocked Read and Write. Further calls answer the same.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = errors.Join(p.f.Close(), p.mode.Close()) })
	return p.err
}

// String is the line's path.
func (p *Port) String() string { return p.path }
