package fileport_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/fileport"
	"tilld/devices/porttest"
)

// terminal is a pseudo-terminal that changes no byte: a character device whose far end is in our hands.
func terminal(t *testing.T) (far *os.File, path string, done func()) {
	t.Helper()
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	m, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	m.Iflag, m.Oflag, m.Lflag = 0, 0, 0
	m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, m); err != nil {
		t.Fatal(err)
	}
	return far, tty.Name(), func() { _ = tty.Close() }
}

func TestSuite(t *testing.T) {
	for _, kind := range []fileport.Kind{fileport.Printer, fileport.HID} {
		t.Run(string(kind), func(t *testing.T) {
			porttest.Run(t, func(t *testing.T) porttest.Pair {
				far, path, opened := terminal(t)
				t.Cleanup(func() { far.Close() })
				var again func() (porttest.Pair, error)
				again = func() (porttest.Pair, error) {
					p, err := fileport.Open(t.Context(), path, kind, fileport.Options{WriteLimit: 200 * time.Millisecond})
					if err != nil {
						return porttest.Pair{}, err
					}
					t.Cleanup(func() { p.Close() })
					return porttest.Pair{Port: p, Far: far, Again: again}, nil
				}
				p, err := again()
				if err != nil {
					t.Fatal(err)
				}
				opened()
				return p
			}, 64<<10)
		})
	}
}

func TestErrorsOfOpeningAreSorted(t *testing.T) {
	open := func(path string, k fileport.Kind) error {
		p, err := fileport.Open(t.Context(), path, k, fileport.Options{})
		if err == nil {
			p.Close()
		}
		return err
	}
	if err := open("/dev/hidraw-not-here", fileport.HID); !errors.Is(err, devices.ErrAbsent) {
		t.Errorf("no node: %v", err)
	}
	file := filepath.Join(t.TempDir(), "lp0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(file, fileport.Printer); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("a plain file: %v", err)
	}
	far, path, opened := terminal(t)
	defer far.Close()
	defer opened()
	if err := open(path, "mouse"); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("no such kind: %v", err)
	}
	if err := open(path, fileport.Event); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("keys of a terminal: %v", err)
	}
	first, err := fileport.Open(t.Context(), path, fileport.HID, fileport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := open(path, fileport.HID); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("a second of us: %v", err)
	}
}

func TestAHangUpIsAbsence(t *testing.T) {
	for _, kind := range []fileport.Kind{fileport.Printer, fileport.HID} {
		far, path, opened := terminal(t)
		p, err := fileport.Open(t.Context(), path, kind, fileport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		opened()
		defer p.Close()
		far.Close()
		if _, err := p.Read(make([]byte, 8)); !errors.Is(err, devices.ErrAbsent) {
			t.Errorf("%s: read: %v", kind, err)
		}
		if n, err := p.Write([]byte("x")); n != 0 || !errors.Is(err, devices.ErrAbsent) {
			t.Errorf("%s: wrote %d, %v", kind, n, err)
		}
	}
}

func TestTheNodeIsNotInherited(t *testing.T) {
	far, path, opened := terminal(t)
	defer far.Close()
	p, err := fileport.Open(t.Context(), path, fileport.HID, fileport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened()
	defer p.Close()
	es, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range es {
		fd := 0
		for _, c := range e.Name() {
			fd = fd*10 + int(c-'0')
		}
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != path {
			continue
		}
		found++
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d: flags %x, %v", fd, flags, err)
		}
	}
	if found != 1 {
		t.Fatalf("%d descriptors of %s", found, path)
	}
}

func TestQuestionsToTheWrongNodeAreRefusedInWords(t *testing.T) {
	far, path, opened := terminal(t)
	defer far.Close()
	p, err := fileport.Open(t.Context(), path, fileport.HID, fileport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened()
	defer p.Close()
	if _, err := p.ReportDescriptor(); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("descriptor: %v", err)
	}
	if _, err := p.Status(); err == nil {
		t.Error("a terminal has a printer's status")
	}
	if _, err := p.DeviceID(); err == nil {
		t.Error("a terminal has a printer's id")
	}
}
