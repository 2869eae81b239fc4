package usbport

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tilld/devices"
	"tilld/devices/discover"
)

func TestFind(t *testing.T) {
	list := []discover.Device{
		{Vendor: 0x04b8, Product: 0x0202, Serial: "J1", Port: "c0/usb2/1"},
		{Vendor: 0x0519, Product: 0x0003, Port: "c0/usb2/2"},
		{Vendor: 0x0519, Product: 0x0003, Port: "c0/usb2/3"},
	}
	for _, c := range []struct {
		name, port string
		err        error
	}{
		{"serial:J1", "c0/usb2/1", nil},
		{"port:c0/usb2/3", "c0/usb2/3", nil},
		{"04b8:0202", "c0/usb2/1", nil},
		{"0519:0003", "", devices.ErrPerson}, // twins: never the first
		{"serial:", "", devices.ErrAbsent},   // not "the one without a number"
		{"serial:J2", "", devices.ErrAbsent},
		{"port:c0/usb2/9", "", devices.ErrAbsent},
		{"", "", devices.ErrAbsent},
	} {
		d, err := Find(list, c.name)
		if d.Port != c.port || !errors.Is(err, c.err) {
			t.Errorf("%q: %v, %v", c.name, d.Port, err)
		}
	}
	if _, err := Find(list, "0519:0003"); !strings.Contains(err.Error(), "port:c0/usb2/2, port:c0/usb2/3") {
		t.Errorf("the choice is not told: %v", err)
	}
}

func TestChoose(t *testing.T) {
	keyboard := discover.Interface{Number: 0, Class: discover.ClassHID}
	vendor := discover.Interface{Number: 1, Class: discover.ClassVendor}
	printer := discover.Interface{Number: 2, Class: discover.ClassPrinter}
	bulk := discover.Interface{Number: 3, Class: discover.ClassVendor, BulkOut: true}
	for _, c := range []struct {
		name string
		have []discover.Interface
		opt  string
		want int
		ok   bool
	}{
		{"PrinterBeforeVendor", []discover.Interface{keyboard, vendor, printer}, "", 2, true},
		{"VendorWhereThereIsNoPrinter", []discover.Interface{keyboard, vendor}, "", 1, true},
		{"NoneWithoutAnEndpointToWriteTo", []discover.Interface{vendor, bulk}, "", 3, true},
		{"WhatCanBeWrittenToBeforeAPrinterThatCannot", []discover.Interface{vendor, printer, bulk}, "", 3, true},
		{"ByNumber", []discover.Interface{keyboard, vendor, printer}, "1", 1, true},
		{"NoSuchNumber", []discover.Interface{keyboard}, "7", 0, false},
		{"AKeyboardAlone", []discover.Interface{keyboard}, "", 0, false},
	} {
		i, err := choose(discover.Device{Interfaces: c.have}, Options{Interface: c.opt})
		if (err == nil) != c.ok || c.ok && i.Number != c.want || !c.ok && !errors.Is(err, devices.ErrPerson) {
			t.Errorf("%s: %v, %v", c.name, i, err)
		}
	}
}

// Only usblp is asked to let go; a program or another driver keeps what it has.
func TestFree(t *testing.T) {
	for driver, want := range map[string]struct{ detach, ok bool }{
		"": {false, true}, "usblp": {true, true}, "usbfs": {false, false}, "usbhid": {false, false}, "usb-storage": {false, false},
	} {
		detach, err := free(driver)
		if detach != want.detach || (err == nil) != want.ok || err != nil && !errors.Is(err, devices.ErrPerson) {
			t.Errorf("%q: %v, %v", driver, detach, err)
		}
	}
}

func TestParseID(t *testing.T) {
	for in, want := range map[string]string{
		"\x00\x0fMFG:EPSON;X:1;":   "MFG:EPSON;X:1",
		"\x00\x10MFG:EPSON;X:1;":   "MFG:EPSON;X:1;",
		"\x00\x03MFG:EPSON;":       "M",
		"\xff\xffMFG:EPSON;":       "MFG:EPSON;",
		"\x00\x00MFG:EPSON;":       "MFG:EPSON;",
		"\x00\x08M\x1b[2J\x00\xff": "M[2J",
		"\x00\x02":                 "",
	} {
		if got, err := parseID([]byte(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	if _, err := parseID([]byte{0}); err == nil {
		t.Error("one byte was taken")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add([]byte("\x00\x10MFG:EPSON;X:1;"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := parseID(b); err == nil && strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q reaches a terminal", id)
		}
	})
}

// A device that is not there, in a program with the library and in one without: an error of a kind, no panic.
func TestOpenNothing(t *testing.T) {
	d := discover.Device{Vendor: 0x04b8, Product: 0x0202, Bus: 250, Address: 120, Interfaces: []discover.Interface{{Class: discover.ClassPrinter}}}
	p, err := Open(context.Background(), d, Options{})
	if err == nil {
		p.Close()
		t.Fatal("opened")
	}
	t.Logf("with libusb: %v. %v", Linked, err)
	if !Linked && (!errors.Is(err, devices.ErrPerson) || !strings.Contains(err.Error(), "built without libusb")) {
		t.Errorf("%v", err)
	}
}
