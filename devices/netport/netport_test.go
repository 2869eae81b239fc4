package netport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tilld/devices"
	"tilld/devices/netport"
	"tilld/devices/porttest"
)

// listen is a device on loopback: what it takes in comes out of the channel.
func listen(t *testing.T) (addr string, taken <-chan *net.TCPConn) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ch := make(chan *net.TCPConn)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			ch <- c.(*net.TCPConn)
		}
	}()
	return l.Addr().String(), ch
}

func TestSuite(t *testing.T) {
	addr, taken := listen(t)
	var again func() (porttest.Pair, error)
	again = func() (porttest.Pair, error) {
		p, err := netport.Dial(t.Context(), addr, netport.Options{WriteLimit: 200 * time.Millisecond})
		if err != nil {
			return porttest.Pair{}, err
		}
		far := <-taken
		t.Cleanup(func() { p.Close(); far.Close() })
		// With a much smaller buffer the far end's reading would crawl from window probe to window probe.
		return porttest.Pair{Port: p, Far: far, Again: again}, far.SetReadBuffer(256 << 10)
	}
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		p, err := again()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}, 32<<20)
}

// Bytes that left before the line was closed arrive: a receipt's end is not cut off by the close behind it.
func TestCloseLetsWhatLeftArrive(t *testing.T) {
	addr, taken := listen(t)
	p, err := netport.Dial(t.Context(), addr, netport.Options{})
	if err != nil {
		t.Fatal(err)
	}
	far := <-taken
	defer far.Close()
	if _, err := p.Write(make([]byte, 50_000)); err != nil {
		t.Fatal(err)
	}
	if err := p.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	if b, err := io.ReadAll(far); err != nil || len(b) != 50_000 {
		t.Fatalf("%d bytes arrived, %v", len(b), err)
	}
}

// A far end that takes a little now and then is slow, not stalled. Where the machine itself let the far end wait for
// longer than the limit, nothing was shown: once more with a longer one.
func TestASlowFarEndIsNotStalled(t *testing.T) {
	for limit := 300 * time.Millisecond; ; limit *= 2 {
		longest, err := slowly(t, limit)
		if err == nil {
			return
		}
		if longest < limit/2 || limit > 4*time.Second {
			t.Fatalf("limit %v, longest pause %v: %v", limit, longest, err)
		}
	}
}

// slowly writes to a far end that takes longer in all than the limit for one step, and says how long its longest pause
// became.
func slowly(t *testing.T, limit time.Duration) (longest time.Duration, err error) {
	t.Helper()
	addr, taken := listen(t)
	p, err := netport.Dial(t.Context(), addr, netport.Options{WriteLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	far := <-taken
	const size = 16 << 20
	pause := make(chan time.Duration, 1)
	go func() {
		b, start, most := make([]byte, 256<<10), time.Now(), time.Duration(0)
		defer func() { pause <- most }()
		for last := start; ; last = time.Now() {
			if _, err := far.Read(b); err != nil {
				return
			}
			if time.Since(start) < 2*limit {
				time.Sleep(limit / 15)
			}
			most = max(most, time.Since(last))
		}
	}()
	n, err := p.Write(make([]byte, size))
	if err == nil && n != size {
		t.Errorf("wrote %d of %d without an error", n, size)
	}
	_ = p.Close()
	longest = <-pause
	_ = far.Close()
	return longest, err
}

func TestErrorsAreSorted(t *testing.T) {
	addr, _ := listen(t)
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		addr string
		want error
		not  error
	}{
		"no port":          {t.Context(), "127.0.0.1", devices.ErrPerson, devices.ErrAbsent},
		"no host":          {t.Context(), ":9100", devices.ErrPerson, devices.ErrAbsent},
		"refused":          {t.Context(), nobody, nil, devices.ErrAbsent},
		"we are stopped":   {over, addr, context.Canceled, devices.ErrAbsent},
		"port of no range": {t.Context(), "127.0.0.1:99999", devices.ErrPerson, devices.ErrAbsent},
	} {
		p, err := netport.Dial(c.ctx, c.addr, netport.Options{DialLimit: time.Second})
		if err == nil {
			p.Close()
			t.Errorf("%s: connected", name)
			continue
		}
		if c.want != nil && !errors.Is(err, c.want) || errors.Is(err, c.not) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The line is opened again after the far end has gone and come back at the same address.
func TestOpenAgain(t *testing.T) {
	addr, taken := listen(t)
	for i := range 3 {
		p, err := netport.Dial(t.Context(), addr, netport.Options{})
		if err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		far := <-taken
		far.Close()
		if _, err := p.Read(make([]byte, 1)); err == nil {
			t.Fatal("read on a line that was hung up")
		}
		p.Close()
	}
}
