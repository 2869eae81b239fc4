//go:build !cgo || !libusb

package usbport

import (
	"context"
	"fmt"

	"tilld/devices"
	"tilld/devices/discover"
)

// Linked says whether this program can open USB devices by itself.
const Linked = false

// Port is an open device; here there is none.
type Port struct{ devices.Port }

// Halts is how often the device has halted an endpoint.
func (*Port) Halts() int64 { return 0 }

// DeviceID is what a printer says of itself.
func (*Port) DeviceID() (string, error) { return "", devices.ErrPerson }

// PortStatus is the printer's byte.
func (*Port) PortStatus() (byte, error) { return 0, devices.ErrPerson }

// Open opens nothing: this program was built without the library.
func Open(_ context.Context, d discover.Device, _ Options) (*Port, error) {
	return nil, fmt.Errorf("open USB device %s: this program was built without libusb; use the device's file, /dev/usb/lp or the like, or a build with the tag libusb: %w", d, devices.ErrPerson)
}
