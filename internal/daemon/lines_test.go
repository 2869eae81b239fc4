package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tilld/devices"
	"tilld/devices/discover"
)

// A device that is named by what it is and is not plugged in is absent, whatever the way to it; so is a path.
func TestOpenPortSaysWhatIsNotHere(t *testing.T) {
	const serial = "serial:no device of this world has this number"
	for name, p := range map[string]Port{
		"lp": {LP: serial}, "hidraw": {HIDRaw: serial}, "event": {Event: serial}, "usb": {USB: serial}, "serial": {Serial: serial},
		"path": {LP: "/dev/usb/lp-of-nobody"}, "place": {Event: "port:nowhere/usb2/1"},
	} {
		if port, err := thisMachine().openPort(context.Background(), p); port != nil || !errors.Is(err, devices.ErrAbsent) {
			t.Errorf("%s: %v, %v", name, port, err)
		}
	}
	if _, err := thisMachine().openPort(context.Background(), Port{}); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("no way at all: %v", err)
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := thisMachine().openPort(context.Background(), Port{LP: file}); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("a file that is no printer: %v", err)
	}
}

func TestNodesOfNamedDevices(t *testing.T) {
	there := []discover.Device{
		{Vendor: 0x04b8, Product: 0x0202, Serial: "J1", Bus: 1, Address: 4, Interfaces: []discover.Interface{{Nodes: []discover.Node{{Kind: discover.LP, Path: "/dev/usb/lp0"}}}}},
		{Vendor: 0x05e0, Product: 0x1200, Bus: 1, Address: 5, Interfaces: []discover.Interface{{Nodes: []discover.Node{{Kind: discover.HIDRaw, Path: "/dev/hidraw0"}, {Kind: discover.Input, Path: "/dev/input/event3"}}}}},
	}
	c := Config{
		Printers: map[string]Device{"a": {Port: Port{LP: "serial:J1"}}, "b": {Port: Port{USB: "04b8:0202"}}, "c": {Port: Port{TCP: "10.0.0.1:9100"}}},
		Lanes:    map[string]Lane{"1": {Scanner: &Device{Port: Port{Event: "05e0:1200"}}, Display: &Device{Port: Port{Serial: "serial:gone"}}}, "2": {Scanner: &Device{Port: Port{Serial: "/dev/ttyS0"}}}},
	}
	want := map[string]string{"serial:J1": "/dev/usb/lp0", "04b8:0202": "/dev/bus/usb/001/004", "05e0:1200": "/dev/input/event3", "serial:gone": "serial:gone"}
	got := c.nodes(there)
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	for name, path := range want {
		if got[name] != path {
			t.Errorf("%s is %q, want %q", name, got[name], path)
		}
	}
}

// A plug is heard where the watch sees the device: not of the network, nor of a file that may be anything, nor of a deaf box.
func TestRings(t *testing.T) {
	d := &Daemon{}
	for p, want := range map[Port]bool{
		{Bound: true}: true, {LP: "serial:J1"}: true, {USB: "04b8:0202"}: true, {Event: "port:x/usb2/1"}: true, {LP: "/dev/usb/lp0"}: true,
		{Serial: "/dev/ttyACM0"}: true, {Serial: "/dev/serial/by-id/usb-x"}: true, {TCP: "10.0.0.1:9100"}: false, {Serial: "/dev/ttyS0"}: false,
		{Serial: "/dev/till-pole"}: false, {HIDRaw: "/dev/hidraw0"}: false, {Event: "/dev/input/event3"}: false, {Serial: "/tmp/dev/ttyUSB0"}: false,
	} {
		f := d.rings(p)
		d.hears.Store(true)
		if got := f != nil && f(); got != want {
			t.Errorf("%+v: %v", p, got)
		}
		if d.hears.Store(false); f != nil && f() {
			t.Errorf("%+v: rings at a deaf box", p)
		}
	}
}

// One ring is enough for who is busy, and who is slow holds up nobody.
func TestBell(t *testing.T) {
	var b bell
	one, two := b.ear(), b.ear()
	for range 3 {
		b.tell()
	}
	<-one
	select {
	case <-one:
		t.Error("heard twice")
	default:
	}
	<-two
	b.tell()
	<-one
}

// A device's loop may look, and so have the bell rung, while the ears of others are still being made.
func TestBellRingsWhileEarsAreMade(t *testing.T) {
	var b bell
	var all sync.WaitGroup
	first := b.ear()
	for range 8 {
		all.Go(b.tell)
		all.Go(func() { b.ear() })
	}
	all.Wait()
	<-first
	if len(b.ears) != 9 {
		t.Errorf("%d ears", len(b.ears))
	}
}
