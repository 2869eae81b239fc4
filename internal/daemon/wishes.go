package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/usbport"
	"tilld/internal/roster"
)

// wish does what a person wants of a role's binding, and answers how it stands then.
func (b *binder) wish(ctx context.Context, lane, role string, w roster.Wish) (roster.Binding, error) {
	s := b.slot(lane, role)
	if s == nil {
		if slices.ContainsFunc(b.roster.Bindings(), func(x roster.Binding) bool { return x.Lane == lane && x.Role == role }) {
			return roster.Binding{}, roster.ErrFixed
		}
		return roster.Binding{}, roster.ErrNoRole
	}
	var err error
	switch w.Do {
	case roster.Ask:
		err = b.ask(ctx, s)
	case roster.Answer:
		err = b.number(ctx, s, w.Number)
	case roster.Cancel:
		b.answer(ctx, s, binding.Cancel)
	case roster.Accept:
		if !b.answer(ctx, s, binding.Yes) {
			err = b.change(s, func(v seen) (func(*binding.File) error, error) { return b.accept(s, v) })
		}
	case roster.Refuse:
		if !b.taken(s) || !b.answer(ctx, s, binding.Cancel) {
			err = b.change(s, func(v seen) (func(*binding.File) error, error) { return b.refuse(s, v) })
		}
	case roster.Unbind:
		b.answer(ctx, s, binding.Cancel)
		err = b.change(s, func(seen) (func(*binding.File) error, error) {
			return func(f *binding.File) error { f.Drop(s.key); return nil }, nil
		})
	default:
		b.answer(ctx, s, binding.Cancel)
		err = b.change(s, func(v seen) (func(*binding.File) error, error) { return b.give(s, v, w) })
	}
	if err != nil {
		return roster.Binding{}, err
	}
	return b.one(s, lane), nil
}

// one is a slot's binding as a lane sees it.
func (b *binder) one(s *slot, lane string) roster.Binding {
	for _, x := range b.all() {
		if x.Lane == lane && x.Role == s.key.Role {
			return x
		}
	}
	return roster.Binding{} // cannot be: all has every slot
}

// change writes what decide says about what is there, and lets go of the lines that are no longer right.
func (b *binder) change(s *slot, decide func(seen) (func(*binding.File) error, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, err := b.look()
	if err = cmp.Or(err, v.unkept); err != nil {
		return fmt.Errorf("%w: %w", roster.ErrUnkept, err)
	}
	do, err := decide(v)
	if err != nil {
		return err
	}
	if err := b.update(do); err != nil {
		return fmt.Errorf("%w: %w", roster.ErrUnkept, err)
	}
	v.results = b.resolve(v)
	for _, o := range b.slots {
		r, bound := v.result(o.key)
		if !bound || !r.Usable() {
			r.Unit = binding.Unit{}
		}
		o.release(r.Unit)
	}
	if r, bound := v.result(s.key); bound {
		b.log.Info("device bound", "role", s.key.String(), "device", r.Binding.Device.String(), "how", r.Binding.How)
		b.tell(s.key)
	} else {
		b.log.Info("device unbound", "role", s.key.String())
	}
	b.ring()
	return nil
}

// give is a device that a person named.
func (b *binder) give(s *slot, v seen, w roster.Wish) (func(*binding.File) error, error) {
	file := b.machine.real(w.Device)
	d, err := named(v.devices, file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", roster.ErrNotHere, err)
	}
	use, ok := b.catalog.Use(d, s.kind, s.dev.Driver)
	if !ok {
		return nil, fmt.Errorf("%w: %w", roster.ErrUnfit, b.unfit(s, d))
	}
	if first, other := otherLine(d, use.Way, file); other {
		return nil, fmt.Errorf("%w: %w", roster.ErrUnfit, &roster.Said{
			Code: "unfit", Sentence: sentence(fmt.Sprintf("a binding opens %s, the first line of %s, and not %s", first, d, file)),
			Remedy: fmt.Sprintf("A binding would open %s, the first line of the device. Name %s as the port in the settings, by its link below /dev/serial/by-path.", first, file),
			Sort:   devices.ErrPerson,
		})
	}
	if b.named(d, v.devices) {
		return nil, fmt.Errorf("%w: the settings name it", roster.ErrTaken)
	}
	u := binding.Of(d)
	if k := v.serves(u, s.key.Role); k != (binding.Key{}) && k != s.key && !w.Take {
		return nil, fmt.Errorf("%w: it is the %s", roster.ErrTaken, k)
	}
	if o := b.clash(s, d, v); o != nil {
		return nil, fmt.Errorf("%w: it is the %s", roster.ErrTaken, o.key)
	}
	return b.bind(s, u, v, binding.Person), nil
}

// bind gives u to a slot; a lane that had it gets the slot's old device for it.
func (b *binder) bind(s *slot, u binding.Unit, v seen, how string) func(*binding.File) error {
	return func(f *binding.File) error { f.Bind(s.key, u, v.units, how, today()); return nil }
}

// accept is a person's yes to what is offered.
func (b *binder) accept(s *slot, v seen) (func(*binding.File) error, error) {
	r, bound := v.result(s.key)
	if !bound || r.State != binding.Replacement && r.State != binding.Swapped {
		return nil, roster.ErrNoOffer
	}
	return b.bind(s, r.Unit, v, binding.Person), nil
}

// refuse is a person's no: of a replacement it is remembered; of a swapped pair it says that the role keeps its place, and
// the device which is there now.
func (b *binder) refuse(s *slot, v seen) (func(*binding.File) error, error) {
	r, bound := v.result(s.key)
	switch {
	case bound && r.State == binding.Replacement:
		return func(f *binding.File) error { return f.Refuse(s.key, r.Unit) }, nil
	case bound && r.State == binding.Swapped:
		i := slices.IndexFunc(v.units, func(u binding.Unit) bool { return u.Port == r.Binding.Device.Port && u.Model == r.Binding.Device.Model })
		if i < 0 {
			return nil, fmt.Errorf("%w: nothing of its model is at port %s", roster.ErrNotHere, r.Binding.Device.Port)
		}
		return b.bind(s, v.units[i], v, binding.Person), nil
	}
	return nil, roster.ErrNoOffer
}

// serves is whose device u is in a role, or would be once a person has said who is who; zero for nobody's.
func (v seen) serves(u binding.Unit, role string) binding.Key {
	for _, r := range v.results {
		if r.Binding.Role == role && r.State != binding.Replacement && r.Unit == u {
			return r.Binding.Key()
		}
	}
	return binding.Key{}
}

// clash is the slot of another role that uses the very line of d that s would use; nil for none. A device may have more
// than one: a printer with a keyboard.
func (b *binder) clash(s *slot, d discover.Device, v seen) *slot {
	own, _ := b.catalog.Use(d, s.kind, s.dev.Driver)
	for _, o := range b.slots {
		if r, bound := v.result(o.key); o.key.Role == s.key.Role || !bound || !r.Usable() || r.Unit != binding.Of(d) {
			continue
		}
		if u, ok := b.catalog.Use(d, o.kind, o.dev.Driver); ok && u.Way == own.Way {
			return o
		}
	}
	return nil
}

// otherLine says whether file is a serial line of d beside the first, which is the one that a binding opens: a binding knows a
// device and not its lines. Of nodes of HID the device says itself which one is meant.
func otherLine(d discover.Device, way, file string) (first string, other bool) {
	n, ok := d.Node(way)
	if !ok || way != discover.TTY || n.Path == file {
		return n.Path, false
	}
	return n.Path, slices.ContainsFunc(d.Interfaces, func(i discover.Interface) bool {
		return slices.ContainsFunc(i.Nodes, func(o discover.Node) bool { return o.Kind == way && o.Path == file })
	})
}

// named is the device that a name means: its file below /dev, behind all links, or as the settings name one.
func named(there []discover.Device, name string) (discover.Device, error) {
	for _, d := range there {
		for _, i := range d.Interfaces {
			if slices.ContainsFunc(i.Nodes, func(n discover.Node) bool { return n.Path == name }) {
				return d, nil
			}
		}
	}
	return usbport.Find(there, name)
}
