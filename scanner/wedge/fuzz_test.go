package wedge

import (
	"strings"
	"testing"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
	"tilld/scanner/twin"
)

// Any bytes of an event node: never a panic, never more than a code, and a scan behind them is read.
func FuzzEvents(f *testing.F) {
	record := func(hand func(*twin.Wedge)) []byte {
		var b strings.Builder
		hand(&twin.Wedge{W: &b, Country: "us"})
		return []byte(b.String())
	}
	f.Add(record(func(x *twin.Wedge) { x.Scan("A1b") }), false)
	f.Add(record(func(x *twin.Wedge) { x.Alt = true; x.Scan("A1") }), true)
	f.Add(record(func(x *twin.Wedge) { x.Part("x"); x.Dropped(); x.Scan("]C1") }), true)
	f.Add([]byte("not whole"), false)
	us, russian := keymap(US), keymap(RU)
	f.Fuzz(func(t *testing.T, b []byte, ru bool) {
		d := decoder{
			layout: US, end: endAuto, pace: Pace, gap: Gap, rules: &intake.Rules{}, say: func(scanner.Note) {},
			held: map[uint16]bool{}, keys: us, latin: us,
		}
		if ru {
			d.layout, d.keys = RU, russian
		}
		m := &masker{layout: d.layout, gap: Gap, us: us, own: d.keys, held: map[uint16]bool{}, as: map[uint16]uint16{}}
		if shown, _ := m.show(b); len(shown) != len(b) {
			t.Fatalf("%d bytes are shown of %d", len(shown), len(b))
		}
		read := time.Now()
		for _, r := range append(d.Take(b, read), d.Flush()...) {
			if n := r.Text.Len(); n == 0 || n > intake.MaxBytes || r.Last.Before(r.First) || r.Last.After(read) {
				t.Fatalf("%d bytes, %v to %v", n, r.First, r.Last)
			}
		}
		if len(d.text) > 0 || d.Quiet() != 0 {
			t.Fatal("something is left behind the silence")
		}
	})
}
