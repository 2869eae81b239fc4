// Package emulator is an ESC/POS receipt printer made of software: it understands the bytes alone, draws the paper, answers
// what a printer answers, and fails where it is told to. It stands on a TCP connection, a pseudo-terminal or any other
// line, and uses nothing of the driver.
package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"sync"
)

// Config of a printer. The zero value is a printer 80 mm wide with a memory of 4 KiB that answers everything.
type Config struct {
	Dots   int             // of the printable part: 576
	Memory int             // bytes it takes in while it cannot print: 4096
	Tables map[byte]string // further numbers of code tables: cp437 cp850 cp866 cp1251 cp1252
	Lacks  []string        // what this model does not answer: asb id status realtime
	XOFFAt int             // of a line with XON/XOFF: so many bytes of a status block leave before what stops or frees the host; 0: it has no such control
	Break  bool            // of RS-232: its line breaks when it loses its power, which its host reads as 00
	Cut    func(Receipt)   // called with each receipt before anything behind its cut is obeyed or answered; may be nil
}

// What a printer remembers of what it has cut. A picture has a byte a dot, some 300 to 500 KB a receipt.
const (
	KeepPictures = 50
	KeepReceipts = 10_000
)

// Receipt is one piece of paper.
type Receipt struct {
	Picture *image.Paletted // nil: too old, see Receipts
	Text    []string        // its lines as they are read, without alignment
	Codes   []string        // what its QR and bar codes say
	Torn    bool            // the printer lost power while it was printed
}

// Fault is what can go wrong.
type Fault string

// Faults.
const (
	PaperEnd   Fault = "paper end"  // it stops printing and says so
	CoverOpen  Fault = "cover open" // the same
	Cutter     Fault = "cutter"     // the same, its knife stuck, until it is freed or the power was off
	Deaf       Fault = "deaf"       // it takes no more bytes and says nothing
	HangUp     Fault = "hang-up"    // the line is dropped; what it has it prints
	PowerCycle Fault = "power"      // the line is dropped, and all it had in memory is lost
	Off        Fault = "off"        // it loses its power on a wire of its own: the line stands, what is said is lost, and so is its memory
)

// Faults are all of them.
func Faults() []Fault { return []Fault{PaperEnd, CoverOpen, Cutter, Deaf, HangUp, PowerCycle, Off} }

// Printer is one printer. Make it with New.
type Printer struct {
	mu    sync.Mutex
	cfg   Config
	lines []*line

	// What has arrived and waits, and the command that is being put together.
	memory []byte
	cmd    []byte
	need   int
	rt     []byte // of a real-time command that has begun
	bytes  int64

	// The switches of a fault.
	noPaper, low, cover, cutter, deaf, feeding, off bool
	failAt                                          int64 // bytes; below 0 for never
	fault                                           Fault
	held                                            bool // its host, by XOFF

	machine
	paper    paper
	text     []string
	codes    []string
	torn     bool
	receipts []Receipt
	pulses   []int
	drawer   bool
	late     []byte // the newest process id, until a host has read it
}

// New makes a printer.
func New(c Config) *Printer {
	if c.Dots == 0 {
		c.Dots = 576
	}
	if c.Memory == 0 {
		c.Memory = 4096
	}
	p := &Printer{cfg: c, failAt: -1, paper: paper{width: c.Dots}}
	p.paper.feed(knife)
	p.machine.reset()
	return p
}

// Write takes bytes as they arrive, split anywhere, from a line that answers nothing.
func (p *Printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range b {
		p.take(b[i])
	}
	return len(b), nil
}

// FailAt lets a fault happen when n more bytes have arrived, before the next one is taken in.
func (p *Printer) FailAt(n int64, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failAt, p.fault = p.bytes+n, f
	p.checkFault()
}

// Fail lets it happen now.
func (p *Printer) Fail(f Fault) { p.FailAt(0, f) }

// Mend puts paper in, closes the cover, frees the knife, switches it on and lets it hear again. What waits in its memory is printed.
func (p *Printer) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noPaper, p.low, p.cover, p.cutter, p.deaf, p.off, p.failAt = false, false, false, false, false, false, -1
	p.sayState()
	p.work()
	p.wake()
}

// PaperLow lets the paper come near its end, or not.
func (p *Printer) PaperLow(low bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.low = low
	p.sayState()
}

// PressFeed presses its feed button, and lets it go.
func (p *Printer) PressFeed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeding = true
	p.sayState()
	p.feeding = false
	p.sayState()
}

// checkFault is called before a byte is taken in. The state is locked.
func (p *Printer) checkFault() {
	if p.failAt < 0 || p.bytes < p.failAt {
		return
	}
	p.failAt = -1
	switch p.fault {
	case PaperEnd:
		p.noPaper = true
		p.sayState()
	case CoverOpen:
		p.cover = true
		p.sayState()
	case Cutter:
		p.cutter = true
		p.sayState()
	case Deaf:
		p.deaf = true
	case HangUp:
		p.drop()
	case PowerCycle:
		p.drop()
		p.forget()
	case Off:
		if p.cfg.Break {
			p.say([]byte{0})
		}
		p.off = true
		p.forget()
	}
}

// forget is the loss of power. The state is locked.
func (p *Printer) forget() {
	p.torn = p.torn || p.paper.used || len(p.lineCells) > 0
	p.memory, p.cmd, p.need, p.rt, p.late, p.held, p.cutter = nil, nil, 0, nil, nil, false, false
	p.machine.reset()
}

func (p *Printer) stopped() bool { return p.noPaper || p.cover || p.cutter }

// take takes one byte in: real-time commands are obeyed at once, wherever they stand; the rest waits its turn.
func (p *Printer) take(c byte) {
	p.bytes++
	if p.off {
		return
	}
	p.realTime(c)
	p.memory = append(p.memory, c)
	p.work()
}

// work obeys what waits, unless the printer is stopped.
func (p *Printer) work() {
	for len(p.memory) > 0 && !p.stopped() {
		p.cmd = append(p.cmd, p.memory[0])
		p.memory = p.memory[1:]
		if len(p.cmd) < p.need {
			continue
		}
		if p.need = length(p.cmd); len(p.cmd) >= p.need {
			cmd := p.cmd
			p.cmd, p.need = nil, 0
			p.obey(cmd)
		}
	}
	if len(p.memory) == 0 {
		p.memory = nil
	}
}

// Receipts are those that have been cut, the oldest first: the newest KeepReceipts of them, the newest KeepPictures with
// their pictures. Who wants each one whole has Config.Cut.
func (p *Printer) Receipts() []Receipt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Receipt(nil), p.receipts...)
}

// Pending is what stands on the paper below the knife: printed, not cut.
func (p *Printer) Pending() Receipt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Receipt{Picture: p.paper.picture(p.paper.rows()), Text: append([]string(nil), p.text...), Codes: append([]string(nil), p.codes...), Torn: p.torn}
}

// Pulses are the pins of the drawer pulses so far.
func (p *Printer) Pulses() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int(nil), p.pulses...)
}

// Bytes is how many have arrived.
func (p *Printer) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

// PNG is the paper as a file, a dot a pixel.
func (r Receipt) PNG() ([]byte, error) {
	if r.Picture == nil {
		return nil, errors.New("draw receipt: its picture is no longer kept")
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, r.Picture); err != nil {
		return nil, fmt.Errorf("draw receipt: %w", err)
	}
	return b.Bytes(), nil
}
