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
	glyphs        map[rune][]byte
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

// Dot says whether the dot at x, y of a letter is black; bold letters are printed twice, a dot apart. A letter that the
// face lacks is an empty box.
func (f *Face) Dot(r rune, x, y int, bold bool) bool {
	g, ok := f.glyphs[r]
	if !ok {
		return x >= 1 && x < f.Width-1 && y >= 4 && y < f.Height-4 && (x == 1 || x == f.Width-2 || y == 4 || y == f.Height-5)
	}
	row := (f.Width + 7) / 8
	on := func(x int) bool { return x >= 0 && g[y*row+x/8]&(0x80>>(x%8)) != 0 }
	return on(x) || bold && on(x-1)
}

// Has says whether the face has a letter.
func (f *Face) Has(r rune) bool { _, ok := f.glyphs[r]; return ok }

// read takes lines "0041:…", the letter's number and its dots in hexadecimal; a line with # is a remark. A file that is
// not so is a fault of this program, and a test would have found it: its letters are missing.
func read(s string, width, height int) *Face {
	f := &Face{Width: width, Height: height, glyphs: map[rune][]byte{}}
	for l := range strings.Lines(s) {
		num, dots, ok := strings.Cut(strings.TrimSpace(l), ":")
		if !ok || strings.HasPrefix(num, "#") {
			continue
		}
		r, err := strconv.ParseUint(num, 16, 21)
		if err != nil {
			continue
		}
		if g, err := hex.DecodeString(dots); err == nil && len(g) == (width+7)/8*height {
			f.glyphs[rune(r)] = g
		}
	}
	return f
}
