// Package twin is scanners in software, each from the bytes that such a scanner sends and understands alone. It knows no
// driver: what it has in common with one is the hardware's specification.
package twin

import "io"

// Line is a scanner that sends text.
type Line struct {
	W    io.Writer
	Head string // in front of each code: an AIM identifier, a prefix, STX
	End  string // behind each code; "" is CR
}

// Scan sends a code.
func (l *Line) Scan(text string) {
	end := l.End
	if end == "" {
		end = "\r"
	}
	_, _ = io.WriteString(l.W, l.Head+text+end)
}

// Part sends a code without its end.
func (l *Line) Part(text string) { _, _ = io.WriteString(l.W, l.Head+text) }
