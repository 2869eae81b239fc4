package shop

import (
	"context"
	"os"
	"time"

	"tilld/display/cd5220/twin"
	"tilld/printer/escpos/emulator"
)

// Say has the scanner send bytes as they are, its terminator not added.
func (s *Shop) Say(bytes string) error { return s.hand.say(bytes) }

// PoleAt9600 plugs in a pole that takes bytes at the pace of its line: ten bits for each, so 960 a second. Each of eyes is
// told what is on the glass after every few bytes, fewer than a row has: no row comes and goes unseen.
func (s *Shop) PoleAt9600(eyes ...func(rows []string)) error {
	s.pole.out()
	s.pole.mu.Lock()
	s.pole.play = func(far *os.File) {
		g := &twin.Glass{}
		s.pole.glass.Store(g)
		b := make([]byte, 16)
		for {
			n, err := far.Read(b)
			_, _ = g.Write(b[:n])
			for _, see := range eyes {
				see(g.Rows())
			}
			if err != nil {
				break
			}
			time.Sleep(time.Duration(n) * time.Second / 960)
		}
		s.pole.glass.Store(&twin.Glass{})
	}
	s.pole.mu.Unlock()
	return s.pole.in()
}

// PoleBytes is how many bytes the pole has taken since it was plugged in.
func (s *Shop) PoleBytes() int64 { return s.pole.glass.Load().Bytes() }

// SerialPrinter is a receipt printer on a serial line, in a test's hands as Printer is.
type SerialPrinter struct {
	line *plug
	dev  *emulator.Printer
}

// NewSerialPrinter plugs one in, in the folder dir.
func NewSerialPrinter(dir string) (*SerialPrinter, error) {
	p := &SerialPrinter{dev: emulator.New(emulator.Config{})}
	var err error
	p.line, err = newPlug(dir, "printer", func(far *os.File) { _ = p.dev.Serve(far) }) // ends when it is unplugged
	return p, err
}

// Path is its line, while it is plugged in.
func (p *SerialPrinter) Path() string { return p.line.Path }

// Plug and Unplug are the cable.
func (p *SerialPrinter) Plug(context.Context) error { return p.line.in() }
func (p *SerialPrinter) Unplug()                    { p.line.out() }

// FailAt lets a fault happen when n more bytes have arrived.
func (p *SerialPrinter) FailAt(n int64, f emulator.Fault) { p.dev.FailAt(n, f) }

// Papers are all pieces of paper, the one below the knife last.
func (p *SerialPrinter) Papers() []emulator.Receipt { return append(p.dev.Receipts(), p.dev.Pending()) }
