package porttest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Reads runs the suite of a line that nobody writes to, as a keyboard's: it is read, closed, hung up and opened again.
func Reads(t *testing.T, open func(*testing.T) Pair) {
	t.Run("BytesComeUnchanged", func(t *testing.T) {
		p := open(t)
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		sent := make(chan error, 1)
		go func() { _, err := p.Far.Write(all); sent <- err }()
		got := make([]byte, 256)
		if _, err := io.ReadFull(p.Port, got); err != nil || !bytes.Equal(got, all) {
			t.Fatalf("port read % x, %v", got, err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	})
	t.Run("CloseEndsABlockedRead", func(t *testing.T) { closeEndsARead(t, open) })
	t.Run("HangUpEndsABlockedRead", func(t *testing.T) { hangUpEndsARead(t, open) })
	t.Run("ManyClosesAtOnceAreOne", func(t *testing.T) { closesAreOne(t, open) })
	t.Run("OpenedAgainItIsRead", func(t *testing.T) {
		p := open(t)
		if p.Again == nil {
			t.Fatal("whoever reads a line opens it again")
		}
		for i := range byte(3) {
			_ = p.Port.Close()
			next, err := p.Again()
			if err != nil {
				t.Fatal(err)
			}
			p = next
			sent := make(chan error, 1)
			go func() { _, err := p.Far.Write([]byte{'a' + i}); sent <- err }()
			got := make([]byte, 1)
			if _, err := io.ReadFull(p.Port, got); err != nil || got[0] != 'a'+i {
				t.Fatalf("port read %q, %v", got, err)
			}
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("NothingIsLeftBehind", func(t *testing.T) { nothingIsLeft(t, open, 0) })
	t.Run("ReadAfterCloseIsAnError", func(t *testing.T) {
		p := open(t)
		_ = p.Port.Close()
		if n, err := p.Port.Read(make([]byte, 8)); err == nil || n != 0 || errors.Is(err, io.EOF) {
			t.Fatalf("read %d bytes, %v", n, err)
		}
		_ = p.Port.Close() // again is harmless
	})
}

// closeEndsARead: a Read that waits ends with Close.
func closeEndsARead(t *testing.T, open func(*testing.T) Pair) {
	t.Helper()
	p := open(t)
	done := make(chan error, 1)
	go func() { _, err := p.Port.Read(make([]byte, 8)); done <- err }()
	_ = p.Port.Close()
	ended(t, done)
}

// hangUpEndsARead: a Read that waits ends with the line.
func hangUpEndsARead(t *testing.T, open func(*testing.T) Pair) {
	t.Helper()
	p := open(t)
	done := make(chan error, 1)
	go func() { _, err := p.Port.Read(make([]byte, 8)); done <- err }()
	_ = p.Far.Close()
	ended(t, done)
}

// closesAreOne: many closes at once answer alike.
func closesAreOne(t *testing.T, open func(*testing.T) Pair) {
	t.Helper()
	p := open(t)
	done := make(chan error, 1)
	go func() { _, err := p.Port.Read(make([]byte, 8)); done <- err }()
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = p.Port.Close() })
	}
	wg.Wait()
	ended(t, done)
	for _, err := range errs {
		if (err == nil) != (errs[0] == nil) {
			t.Errorf("closes answer differently: %v", errs)
		}
	}
}

// nothingIsLeft: lines that were opened and closed in every way leave no file and no goroutine. stallBytes as of Run.
func nothingIsLeft(t *testing.T, open func(*testing.T) Pair, stallBytes int) {
	t.Helper()
	p := open(t) // whatever the first one starts for good is there now
	_ = p.Port.Close()
	_ = p.Far.Close()
	files, routines := openFiles(t), runtime.NumGoroutine()
	ends := []struct {
		how   string
		begin func(Pair, []byte) (int, error)
		end   func(Pair)
	}{
		{"closed in a read", func(p Pair, b []byte) (int, error) { return p.Port.Read(b) }, func(p Pair) { _ = p.Port.Close() }},
		{"hung up in a read", func(p Pair, b []byte) (int, error) { return p.Port.Read(b) }, func(p Pair) { _ = p.Far.Close() }},
	}
	if stallBytes > 0 {
		write := func(p Pair, _ []byte) (int, error) { return p.Port.Write(make([]byte, stallBytes)) }
		ends = append(ends, ends[0], ends[1])
		ends[2].how, ends[2].begin = "closed in a write", write
		ends[3].how, ends[3].begin = "hung up in a write", write
	}
	for i := range 8 {
		p := open(t)
		e := ends[i%len(ends)]
		done := make(chan error, 1)
		go func() { _, err := e.begin(p, make([]byte, 8)); done <- err }()
		e.end(p)
		ended(t, done)
		_ = p.Port.Close()
		_ = p.Far.Close()
	}
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		f, r := openFiles(t), runtime.NumGoroutine()
		if f <= files && r <= routines {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d files and %d goroutines before, %d and %d after 8 lines were opened and closed", files, routines, f, r)
		}
	}
}

// openFiles is how many descriptors this process holds.
func openFiles(t *testing.T) int {
	t.Helper()
	es, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(es)
}
