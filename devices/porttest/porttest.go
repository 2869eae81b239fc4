// Package porttest is the suite that every kind of line passes, the virtual ones too. It knows no command set.
package porttest

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"tilld/devices"
)

// Pair is a fresh line and its far end. Far reads what was written and writes what is to be read; closing it is a
// hang-up. Where Far has CloseWrite, the half-closed line is tested too.
type Pair struct {
	Port  devices.Port
	Far   io.ReadWriteCloser
	Again func() (Pair, error) // opens the same line once more, with the far end that it then has; nil where a line is opened by nobody
}

// within is how soon Close must end a blocked call: the contract says a second; a loaded machine gets a minute.
const within = time.Minute

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
	t.Run("CloseEndsABlockedRead", func(t *testing.T) { closeEndsARead(t, open) })
	t.Run("HangUpEndsABlockedRead", func(t *testing.T) { hangUpEndsARead(t, open) })
	t.Run("ALongWriteArrivesWholeWhenTheFarEndIsSlow", func(t *testing.T) {
		p := open(t)
		b := make([]byte, 20_000)
		for i := range b {
			b[i] = byte(i * 7)
		}
		type result struct {
			n   int
			err error
		}
		done := make(chan result, 1)
		go func() { n, err := p.Port.Write(b); done <- result{n, err} }()
		var got []byte
		small := make([]byte, 97)
		for len(got) < len(b) {
			n, err := p.Far.Read(small)
			if err != nil {
				t.Fatalf("after %d bytes: %v", len(got), err)
			}
			got = append(got, small[:n]...)
		}
		if r := <-done; r.err != nil || r.n != len(b) || !bytes.Equal(got, b) {
			t.Fatalf("wrote %d of %d, %v; the same arrived: %v", r.n, len(b), r.err, bytes.Equal(got, b))
		}
	})
	t.Run("AWriteToAFarEndThatIsGoneNeverClaimsMoreThanAnError", func(t *testing.T) {
		p := open(t)
		_ = p.Far.Close()
		for deadline := time.Now().Add(within); time.Now().Before(deadline); { // the first bytes may still find room in a buffer
			b := make([]byte, 512)
			n, err := p.Port.Write(b)
			if err != nil {
				return
			}
			if n != len(b) {
				t.Fatalf("a short write of %d of %d bytes has no error", n, len(b))
			}
		}
		t.Fatal("no error on a line that was hung up")
	})
	t.Run("ManyClosesAtOnceAreOne", func(t *testing.T) { closesAreOne(t, open) })
	t.Run("OpenedAgainItIsAsNew", func(t *testing.T) {
		p := open(t)
		if p.Again == nil {
			t.Log("whoever made this line opens it: there is no second time")
			return
		}
		for range 3 {
			go p.Far.Write([]byte("left unread")) // by whoever had the line before
			_ = p.Port.Close()
			next, err := p.Again()
			if err != nil {
				t.Fatal(err)
			}
			p = next
			if n, err := p.Port.Write([]byte("again")); n != 5 || err != nil {
				t.Fatalf("wrote %d bytes, %v", n, err)
			}
			got := make([]byte, 5)
			if _, err := io.ReadFull(p.Far, got); err != nil || string(got) != "again" {
				t.Fatalf("far end read %q, %v", got, err)
			}
		}
	})
	t.Run("CloseEndsAReadAndLetsNoByteOutAfterIt", func(t *testing.T) {
		p := open(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := p.Port.Read(make([]byte, 8)); err != nil {
						return
					}
				}
			})
			wg.Go(func() {
				for {
					if n, err := p.Port.Write([]byte("xxxxxxxx")); err != nil {
						return
					} else if n != 8 {
						t.Error("a short count without an error")
						return
					}
				}
			})
		}
		wg.Go(func() { _, _ = io.Copy(io.Discard, p.Far) })
		_ = p.Port.Close()
		all := make(chan error, 1)
		go func() { _ = p.Far.Close(); wg.Wait(); all <- io.EOF }()
		ended(t, all)
		if n, err := p.Port.Write([]byte("late")); n != 0 || err == nil {
			t.Errorf("after Close %d bytes were taken, %v", n, err)
		}
	})
	t.Run("NothingIsLeftBehind", func(t *testing.T) { nothingIsLeft(t, open, stallBytes) })
	t.Run("WriteAfterCloseIsAnError", func(t *testing.T) {
		p := open(t)
		_ = p.Port.Close()
		if n, err := p.Port.Write([]byte("x")); err == nil || n != 0 {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		_ = p.Port.Close() // again is harmless
	})
	t.Run("TheFarEndMayEndSendingAndStillRead", func(t *testing.T) {
		p := open(t)
		half, ok := p.Far.(interface{ CloseWrite() error })
		if !ok {
			t.Log("a line of this kind has no half to close")
			return
		}
		if err := half.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := p.Port.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
			t.Fatalf("read %d bytes, %v; want io.EOF", n, err)
		}
		if _, err := p.Port.Write([]byte("still")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(p.Far, got); err != nil || string(got) != "still" {
			t.Fatalf("far end read %q, %v", got, err)
		}
	})
	if stallBytes == 0 {
		return
	}
	t.Run("AStalledWriteEndsWithTheCountThatLeft", func(t *testing.T) {
		p := open(t)
		b := make([]byte, stallBytes)
		for i := range b {
			b[i] = byte(i * 13)
		}
		n, err := p.Port.Write(b)
		if !errors.Is(err, devices.ErrStalled) || n <= 0 || n >= len(b) {
			t.Fatalf("wrote %d of %d, %v", n, len(b), err)
		}
		got := make([]byte, n) // the far end finds that many, and they are the first ones
		if m, err := io.ReadFull(p.Far, got); err != nil || !bytes.Equal(got, b[:n]) {
			i := 0
			for i < m && got[i] == b[i] {
				i++
			}
			t.Fatalf("far end: %v; of %d bytes %d came, the first %d of them as they were, behind those %x instead of %x", err, n, m, i, got[i:min(i+16, m)], b[i:i+16])
		}
		if m, err := p.Port.Write([]byte("on")); m != 2 || err != nil {
			t.Fatalf("once it reads again: wrote %d, %v", m, err)
		}
		if _, err := io.ReadFull(p.Far, got[:2]); err != nil || string(got[:2]) != "on" {
			t.Fatalf("behind what left stands %q, %v", got[:2], err)
		}
		t.Logf("%d of %d bytes left before the stall was told", n, len(b))
	})
	t.Run("AStallIsTheLinesOwn", func(t *testing.T) {
		stuck, free := open(t), open(t)
		done := make(chan error, 1)
		go func() { _, err := stuck.Port.Write(make([]byte, stallBytes)); done <- err }()
		for range 50 {
			if _, err := free.Port.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(free.Far, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
		ended(t, done)
	})
	t.Run("HangUpEndsABlockedWrite", func(t *testing.T) {
		p := open(t)
		done := make(chan error, 1)
		go func() { _, err := p.Port.Write(make([]byte, stallBytes)); done <- err }()
		_ = p.Far.Close()
		ended(t, done)
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
