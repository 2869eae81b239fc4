package models

import (
	"fmt"
	"slices"
	"strings"

	"tilld/devices/discover"
)

// UdevRule is the line of udev that gives the group tilld the node by which a device of an id (vendor:product) is reached
// in a way, "" where the node is of a group that may have tilld in it: dialout of a serial line, lp of a printer. The nodes of
// HID devices are root's, and those of keys the group input's, which reads every keyboard; so each gets a line of its own.
func UdevRule(way, id string) string {
	match := map[string]string{
		discover.HIDRaw: `SUBSYSTEM=="hidraw", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", GROUP="tilld", MODE="0660"`,
		discover.Input:  `SUBSYSTEM=="input", KERNEL=="event*", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", GROUP="tilld", MODE="0640"`,
		libusb:          `SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="%s", ATTR{idProduct}=="%s", GROUP="tilld", MODE="0660"`,
	}[way]
	vendor, product, ok := strings.Cut(id, ":")
	if match == "" || !ok {
		return ""
	}
	return fmt.Sprintf(match, vendor, product)
}

// quiet is the line of udev that has ModemManager leave a device alone, its node and all (ModemManager's manual, Modem
// filter: ID_MM_DEVICE_IGNORE of a device or of a port). It writes to lines that may be a modem's, and no lock keeps it out.
func quiet(id string) string {
	vendor, product, _ := strings.Cut(id, ":")
	return fmt.Sprintf(`SUBSYSTEM=="usb|tty", ATTRS{idVendor}=="%s", ATTRS{idProduct}=="%s", ENV{ID_MM_DEVICE_IGNORE}="1"`, vendor, product)
}

// UdevRules gives the group tilld the scanners of the catalog whose nodes are root's or of the group input, and the hidraw nodes
// of all that a maker of HID POS scanners makes, but not what it types. And it has ModemManager leave alone what looks serial and
// is a product of the catalog. An adapter may have a modem behind it: of those, and of an id that many products share, nothing is
// said. systemd/60-tilld.rules holds them.
func (c Catalog) UdevRules() string {
	names := map[string][]string{} // rule → models
	for _, m := range c.Models {
		for _, mode := range m.Modes {
			for _, id := range mode.USB {
				r := ""
				switch {
				case mode.Driver != "" && (mode.Way == discover.HIDRaw || mode.Way == discover.Input):
					r = UdevRule(mode.Way, id)
				case mode.Way == discover.TTY && m.Kind != Adapter && !c.generic(id):
					r = quiet(id)
				}
				if r != "" && !slices.Contains(names[r], m.Name) {
					names[r] = append(names[r], m.Name)
				}
			}
		}
	}
	for _, m := range c.Makers {
		for _, v := range m.Vendors {
			r := fmt.Sprintf(`SUBSYSTEM=="hidraw", ATTRS{idVendor}=="%s", GROUP="tilld", MODE="0660"`, v)
			names[r] = append(names[r], "HID POS scanners of "+m.Name+": "+c.Sources[m.File+" "+m.From])
		}
	}
	var rows []string
	for r, of := range names {
		slices.Sort(of)
		rows = append(rows, "# "+strings.Join(of, ", ")+"\n"+r+"\n")
	}
	slices.Sort(rows)
	return "# Made from configs/models by go test ./devices/models -update. Add a line of your own for a product that is not there.\n" +
		strings.Join(rows, "")
}
