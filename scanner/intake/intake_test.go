package intake_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
	"tilld/scanner/line"
	"tilld/scanner/scannertest"
)

// A code that comes while the sink is busy, longer than what may wait, on a scanner whose codes end with silence: what was
// read late is no silence.
func TestASlowSinkDoesNotCutACodeInTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		f := &line.Framer{End: line.ByGap, Gap: 50 * time.Millisecond}
		code := strings.Repeat("0123456789", intake.Ahead/10+20)
		go func() {
			_, _ = io.WriteString(w.Far(), "FIRST")
			time.Sleep(100 * time.Millisecond)
			for _, c := range code {
				time.Sleep(time.Millisecond)
				_, _ = io.WriteString(w.Far(), string(c))
			}
			time.Sleep(time.Minute)
			w.Far().Close()
		}()
		var got []string
		err := intake.Serve(t.Context(), w, 512, f, func(_ context.Context, r scanner.Reading) error {
			if got = append(got, r.Text.Reveal()); len(got) == 1 {
				time.Sleep(2 * time.Second)
			}
			return nil
		})
		if err == nil || len(got) != 2 || got[1] != code {
			t.Errorf("%v; %d readings", err, len(got))
		}
	})
}

// What came whole before the line died reaches the sink, however slow it is.
func TestAnUnpluggedScannerLosesNothingThatItHadSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		for range 40 {
			_, _ = io.WriteString(w.Far(), "CODE\r")
		}
		_, _ = io.WriteString(w.Far(), "HALF")
		w.Far().Close()
		n := 0
		err := intake.Serve(t.Context(), w, 512, &line.Framer{}, func(context.Context, scanner.Reading) error {
			time.Sleep(100 * time.Millisecond)
			n++
			return nil
		})
		if err == nil || n != 40 {
			t.Errorf("%v; %d of 40 readings", err, n)
		}
	})
}

func TestASinkThatRefusesEndsIt(t *testing.T) {
	w := scannertest.NewWire(nil)
	_, _ = io.WriteString(w.Far(), "CODE\rCODE\r")
	full := errors.New("disk full")
	n := 0
	err := intake.Serve(t.Context(), w, 512, &line.Framer{}, func(context.Context, scanner.Reading) error { n++; return full })
	if !errors.Is(err, full) || n != 1 {
		t.Errorf("%v after %d readings", err, n)
	}
}
