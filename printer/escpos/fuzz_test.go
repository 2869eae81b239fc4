package escpos

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tilld/printer"
	"tilld/printer/escpos/emulator"
	"tilld/printer/escpos/escpostest"
	"tilld/printer/printertest"
)

// FuzzInjection: whatever stands in the texts of a receipt, what leaves is the builder's own commands and letters.
func FuzzInjection(f *testing.F) {
	for i, s := range printertest.Nasty() {
		f.Add(s, s+"x", s, byte(i))
	}
	f.Add("Кофе молотый", "120,00 ₽", "REPEAT", byte(7))
	f.Fuzz(func(t *testing.T, text, cell, mark string, style byte) {
		if len(text)+len(cell)+len(mark) > 4096 {
			return
		}
		o := Options{Alphabet: []string{"cp866", "cp1251", "cp437", "cp850"}[style%4], Columns: 16 + int(style)%33}.filled()
		st := printer.Style{Bold: style&1 != 0, Invert: style&2 != 0, Small: style&4 != 0, Width: int(style >> 3 & 3), Height: int(style >> 5 & 3)}
		j := printer.Job{ID: "x", Mark: mark, Receipt: []printer.Element{
			printer.Text{Text: text, Style: st, Align: printer.Align(cell)},
			printer.Text{Text: cell, Style: st, Align: printer.Center},
			printer.Columns{Cells: []printer.Cell{{Text: text}, {Text: cell, Width: 5, Align: printer.Center}, {Text: cell, Align: printer.Right}}, Style: st},
			printer.QR{Payload: text},
			printer.Barcode{Kind: "code128", Data: cell},
			printer.Barcode{Kind: text, Data: cell},
			printer.Cut{},
		}}
		whole := false
		for !whole { // codes of such texts are refused; the rest is printed
			b, err := encode(o, j)
			if err != nil {
				j.Receipt = slices.Delete(j.Receipt, len(j.Receipt)-2, len(j.Receipt)-1)
				continue
			}
			whole = true
			if why := escpostest.Foreign(b, text, cell); why != "" {
				t.Fatalf("%s in % x", why, b)
			}
			e := emulator.New(emulator.Config{})
			_, _ = e.Write(b)
			if n, p := len(e.Receipts()), e.Pulses(); n != 1 || len(p) != 0 {
				t.Fatalf("%d receipts, pulses on %v, from % x", n, p, b)
			}
			if told := words(map[string]any{"alphabet": o.Alphabet})(b); !strings.HasPrefix(told, "begin; ") || !strings.HasSuffix(told, "; cut") {
				t.Fatalf("a trace loses its way in % x: %s", b, told)
			}
		}
	})
}

// FuzzAnswers: the return channel's bytes, split anywhere, come to the same answers, and none is lost or made up.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x12, 0x14, 0, 0, 0, 0x37, 0x22, 'a', 'b', 'c', 'd', 0, 0}, byte(3))
	f.Add([]byte{0x5f, 'T', 'M', 0, 0x16, 0x0f, 0x11, 0x13, 0xff, 0x10, 0x90}, byte(1))
	f.Add([]byte(strings.Repeat("\x37", 600)), byte(100))
	f.Fuzz(func(t *testing.T, b []byte, at byte) {
		var all, parts splitter
		want := all.feed(b)
		k := min(int(at), len(b))
		got := append(parts.feed(b[:k]), parts.feed(b[k:])...)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("whole: %v\nsplit at %d: %v", want, k, got)
		}
		n := len(all.kept)
		for _, a := range want {
			n += len(a.b)
		}
		if n > len(b) || len(all.kept) > maxBlock {
			t.Fatalf("%d bytes became %d, %d kept", len(b), n, len(all.kept))
		}
		d := Open(nil, Options{})
		for _, a := range want {
			d.hear(a) // must not fail, whatever was said
		}
		hear, tell := heard(nil, nil), words(nil) // neither must a trace of it, whoever has sent it
		if shown, _ := hear(b); !bytes.Equal(shown, b) {
			t.Fatalf("%q is shown as %q", b, shown)
		}
		_, _ = tell(b[:k]), tell(b[k:])
	})
}
