package models

import (
	"slices"
	"strings"

	"tilld/devices/discover"
)

// Use is how a device is used for something.
type Use struct {
	Name    string // of the product, "" for a stranger
	Way     string // never Any
	Driver  string
	Options map[string]any
	Line    *Line // of a serial line, where the product says how it is set
}

// Use is how d serves as a device of a kind: as its product says, or else as every device with such a node does. driver is
// the command set that a person wants, "" for any; false: nobody knows how.
func (c Catalog) Use(d discover.Device, kind, driver string) (Use, bool) {
	if kind == Display && driver == "" && c.Unset(d) {
		return Use{}, false
	}
	general, able := anyUse(d, kind, driver)
	found := c.Find(d)
	for _, ch := range found {
		if ch.Model.Kind != kind || ch.Mode.Driver == "" || driver != "" && ch.Mode.Driver != driver {
			continue
		}
		u := Use{Name: ch.Model.Name, Way: ch.Mode.Way, Driver: ch.Mode.Driver, Options: ch.Mode.Options, Line: ch.Mode.Line}
		if !ch.Exact { // one of several: what they have in common is the driver
			u.Name, u.Options, u.Line = "", nil, nil
		}
		switch {
		case u.Way != Any && reaches(d, u.Way):
			return u, true
		case able && u.Way == Any && general.Driver == u.Driver:
			u.Way = general.Way
			return u, true
		}
	}
	if able && len(found) > 0 && found[0].Exact {
		general.Name = found[0].Model.Name
	}
	return general, able
}

// anyUse is how a device is used that is no product of the catalog: the first of the usual pairs for which it has a node.
func anyUse(d discover.Device, kind, driver string) (Use, bool) {
	for _, u := range usual(kind) {
		if (driver == "" || driver == u.Driver) && reaches(d, u.Way) && (u.Driver != "hidpos" || posUsage(d)) {
			return u, true
		}
	}
	return Use{}, false
}

// usual are the ways to a kind of device, the likeliest first.
func usual(kind string) []Use {
	switch kind {
	case Printer:
		return []Use{{Way: discover.LP, Driver: "escpos"}, {Way: libusb, Driver: "escpos"}, {Way: discover.TTY, Driver: "escpos"}}
	case Display:
		return []Use{{Way: discover.TTY, Driver: "cd5220"}}
	case Scanner:
		return []Use{
			{Way: discover.HIDRaw, Driver: "hidpos"},
			{Way: discover.TTY, Driver: "line"},
			{Way: discover.TTY, Driver: "ssi"},
			{Way: discover.Input, Driver: "wedge"},
		}
	}
	return nil
}

// libusb is the way of bulk endpoints without a node.
const libusb = "usb"

// reaches says whether a device can be reached in that way. A printer counts without its node too: usblp may come later, and
// who opens it then says what is missing.
func reaches(d discover.Device, way string) bool {
	if way == libusb {
		return d.Has(discover.ClassVendor)
	}
	_, ok := d.Node(way)
	return ok || way == discover.LP && d.Has(discover.ClassPrinter)
}

// posUsage says whether a device calls itself a bar code scanner.
func posUsage(d discover.Device) bool {
	return slices.ContainsFunc(d.Interfaces, discover.Interface.Scans)
}

// Sure says whether it is beyond doubt what a device is for. A printer that is no product of the catalog may be an
// office's: it has to say itself that it takes a receipt printer's commands.
func (c Catalog) Sure(d discover.Device) bool {
	if c.Kind(d) != Printer || len(c.Find(d)) > 0 {
		return c.Kind(d) != ""
	}
	return slices.ContainsFunc(d.Interfaces, func(i discover.Interface) bool {
		return strings.Contains(strings.ToUpper(i.ID1284), "ESC/POS")
	})
}

// Unset says whether d is a display whose command set no file names: it is chosen at the display itself, which answers nothing.
// Whoever guessed it would put a customer's sum on the glass as junk.
func (c Catalog) Unset(d discover.Device) bool {
	found := c.Find(d)
	return len(found) > 0 && found[0].Exact && found[0].Model.Kind == Display && found[0].Mode.Driver == ""
}

// Product is the name of the product that d is, "" where that cannot be told.
func (c Catalog) Product(d discover.Device) string {
	if found := c.Find(d); len(found) > 0 && found[0].Exact {
		return found[0].Model.Name
	}
	return ""
}
