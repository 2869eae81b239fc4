// Package qr turns a payload into modules and back. Every code that is shown anywhere is drawn by it and has been decoded
// again from its own pixels first. It is the only package that knows a QR library; it draws no text and no logo.
package qr

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	qrlib "github.com/skip2/go-qrcode"
)

// Quiet is the margin in modules that ISO/IEC 18004 asks for.
const Quiet = 4

// MaxPayload is the longest payload in bytes that is drawn: more would not be read from a small display.
const MaxPayload = 512

// ErrPayload: empty, too long, or not printable text.
var ErrPayload = errors.New("payload is empty, longer than 512 bytes or not printable ASCII")

// Symbol is one QR symbol: Size × Size modules without margin.
type Symbol struct {
	Size    int
	modules []bool
	payload string
}

// New encodes payload at level M and decodes it again; an error means that no
// symbol may be shown.
func New(payload string) (*Symbol, error) { return NewLevel(payload, 'M') }

// levelOf is a level of error correction by the standard's letter; the library's names are others.
func levelOf(letter byte) (qrlib.RecoveryLevel, bool) {
	switch letter {
	case 'L':
		return qrlib.Low, true
	case 'M':
		return qrlib.Medium, true
	case 'Q':
		return qrlib.High, true
	case 'H':
		return qrlib.Highest, true
	}
	return 0, false
}

// NewLevel is New at level L, M, Q or H.
func NewLevel(payload string, letter byte) (*Symbol, error) {
	level, ok := levelOf(letter)
	if !ok {
		return nil, fmt.Errorf("encode QR: there is no level %q", letter)
	}
	if payload == "" || len(payload) > MaxPayload {
		return nil, ErrPayload
	}
	for i := range len(payload) {
		if payload[i] < 0x20 || payload[i] > 0x7e {
			return nil, ErrPayload
		}
	}
	q, err := qrlib.New(payload, level)
	if err != nil {
		return nil, fmt.Errorf("encode QR: %w", err)
	}
	q.DisableBorder = true
	return drawn(payload, q.Bitmap()) // once: every call encodes all masks again
}

// drawn is the symbol of these modules, row by row. It is decoded again from its own pixels: one that does not say payload
// may not be shown.
func drawn(payload string, rows [][]bool) (*Symbol, error) {
	s := &Symbol{Size: len(rows), payload: payload, modules: make([]bool, 0, len(rows)*len(rows))}
	for _, r := range rows {
		s.modules = append(s.modules, r...)
	}
	got, err := Decode(s.Image(2))
	if err != nil {
		return nil, fmt.Errorf("decode the drawn QR again: %w", err)
	}
	if got != payload {
		return nil, errors.New("decode the drawn QR again: it says something else")
	}
	return s, nil
}

// Dark says whether the module at column x, row y is dark; outside is light.
func (s *Symbol) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < s.Size && y < s.Size && s.modules[y*s.Size+x]
}

// Hash is the sha-256 of the payload that was read back, in hex: what a display reports as shown.
func (s *Symbol) Hash() string { return Hash(s.payload) }

// Hash is the sha-256 of a payload in hex.
func Hash(payload string) string {
	h := sha256.Sum256([]byte(payload))
	return hex.EncodeToString(h[:])
}

// Image draws with scale pixels per module and the quiet zone, black on white, one bit deep.
func (s *Symbol) Image(scale int) *image.Paletted {
	scale = max(scale, 1)
	n := (s.Size + 2*Quiet) * scale
	m := image.NewPaletted(image.Rect(0, 0, n, n), color.Palette{color.White, color.Black})
	for y := range s.Size {
		top := (y + Quiet) * scale
		for x := range s.Size {
			if !s.modules[y*s.Size+x] {
				continue
			}
			left := (x + Quiet) * scale
			for i := range scale {
				m.Pix[top*m.Stride+left+i] = 1
			}
		}
		for j := 1; j < scale; j++ { // the other rows of this module are copies
			copy(m.Pix[(top+j)*m.Stride:(top+j+1)*m.Stride], m.Pix[top*m.Stride:(top+1)*m.Stride])
		}
	}
	return m
}

// PNG is Image as a file; scale is 1–40 pixels per module.
func (s *Symbol) PNG(scale int) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, s.Image(min(scale, 40))); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return b.Bytes(), nil
}

// SVG draws one path, a unit per module.
func (s *Symbol) SVG() []byte {
	n := strconv.Itoa(s.Size + 2*Quiet)
	b := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + n + ` ` + n + `" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h` + n + `v` + n + `H0z"/><path d="`)
	for y := range s.Size {
		for x := 0; x < s.Size; x++ {
			if !s.Dark(x, y) {
				continue
			}
			w := 1
			for s.Dark(x+w, y) {
				w++
			}
			b = fmt.Appendf(b, "M%d %dh%dv1h-%dz", x+Quiet, y+Quiet, w, w)
			x += w
		}
	}
	return append(b, `"/></svg>`...)
}

// Pack is the modules row by row without margin, eight to a byte, the highest bit first, one for dark.
func (s *Symbol) Pack() []byte {
	out := make([]byte, (len(s.modules)+7)/8)
	for i, dark := range s.modules {
		if dark {
			out[i/8] |= 0x80 >> (i % 8)
		}
	}
	return out
}

// Read decodes packed modules of a symbol of size × size: what a page has read back from its own pixels.
func Read(size int, packed []byte) (string, error) {
	const largest = 177 // version 40
	if size < 21 || size > largest || len(packed) != (size*size+7)/8 {
		return "", errors.New("decode modules: they are no QR symbol")
	}
	s := &Symbol{Size: size, modules: make([]bool, size*size)}
	for i := range s.modules {
		s.modules[i] = packed[i/8]&(0x80>>(i%8)) != 0
	}
	return Decode(s.Image(2))
}

// Decode reads the one QR code in a picture.
func Decode(m image.Image) (string, error) {
	bm, err := gozxing.NewBinaryBitmapFromImage(m)
	if err != nil {
		return "", err
	}
	r, err := qrcode.NewQRCodeReader().Decode(bm, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return "", err
	}
	return r.GetText(), nil
}
