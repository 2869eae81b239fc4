package escpos

import "bytes"

// Bytes with names.
const (
	dle = 0x10
	esc = 0x1b
	fs  = 0x1c
	gs  = 0x1d

	xon  = 0x11
	xoff = 0x13

	asbAll = 0x0f // drawer, on-line, errors, paper
)

// Kinds of what a printer says.
const (
	asbBlock = iota + 1 // four bytes of automatic status
	realTime            // one byte, the answer to 10 04 n
	inTurn              // one byte, the answer to 1D 72 n
	textual             // a block that ends with 00
)

// answer is one thing that a printer said.
type answer struct {
	kind int
	b    []byte
}

// maxBlock bounds a block that never ends: no printer's text is as long.
const maxBlock = 256

// splitter takes the return channel apart, however its bytes arrive. A byte that fits nothing is left out.
type splitter struct{ kept []byte }

// feed takes bytes and gives what is whole. XON and XOFF are left out first: on a line that has them they stand between any two
// bytes of a block, and XOFF just when a printer goes off line and says so (Citizen CT-S310 manual, page 310, and Epson TM-U295
// manual, GS a: an XOFF inside of the four bytes is none of them; Epson's programming manual, GS ( H: it may come before the NUL).
// No answer that is asked for has a byte of their value.
func (s *splitter) feed(p []byte) []answer {
	for _, c := range p {
		if c != xon && c != xoff {
			s.kept = append(s.kept, c)
		}
	}
	var out []answer
	for len(s.kept) > 0 {
		n, kind := split(s.kept)
		if n == 0 {
			break // more has to come
		}
		if kind != 0 {
			out = append(out, answer{kind, bytes.Clone(s.kept[:n])})
		}
		s.kept = s.kept[n:]
	}
	if len(s.kept) == 0 {
		s.kept = nil
	}
	return out
}

// split finds the first thing in b: its length, 0 if it is not whole yet, and its kind, 0 for noise. Blocks are looked at
// before single bytes, because a block's first byte could be one.
func split(b []byte) (int, int) {
	switch c := b[0]; {
	case c == 0x35 || c == 0x37 || c == 0x3b || c == 0x3d || c == 0x5f:
		if i := bytes.IndexByte(b[:min(len(b), maxBlock)], 0); i >= 0 {
			return i + 1, textual
		}
		if len(b) >= maxBlock {
			return 1, 0
		}
		return 0, 0
	case c&0x93 == 0x12:
		return 1, realTime
	case c&0x93 == 0x10:
		for i := 1; i < min(len(b), 4); i++ {
			if b[i]&0x90 != 0 {
				return 1, 0
			}
		}
		if len(b) < 4 {
			return 0, 0
		}
		return 4, asbBlock
	case c&0x90 == 0:
		return 1, inTurn
	}
	return 1, 0
}
