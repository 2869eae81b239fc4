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
	closing  chan struct{}
	closed   atomic.Bool
	calls    sync.RWMutex // read-held while a call uses the numbers, which may be another file's once they are closed
	reading  sync.Mutex
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

// unpolledOf has an open descriptor wait in the kernel, once it was opened without.
func unpolledOf(fd int) (*unpolled, error) {
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, errors.Join(fmt.Errorf("have it wait in the kernel: %w", err), unix.Close(fd))
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make what ends a wait for it: %w", err), unix.Close(fd))
	}
	return &unpolled{fd: fd, bell: bell, closing: make(chan struct{})}, nil
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
	close(u.closing)
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

// mostFailed is how many reads in a row may fail before a line is given up whose device is still there.
const mostFailed = 10

// Read reads at least one byte. Of a printer without a way back nothing ever comes: it is waited for until the device is gone.
// Nothing, where something was there, is an empty packet, which usblp hands on; and a transfer that failed is told once, when
// the next is under way already (usblp_read): neither ends the line.
func (u *unpolled) Read(b []byte) (int, error) {
	u.reading.Lock() // what one sees to be there another must not take: the read would wait where Close cannot end it
	defer u.reading.Unlock()
	rest, failed := devices.RestFirst, 0
	for len(b) > 0 {
		got, err := u.wait(unix.POLLIN, time.Time{})
		switch {
		case err != nil:
			return 0, err
		case got&unix.POLLIN == 0:
			return 0, unix.ENODEV
		}
		var n int
		err = u.control(func(fd uintptr) (err error) {
			n, err = unix.Read(int(fd), b)
			return err
		})
		switch {
		case err == nil && n > 0:
			return n, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EIO) && failed < mostFailed && got&gone == 0:
			failed++
		case err != nil:
			return 0, err
		case got&gone != 0:
			return 0, unix.ENODEV
		}
		if _, err := u.wait(0, time.Now().Add(rest)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		rest = min(2*rest, devices.RestLast)
	}
	return 0, nil
}
