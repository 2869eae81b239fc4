package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
)

// unheard is a device that could answer a question, and could not be opened for it, or is left alone.
type unheard struct {
	device discover.Device
	way    string
	err    error
	times  int // in a row
}

// placeOf is one plug of a device.
func placeOf(d discover.Device) string { return d.Port + " " + d.USBNode() }

// reach opens the line of a device for a question, and notes for whoever asks where it cannot.
func (b *binder) reach(ctx context.Context, on machine, a *asked, d discover.Device, u models.Use) (devices.Port, error) {
	p, err := on.openDevice(ctx, d, keyOf(u.Way), a.s.port(u))
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return p, err // the question is over, and what was noted stands
	}
	if err == nil || !lasts(err) || u.Way == discover.Input && b.catalog.Kind(d) == "" && !types(d) {
		delete(a.unheard, placeOf(d))
		return p, err
	}
	a.unheard[placeOf(d)] = unheard{d, u.Way, err, a.unheard[placeOf(d)].times + 1}
	return p, err
}

// leftAlone notes for whoever asks what could be the one and is not even tried, and forgets what cannot be it any more.
func (b *binder) leftAlone(a *asked, d discover.Device, c candidate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.alone == nil {
		delete(a.unheard, placeOf(d))
		return
	}
	a.unheard[placeOf(d)] = unheard{d, c.use.Way, c.alone, a.unheard[placeOf(d)].times + 1}
}

// lasts says whether an error of opening stays until a person has done something.
func lasts(err error) bool {
	return devices.Sort(err) == devices.NeedsPerson || errors.As(err, new(*roster.Cause))
}

// Usages of a device that types (HID Usage Tables, page 1: Keyboard, Keypad), and what such a one may call itself instead, the
// boot interface of a keyboard (HID 1.11, 4.2 and 4.3).
const (
	usageKeyboard, usageKeypad  = 0x1_0006, 0x1_0007
	bootInterface, bootKeyboard = 1, 1
)

// types says whether a device has keys that make text: a mouse has a file of keys too.
func types(d discover.Device) bool {
	return slices.ContainsFunc(d.Interfaces, func(i discover.Interface) bool {
		boot := i.Class == discover.ClassHID && i.SubClass == bootInterface && i.Protocol == bootKeyboard
		return boot || slices.Contains(i.Usages, usageKeyboard) || slices.Contains(i.Usages, usageKeypad)
	})
}

// notHeard are the devices that could be the one and cannot be opened, or are left alone, and what to do about each. Of one that was plugged in
// while the question stood that is said at the second failure: udev gives it its rights a moment after its arrival. The
// binder is locked.
func (b *binder) notHeard(a *asked, v seen) []roster.Unheard {
	var out []roster.Unheard
	for _, place := range slices.Sorted(maps.Keys(a.unheard)) {
		x := a.unheard[place]
		if _, there := v.device(binding.Of(x.device)); !there || x.times < 2 && a.fresh[x.device.Port] {
			continue
		}
		why := x.device.String() + " could be it"
		if x.way == discover.Input && b.catalog.Kind(x.device) == "" {
			why += ", or a keyboard for people"
		}
		out = append(out, roster.Unheard{
			Unit: *b.unit(x.device, v.devices), Why: sentence(why + ", and cannot be listened to: " + inTheWay(x.err)),
			Do: roster.Remedy(nodePath(x.device, x.way), x.err),
		})
	}
	return append(out, b.notUsed(a.s.key.Role, v)...)
}

// notUsed are the devices that serve a role of some lane, are plugged in, and cannot be opened: they are not listened to, for
// their own loops do. The binder is locked.
func (b *binder) notUsed(role string, v seen) []roster.Unheard {
	var out []roster.Unheard
	for _, o := range b.slots {
		r, bound := v.result(o.key)
		if _, open := o.unit(); open || o.key.Role != role || !bound || !r.Usable() {
			continue
		}
		d, there := v.device(r.Unit)
		now := o.member.Now()
		if !there || now.LastError == nil || now.State != devices.Refused || time.Since(now.Since) < lookAgain {
			continue
		}
		out = append(out, roster.Unheard{
			Unit: *b.unit(d, v.devices), Why: sentence(fmt.Sprintf("%s is the %s, and cannot be used: %s", d, o.key, now.LastError.Text)), Do: now.LastError.Remedy,
		})
	}
	return out
}

// inTheWay is why a device could not be opened, in a clause.
func inTheWay(err error) string {
	cause := new(roster.Cause)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "this program may not open its file"
	case errors.As(err, &cause):
		return cause.Text
	}
	return err.Error()
}
