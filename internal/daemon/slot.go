package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
)

// slot is a role whose device is bound: the settings leave open which one it is.
type slot struct {
	key    binding.Key // the first of its lanes; its entry in bindings.yaml
	lanes  []string
	kind   string // of products that can serve it
	dev    Device
	member *roster.Member

	mu   sync.Mutex
	held *lease // its open line; nil: none
	last Device // as it was opened last, by its place
}

// slots are those of a configuration.
func (d *Daemon) slots() []*slot {
	var out []*slot
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Lanes)) {
		l := d.cfg.Lanes[name]
		add := func(role, kind, id string, dev *Device) {
			if dev != nil && dev.Port.Bound {
				out = append(out, &slot{key: binding.Key{Lane: name, Role: role}, lanes: []string{name}, kind: kind, dev: *dev, member: d.members[id]})
			}
		}
		add(binding.CustomerDisplay, models.Display, displayID(name), l.Display)
		add(binding.Scanner, models.Scanner, scannerID(name), l.Scanner)
	}
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Printers)) {
		dev, lanes := d.cfg.Printers[name], d.cfg.printsOn(name)
		if dev.Port.Bound && len(lanes) > 0 {
			out = append(out, &slot{
				key: binding.Key{Lane: lanes[0], Role: binding.ReceiptPrinter}, lanes: lanes, kind: models.Printer, dev: dev, member: d.members[printerID(name)],
			})
		}
	}
	return out
}

// printsOn are the lanes that use a printer.
func (c Config) printsOn(printer string) []string {
	var lanes []string
	for _, l := range slices.Sorted(maps.Keys(c.Lanes)) {
		if c.Lanes[l].ReceiptPrinter == printer {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// firstOn is the first of the lanes that use a printer, "" for none.
func (c Config) firstOn(printer string) string {
	if lanes := c.printsOn(printer); len(lanes) > 0 {
		return lanes[0]
	}
	return ""
}

// port is how the line of a device is opened for a use: as the settings say, else as its product leaves the factory.
func (s *slot) port(u models.Use) Port {
	p := s.dev.Port
	if l := u.Line; l != nil && p.Baud == 0 && p.DataBits == 0 && p.Parity == "" && p.StopBits == 0 {
		p.Baud, p.DataBits, p.Parity, p.StopBits = l.Baud, l.DataBits, l.Parity, l.StopBits
	}
	return p
}

// options of the driver: the product's, and over them those of the settings.
func (s *slot) options(u models.Use) map[string]any {
	out := maps.Clone(u.Options)
	if out == nil {
		return s.dev.Options
	}
	maps.Copy(out, s.dev.Options)
	return out
}

// opened is how the slot's device was opened last, with its place instead of the binding.
func (s *slot) opened() Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// note keeps how the device is opened.
func (s *slot) note(d discover.Device, u models.Use) {
	p := s.port(u)
	p.Bound = false
	place := "port:" + d.Port
	switch keyOf(u.Way).key {
	case "serial":
		p.Serial = place
	case "lp":
		p.LP = place
	case "hidraw":
		p.HIDRaw = place
	case "event":
		p.Event = place
	default:
		p.USB = place
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = Device{Driver: u.Driver, Port: p, Options: s.options(u)}
}

// hold keeps a line that was opened for u, so that it can be taken away.
func (s *slot) hold(p devices.Port, u binding.Unit) devices.Port {
	l := &lease{Port: p, unit: u}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = l
	return l
}

// has says whether the slot's line is open to u.
func (s *slot) has(u binding.Unit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held != nil && !s.held.closed.Load() && s.held.unit.Model == u.Model && s.held.unit.Port == u.Port
}

// unit is the device to which the slot's line is open.
func (s *slot) unit() (binding.Unit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil || s.held.closed.Load() {
		return binding.Unit{}, false
	}
	return s.held.unit, true
}

// release closes a line that is open to another device than u.
func (s *slot) release(u binding.Unit) {
	if s.has(u) {
		return
	}
	s.mu.Lock()
	l := s.held
	s.held = nil
	s.mu.Unlock()
	if l != nil {
		l.taken.Store(true)
		_ = l.Close() // its reader ends, and says why
	}
}

// lease is an open line that can be taken away.
type lease struct {
	devices.Port
	unit   binding.Unit
	taken  atomic.Bool
	closed atomic.Bool
}

// Unwrap is the line itself.
func (l *lease) Unwrap() devices.Port { return l.Port }

func (l *lease) Read(b []byte) (int, error) {
	n, err := l.Port.Read(b)
	return n, l.why(err)
}

func (l *lease) Write(b []byte) (int, error) {
	n, err := l.Port.Write(b)
	return n, l.why(err)
}

// Close closes it.
func (l *lease) Close() error {
	l.closed.Store(true)
	return l.Port.Close()
}

func (l *lease) why(err error) error {
	if err != nil && l.taken.Load() {
		return fmt.Errorf("use %s: %w", l.unit, devices.ErrOther)
	}
	return err
}

// keyOf is the way to a node in the words of a port's settings.
func keyOf(node string) way {
	for _, w := range (Port{}).ways() {
		if w.node == node && node != "" {
			return w
		}
	}
	return way{key: "usb"}
}

// findBound opens what is bound to a slot.
func findBound[T any](b *binder, r *devices.Registry[T], s *slot) func(context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
	return func(ctx context.Context) (devices.Port, devices.Driver[T], map[string]any, error) {
		var none devices.Driver[T]
		before := b.changes.Load()
		d, err := b.find(s)
		if err != nil {
			s.member.At("", s.dev.Driver, "")
			return nil, none, nil, err
		}
		u, ok := b.catalog.Use(d, s.kind, s.dev.Driver)
		if !ok {
			return nil, none, nil, b.unfit(s, d)
		}
		drv, err := r.Find(u.Driver)
		if err != nil {
			return nil, none, nil, fmt.Errorf("%w: %w", devices.ErrPerson, err)
		}
		s.member.At(nodePath(d, u.Way), u.Driver, b.catalog.Product(d))
		p, err := b.machine.openDevice(ctx, d, keyOf(u.Way), s.port(u))
		if err != nil {
			return nil, none, nil, err
		}
		s.note(d, u)
		held := s.hold(p, binding.Of(d))
		if b.changes.Load() != before { // while it was opened; whoever changed the file saw no line to take away
			return nil, none, nil, fmt.Errorf("use %s: %w", d, errors.Join(devices.ErrOther, held.Close()))
		}
		options := s.options(u)
		return s.member.Opened(held, drv.Masked(held, options), drv.Worded(options)), drv, options, nil
	}
}

// nodePath is where a device hangs when it is used in that way.
func nodePath(d discover.Device, way string) string {
	if n, ok := d.Node(way); ok {
		return n.Path
	}
	return "port:" + d.Port
}
