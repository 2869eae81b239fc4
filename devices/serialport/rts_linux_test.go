package serialport_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tilld/devices/porttest"
	"tilld/devices/serialport"
)

// A line without the wire RTS says so, and a USB device that is a line by itself is known by its node, whichever link leads
// to it.
func TestALineWithoutRTSSaysSo(t *testing.T) {
	far, tty := porttest.Line(t)
	defer far.Close()
	defer tty.Close()
	for _, flow := range []string{serialport.NoFlow, serialport.RTSCTS} {
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{Flow: flow})
		if err != nil {
			t.Fatal(err)
		}
		if err = p.LowerRTS(); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("flow %s: %v", flow, err)
		}
		t.Log(err)
		p.Close()
		if err := p.LowerRTS(); err == nil {
			t.Error("behind Close it was lowered")
		}
	}
	folder := t.TempDir()
	link := filepath.Join(folder, "usb-Symbol_Scanner-if00")
	for node, want := range map[string]bool{"ttyACM0": false, "ttyUSB0": true, "ttyS1": true, "ttyAMA0": true} {
		node = filepath.Join(folder, node)
		if err := os.WriteFile(node, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(node, link); err != nil {
			t.Fatal(err)
		}
		if a, b := serialport.Wired(node), serialport.Wired(link); a != want || b != want {
			t.Errorf("%s: %v, by a link %v", node, a, b)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}
