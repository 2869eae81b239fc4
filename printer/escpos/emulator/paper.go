package emulator

import (
	"image"
	"image/color"

	"tilld/printer/escpos/emulator/font"
)

// Measures of paper 80 mm wide at 203 dots an inch.
const (
	margin  = 32    // dots of paper beside the printable part
	knife   = 84    // dots from the print head up to the knife
	maxRows = 15000 // of paper that nobody has cut: of twice as much, the older half is torn off
)

// paper is what stands below the knife, a byte a dot.
type paper struct {
	width int
	dots  []byte // width × rows
	used  bool   // something has been printed since the last cut
}

func (p *paper) rows() int { return len(p.dots) / p.width }

func (p *paper) feed(n int) {
	if n = min(n, maxRows); n > 0 {
		p.dots = append(p.dots, make([]byte, n*p.width)...)
	}
	if n := p.rows(); n > 2*maxRows { // seldom, because it moves all the rest
		p.dots = append([]byte(nil), p.dots[(n-maxRows)*p.width:]...)
	}
}

// black sets a dot of the row counted from the end: 1 is the last.
func (p *paper) black(x, fromEnd int, on bool) {
	y := p.rows() - fromEnd
	if x < 0 || x >= p.width || y < 0 || y >= p.rows() {
		return
	}
	p.dots[y*p.width+x] = 0
	if on {
		p.dots[y*p.width+x] = 1
	}
}

// cut takes off what is above the knife.
func (p *paper) cut() *image.Paletted {
	n := max(p.rows()-knife, 0)
	m := p.picture(n)
	p.dots = append([]byte(nil), p.dots[n*p.width:]...)
	p.used = false
	return m
}

// picture is the first n rows with the paper's margins, a dot a pixel.
func (p *paper) picture(n int) *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, p.width+2*margin, max(n, 1)), color.Palette{
		color.NRGBA{0xfe, 0xfd, 0xfa, 0xff}, color.NRGBA{0x1c, 0x1b, 0x20, 0xff},
	})
	for y := range n {
		copy(m.Pix[y*m.Stride+margin:], p.dots[y*p.width:(y+1)*p.width])
	}
	return m
}

// look is how a letter is printed.
type look struct {
	small, bold, underline, invert bool
	w, h                           int
}

// cell is one letter of the line that is being put together.
type cell struct {
	r rune
	look
	shift int // dots that the head moved before it
}

func (c cell) width() int  { return font.Get(c.small).Width * c.w }
func (c cell) height() int { return font.Get(c.small).Height * c.h }

// print sets a line of letters from x on; the paper has been fed past it, its lowest row is the bottom-th from the end.
func (p *paper) print(line []cell, x, bottom int) {
	p.used = p.used || len(line) > 0
	for _, c := range line {
		x += c.shift
		rows := font.Get(c.small).Rows(c.r, c.bold)
		for y := range c.height() {
			row := rows[y/c.h]
			if c.underline && y >= c.height()-2 {
				row = 0xffff
			}
			for dx := range c.width() {
				p.black(x+dx, bottom+c.height()-1-y, (row&(0x8000>>(dx/c.w)) != 0) != c.invert)
			}
		}
		x += c.width()
	}
}
