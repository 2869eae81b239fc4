package serialport_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/porttest"
	"tilld/devices/serialport"
)

func TestSuite(t *testing.T) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		far, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		_ = unix.SetNonblock(int(far.Fd()), true) // else a read of it could not be ended
		var again func() (porttest.Pair, error)
		again = func() (porttest.Pair, error) {
			p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Baud: 9600, WriteLimit: 200 * time.Millisecond})
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
		_ = tty.Close()
		t.Cleanup(func() { far.Close() })
		return p
	}, 64<<10)
}

func TestErrorsAreSorted(t *testing.T) {
	_, err := serialport.Open(t.Context(), "/dev/no-such-line", serialport.Options{})
	if !errors.Is(err, devices.ErrAbsent) {
		t.Errorf("no line: %v", err)
	}
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	defer tty.Close()
	if err := unix.Flock(int(tty.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err = serialport.Open(t.Context(), tty.Name(), serialport.Options{}); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("held line: %v", err)
	}
	for _, o := range []serialport.Options{{Parity: "some"}, {StopBits: 3}, {Flow: "dtr"}, {DataBits: 9}} {
		if p, err := serialport.Open(t.Context(), tty.Name(), o); !errors.Is(err, devices.ErrPerson) {
			if p != nil {
				p.Close()
			}
			t.Errorf("bad mode %+v: %v", o, err)
		}
	}
	file := filepath.Join(t.TempDir(), "no-line")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = serialport.Open(t.Context(), file, serialport.Options{}); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("a file that is no line: %v", err)
	}
}

// A program that is started while a line is open does not inherit it, and nobody opens the line twice.
func TestTheLineIsOurs(t *testing.T) {
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{}); !errors.Is(err, devices.ErrPerson) || !strings.Contains(err.Error(), "another program holds it") {
		t.Errorf("opened twice: %v", err)
	}
	if excl, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGEXCL); err != nil || excl == 0 {
		t.Errorf("TIOCEXCL: %d, %v", excl, err)
	}
	es, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range es {
		where, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if where != tty.Name() {
			continue
		}
		found++
		fd, _ := strconv.Atoi(e.Name())
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d would be inherited (%v)", fd, err)
		}
	}
	if found != 3 { // two of ours, one of the test's
		t.Errorf("%d descriptors on the line", found)
	}
	tty.Close()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	again, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{})
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
}

func TestFlowControlIsSet(t *testing.T) {
	for _, c := range []struct {
		flow         string
		cflag, iflag uint32
	}{
		{serialport.NoFlow, 0, 0},
		{serialport.RTSCTS, unix.CRTSCTS, 0},
		{serialport.XONXOFF, 0, unix.IXON | unix.IXOFF},
	} {
		far, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Baud: 19200, Flow: c.flow})
		if err != nil {
			t.Fatal(err)
		}
		got, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil || got.Cflag&unix.CRTSCTS != c.cflag || got.Iflag&(unix.IXON|unix.IXOFF) != c.iflag || got.Cflag&unix.CBAUD != unix.B19200 {
			t.Errorf("%s: %+v, %v", c.flow, got, err)
		}
		p.Close()
		tty.Close()
		far.Close()
	}
}

// A break is dropped, and so is a byte without its stop bit; on a line with parity a byte that is wrong comes as 00.
func TestWhatIsNoByteIsDropped(t *testing.T) {
	const all = unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.IGNPAR | unix.INPCK
	for _, c := range []struct {
		o    serialport.Options
		want uint32
	}{
		{serialport.Options{}, unix.IGNBRK | unix.IGNPAR | unix.INPCK},
		{serialport.Options{Parity: "none", Flow: serialport.RTSCTS}, unix.IGNBRK | unix.IGNPAR | unix.INPCK},
		{serialport.Options{Parity: "even"}, unix.IGNBRK | unix.INPCK},
		{serialport.Options{Parity: "odd", Flow: serialport.XONXOFF}, unix.IGNBRK | unix.INPCK},
	} {
		far, tty := porttest.Line(t)
		p, err := serialport.Open(t.Context(), tty.Name(), c.o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil || got.Iflag&all != c.want {
			t.Errorf("%+v: %#x instead of %#x, %v", c.o, got.Iflag&all, c.want, err)
		}
		t.Logf("%+v: %#x", c.o, got.Iflag&all)
		p.Close()
		tty.Close()
		far.Close()
	}
}

// A device that says XOFF is sent nothing more until it says XON, and what it says besides is all that is read.
func TestXOFFHoldsTheLine(t *testing.T) {
	far, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Flow: serialport.XONXOFF, WriteLimit: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	tty.Close()
	say := func(text string) {
		t.Helper()
		if _, err := far.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	say("a\x13b")
	left := 0
	for end := time.Now().Add(time.Minute); ; left++ { // the kernel needs a moment to hear it
		n, err := p.Write([]byte("x"))
		if errors.Is(err, devices.ErrStalled) && n == 0 {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d bytes left behind XOFF, then %v", left, err)
		}
	}
	say("\x11c")
	for end := time.Now().Add(time.Minute); ; {
		if n, err := p.Write([]byte("on")); n == 2 && err == nil {
			break
		} else if n > 0 || time.Now().After(end) {
			t.Fatalf("behind XON: %d bytes, %v", n, err)
		}
	}
	got := make([]byte, left+2)
	if _, err := io.ReadFull(far, got); err != nil || string(got) != strings.Repeat("x", left)+"on" {
		t.Errorf("the device was sent %q, %v", got, err)
	}
	heard := make([]byte, 3)
	if _, err := io.ReadFull(p, heard); err != nil || string(heard) != "abc" {
		t.Errorf("read %q, %v", heard, err)
	}
	t.Logf("%d bytes had left before XOFF was heard", left)
}
