// Package displaytest is the suite that every display passes, the virtual ones too.
package displaytest

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"tilld/devices"
	"tilld/display"
)

// within is how long anything may take that takes a second at most where nothing else runs: an emergency stop.
const within = time.Minute

// Bench is a fresh display and a look at its glass.
type Bench struct {
	Display   display.Display
	Glass     func() []string // the rows as a person reads them
	HangUp    func()          // the cable is pulled
	Stall     func()          // it takes nothing more
	LosePower func()          // it loses its power and gets it back, and its line does not tell; nil where the line would
}

// Run runs the suite, its cases side by side: they wait for a line, each for its own.
func Run(t *testing.T, open func(*testing.T) Bench) {
	each := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t)
		})
	}
	each("ShowReplacesTheWholeGlass", func(t *testing.T) {
		b := open(t)
		show(t, b, display.Screen{Kind: "code", Pole: [2]string{"TO PAY 125.50", "QR ON THE SCREEN"}})
		see(t, b, "TO PAY 125.50", "QR ON THE SCREEN")
		show(t, b, display.Screen{Kind: "paid", Pole: [2]string{"PAID", ""}})
		see(t, b, "PAID", "")
	})
	each("TheSameAgainChangesNothing", func(t *testing.T) {
		b := open(t)
		s := display.Screen{Kind: "idle", Pole: [2]string{"WELCOME", ""}}
		show(t, b, s)
		show(t, b, s)
		see(t, b, "WELCOME", "")
	})
	each("LongLinesAreCut", func(t *testing.T) {
		b := open(t)
		cols := b.Display.Caps().Cols
		show(t, b, display.Screen{Kind: "message", Pole: [2]string{strings.Repeat("X", cols+7), "SECOND"}})
		see(t, b, strings.Repeat("X", cols), "SECOND")
	})
	each("TextNeverBecomesACommand", func(t *testing.T) {
		b := open(t)
		show(t, b, display.Screen{Kind: "message", Pole: [2]string{"A\x1b@B\x0cC\rD\x00E", "\x1bQAHACK\r"}})
		for _, row := range b.Glass() {
			if strings.Contains(row, "HACK") && !strings.Contains(row, "QAHACK") {
				t.Fatalf("a text was obeyed: %q", b.Glass())
			}
		}
		show(t, b, display.Screen{Kind: "message", Pole: [2]string{"STILL", "WELL"}})
		see(t, b, "STILL", "WELL")
	})
	each("CyrillicIsShown", func(t *testing.T) {
		b := open(t)
		show(t, b, display.Screen{Kind: "paid", Pole: [2]string{"ОПЛАЧЕНО 125.50", "СПАСИБО!"}})
		see(t, b, "ОПЛАЧЕНО 125.50", "СПАСИБО!")
	})
	each("ShowAfterHangUpIsAnError", func(t *testing.T) {
		b := open(t)
		b.HangUp()
		deadline := time.Now().Add(within)
		for time.Now().Before(deadline) { // the first bytes may still find room in a buffer
			_, err := b.Display.Show(t.Context(), display.Screen{Kind: "x", Pole: [2]string{time.Now().String(), "1"}})
			if err != nil {
				return
			}
		}
		t.Fatal("no error on a dead line")
	})
	each("ServeEndsWithTheLine", func(t *testing.T) {
		b := open(t)
		done := make(chan error, 1)
		go func() { done <- b.Display.Serve(t.Context(), func(display.Shown) {}) }()
		b.HangUp()
		select {
		case <-done:
		case <-time.After(within):
			t.Fatal("Serve goes on after the line has died")
		}
	})
	each("AStalledLineIsGivenUp", func(t *testing.T) {
		b := open(t)
		done := make(chan error, 1)
		go func() { done <- b.Display.Serve(t.Context(), func(display.Shown) {}) }()
		b.Stall()
		var err error
		n := 0
		for deadline := time.Now().Add(within); err == nil && time.Now().Before(deadline); n++ { // the line may hold some
			_, err = b.Display.Show(t.Context(), display.Screen{Kind: "x", Pole: [2]string{strconv.Itoa(n), "SECOND"}})
		}
		if !errors.Is(err, devices.ErrStalled) {
			t.Fatalf("after %d screens: %v", n, err)
		}
		select {
		case err := <-done: // it is opened anew, and the technician is told why
			if !errors.Is(err, devices.ErrStalled) {
				t.Errorf("Serve ended with: %v", err)
			}
		case <-time.After(within):
			t.Fatal("Serve goes on: nobody is told, and every screen takes the line's limit")
		}
		if _, err := b.Display.Show(t.Context(), display.Screen{Kind: "y"}); err == nil {
			t.Error("a screen on a line that was given up")
		}
		t.Logf("given up at the screen number %d", n)
	})
	each("WhatBeginsAfterALossOfPowerIsRight", func(t *testing.T) {
		b := open(t)
		if b.LosePower == nil {
			t.Log("its line ends with its power")
			return
		}
		for i, s := range []display.Screen{
			{Kind: "idle", Pole: [2]string{"ДОБРО ПОЖАЛОВАТЬ", "HELLO"}},
			{Kind: "cart", Pole: [2]string{"КОФЕ          120.00", "HELLO"}},
			{Kind: "code", Ref: "p1", Pole: [2]string{"К ОПЛАТЕ 125.50", "HELLO"}},
			{Kind: "code", Ref: "p2", Pole: [2]string{"К ОПЛАТЕ 125.50", "HELLO"}},
			{Kind: "idle", Pole: [2]string{"К ОПЛАТЕ 125.50", "HELLO"}},
		} {
			if i > 0 {
				b.LosePower()
				see(t, b, "", "")
			}
			show(t, b, s)
			see(t, b, s.Pole[0], s.Pole[1])
		}
	})
}

func show(t *testing.T, b Bench, s display.Screen) {
	t.Helper()
	got, err := b.Display.Show(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != s.Kind || got.Proof == "" {
		t.Fatalf("shown: %+v", got)
	}
	if b.Display.Caps().MaxPayload == 0 && got.Code != "" {
		t.Fatal("claims a code on a glass that cannot show one")
	}
}

// see waits until the glass reads as wanted: bytes take their time on a line.
func see(t *testing.T, b Bench, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = b.Glass()
		same := len(got) >= len(want)
		for i := range want {
			same = same && strings.TrimRight(got[i], " ") == want[i]
		}
		if same {
			return
		}
	}
	t.Fatalf("glass shows %q, want %q", got, want)
}
