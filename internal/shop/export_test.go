package shop

import (
	"context"

	"tilld/printer/escpos/emulator"
)

// Printer is the shop's receipt printer in a test's hands.
type Printer struct{ p *printer }

// Printer of the shop.
func (s *Shop) Printer() Printer { return Printer{s.paper} }

// Receipts are those that were cut.
func (p Printer) Receipts() []emulator.Receipt {
	var out []emulator.Receipt
	for _, r := range p.p.all() {
		out = append(out, r.Receipt)
	}
	return out
}

// Plug and Unplug are the cable, TakePaper, OpenCover and Mend a hand at the paper.
func (p Printer) Plug(ctx context.Context) error { return p.p.plug(ctx) }
func (p Printer) Unplug()                        { p.p.unplug() }
func (p Printer) TakePaper()                     { p.p.takePaper() }
func (p Printer) OpenCover()                     { p.p.openCover() }
func (p Printer) Mend()                          { p.p.mend() }

// FailAt lets a fault happen when n more bytes have arrived.
func (p Printer) FailAt(n int64, f emulator.Fault) { p.p.dev.FailAt(n, f) }

// Papers are all pieces of paper there have been, the one below the knife last.
func (p Printer) Papers() []emulator.Receipt {
	return append(p.p.dev.Receipts(), p.p.dev.Pending())
}

// Lines are all lines that the printer has put on paper, that below its knife included.
func (p Printer) Lines() []string {
	var out []string
	for _, r := range p.Receipts() {
		out = append(out, r.Text...)
	}
	return append(out, p.p.dev.Pending().Text...)
}

// AroundStopAction has f called each time that tilld has ended, in place of the unit's stop action; f does it, or not.
func (s *Shop) AroundStopAction(f func(blank func())) { s.around.Store(&f) }

// Pole is what a person reads on the pole now, row by row.
func (s *Shop) Pole() []string { return s.pole.glass.Load().Rows() }

// PID of the process that runs one part.
func (s *Shop) PID(part Part) int {
	p := s.parts[part].(*process)
	p.at.Lock()
	defer p.at.Unlock()
	return p.cmd.Process.Pid
}
