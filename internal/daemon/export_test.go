package daemon

import (
	"context"
	"io/fs"
	"time"

	"tilld/devices/discover"
	"tilld/devices/mdns"
	"tilld/internal/journal"
	"tilld/internal/printing/slip"
	"tilld/internal/record"
	"tilld/internal/stage"
	"tilld/kiosk"
	"tilld/payment"
	"tilld/payment/lane"
)

// Core is the part of a daemon that takes payments, without its devices and its API.
type Core struct{ c *core }

// NewCore opens the journal and puts a box and its link on it, as Run does.
func (d *Daemon) NewCore(ctx context.Context) (*Core, error) {
	c, err := d.newCore(ctx)
	if err != nil {
		return nil, err
	}
	return &Core{c}, nil
}

// Run takes payments until ctx ends, and closes the journal.
func (c *Core) Run(ctx context.Context) error { return c.c.run(ctx) }

// Journal is what the core writes.
func (c *Core) Journal() *journal.Journal { return c.c.journal }

// Commit journals a batch and wakes the link.
func (c *Core) Commit(ctx context.Context, b record.Batch) error {
	_, err := c.c.journal.Commit(ctx, b)
	c.c.link.Wake()
	return err
}

// Blank is the unit's stop action on this box's machine.
func (d *Daemon) Blank(ctx context.Context) (int, error) {
	return blank(ctx, d.cfg, d.machine, displays())
}

// Live puts the box on a machine of a test's making: its files, its kernel's messages, and the line behind each node. A role
// is given to the only device that fits once nothing has come or gone for quiet, and an answer stands once no other has come for twice as long.
func (d *Daemon) Live(files fs.FS, access func(string) error, messages func() (discover.Source, error), line func(node string) string, quiet time.Duration) {
	d.machine = machine{network: d.machine.network, files: files, access: access, messages: messages, line: func(node, key string) (string, string) {
		if to := line(node); to != "" {
			return to, "serial"
		}
		return node, key
	}}
	d.binder.machine, d.binder.quiet, d.binder.calm = d.machine, quiet, 2*quiet
}

// Near says which printers are in the network.
func (d *Daemon) Near(all ...mdns.Printer) {
	d.machine.network = func(context.Context) ([]mdns.Printer, error) { return all, nil }
	d.binder.machine.network = d.machine.network
}

// KeepMemory leaves memory that nobody uses to this process, where the next box of a test needs it.
func (d *Daemon) KeepMemory() { d.giveBack = func() {} }

// TriesOut says whether a test of the lane's scanner waits for a reading.
func (d *Daemon) TriesOut(lane string) bool {
	t := d.tried[lane]
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wait != nil
}

// SlipFacts are what a slip of a kind tells of a payment, on a lane that has nothing but a name for its shop.
func SlipFacts(p lane.Public, kind string, part payment.Money) slip.Facts {
	s := &slips{bank: func(string) string { return "" }, page: "https://pay.example/"}
	return s.facts(Lane{Shop: "Shop"}, record.Event{}, p, kind, part)
}

// Touch is a customer's on a lane's page.
func (d *Daemon) Touch(ctx context.Context, t kiosk.Touch) error { return desk{d}.Touched(ctx, t) }

// Stage is the box's glass.
func (d *Daemon) Stage() *stage.Stage { return d.stage }

// UntilAsleep is what Run does where somebody looks whether the machine sleeps.
func (d *Daemon) UntilAsleep(ctx, under context.Context, end func()) error {
	return d.untilAsleep(ctx, under, end)
}
