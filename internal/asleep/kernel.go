package asleep

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Kernel is a timer of the wall clock that never comes due and is canceled whenever that clock is set, as the kernel sets it
// after each suspension (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); and the two clocks of which one counts suspensions.
type Kernel struct {
	f     *os.File
	began time.Duration // ahead, when it was opened
}

// Open begins to look. It needs no right.
func Open() (*Kernel, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open a timer of the wall clock: %w", err)
	}
	k := &Kernel{f: os.NewFile(uintptr(fd), "timer of the wall clock")} // nonblocking: no thread waits in its Read
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &unix.ItimerSpec{Value: never()}, nil); err != nil {
		_ = k.f.Close()
		return nil, fmt.Errorf("set a timer of the wall clock: %w", err)
	}
	if k.began, err = ahead(now); err != nil {
		_ = k.f.Close()
		return nil, err
	}
	return k, nil
}

// never is the last moment of a kernel's wall clock, in 2038 where its seconds have 32 bits: a timer that has come due goes
// on being canceled.
func never() unix.Timespec {
	if unix.SizeofLong == 4 {
		return unix.NsecToTimespec(math.MaxInt32 * int64(time.Second))
	}
	return unix.NsecToTimespec(math.MaxInt64)
}

// Wait is Source's.
func (k *Kernel) Wait() error {
	var times [8]byte
	if _, err := k.f.Read(times[:]); err != nil && !errors.Is(err, unix.ECANCELED) {
		return fmt.Errorf("read the timer of the wall clock: %w", err)
	}
	return nil
}

// Slept is Source's.
func (k *Kernel) Slept() (time.Duration, error) {
	d, err := ahead(now)
	return d - k.began, err
}

// Close is Source's.
func (k *Kernel) Close() error { return k.f.Close() }

// now reads a clock of the kernel.
func now(clock int32) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("read clock %d: %w", clock, err)
	}
	return time.Duration(t.Nano()), nil
}

// ahead is by how much the clock that counts suspensions is ahead of the one that does not.
func ahead(read func(clock int32) (time.Duration, error)) (time.Duration, error) {
	for {
		before, err := read(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0, err
		}
		with, err := read(unix.CLOCK_BOOTTIME)
		if err != nil {
			return 0, err
		}
		after, err := read(unix.CLOCK_MONOTONIC)
		if err != nil {
			return 0, err
		}
		if d, ok := between(before, with, after); ok {
			return d, nil
		}
	}
}

// apart is how far apart two readings may be that are taken for one moment's.
const apart = 100 * time.Millisecond

// between is how far a clock was ahead of another that was read before and after it; false where the program was stopped
// among the three, which looks like a sleep and is none.
func between(before, with, after time.Duration) (time.Duration, bool) {
	return with - after, after-before <= apart
}
