package ssi_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/ssi"
	"tilld/scanner/twin"
)

// A scanner that sleeps hears what it is told at opening and each tone at once, and none of it is sent twice.
func TestAScannerThatSleepsIsWokenFirst(t *testing.T) {
	for _, pause := range []time.Duration{0, 400 * time.Millisecond, 600 * time.Millisecond, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b, x := plug(t, func(x *twin.SSI) { x.Sleeps = true })
			var took []time.Duration
			read := 0
			notes, _ := serve(t, b.Scanner, func(context.Context, scanner.Reading) error { read++; return nil }, b.HangUp, func() {
				time.Sleep(10 * time.Second)
				x.Scan("4006381333931")
				for range 3 {
					time.Sleep(pause)
					start := time.Now()
					if err := b.Scanner.(scanner.Commanded).Do(t.Context(), scanner.Paid); err != nil {
						t.Error(err)
					}
					took = append(took, time.Since(start))
				}
				x.Scan("4006381333948")
			})
			for _, d := range took {
				if d > 100*time.Millisecond {
					t.Errorf("a tone behind %v of silence took %v", pause, d)
				}
			}
			if n := len(x.Commands()); n != 6 || read != 2 || x.Resent() != 0 || len(notes) != 0 {
				t.Errorf("%d commands, %d readings, %d sent again, notes %q", n, read, x.Resent(), notes)
			}
			t.Logf("behind %v of silence: tones in %v, told % x", pause, took, x.Commands())
		})
	}
}

// An answer that comes while the scanner is being woken is not one to the command that waits.
func TestACommandThatWaitsIsNotAnsweredYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, nil)
		w := b.Scanner
		_, _ = serve(t, w, func(context.Context, scanner.Reading) error { return nil }, b.HangUp, func() {
			time.Sleep(10 * time.Second)
			for _, answer := range []string{"\x04\xd0\x00\x00\xff\x2c", "\x05\xd1\x00\x00\x01\xff\x29", "\x05\xd1\x00\x00\x06\xff\x24"} {
				time.Sleep(time.Minute)
				before := len(x.Commands())
				go func() { time.Sleep(20 * time.Millisecond); _, _ = x.RW.Write([]byte(answer)) }()
				start := time.Now()
				err := w.(scanner.Commanded).Do(t.Context(), scanner.Beep)
				if n := len(x.Commands()) - before; err != nil || n != 1 || time.Since(start) < 50*time.Millisecond {
					t.Errorf("behind % x: %d commands within %v, %v", answer, n, time.Since(start), err)
				}
			}
		})
	})
}

// wired is a line with a wire RTS, which is up when it is opened.
type wired struct {
	*scannertest.Wire
	low atomic.Bool
	err error
}

func (w *wired) LowerRTS() error {
	w.low.Store(w.err == nil)
	return w.err
}

// A scanner of the factory's settings sends nothing while RTS is up.
func TestRTSIsLoweredAtOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wired{Wire: scannertest.NewWire(nil)}
		x := twin.NewSSI(w.Far())
		x.Held = func() bool { return !w.low.Load() }
		var got []string
		_, _ = serve(t, open(t, w, nil), func(_ context.Context, r scanner.Reading) error {
			got = append(got, r.Text.Reveal())
			return nil
		}, func() { w.Far().Close() }, func() { x.Scan("4006381333931") })
		if strings.Join(got, "|") != "4006381333931" || x.GaveUp() != 0 {
			t.Errorf("read %q, %d given up", got, x.GaveUp())
		}
	})
}

// A line on which it cannot be lowered is opened all the same: most have no such wire, and some drivers answer that oddly.
func TestALineWithoutRTSIsOpened(t *testing.T) {
	for _, err := range []error{errors.ErrUnsupported, errors.New("input/output error")} {
		w := &wired{Wire: scannertest.NewWire(nil), err: err}
		if _, got := ssi.Driver.Open(t.Context(), w, nil); got != nil {
			t.Errorf("%v: %v", err, got)
		}
	}
}
