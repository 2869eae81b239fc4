package fileport

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tilld/devices"
)

// transferSize is what usblp puts into one transfer at most (USBLP_BUF_SIZE in the kernel's drivers/usb/class/usblp.c).
const transferSize = 8192

// nudge is the signal that ends a write in the kernel: one of the real-time signals that nobody uses, for which Go's runtime
// has a handler that does nothing. Every nudgeAgain it is sent again, for one that comes before the kernel waits is not seen there.
const (
	nudge      = unix.Signal(50)
	nudgeAgain = 10 * time.Millisecond
)

// put gives usblp one transfer, and waits until the printer has taken it. With devices.ErrStalled, as with every other error
// behind its begin, n counts its bytes as gone: the printer may get them yet.
//
// The write waits in the kernel, for it alone is told what became of the transfer: a write that does not wait presumes that
// all will be well, and neither poll nor the next write says that it was not. Its wait looks for a signal: with one pending it
// answers EINTR, though the printer gets all of it (usblp_write, usblp_wtest). Whoever writes again, as os.File does, prints
// twice; and Go's scheduler sends its threads a signal whenever it likes. So: one transfer a write, and no signal lets itself be
// seen meanwhile but the one that ends the wait. A machine that falls asleep interrupts for all that. And each 1.5 s of its wait
// usblp asks the printer for its status on the control line (usblp_wwait): one that does not answer there either is told as
// stalled, and closed, by as much as 5 s later.
func (u *unpolled) put(b []byte, limit time.Duration) (n int, err error) {
	b = b[:min(len(b), transferSize)]
	switch got, err := u.wait(unix.POLLOUT, time.Now().Add(limit)); { // not at once behind a transfer that has stalled
	case err != nil:
		return 0, err
	case got&gone != 0:
		return 0, unix.ENODEV
	}
	var nudged bool
	err = u.control(func(fd uintptr) (err error) {
		n, nudged, err = u.write(int(fd), b, limit)
		return err
	})
	switch {
	case err == nil && n == len(b):
		return n, nil
	case errors.Is(err, os.ErrClosed) && n == 0:
		return 0, err
	case err == nil && n > 0: // no printer: one that is broken off says nothing of how much has left
		return n, os.ErrDeadlineExceeded
	case nudged && errors.Is(err, unix.EINTR) && u.closed.Load():
		return len(b), os.ErrClosed
	case nudged && errors.Is(err, unix.EINTR):
		return len(b), devices.ErrStalled
	}
	return len(b), err
}

// write writes on a thread that sees no signal but a nudge, and those of its own faults. It is nudged when the limit has passed,
// which is its own: a nudge before the transfer has begun would answer as one behind it. And at Close.
func (u *unpolled) write(fd int, b []byte, limit time.Duration) (n int, nudged bool, err error) {
	masked := undisturbed(func() {
		thread, done, ended := unix.Gettid(), make(chan struct{}), make(chan struct{})
		var late atomic.Bool
		go func() {
			defer close(ended)
			end := time.NewTimer(limit)
			defer end.Stop()
			select {
			case <-done:
				return
			case <-u.closing:
			case <-end.C:
			}
			for late.Store(true); ; {
				_ = unix.Tgkill(os.Getpid(), thread, nudge)
				select {
				case <-done:
					return
				case <-time.After(nudgeAgain):
				}
			}
		}()
		n, err = unix.Write(fd, b)
		close(done)
		<-ended // none comes later, when the thread writes something else
		nudged, n = late.Load(), max(n, 0)
	})
	return n, nudged, errors.Join(err, masked)
}

// undisturbed calls f on a thread that sees no signal meanwhile but a nudge, and those of its own faults.
func undisturbed(f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var none, was unix.Sigset_t
	for i := range none.Val {
		none.Val[i] = ^none.Val[i]
	}
	bits := uint(unsafe.Sizeof(none.Val[0])) * 8
	for _, seen := range []unix.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, nudge} {
		none.Val[uint(seen-1)/bits] &^= 1 << (uint(seen-1) % bits)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, &was); err != nil {
		return fmt.Errorf("hold signals back: %w", err)
	}
	f()
	return unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil)
}
