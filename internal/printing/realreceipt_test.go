package printing_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/printing"
	"tilld/printer/escpos/emulator"
)

// A receipt as shops have them, with a picture of which the lines alone are more than is written at a time.
const (
	pictureWide, pictureHigh = 96, 100
	pictureBytes             = pictureWide / 8 * pictureHigh
	tail                     = 100 // bytes behind its lines at most
)

// shopReceipt makes receipts with columns, styles, two alphabets, a code that the printer draws, and a picture.
func shopReceipt(t *testing.T) func(line string) []printing.Item {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, pictureWide, pictureHigh))
	for y := range pictureHigh {
		for x := range pictureWide {
			m.SetGray(x, y, color.Gray{Y: uint8(x*y) | 1}) //nolint:gosec // a pattern
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, m); err != nil {
		t.Fatal(err)
	}
	return func(line string) []printing.Item {
		return []printing.Item{
			{Type: "text", Text: "begin " + line},
			{Type: "text", Text: "Булочная", Align: "center", Bold: true, Width: 2, Height: 2},
			{Type: "columns", Cells: []printing.Cell{{Text: "Кофе молотый"}, {Text: "120.00", Align: "right"}}},
			{Type: "columns", Cells: []printing.Cell{{Text: "TOTAL"}, {Text: "120.00", Align: "right"}}, Invert: true, Underline: true},
			{Type: "rule", Double: true},
			{Type: "text", Text: "small", Small: true, Align: "right"},
			{Type: "qr", Payload: "https://qr.example/" + line, Level: "M", Module: 4, Align: "center"},
			{Type: "feed", Lines: 2},
			{Type: "image", Picture: picture.Bytes(), Align: "center"},
			{Type: "text", Text: "end " + line},
			{Type: "cut"},
		}
	}
}

// eachOfReal is each step-th byte, all that is a command or text, and of the lines of the picture one of 16 times as many,
// besides those around which one piece of the job ends and the next begins. The last, behind all of it, is tried at any step.
func eachOfReal(first, step int) func(at, size int) bool {
	return func(at, size int) bool {
		dots := at >= size-pictureBytes && at < size-tail && (at < 1024-8 || at > 1024+8)
		if dots {
			return (at+first)%(16*step) == 0
		}
		return (at+first)%step == 0 || at == size+16
	}
}

// TestFailingAtEveryByteOfARealReceipt: a fault falls into commands that say how long they are, and between two writes.
func TestFailingAtEveryByteOfARealReceipt(t *testing.T) {
	failing(t, "one byte of how many of a real receipt fails", emulator.Config{}, 199, 97, 1)
}

// TestFailingAtEveryByteOfMoreThanThePrinterTakes: the printer stops while bytes of the receipt are still on the line.
func TestFailingAtEveryByteOfMoreThanThePrinterTakes(t *testing.T) {
	failing(t, "one byte of how many of a receipt larger than the printer's memory fails", emulator.Config{Memory: 256}, 199, 97, 5)
}

func failing(t *testing.T, what string, paper emulator.Config, quick, test, prove int) {
	t.Helper()
	step := depth.Figure(t, what, quick, test, prove)
	items := shopReceipt(t)
	for i, proof := range []string{"id", "status"} {
		for n, f := range emulator.Faults() {
			t.Run(proof+"/"+strings.ReplaceAll(string(f), " ", "-"), func(t *testing.T) {
				t.Parallel()
				inOn(t, proof, paper, func(t *testing.T, s *shop) {
					doubled, wrong := everyByte(t, s, f, items, eachOfReal(17*(len(emulator.Faults())*i+n), step))
					for _, x := range append(doubled, wrong...) {
						t.Error(x)
					}
				})
			})
		}
	}
}
