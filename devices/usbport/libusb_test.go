//go:build cgo && libusb

package usbport

import (
	"strings"
	"testing"

	"github.com/google/gousb"
)

// The library gives up by a panic, here because it was never begun: that ends the call, not the program, and the port can
// still be closed.
func TestAPanicOfTheLibraryIsAnError(t *testing.T) {
	p := &Port{
		name: "x", o: Options{}.filled(), ctx: t.Context(), stop: func() {}, store: make([]byte, 512),
		in: new(gousb.InEndpoint), out: new(gousb.OutEndpoint),
	}
	for name, call := range map[string]func() error{
		"read":    func() error { _, err := p.Read(make([]byte, 8)); return err },
		"write":   func() error { _, err := p.Write([]byte("x")); return err },
		"control": func() error { _, err := p.PortStatus(); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "libusb gave up") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
