package fileport

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices"
)

// unpolled is an open node of usblp that stays out of the runtime's poller. Its poll waits for the lock that a question on
// the control line holds until the printer has answered, or for the kernel's 5 s (usblp_poll and usblp_ioctl in
// drivers/usb/class/usblp.c). In the poller's epoll set it would keep all that wait there, and with them the program. So
// who waits for this node waits in a thread of its own, and waits alone.
type unpolled struct {
	fd, bell int // bell: an eventfd; it rings from Close on
	closed   atomic.Bool
	calls    sync.RWMutex // read-held while a call uses the numbers, which may be another file's once they are closed
}

func openUnpolled(path string) (*unpolled, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	for errors.Is(err, unix.EINTR) {
		fd, err = unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil, err
	}
	return unpolledOf(fd)
}

func unpolledOf(fd int) (*unpolled, error) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make what ends a wait for it: %w", err), unix.Close(fd))
	}
	return &unpolled{fd: fd, bell: bell}, nil
}

// control runs f on the descriptor.
func (u *unpolled) control(f func(fd uintptr) error) error {
	u.calls.RLock()
	defer u.calls.RUnlock()
	if u.closed.Load() {
		return os.ErrClosed
	}
	return f(uintptr(u.fd))
}

// Close ends the waits of others, and waits until they have ended.
func (u *unpolled) Close() error {
	if u.closed.Swap(true) {
		return os.ErrClosed
	}
	ring := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // a number, not 0, whatever the order of the machine's bytes
	_, err := unix.Write(u.bell, ring[:])
	u.calls.Lock()
	defer u.calls.Unlock()
	return errors.Join(err, unix.Close(u.fd), unix.Close(u.bell))
}

// wait waits until one of the events is there, or the device is gone, and says which; until the zero time for ever.
func (u *unpolled) wait(events int16, until time.Time) (int16, error) {
	for {
		left := -1
		if !until.IsZero() {
			left = int((time.Until(until) + time.Millisecond - 1) / time.Millisecond)
			if left <= 0 {
				return 0, os.ErrDeadlineExceeded
			}
		}
		var got int16
		err := u.control(func(fd uintptr) error {
			fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(u.bell), Events: unix.POLLIN}}
			_, err := unix.Poll(fds, left)
			got = fds[0].Revents
			return err
		})
		if err != nil && !errors.Is(err, unix.EINTR) { // a signal interrupts only where there is nothing to tell
			return 0, err
		}
		if err == nil && got != 0 {
			return got, nil
		}
	}
}

// gone are the events of a device that is not there any more.
const gone = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL

// Read reads at least one byte. Nothing, where something was there, is an empty packet, which usblp hands on, or the line's end.
func (u *unpolled) Read(b []byte) (int, error) {
	rest := devices.RestFirst
	for lost := false; ; {
		var n int
		err := u.control(func(fd uintptr) (err error) {
			n, err = unix.Read(int(fd), b)
			return err
		})
		switch {
		case err == nil && (n > 0 || len(b) == 0):
			return n, nil
		case (err == nil || errors.Is(err, unix.EAGAIN)) && lost:
			return 0, unix.ENODEV
		case err == nil:
			got, err := u.wait(0, time.Now().Add(rest))
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return 0, err
			}
			lost, rest = got&gone != 0, min(2*rest, devices.RestLast)
		case errors.Is(err, unix.EAGAIN):
			got, err := u.wait(unix.POLLIN, time.Time{})
			if err != nil {
				return 0, err
			}
			lost = got&gone != 0
		case !errors.Is(err, unix.EINTR):
			return 0, err
		}
	}
}

// again is how long a node may rest that says it takes bytes and takes none: usblp_poll may, for a printer without paper.
const again = 10 * time.Millisecond

// whenReady calls do once the device takes bytes, and again when it says false. An error says that the last call, if there
// was one, said false: the device is gone, or until has passed (os.ErrDeadlineExceeded).
func (u *unpolled) whenReady(until time.Time, do func(fd int) bool) error {
	for {
		got, err := u.wait(unix.POLLOUT, until)
		switch {
		case err != nil:
			return err
		case got&gone != 0:
			return unix.ENODEV
		}
		done := false
		if err := u.control(func(fd uintptr) error { done = do(int(fd)); return nil }); err != nil || done {
			return err
		}
		time.Sleep(again)
	}
}
