// Package scannertest is the suite that every scanner passes, the virtual ones too, and a line in memory for it.
package scannertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/scanner"
)

// Bench is a fresh scanner and the hand that holds codes in front of it.
type Bench struct {
	Scanner   scanner.Scanner
	Scan      func(text string) // as the hardware would send it, terminator included; returns when the hardware is done with it
	Part      func(text string) // sends a code but for its end: the cable is pulled then
	Noise     func()            // what such a line may carry that is no code; nil where it carries nothing else
	Symbology string            // AIM identifier of the readings
	GaveUp    func() int        // codes that the hardware got no acknowledgement for; nil where it asks for none
	HangUp    func()
}

// limit is an emergency stop, above whatever a slow machine takes for what takes no time.
const limit = time.Minute

// alphabet is what every scanner can send.
const alphabet = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// Run runs the suite.
func Run(t *testing.T, open func(*testing.T) Bench) {
	t.Run("EachReadingArrivesOnceAndInOrder", func(t *testing.T) {
		b := open(t)
		got, end := collect(t, b)
		for i := range 20 {
			b.Scan(fmt.Sprintf("CODE-%02d", i))
		}
		for i := range 20 {
			r := next(t, got)
			if want := fmt.Sprintf("CODE-%02d", i); r.Text.Reveal() != want {
				t.Fatalf("reading %d is %q, want %q", i, r.Text.Reveal(), want)
			}
			if r.Last.Before(r.First) || r.Last.IsZero() || r.Last.After(time.Now()) {
				t.Fatalf("times of the bytes: %v to %v", r.First, r.Last)
			}
			if r.Symbology != b.Symbology {
				t.Fatalf("symbology %q, want %q", r.Symbology, b.Symbology)
			}
		}
		b.HangUp()
		<-end
	})
	t.Run("EachCharacterAndEachLengthArrivesAsItIs", func(t *testing.T) {
		b := open(t)
		got, end := collect(t, b)
		texts := []string{
			"A", "4006381333931", alphabet[1:], "https://shop.example/p?a=1&b=2#X_y~z", "two  words", "]not an identifier",
			strings.Repeat("0123456789", 30), strings.Repeat("Ab/=+", 60),
		}
		for _, text := range texts {
			if len(text) < 3 {
				continue // a wedge takes no reading so short
			}
			b.Scan(text)
			if r := next(t, got); r.Text.Reveal() != text {
				t.Fatalf("%q became %q", text, r.Text.Reveal())
			}
		}
		b.HangUp()
		<-end
	})
	t.Run("ASlowSinkLosesNothing", func(t *testing.T) {
		b := open(t)
		free, got := make(chan struct{}), make(chan scanner.Reading, 64)
		var once sync.Once
		inside := make(chan struct{})
		running := 0
		end := serve(t, b, func(_ context.Context, r scanner.Reading) error {
			running++
			once.Do(func() { close(inside) })
			<-free
			if running != 1 {
				return errors.New("two readings at once")
			}
			running--
			got <- r
			return nil
		})
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for i := range 30 {
				b.Scan(fmt.Sprintf("SLOW-%02d", i))
			}
		}()
		<-inside
		close(free)
		for i := range 30 {
			if r := next(t, got); r.Text.Reveal() != fmt.Sprintf("SLOW-%02d", i) {
				t.Fatalf("reading %d is %q", i, r.Text.Reveal())
			}
		}
		<-sent
		b.HangUp()
		<-end
	})
	t.Run("WhatWasCutOffIsNotTaken", func(t *testing.T) {
		b := open(t)
		got, end := collect(t, b)
		b.Scan("WHOLE-1")
		if r := next(t, got); r.Text.Reveal() != "WHOLE-1" {
			t.Fatalf("reading %q", r.Text.Reveal())
		}
		b.Part("HALF-OF-A-CODE")
		b.HangUp()
		wait(t, end)
		if len(got) != 0 {
			t.Fatalf("took %q", (<-got).Text.Reveal())
		}
	})
	t.Run("NoiseIsHarmless", func(t *testing.T) {
		b := open(t)
		if b.Noise == nil {
			t.Log("a line of this kind carries nothing but codes")
			b.HangUp()
			return
		}
		got, end := collect(t, b)
		b.Scan("BEFORE")
		b.Noise()
		b.Scan("AFTER")
		for _, want := range []string{"BEFORE", "AFTER"} {
			if r := next(t, got); r.Text.Reveal() != want {
				t.Fatalf("reading %q, want %q", r.Text.Reveal(), want)
			}
		}
		b.HangUp()
		<-end
	})
	t.Run("AReadingPrintsAsAMask", func(t *testing.T) {
		b := open(t)
		notes := listen(b)
		got, end := collect(t, b)
		b.Scan("281234567890123456")
		r := next(t, got)
		if s := fmt.Sprintf("%v %+v %#v %s", r, r, r.Text, r.Text); strings.Contains(s, "2812345") {
			t.Fatalf("shows the code: %s", s)
		}
		b.Part("281234567890123456")
		b.HangUp()
		err := <-end
		for _, s := range append(notes(), fmt.Sprint(err)) {
			if strings.Contains(s, "2812345") {
				t.Fatalf("shows the code: %s", s)
			}
		}
	})
	t.Run("CommandsThatItListsWork", func(t *testing.T) {
		b := open(t)
		c, ok := b.Scanner.(scanner.Commanded)
		if !ok || len(c.Commands()) == 0 {
			t.Log("it takes no commands")
			b.HangUp()
			return
		}
		got, end := collect(t, b)
		for _, cmd := range c.Commands() {
			if err := c.Do(t.Context(), cmd); err != nil {
				t.Errorf("%s: %v", cmd, err)
			}
		}
		if err := c.Do(t.Context(), "no_such_command"); err == nil {
			t.Error("took a command that is none")
		}
		b.Scan("STILL-READS")
		if r := next(t, got); r.Text.Reveal() != "STILL-READS" {
			t.Errorf("reading %q", r.Text.Reveal())
		}
		b.HangUp()
		<-end
	})
	t.Run("WhatCannotBeKeptIsNotAcknowledgedAndTheNextIsTaken", func(t *testing.T) {
		b := open(t)
		if b.GaveUp == nil {
			kept(t, func(*testing.T) Bench { return b })
			return
		}
		b.HangUp()
		t.Log("this scanner waits for its acknowledgement for seconds: Kept, which its tests call, has it where time stands still")
	})
	t.Run("ServeEndsWhenTheSinkRefuses", func(t *testing.T) {
		b := open(t)
		end := serve(t, b, func(context.Context, scanner.Reading) error { return errors.New("no room") })
		go b.Scan("X1-NOT-DURABLE")
		wait(t, end)
	})
	t.Run("ServeEndsWithTheLine", func(t *testing.T) {
		b := open(t)
		end := serve(t, b, func(context.Context, scanner.Reading) error { return nil })
		b.HangUp()
		wait(t, end)
	})
	t.Run("ServeEndsWithItsContextAndLeavesNothingBehind", func(t *testing.T) {
		before := runtime.NumGoroutine()
		for range 4 {
			b := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			end := make(chan error, 1)
			go func() { end <- b.Scanner.Serve(ctx, func(context.Context, scanner.Reading) error { return nil }) }()
			b.Scan("ONE-MORE")
			cancel()
			select {
			case err := <-end:
				if err != nil {
					t.Fatalf("a wanted end is an error: %v", err)
				}
			case <-time.After(limit):
				t.Fatal("Serve goes on")
			}
			b.HangUp()
		}
		for deadline := time.Now().Add(limit); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
			}
		}
	})
}

func serve(t *testing.T, b Bench, sink func(context.Context, scanner.Reading) error) <-chan error {
	t.Helper()
	end := make(chan error, 1)
	go func() { end <- b.Scanner.Serve(t.Context(), sink) }()
	return end
}

func collect(t *testing.T, b Bench) (<-chan scanner.Reading, <-chan error) {
	t.Helper()
	got := make(chan scanner.Reading, 64)
	return got, serve(t, b, func(_ context.Context, r scanner.Reading) error { got <- r; return nil })
}

func next(t *testing.T, got <-chan scanner.Reading) scanner.Reading {
	t.Helper()
	select {
	case r := <-got:
		return r
	case <-time.After(limit):
		t.Fatal("a reading never came")
	}
	return scanner.Reading{}
}

// listen gathers the notes of a scanner that has any.
func listen(b Bench) func() []string {
	var mu sync.Mutex
	var all []string
	if n, ok := b.Scanner.(scanner.Noter); ok {
		n.Notify(func(x scanner.Note) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, x.Code+" "+x.Sentence+" "+x.Remedy)
		})
	}
	return func() []string { mu.Lock(); defer mu.Unlock(); return all }
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
