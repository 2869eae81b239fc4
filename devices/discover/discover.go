// Package discover says which USB devices and serial lines this machine has, and tells when one arrives, changes or
// leaves. It reads sysfs and the kernel's own messages; it opens no device, adopts none, and does not look again while
// nothing happens.
package discover

import (
	"fmt"
	"slices"
)

// Device is a USB device as the kernel lists it. Hubs are left out.
type Device struct {
	Kernel       string // what the kernel calls it: "1-2.3"
	Port         string // where it is plugged in, the same after every start: "0000:00:14.0/usb2/2.3"
	Vendor       uint16
	Product      uint16
	Manufacturer string // as the device says it, printable text; may be empty
	Name         string
	Serial       string // "" where the device has none
	Bus          int
	Address      int    // another one after each plug
	Hash         string // of its descriptors: the same for two of one model and firmware
	Interfaces   []Interface
}

// Interface is one function of a device.
type Interface struct {
	Number   int
	Class    uint8
	SubClass uint8
	Protocol uint8
	Driver   string   // the kernel's driver, "" while there is none, "usbfs" when a program has it through libusb
	ID1284   string   // what a printer says of itself, as usblp has read it
	Usages   []uint32 // of a HID interface: page<<16 | usage of each application
	BulkOut  bool     // it takes bulk data as it is, without another setting
	Nodes    []Node
}

// Kinds of nodes.
const (
	LP     = "lp"     // receipt printer through usblp
	TTY    = "tty"    // serial line
	HIDRaw = "hidraw" // reports as they are
	Input  = "input"  // keys
)

// Node is a file below /dev.
type Node struct {
	Kind    string
	Path    string
	Types   bool   // of keys: some are letters. A scanner that types may have another node for volume and sleep
	Trouble string // "" when this program may open it; else "missing", "denied" or what the system says
}

// Line is a serial line of the machine itself.
type Line struct {
	Path    string
	Trouble string
}

// Snapshot is what is there now.
type Snapshot struct {
	Devices []Device // by Port
	Lines   []Line
}

// Model is "04b8:0202".
func (d Device) Model() string { return fmt.Sprintf("%04x:%04x", d.Vendor, d.Product) }

// String names the device for a person.
func (d Device) String() string {
	name := d.Model()
	if d.Name != "" {
		name = d.Name + " (" + name + ")"
	}
	if d.Manufacturer != "" && d.Name != "" {
		name = d.Manufacturer + " " + name
	}
	return name + " at port " + d.Port
}

// Node is the node of a kind by which a device does what it is for, or false. Of several it is the one with the reports of a
// bar code scanner, or with letters among its keys; where none says so, the first. The kernel makes the nodes of a device one
// after another: one with letters is yet to come while something that calls itself a keyboard lacks nodes.
func (d Device) Node(kind string) (Node, bool) {
	var first Node
	found, late := false, false
	for _, i := range d.Interfaces {
		late = late || kind == Input && i.lacksKeys()
		for _, n := range i.Nodes {
			switch {
			case n.Kind != kind:
			case kind == HIDRaw && i.Scans(), kind == Input && n.Types:
				return n, true
			case !found:
				first, found = n, true
			}
		}
	}
	if late {
		return Node{}, false
	}
	return first, found
}

// Usages by which keys come (HID Usage Tables 1.5): a keyboard among the controls of a desktop, and the two pages whose
// applications the kernel makes an input device of, each its own.
const (
	keyboard = desktop<<16 | 0x06
	desktop  = 0x01
	consumer = 0x0c
)

// lacksKeys says whether a keyboard's interface has fewer nodes for keys than it has applications for them.
func (i Interface) lacksKeys() bool {
	if !slices.Contains(i.Usages, keyboard) {
		return false
	}
	n := 0
	for _, u := range i.Usages {
		if page := u >> 16; page == desktop || page == consumer {
			n++
		}
	}
	for _, node := range i.Nodes {
		if node.Kind == Input {
			n--
		}
	}
	return n > 0
}

// posScanner is the usage page of bar code scanners (HID Point of Sale Usage Tables 1.02).
const posScanner = 0x8c

// Scans says whether a HID interface calls itself a bar code scanner.
func (i Interface) Scans() bool {
	return slices.ContainsFunc(i.Usages, func(u uint32) bool { return u>>16 == posScanner })
}

// Has says whether the device has an interface of a class.
func (d Device) Has(class uint8) bool {
	return slices.ContainsFunc(d.Interfaces, func(i Interface) bool { return i.Class == class })
}

// USBNode is the device's own file, for libusb.
func (d Device) USBNode() string { return fmt.Sprintf("/dev/bus/usb/%03d/%03d", d.Bus, d.Address) }

// Classes of interfaces.
const (
	ClassComm    = 0x02
	ClassHID     = 0x03
	ClassPrinter = 0x07
	ClassHub     = 0x09
	ClassVendor  = 0xff
)

// settled says whether everything is there that can be expected: each interface of a class that has a driver in every
// kernel is bound, and each node may be opened.
func (d Device) settled() bool {
	for _, i := range d.Interfaces {
		expected := i.Class == ClassHID || i.Class == ClassPrinter || i.Class == ClassComm
		if expected && i.Driver == "" {
			return false
		}
		if slices.ContainsFunc(i.Nodes, func(n Node) bool { return n.Trouble != "" }) {
			return false
		}
	}
	return len(d.Interfaces) > 0
}

func (d Device) equal(e Device) bool {
	return d.same(e) && d.Port == e.Port && d.Manufacturer == e.Manufacturer && d.Name == e.Name && d.Serial == e.Serial && d.Hash == e.Hash &&
		slices.EqualFunc(d.Interfaces, e.Interfaces, func(a, b Interface) bool {
			return a.Number == b.Number && a.Class == b.Class && a.SubClass == b.SubClass && a.Protocol == b.Protocol && a.Driver == b.Driver &&
				a.ID1284 == b.ID1284 && slices.Equal(a.Usages, b.Usages) && slices.Equal(a.Nodes, b.Nodes)
		})
}

// same says whether d and e are one plug of one device: the kernel counts addresses up at each plug.
func (d Device) same(e Device) bool {
	return d.Kernel == e.Kernel && d.Bus == e.Bus && d.Address == e.Address && d.Vendor == e.Vendor && d.Product == e.Product
}
