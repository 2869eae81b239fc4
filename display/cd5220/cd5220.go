// Package cd5220 drives customer poles of two rows of twenty cells that speak the CD5220 command set. It uses the
// string commands alone: after ESC Q A a unit ignores cursor commands until it is cleared, so the two kinds must not be
// mixed.
//
// Sources: CD5220 command tables of pole makers, as follows.
//
//	1B 40                     initialise; some units lose what comes within 100 ms behind it
//	0C                        clear, leaves string mode
//	1B 63 52                  upper half of the font: Russian (CP866)
//	1B 51 41 <20 cells> 0D    upper row
//	1B 51 42 <20 cells> 0D    lower row
//
// The link is one-way: what is on the glass is known only as "sent". A unit on a wire of its own that loses its power does
// not tell, and comes back dark, with the alphabet of its maker. So what begins something new is sent whole, the alphabet
// before it: the first screen of a sale, and where there is none each other kind of screen. A unit that holds its flow
// control down, or hangs, takes nothing until the line stalls; then the line is closed, for whoever owns the device to open
// it anew.
package cd5220

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/text/encoding/charmap"

	"tilld/devices"
	"tilld/display"
)

// Rows and Cols of the glass.
const (
	Rows = 2
	Cols = 20
)

// settles is how long a unit may take to initialise.
const settles = 100 * time.Millisecond

// Driver opens a pole. It takes no options yet.
var Driver = devices.Driver[display.Display]{
	Name:    "cd5220",
	Summary: "customer pole, 2 rows of 20 cells, CD5220 command set",
	Open: func(ctx context.Context, p devices.Port, options map[string]any) (display.Display, error) {
		for k := range options {
			return nil, &devices.BadOption{Driver: "cd5220", Key: k, Text: "is unknown", Hint: "it takes none"}
		}
		return open(ctx, p)
	},
	Words: words,
}

type pole struct {
	port devices.Port

	mu    sync.Mutex
	last  [Rows]string // what was sent to each row
	begun beginning    // to which the rows belong
	plain bool         // the unit has just been initialised: dark, in our alphabet
	dead  error        // why the line is of no use any more
}

// beginning is what a screen begins: a sale, or a kind of screen without one.
type beginning struct{ sale, kind string }

func beginningOf(s display.Screen) beginning {
	if s.Ref != "" {
		return beginning{sale: s.Ref}
	}
	return beginning{kind: s.Kind}
}

func open(ctx context.Context, p devices.Port) (*pole, error) {
	if _, err := p.Write([]byte{0x1b, '@'}); err != nil {
		return nil, fmt.Errorf("initialise pole: %w", err)
	}
	select {
	case <-time.After(settles):
	case <-ctx.Done():
		return nil, fmt.Errorf("initialise pole: %w", ctx.Err())
	}
	if _, err := p.Write(alphabet()); err != nil {
		return nil, fmt.Errorf("initialise pole: %w", err)
	}
	blank := encode("")
	return &pole{port: p, last: [Rows]string{blank, blank}, plain: true}, nil
}

// alphabet clears the glass, which ends string mode, and chooses the font.
func alphabet() []byte { return []byte{0x0c, 0x1b, 'c', 'R'} }

// Caps: cells only, no code, no timer.
func (*pole) Caps() display.Caps { return display.Caps{Rows: Rows, Cols: Cols} }

// Show sends the rows that changed, and with a beginning all. A line that does not take them is closed.
func (p *pole) Show(_ context.Context, s display.Screen) (display.Shown, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return display.Shown{}, fmt.Errorf("show on pole: %w", p.dead)
	}
	var out []byte
	if b := beginningOf(s); b != p.begun {
		if !p.plain {
			out, p.last = alphabet(), [Rows]string{}
		}
		p.begun = b
	}
	var now [Rows]string
	for i, text := range s.Pole {
		now[i] = encode(text)
		if now[i] != p.last[i] {
			out = append(append(append(out, 0x1b, 'Q', byte('A'+i)), now[i]...), '\r')
		}
	}
	if len(out) > 0 {
		if _, err := p.port.Write(out); err != nil {
			p.dead = err
			_ = p.port.Close() // ends Serve
			return display.Shown{}, fmt.Errorf("show on pole: %w", err)
		}
		p.last, p.plain = now, false
	}
	return display.Shown{Kind: s.Kind, Proof: display.Sent}, nil
}

// Serve waits for the line's end: a pole says nothing by itself.
func (p *pole) Serve(_ context.Context, _ func(display.Shown)) error {
	b := make([]byte, 16)
	for {
		if _, err := p.port.Read(b); err != nil {
			return fmt.Errorf("pole: %w", p.why(err))
		}
	}
}

// why is what ended the line: a write that failed, or else what a read says.
func (p *pole) why(read error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead == nil {
		p.dead = read
	}
	return p.dead
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
