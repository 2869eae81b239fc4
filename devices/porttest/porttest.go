// Package porttest is the suite that every kind of line passes, the virtual ones too. It knows no command set.
package porttest

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"tilld/devices"
)

// Pair is a fresh line and its far end. Far reads what was written and writes what is to be read; closing it is a
// hang-up.
type Pair struct {
	Port devices.Port
	Far  io.ReadWriteCloser
}

// within is how soon Close must end a blocked call: the contract says a second; a loaded machine gets more.
const within = 5 * time.Second

// Run runs the suite. stallBytes is more than the line buffers when nobody reads, 0 for a line that cannot stall.
func Run(t *testing.T, open func(*testing.T) Pair, stallBytes int) {
	t.Run("BytesGoBothWaysUnchanged", func(t *testing.T) {
		p := open(t)
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		go p.Port.Write(all)
		got := make([]byte, 256)
		if _, err := io.ReadFull(p.Far, got); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("far end read % x, %v", got, err)
		}
		go p.Far.Write(all)
		if _, err := io.ReadFull(p.Port, got); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("port read % x, %v", got, err)
		}
	})
	t.Run("CloseEndsABlockedRead", func(t *testing.T) {
		p := open(t)
		done := make(chan error, 1)
		go func() { _, err := p.Port.Read(make([]byte, 8)); done <- err }()
		_ = p.Port.Close()
		ended(t, done)
	})
	t.Run("HangUpEndsABlockedRead", func(t *testing.T) {
		p := open(t)
		done := make(chan error, 1)
		go func() { _, err := p.Port.Read(make([]byte, 8)); done <- err }()
		_ = p.Far.Close()
		ended(t, done)
	})
	t.Run("WriteAfterCloseIsAnError", func(t *testing.T) {
		p := open(t)
		_ = p.Port.Close()
		if n, err := p.Port.Write([]byte("x")); err == nil || n != 0 {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		_ = p.Port.Close() // again is harmless
	})
	if stallBytes == 0 {
		return
	}
	t.Run("AStalledWriteEndsWithTheCountThatLeft", func(t *testing.T) {
		p := open(t)
		b := make([]byte, stallBytes)
		n, err := p.Port.Write(b)
		if !errors.Is(err, devices.ErrStalled) || n <= 0 || n >= len(b) {
			t.Fatalf("wrote %d of %d, %v", n, len(b), err)
		}
		t.Logf("%d of %d bytes left before the stall was told", n, len(b))
	})
	t.Run("CloseEndsABlockedWrite", func(t *testing.T) {
		p := open(t)
		done := make(chan error, 1)
		go func() { _, err := p.Port.Write(make([]byte, stallBytes)); done <- err }()
		_ = p.Port.Close()
		ended(t, done)
	})
}

func ended(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err == nil {
			t.Fatal("ended without an error")
		}
	case <-time.After(within):
		t.Fatal("still blocked")
	}
}
