package line_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"tilld/devices"
	"tilld/devices/serialport"
	"tilld/scanner"
	"tilld/scanner/line"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

func open(t *testing.T, p devices.Port, options map[string]any) scanner.Scanner {
	t.Helper()
	s, err := line.Driver.Open(t.Context(), p, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuiteOnAPseudoTerminal(t *testing.T) {
	scannertest.Run(t, func(t *testing.T) scannertest.Bench {
		far, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		t.Cleanup(func() { p.Close(); far.Close() })
		s := &twin.Line{W: far}
		return scannertest.Bench{
			Scanner: open(t, p, nil), Scan: s.Scan, Part: s.Part,
			Noise:  func() { _, _ = far.WriteString("\x00\x7f\x1b[2J\r\n\x02\x03\r") },
			HangUp: func() { far.Close() },
		}
	})
}

// setting is one way in which scanners are set up, and the options that go with it.
type setting struct {
	name    string
	options map[string]any
	head    string
	end     string
	aim     string
	noise   string
}

func settings() []setting {
	return []setting{
		{"CRLF", nil, "", "\r\n", "", "\r\n\r\n"},
		{"LF", map[string]any{"end": "lf"}, "", "\n", "", "\x01\n"},
		{"Tab", map[string]any{"end": "tab"}, "", "\t", "", "\t\t"},
		{"AnyByte", map[string]any{"end": "0x1e"}, "", "\x1e", "", "\x00\x1e"},
		{"StxEtx", map[string]any{"end": "etx", "commands": "datalogic"}, "\x02", "\x03", "", "junk\r\n\x03\x02"},
		{"PrefixAndSuffix", map[string]any{"prefix": "<<", "suffix": ">>"}, "<<", ">>\r", "", "no prefix>>\r<<no suffix\r"},
		{"AIM", map[string]any{"commands": "honeywell"}, "]Q1", "\r", "]Q1", "]Q1\r"},
		{"AnswersOfNewland", map[string]any{"end": "etx", "commands": "newland"}, "\x02\x010000@SCNENA1\x06;\x03\x02", "\x03", "", "\x02\x010000@SCNENA1\x06;\x03"},
		{"AnswersOfGM65", map[string]any{"commands": "gm65"}, "\x02\x00\x00\x01\x00\x33\x31", "\r", "", "\x02\x00\x00\x01\x00\x33\x31\r"},
	}
}

func wired(t *testing.T, s setting) scannertest.Bench {
	w := scannertest.NewWire(nil)
	x := &twin.Line{W: w.Far(), Head: s.head, End: s.end}
	return scannertest.Bench{
		Scanner: open(t, w, s.options), Scan: x.Scan, Part: x.Part, Symbology: s.aim,
		Noise: func() { _, _ = io.WriteString(w.Far(), s.noise) }, HangUp: func() { w.Far().Close() },
	}
}

func TestSuiteInEachSetting(t *testing.T) {
	for _, s := range settings() {
		t.Run(s.name, func(t *testing.T) {
			scannertest.Run(t, func(t *testing.T) scannertest.Bench { return wired(t, s) })
		})
	}
}

func TestThousandsOfCodesAndPulls(t *testing.T) {
	for _, s := range settings()[:1] {
		scannertest.Unplug(t, func(t *testing.T) scannertest.Bench { return wired(t, s) })
	}
}

// Silence on a scanner that sends nothing behind a code, with the pauses of a serial line in the middle of it.
func TestAGapEndsAReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		got := make(chan scanner.Reading, 8)
		end := make(chan error, 1)
		s := open(t, w, map[string]any{"end": "gap", "gap": "50ms"})
		go func() { end <- s.Serve(t.Context(), take(got)) }()
		for _, code := range []string{"FIRST", "SECOND"} {
			for _, c := range code {
				_, _ = io.WriteString(w.Far(), string(c))
				time.Sleep(40 * time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if a, b := <-got, <-got; a.Text.Reveal() != "FIRST" || b.Text.Reveal() != "SECOND" || a.Last.Sub(a.First) != 160*time.Millisecond {
			t.Errorf("%q after %v, %q", a.Text.Reveal(), a.Last.Sub(a.First), b.Text.Reveal())
		}
		w.Far().Close()
		<-end
	})
}

// A line that stops in the middle of a code, on a scanner that is known to end each with CR: neither half is a code.
func TestACodeThatStopsHalfwayIsNotTwoCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		got := make(chan scanner.Reading, 8)
		end := make(chan error, 1)
		var notes []string
		s := open(t, w, nil)
		s.(scanner.Noter).Notify(func(n scanner.Note) { notes = append(notes, n.Code) })
		go func() { end <- s.Serve(t.Context(), take(got)) }()
		_, _ = io.WriteString(w.Far(), "GOOD\r2812345678")
		time.Sleep(time.Second)
		_, _ = io.WriteString(w.Far(), "90\rNEXT\r")
		synctest.Wait()
		w.Far().Close()
		<-end
		var texts []string
		for len(got) > 0 {
			texts = append(texts, (<-got).Text.Reveal())
		}
		if strings.Join(texts, " ") != "GOOD NEXT" || strings.Join(notes, " ") != "damaged damaged" {
			t.Errorf("readings %q, notes %q", texts, notes)
		}
	})
}
