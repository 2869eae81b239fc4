package daemon

import (
	"maps"
	"slices"

	"tilld/devices/binding"
)

// leave makes of each port that names no device one that is bound. That is the default: whoever plugs one printer, one
// scanner and one display in has nothing to name.
func (c *Config) leave() {
	for _, l := range c.Lanes {
		for _, dev := range []*Device{l.Display, l.Scanner} {
			if dev != nil {
				dev.Port.leave()
			}
		}
	}
	for name, dev := range c.Printers {
		dev.Port.leave()
		c.Printers[name] = dev
	}
}

func (p *Port) leave() {
	if len(p.set()) == 0 {
		p.Bound = true
	}
}

// LeftOpen are the roles whose device the settings leave open, in the order of their lanes: whichever USB device is bound
// to one serves it.
func LeftOpen(c Config) []binding.Key {
	var out []binding.Key
	for _, lane := range slices.Sorted(maps.Keys(c.Lanes)) {
		l := c.Lanes[lane]
		add := func(role string, dev *Device) {
			if dev != nil && dev.Port.Bound {
				out = append(out, binding.Key{Lane: lane, Role: role})
			}
		}
		add(binding.CustomerDisplay, l.Display)
		add(binding.Scanner, l.Scanner)
		if p, ok := c.Printers[l.ReceiptPrinter]; ok && c.firstOn(l.ReceiptPrinter) == lane {
			add(binding.ReceiptPrinter, &p)
		}
	}
	return out
}
