package cd5220_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices/porttest"
	"tilld/devices/serialport"
	"tilld/display"
	"tilld/display/cd5220"
	"tilld/display/cd5220/twin"
	"tilld/display/displaytest"
)

func TestSuiteOnAPseudoTerminal(t *testing.T) {
	t.Parallel() // it waits for a line that stalls
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
		t.Cleanup(func() { p.Close(); far.Close(); g.Release(); <-done })
		d, err := cd5220.Driver.Open(t.Context(), p, nil)
		if err != nil {
			t.Fatal(err)
		}
		return displaytest.Bench{Display: d, Glass: g.Rows, HangUp: func() { far.Close() }, Stall: g.Hold, LosePower: g.LosePower}
	})
}

type sink struct {
	writes [][]byte
	at     []time.Time
}

func (s *sink) Write(b []byte) (int, error) {
	s.writes, s.at = append(s.writes, append([]byte(nil), b...)), append(s.at, time.Now())
	return len(b), nil
}
func (*sink) Read([]byte) (int, error) { select {} }
func (*sink) Close() error             { return nil }
func (*sink) String() string           { return "sink" }

// opened is a pole on a line that keeps what was written, from its opening on.
func opened(t *testing.T) (display.Display, *sink) {
	t.Helper()
	s := &sink{}
	d, err := cd5220.Driver.Open(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d, s
}

// initial is how many writes initialise a pole.
const initial = 2

func TestWhatChangedAloneIsSentAndABeginningWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := opened(t)
		const row, alphabet = 3 + cd5220.Cols + 1, 4
		for _, c := range []struct {
			kind, sale, upper, lower string
			want                     int
		}{
			{"cart", "", "A", "B", 2 * row}, // of a glass that is dark
			{"cart", "", "A", "C", row},
			{"cart", "", "A", "C", 0},
			{"preparing", "p1", "A", "C", alphabet + 2*row},
			{"code", "p1", "A", "D", row},
			{"paid", "p1", "E", "F", 2 * row},
			{"paid", "p1", "E", "F", 0},
			{"idle", "", "G", "F", alphabet + 2*row},
			{"idle", "", "G", "F", 0},
			{"preparing", "p2", "G", "F", alphabet + 2*row},
		} {
			before := len(s.writes)
			if _, err := d.Show(t.Context(), display.Screen{Kind: c.kind, Ref: c.sale, Pole: [2]string{c.upper, c.lower}}); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, b := range s.writes[before:] {
				n += len(b)
			}
			if n != c.want || len(s.writes) > before+1 {
				t.Errorf("%+v: %d bytes in %d writes", c, n, len(s.writes)-before)
			}
		}
	})
}

// Some units lose what comes while they initialise.
func TestAPoleIsGivenTheTimeToInitialise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := opened(t)
		if len(s.writes) != initial || string(s.writes[0]) != "\x1b@" || s.at[1].Sub(s.at[0]) < 100*time.Millisecond {
			t.Errorf("% x at %v", s.writes, s.at)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := cd5220.Driver.Open(ctx, &sink{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("told to stop meanwhile: %v", err)
		}
	})
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
		d, s := openedAtOnce(t)
		shown, err := d.Show(t.Context(), display.Screen{Kind: "x", Pole: [2]string{upper, lower}})
		if err != nil || shown.Code != "" {
			t.Fatalf("%+v, %v", shown, err)
		}
		g := &twin.Glass{}
		for _, b := range s.writes[initial:] {
			for _, row := range strings.SplitAfter(string(b), "\r") {
				if row != "" && !sent.MatchString(strings.ToValidUTF8(latin(row), "")) {
					t.Fatalf("%q and %q send % x", upper, lower, row)
				}
			}
			_, _ = g.Write(b)
		}
	})
}

// openedAtOnce is opened without the time that a pole takes.
func openedAtOnce(t *testing.T) (d display.Display, s *sink) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { d, s = opened(t) })
	return d, s
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
