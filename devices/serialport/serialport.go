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
	"sync/atomic"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"tilld/devices"
)

// Options of a line. Zero values are 9600 baud, 8 data bits, no parity, 1 stop bit, no flow control, 2 s for a write.
type Options struct {
	Baud       int
	DataBits   int
	Parity     string // none even odd
	StopBits   int    // 1 or 2
	Flow       string // none rts-cts xon-xoff
	WriteLimit time.Duration
}

// Port is an open serial line.
type Port struct {
	path    string
	f       *os.File
	mode    serial.Port
	limit   time.Duration
	wired   bool
	rts     bool        // there is such a wire, and it is ours
	writing atomic.Bool // bytes may be left that the far end does not take
	once    sync.Once
	err     error
}

// Open opens path, locks it against other programs and sets its mode. Errors wrap devices.ErrAbsent (no such line),
// devices.ErrPerson (no permission, another program holds it, or a mode that no line has) or neither, as of a line that this
// program is still closing.
func Open(ctx context.Context, path string, o Options) (*Port, error) {
	m, err := mode(o)
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", path, err)
	}
	if err := closed(ctx, path); err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open serial line %s: %w", path, sorted(err))
	}
	if err := lock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open serial line %s: %w: %w", path, devices.ErrHeld, devices.ErrPerson)
	}
	s, err := openMode(f, path, m)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("set the mode of serial line %s: %w", path, sorted(err))
	}
	if err := setRest(f, path, o); err != nil {
		_ = errors.Join(f.Close(), s.Close())
		return nil, fmt.Errorf("set the mode of serial line %s: %w", path, sorted(err))
	}
	wired := Wired(path)
	p := &Port{path: path, f: f, mode: s, limit: o.WriteLimit, wired: wired, rts: wired && o.Flow != RTSCTS}
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
	case "", NoParity:
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
	switch o.Flow {
	case "", NoFlow, RTSCTS, XONXOFF:
	default:
		return nil, fmt.Errorf("flow control must be %s, %s or %s: %w", NoFlow, RTSCTS, XONXOFF, devices.ErrPerson)
	}
	return m, nil
}

func sorted(err error) error {
	var pe *serial.PortError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	case errors.Is(err, unix.EBUSY), errors.As(err, &pe) && pe.Code() == serial.PortBusy:
		return fmt.Errorf("%w: %w: %w", devices.ErrHeld, devices.ErrPerson, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOTTY):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &pe) && (pe.Code() == serial.PermissionDenied ||
		pe.Code() == serial.InvalidSerialPort || pe.Code() == serial.InvalidSpeed || pe.Code() == serial.InvalidDataBits ||
		pe.Code() == serial.InvalidParity || pe.Code() == serial.InvalidStopBits):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.As(err, &pe) && pe.Code() == serial.PortNotFound:
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	}
	return err
}

// Read reads what is there, at least one byte.
func (p *Port) Read(b []byte) (int, error) {
	n, err := p.f.Read(b)
	if n > 0 || len(b) == 0 {
		return n, nil // an error comes again with the next call
	}
	if err == nil {
		err = errors.New("hang-up")
	}
	return 0, fmt.Errorf("read serial line %s: %w", p.path, err)
}

// Write writes all of b. It goes on for as long as the line takes bytes, however slow it is; when it takes none within the
// limit, the answer is devices.ErrStalled and the count that left.
func (p *Port) Write(b []byte) (int, error) {
	p.writing.Store(true)
	done := 0
	for done < len(b) {
		if err := p.f.SetWriteDeadline(time.Now().Add(p.limit)); err != nil {
			return done, fmt.Errorf("write to serial line %s: %w", p.path, err)
		}
		n, err := p.f.Write(b[done:])
		done += n
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n > 0: // slow, but it moves
		case errors.Is(err, os.ErrDeadlineExceeded):
			return done, fmt.Errorf("write to serial line %s: %w", p.path, devices.ErrStalled)
		case err != nil:
			return done, fmt.Errorf("write to serial line %s: %w", p.path, err)
		case n == 0:
			return done, fmt.Errorf("write to serial line %s: only %d of %d bytes left", p.path, done, len(b))
		}
	}
	p.writing.Store(false)
	return done, nil
}

// Wired says whether it is a wire, whose far end may be set to another speed: then all that is said there is read as junk.
func (p *Port) Wired() bool { return p.wired }

// LowerRTS lowers the wire RTS, which the kernel raises at open. The error wraps errors.ErrUnsupported where there is no such
// wire, or the line's flow control has it.
func (p *Port) LowerRTS() error {
	err := errors.ErrUnsupported
	if p.rts {
		err = lowerRTS(p.f)
	}
	if err != nil {
		return fmt.Errorf("lower RTS of serial line %s: %w", p.path, err)
	}
	return nil
}

// Close ends a blocked Read and Write, and returns within about a second. Further calls answer the same. What a whole Write
// handed over goes on its way for as long as the device takes it, behind Close too; then the line can be opened again.
func (p *Port) Close() error {
	p.once.Do(func() { p.err = closeLine(p.f, p.mode, p.writing.Load()) })
	return p.err
}

// String is the line's path.
func (p *Port) String() string { return p.path }
