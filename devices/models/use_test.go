package models_test

import (
	"fmt"
	"testing"

	"tilld/devices/discover"
	"tilld/devices/models"
)

func iface(class uint8, nodes ...string) discover.Interface {
	i := discover.Interface{Class: class}
	for _, n := range nodes {
		i.Nodes = append(i.Nodes, discover.Node{Kind: n, Path: "/dev/" + n})
	}
	return i
}

// How a device is used: as its product says, else as every such device is; and never in a way to which it has no node.
func TestUse(t *testing.T) {
	c := load(t)
	pos := iface(discover.ClassHID, discover.HIDRaw)
	pos.Usages = []uint32{0x8c0002}
	for _, x := range []struct {
		name, kind, driver string
		d                  discover.Device
		want               string // way driver product number of options, "" where nobody knows
	}{
		{"Product", models.Printer, "", device("04b8:0202", "TM-T88V", iface(discover.ClassPrinter, discover.LP)), "lp escpos Epson TM-T88V 2"},
		{"ProductByNameAlone", models.Printer, "", device("04b8:0e27", "TM-T20III", iface(discover.ClassPrinter, discover.LP)), "lp escpos Epson TM-T20III 2"},
		{"OneOfSeveralProducts", models.Printer, "", device("04b8:0202", "", iface(discover.ClassPrinter, discover.LP)), "lp escpos  0"},
		{"OneOfAnyWidth", models.Printer, "", device("0416:5011", "USB Printing Support", iface(discover.ClassPrinter, discover.LP)), "lp escpos  0"},
		{"BeforeUsblpHasIt", models.Printer, "", device("ffff:0001", "", iface(discover.ClassPrinter)), "lp escpos  0"},
		{"PrinterOfAVendorsClass", models.Printer, "", device("ffff:0001", "", iface(discover.ClassVendor)), "usb escpos  0"},
		{"PrinterOnASerialLine", models.Printer, "", device("ffff:0001", "", iface(discover.ClassComm, discover.TTY)), "tty escpos  0"},
		{"ScannerAsAKeyboard", models.Scanner, "", device("05e0:1200", "", iface(discover.ClassHID, discover.HIDRaw, discover.Input)), "input wedge Symbol Bar Code Scanner 0"},
		{"ScannerOfAnotherDriver", models.Scanner, "ssi", device("05e0:1701", "", iface(discover.ClassComm, discover.TTY)), "tty ssi Symbol Bar Code Scanner 0"},
		{"ScannerOfReports", models.Scanner, "", device("1eab:0110", "", iface(discover.ClassHID, discover.HIDRaw)), "hidraw hidpos Newland HR200 0"},
		{"StrangerThatScans", models.Scanner, "", device("ffff:0002", "", pos), "hidraw hidpos  0"},
		{"StrangerOnASerialLine", models.Scanner, "", device("ffff:0002", "", iface(discover.ClassComm, discover.TTY)), "tty line  0"},
		{"StrangerThatTypes", models.Scanner, "", device("ffff:0003", "", iface(discover.ClassHID, discover.HIDRaw, discover.Input)), "input wedge  0"},
		{"NoHIDPOSOnAKeyboard", models.Scanner, "hidpos", device("ffff:0003", "", iface(discover.ClassHID, discover.HIDRaw, discover.Input)), ""},
		{"Pole", models.Display, "", device("0403:6001", "", iface(discover.ClassVendor, discover.TTY)), "tty cd5220  0"},
		{"PoleWhoseSetIsChosenByASwitch", models.Display, "", device("1504:008c", "BCD-2000", iface(discover.ClassComm, discover.TTY)), ""},
		{"PoleWhoseSetAPersonNames", models.Display, "cd5220", device("1504:008c", "BCD-2000", iface(discover.ClassComm, discover.TTY)), "tty cd5220 Bixolon BCD-2000 0"},
		{"NoPole", models.Display, "", device("ffff:0003", "", iface(discover.ClassHID, discover.Input)), ""},
		{"NoPrinter", models.Printer, "", device("ffff:0003", "", iface(discover.ClassHID, discover.Input)), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			got := ""
			if u, ok := c.Use(x.d, x.kind, x.driver); ok {
				got = fmt.Sprintf("%s %s %s %d", u.Way, u.Driver, u.Name, len(u.Options))
			}
			if got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

// An office's printer is of a printer's class too, and must not get slips: it is not beyond doubt a receipt printer.
func TestSure(t *testing.T) {
	c := load(t)
	printer := func(vendor, product uint16, says string) discover.Device {
		return discover.Device{Vendor: vendor, Product: product, Interfaces: []discover.Interface{{Class: discover.ClassPrinter, ID1284: says}}}
	}
	for _, x := range []struct {
		name string
		d    discover.Device
		sure bool
	}{
		{"of the catalog", printer(0x04b8, 0x0202, ""), true},
		{"by its own word", printer(0x1234, 0x0001, "MFG:Nobody;CMD:ESC/POS;MDL:P80;"), true},
		{"an office's", printer(0x1234, 0x0002, "MFG:Nobody;CMD:PCL,PJL;MDL:Laser;"), false},
		{"one that says nothing", printer(0x1234, 0x0003, ""), false},
		{"of no known kind", discover.Device{Vendor: 0x1234, Product: 0x0004}, false},
	} {
		if got := c.Sure(x.d); got != x.sure {
			t.Errorf("%s: %v", x.name, got)
		}
	}
}
