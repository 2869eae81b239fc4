package line_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"tilld/devices/serialport"
	"tilld/scanner"
	"tilld/scanner/line"
	"tilld/scanner/scannertest"
)

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
		s, err := line.Driver.Open(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return scannertest.Bench{
			Scanner: s,
			Scan:    func(text string) { _, _ = far.WriteString(text + "\r") },
			HangUp:  func() { far.Close() },
		}
	})
}

func frame(parts ...string) []scanner.Reading {
	var f line.Framer
	var out []scanner.Reading
	for _, p := range parts {
		out = append(out, f.Take([]byte(p), time.Now())...)
	}
	return append(out, f.Flush()...)
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []string
		want []string
	}{
		{"CRLF", []string{"A1\r\nB2\r\n"}, []string{"A1", "B2"}},
		{"SplitAnywhere", []string{"A", "1\r", "\nB", "2\n"}, []string{"A1", "B2"}},
		{"GapEndsAReading", []string{"NO-END"}, []string{"NO-END"}},
		{"StxEtx", []string{"\x02A1\x03\r"}, []string{"A1"}},
		{"AIM", []string{"]Q1HTTPS://A\r"}, []string{"HTTPS://A"}},
		{"GS1SeparatorStays", []string{"]C101\x1d21X\r"}, []string{"01\x1d21X"}},
		{"ControlsDropTheReading", []string{"A\x1b[2J\rB\r"}, []string{"B"}},
		{"TooLongIsDroppedWhole", []string{strings.Repeat("9", line.MaxBytes+1) + "\rOK\r"}, []string{"OK"}},
		{"EmptyIsNothing", []string{"\r\r\n\x02\x03\r]Q1\r"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := frame(c.in...)
			if len(got) != len(c.want) {
				t.Fatalf("%d readings, want %d", len(got), len(c.want))
			}
			for i := range got {
				if got[i].Text.Reveal() != c.want[i] {
					t.Errorf("reading %d: %q, want %q", i, got[i].Text.Reveal(), c.want[i])
				}
			}
		})
	}
	if r := frame("]Q1X\r"); r[0].Symbology != "]Q1" {
		t.Errorf("symbology %q", r[0].Symbology)
	}
}

func FuzzFramer(f *testing.F) {
	f.Add([]byte("A1\r\nB2"), 3)
	f.Add([]byte("\x02]Q1X\x03\r"), 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if cut < 0 || cut > len(b) {
			cut = 0
		}
		whole, split := frame(string(b)), frame(string(b[:cut]), string(b[cut:]))
		if len(whole) != len(split) {
			t.Fatalf("the split matters: %d and %d readings", len(whole), len(split))
		}
		for i := range whole {
			x := whole[i].Text.Reveal()
			if x != split[i].Text.Reveal() {
				t.Fatal("the split matters")
			}
			if len(x) == 0 || len(x) > line.MaxBytes || bytes.ContainsAny([]byte(x), "\r\n\x1b\x00") {
				t.Fatalf("reading %q", x)
			}
		}
	})
}
