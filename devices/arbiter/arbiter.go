// Package arbiter finds who else on this machine uses a device, or will: a program that has its file open, a CUPS queue,
// ModemManager, a driver of the kernel or a program on libusb. It only reads, and ends nobody: a person gets one sentence
// and the remedy.
package arbiter

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"tilld/devices/discover"
)

// Conflict is one reason why a device does not work for us, or will not tomorrow.
type Conflict struct {
	Code string // one of the below
	Text string // one sentence
	Do   string // the remedy
}

// Codes of conflicts.
const (
	Open         = "open"         // a program has its file open
	Libusb       = "libusb"       // a program has it through libusb
	NoDriver     = "no-driver"    // the kernel has no driver for the file that we want
	Cups         = "cups"         // a queue prints on it
	ModemManager = "modemmanager" // it writes to new serial lines
)

// How we want to reach the device.
const (
	ByFile = "file" // /dev/usb/lpN, /dev/ttyACMN, /dev/hidrawN, /dev/input/eventN
	ByUSB  = "usb"  // libusb
)

// Find says who else has d, or will. fsys is the root of the file system, self our own process.
func Find(fsys fs.FS, d discover.Device, way string, self int) []Conflict {
	var out []Conflict
	held := holders(fsys, paths(d), self)
	for _, h := range held {
		out = append(out, Conflict{Code: Open, Text: fmt.Sprintf("%s: %s", d, h), Do: EndIt(h.Program, d.Model())})
	}
	for _, i := range d.Interfaces {
		switch {
		case i.Driver == "usbfs" && !slices.ContainsFunc(held, func(h Holder) bool { return h.Node == d.USBNode() }) && !mine(fsys, d, self):
			out = append(out, Conflict{
				Code: Libusb,
				Text: fmt.Sprintf("%s: a program has taken interface %d through libusb", d, i.Number),
				Do:   "find it as root with fuser -v " + d.USBNode() + ", and stop it",
			})
		case i.Driver == "" && i.Class == discover.ClassPrinter && way == ByFile:
			out = append(out, Conflict{
				Code: NoDriver,
				Text: fmt.Sprintf("%s: no driver of the kernel has this printer, so there is no /dev/usb/lp", d),
				Do:   "load it with modprobe usblp, look for usblp in /etc/modprobe.d/*.conf, or unplug the printer and plug it in again",
			})
		}
	}
	return append(out, Ahead(fsys, d)...)
}

// OfFile says who else has a file open that is no USB device's: a line of the machine itself.
func OfFile(fsys fs.FS, node string, self int) []Conflict {
	var out []Conflict
	for _, h := range Holders(fsys, node, self) {
		out = append(out, Conflict{Code: Open, Text: h.String(), Do: EndIt(h.Program, node)})
	}
	return out
}

// Ahead says who will use d, though nobody has it open now and it works for us.
func Ahead(fsys fs.FS, d discover.Device) []Conflict {
	var out []Conflict
	if d.Has(discover.ClassPrinter) {
		for _, q := range Queues(fsys) {
			if !q.prints(d) {
				continue
			}
			out = append(out, Conflict{
				Code: Cups,
				Text: fmt.Sprintf("%s: the CUPS queue %s prints on it too, and takes it whenever it has a job", d, q.Name),
				Do:   "delete the queue with lpadmin -x " + q.Name + ", or let the till print by it and not by this program",
			})
		}
	}
	if n, ok := d.Node(discover.TTY); ok {
		if modemManager(fsys) && !ignored(fsys, n.Path) {
			out = append(out, Conflict{
				Code: ModemManager,
				Text: fmt.Sprintf("%s: ModemManager runs and was not told to leave %s alone, so it may write to it", d, n.Path),
				Do: fmt.Sprintf(`put ATTRS{idVendor}=="%04x", ATTRS{idProduct}=="%04x", ENV{ID_MM_DEVICE_IGNORE}="1" into /etc/udev/rules.d/61-till.rules and plug the device in again, or remove ModemManager`,
					d.Vendor, d.Product),
			})
		}
	}
	return out
}

// mine says whether we have the device ourselves.
func mine(fsys fs.FS, d discover.Device, self int) bool {
	fds, err := fs.ReadDir(fsys, fmt.Sprintf("proc/%d/fd", self))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(fds, func(e fs.DirEntry) bool {
		to, err := fs.ReadLink(fsys, fmt.Sprintf("proc/%d/fd/%s", self, e.Name()))
		return err == nil && to == d.USBNode()
	})
}

// modemManager says whether ModemManager runs. Our unit hides the processes of other users, not their control groups.
func modemManager(fsys fs.FS) bool {
	if _, err := fs.Stat(fsys, "sys/fs/cgroup/system.slice/ModemManager.service"); err == nil {
		return true
	}
	return slices.ContainsFunc(processes(fsys), func(pid int) bool {
		b, err := fs.ReadFile(fsys, fmt.Sprintf("proc/%d/comm", pid))
		return err == nil && strings.TrimSpace(string(b)) == "ModemManager"
	})
}

// paths are all files through which a device can be used.
func paths(d discover.Device) []string {
	out := []string{d.USBNode()}
	for _, i := range d.Interfaces {
		for _, n := range i.Nodes {
			out = append(out, n.Path)
		}
	}
	return out
}

// EndIt is what to do about a program that uses a device of ours; model is what the device is called.
func EndIt(program, model string) string {
	switch program {
	case "cupsd", "usb": // the daemon, and its back end
		return "delete its queue: lpstat -v shows it, lpadmin -x NAME deletes it"
	case "ModemManager":
		return "tell it to leave the device alone, or remove it: apt-get remove modemmanager"
	case "brltty":
		return "remove it: apt-get remove brltty; it takes many USB serial adapters for braille displays"
	case "tilld":
		return "another tilld runs on this machine: stop one of the two, or give each its own devices"
	}
	return "stop that program, or take " + model + " out of its settings"
}

// ignored says whether udev tells ModemManager to leave a line alone.
func ignored(fsys fs.FS, node string) bool {
	number, err := fs.ReadFile(fsys, path.Join("sys/class/tty", path.Base(node), "dev"))
	if err != nil {
		return false
	}
	b, err := fs.ReadFile(fsys, "run/udev/data/c"+strings.TrimSpace(string(number)))
	return err == nil && slices.Contains(strings.Split(string(b), "\n"), "E:ID_MM_DEVICE_IGNORE=1")
}
