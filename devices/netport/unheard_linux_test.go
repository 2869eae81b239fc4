package netport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/netport"
)

// The system asks whether the far end lives while nothing is said: without it a printer that was switched off is taken for
// one that is silent, for hours.
func TestTheSystemAsksWhetherTheFarEndLives(t *testing.T) {
	addr, taken := listen(t)
	for _, c := range []struct {
		name string
		o    netport.Options
		idle int // seconds
	}{
		{"as it is by itself", netport.Options{}, 15},
		{"a longer silence", netport.Options{Idle: 40 * time.Second}, 40},
	} {
		p, err := netport.Dial(t.Context(), addr, c.o)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		defer (<-taken).Close()
		raw, err := p.Socket()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []struct {
			name          string
			level, option int
			want          int
		}{
			{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, c.idle},
			{"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 5},
			{"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
			{"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 0}, // it counts a closed window
		} {
			var got int
			var e error
			if err := raw.Control(func(fd uintptr) { got, e = unix.GetsockoptInt(int(fd), o.level, o.option) }); err != nil || e != nil {
				t.Fatalf("%s: %v, %v", o.name, err, e)
			}
			if got != o.want {
				t.Errorf("%s: %s is %d, want %d", c.name, o.name, got, o.want)
			}
			t.Logf("%s: %s is %d", c.name, o.name, got)
		}
	}
}

// full opens a line whose far end takes no more of `size` bytes, and says what left; the line is given up after `unheard`. A
// far end with a small buffer drops what it has promised to take, and the kernel sends it again; else it sends probes.
func full(t *testing.T, unheard time.Duration, size int, small bool) (p *netport.Port, far *net.TCPConn, sent []byte) {
	t.Helper()
	p, far = short(t, unheard)
	if small {
		if err := far.SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 13)
	}
	n, err := p.Write(b) // this machine's buffers may have room for all of it
	if err != nil && !errors.Is(err, devices.ErrStalled) || n == 0 {
		t.Fatalf("%d bytes left, %v", n, err)
	}
	return p, far, b[:n]
}

// short opens a line that is given up after `unheard`.
func short(t *testing.T, unheard time.Duration) (p *netport.Port, far *net.TCPConn) {
	t.Helper()
	netport.Patience(t, unheard, unheard/10)
	addr, taken := listen(t)
	p, err := netport.Dial(t.Context(), addr, netport.Options{WriteLimit: 40 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	far = <-taken
	t.Cleanup(func() { p.Close(); far.Close() })
	return p, far
}

// A printer without paper takes nothing for as long as that lasts, and its system answers each probe: it keeps its line, and
// the job is printed when the paper is there.
func TestAFarEndThatAnswersAndTakesNothingKeepsItsLine(t *testing.T) {
	const unheard = 50 * time.Millisecond
	for _, c := range []struct {
		name  string
		size  int
		small bool
	}{{"a small buffer", 72 << 10, true}, {"a large one", 16 << 20, false}} {
		t.Run(c.name, func(t *testing.T) {
			p, far, sent := full(t, unheard, c.size, c.small)
			ended := make(chan error, 1)
			go func() { _, err := p.Read(make([]byte, 1)); ended <- err }()
			select {
			case err := <-ended:
				t.Fatalf("the line ended: %v", err)
			case <-time.After(10 * unheard):
			}
			if err := far.SetReadBuffer(1 << 20); err != nil { // else its reading would crawl from window probe to window probe
				t.Fatal(err)
			}
			got := make([]byte, len(sent))
			if n, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, sent) {
				t.Fatalf("%d of %d bytes came, %v", n, len(sent), err)
			}
			if n, err := p.Write([]byte("on")); n != 2 || err != nil {
				t.Errorf("behind them: %d bytes, %v", n, err)
			}
			t.Logf("%d bytes waited for %v and came", len(sent), 10*unheard)
		})
	}
}

// A far end that has vanished, as a printer whose cable was pulled, loses its line: the Read that waits for it and each Write
// behind it say why.
func TestAFarEndThatDoesNotAnswerLosesItsLine(t *testing.T) {
	const unheard = 250 * time.Millisecond
	for _, c := range []struct {
		name string
		open func(*testing.T) (*netport.Port, *net.TCPConn)
	}{
		{"bytes are on their way", func(t *testing.T) (*netport.Port, *net.TCPConn) { return short(t, unheard) }},
		{"it takes nothing, a small buffer", func(t *testing.T) (*netport.Port, *net.TCPConn) {
			p, far, _ := full(t, unheard, 256<<10, true)
			return p, far
		}},
		{"it takes nothing, a large one", func(t *testing.T) (*netport.Port, *net.TCPConn) {
			p, far, _ := full(t, unheard, 16<<20, false)
			return p, far
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, far := c.open(t)
			vanish(t, far)
			start := time.Now()
			_, _ = p.Write([]byte("x")) // where there is room
			ended := make(chan error, 1)
			go func() { _, err := p.Read(make([]byte, 1)); ended <- err }()
			select {
			case err := <-ended:
				if !errors.Is(err, syscall.ETIMEDOUT) {
					t.Errorf("read: %v", err)
				}
				t.Logf("after %v: %v", time.Since(start).Round(time.Millisecond), err)
			case <-time.After(time.Minute):
				t.Fatal("the line stands")
			}
			if n, err := p.Write([]byte("x")); n != 0 || !errors.Is(err, syscall.ETIMEDOUT) {
				t.Errorf("write: %d bytes, %v", n, err)
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// A line on which nothing waits is not looked at, and bytes that were acknowledged wait no more.
func TestNothingIsLookedAtWhereNothingWaits(t *testing.T) {
	p, far := short(t, 100*time.Millisecond)
	if p.Watched() {
		t.Error("looked at before anything was written")
	}
	if _, err := p.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if !p.Watched() {
		t.Error("not looked at behind a write")
	}
	if _, err := io.ReadFull(far, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); p.Watched(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still looked at")
		}
	}
}

// vanish lets nothing more come to a connection: its system does not answer.
func vanish(t *testing.T, c *net.TCPConn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	var e error
	if err := raw.Control(func(fd uintptr) {
		e = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing[0]})
	}); err != nil || e != nil {
		t.Fatal(err, e)
	}
}
