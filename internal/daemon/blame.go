package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tilld/devices"
	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
)

// errNoNode: the device is there, and the file by which it is wanted is not.
var errNoNode = errors.New("it has no such node")

// blame adds to an error of opening what is known to be behind it, and its remedy: a *roster.Cause. Who has the device open,
// or will, is only named where that explains the error: a right that is missing is missing all the same.
func (m machine) blame(err error, d discover.Device, w way) error {
	by := arbiter.ByFile
	if w.key == "usb" {
		by = arbiter.ByUSB
	}
	codes := explains(err, w)
	if codes == nil {
		return denied(err, d, w)
	}
	return because(err, arbiter.Find(m.files, d, by, os.Getpid()), codes)
}

// explains are the codes of conflicts by which an error of opening may be explained, the likeliest first; nil for none.
func explains(err error, w way) []string {
	switch {
	case errors.Is(err, devices.ErrHeld):
		return []string{arbiter.Open, arbiter.Libusb, arbiter.Cups, arbiter.ModemManager}
	case errors.Is(err, errNoNode) && w.node == discover.LP:
		return []string{arbiter.NoDriver, arbiter.Libusb, arbiter.Open}
	case errors.Is(err, errNoNode):
		return []string{arbiter.Libusb, arbiter.Open}
	case errors.Is(err, devices.ErrAbsent), errors.Is(err, devices.ErrPerson):
		return nil // it has left; or a right, a setting
	}
	return []string{arbiter.Open, arbiter.Libusb}
}

func because(err error, list []arbiter.Conflict, codes []string) error {
	for _, code := range codes {
		if i := slices.IndexFunc(list, func(c arbiter.Conflict) bool { return c.Code == code }); i >= 0 {
			return &roster.Cause{Err: err, Text: list[i].Text, Do: sentence(list[i].Do)}
		}
	}
	return err
}

// denied names the line of udev that gives a right which no group of the daemon's has.
func denied(err error, d discover.Device, w way) error {
	kind := w.node
	if w.key == "usb" {
		kind = w.key
	}
	rule := models.UdevRule(kind, d.Model())
	if rule == "" || !errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EPERM) { // which is the unit's, see roster.Remedy
		return err
	}
	return &roster.Cause{
		Err: err, Text: fmt.Sprintf("the group tilld needs a line of udev for %s", d),
		Do: "Put " + rule + " into /etc/udev/rules.d/61-till.rules, where 60-tilld.rules has it not yet, then udevadm control --reload && udevadm trigger.",
	}
}

// blamePath is blame of a line that the settings name by a file: of the device behind it, where it is USB's. A printer's file
// that is not there is that of a printer which has none.
func (m machine) blamePath(err error, w way) error {
	s, e := discover.Scan(m.files, m.access)
	if e != nil {
		return err // and what is behind it is not known
	}
	real := m.real(w.value)
	for _, d := range s.Devices {
		for _, i := range d.Interfaces {
			if slices.ContainsFunc(i.Nodes, func(n discover.Node) bool { return n.Path == real }) {
				return m.blame(err, d, w)
			}
		}
	}
	switch {
	case w.key == "lp" && errors.Is(err, devices.ErrAbsent):
		var list []arbiter.Conflict
		for _, d := range s.Devices {
			if _, has := d.Node(discover.LP); !has && d.Has(discover.ClassPrinter) {
				list = append(list, arbiter.Find(m.files, d, arbiter.ByFile, os.Getpid())...)
			}
		}
		return because(err, list, explains(errNoNode, w))
	case explains(err, w) == nil:
		return err
	}
	return because(err, arbiter.OfFile(m.files, real, os.Getpid()), []string{arbiter.Open})
}

// mostLinks is how many links lead to a file at most; more are a ring.
const mostLinks = 8

// real is the file to which the links of udev lead, /dev/serial/by-id/usb-… say; a path that is none is answered as it is.
func (m machine) real(name string) string {
	if !filepath.IsAbs(name) {
		return name
	}
	at := path.Clean(name)
	for range mostLinks {
		to, err := fs.ReadLink(m.files, strings.TrimPrefix(at, "/"))
		if err != nil {
			return at
		}
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(at), to)
		}
		at = path.Clean(to)
	}
	return name
}
