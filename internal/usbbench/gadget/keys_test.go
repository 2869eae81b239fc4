//go:build usbbench

package gadget_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/fileport"
	"tilld/devices/porttest"
)

// Requests of /dev/uinput (linux/uinput.h) and the events that it is told.
const (
	setEvents  = 0x40045564 // UI_SET_EVBIT
	setKey     = 0x40045565 // UI_SET_KEYBIT
	devSetup   = 0x405c5503 // UI_DEV_SETUP
	devCreate  = 0x5501
	sysName    = 0x8040552c // UI_GET_SYSNAME of 64 bytes
	eventBytes = 24         // struct input_event on 64 bits
	evKey      = 1
	firstKey   = 1 // of a byte 0
	ahead      = 8 // bytes that may wait for the reader: four events each, of the 64 that the kernel keeps
)

// typist is a keyboard that has a key for each byte. A byte is its key going down and up.
type typist struct {
	fd   int
	node string

	mu     sync.Mutex
	change *sync.Cond
	sent   int
	read   int
	gone   bool
}

func newTypist(t *testing.T) *typist {
	t.Helper()
	fd, err := unix.Open("/dev/uinput", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	y := &typist{fd: fd}
	y.change = sync.NewCond(&y.mu)
	setup := struct {
		bus, vendor, product, version uint16
		name                          [80]byte
		effects                       uint32
	}{bus: 3, vendor: 0x1a2b, product: 0x0020}
	copy(setup.name[:], "Suite")
	err = unix.IoctlSetInt(fd, setEvents, evKey)
	for key := firstKey; key < firstKey+256 && err == nil; key++ {
		err = unix.IoctlSetInt(fd, setKey, key)
	}
	if err == nil {
		err = y.ask(devSetup, unsafe.Pointer(&setup))
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, devCreate, 0)
	}
	var name [64]byte
	if err == nil {
		err = y.ask(sysName, unsafe.Pointer(&name))
	}
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := bytes.Cut(name[:], []byte{0})
	for since := time.Now(); y.node == ""; time.Sleep(2 * time.Millisecond) {
		if all, _ := filepath.Glob("/sys/devices/virtual/input/" + string(text) + "/event*"); len(all) == 1 {
			if node := "/dev/input/" + filepath.Base(all[0]); exists(node) {
				y.node = node
			}
		}
		if time.Since(since) > late {
			t.Fatalf("%s has no node after %v", text, late)
		}
	}
	return y
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (y *typist) ask(request uintptr, arg unsafe.Pointer) error {
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(y.fd), request, uintptr(arg)); e != 0 {
		return e
	}
	return nil
}

// Write types b, no faster than it is read.
func (y *typist) Write(b []byte) (int, error) {
	for i, c := range b {
		y.mu.Lock()
		for y.sent-y.read >= ahead && !y.gone {
			y.change.Wait()
		}
		y.sent++
		y.mu.Unlock()
		var out []byte
		for _, value := range []uint32{1, 0} {
			for _, e := range [][2]uint16{{evKey, firstKey + uint16(c)}, {0, 0}} {
				x := make([]byte, eventBytes)
				binary.NativeEndian.PutUint16(x[16:], e[0])
				binary.NativeEndian.PutUint16(x[18:], e[1])
				if e[0] == evKey {
					binary.NativeEndian.PutUint32(x[20:], value)
				}
				out = append(out, x...)
			}
		}
		if n, err := unix.Write(y.fd, out); err != nil || n != len(out) {
			return i, fmt.Errorf("type: %d bytes, %w", n, err)
		}
	}
	return len(b), nil
}

// Read has nothing: nobody writes to a keyboard here.
func (y *typist) Read([]byte) (int, error) { return 0, os.ErrInvalid }

// Close takes the keyboard away.
func (y *typist) Close() error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.gone {
		return nil
	}
	y.gone = true
	y.change.Broadcast()
	return unix.Close(y.fd) // the kernel takes the device away with its last file
}

// took tells the typist how much was read.
func (y *typist) took(n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.read += n
	y.change.Broadcast()
}

// typed is the node as a line of bytes.
type typed struct {
	devices.Port
	y *typist

	mu   sync.Mutex
	rest []byte
}

// Read gives a byte for each key that went down.
func (p *typed) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.rest) == 0 {
		r := make([]byte, 4096)
		n, err := p.Port.Read(r)
		if err != nil {
			return 0, err
		}
		if n%eventBytes != 0 {
			return 0, fmt.Errorf("a read of %d bytes is no whole events", n)
		}
		for e := r[:n]; len(e) > 0; e = e[eventBytes:] {
			kind, code, value := binary.NativeEndian.Uint16(e[16:]), binary.NativeEndian.Uint16(e[18:]), binary.NativeEndian.Uint32(e[20:])
			if kind == 0 && code == 3 { // SYN_DROPPED
				return 0, fmt.Errorf("the kernel has dropped events")
			}
			if kind == evKey && value == 1 {
				p.rest = append(p.rest, byte(code-firstKey))
			}
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	p.y.took(n)
	return n, nil
}

// The kernel's evdev, grabbed: it is read and nothing is written to it.
func TestSuiteOfKeys(t *testing.T) {
	porttest.Reads(t, func(t *testing.T) porttest.Pair {
		y := newTypist(t)
		t.Cleanup(func() { _ = y.Close() })
		var again func() (porttest.Pair, error)
		again = func() (porttest.Pair, error) {
			p, err := fileport.Open(t.Context(), y.node, fileport.Event, fileport.Options{})
			if err != nil {
				return porttest.Pair{}, err
			}
			t.Cleanup(func() { _ = p.Close() })
			return porttest.Pair{Port: &typed{Port: p, y: y}, Far: y, Again: again}, nil
		}
		p, err := again()
		if err != nil {
			t.Fatal(err)
		}
		return p
	})
}
