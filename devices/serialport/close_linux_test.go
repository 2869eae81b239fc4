package serialport_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/porttest"
	"tilld/devices/serialport"
)

// Bytes that were handed over arrive although the line is closed behind them; a line to which a device does not listen is
// closed as soon, and opened again.
func TestCloseIsSoonAndLosesNothing(t *testing.T) {
	far, tty := porttest.Line(t)
	defer far.Close()
	p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{WriteLimit: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if _, err := p.Write([]byte("the end of a text")); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	got := make([]byte, 17)
	_ = far.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "the end of a text" {
		t.Errorf("arrived %q, %v", got, err)
	}
	for _, drop := range []bool{false, true} {
		if p, err = serialport.Open(t.Context(), tty.Name(), serialport.Options{WriteLimit: 50 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		size := 100
		if drop {
			size = 64 << 10
		}
		if _, err := p.Write(make([]byte, size)); drop != errors.Is(err, devices.ErrStalled) {
			t.Errorf("%d bytes: %v", size, err)
		}
		start := time.Now()
		if err := p.Close(); err != nil || time.Since(start) > 30*time.Second {
			t.Errorf("closed behind %v, %v", time.Since(start), err)
		}
		t.Logf("%d bytes that nobody reads: closed behind %v", size, time.Since(start).Round(time.Millisecond))
	}
}

// What is left of a line goes on its way for as long as it becomes less, and is given up where it does not.
func TestWhatMovesIsWaitedFor(t *testing.T) {
	gone := errors.New("the line is gone")
	for _, c := range []struct {
		name   string
		queued func(since time.Duration) (int, error)
		leaves bool
		within time.Duration
	}{
		{"nothing is left", func(time.Duration) (int, error) { return 0, nil }, true, 0},
		{"4000 bytes at 9600 baud", func(d time.Duration) (int, error) { return max(0, 4000-int(d/time.Millisecond)*96/100), nil }, true, 4200 * time.Millisecond},
		{"64 at a time at 1200 baud", func(d time.Duration) (int, error) { return 64 * max(0, 3-int(d/(400*time.Millisecond))), nil }, true, 1210 * time.Millisecond},
		{"it takes nothing", func(time.Duration) (int, error) { return 40, nil }, false, serialport.StuckAfter + 20*time.Millisecond},
		{"it takes some", func(d time.Duration) (int, error) { return max(20, 40-int(d/(100*time.Millisecond))), nil }, false, 2*time.Second + serialport.StuckAfter + 20*time.Millisecond},
		{"it goes", func(d time.Duration) (int, error) {
			if d > 100*time.Millisecond {
				return 0, gone
			}
			return 40, nil
		}, true, 120 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			left := serialport.Leaves(func() (int, error) { return c.queued(time.Since(start)) })
			if took := time.Since(start); left != c.leaves || took > c.within {
				t.Errorf("%s: %v after %v", c.name, left, took)
			} else {
				t.Logf("%s: %v after %v", c.name, left, took)
			}
		})
	}
}

// A device that takes nothing holds nobody up: Close leaves the kernel to its wait. The line is none that another program
// holds meanwhile, and is tried again by itself.
func TestCloseLeavesTheKernelToItsWait(t *testing.T) {
	far, tty := porttest.Line(t)
	defer far.Close()
	defer tty.Close()
	synctest.Test(t, func(t *testing.T) {
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		serialport.CloseWaits(p, over)
		start := time.Now()
		err = p.Close()
		took := time.Since(start)
		if err != nil || took > serialport.CloseLimit {
			t.Errorf("closed behind %v, %v", took, err)
		}
		p, err = serialport.Open(t.Context(), tty.Name(), serialport.Options{})
		if err == nil {
			p.Close()
		}
		if err == nil || errors.Is(err, devices.ErrHeld) || devices.Sort(err) != devices.Retry {
			t.Errorf("opened while it is being closed: %v", err)
		}
		t.Logf("closed behind %v; then %v", took, err)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err = serialport.Open(ctx, tty.Name(), serialport.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("opened by somebody who has no time: %v", err)
		}
		go func() { time.Sleep(300 * time.Millisecond); close(over) }()
		start = time.Now()
		if p, err = serialport.Open(t.Context(), tty.Name(), serialport.Options{}); err != nil || time.Since(start) != 300*time.Millisecond {
			t.Fatalf("as it is closed: behind %v, %v", time.Since(start), err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
