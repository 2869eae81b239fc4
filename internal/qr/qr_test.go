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
