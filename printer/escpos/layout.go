package escpos

import (
	"bytes"
	"strings"

	"tilld/printer"
)

// wrap breaks cells into lines of at most width, between words where it can. A line's leading spaces stay.
func wrap(cells []byte, width int) [][]byte {
	width = max(width, 1)
	var out [][]byte
	for len(cells) > width {
		cut := bytes.LastIndexByte(cells[:width+1], ' ')
		if cut <= 0 || len(bytes.TrimLeft(cells[:cut], " ")) == 0 { // a word longer than the line
			out, cells = append(out, cells[:width]), cells[width:]
			continue
		}
		out, cells = append(out, bytes.TrimRight(cells[:cut], " ")), bytes.TrimLeft(cells[cut:], " ")
	}
	return append(out, cells)
}

// paragraphs are the lines of a text: it breaks at line feeds, whatever their spelling.
func paragraphs(s string) []string {
	if !strings.ContainsAny(s, "\r\n") {
		return []string{s}
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// text is a paragraph's lines in cells.
func (a *alphabet) text(s string, width int) [][]byte {
	var out [][]byte
	for _, p := range paragraphs(s) {
		out = append(out, wrap(a.encode(nil, p), width)...)
	}
	return out
}

// balanced is a paragraph in the middle of the paper: as many lines as it needs, about equally long.
func (a *alphabet) balanced(s string, width int) [][]byte {
	var out [][]byte
	for _, p := range paragraphs(s) {
		cells := a.encode(nil, p)
		best := wrap(cells, width)
		for n := width - 1; len(best) > 1 && n > 0; n-- {
			lines := wrap(cells, n)
			if len(lines) != len(best) {
				break
			}
			best = lines
		}
		out = append(out, best...)
	}
	return out
}

// row lays cells out side by side, with a space between them, on width characters.
func (a *alphabet) row(cells []printer.Cell, width int) [][]byte {
	widths := a.widths(cells, width)
	columns := make([][][]byte, len(cells))
	height := 1
	for i, c := range cells {
		columns[i] = a.text(c.Text, widths[i])
		height = max(height, len(columns[i]))
	}
	out := make([][]byte, height)
	for y := range out {
		line := make([]byte, 0, width)
		at := 0 // where the next cell begins
		for i, c := range cells {
			cell := []byte{}
			// What stands at the right belongs to the last line of what is left of it: a price under a long name.
			if k := y - (height - len(columns[i])); c.Align == printer.Right && k >= 0 {
				cell = columns[i][k]
			} else if c.Align != printer.Right && y < len(columns[i]) {
				cell = columns[i][y]
			}
			pad := 0
			switch c.Align {
			case printer.Right:
				pad = widths[i] - len(cell)
			case printer.Center:
				pad = (widths[i] - len(cell)) / 2
			}
			if len(cell) > 0 {
				line = append(line, bytes.Repeat([]byte{' '}, max(at+pad-len(line), 0))...)
				line = append(line, cell...)
			}
			at += widths[i] + 1
		}
		out[y] = line[:min(len(line), width)]
	}
	return out
}

// widths gives every cell its width: those that are set, then what stands at the right takes what it needs, then the
// others share the rest.
func (a *alphabet) widths(cells []printer.Cell, width int) []int {
	out := make([]int, len(cells))
	left, open := width-(len(cells)-1), 0
	for i, c := range cells {
		switch {
		case c.Width > 0:
			out[i] = c.Width
		case c.Align == printer.Right:
			for _, p := range paragraphs(c.Text) {
				out[i] = max(out[i], len(a.encode(nil, p)))
			}
		default:
			open++
			continue
		}
		out[i] = max(min(out[i], left-(len(cells)-1-i)), 1) // the others get a character each at the least
		left -= out[i]
	}
	for i, c := range cells {
		if c.Width == 0 && c.Align != printer.Right {
			out[i] = max(left/open, 1)
			left -= out[i]
			open--
		}
	}
	return out
}
