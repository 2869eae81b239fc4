package binding

import (
	"fmt"
	"slices"
	"strings"
)

// What has become of a bound device.
const (
	Found       = "found"
	Moved       = "moved"       // it is there, at another port, and no other can be meant
	Absent      = "absent"      // it is not there
	Replacement = "replacement" // another of its model is at its port: a person may accept it
	Swapped     = "swapped"     // it sits where its twin belongs: refused until a person says who is who
	Unsure      = "unsure"      // several could be meant: refused
)

// Result is what is known of a binding now. Only Found and Moved have a device to be used.
type Result struct {
	Binding    Binding
	State      string
	Unit       Unit   // the device, or the one that is offered in its place
	Candidates []Unit // of Unsure
	Why, Do    string // in words; "" of Found
}

// Usable says whether Unit is the device.
func (r Result) Usable() bool { return r.State == Found || r.State == Moved }

// Resolve says of each binding what has become of its device, in the order of bs. It is a function of what is written
// and what is there, and of nothing else.
func Resolve(bs []Binding, present []Unit) []Result {
	w := world{bs, present}
	out := make([]Result, len(bs))
	for i, b := range bs {
		out[i] = w.resolve(b)
	}
	return out
}

type world struct {
	bs      []Binding
	present []Unit
}

func (w world) resolve(b Binding) Result {
	r := Result{Binding: b}
	u := b.Device
	if w.serialTells(u) {
		if i := slices.IndexFunc(w.present, func(p Unit) bool { return p.Model == u.Model && p.Serial == u.Serial }); i >= 0 {
			return w.atItsPlace(r, w.present[i])
		}
		return w.lost(r)
	}
	i := slices.IndexFunc(w.present, func(p Unit) bool { return p.Model == u.Model && p.Port == u.Port })
	switch {
	case i < 0:
		return w.byDescriptors(r)
	case w.present[i].Serial != u.Serial && w.serialTells(w.present[i]): // it never had that number: this is another one
		return w.lost(r)
	case u.Hash != "" && w.present[i].Hash != u.Hash:
		if c := w.belongs(w.present[i], b); c != nil {
			return swapped(r, w.present[i], *c)
		}
		return w.lost(r)
	}
	r.State, r.Unit = Found, w.present[i]
	return r
}

// serialTells says whether a serial number tells a device from all others: cheap makers burn one number into all.
func (w world) serialTells(u Unit) bool {
	if u.Serial == "" {
		return false
	}
	n := 0
	for _, p := range w.present {
		if p.Model == u.Model && p.Serial == u.Serial {
			n++
		}
	}
	if n > 1 {
		return false
	}
	port := ""
	for _, b := range w.bs {
		if d := b.Device; d.Model == u.Model && d.Serial == u.Serial {
			if port != "" && d.Port != port {
				return false // two bound devices with one number: each is known by its port
			}
			port = d.Port
		}
	}
	return true
}

// same says whether a and b are one device.
func (w world) same(a, b Unit) bool {
	if a.Model != b.Model {
		return false
	}
	if w.serialTells(a) && w.serialTells(b) {
		return a.Serial == b.Serial
	}
	return a.Port == b.Port
}

// atItsPlace: u is the device, by its serial number. If it sits where another bound device of its model belongs, somebody
// has exchanged cables, or the devices themselves; which of the two cannot be seen from here.
func (w world) atItsPlace(r Result, u Unit) Result {
	b := r.Binding
	if u.Port == b.Device.Port {
		r.State, r.Unit = Found, u
		return r
	}
	for i, c := range w.bs {
		if c.Device.Model == u.Model && c.Device.Port == u.Port && !w.same(c.Device, b.Device) {
			return swapped(r, u, w.bs[i])
		}
	}
	return moved(r, u)
}

// belongs is the binding of another port whose device u, without a serial number, seems to be: it has its descriptors,
// and that device is not where it was.
func (w world) belongs(u Unit, but Binding) *Binding {
	for i, c := range w.bs {
		if c.Device.Model != u.Model || c.Device.Hash != u.Hash || c.Device.Port == but.Device.Port {
			continue
		}
		there := slices.ContainsFunc(w.present, func(p Unit) bool {
			return p.Model == c.Device.Model && p.Port == c.Device.Port && p.Hash == c.Device.Hash
		})
		if !there {
			return &w.bs[i]
		}
	}
	return nil
}

// byDescriptors: a device without a serial number is not at its port.
func (w world) byDescriptors(r Result) Result {
	u := r.Binding.Device
	var free []Unit
	for _, p := range w.present {
		bound := slices.ContainsFunc(w.bs, func(c Binding) bool {
			return w.same(c.Device, p) || c.Device.Model == p.Model && c.Device.Port == p.Port
		})
		if p.Model == u.Model && !bound {
			free = append(free, p)
		}
	}
	twins := slices.ContainsFunc(w.bs, func(c Binding) bool { return c.Device.Model == u.Model && !w.same(c.Device, u) })
	switch {
	case len(free) == 1 && !twins && free[0].Hash == u.Hash && !w.serialTells(free[0]):
		return moved(r, free[0])
	case len(free) > 0:
		r.State, r.Candidates = Unsure, free
		var ports []string
		for _, f := range free {
			ports = append(ports, f.Port)
		}
		r.Why = fmt.Sprintf("the %s, %s, is not at its port; without a serial number it cannot be told from those at %s", r.Binding.Key(), u, strings.Join(ports, ", "))
		r.Do = "plug it back into port " + u.Port + ", or say which it is: tillctl bind"
		return r
	}
	return w.absent(r)
}

// lost: nobody has the device's serial number. Another of its model at its port is offered, once.
func (w world) lost(r Result) Result {
	b := r.Binding
	i := slices.IndexFunc(w.present, func(p Unit) bool { return p.Model == b.Device.Model && p.Port == b.Device.Port })
	if i < 0 {
		return w.absent(r)
	}
	u := w.present[i]
	if slices.ContainsFunc(w.bs, func(c Binding) bool { return c.Key() != b.Key() && c.Device.Serial != "" && w.same(c.Device, u) }) {
		return w.absent(r) // it is somebody else's
	}
	if slices.Contains(b.Refused, u.id()) {
		r = w.absent(r)
		r.Why += "; " + u.String() + " stands in its place and was refused"
		return r
	}
	r.State, r.Unit = Replacement, u
	r.Why = fmt.Sprintf("the %s was %s; at its port is now %s", b.Key(), b.Device, u)
	r.Do = "accept the new one, or refuse it: tillctl bind"
	return r
}

func (w world) absent(r Result) Result {
	b := r.Binding
	r.State = Absent
	r.Why = fmt.Sprintf("the %s, %s, is not here", b.Key(), b.Device)
	r.Do = "plug it in and switch it on, or bind another: tillctl bind"
	for _, p := range w.present {
		if p.Port == b.Device.Port && p.Model != b.Device.Model {
			r.Why += "; at its port " + p.Port + " is " + p.String()
		}
	}
	return r
}

func moved(r Result, u Unit) Result {
	r.State, r.Unit = Moved, u
	r.Why = fmt.Sprintf("the %s has moved from port %s to port %s", r.Binding.Key(), r.Binding.Device.Port, u.Port)
	return r
}

func swapped(r Result, u Unit, other Binding) Result {
	r.State, r.Unit = Swapped, u
	r.Why = fmt.Sprintf("%s sits at port %s, where the %s belongs: two devices of one model were exchanged", u, u.Port, other.Key())
	r.Do = fmt.Sprintf("exchange the two cables again, or say which device is the %s now: tillctl bind", r.Binding.Key())
	return r
}
