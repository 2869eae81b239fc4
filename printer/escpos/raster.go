package escpos

import (
	"image"
	"image/color"
	"image/draw"

	xdraw "golang.org/x/image/draw"
)

const (
	maxSide = 4096 // of a picture before it is fitted
	band    = 128  // rows sent in one command: between two of them the printer answers
)

// fit is a picture in grey, on white, at most dots wide.
func fit(m image.Image, dots int) *image.Gray {
	b := m.Bounds()
	to := image.Rect(0, 0, b.Dx(), b.Dy())
	if b.Dx() > dots {
		to = image.Rect(0, 0, dots, max(b.Dy()*dots/b.Dx(), 1))
	}
	out := image.NewGray(to)
	draw.Draw(out, to, image.White, image.Point{}, draw.Src)
	if to.Size() == b.Size() {
		draw.Draw(out, to, m, b.Min, draw.Over)
	} else {
		xdraw.ApproxBiLinear.Scale(out, to, m, b, draw.Over, nil)
	}
	return out
}

// pack makes dots of a picture, eight a byte, the leftmost first; greys become patterns (Floyd and Steinberg). No two of
// its bytes are a real-time command.
func pack(m image.Image, width int) []byte {
	b := m.Bounds()
	row := (width + 7) / 8
	out := make([]byte, row*b.Dy())
	now, next := make([]int, width+2), make([]int, width+2) // errors carried on, shifted by one
	for y := range b.Dy() {
		clear(next)
		for x := range width {
			want := int(color.GrayModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y) + now[x+1]/16
			got := 255
			if want < 128 {
				got = 0
				out[y*row+x/8] |= 0x80 >> (x % 8)
			}
			e := want - got
			now[x+2] += e * 7
			next[x] += e * 3
			next[x+1] += e * 5
			next[x+2] += e
		}
		now, next = next, now
	}
	for i := 0; i+1 < len(out); i++ {
		if out[i] == dle && (out[i+1] == 4 || out[i+1] == 5 || out[i+1] == 0x14) {
			out[i] |= 0x08 // the dot beside the black one
		}
	}
	return out
}

// raster writes dots in bands.
func (b *builder) raster(dots []byte, width, height int) {
	row := (width + 7) / 8
	for y := 0; y < height; y += band {
		n := min(band, height-y)
		b.raw(gs, 'v', '0', 0, byte(row), byte(row>>8), byte(n), byte(n>>8))
		b.raw(dots[y*row : (y+n)*row]...)
	}
}
