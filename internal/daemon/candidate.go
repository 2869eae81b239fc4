package daemon

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"tilld/devices"
	"tilld/devices/arbiter"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
)

// candidate is what a question makes of a device: it may be listened to, or it could be the one and is left alone, or neither.
type candidate struct {
	use   models.Use
	may   bool
	alone *roster.Cause // why it is left alone all the same, and what to do if it is the one; nil: it is not, or cannot be the one
}

// mayAnswer says whether a device could be the one: nobody has it open, the settings have no use for it, and it is not
// known to be something else. Nothing is ever sent to a stranger: only known printers are asked to speak, and known displays to
// show a number. A stranger's serial line that was there before is not even opened where the programs of other users cannot be
// seen: one of them may work with it, a fiscal printer's perhaps, and opening sets the line. That an adapter's chip is known
// says nothing of what is behind it.
func (b *binder) mayAnswer(s *slot, d discover.Device, v seen, fresh bool) candidate {
	kind := b.catalog.Kind(d)
	if kind != s.kind && (s.kind != models.Scanner || kind == models.Printer || kind == models.Display) {
		return candidate{}
	}
	stranger := kind == "" || kind == models.Adapter
	u, ok := b.catalog.Use(d, s.kind, s.dev.Driver)
	var alone *roster.Cause
	switch i := slices.IndexFunc(v.results, func(r binding.Result) bool { return r.Usable() && r.Unit == binding.Of(d) }); {
	case i >= 0 && v.results[i].Binding.Role == s.key.Role:
		return candidate{} // its own loop listens
	case !ok && kind != s.kind:
		return candidate{}
	case i >= 0:
		k := v.results[i].Binding.Key()
		alone = leave("it is the "+k.String(), "take it from there first: tillctl bind "+k.Lane+" "+k.Role+" --none")
	default:
		alone = b.used(s, d, u, v)
	}
	if alone == nil && !ok {
		alone = b.noWay(s, d)
	}
	if alone != nil && kind == "" && u.Way == discover.Input && !types(d) {
		return candidate{} // a mouse
	}
	return candidate{use: u, alone: alone, may: alone == nil && (!stranger || u.Way != discover.TTY || !b.blind || fresh)}
}

// leave is why a device is left alone, and what to do if it is the one.
func leave(why, do string) *roster.Cause {
	return &roster.Cause{Err: devices.ErrPerson, Text: why, Do: "If it is the one, " + do + "."}
}

// used says who else uses a device: the settings for another role, or a program; nil for nobody.
func (b *binder) used(s *slot, d discover.Device, u models.Use, v seen) *roster.Cause {
	if role, ok := b.namedFor(d, v.devices); ok {
		return leave("the settings name it as the "+role, "take its port out of the settings there, and start the daemon again")
	}
	for _, i := range d.Interfaces {
		for _, n := range i.Nodes {
			held := arbiter.Holders(b.machine.files, n.Path, os.Getpid())
			switch {
			case len(held) == 0:
			case u.Way == discover.Input: // a desktop has every keyboard open, and does not hinder whoever grabs one
				return leave(held[0].String(), "name it: tillctl bind "+s.key.Lane+" "+s.key.Role+" "+b.unit(d, v.devices).Call)
			default: // that program works with it, a fiscal printer's perhaps: its line is not ours to set
				return leave(held[0].String(), arbiter.EndIt(held[0].Program, d.Model()))
			}
		}
	}
	return nil
}

// noWay is why a device of the right kind has no line that the role can use.
func (b *binder) noWay(s *slot, d discover.Device) *roster.Cause {
	list := arbiter.Find(b.machine.files, d, arbiter.ByFile, os.Getpid())
	if i := slices.IndexFunc(list, func(c arbiter.Conflict) bool { return c.Code == arbiter.Libusb || c.Code == arbiter.Open }); i >= 0 {
		return leave(list[i].Text, list[i].Do)
	}
	if b.unset(s, d) {
		return leave(unsetWhy(d), unsetDo(s))
	}
	if s.dev.Driver != "" {
		return leave("it has no line for the driver "+s.dev.Driver+" that the settings name", "leave the driver out of the settings there, and start the daemon again")
	}
	return leave("nothing is known of how it could be used", fmt.Sprintf("name the driver of the %s in the settings", s.key))
}

// named says whether the settings name a device for another role.
func (b *binder) named(d discover.Device, there []discover.Device) bool {
	_, ok := b.namedFor(d, there)
	return ok
}

// namedFor is the role for which the settings name a device.
func (b *binder) namedFor(d discover.Device, there []discover.Device) (role string, ok bool) {
	names := b.fixed(there)
	for _, p := range b.paths {
		names[p] = p
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p := names[name]
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		has := func(i discover.Interface) bool {
			return slices.ContainsFunc(i.Nodes, func(n discover.Node) bool { return n.Path == p })
		}
		if names[name] == d.USBNode() || slices.ContainsFunc(d.Interfaces, has) {
			return cmp.Or(b.roles[name], "device of another role"), true
		}
	}
	return "", false
}

// roles are what the settings name, by its name there: the role that it has.
func (c Config) roles() map[string]string {
	out := map[string]string{}
	add := func(dev *Device, role string) {
		if dev != nil && dev.Port.where() != "" {
			out[dev.Port.where()] = role
		}
	}
	for name, l := range c.Lanes {
		add(l.Display, binding.Key{Lane: name, Role: binding.CustomerDisplay}.String())
		add(l.Scanner, binding.Key{Lane: name, Role: binding.Scanner}.String())
	}
	for name, dev := range c.Printers {
		role := "printer " + name
		if lane := c.firstOn(name); lane != "" {
			role = binding.Key{Lane: lane, Role: binding.ReceiptPrinter}.String()
		}
		add(&dev, role)
	}
	return out
}
