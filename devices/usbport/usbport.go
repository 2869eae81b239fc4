// Package usbport is the bulk endpoints of a USB device as a devices.Port: receipt printers without usblp, and displays and
// printers of a vendor's own class. It takes one interface of the device and leaves the others to the kernel. It is the
// only package that knows google/gousb, and it opens nothing until it is asked: an open library wakes the processor ten
// times a second.
//
// The library is C. It is linked with the build tag libusb and cgo; without them Open answers one sentence, and all else
// builds and runs. Receipt printers do not need it: usblp gives them a file.
package usbport

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"tilld/devices"
	"tilld/devices/discover"
)

// Options of an open. Zero values are the defaults.
type Options struct {
	Interface    string        // "" for the first of class printer, else of a vendor's, that has a bulk endpoint to write to; or its number
	WriteLimit   time.Duration // for the device to take some bytes, as many as it likes: 2 s
	ControlLimit time.Duration // for an answer to a request beside the data: 2 s
}

const (
	writeLimit   = 2 * time.Second
	controlLimit = 2 * time.Second
	claimFor     = time.Second // usblp may take the interface between our look and our claim
	claimEvery   = 20 * time.Millisecond
	piece        = 16 << 10 // of a write; the library counts what has left in these
)

func (o Options) filled() Options {
	if o.WriteLimit <= 0 {
		o.WriteLimit = writeLimit
	}
	if o.ControlLimit <= 0 {
		o.ControlLimit = controlLimit
	}
	return o
}

// Find is the device that name means: "serial:J7XX0001", "port:0000:00:14.0/usb2/1" or "04b8:0202". None is
// devices.ErrAbsent. Several are devices.ErrPerson: none is taken by luck.
func Find(list []discover.Device, name string) (discover.Device, error) {
	var found []discover.Device
	for _, d := range list {
		serial, byserial := strings.CutPrefix(name, "serial:")
		port, byport := strings.CutPrefix(name, "port:")
		if byserial && serial != "" && d.Serial == serial || byport && d.Port == port || d.Model() == name {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return discover.Device{}, fmt.Errorf("open USB device %s: %w", name, devices.ErrAbsent)
	case 1:
		return found[0], nil
	}
	var ports []string
	for _, d := range found {
		ports = append(ports, "port:"+d.Port)
	}
	return discover.Device{}, fmt.Errorf("open USB device %s: there are %d, say which: %s: %w", name, len(found), strings.Join(ports, ", "), devices.ErrPerson)
}

// choose is the interface to take.
func choose(d discover.Device, o Options) (discover.Interface, error) {
	if o.Interface != "" {
		i := slices.IndexFunc(d.Interfaces, func(i discover.Interface) bool { return fmt.Sprint(i.Number) == o.Interface })
		if i < 0 {
			return discover.Interface{}, fmt.Errorf("it has no interface %s: %w", o.Interface, devices.ErrPerson)
		}
		return d.Interfaces[i], nil
	}
	for _, known := range []bool{true, false} { // descriptors that nobody could read say nothing of endpoints
		for _, class := range []uint8{discover.ClassPrinter, discover.ClassVendor} {
			fits := func(i discover.Interface) bool { return i.Class == class && (i.BulkOut || !known) }
			if i := slices.IndexFunc(d.Interfaces, fits); i >= 0 {
				return d.Interfaces[i], nil
			}
		}
	}
	return discover.Interface{}, fmt.Errorf("none of its interfaces is a printer's or a vendor's own: %w", devices.ErrPerson)
}

// free says whether an interface may be taken: nobody has it, or usblp has, which is asked to let go of it. Whatever else
// has it is a program or a driver that somebody wants.
func free(driver string) (detach bool, err error) {
	switch driver {
	case "":
		return false, nil
	case "usblp":
		return true, nil
	case "usbfs":
		return false, fmt.Errorf("%w, through libusb: %w", devices.ErrHeld, devices.ErrPerson)
	}
	return false, fmt.Errorf("the kernel's driver %s has it: %w", driver, devices.ErrPerson)
}

// parseID reads the answer to GET_DEVICE_ID: two bytes, big end first, that count themselves too, then text. Some devices
// do not count the two, some give more than they announce.
func parseID(b []byte) (string, error) {
	if len(b) < 2 {
		return "", fmt.Errorf("the printer's id is %d bytes long", len(b))
	}
	n := int(binary.BigEndian.Uint16(b))
	if n < 2 || n > len(b) {
		n = len(b)
	}
	id := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b[2:n]))
	return strings.TrimSpace(id), nil
}
