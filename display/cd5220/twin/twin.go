// Package twin is a CD5220 pole made of software: it understands the bytes alone and keeps what a person would read on
// the glass. It stands on a pseudo-terminal or any other line.
package twin

import (
	"io"
	"strings"
	"sync"

	"golang.org/x/text/encoding/charmap"

	"tilld/display/cd5220"
)

// Glass is the state of one pole. The zero value is dark, as a pole that has just got its power.
type Glass struct {
	mu      sync.Mutex
	rows    [cd5220.Rows][cd5220.Cols]byte
	russian bool   // the upper half of the font
	strings bool   // in string mode, in which all but strings is ignored until it is cleared
	state   []byte // of a command that has begun

	bytes int64
	held  chan struct{} // nil while it takes bytes
}

// Hold has the pole take nothing more, as one that holds its flow control down, or hangs.
func (g *Glass) Hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held == nil {
		g.held = make(chan struct{})
	}
}

// Release has it take bytes again.
func (g *Glass) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held != nil {
		close(g.held)
		g.held = nil
	}
}

// LosePower lets it lose its power and get it back. Its line does not notice.
func (g *Glass) LosePower() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = nil
	g.initialise()
}

// Serve reads the line until it ends.
func (g *Glass) Serve(line io.Reader) error {
	b := make([]byte, 256)
	for {
		g.mu.Lock()
		held := g.held
		g.mu.Unlock()
		if held != nil {
			<-held
			continue
		}
		n, err := line.Read(b)
		if n > 0 {
			_, _ = g.Write(b[:n])
		}
		if err != nil {
			return err
		}
	}
}

// Write takes bytes as they arrive, split anywhere.
func (g *Glass) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bytes += int64(len(b))
	for _, c := range b {
		g.step(c)
	}
	return len(b), nil
}

func (g *Glass) step(c byte) {
	if len(g.state) == 0 {
		switch {
		case c == 0x1b:
			g.state = append(g.state, c)
		case c == 0x0c:
			g.clear()
			g.strings = false
		}
		return // anything else would be written at the cursor, which this driver never uses
	}
	g.state = append(g.state, c)
	s := g.state
	switch {
	case len(s) == 2 && s[1] == '@':
		if !g.strings {
			g.initialise()
		}
		g.state = nil
	case len(s) == 2 && (s[1] == 'Q' || s[1] == 'c'):
	case len(s) == 2:
		g.state = nil
	case s[1] == 'c': // font
		if !g.strings {
			g.russian = c == 'R'
		}
		g.state = nil
	case len(s) == 3 && s[2] != 'A' && s[2] != 'B':
		g.state = nil
	case s[1] == 'Q' && (c == '\r' || len(s) > 3+cd5220.Cols):
		row := &g.rows[s[2]-'A']
		for i := range row {
			row[i] = ' '
		}
		copy(row[:], s[3:len(s)-1])
		g.state, g.strings = nil, true
	}
}

func (g *Glass) clear() {
	g.rows = [cd5220.Rows][cd5220.Cols]byte{}
}

func (g *Glass) initialise() {
	g.clear()
	g.russian, g.strings = false, false
}

// Rows is what a person reads.
func (g *Glass) Rows() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	font := charmap.CodePage437 // of its maker
	if g.russian {
		font = charmap.CodePage866
	}
	out := make([]string, 0, cd5220.Rows)
	for _, r := range g.rows {
		var s strings.Builder
		for _, b := range r {
			if b == 0 {
				b = ' '
			}
			s.WriteRune(font.DecodeByte(b))
		}
		out = append(out, strings.TrimRight(s.String(), " "))
	}
	return out
}

// Bytes is how many have arrived.
func (g *Glass) Bytes() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.bytes
}
