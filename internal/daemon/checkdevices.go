package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"tilld/devices"
	"tilld/devices/models"
	"tilld/internal/conffile"
	"tilld/internal/printing/slip"
)

var usbName = regexp.MustCompile(`^(serial:.+|port:.+|[0-9a-f]{4}:[0-9a-f]{4})$`)

// usbNode are the files that only USB devices have.
var usbNode = regexp.MustCompile(`^/dev/(ttyUSB|ttyACM|usb/lp|serial/by-id/usb-)`)

// byName says whether a device is named by its serial number, its place or its model, and not by a path.
func byName(s string) bool { return usbName.MatchString(s) }

// checkPort refuses a line that cannot be one.
func checkPort(path string, p Port, at conffile.Place) error {
	set := p.set()
	if p.Bound {
		if len(set) > 0 {
			return at(path, "has both bound and "+set[0].key, "take one of them out")
		}
		return checkLine(path, p, at)
	}
	if len(set) > 1 {
		return at(path, "has both "+set[0].key+" and "+set[1].key, "take one of them out")
	}
	w := set[0]
	aPath := w.key == "serial" || w.key != "usb" && strings.Contains(w.value, "/")
	if w.key != "tcp" && !aPath && !byName(w.value) {
		return at(path+"."+w.key, "names no device", w.key+`: "serial:NUMBER", "port:PLACE" or "04b8:0202"`)
	}
	if p.TCP != "" {
		if host, port, err := net.SplitHostPort(p.TCP); err != nil || host == "" || port == "0" || !isPort(port) {
			return at(path+".tcp", "must be the device's address with its port", "tcp: 192.168.1.50:9100")
		}
		if p.Baud != 0 || p.DataBits != 0 || p.StopBits != 0 || p.Parity != "" || p.Flow != "" {
			return at(path, "has a speed, data_bits, stop_bits, parity or flow, which a network has not", "take them out")
		}
		return nil
	}
	if w.key != "serial" && (p.Baud != 0 || p.DataBits != 0 || p.StopBits != 0 || p.Parity != "" || p.Flow != "") {
		return at(path, "has a speed, data_bits, stop_bits, parity or flow, which belong to a serial line", "take them out")
	}
	return checkLine(path, p, at)
}

// checkLine refuses settings that no serial line has.
func checkLine(path string, p Port, at conffile.Place) error {
	if p.Parity != "" {
		if err := at.Among(path+".parity", p.Parity, parities()); err != nil {
			return err
		}
	}
	if p.Flow != "" {
		if err := at.Among(path+".flow", p.Flow, flows()); err != nil {
			return err
		}
	}
	if p.Baud < 0 || p.DataBits != 0 && (p.DataBits < 5 || p.DataBits > 8) || p.StopBits < 0 || p.StopBits > 2 {
		return at(path, "has a speed, data_bits or stop_bits that no line has", "baud: 9600, data_bits: 8, stop_bits: 1")
	}
	return nil
}

// checkScanner refuses a scanner's driver on a line that does not carry what it reads: reports come from a hidraw node, keys from an
// event node, and neither is text.
func checkScanner(path string, d *Device, at conffile.Place) error {
	if d == nil {
		return nil
	}
	node := map[string]string{"hidpos": "hidraw", "wedge": "event"}
	if d.Driver == "" {
		return nil // its product says it
	}
	is := ""
	if set := d.Port.set(); len(set) > 0 {
		is = set[0].key
	}
	if want := node[d.Driver]; want != "" && is != "" && is != want {
		return at(path+".port", fmt.Sprintf("is %s, and driver %s reads %s", is, d.Driver, want), "port: {"+want+": /dev/…}")
	}
	for driver, n := range node {
		if is == n && d.Driver != driver {
			return at(path+".port", fmt.Sprintf("is %s, which driver %s does not read", is, d.Driver), "driver: "+driver)
		}
	}
	return nil
}

// checkOptions refuses options that the drivers of printers, displays and scanners do not take. A box that runs does not call
// it: one device's options are that device's trouble, told under health once it is opened, and not the end of the others.
func (c *Config) checkOptions(at conffile.Place) error {
	for _, name := range slices.Sorted(maps.Keys(c.Printers)) {
		d := c.Printers[name]
		if err := tryOptions("printers."+name, &d, printers(), at); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Lanes)) {
		l, path := c.Lanes[name], "lanes."+name
		if err := tryOptions(path+".customer_display", l.Display, displays(), at); err != nil {
			return err
		}
		if err := tryOptions(path+".scanner", l.Scanner, scanners(), at); err != nil {
			return err
		}
	}
	return nil
}

func tryOptions[T any](path string, d *Device, drivers *devices.Registry[T], at conffile.Place) error {
	if d == nil || d.Driver == "" {
		return nil // its product says them
	}
	if bad := refusedOption(drivers, d.Driver, d.Options); bad != nil {
		return at(path+".options."+bad.Key, bad.Text, nearest(bad))
	}
	return nil
}

// refusedOption is the first of a driver's options that it does not take; nil for none. What else it wants is seen when there is
// a line.
func refusedOption[T any](drivers *devices.Registry[T], driver string, options map[string]any) *devices.BadOption {
	var bad *devices.BadOption
	if drv, err := drivers.Find(driver); err == nil { // an unknown one is told where drivers are looked at
		if _, err := drv.Open(context.Background(), nowhere{}, options); errors.As(err, &bad) {
			return bad
		}
	}
	return nil
}

// nearest is a hint with the name that was meant, where the option is unknown.
func nearest(bad *devices.BadOption) string {
	if len(bad.Known) > 0 {
		return conffile.Near(bad.Key, bad.Known)
	}
	return bad.Hint
}

// checkProducts is checkOptions of the products of the shop's own; the program's are tried by its tests.
func checkProducts(catalog models.Catalog) error {
	for _, m := range catalog.Models {
		for _, mode := range m.Modes {
			var bad *devices.BadOption
			switch {
			case !m.Local || mode.Driver == "":
			case m.Kind == models.Printer:
				bad = refusedOption(printers(), mode.Driver, mode.Options)
			case m.Kind == models.Display:
				bad = refusedOption(displays(), mode.Driver, mode.Options)
			case m.Kind == models.Scanner:
				bad = refusedOption(scanners(), mode.Driver, mode.Options)
			}
			if bad == nil {
				continue
			}
			hint := nearest(bad)
			if hint != "" {
				hint = " (" + hint + ")"
			}
			return fmt.Errorf("%s: mode %s of model %s: options.%s %s%s", m.File, mode.Name, m.ID, bad.Key, bad.Text, hint)
		}
	}
	return nil
}

// nowhere is a line that leads nowhere, to try options on.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)  { return 0, devices.ErrAbsent }
func (nowhere) Write([]byte) (int, error) { return 0, devices.ErrAbsent }
func (nowhere) Close() error              { return nil }
func (nowhere) String() string            { return "nowhere" }

// checkPrinters refuses printers that cannot be opened, and two on one line.
func (c *Config) checkPrinters(at conffile.Place) error {
	held := map[string]string{} // by where it is
	for _, name := range slices.Sorted(maps.Keys(c.Printers)) {
		d := c.Printers[name]
		path := "printers." + name
		if err := checkDevice(path, &d, printers(), at); err != nil {
			return err
		}
		if d.Port.Bound {
			if len(c.printsOn(name)) == 0 {
				return at(path+".port", "names no device, and no lane uses this printer: nobody could bind one", "add receipt_printer: "+name+" to a lane")
			}
			continue
		}
		where := d.Port.where()
		if other, twice := held[where]; twice {
			return at(path+".port", fmt.Sprintf("is that of printer %s too", other), "give lanes that share a printer the same receipt_printer")
		}
		held[where] = name
	}
	return nil
}

// checkPaper refuses what a lane wants on paper and cannot have.
func (c *Config) checkPaper(path string, l Lane, at conffile.Place) error {
	names := slices.Sorted(maps.Keys(c.Printers))
	if l.ReceiptPrinter != "" && !slices.Contains(names, l.ReceiptPrinter) {
		if len(names) == 0 {
			return at(path+".receipt_printer", fmt.Sprintf("is %q, and there are no printers", l.ReceiptPrinter), "add printers: {"+l.ReceiptPrinter+": {driver: …, port: {serial: …}}}")
		}
		return at(path+".receipt_printer", fmt.Sprintf("is %q, which is unknown", l.ReceiptPrinter), conffile.Near(l.ReceiptPrinter, names))
	}
	if l.DrawerPin != 0 && l.DrawerPin != 2 && l.DrawerPin != 5 {
		return at(path+".drawer_pin", "must be 2 or 5", "drawer_pin: 2")
	}
	for i, s := range l.Slips {
		if err := at.Among(fmt.Sprintf("%s.slips[%d]", path, i), s, bySelf()); err != nil {
			return err
		}
	}
	if l.ReceiptPrinter != "" {
		return nil
	}
	const add = "add receipt_printer: …"
	switch {
	case slices.Contains(l.Outputs, "receipt"):
		return at(path+".outputs", "names receipt, and this lane has no printer", add)
	case len(l.Slips) > 0:
		return at(path+".slips", "are to be printed, and this lane has no printer", add)
	case l.DrawerPin != 0:
		return at(path+".drawer_pin", "is that of a drawer on a printer, and this lane has none", add)
	}
	return nil
}

// bySelf are the slips that may print by themselves: the code to scan follows outputs.
func bySelf() []string {
	return slices.DeleteFunc(slip.Kinds(), func(k string) bool { return k == "code" })
}
