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

// Port is an open device.
type Port struct{ devices.Port }

// Open opens nothing: this program was built without the library.
func Open(_ context.Context, d discover.Device, _ Options) (*Port, error) {
	return nil, fmt.Errorf("open USB device %s: this program was built without libusb; use the device's file, /dev/usb/lp or the like, or a build with the tag libusb: %w", d, devices.ErrPerson)
}
