package scannertest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/session"
	"tilld/scanner"
)

// Hand is what somebody does with a scanner whose end of the line it gets.
type Hand func(far io.ReadWriteCloser)

// Sessions replays each session in testdata of which the pattern is, as in "*.session". open gets its name, without folder
// and ending, and the line, which says what the device has said and takes what it was sent and nothing else. What the
// driver reads and notes is what the session's remarks say, in order:
//
//	# reading ]Q1 "https://qr.example/1"
//	# note damaged
func Sessions(t *testing.T, pattern string, open func(t *testing.T, name string, p devices.Port) scanner.Scanner) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d sessions %s, %v", len(files), pattern, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".session")
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				p, err := session.Play(file, string(b))
				if err != nil {
					t.Fatal(err)
				}
				var want, got []string
				for l := range strings.Lines(string(b)) {
					if r := strings.TrimPrefix(strings.TrimSpace(l), "# "); strings.HasPrefix(r, "reading ") || strings.HasPrefix(r, "note ") {
						want = append(want, r)
					}
				}
				if err := hear(t, open(t, name, p), func(what string) { got = append(got, what) }); err == nil {
					t.Error("Serve ended without the line's error")
				}
				if !slices.Equal(got, want) {
					t.Errorf("read and noted\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if err := p.Done(); err != nil {
					t.Error(err)
				}
				t.Logf("%s: %s", file, strings.Join(got, ", "))
			})
		})
	}
}

// Record takes a session down anew: what a driver and a hand's scanner say to each other until the hand is done and pulls the
// cable. about is the session's first remark.
func Record(t *testing.T, name, about string, descriptor []byte, open func(t *testing.T, name string, p devices.Port) scanner.Scanner, hand Hand) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := NewWire(descriptor)
		r := &session.Recorder{Port: w}
		r.Remark("%s", about)
		go func() {
			hand(w.Far())
			synctest.Wait() // the driver has done what there was to do: a replay has no time that passes
			_ = w.Far().Close()
		}()
		_ = hear(t, open(t, name, r), func(what string) { r.Remark("%s", what) })
		if err := os.WriteFile(filepath.Join("testdata", name+".session"), []byte(r.Text()), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

// hear serves a scanner to its line's end and tells what it reads and notes.
func hear(t *testing.T, s scanner.Scanner, tell func(string)) error {
	if n, ok := s.(scanner.Noter); ok {
		n.Notify(func(n scanner.Note) { tell("note " + n.Code) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour) // of the test's own time: a driver that waits for more than was said
	defer cancel()
	return s.Serve(ctx, func(_ context.Context, r scanner.Reading) error {
		tell("reading " + r.Symbology + " " + strconv.Quote(r.Text.Reveal()))
		return nil
	})
}
