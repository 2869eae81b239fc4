package main

import (
	"fmt"
	"sync"

	"tilld/internal/usbbench/gadget"
	"tilld/printer/escpos/emulator"
)

// desk is a receipt printer with the emulator inside, and the paper that it has cut.
type desk struct {
	*gadget.Gadget
	bulk       *gadget.Bulk
	dev        *emulator.Printer
	controller int
	columns    int // letters in a line, as the box has it

	mu     sync.Mutex
	papers []emulator.Receipt
}

// newDesk puts the emulator into a printer's interface.
func newDesk(g *gadget.Gadget, bulk *gadget.Bulk, controller int) *desk {
	d := &desk{Gadget: g, bulk: bulk, controller: controller, columns: 48}
	d.dev = emulator.New(emulator.Config{Cut: func(r emulator.Receipt) {
		d.mu.Lock()
		defer d.mu.Unlock()
		r.Picture = nil // of thousands they would fill the machine
		d.papers = append(d.papers, r)
	}})
	bulk.Serve(d.dev.Serve)
	return d
}

// desk is the printer of the i-th lane, from the first call on with the emulator inside.
func (b *bench) desk(i int) (*desk, error) {
	if b.desks[i] != nil {
		return b.desks[i], nil
	}
	g, bulk, err := b.receiptPrinter()
	if i > 0 {
		g, bulk, err = b.twin(i - 1)
	}
	if err == nil {
		b.desks[i] = newDesk(g, bulk, [...]int{0, 6, 7}[i])
	}
	return b.desks[i], err
}

// all is the basket, the oldest first.
func (d *desk) all() []emulator.Receipt {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]emulator.Receipt(nil), d.papers...)
}

// next waits for the paper behind the first n, which must be whole.
func (d *desk) next(n int) (r emulator.Receipt, err error) {
	err = eventually(func() error {
		all := d.all()
		if len(all) <= n {
			return fmt.Errorf("a paper behind the first %d: %w; below the knife stand %q", n, errLate, d.dev.Pending().Text)
		}
		r = all[n]
		return nil
	})
	if err == nil && r.Torn {
		err = fmt.Errorf("a torn paper came: %q", r.Text)
	}
	return r, err
}
