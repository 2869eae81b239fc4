// Package binding remembers which device serves which role of which lane, and says after every plug whether it still is
// that device. It never guesses: where two devices could be meant, a person is asked.
//
// A device is known by its serial number; where it has none, or two claim the same, by the port that it is plugged into;
// and where it was the only one of its model, by its descriptors at another port.
package binding

import (
	"fmt"
	"slices"

	"tilld/devices/discover"
)

// Roles of a device.
const (
	ReceiptPrinter  = "receipt-printer"
	CustomerDisplay = "customer-display"
	Kiosk           = "kiosk"
	Scanner         = "scanner"
	Drawer          = "drawer"
)

// Roles are all of them.
func Roles() []string { return []string{ReceiptPrinter, CustomerDisplay, Kiosk, Scanner, Drawer} }

// Key is what a device is for.
type Key struct {
	Lane string `yaml:"lane"`
	Role string `yaml:"role"`
}

// String is "scanner of lane 1".
func (k Key) String() string { return k.Role + " of lane " + k.Lane }

// Unit is what a device is known by.
type Unit struct {
	Model  string `yaml:"model"`  // vendor:product
	Serial string `yaml:"serial"` // "" for none
	Port   string `yaml:"port"`
	Hash   string `yaml:"hash"` // of its descriptors
	Name   string `yaml:"name"` // for people
}

// Of is the Unit of a device that is there.
func Of(d discover.Device) Unit {
	name := d.Name
	if d.Manufacturer != "" {
		name = d.Manufacturer + " " + d.Name
	}
	return Unit{Model: d.Model(), Serial: d.Serial, Port: d.Port, Hash: d.Hash, Name: name}
}

// String names it for a person.
func (u Unit) String() string {
	s := u.Model
	if u.Name != "" {
		s = u.Name + " (" + u.Model + ")"
	}
	if u.Serial != "" {
		return s + " with serial number " + u.Serial
	}
	return s + " at port " + u.Port
}

// id is what a person's no is remembered by.
func (u Unit) id() string {
	if u.Serial != "" {
		return "serial " + u.Serial
	}
	return "descriptors " + u.Hash
}

// How a binding came to be.
const (
	Alone    = "alone"    // there was one device for one role
	Evidence = "evidence" // a person pressed its button
	Person   = "person"   // a person said so
)

// Binding is one decision.
type Binding struct {
	Lane    string   `yaml:"lane"`
	Role    string   `yaml:"role"`
	How     string   `yaml:"how"`
	Since   string   `yaml:"since"` // the day, for people
	Device  Unit     `yaml:"device"`
	Refused []string `yaml:"refused"` // replacements that a person has refused
}

// Key is what it is for.
func (b Binding) Key() Key { return Key{b.Lane, b.Role} }

// File is bindings.yaml.
type File struct {
	Version  int       `yaml:"version"`
	Bindings []Binding `yaml:"bindings"`
	Empty    []Key     `yaml:"empty"` // roles that a person wants without a device: none is given by itself
}

// Version is the one that is read and written.
const Version = 1

// Get is the binding of a role.
func (f *File) Get(k Key) (Binding, bool) {
	if i := f.at(k); i >= 0 {
		return f.Bindings[i], true
	}
	return Binding{}, false
}

func (f *File) at(k Key) int {
	return slices.IndexFunc(f.Bindings, func(b Binding) bool { return b.Key() == k })
}

// Bind gives u, one of those present, to k. Where another lane has u in the same role, the two exchange their devices:
// that is what a person means who says it of a swapped pair. A device that lanes are to share is given by Share.
func (f *File) Bind(k Key, u Unit, present []Unit, how, day string) {
	old, had := f.Get(k)
	for i, r := range Resolve(f.Bindings, present) {
		b := &f.Bindings[i]
		if b.Key() == k || b.Role != k.Role || r.Unit != u || r.State == Replacement {
			continue
		}
		if had {
			b.Device, b.How, b.Since, b.Refused = old.Device, how, day, nil
		} else {
			f.Bindings = slices.Delete(f.Bindings, i, i+1)
		}
		break
	}
	f.Share(k, u, how, day)
}

// Share gives u to k and takes it from nobody.
func (f *File) Share(k Key, u Unit, how, day string) {
	b := Binding{Lane: k.Lane, Role: k.Role, How: how, Since: day, Device: u}
	f.Empty = slices.DeleteFunc(f.Empty, func(e Key) bool { return e == k })
	if i := f.at(k); i >= 0 {
		f.Bindings[i] = b
		return
	}
	f.Bindings = append(f.Bindings, b)
}

// Drop leaves a role without a device until a person gives it one, and says whether it had one.
func (f *File) Drop(k Key) bool {
	if !slices.Contains(f.Empty, k) {
		f.Empty = append(f.Empty, k)
	}
	i := f.at(k)
	if i >= 0 {
		f.Bindings = slices.Delete(f.Bindings, i, i+1)
	}
	return i >= 0
}

// Refuse notes that a person does not want u in place of the device of k, so that it is not offered again.
func (f *File) Refuse(k Key, u Unit) error {
	i := f.at(k)
	if i < 0 {
		return fmt.Errorf("the %s has no device, so there is nothing to replace", k)
	}
	if b := &f.Bindings[i]; !slices.Contains(b.Refused, u.id()) {
		b.Refused = append(b.Refused, u.id())
	}
	return nil
}

// Follow notes where a device is that has moved, in all its roles, and says whether that was news.
func (f *File) Follow(r Result) bool {
	if r.State != Moved {
		return false
	}
	was, news := r.Binding.Device, false
	for i := range f.Bindings {
		if f.Bindings[i].Device == was {
			f.Bindings[i].Device, news = r.Unit, true
		}
	}
	return news
}
