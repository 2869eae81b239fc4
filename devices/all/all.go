// Package all is the one list of the drivers there are. A new driver is one line here.
package all

import (
	"tilld/devices"
	"tilld/display"
	"tilld/display/cd5220"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/scanner"
	"tilld/scanner/hidpos"
	"tilld/scanner/line"
	"tilld/scanner/ssi"
	"tilld/scanner/wedge"
)

// Displays is every command set of customer displays.
func Displays() *devices.Registry[display.Display] {
	return devices.NewRegistry("customer display", cd5220.Driver)
}

// Scanners is every command set of scanners.
func Scanners() *devices.Registry[scanner.Scanner] {
	return devices.NewRegistry("scanner", line.Driver, ssi.Driver, hidpos.Driver, wedge.Driver)
}

// Printers is every command set of receipt printers.
func Printers() *devices.Registry[printer.Printer] {
	return devices.NewRegistry("receipt printer", escpos.Driver)
}
