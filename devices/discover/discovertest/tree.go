// Package discovertest is a sysfs of which a test plugs and pulls the cables, in the layout of a real kernel.
package discovertest

import (
	"bufio"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"
)

// Tree is a file system with sysfs in it. Reading, plugging and pulling may go on at once.
type Tree struct {
	mu      sync.Mutex
	files   fstest.MapFS
	address int
	numbers map[string]int // of the next node of a kind
	gone    map[string][]string
	denied  map[string]error
}

// New is a machine with one controller for each given name, each with a USB 2 root hub.
func New(controllers ...string) *Tree {
	t := &Tree{files: fstest.MapFS{}, numbers: map[string]int{}, gone: map[string][]string{}, denied: map[string]error{}}
	t.put("sys/bus/usb/devices/.keep", "")
	t.put("sys/class/tty/.keep", "")
	for i, c := range controllers {
		hub := fmt.Sprintf("sys/devices/pci0000:00/%s/usb%d", c, i+1)
		t.put(hub+"/version", " 2.00\n")
		t.put(hub+"/idVendor", "1d6b\n")
		t.link(fmt.Sprintf("sys/bus/usb/devices/usb%d", i+1), hub)
	}
	return t
}

// Interface is one function of a Device. Make "lp", "ttyACM", "ttyUSB", "hid" (raw alone) or "kbd" (raw and input); ""
// makes no node.
type Interface struct {
	Class, SubClass, Protocol uint8
	Driver, Make              string
	ID1284                    string
	Descriptor                []byte   // of a HID interface
	Keys                      []string // of "kbd": the bit map of each of its input devices, "" for none; one without it where Keys is empty
}

// Device is what is plugged in.
type Device struct {
	Vendor, Product            uint16
	Manufacturer, Name, Serial string
	Descriptors                string // "" is one made of vendor and product, the same for all of a model
	Interfaces                 []Interface
}

// Plug plugs d into a port: bus 1, way "2.3". What it makes below /dev is answered, in order.
func (t *Tree) Plug(bus int, way string, d Device) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.address++
	name := fmt.Sprintf("%d-%s", bus, way)
	hub, err := fs.ReadLink(t.files, fmt.Sprintf("sys/bus/usb/devices/usb%d", bus))
	if err != nil {
		panic("no such bus")
	}
	dir := path.Join("sys/bus/usb/devices", hub, name)
	t.link("sys/bus/usb/devices/"+name, dir)
	attrs := map[string]string{
		"idVendor": fmt.Sprintf("%04x", d.Vendor), "idProduct": fmt.Sprintf("%04x", d.Product), "busnum": strconv.Itoa(bus),
		"devnum": strconv.Itoa(t.address), "bDeviceClass": "00", "manufacturer": d.Manufacturer, "product": d.Name, "serial": d.Serial,
	}
	for k, v := range attrs {
		if v != "" {
			t.put(path.Join(dir, k), v+"\n")
		}
	}
	if d.Descriptors == "" {
		d.Descriptors = fmt.Sprintf("\x12\x01\x00\x02%04x%04x", d.Vendor, d.Product)
	}
	t.put(path.Join(dir, "descriptors"), d.Descriptors)
	var made []string
	for n, i := range d.Interfaces {
		made = append(made, t.iface(path.Join(dir, fmt.Sprintf("%s:1.%d", name, n)), n, d, i)...)
	}
	t.gone[name] = made
	return made
}

func (t *Tree) iface(dir string, n int, d Device, i Interface) []string {
	for k, v := range map[string]int{"bInterfaceNumber": n, "bInterfaceClass": int(i.Class), "bInterfaceSubClass": int(i.SubClass), "bInterfaceProtocol": int(i.Protocol)} {
		t.put(path.Join(dir, k), fmt.Sprintf("%02x\n", v))
	}
	if i.Driver != "" {
		t.link(path.Join(dir, "driver"), "sys/bus/usb/drivers/"+i.Driver)
	}
	if i.ID1284 != "" {
		t.put(path.Join(dir, "ieee1284_id"), i.ID1284+"\n")
	}
	number := func(kind string) int { n := t.numbers[kind]; t.numbers[kind]++; return n }
	node := func(p string) string { t.put(strings.TrimPrefix(p, "/"), ""); return p }
	hid := func() string {
		sub := path.Join(dir, fmt.Sprintf("0003:%04X:%04X.%04X", d.Vendor, d.Product, number("hid")))
		t.put(path.Join(sub, "report_descriptor"), string(i.Descriptor))
		return sub
	}
	var made []string
	raw := func(sub string) {
		n := number("hidraw")
		t.put(path.Join(sub, fmt.Sprintf("hidraw/hidraw%d/dev", n)), fmt.Sprintf("240:%d\n", n))
		made = append(made, node(fmt.Sprintf("/dev/hidraw%d", n)))
	}
	switch i.Make {
	case "lp":
		n := number("lp")
		t.put(path.Join(dir, fmt.Sprintf("usbmisc/lp%d/dev", n)), fmt.Sprintf("180:%d\n", n))
		made = append(made, node(fmt.Sprintf("/dev/usb/lp%d", n)))
	case "ttyACM":
		n := number("ttyACM")
		t.put(path.Join(dir, fmt.Sprintf("tty/ttyACM%d/dev", n)), fmt.Sprintf("166:%d\n", n))
		made = append(made, node(fmt.Sprintf("/dev/ttyACM%d", n)))
	case "ttyUSB":
		n := number("ttyUSB")
		t.put(path.Join(dir, fmt.Sprintf("ttyUSB%d/tty/ttyUSB%d/dev", n, n)), fmt.Sprintf("188:%d\n", n))
		made = append(made, node(fmt.Sprintf("/dev/ttyUSB%d", n)))
	case "hid":
		raw(hid())
	case "kbd":
		sub := hid()
		raw(sub)
		keys := i.Keys
		if len(keys) == 0 {
			keys = []string{""}
		}
		for _, k := range keys {
			n := number("input")
			in := path.Join(sub, fmt.Sprintf("input/input%d", n+3))
			t.put(path.Join(in, fmt.Sprintf("event%d/dev", n)), fmt.Sprintf("13:%d\n", 64+n))
			if k != "" {
				t.put(path.Join(in, "capabilities/key"), k+"\n")
			}
			made = append(made, node(fmt.Sprintf("/dev/input/event%d", n)))
		}
	}
	return made
}

// Pull pulls the cable out of a port.
func (t *Tree) Pull(bus int, way string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := fmt.Sprintf("%d-%s", bus, way)
	link := "sys/bus/usb/devices/" + name
	to, err := fs.ReadLink(t.files, link)
	if err != nil {
		panic("nothing is plugged in there")
	}
	dir := path.Join(path.Dir(link), to) + "/"
	maps.DeleteFunc(t.files, func(k string, _ *fstest.MapFile) bool { return strings.HasPrefix(k, dir) || k == link })
	for _, node := range t.gone[name] {
		delete(t.files, strings.TrimPrefix(node, "/"))
	}
}

// Put writes a file, to be what a test needs beside the devices.
func (t *Tree) Put(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(name, text)
}

// Link makes a symbolic link as it stands.
func (t *Tree) Link(name, target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.files[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
}

// Remove takes a file away.
func (t *Tree) Remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.files, name)
}

// Deny makes Access answer err for a node; nil takes that back.
func (t *Tree) Deny(node string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.denied[node] = err
}

// Access is for discover.Scan.
func (t *Tree) Access(node string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.denied[node]; err != nil {
		return err
	}
	_, err := t.files.Stat(strings.TrimPrefix(node, "/"))
	return err
}

// Open is as fs.FS says; with the four below a Tree is a file system.
func (t *Tree) Open(name string) (fs.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files.Open(name)
}

// ReadFile is as fs.ReadFileFS says.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files.ReadFile(name)
}

// ReadDir is as fs.ReadDirFS says.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files.ReadDir(name)
}

// ReadLink is as fs.ReadLinkFS says.
func (t *Tree) ReadLink(name string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files.ReadLink(name)
}

// Lstat is as fs.ReadLinkFS says.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.files.Lstat(name)
}

func (t *Tree) put(name, text string) {
	t.files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
}

// link makes a relative link, as sysfs has them.
func (t *Tree) link(name, target string) {
	up := strings.Repeat("../", strings.Count(name, "/"))
	t.files[name] = &fstest.MapFile{Data: []byte(up + target), Mode: fs.ModeSymlink | 0o777}
}

// Read makes a Tree of a record: one line a file, `f path "text"`, or a link, `l path target`.
func Read(file string) (*Tree, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := New()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for n := 1; in.Scan(); n++ {
		kind, rest, _ := strings.Cut(in.Text(), " ")
		name, value, ok := strings.Cut(rest, " ")
		if kind == "#" || in.Text() == "" {
			continue
		}
		switch {
		case kind == "f" && ok:
			text, err := strconv.Unquote(value)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, n, err)
			}
			t.put(name, text)
		case kind == "l" && ok:
			t.Link(name, value)
		default:
			return nil, fmt.Errorf("%s:%d: neither a file nor a link", file, n)
		}
	}
	return t, in.Err()
}

// Write records what Scan reads of fsys, for Read.
func Write(fsys fs.FS, out func(string)) error {
	seen := map[string]bool{}
	note := func(p string) {
		if b, err := fs.ReadFile(fsys, p); err == nil {
			out(fmt.Sprintf("f %s %q", p, b))
		}
	}
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		es, err := fs.ReadDir(fsys, dir)
		if err != nil || depth > 7 {
			return
		}
		for _, e := range es {
			p := path.Join(dir, e.Name())
			switch {
			case e.Name() == "driver":
				if to, err := fs.ReadLink(fsys, p); err == nil {
					out(fmt.Sprintf("l %s %s", p, to))
				}
			case e.IsDir() && e.Name() != "power" && e.Name() != "ep_00":
				walk(p, depth+1)
			case !e.IsDir() && recorded[e.Name()]:
				note(p)
			}
		}
	}
	es, err := fs.ReadDir(fsys, "sys/bus/usb/devices")
	if err != nil {
		return err
	}
	for _, e := range es {
		link := "sys/bus/usb/devices/" + e.Name()
		to, err := fs.ReadLink(fsys, link)
		if err != nil {
			continue // gone
		}
		out(fmt.Sprintf("l %s %s", link, to))
		if real := path.Join("sys/bus/usb/devices", to); strings.HasPrefix(e.Name(), "usb") && !seen[real] {
			seen[real] = true
			walk(real, 0)
		}
	}
	return nil
}

// recorded are the files of sysfs that matter here.
var recorded = map[string]bool{
	"idVendor": true, "idProduct": true, "busnum": true, "devnum": true, "bDeviceClass": true, "manufacturer": true, "product": true, "serial": true,
	"descriptors": true, "version": true, "bInterfaceNumber": true, "bInterfaceClass": true, "bInterfaceSubClass": true, "bInterfaceProtocol": true,
	"ieee1284_id": true, "report_descriptor": true, "dev": true,
}
