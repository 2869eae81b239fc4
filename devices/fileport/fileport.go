// Package fileport is a character device of the kernel as a devices.Port: /dev/usb/lpN, /dev/hidrawN, /dev/input/eventN.
// It knows how such a node is opened, claimed, read and lost, and nothing of what is said on it.
//
// A read of a hidraw node is one report, a read of an event node is whole events; a buffer that is too small for them
// loses the rest, so give at least 4096 bytes.
package fileport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices"
)

// Kind of a node: what opening and claiming it takes.
type Kind string

// Kinds.
const (
	Printer Kind = "lp"     // of usblp: the kernel itself lets one program in
	HID     Kind = "hidraw" // reports of a HID device
	Event   Kind = "event"  // keys of a keyboard that is none: grabbed, so that they reach no window
)

// Options of a node. The zero value is 2 s for a write.
type Options struct {
	WriteLimit time.Duration // for the device to take some bytes, as many as it likes
	Shared     bool          // keys are read beside the windows that get them too, and not grabbed
}

const writeLimit = 2 * time.Second

// Port is an open node.
type Port struct {
	path  string
	kind  Kind
	node  node
	limit time.Duration
	once  sync.Once
	err   error
}

// node is the file of an open node: polled by the runtime, or unpolled.
type node interface {
	io.ReadCloser                                         // Read reads at least one byte
	control(f func(fd uintptr) error) error               // runs f on the descriptor
	put(b []byte, limit time.Duration) (n int, err error) // writes what the device takes within the limit; n may have left
}

// Open opens and claims a node. Errors wrap devices.ErrAbsent (no such node), devices.ErrPerson (no permission, another
// program holds it, not a node of that kind) or neither.
func Open(ctx context.Context, path string, kind Kind, o Options) (*Port, error) {
	flags := os.O_RDWR
	switch kind {
	case Event:
		flags = os.O_RDONLY // grabbing needs no more
	case Printer, HID:
	default:
		return nil, fmt.Errorf("open %s: %q is no kind of node: %w", path, kind, devices.ErrPerson)
	}
	p := &Port{path: path, kind: kind, limit: o.WriteLimit}
	var err error
	if kind == Printer {
		p.node, err = openUnpolled(path)
	} else {
		p.node, err = openPolled(path, flags)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, sorted(err))
	}
	if p.limit <= 0 {
		p.limit = writeLimit
	}
	if err := p.claim(ctx, o.Shared); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return p, nil
}

// claim keeps others out as far as the kernel lets it: programs that look at the lock for every kind, everybody by the
// kernel's own rule for a printer, and by the grab for keys. Nothing keeps a second reader off a hidraw node.
func (p *Port) claim(ctx context.Context, shared bool) error {
	var st unix.Stat_t
	if err := p.node.control(func(fd uintptr) error { return unix.Fstat(int(fd), &st) }); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return fmt.Errorf("not a character device: %w", devices.ErrPerson)
	}
	if err := p.node.control(func(fd uintptr) error { return unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		return fmt.Errorf("%w: %w", devices.ErrHeld, devices.ErrPerson)
	}
	switch {
	case p.kind != Event:
		return nil
	case shared:
		return stamps(p.ioctl)
	}
	return grab(ctx, p.ioctl)
}

// sorted puts an error of opening into the words of the contract.
func sorted(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: %w", devices.ErrAbsent, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", devices.ErrPerson, err)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("%w: %w: %w", devices.ErrHeld, devices.ErrPerson, err)
	}
	return err
}

// lost puts an error of a line that was open into the words of the contract: a pulled event node or printer says ENODEV, a
// pulled hidraw node and a hung-up terminal EIO. A printer says EIO for a stall too, and is then still there.
func (p *Port) lost(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("it was unplugged: %w: %w", devices.ErrAbsent, err)
	case errors.Is(err, unix.EIO):
		if _, e := os.Stat(p.path); p.kind != Printer || errors.Is(e, fs.ErrNotExist) {
			return fmt.Errorf("it was unplugged: %w: %w", devices.ErrAbsent, err)
		}
	}
	return err
}

// String is the node's path.
func (p *Port) String() string { return p.path }
