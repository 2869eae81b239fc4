package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/mdns"
	"tilld/devices/netport"
	"tilld/devices/serialport"
	"tilld/devices/usbport"
)

// way is a key of a port, what it holds, and the node of a USB device that it means.
type way struct{ key, value, node string }

// ways are all of them, those that are set or not.
func (p Port) ways() []way {
	return []way{
		{"serial", p.Serial, discover.TTY},
		{"tcp", p.TCP, ""},
		{"lp", p.LP, discover.LP},
		{"hidraw", p.HIDRaw, discover.HIDRaw},
		{"event", p.Event, discover.Input},
		{"usb", p.USB, ""},
	}
}

// set are the ways that are set; a good port has one.
func (p Port) set() []way {
	var out []way
	for _, w := range p.ways() {
		if w.value != "" {
			out = append(out, w)
		}
	}
	return out
}

// where is the line of a device, as a technician names it.
func (p Port) where() string {
	if set := p.set(); len(set) > 0 {
		return set[0].value
	}
	return ""
}

// machine is what the box looks at and opens: this computer, or a test's.
type machine struct {
	files    fs.FS                           // the root of its files
	access   func(string) error              // why a node cannot be opened
	messages func() (discover.Source, error) // of its kernel
	network  func(context.Context) ([]mdns.Printer, error)
	shared   bool                                    // keys that are read are not kept from others
	line     func(node, key string) (string, string) // the file to open for a node, and the key of the way to it
}

func thisMachine() machine {
	return machine{files: os.DirFS("/"), access: discover.Access, messages: func() (discover.Source, error) {
		k, err := discover.OpenKernel()
		if err != nil {
			return nil, err // not a nil *Kernel in an interface
		}
		return k, nil
	}, network: mdns.Find, line: func(node, key string) (string, string) { return node, key }}
}

// openPort opens the line, whichever kind it is. A device that is named by what it is, and not by a path, is looked for
// anew each time: after a plug its node may have another number.
func (m machine) openPort(ctx context.Context, p Port) (devices.Port, error) {
	switch {
	case p.TCP != "":
		return netport.Dial(ctx, p.TCP, netport.Options{})
	case p.USB != "":
		d, err := m.look(p.USB)
		if err != nil {
			return nil, err
		}
		return m.openDevice(ctx, d, way{key: "usb"}, p)
	}
	set := p.set()
	if len(set) == 0 {
		return nil, fmt.Errorf("open a port: none is named: %w", devices.ErrPerson)
	}
	w := set[0]
	if !byName(w.value) {
		port, err := m.openNode(ctx, w.value, w.key, p)
		if err != nil {
			return nil, m.blamePath(err, w)
		}
		return port, nil
	}
	d, err := m.look(w.value)
	if err != nil {
		return nil, err
	}
	return m.openDevice(ctx, d, w, p)
}

// openDevice opens the line of a USB device that was found.
func (m machine) openDevice(ctx context.Context, d discover.Device, w way, p Port) (devices.Port, error) {
	if w.key == "usb" {
		port, err := usbport.Open(ctx, d, usbport.Options{})
		if err != nil {
			return nil, m.blame(err, d, w)
		}
		return port, nil
	}
	n, ok := d.Node(w.node)
	if !ok {
		return nil, m.blame(fmt.Errorf("open %s as %s: %w: %w", d, w.key, errNoNode, devices.ErrAbsent), d, w)
	}
	port, err := m.openNode(ctx, n.Path, w.key, p)
	if err != nil {
		return nil, m.blame(err, d, w)
	}
	return port, nil
}

func (m machine) openNode(ctx context.Context, path, key string, p Port) (devices.Port, error) {
	path, key = m.line(path, key)
	kinds := map[string]fileport.Kind{"lp": fileport.Printer, "hidraw": fileport.HID, "event": fileport.Event}
	if kind, ok := kinds[key]; ok {
		port, err := fileport.Open(ctx, path, kind, fileport.Options{Shared: m.shared})
		if err != nil {
			return nil, err // not a nil *Port in an interface
		}
		return port, nil
	}
	port, err := serialport.Open(ctx, path, serialport.Options{
		Baud: p.Baud, DataBits: p.DataBits, Parity: p.Parity, StopBits: p.StopBits, Flow: p.Flow,
	})
	if err != nil {
		return nil, err
	}
	return port, nil
}

// look finds a device by its serial number, port or model.
func (m machine) look(name string) (discover.Device, error) {
	s, err := discover.Scan(m.files, m.access)
	if err != nil {
		return discover.Device{}, fmt.Errorf("look for USB device %s: %w", name, err)
	}
	return usbport.Find(s.Devices, name)
}

// watch tells every device's loop when something was plugged in or became usable, until ctx ends. Without the kernel's
// messages they try by themselves, ever more slowly.
func (d *Daemon) watch(ctx context.Context) {
	d.hears.Store(true)
	w := discover.Watcher{FS: d.machine.files, Access: d.machine.access, Log: d.log, Open: d.machine.messages}
	err := w.Run(ctx, func(e discover.Event) {
		switch e.Kind {
		case discover.Arrived, discover.Left:
			d.log.Info("USB device "+e.Kind, "device", e.Device.String())
		}
		d.binder.moved(e)
		if e.Kind == discover.Arrived || e.Kind == discover.Changed {
			d.plugged.tell()
		}
	})
	if err != nil {
		d.hears.Store(false)
		d.log.Warn("devices are found by trying alone", "err", err)
	}
}

// rings says whether a plug of the device at p is heard. Of a path only some say that it is a USB device's.
func (d *Daemon) rings(p Port) func() bool {
	if w := p.where(); !p.Bound && (p.TCP != "" || !byName(w) && !usbNode.MatchString(w)) {
		return nil
	}
	return d.hears.Load
}

// bell wakes all who listen. A listener that has not yet heard the last ring hears one for both.
type bell struct {
	mu   sync.Mutex
	ears []chan struct{}
}

// ear is one more listener's. It hears what rings from now on.
func (b *bell) ear() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := make(chan struct{}, 1)
	b.ears = append(b.ears, c)
	return c
}

func (b *bell) tell() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.ears {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// paths are the files by which the settings name devices.
func (c Config) paths() []string {
	var out []string
	c.each(func(dev *Device) {
		for _, w := range dev.Port.set() {
			if filepath.IsAbs(w.value) {
				out = append(out, w.value)
			}
		}
	})
	return out
}

// each is every device of the settings.
func (c Config) each(do func(*Device)) {
	for _, l := range c.Lanes {
		for _, dev := range []*Device{l.Display, l.Scanner} {
			if dev != nil {
				do(dev)
			}
		}
	}
	for _, p := range c.Printers {
		do(&p)
	}
}

// nodes says of each device that the settings name by what it is which node it has now, or its own name while it is
// not here.
func (c Config) nodes(there []discover.Device) map[string]string {
	out := map[string]string{}
	c.each(func(dev *Device) {
		for _, w := range dev.Port.set() {
			if w.key == "tcp" || !byName(w.value) {
				continue
			}
			out[w.value] = w.value
			d, err := usbport.Find(there, w.value)
			if err != nil {
				continue // not here, or several
			}
			out[w.value] = d.USBNode()
			if n, ok := d.Node(w.node); ok {
				out[w.value] = n.Path
			}
		}
	})
	return out
}
