package cd5220_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"tilld/devices/porttest"
	"tilld/devices/serialport"
	"tilld/display"
	"tilld/display/cd5220"
	"tilld/display/cd5220/twin"
	"tilld/display/displaytest"
)

func TestSuiteOnAPseudoTerminal(t *testing.T) {
	displaytest.Run(t, func(t *testing.T) displaytest.Bench {
		far, tty := porttest.Line(t)
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{WriteLimit: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		g := &twin.Glass{}
		done := make(chan struct{})
		go func() { defer close(done); _ = g.Serve(far) }()
		t.Cleanup(func() { p.Close(); far.Close(); <-done })
		d, err := cd5220.Driver.Open(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return displaytest.Bench{Display: d, Glass: g.Rows, HangUp: func() { far.Close() }}
	})
}

type sink struct{ writes [][]byte }

func (s *sink) Write(b []byte) (int, error) {
	s.writes = append(s.writes, append([]byte(nil), b...))
	return len(b), nil
}
func (*sink) Read([]byte) (int, error) { select {} }
func (*sink) Close() error             { return nil }
func (*sink) String() string           { return "sink" }

func TestOnlyChangedRowsAreSent(t *testing.T) {
	s := &sink{}
	d, err := cd5220.Driver.Open(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][2]string{{"A", "B"}, {"A", "C"}, {"A", "C"}} {
		if _, err := d.Show(t.Context(), display.Screen{Kind: "x", Pole: p}); err != nil {
			t.Fatal(err)
		}
	}
	row := 3 + cd5220.Cols + 1
	if len(s.writes) != 3 || len(s.writes[1]) != 2*row || len(s.writes[2]) != row {
		t.Fatalf("writes: % x", s.writes)
	}
}

func TestUnknownOptionIsRefused(t *testing.T) {
	if _, err := cd5220.Driver.Open(t.Context(), &sink{}, map[string]any{"baudd": 1}); err == nil {
		t.Fatal("taken")
	}
}

// FuzzTexts: whatever a text holds, a pole is sent the builder's own commands and printable cells, and nothing else.
func FuzzTexts(f *testing.F) {
	f.Add("TO PAY 125.50", "К ОПЛАТЕ 125.50")
	f.Add("\x1bQAgone\r", "a\x00b\nc\x7f\u009b\u202e«№»")
	f.Add("", strings.Repeat("x", 100))
	sent := regexp.MustCompile(`^(\x1bQ[AB][^\x00-\x1f\x7f]{20}\r)*$`)
	f.Fuzz(func(t *testing.T, upper, lower string) {
		s := &sink{}
		d, err := cd5220.Driver.Open(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := d.Show(t.Context(), display.Screen{Kind: "x", Pole: [2]string{upper, lower}})
		if err != nil || shown.Code != "" {
			t.Fatalf("%+v, %v", shown, err)
		}
		g := &twin.Glass{}
		for _, b := range s.writes[1:] {
			for _, row := range strings.SplitAfter(string(b), "\r") {
				if row != "" && !sent.MatchString(strings.ToValidUTF8(latin(row), "")) {
					t.Fatalf("%q and %q send % x", upper, lower, row)
				}
			}
			_, _ = g.Write(b)
		}
	})
}

// latin is bytes as runes of the same number, so that an expression counts bytes.
func latin(b string) string {
	out := make([]rune, len(b))
	for i := range len(b) {
		out[i] = rune(b[i])
	}
	return string(out)
}

func FuzzGlass(f *testing.F) {
	f.Add([]byte("\x1b@\x0c\x1bcR\x1bQATO PAY\r\x1bQBQR\r"))
	f.Add([]byte("\x1bQ\x1b\x1bQA0123456789012345678901234567890123456789"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g := &twin.Glass{}
		_, _ = g.Write(b)
		one := &twin.Glass{}
		for _, c := range b {
			_, _ = one.Write([]byte{c})
		}
		if a, b := g.Rows(), one.Rows(); a[0] != b[0] || a[1] != b[1] {
			t.Fatalf("the split of the bytes matters: %q %q", a, b)
		}
	})
}
