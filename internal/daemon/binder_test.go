package daemon

import (
	"testing"

	"tilld/devices/discover"
)

// A device that the settings name, by its file or by what it is, is not free to be bound.
func TestWhatTheSettingsNameIsNotFree(t *testing.T) {
	device := func(port, serial, node string) discover.Device {
		return discover.Device{Port: port, Serial: serial, Vendor: 0x05e0, Product: 0x1701, Interfaces: []discover.Interface{{Nodes: []discover.Node{{Kind: discover.TTY, Path: node}}}}}
	}
	there := []discover.Device{device("usb1/1", "", "/dev/ttyACM0"), device("usb1/2", "S-2", "/dev/ttyACM1"), device("usb1/3", "", "/dev/ttyACM2")}
	c := Config{
		Lanes:    map[string]Lane{"1": {Scanner: &Device{Port: Port{Serial: "/dev/ttyACM0"}}}, "2": {Scanner: &Device{Port: Port{Bound: true}}}},
		Printers: map[string]Device{"front": {Port: Port{Serial: "serial:S-2"}}},
	}
	b := &binder{fixed: c.nodes, paths: c.paths()}
	for i, want := range []bool{true, true, false} {
		if got := b.named(there[i], there); got != want {
			t.Errorf("%s is named: %v", there[i].Interfaces[0].Nodes[0].Path, got)
		}
	}
}
