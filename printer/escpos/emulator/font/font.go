// Package font holds the letters of a receipt printer made of software: font A in cells of 12 × 24 dots and font B in
// cells of 9 × 17. It draws nothing itself. The letters are under their own licence, OFL.txt.
package font

import (
	_ "embed" // the files below
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
)

//go:embed a.hex
var aHex string

//go:embed b.hex
var bHex string

// Face is the letters of one font.
type Face struct {
	Width, Height int // of every cell, in dots
	glyphs        map[rune][]uint16
	box           []uint16
}

// The faces are read when they are first used.
var (
	a = sync.OnceValue(func() *Face { return read(aHex, 12, 24) })
	b = sync.OnceValue(func() *Face { return read(bHex, 9, 17) })
)

// Get is font A, or B where small.
func Get(small bool) *Face {
	if small {
		return b()
	}
	return a()
}

// Rows are a letter's dots, a row a number whose bit 15 is the leftmost; bold letters are printed twice, a dot apart. A
// letter that the face lacks is an empty box.
func (f *Face) Rows(r rune, bold bool) []uint16 {
	g, ok := f.glyphs[r]
	if !ok {
		g = f.box
	}
	if !bold {
		return g
	}
	out := make([]uint16, len(g))
	for i, row := range g {
		out[i] = row | row>>1
	}
	return out
}

// Has says whether the face has a letter.
func (f *Face) Has(r rune) bool { _, ok := f.glyphs[r]; return ok }

// read takes lines "0041:…", the letter's number and its dots in hexadecimal; a line with # is a remark. A file that is
// not so is a fault of this program, and a test would have found it: its letters are missing.
func read(s string, width, height int) *Face {
	f := &Face{Width: width, Height: height, glyphs: map[rune][]uint16{}}
	for l := range strings.Lines(s) {
		num, dots, ok := strings.Cut(strings.TrimSpace(l), ":")
		if !ok || strings.HasPrefix(num, "#") {
			continue
		}
		r, err := strconv.ParseUint(num, 16, 21)
		if err != nil {
			continue
		}
		if g, err := hex.DecodeString(dots); err == nil && len(g) == 2*height { // both fonts have two bytes a row
			rows := make([]uint16, height)
			for y := range rows {
				rows[y] = uint16(g[2*y])<<8 | uint16(g[2*y+1])
			}
			f.glyphs[rune(r)] = rows
		}
	}
	side, edge := uint16(1)<<14|uint16(1)<<(17-width), uint16(0)
	for x := 1; x < width-1; x++ {
		edge |= 0x8000 >> x
	}
	f.box = make([]uint16, height)
	for y := 4; y < height-4; y++ {
		f.box[y] = side
	}
	f.box[4], f.box[height-5] = edge, edge
	return f
}
