package pipes_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/pipes"
)

// TestNet: both ends meet in a bubble's time; whom nobody takes waits until his own time is over or the listener is closed.
func TestNet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipes.New()
		n.Far = pipes.Local
		began := time.Now()
		hour, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := n.Dial(hour, "", ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Hour {
			t.Errorf("nobody takes the call: %v after %v", err, time.Since(began))
		}
		ended := make(chan error, 1)
		go func() {
			for {
				c, err := n.Accept()
				if err != nil {
					ended <- err
					return
				}
				_, err = io.WriteString(c, c.RemoteAddr().String())
				c.Close()
				if err != nil {
					ended <- err
					return
				}
			}
		}()
		c, err := n.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if said, err := io.ReadAll(c); err != nil || string(said) != "127.0.0.1:40000" {
			t.Errorf("heard %q, %v", said, err)
		}
		if err := errors.Join(n.Close(), n.Close()); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the listener ended with %v", err)
		}
		if _, err := n.Dial(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}
