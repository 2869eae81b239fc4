// Package scannertest is the suite that every scanner passes, the virtual ones too.
package scannertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tilld/scanner"
)

// Bench is a fresh scanner and the hand that holds codes in front of it.
type Bench struct {
	Scanner scanner.Scanner
	Scan    func(text string) // as the hardware would send it, terminator included
	HangUp  func()
}

const limit = 5 * time.Second

// Run runs the suite.
func Run(t *testing.T, open func(*testing.T) Bench) {
	t.Run("EachReadingArrivesOnceAndInOrder", func(t *testing.T) {
		b := open(t)
		got := make(chan scanner.Reading, 64)
		end := serve(t, b, func(_ context.Context, r scanner.Reading) error { got <- r; return nil })
		for i := range 20 {
			b.Scan(fmt.Sprintf("CODE-%02d", i))
		}
		for i := range 20 {
			select {
			case r := <-got:
				if want := fmt.Sprintf("CODE-%02d", i); r.Text.Reveal() != want {
					t.Fatalf("reading %d is %q, want %q", i, r.Text.Reveal(), want)
				}
				if r.Last.Before(r.First) || r.Last.IsZero() {
					t.Fatal("times of the bytes")
				}
			case <-time.After(limit):
				t.Fatalf("reading %d never came", i)
			}
		}
		b.HangUp()
		<-end
	})
	t.Run("AReadingPrintsAsAMask", func(t *testing.T) {
		b := open(t)
		got := make(chan scanner.Reading, 1)
		end := serve(t, b, func(_ context.Context, r scanner.Reading) error { got <- r; return nil })
		b.Scan("281234567890123456")
		r := <-got
		if s := fmt.Sprintf("%v %+v %#v %s", r, r, r.Text, r.Text); strings.Contains(s, "2812345") {
			t.Fatalf("shows the code: %s", s)
		}
		b.HangUp()
		<-end
	})
	t.Run("ServeEndsWhenTheSinkRefuses", func(t *testing.T) {
		b := open(t)
		end := serve(t, b, func(context.Context, scanner.Reading) error { return errors.New("no room") })
		b.Scan("X1")
		wait(t, end)
	})
	t.Run("ServeEndsWithTheLine", func(t *testing.T) {
		b := open(t)
		end := serve(t, b, func(context.Context, scanner.Reading) error { return nil })
		b.HangUp()
		wait(t, end)
	})
}

func serve(t *testing.T, b Bench, sink func(context.Context, scanner.Reading) error) <-chan error {
	t.Helper()
	end := make(chan error, 1)
	go func() { end <- b.Scanner.Serve(t.Context(), sink) }()
	return end
}

func wait(t *testing.T, end <-chan error) {
	t.Helper()
	select {
	case err := <-end:
		if err == nil {
			t.Fatal("ended without an error")
		}
	case <-time.After(limit):
		t.Fatal("Serve goes on")
	}
}
