package asleep

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestBetween(t *testing.T) {
	const hour, ms = time.Hour, time.Millisecond
	for name, c := range map[string]struct {
		before, with, after time.Duration
		want                time.Duration
		no                  bool
	}{
		"Together":                    {hour, hour, hour, 0, false},
		"AheadByASleep":               {hour, hour + 42*time.Second, hour, 42 * time.Second, false},
		"BehindInANamespaceOfItsOwn":  {hour, hour - 7*time.Second, hour, -7 * time.Second, false},
		"AsleepAfterTheFirst":         {hour, hour + 9*time.Second, hour + ms, 9*time.Second - ms, false},
		"AsleepBeforeTheLast":         {hour, hour, hour + ms, -ms, false}, // the next wake tells it
		"ASlowMachine":                {hour, hour + 40*ms, hour + 90*ms, -50 * ms, false},
		"StoppedBeforeTheSecond":      {hour, hour + 30*time.Second, hour + 30*time.Second, 0, true},
		"StoppedBeforeTheLast":        {hour, hour, hour + 30*time.Second, 0, true},
		"StoppedForLittleMoreThanMay": {hour, hour + 101*ms, hour + 101*ms, 0, true},
	} {
		got, ok := between(c.before, c.with, c.after)
		if ok == c.no || ok && got != c.want {
			t.Errorf("%s: %v, %v; want %v, %v", name, got, ok, c.want, !c.no)
		}
	}
}

// A program that is stopped between two readings, by a debugger or a busy machine, has not slept.
func TestAheadReadsAgainWhereItWasStopped(t *testing.T) {
	times := []time.Duration{ // monotonic, with suspensions, monotonic
		0, time.Minute, time.Minute, // stopped for a minute behind the first
		2 * time.Minute, 2 * time.Minute, 3 * time.Minute, // and before the last
		3 * time.Minute, 3*time.Minute + 5*time.Second, 3 * time.Minute,
	}
	var clocks []int32
	got, err := ahead(func(clock int32) (time.Duration, error) {
		d := times[len(clocks)]
		clocks = append(clocks, clock)
		return d, nil
	})
	if err != nil || got != 5*time.Second || len(clocks) != len(times) {
		t.Errorf("%v, %v after %d readings", got, err, len(clocks))
	}
	for i, c := range clocks {
		if want := [...]int32{unix.CLOCK_MONOTONIC, unix.CLOCK_BOOTTIME, unix.CLOCK_MONOTONIC}[i%3]; c != want {
			t.Errorf("reading %d was of clock %d", i, c)
		}
	}
	broken := errors.New("no such clock")
	for fails := range 3 {
		n := 0
		_, err := ahead(func(int32) (time.Duration, error) {
			if n++; n > fails {
				return 0, broken
			}
			return 0, nil
		})
		if !errors.Is(err, broken) {
			t.Errorf("reading %d failed: %v", fails, err)
		}
	}
}

// TestKernel: the descriptor as the kernel has it. That it is woken by a clock that is set and by a suspension is tried on a
// machine whose clock and sleep are nobody else's, scripts/usb-bench.
func TestKernel(t *testing.T) {
	k, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info []byte
	if e := c.Control(func(fd uintptr) { info, err = os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd)) }); e != nil || err != nil {
		t.Fatal(e, err)
	}
	said := strings.Join(strings.Fields(string(info)), " ")
	for _, want := range []string{"clockid: 0 ", "ticks: 0 ", "settime flags: 03 "} { // of the wall clock; not due; absolute, and canceled when it is set
		if !strings.Contains(said, want) {
			t.Errorf("the kernel has no %q: %s", want, said)
		}
	}
	slept, err := k.Slept()
	if err != nil || slept < -2*apart || slept > 2*apart {
		t.Errorf("it has slept for %v, %v", slept, err)
	}
	done := make(chan error, 1)
	go func() { done <- k.Wait() }()
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Wait ended with %v", err)
	}
	t.Logf("%s; slept %v", said, slept)
}
