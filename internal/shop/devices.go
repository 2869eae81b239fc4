package shop

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"

	"tilld/display/cd5220/twin"
)

// pole is a customer pole.
type pole struct {
	*plug
	glass atomic.Pointer[twin.Glass] // a new one, dark, each time it is plugged in
}

func newPole(dir string) (*pole, error) {
	p := &pole{}
	p.glass.Store(&twin.Glass{})
	var err error
	p.plug, err = newPlug(dir, "pole", func(far *os.File) {
		g := &twin.Glass{}
		p.glass.Store(g)
		_ = g.Serve(far) // ends when it is unplugged
		p.glass.Store(&twin.Glass{})
	})
	return p, err
}

// text is what a person reads on it.
func (p *pole) text() string { return strings.Join(p.glass.Load().Rows(), "\n") + "\n" }

// hand is a scanner and the hand that holds codes in front of it.
type hand struct{ *plug }

func newHand(dir string) (*hand, error) {
	p, err := newPlug(dir, "scanner", nil)
	return &hand{p}, err
}

// errReading: what cannot come out of a scanner.
var errReading = errors.New("a scanner reads 1 to 7089 printable characters")

func (h *hand) scan(text string) error {
	if text == "" || len(text) > 7089 || strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return errReading
	}
	return h.say(text + "\r")
}
