// Package cd5220 drives customer poles of two rows of twenty cells that speak the CD5220 command set. It uses the
// string commands alone: after ESC Q A a unit ignores cursor commands until it is cleared, so the two kinds must not be
// mixed.
//
// Sources: CD5220 command tables of pole makers, as follows.
//
//	1B 40                     initialise
//	0C                        clear, leaves string mode
//	1B 63 52                  upper half of the font: Russian (CP866)
//	1B 51 41 <20 cells> 0D    upper row
//	1B 51 42 <20 cells> 0D    lower row
//
// The link is one-way: what is on the glass is known only as "sent".
package cd5220

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/text/encoding/charmap"

	"tilld/devices"
	"tilld/display"
)

// Rows and Cols of the glass.
const (
	Rows = 2
	Cols = 20
)

// Driver opens a pole. It takes no options yet.
var Driver = devices.Driver[display.Display]{
	Name:    "cd5220",
	Summary: "customer pole, 2 rows of 20 cells, CD5220 command set",
	Open: func(_ context.Context, p devices.Port, options map[string]any) (display.Display, error) {
		for k := range options {
			return nil, fmt.Errorf("option %q of driver cd5220 is unknown: %w", k, devices.ErrPerson)
		}
		return open(p)
	},
}

type pole struct {
	port devices.Port
	mu   sync.Mutex
	last [Rows]string
}

func open(p devices.Port) (*pole, error) {
	if _, err := p.Write([]byte{0x1b, '@', 0x0c, 0x1b, 'c', 'R'}); err != nil {
		return nil, fmt.Errorf("initialise pole: %w", err)
	}
	blank := encode("")
	return &pole{port: p, last: [Rows]string{blank, blank}}, nil
}

// Caps: cells only, no code, no timer.
func (*pole) Caps() display.Caps { return display.Caps{Rows: Rows, Cols: Cols} }

// Show sends the rows that changed.
func (p *pole) Show(_ context.Context, s display.Screen) (display.Shown, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []byte
	var now [Rows]string
	for i, text := range s.Pole {
		now[i] = encode(text)
		if now[i] != p.last[i] {
			out = append(append(append(out, 0x1b, 'Q', byte('A'+i)), now[i]...), '\r')
		}
	}
	if len(out) > 0 {
		if _, err := p.port.Write(out); err != nil {
			p.last = [Rows]string{} // nobody knows what is there: the next Show sends all
			return display.Shown{}, fmt.Errorf("show on pole: %w", err)
		}
		p.last = now
	}
	return display.Shown{Kind: s.Kind, Proof: display.Sent}, nil
}

// Serve waits for the line's end: a pole says nothing by itself.
func (p *pole) Serve(_ context.Context, _ func(display.Shown)) error {
	b := make([]byte, 16)
	for {
		if _, err := p.port.Read(b); err != nil {
			return fmt.Errorf("pole: %w", err)
		}
	}
}

// encode gives exactly Cols cells of CP866; control characters become blanks and what the page lacks a question mark, so
// that no text is ever a command.
func encode(text string) string {
	cells := make([]byte, 0, Cols)
	for _, r := range text {
		if len(cells) == Cols {
			break
		}
		b, ok := charmap.CodePage866.EncodeRune(r)
		switch {
		case r < 0x20 || r == 0x7f:
			b = ' '
		case !ok:
			b = '?'
		}
		cells = append(cells, b)
	}
	for len(cells) < Cols {
		cells = append(cells, ' ')
	}
	return string(cells)
}
