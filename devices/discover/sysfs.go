package discover

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	usbDevices = "sys/bus/usb/devices"
	ttyClass   = "sys/class/tty"
)

// Scan reads what is there. root is that of the file system, access says why a node below /dev cannot be opened. A
// device that goes away meanwhile is left out. An error is that there is no sysfs (fs.ErrNotExist), or that this process can
// read no more files now: who then took what it did read for all would see devices leave that are there.
func Scan(root fs.FS, access func(string) error) (Snapshot, error) {
	fsys := &short{FS: root}
	out, err := scan(fsys, access)
	if err == nil && fsys.err != nil {
		err = fmt.Errorf("read /%s: %w", usbDevices, fsys.err)
	}
	return out, err
}

func scan(fsys fs.FS, access func(string) error) (Snapshot, error) {
	var out Snapshot
	names, err := fs.ReadDir(fsys, usbDevices)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a machine without USB, or a kernel without sysfs
		if _, e := fs.Stat(fsys, "sys/class"); e != nil {
			return out, fmt.Errorf("read /%s: %w", usbDevices, err)
		}
	case err != nil:
		return out, fmt.Errorf("read /%s: %w", usbDevices, err)
	}
	for _, e := range names {
		if strings.Contains(e.Name(), ":") || strings.HasPrefix(e.Name(), "usb") {
			continue // interfaces, root hubs
		}
		if d, ok := device(fsys, e.Name(), access); ok {
			out.Devices = append(out.Devices, d)
		}
	}
	slices.SortFunc(out.Devices, func(a, b Device) int { return strings.Compare(a.Port+" "+a.Kernel, b.Port+" "+b.Kernel) })
	out.Lines = lines(fsys, access)
	return out, nil
}

// device reads one; false when it is a hub, or no longer whole.
func device(fsys fs.FS, name string, access func(string) error) (Device, bool) {
	dir := path.Join(usbDevices, name)
	d := Device{Kernel: name}
	var ok [4]bool
	d.Vendor, ok[0] = hex16(attr(fsys, dir, "idVendor"))
	d.Product, ok[1] = hex16(attr(fsys, dir, "idProduct"))
	d.Bus, ok[2] = decimal(attr(fsys, dir, "busnum"))
	d.Address, ok[3] = decimal(attr(fsys, dir, "devnum"))
	if class, _ := hex8(attr(fsys, dir, "bDeviceClass")); class == ClassHub || ok != [4]bool{true, true, true, true} {
		return d, false
	}
	d.Manufacturer = text(attr(fsys, dir, "manufacturer"))
	d.Name = text(attr(fsys, dir, "product"))
	d.Serial = text(attr(fsys, dir, "serial"))
	d.Port = port(fsys, dir, name)
	said, err := fs.ReadFile(fsys, path.Join(dir, "descriptors"))
	if err == nil && len(said) > 0 {
		sum := sha256.Sum256(said)
		d.Hash = hex.EncodeToString(sum[:8])
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return d, false
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), name+":") {
			continue
		}
		if i, ok := iface(fsys, path.Join(dir, e.Name()), access); ok {
			d.Interfaces = append(d.Interfaces, i)
		}
	}
	slices.SortFunc(d.Interfaces, func(a, b Interface) int { return a.Number - b.Number })
	active, _ := decimal(attr(fsys, dir, "bConfigurationValue"))
	bulk := bulkOut(said, active)
	for n := range d.Interfaces {
		d.Interfaces[n].BulkOut = slices.Contains(bulk, d.Interfaces[n].Number)
	}
	return d, true
}

// port is the controller, the USB generation of its root hub and the way through the hubs. Bus numbers are left out:
// they follow the order in which controllers were found.
func port(fsys fs.FS, dir, name string) string {
	_, way, _ := strings.Cut(name, "-")
	real := dir
	if to, err := fs.ReadLink(fsys, dir); err == nil {
		real = path.Join(path.Dir(dir), to)
	}
	parts := strings.Split(real, "/")
	for i, p := range parts {
		if n, ok := strings.CutPrefix(p, "usb"); ok && i > 0 && n != "" && strings.Trim(n, "0123456789") == "" {
			generation, _, _ := strings.Cut(strings.TrimSpace(attr(fsys, strings.Join(parts[:i+1], "/"), "version")), ".")
			if _, ok := decimal(generation); !ok {
				generation = "?"
			}
			return text(parts[i-1]) + "/usb" + generation + "/" + text(way)
		}
	}
	return "?/" + text(name) // a tree without its controller: the name is all there is
}

func iface(fsys fs.FS, dir string, access func(string) error) (Interface, bool) {
	var i Interface
	num, ok := hex8(attr(fsys, dir, "bInterfaceNumber"))
	if !ok {
		return i, false
	}
	i.Number = int(num)
	if i.Class, ok = hex8(attr(fsys, dir, "bInterfaceClass")); !ok {
		return i, false
	}
	i.SubClass, _ = hex8(attr(fsys, dir, "bInterfaceSubClass"))
	i.Protocol, _ = hex8(attr(fsys, dir, "bInterfaceProtocol"))
	if to, err := fs.ReadLink(fsys, path.Join(dir, "driver")); err == nil {
		i.Driver = text(path.Base(to))
	}
	i.ID1284 = text(attr(fsys, dir, "ieee1284_id"))
	i.Nodes, i.Usages = nodes(fsys, dir)
	for n := range i.Nodes {
		i.Nodes[n].Trouble = trouble(access, i.Nodes[n].Path)
	}
	return i, true
}

func trouble(access func(string) error, p string) string {
	err := access(p)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fs.ErrNotExist):
		return "missing"
	case errors.Is(err, fs.ErrPermission):
		return "denied"
	}
	return err.Error()
}

// lines are the machine's own serial lines: those that have a chip behind them.
func lines(fsys fs.FS, access func(string) error) []Line {
	var out []Line
	names, err := fs.ReadDir(fsys, ttyClass)
	if err != nil {
		return nil // none
	}
	for _, e := range names {
		n, ok := strings.CutPrefix(e.Name(), "ttyS")
		if _, number := decimal(n); !ok || !number {
			continue
		}
		if kind, ok := decimal(attr(fsys, path.Join(ttyClass, e.Name()), "type")); !ok || kind == 0 {
			continue // the driver keeps a name, and found no chip
		}
		p := "/dev/" + e.Name()
		out = append(out, Line{Path: p, Trouble: trouble(access, p)})
	}
	return out
}
