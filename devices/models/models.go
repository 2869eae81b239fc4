// Package models knows products: what a USB id is, how a till reaches it, which command set it speaks with which options,
// and what is odd about it. Products are data below configs/, each value with its source; there is no product in code.
package models

import (
	"slices"
	"strings"

	"tilld/devices/discover"
)

// Kinds of products.
const (
	Printer = "printer"
	Display = "display"
	Scanner = "scanner"
	Adapter = "adapter" // a serial adapter: what is behind it, its id does not tell
)

// Kinds are all of them.
func Kinds() []string { return []string{Printer, Display, Scanner, Adapter} }

// Ways are how a mode is reached: the kinds of nodes of package discover, or libusb, or a line that is not USB.
func Ways() []string {
	return []string{discover.LP, discover.TTY, discover.HIDRaw, discover.Input, "usb", "serial", "tcp", Any}
}

// Any is the way of a mode that does not depend on the line.
const Any = "any"

// Model is a product.
type Model struct {
	ID    string `yaml:"id"` // "epson-tm-t88v"
	Kind  string `yaml:"kind"`
	Name  string `yaml:"name"` // maker and model, as printed on it
	Modes []Mode `yaml:"modes"`
	File  string `yaml:"-"` // where it was read
	Local bool   `yaml:"-"` // it comes from the local folder
}

// Mode is one way in which a product presents itself.
type Mode struct {
	Name    string            `yaml:"mode"` // "usb", "keyboard", "serial": for people
	USB     []string          `yaml:"usb"`  // vendor:product
	Way     string            `yaml:"way"`
	Driver  string            `yaml:"driver"` // "" while no driver speaks it
	Options map[string]any    `yaml:"options"`
	Line    *Line             `yaml:"line"` // of a serial line
	From    map[string]string `yaml:"from"` // each value that is set → the source that says so
}

// Line is how a serial line is set as the product leaves the factory.
type Line struct {
	Baud     int    `yaml:"baud"`
	DataBits int    `yaml:"data_bits"`
	Parity   string `yaml:"parity"`
	StopBits int    `yaml:"stop_bits"`
}

// Maker is a maker of HID POS scanners. Such a scanner says itself what it is, so its product need not be known; only the right
// to its node has to be given before it speaks, and that can be said of all that a vendor makes.
type Maker struct {
	Name    string   `yaml:"name"`
	Vendors []string `yaml:"vendors"` // of USB
	From    string   `yaml:"from"`    // the source of vendors
	File    string   `yaml:"-"`
}

// Quirk is an oddity of one id, with its story.
type Quirk struct {
	ID       string   `yaml:"id"`
	USB      []string `yaml:"usb"`
	Generic  bool     `yaml:"generic"` // many products have this id: never bind by it alone
	Setup    string   `yaml:"setup"`   // what a technician must do once, "" for nothing
	Story    string   `yaml:"story"`
	Evidence string   `yaml:"evidence"` // who says so, where
	File     string   `yaml:"-"`
}

// Choice is a product that a device may be.
type Choice struct {
	Model Model
	Mode  Mode
	Exact bool // the device names itself so, or no other product has this id
}

// Catalog is all products and quirks.
type Catalog struct {
	Models  []Model
	Quirks  []Quirk
	Makers  []Maker
	Sources map[string]string // key of a file's source → its text, by "file key"
}

// Find is what d may be, exact ones first; empty for a stranger. Many products of one maker share an id: then the name
// that the device gives itself decides, and where it gives none all are answered.
func (c Catalog) Find(d discover.Device) []Choice {
	id := d.Model()
	var all, named []Choice
	for _, m := range c.Models {
		for _, mode := range m.Modes {
			if mode.Way == Any && m.Kind == Printer && d.Has(discover.ClassPrinter) && calls(d, m) && !slices.ContainsFunc(named, func(o Choice) bool { return o.Model.ID == m.ID }) {
				named = append(named, Choice{Model: m, Mode: mode, Exact: true}) // its name says it, whatever its id
			}
			for _, u := range mode.USB {
				if u != id {
					continue
				}
				ch := Choice{Model: m, Mode: mode}
				if calls(d, m) {
					ch.Exact = true
					named = append(named, ch)
				} else {
					all = append(all, ch)
				}
			}
		}
	}
	if len(named) == 0 && len(all) == 1 && !c.generic(id) {
		all[0].Exact = true
	}
	return append(named, all...)
}

// calls says whether the device gives itself the model's name. The maker's part of a name is seldom in what it says.
func calls(d discover.Device, m Model) bool {
	_, model, ok := strings.Cut(m.Name, " ")
	if !ok {
		model = m.Name
	}
	names := []string{d.Name}
	for _, i := range d.Interfaces {
		for part := range strings.SplitSeq(i.ID1284, ";") {
			if k, v, ok := strings.Cut(part, ":"); ok && (strings.EqualFold(k, "MDL") || strings.EqualFold(k, "MODEL")) {
				names = append(names, v)
			}
		}
	}
	for _, n := range names {
		if n != "" && (strings.EqualFold(n, model) || strings.EqualFold(n, m.Name)) {
			return true
		}
	}
	return false
}

func (c Catalog) generic(id string) bool {
	for _, q := range c.QuirksOf(id) {
		if q.Generic {
			return true
		}
	}
	return false
}

// QuirksOf are the oddities of an id.
func (c Catalog) QuirksOf(id string) []Quirk {
	var out []Quirk
	for _, q := range c.Quirks {
		for _, u := range q.USB {
			if u == id {
				out = append(out, q)
			}
		}
	}
	return out
}

// Kind is what kind of device d is, by its product or else by what every such device has in common; "" for one that is
// none, or that nobody can tell.
func (c Catalog) Kind(d discover.Device) string {
	kind := ""
	for i, ch := range c.Find(d) {
		if ch.Exact {
			return ch.Model.Kind // it says so itself, whatever else has its id
		}
		if i > 0 && ch.Model.Kind != kind {
			return "" // one id for a printer and a scanner: ask
		}
		kind = ch.Model.Kind
	}
	if kind != "" {
		return kind
	}
	switch {
	case posUsage(d):
		return Scanner
	case d.Has(discover.ClassPrinter):
		return Printer
	}
	return ""
}
