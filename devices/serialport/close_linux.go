package serialport

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// The close of a line's last descriptor waits up to half a minute for what the kernel has not sent yet (closing_wait;
// drivers/tty/tty_port.c, tty_port_close_start), and a device that takes nothing is closed all the same.
const (
	closeLimit = time.Second            // for Close
	stuckAfter = 500 * time.Millisecond // nothing of what is left has left
	lookEvery  = 10 * time.Millisecond  // the kernel tells nobody of the last byte: tcdrain cannot be ended
)

// closing are the lines, by the numbers of their devices, whose last descriptor is still being closed: the kernel knows one
// of each, whoever opens it. The channel ends with that.
var closing = struct {
	sync.Mutex
	lines map[uint64]chan struct{}
}{lines: map[uint64]chan struct{}{}}

var errClosing = errors.New("it is still being closed: what it was last sent has not left yet")

// closed waits until the line at path is not being closed any more, for no longer than Close does.
func closed(ctx context.Context, path string) error {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil //nolint:nilerr // to open it says why
	}
	closing.Lock()
	over := closing.lines[st.Rdev]
	closing.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(closeLimit):
		return errClosing
	}
}

// closes says that a line is being closed, until `over` is called.
func closes(line uint64) (over func()) {
	c := make(chan struct{})
	closing.Lock()
	defer closing.Unlock()
	closing.lines[line] = c
	return func() {
		closing.Lock()
		defer closing.Unlock()
		if closing.lines[line] == c { // and not the next one's of that number
			delete(closing.lines, line)
		}
		close(c)
	}
}

// closeLine closes f, which ends its Read and Write, and gives what was handed over the time that it takes; what a Write
// left that did not end is dropped, and so is what does not move. It waits for no longer than its limit: then the kernel,
// which on some adapters has no way to drop anything (drivers/usb/serial/usb-serial.c), ends the rest by itself.
func closeLine(f *os.File, mode serial.Port, drop bool) error {
	rest, line, err := keep(f)
	if err != nil { // as of a line that is gone; or there are no descriptors left, and no time is given
		dropOutput(f)
		return errors.Join(f.Close(), mode.Close())
	}
	err = f.Close()
	over := closes(line)
	done := make(chan error, 1)
	go func() { // ends with the line: what moves has an end, and the kernel waits for half a minute
		if drop || !leaves(func() (int, error) { return unix.IoctlGetInt(rest, unix.TIOCOUTQ) }) {
			_ = unix.IoctlSetInt(rest, unix.TCFLSH, unix.TCOFLUSH)
		}
		err := errors.Join(unix.Close(rest), mode.Close())
		over()
		done <- err
	}()
	select {
	case e := <-done:
		return errors.Join(err, e)
	case <-time.After(closeLimit):
		return err
	}
}

// keep is one more descriptor of f, and the number of its device.
func keep(f *os.File) (rest int, line uint64, err error) {
	err = control(f, func(fd int) error {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		line = st.Rdev
		var err error
		rest, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return rest, line, err
}

// leaves waits for what is queued to leave, for as long as it becomes less, and says whether it has; a line that cannot be
// asked any more has nothing.
func leaves(queued func() (int, error)) bool {
	least, since := -1, time.Now()
	for {
		n, err := queued()
		switch {
		case err != nil || n == 0:
			return true
		case least < 0 || n < least:
			least, since = n, time.Now()
		case time.Since(since) >= stuckAfter:
			return false
		}
		time.Sleep(lookEvery)
	}
}
