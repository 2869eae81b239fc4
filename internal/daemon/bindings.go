package daemon

import (
	"cmp"
	"errors"
	"slices"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/internal/roster"
)

// all are the bindings of every role, those that the settings name too.
func (b *binder) all() []roster.Binding {
	out := slices.DeleteFunc(b.roster.Bindings(), func(x roster.Binding) bool { return b.slot(x.Lane, x.Role) != nil })
	b.mu.Lock()
	defer b.mu.Unlock()
	v, err := b.look()
	for _, s := range b.slots {
		list := b.bindings(s, v)
		if said := new(roster.Said); errors.As(cmp.Or(err, v.unkept), &said) {
			for i := range list {
				list[i].Why, list[i].Do = said.Sentence, said.Remedy
			}
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, func(a, b roster.Binding) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Device, b.Device))
	})
	return out
}

// slot is the one that serves a role of a lane; nil: the settings name its device, or there is none.
func (b *binder) slot(lane, role string) *slot {
	i := slices.IndexFunc(b.slots, func(s *slot) bool { return s.key.Role == role && slices.Contains(s.lanes, lane) })
	if i < 0 {
		return nil
	}
	return b.slots[i]
}

// bindings are a slot's, one for each of its lanes. The binder is locked.
func (b *binder) bindings(s *slot, v seen) []roster.Binding {
	x := roster.Binding{Role: s.key.Role, Device: s.member.ID(), State: string(devices.Unbound), Question: b.question(s, v)}
	if r, ok := v.result(s.key); ok {
		x.State, x.How, x.Since, x.Why, x.Do = r.State, r.Binding.How, r.Binding.Since, r.Why, r.Do
		x.Unit = b.known(r.Binding.Device, v.devices)
		x.KnownBy = "port"
		if r.Binding.Device.Serial != "" && x.Unit.Call == "serial:"+r.Binding.Device.Serial {
			x.KnownBy = "serial"
		}
		switch r.State {
		case binding.Found, binding.Moved:
			x.Unit = b.known(r.Unit, v.devices)
		case binding.Replacement, binding.Swapped:
			x.Offer = b.known(r.Unit, v.devices)
		}
		for _, c := range r.Candidates {
			x.Candidates = append(x.Candidates, *b.known(c, v.devices))
		}
	} else {
		x.Why, x.Do = b.unboundSays(s, v)
	}
	var out []roster.Binding
	for _, lane := range s.lanes {
		x.Lane = lane
		out = append(out, x)
	}
	return out
}

// known is a unit as the API shows it, with its product if it is plugged in.
func (b *binder) known(u binding.Unit, there []discover.Device) *roster.Unit {
	for _, d := range there {
		if d.Port == u.Port && d.Model() == u.Model {
			return b.unit(d, there)
		}
	}
	out := &roster.Unit{Name: u.Name, Model: u.Model, Serial: u.Serial, Port: u.Port, Call: "port:" + u.Port}
	if u.Serial != "" && !several(there, "serial:"+u.Serial) {
		out.Call = "serial:" + u.Serial
	}
	return out
}

// unboundSays is what a person is told of an unbound slot. That it has no device its state says; only of one that is there and
// cannot be used is there more to say.
func (b *binder) unboundSays(s *slot, v seen) (why, do string) {
	var said *roster.Said
	if !errors.As(b.unbound(s, v), &said) {
		return "", ""
	}
	if _, ok := b.waits(s, v); ok {
		why = said.Sentence
	}
	return why, said.Remedy
}
