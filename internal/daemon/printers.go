package daemon

import (
	"context"
	"sync"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/internal/printing"
	"tilld/printer"
)

// lines are the receipt printers of the box. Their lines live from its start to its end, their jobs only with a journal:
// what a printer is, and says until then, is kept here.
type lines struct {
	mu   sync.Mutex
	jobs *printing.Printing // nil until the journal is open
	now  map[string]*line
}

// line is one printer that is there.
type line struct {
	dev    printer.Printer
	status printer.Status
	late   []printer.Status // proofs that came before anybody could take them
}

// use says which device a printer is now, or that there is none.
func (l *lines) use(name string, dev printer.Printer, ready bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.jobs != nil {
		l.jobs.Use(name, dev, ready)
		return
	}
	if l.now == nil {
		l.now = map[string]*line{}
	}
	if !ready {
		delete(l.now, name)
		return
	}
	l.now[name] = &line{dev: dev}
}

// say hands on what a printer says about itself.
func (l *lines) say(name string, s printer.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.jobs != nil {
		l.jobs.Status(name, s)
		return
	}
	if p := l.now[name]; p != nil {
		p.status = s
		if s.Printed != "" {
			p.late = append(p.late, s)
		}
	}
}

// attach hands everything to the jobs, which have taken up what the journal holds.
func (l *lines) attach(jobs *printing.Printing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs = jobs
	for name, p := range l.now {
		jobs.Use(name, p.dev, true)
		for _, s := range p.late {
			jobs.Status(name, s)
		}
		if last := p.status; last != (printer.Status{}) {
			last.Printed = ""
			jobs.Status(name, last)
		}
	}
	l.now = nil
}

// supervisePrinter keeps a receipt printer alive until ctx ends.
func (d *Daemon) supervisePrinter(ctx context.Context, name string, dev Device, again <-chan struct{}) {
	m, slot := d.members[printerID(name)], d.binder.slot(d.cfg.firstOn(name), binding.ReceiptPrinter)
	s := devices.Supervise[printer.Printer]{
		Role: m.ID(), Log: d.log, Tell: m.Tell,
		Find: finder(d, printers(), &dev, m, d.cfg.firstOn(name), binding.ReceiptPrinter), Again: again, Rings: d.rings(dev.Port),
		Use: func(x printer.Printer, ready bool) { d.printers.use(name, x, ready) },
		Serve: func(ctx context.Context, x printer.Printer) error {
			return x.Serve(ctx, func(s printer.Status) {
				if s.Feed == printer.Yes {
					d.binder.spoke(slot)
				}
				d.printers.say(name, s)
			})
		},
	}
	s.Run(ctx)
}

// printingConfig is what the print jobs need to know.
func (d *Daemon) printingConfig(news func()) printing.Config {
	c := printing.Config{Lanes: map[string]printing.Lane{}, Health: d.health, News: news, Log: d.log}
	for name := range d.cfg.Printers {
		c.Printers = append(c.Printers, name)
	}
	for name, l := range d.cfg.Lanes {
		c.Lanes[name] = printing.Lane{Printer: l.ReceiptPrinter, Language: l.Language, DrawerPin: l.DrawerPin}
	}
	return c
}

// receipt is how a lane gives a receipt now: paper only while its printer prints.
func (d *Daemon) receipt(jobs *printing.Printing, name string) string {
	l := d.cfg.Lanes[name]
	if l.ReceiptPrinter == "" || l.Receipt != "paper" {
		return l.Receipt
	}
	if ok, _, _ := jobs.Ready(name); ok {
		return "paper"
	}
	return "none"
}
