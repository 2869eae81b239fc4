package fileport

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// transferSize is what usblp puts into one transfer at most (USBLP_BUF_SIZE in the kernel's drivers/usb/class/usblp.c).
const transferSize = 8192

// put gives usblp one transfer and answers how many bytes of it may have left.
//
// Its write begins the transfer and looks for a signal only then: with one pending it answers EINTR, or of several
// transfers only the count of those before, though the printer gets all of it (usblp_write, usblp_wtest). Whoever writes
// again, as os.File does, prints twice; and Go's scheduler sends its threads a signal whenever it likes. So: one transfer a
// write, no signal lets itself be seen meanwhile, and an error behind its begin counts the bytes as gone. A machine that
// falls asleep interrupts for all that.
func (u *unpolled) put(b []byte, until time.Time) (n int, err error) {
	b = b[:min(len(b), transferSize)]
	var failed error
	waited := u.whenReady(until, func(fd int) bool {
		masked := undisturbed(func() { n, failed = unix.Write(fd, b) })
		switch {
		case errors.Is(failed, unix.EAGAIN):
			n, failed = 0, masked
			return masked != nil // not ready after all
		case failed != nil:
			n = len(b)
		case masked != nil:
			failed = masked
		}
		return true
	})
	if waited != nil {
		return 0, waited
	}
	return n, failed
}

// flushed waits until the printer has taken what usblp still holds: without waiting, the kernel answers a write before the
// transfer has begun, and drops it at Close.
func (u *unpolled) flushed(until time.Time) error {
	return u.whenReady(until, func(int) bool { return true })
}

// undisturbed calls f on a thread that sees no signal meanwhile, but for those of its own faults.
func undisturbed(f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var none, was unix.Sigset_t
	for i := range none.Val {
		none.Val[i] = ^none.Val[i]
	}
	for _, fault := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP} {
		none.Val[0] &^= 1 << (fault - 1)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, &was); err != nil {
		return fmt.Errorf("hold signals back: %w", err)
	}
	f()
	return unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil)
}
