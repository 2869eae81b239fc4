package serialport

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// NoParity is a line's parity where it has none.
const NoParity = "none"

// Flow control of a line. The serial library switches it off at open, so it is set behind that.
const (
	NoFlow  = "none"
	RTSCTS  = "rts-cts"
	XONXOFF = "xon-xoff"
)

// control runs f on the file's number; never f.Fd(), which would turn the file blocking.
func control(f *os.File, do func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	if err := c.Control(func(fd uintptr) { e = do(int(fd)) }); err != nil {
		return err
	}
	return e
}

// lock: flock keeps out programs that look for it; TIOCEXCL, set by the serial library too, keeps out the rest but root.
func lock(f *os.File) error {
	return control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}

// openMode lets the library set the line's mode. It opens the line a second time without O_CLOEXEC, so no program may be
// started until that is mended: it would hold the line open for as long as it runs.
func openMode(f *os.File, path string, m *serial.Mode) (serial.Port, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	s, err := serial.Open(path, m)
	if err != nil {
		return nil, err
	}
	if err := closeOnExec(f); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// closeOnExec marks every descriptor that this process has on the line of f.
func closeOnExec(f *os.File) error {
	var own unix.Stat_t
	if err := control(f, func(fd int) error { return unix.Fstat(fd, &own) }); err != nil {
		return fmt.Errorf("look at the line: %w", err)
	}
	es, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("look for the line's descriptors: %w", err)
	}
	for _, e := range es {
		fd, err := strconv.Atoi(e.Name())
		var st unix.Stat_t
		if err != nil || unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != own.Rdev || st.Dev != own.Dev {
			continue
		}
		unix.CloseOnExec(fd)
	}
	return nil
}

// setRest sets what the library has no word for, or switches off at open and at each SetMode: flow control, and that the
// kernel drops what is no byte. A break, as of a device that is switched off or a cable that is pulled, would be read as 00,
// and a byte without its stop bit as whatever it looked like (termios(3)). With IGNPAR alone it still is: drivers look at
// stop bits where INPCK is set, without parity too (drivers/tty/serial/8250/8250_port.c, serial8250_read_char;
// drivers/tty/n_tty.c, n_tty_receive_parity_error). On a line with parity a byte that is wrong is read as 00: if it were
// dropped, a code would be a digit short and nothing would show that. On USB it stays as it was: drivers of adapters hand breaks
// on as 00 whatever is asked, and mark a whole packet for one wrong byte (drivers/usb/serial/ftdi_sio.c, pl2303.c).
func setRest(f *os.File, path string, o Options) error {
	return control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Iflag |= unix.IGNBRK
		if name := nodeOf(path); !strings.HasPrefix(name, "ttyUSB") && !strings.HasPrefix(name, "ttyACM") {
			t.Iflag |= unix.INPCK
			if o.Parity == "" || o.Parity == NoParity {
				t.Iflag |= unix.IGNPAR
			}
		}
		switch o.Flow {
		case RTSCTS:
			t.Cflag |= unix.CRTSCTS
		case XONXOFF:
			t.Iflag |= unix.IXON | unix.IXOFF
		}
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
}

// Wired says whether the line at path, or where its links lead, is a wire: of the machine, or of an adapter. A USB device that is
// a line by itself (drivers/usb/class/cdc-acm.c) is none: it has no speed that could be set wrong, holds its host back by itself,
// and takes RTS for that somebody listens.
func Wired(path string) bool { return !strings.HasPrefix(nodeOf(path), "ttyACM") }

// nodeOf is the kernel's own name of the line at path.
func nodeOf(path string) string {
	if where, err := filepath.EvalSymlinks(path); err == nil {
		path = where
	}
	return filepath.Base(path)
}

// lowerRTS: a line whose driver knows no such wire answers ENOTTY or EINVAL (drivers/tty/tty_io.c, tty_tiocmset).
func lowerRTS(f *os.File) error {
	err := control(f, func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCMBIC, unix.TIOCM_RTS) })
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}

// dropOutput forgets what the kernel has not sent yet. A line that is gone has nothing to forget.
func dropOutput(f *os.File) {
	_ = control(f, func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH) })
}
