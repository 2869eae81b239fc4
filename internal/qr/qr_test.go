package qr_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"tilld/internal/floor"
	"tilld/internal/qr"
)

const sbp = "https://qr.nspk.ru/AD10006M8KH234K782OQM0L13JI31LQD?type=02&bank=100000000009&sum=12550&cur=RUB&crc=AB75"

func TestSymbolsAreReadBackFromTheirPicture(t *testing.T) {
	n := 0
	for _, p := range []string{sbp, "A", strings.Repeat("7", 512), strings.Repeat("https://a.example/?q=", 24), "~ !\"#$%&'()"} {
		s, err := qr.New(p)
		if err != nil {
			t.Fatalf("%d bytes: %v", len(p), err)
		}
		for _, scale := range []int{1, 3, 8} {
			b, err := s.PNG(scale)
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if want := (s.Size + 2*qr.Quiet) * scale; m.Bounds().Dx() != want {
				t.Fatalf("%d px wide, want %d", m.Bounds().Dx(), want)
			}
			got, err := qr.Decode(m)
			if err != nil || got != p {
				t.Fatalf("scale %d: read %q, %v", scale, got, err)
			}
			n++
		}
		if !bytes.Contains(s.SVG(), []byte("<path d=")) || s.Hash() != qr.Hash(p) {
			t.Fatal("svg or hash")
		}
	}
	t.Logf("%d pictures read back", n)
}

// Modules that say something else than they are to say, or nothing, make no symbol, whatever has drawn them.
func TestModulesThatDoNotSayThePayloadAreRefused(t *testing.T) {
	s, err := qr.New(sbp)
	if err != nil {
		t.Fatal(err)
	}
	// rows are the symbol's modules, each dark one light and each light one dark where flip says so.
	rows := func(flip func(x, y int) bool) [][]bool {
		out := make([][]bool, s.Size)
		for y := range out {
			for x := range s.Size {
				out[y] = append(out[y], s.Dark(x, y) != flip(x, y))
			}
		}
		return out
	}
	never := func(int, int) bool { return false }
	inside := func(x, y int) bool { return x > 8 && x < s.Size-9 && y > 8 && y < s.Size-9 } // between the corners that a reader looks for
	if _, err := qr.Drawn(sbp, rows(never)); err != nil {
		t.Fatalf("its own modules: %v", err)
	}
	if _, err := qr.Drawn(sbp, rows(func(x, y int) bool { return x == s.Size/2 && y == s.Size/2 })); err != nil {
		t.Errorf("one module is wrong, which the symbol corrects: %v", err)
	}
	for name, c := range map[string]struct {
		payload string
		flip    func(x, y int) bool
		want    string
	}{
		"the payload of another sum": {strings.Replace(sbp, "12550", "12551", 1), never, "it says something else"},
		"a payload that is longer":   {sbp + "0", never, "it says something else"},
		"nothing is said":            {sbp, func(x, y int) bool { return s.Dark(x, y) }, "decode the drawn QR again: "},
		"the middle is turned over":  {sbp, inside, "decode the drawn QR again: "},
		"a third of it is":           {sbp, func(x, y int) bool { return inside(x, y) && (x+y)%3 == 0 }, "decode the drawn QR again: "},
	} {
		got, err := qr.Drawn(c.payload, rows(c.flip))
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "nspk") {
			t.Errorf("%s: the error tells the code: %v", name, err)
		}
	}
}

func TestPackedModulesAreReadBack(t *testing.T) {
	s, err := qr.New(sbp)
	if err != nil {
		t.Fatal(err)
	}
	packed := s.Pack()
	if got, err := qr.Read(s.Size, packed); err != nil || got != sbp {
		t.Fatalf("read %q, %v", got, err)
	}
	for i := range packed { // a page that drew nothing, or over it
		packed[i] = 0
	}
	if got, err := qr.Read(s.Size, packed); err == nil {
		t.Fatalf("an empty square reads %q", got)
	}
	for size, n := range map[int]int{0: 0, -1: 1, 20: 50, 41: 1, 178: 3961} {
		if _, err := qr.Read(size, make([]byte, n)); err == nil {
			t.Errorf("%d × %d in %d bytes is taken for a symbol", size, size, n)
		}
	}
}

func FuzzRead(f *testing.F) {
	s, err := qr.New("A")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Size, s.Pack())
	f.Add(21, make([]byte, 56))
	f.Fuzz(func(t *testing.T, size int, packed []byte) {
		if _, err := qr.Read(size, packed); err == nil && len(packed) != (size*size+7)/8 {
			t.Fatal("modules are missing")
		}
	})
}

func TestPayloadsThatMustNotBeDrawn(t *testing.T) {
	for _, p := range []string{"", strings.Repeat("x", 513), "a\nb", "привет", "\x1b@"} {
		if _, err := qr.New(p); !errors.Is(err, qr.ErrPayload) {
			t.Errorf("%q: %v", p, err)
		}
	}
}

// BenchmarkNewWithReadBack is a payload to modules that have been decoded again, beside the libraries' encoding and
// decoding alone.
func BenchmarkNewWithReadBack(b *testing.B) {
	floor.Beside(b, func() error {
		q, err := qrcode.New(sbp, qrcode.Medium)
		if err != nil {
			return err
		}
		q.DisableBorder = true
		rows := q.Bitmap()
		picture := image.NewGray(image.Rect(0, 0, 2*len(rows)+16, 2*len(rows)+16))
		for y := range picture.Rect.Dy() {
			for x := range picture.Rect.Dx() {
				if col, row := (x-8)>>1, (y-8)>>1; col < 0 || row < 0 || row >= len(rows) || col >= len(rows) || !rows[row][col] {
					picture.SetGray(x, y, color.Gray{Y: 255})
				}
			}
		}
		got, err := qr.Decode(picture)
		if err == nil && got != sbp {
			err = errors.New("read back as something else")
		}
		return err
	}, func() error {
		_, err := qr.New(sbp)
		return err
	})
}
