package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// queue is the kernel between a keyboard and its reader: what the reader has not read, and what it has.
type queue struct {
	mu      sync.Mutex
	last    []byte
	waits   int // events
	most    int
	typed   strings.Builder
	reports int
	pressed chan struct{}
}

// Write is a report of the keyboard.
func (q *queue) Write(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waits += events(q.last, b)
	q.most = max(q.most, q.waits)
	if q.reports++; b[2] != 0 && b[2] != q.last[2] {
		keys := plainKeys
		if b[0] != 0 {
			keys = shiftedKeys
		}
		q.typed.WriteByte(keys[b[2]-firstKey])
	}
	q.last = append([]byte(nil), b...)
	select {
	case q.pressed <- struct{}{}:
	default:
	}
	return len(b), nil
}

// Whatever the reader does, no more events wait for it than the kernel keeps, each code comes whole, and a part has been
// read when it was typed.
func TestTheKeyboardIsNeverAheadOfWhatTheKernelKeeps(t *testing.T) {
	const kept, codes = 63, 200
	node := filepath.Join(t.TempDir(), "event0")
	if err := os.WriteFile(node, make([]byte, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(node)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	q := &queue{last: noKeys(), pressed: make(chan struct{}, 1)}
	var done sync.WaitGroup
	done.Go(func() {
		for range q.pressed { // some presses come before it looks, some while it does
			q.mu.Lock()
			q.waits = 0
			q.mu.Unlock()
			if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
				t.Error(err)
			}
		}
	})
	p := &pace{node: func() string { return node }}
	code := "1-" + strings.Repeat("aaB", 3) + "https://Qr.Example/?x=1&y=~" + strings.Repeat("0123456789", 10)
	var want strings.Builder
	for range codes {
		if err := p.asKeys(q, code, true); err != nil {
			t.Fatal(err)
		}
		want.WriteString(code + "\n")
	}
	for n := range 2 * kept { // wherever the kernel's room ends in it
		part := strings.Repeat("aB1", kept)[:n]
		if err := p.asKeys(q, part, false); err != nil {
			t.Fatalf("a part of %d characters: %v", n, err)
		}
		want.WriteString(part)
	}
	close(q.pressed)
	done.Wait()
	if got := q.typed.String(); got != want.String() {
		t.Errorf("%d characters came, want %d", len(got), want.Len())
	}
	if q.most > kept || p.slow != codes/slowly {
		t.Errorf("%d events waited, the kernel keeps %d; %d codes key by key", q.most, kept, p.slow)
	}
	t.Logf("%d codes, %d of them key by key, %d reports for %d characters, at most %d events waited", p.codes, p.slow, q.reports, want.Len(), q.most)
	if err := p.asKeys(errWriter{}, code, true); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a pulled cable: %v", err)
	}
	_ = os.Remove(node)
	if err := p.asKeys(q, code, true); err == nil {
		t.Error("typed without a reader's node")
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }
