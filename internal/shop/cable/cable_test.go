package cable_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"tilld/internal/shop/cable"
)

// echo answers what it hears, until the test ends.
func echo(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return ln.Addr().String()
}

// lay lays a cable that ends with the test, and checks that it ends.
func lay(t *testing.T, to string) *cable.Cable {
	t.Helper()
	c, err := cable.Lay(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the end of the cable: %v", err)
			}
		case <-time.After(soon):
			t.Error("the cable never ended")
		}
	})
	return c
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// call dials and says a word. A reset may come as early as the dial.
func call(addr, word string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return says(c, word, soon)
}

// says sends a word and waits so long for its echo.
func says(c net.Conn, word string, limit time.Duration) error {
	if _, err := c.Write([]byte(word)); err != nil {
		return err
	}
	return hears(c, word, limit)
}

func hears(c net.Conn, word string, limit time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(limit))
	b := make([]byte, len(word))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != word {
		return errors.New("heard " + string(b))
	}
	return nil
}

const (
	soon = time.Minute           // for what takes no time
	hush = 50 * time.Millisecond // for what must not come
)

func TestCarries(t *testing.T) {
	c := lay(t, echo(t))
	for range 3 {
		if err := says(dial(t, c.Addr()), "hello", soon); err != nil {
			t.Fatal(err)
		}
	}
	if c.State() != cable.Whole {
		t.Errorf("state %s", c.State())
	}
}

func TestCutResetsAndRefusesUntilWhole(t *testing.T) {
	c := lay(t, echo(t))
	old := dial(t, c.Addr())
	if err := says(old, "one", soon); err != nil {
		t.Fatal(err)
	}
	c.Set(cable.Cut)
	if err := says(old, "two", soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("on a cut cable: %v", err)
	}
	if err := call(c.Addr(), "three"); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a new connection on a cut cable: %v", err)
	}
	c.Set(cable.Whole)
	if err := says(dial(t, c.Addr()), "four", soon); err != nil {
		t.Errorf("mended: %v", err)
	}
}

func TestSilentHoldsAndGoesOn(t *testing.T) {
	c := lay(t, echo(t))
	old := dial(t, c.Addr())
	if err := says(old, "one", soon); err != nil {
		t.Fatal(err)
	}
	c.Set(cable.Silent)
	if err := says(old, "two", hush); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("on a silent cable: %v", err)
	}
	fresh := dial(t, c.Addr())
	if err := says(fresh, "three", hush); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a new connection on a silent cable: %v", err)
	}
	c.Set(cable.Whole)
	if err := errors.Join(hears(old, "two", soon), hears(fresh, "three", soon)); err != nil {
		t.Errorf("whole again: %v", err)
	}
}

func TestSilentThenCut(t *testing.T) {
	c := lay(t, echo(t))
	old := dial(t, c.Addr())
	if err := says(old, "one", soon); err != nil {
		t.Fatal(err)
	}
	c.Set(cable.Silent)
	_ = says(old, "two", hush)
	c.Set(cable.Cut)
	if err := hears(old, "two", soon); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut while silent: %v", err)
	}
}

func TestNobodyAtTheFarEndHangsUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := ln.Addr().String()
	_ = ln.Close()
	if err := call(lay(t, to).Addr(), "hello"); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("to nobody: %v", err)
	}
}
