package arbiter_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"tilld/devices/arbiter"
	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
)

const self = 100

func machine(t *testing.T) (*discovertest.Tree, discover.Device, discover.Device) {
	t.Helper()
	tree := discovertest.New("c0")
	tree.Plug(1, "1", discovertest.Device{
		Vendor: 0x04b8, Product: 0x0202, Manufacturer: "EPSON", Name: "TM-T88V", Serial: "J7XX0001",
		Interfaces: []discovertest.Interface{{Class: 7, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp", ID1284: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;"}},
	})
	tree.Plug(1, "2", discovertest.Device{
		Vendor: 0x0c2e, Product: 0x0aaf, Name: "VCOM Scanner",
		Interfaces: []discovertest.Interface{{Class: 2, SubClass: 2, Driver: "cdc_acm", Make: "ttyACM"}},
	})
	tree.Put("proc/100/comm", "tilld\n")
	tree.Put("proc/7/comm", "bash\n")
	tree.Link("proc/7/fd/0", "/dev/null")
	tree.Put("sys/class/tty/ttyACM0/dev", "166:0\n")
	p, s := devices(t, tree)
	return tree, p, s
}

func devices(t *testing.T, tree *discovertest.Tree) (printer, scanner discover.Device) {
	t.Helper()
	s, err := discover.Scan(tree, tree.Access)
	if err != nil || len(s.Devices) != 2 {
		t.Fatalf("%v, %v", s, err)
	}
	return s.Devices[0], s.Devices[1]
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name    string
		make    func(*discovertest.Tree)
		way     string
		scanner bool
		want    []string // code: words of sentence and remedy
	}{
		{name: "Nobody", make: func(*discovertest.Tree) {}, way: arbiter.ByFile},
		{
			name: "AProgramHasTheFileOpen", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) {
				tree.Put("proc/812/comm", "retail-pos\n")
				tree.Link("proc/812/fd/5", "/dev/usb/lp0")
				tree.Link("proc/812/fd/6", "/dev/usb/lp0")
			},
			want: []string{"open: EPSON TM-T88V (04b8:0202) at port c0/usb2/1: /dev/usb/lp0 is open in retail-pos (process 812) | stop that program"},
		},
		{
			name: "WeOurselvesAreNobodyElse", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) { tree.Link("proc/100/fd/5", "/dev/usb/lp0") },
		},
		{
			name: "CupsHasItOpenAndAQueue", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) {
				tree.Put("proc/20/comm", "cupsd\n")
				tree.Link("proc/20/fd/9", "/dev/bus/usb/001/001")
				tree.Put("etc/cups/printers.conf", "# Printer configuration\n<DefaultPrinter Bons>\nDeviceURI usb://EPSON/TM-T88V?serial=J7XX0001\n</Printer>\n<Printer Other>\nDeviceURI usb://EPSON/TM-T88V?serial=J7XX0002\n</Printer>\n")
			},
			want: []string{"open: /dev/bus/usb/001/001 is open in cupsd (process 20) | lpadmin -x NAME", "cups: queue Bons prints on it too | lpadmin -x Bons"},
		},
		{
			name: "AQueueByModelOrByFile", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) {
				tree.Put("etc/cups/printers.conf", "<Printer A>\nDeviceURI usb://Epson/TM-T88V\n</Printer>\n<Printer B>\nDeviceURI file:///dev/usb/lp0\n</Printer>\n<Printer C>\nDeviceURI socket://10.0.0.5\n</Printer>\n<Printer D>\nDeviceURI usb://Star/TSP143\n</Printer>\n<Printer E>\nDeviceURI %zz\n</Printer>\n")
			},
			want: []string{"cups: queue A |", "cups: queue B |"},
		},
		{
			name: "ALibusbProgramOfAnotherUser", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) {
				tree.Link("sys/devices/pci0000:00/c0/usb1/1-1/1-1:1.0/driver", "../../../../../../bus/usb/drivers/usbfs")
			},
			want: []string{"libusb: interface 0 through libusb | fuser -v /dev/bus/usb/001/001"},
		},
		{
			name: "LibusbIsUs", way: arbiter.ByUSB,
			make: func(tree *discovertest.Tree) {
				tree.Link("sys/devices/pci0000:00/c0/usb1/1-1/1-1:1.0/driver", "../../../../../../bus/usb/drivers/usbfs")
				tree.Link("proc/100/fd/8", "/dev/bus/usb/001/001")
			},
		},
		{
			name: "NoDriverForTheFile", way: arbiter.ByFile,
			make: func(tree *discovertest.Tree) { tree.Remove("sys/devices/pci0000:00/c0/usb1/1-1/1-1:1.0/driver") },
			want: []string{"no-driver: no /dev/usb/lp | modprobe usblp"},
		},
		{
			name: "NoDriverIsFineForLibusb", way: arbiter.ByUSB,
			make: func(tree *discovertest.Tree) { tree.Remove("sys/devices/pci0000:00/c0/usb1/1-1/1-1:1.0/driver") },
		},
		{
			name: "ModemManager", way: arbiter.ByFile, scanner: true,
			make: func(tree *discovertest.Tree) { tree.Put("proc/55/comm", "ModemManager\n") },
			want: []string{`modemmanager: ModemManager runs /dev/ttyACM0 may write | ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0aaf", ENV{ID_MM_DEVICE_IGNORE}="1"`},
		},
		{
			name: "ModemManagerWhoseProcessIsHidden", way: arbiter.ByFile, scanner: true,
			make: func(tree *discovertest.Tree) {
				tree.Put("sys/fs/cgroup/system.slice/ModemManager.service/cgroup.procs", "55\n")
			},
			want: []string{`modemmanager: ModemManager runs /dev/ttyACM0 may write | ENV{ID_MM_DEVICE_IGNORE}="1"`},
		},
		{
			name: "ModemManagerWasTold", way: arbiter.ByFile, scanner: true,
			make: func(tree *discovertest.Tree) {
				tree.Put("proc/55/comm", "ModemManager\n")
				tree.Put("run/udev/data/c166:0", "S:serial/by-id/x\nE:ID_MM_DEVICE_IGNORE=1\nE:ID_BUS=usb\n")
			},
		},
		{
			name: "Brltty", way: arbiter.ByFile, scanner: true,
			make: func(tree *discovertest.Tree) {
				tree.Put("proc/9/comm", "brltty\n")
				tree.Link("proc/9/fd/3", "/dev/ttyACM0")
			},
			want: []string{"open: /dev/ttyACM0 is open in brltty | apt-get remove brltty"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree, _, _ := machine(t)
			c.make(tree)
			d, s := devices(t, tree)
			if c.scanner {
				d = s
			}
			got := arbiter.Find(tree, d, c.way, self)
			if len(got) != len(c.want) {
				t.Fatalf("got %+v, want %q", got, c.want)
			}
			for i, want := range c.want {
				code, rest, _ := strings.Cut(want, ": ")
				text, do, _ := strings.Cut(rest, " |")
				if got[i].Code != code || !holds(got[i].Text, text) || !strings.Contains(got[i].Do, strings.TrimSpace(do)) || got[i].Do == "" {
					t.Errorf("got %+v, want %q", got[i], want)
				}
			}
		})
	}
}

// Who will use a device is named though nobody has it; who has it now is not, nor who has a line of the machine itself.
func TestAheadAndOfFile(t *testing.T) {
	tree, printer, scanner := machine(t)
	tree.Put("etc/cups/printers.conf", "<Printer Bons>\nDeviceURI usb://EPSON/TM-T88V?serial=J7XX0001\n</Printer>\n")
	tree.Put("proc/55/comm", "ModemManager\n")
	tree.Put("proc/812/comm", "minicom\n")
	for i, node := range []string{"/dev/usb/lp0", "/dev/ttyACM0", "/dev/ttyS0"} {
		tree.Link(fmt.Sprint("proc/812/fd/", i), node)
	}
	for _, c := range []struct {
		device discover.Device
		want   string
	}{{printer, arbiter.Cups}, {scanner, arbiter.ModemManager}} {
		if got := arbiter.Ahead(tree, c.device); len(got) != 1 || got[0].Code != c.want || got[0].Text == "" || got[0].Do == "" {
			t.Errorf("%s: %+v, want %s alone", c.device, got, c.want)
		}
		if got := arbiter.Find(tree, c.device, arbiter.ByFile, self); len(got) != 2 || got[0].Code != arbiter.Open || got[1].Code != c.want {
			t.Errorf("%s: %+v, want open and %s", c.device, got, c.want)
		}
	}
	if got := arbiter.OfFile(tree, "/dev/ttyS0", self); len(got) != 1 || got[0].Code != arbiter.Open || got[0].Text != "/dev/ttyS0 is open in minicom (process 812)" || !strings.Contains(got[0].Do, "/dev/ttyS0") {
		t.Errorf("%+v", got)
	}
	if got := arbiter.OfFile(tree, "/dev/ttyS1", self); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// holds: the words stand in text in their order.
func holds(text, words string) bool {
	for w := range strings.FieldsSeq(words) {
		_, rest, ok := strings.Cut(text, w)
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

func TestANameOfAProcessIsHarmless(t *testing.T) {
	tree, d, _ := machine(t)
	tree.Put("proc/812/comm", "a\x1b[2J\n")
	tree.Link("proc/812/fd/5", "/dev/usb/lp0")
	if got := arbiter.Find(tree, d, arbiter.ByFile, self); len(got) != 1 || strings.ContainsRune(got[0].Text, 0x1b) {
		t.Errorf("%q", got)
	}
}

// Each kind of node that a device of ours may hang on is found in a stranger's hands; a process that may not be looked at, or
// is hidden, is said.
func TestLook(t *testing.T) {
	tree, _, _ := machine(t)
	nodes := []string{"/dev/ttyACM0", "/dev/ttyS0", "/dev/usb/lp0", "/dev/hidraw3", "/dev/input/event5"}
	for i, n := range nodes {
		tree.Put(fmt.Sprintf("proc/%d/comm", 800+i), "thief\n")
		tree.Link(fmt.Sprintf("proc/%d/fd/4", 800+i), n)
		tree.Link(fmt.Sprintf("proc/%d/fd/%d", self, 10+i), n) // ours too: that is no news
	}
	held, whole := arbiter.Look(tree, nodes, self)
	if len(held) != len(nodes) || whole {
		t.Errorf("%+v, whole %v though process 1 is hidden", held, whole)
	}
	for i, h := range held {
		if h != (arbiter.Holder{Process: 800 + i, Program: "thief", Node: nodes[i]}) {
			t.Errorf("%+v", h)
		}
	}
	tree.Put("proc/1/comm", "init\n")
	tree.Link("proc/1/fd/0", "/dev/null")
	if _, whole := arbiter.Look(tree, nodes, self); !whole {
		t.Error("every process could be seen")
	}
	if _, whole := arbiter.Look(secretive{tree}, nodes, self); whole {
		t.Error("the files of process 803 may not be read, and that is not said")
	}
}

// secretive is a machine on which the files of one process are another user's.
type secretive struct{ fs.FS }

func (s secretive) Open(name string) (fs.File, error) {
	if name == "proc/803/fd" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return s.FS.Open(name)
}

func (s secretive) ReadLink(name string) (string, error) { return fs.ReadLink(s.FS, name) }

func (s secretive) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(s.FS, name) }

// The real /proc: a file that this process has open is found under its number.
func TestHoldersOfTheRealMachine(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := arbiter.Holders(os.DirFS("/"), f.Name(), 0)
	if !slices.ContainsFunc(got, func(h arbiter.Holder) bool { return h.Process == os.Getpid() && h.Node == f.Name() }) {
		t.Errorf("%s is open in process %d, and this was found: %+v", f.Name(), os.Getpid(), got)
	}
}

func FuzzQueues(f *testing.F) {
	f.Add("<Printer A>\nDeviceURI usb://EPSON/TM-T88V?serial=1\n</Printer>\n")
	f.Add("<Printer >\nDeviceURI \n<DefaultPrinter \x1b>\nDeviceURI file:/dev/usb/lp0")
	f.Fuzz(func(t *testing.T, text string) {
		tree := discovertest.New("c0")
		tree.Put("etc/cups/printers.conf", text)
		for _, q := range arbiter.Queues(tree) {
			if q.Name == "" || strings.ContainsAny(q.Name, " \x1b\n") {
				t.Errorf("the queue %q", q.Name)
			}
		}
	})
}
