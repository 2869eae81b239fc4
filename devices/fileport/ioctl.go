package fileport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tilld/devices"
)

// Requests, as asm-generic/ioctl.h puts them together on every machine that this runs on: direction, size, letter, number.
// LPGETSTATUS (linux/lp.h) is older than that rule; LPIOC_GET_DEVICE_ID is in the kernel's usblp.c alone.
const (
	write, read     = 1, 2
	lpGetStatus     = 0x060b
	keyBytes        = 96 // of a bit for each key code: KEY_MAX is 0x2ff
	descriptorBytes = 4096
	idBytes         = 1024
)

func ioc(dir, letter, number, size uintptr) uintptr {
	return dir<<30 | size<<16 | letter<<8 | number
}

func lpGetDeviceID() uintptr { return ioc(read, 'P', 1, idBytes) }
func hidDescSize() uintptr   { return ioc(read, 'H', 1, 4) }
func hidDesc() uintptr       { return ioc(read, 'H', 2, 4+descriptorBytes) }
func evSetClock() uintptr    { return ioc(write, 'E', 0xa0, 4) }
func evKeysHeld() uintptr    { return ioc(read, 'E', 0x18, keyBytes) }
func evGrab() uintptr        { return ioc(write, 'E', 0x90, 4) }
func evMask() uintptr        { return ioc(write, 'E', 0x93, 16) }

// caller makes one request; arg is what arg points to, or a plain number.
type caller func(request uintptr, arg unsafe.Pointer, number uintptr) error

func (p *Port) ioctl(request uintptr, arg unsafe.Pointer, number uintptr) error {
	return p.node.control(func(fd uintptr) error {
		var e unix.Errno
		if arg != nil {
			_, _, e = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(arg))
		} else {
			_, _, e = unix.Syscall(unix.SYS_IOCTL, fd, request, number)
		}
		if e != 0 {
			return e
		}
		return nil
	})
}

// How long a key that is held may delay the grab: if the grab came first, the window that has the key down would never
// see it go up.
const (
	heldFor  = 2 * time.Second
	heldLook = 10 * time.Millisecond
)

// stamps has the keys stamped by the monotonic clock, and says whether it is an input device at all.
func stamps(call caller) error {
	clock := int32(unix.CLOCK_MONOTONIC)
	if err := call(evSetClock(), unsafe.Pointer(&clock), 0); err != nil {
		if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("not an input device: %w: %w", devices.ErrPerson, err)
		}
		return fmt.Errorf("choose the clock of its stamps: %w", err)
	}
	return nil
}

// misc is the type of the events that tell a key's number on its device (EV_MSC).
const misc = 4

// noCodes is a bit for each code of a type, in whole words of the kernel's.
var noCodes [8]byte

// keysAlone has the kernel leave out, of what it keeps for us, what nobody reads: the number on the device that stands before
// each key. It keeps 64 events for a reader that is late and drops what is beyond, and a third or more of them would be
// such numbers. A kernel before 4.4 cannot leave them out, and all else works without.
func keysAlone(call caller) error {
	m := struct {
		kind, size uint32
		codes      uint64
	}{misc, uint32(len(noCodes)), uint64(uintptr(unsafe.Pointer(&noCodes)))}
	err := call(evMask(), unsafe.Pointer(&m), 0)
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

// grab takes the keys for us alone.
func grab(ctx context.Context, call caller) error {
	if err := stamps(call); err != nil {
		return err
	}
	if err := keysAlone(call); err != nil {
		return fmt.Errorf("say which events are wanted: %w", err)
	}
	for end := time.Now().Add(heldFor); ; {
		var held [keyBytes]byte
		if err := call(evKeysHeld(), unsafe.Pointer(&held), 0); err != nil {
			return fmt.Errorf("ask which keys are held: %w", err)
		}
		if bytes.Equal(held[:], make([]byte, keyBytes)) {
			break
		}
		if time.Now().After(end) {
			return errors.New("a key of it is held down: it is taken when the key is up")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(heldLook):
		}
	}
	err := call(evGrab(), nil, 1)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("%w, and has grabbed its keys: %w: %w", devices.ErrHeld, devices.ErrPerson, err)
	}
	return err
}

// ReportDescriptor is how a HID device describes its reports.
func (p *Port) ReportDescriptor() ([]byte, error) {
	if p.kind != HID {
		return nil, fmt.Errorf("%s is no hidraw node", p.path)
	}
	var size int32
	if err := p.ioctl(hidDescSize(), unsafe.Pointer(&size), 0); err != nil {
		return nil, fmt.Errorf("ask %s for its report descriptor: %w", p.path, notHID(p.lost(err)))
	}
	if size < 0 || size > descriptorBytes {
		return nil, fmt.Errorf("%s says that its report descriptor has %d bytes", p.path, size)
	}
	var d struct {
		size  uint32
		bytes [descriptorBytes]byte
	}
	d.size = uint32(size)
	if err := p.ioctl(hidDesc(), unsafe.Pointer(&d), 0); err != nil {
		return nil, fmt.Errorf("ask %s for its report descriptor: %w", p.path, p.lost(err))
	}
	return append([]byte(nil), d.bytes[:min(int(d.size), descriptorBytes)]...), nil
}

func notHID(err error) error {
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("not a hidraw node: %w: %w", devices.ErrPerson, err)
	}
	return err
}

// Lines of a printer's status byte (USB printer class 1.1, 4.2.2).
const (
	StatusNoError  = 0x08
	StatusSelected = 0x10
	StatusNoPaper  = 0x20
)

// Status is the printer's status byte; it is asked on the control line and disturbs no job.
func (p *Port) Status() (byte, error) {
	var s int32
	if err := p.ioctl(lpGetStatus, unsafe.Pointer(&s), 0); err != nil {
		return 0, fmt.Errorf("ask %s for its status: %w", p.path, p.lost(err))
	}
	return byte(s), nil
}

// DeviceID is the printer's IEEE 1284 id, such as "MFG:EPSON;MDL:TM-T88V;CMD:ESC/POS;".
func (p *Port) DeviceID() (string, error) {
	b := make([]byte, idBytes)
	if err := p.ioctl(lpGetDeviceID(), unsafe.Pointer(&b[0]), 0); err != nil {
		return "", fmt.Errorf("ask %s for its id: %w", p.path, p.lost(err))
	}
	return cutID(b), nil
}

// cutID is the text behind the two bytes of its length, which count themselves; some devices leave them out of the count,
// or have them in the other order, so that only what can be is believed.
func cutID(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < 2 || n > len(b) {
		n = int(binary.LittleEndian.Uint16(b))
	}
	if n < 2 || n > len(b) {
		n = len(b)
	}
	b = b[2:n]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(bytes.TrimSpace(b))
}
