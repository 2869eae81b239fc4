package serialport_test

import (
	"errors"
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
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Baud: 9600, WriteLimit: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		t.Cleanup(func() { p.Close(); far.Close() })
		return porttest.Pair{Port: p, Far: far}
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
	if _, err = serialport.Open(t.Context(), tty.Name(), serialport.Options{Parity: "some"}); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("bad mode: %v", err)
	}
}
