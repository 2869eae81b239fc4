package discover_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
)

var (
	printer = discovertest.Device{
		Vendor: 0x04b8, Product: 0x0202, Manufacturer: "EPSON", Name: "TM-T88V", Serial: "J7XX0001",
		Interfaces: []discovertest.Interface{{Class: 7, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp", ID1284: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;"}},
	}
	twin = discovertest.Device{
		Vendor: 0x0519, Product: 0x0003, Manufacturer: "Star", Name: "TSP143",
		Interfaces: []discovertest.Interface{{Class: 7, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp"}},
	}
	wedge = discovertest.Device{
		Vendor: 0x05e0, Product: 0x1200, Name: "Bar Code Scanner", Serial: "S01",
		Interfaces: []discovertest.Interface{{Class: 3, SubClass: 1, Protocol: 1, Driver: "usbhid", Make: "kbd", Descriptor: []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0}, Keys: []string{letters}}},
	}
	pos = discovertest.Device{
		Vendor: 0x0c2e, Product: 0x0b61, Name: "HID POS Scanner",
		Interfaces: []discovertest.Interface{{Class: 3, Driver: "usbhid", Make: "hid", Descriptor: []byte{0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x12, 0xa1, 0x02, 0xc0, 0xc0}}},
	}
	combo = discovertest.Device{
		Vendor: 0x04b8, Product: 0x0e15, Name: "TM-combo", Serial: "C1",
		Interfaces: []discovertest.Interface{
			{Class: 7, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp"},
			{Class: 3, SubClass: 1, Protocol: 1, Driver: "usbhid", Make: "kbd", Descriptor: []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0}, Keys: []string{letters}},
		},
	}
	ftdi = discovertest.Device{
		Vendor: 0x0403, Product: 0x6001, Name: "FT232R USB UART", Serial: "A50285BI",
		Interfaces: []discovertest.Interface{{Class: 0xff, SubClass: 0xff, Protocol: 0xff, Driver: "ftdi_sio", Make: "ttyUSB"}},
	}
)

func scan(t *testing.T, tree *discovertest.Tree) []discover.Device {
	t.Helper()
	s, err := discover.Scan(tree, tree.Access)
	if err != nil {
		t.Fatal(err)
	}
	return s.Devices
}

// table is what a scan found, one line a device, for comparison.
func table(ds []discover.Device) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s %s %q", d.Port, d.Model(), d.Serial)
		for _, i := range d.Interfaces {
			fmt.Fprintf(&b, " [%d %02x %s", i.Number, i.Class, i.Driver)
			for _, u := range i.Usages {
				fmt.Fprintf(&b, " %06x", u)
			}
			for _, n := range i.Nodes {
				fmt.Fprintf(&b, " %s:%s", n.Kind, n.Path)
				if n.Trouble != "" {
					fmt.Fprintf(&b, "(%s)", n.Trouble)
				}
			}
			b.WriteString("]")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestScan(t *testing.T) {
	tree := discovertest.New("0000:00:14.0", "0000:00:1d.0")
	tree.Plug(1, "1", printer)
	tree.Plug(1, "2.3", wedge)
	tree.Plug(1, "2.4", pos)
	tree.Plug(2, "1", combo)
	tree.Plug(2, "2", ftdi)
	want := `0000:00:14.0/usb2/1 04b8:0202 "J7XX0001" [0 07 usblp lp:/dev/usb/lp0]
0000:00:14.0/usb2/2.3 05e0:1200 "S01" [0 03 usbhid 010006 hidraw:/dev/hidraw0 input:/dev/input/event0]
0000:00:14.0/usb2/2.4 0c2e:0b61 "" [0 03 usbhid 8c0002 hidraw:/dev/hidraw1]
0000:00:1d.0/usb2/1 04b8:0e15 "C1" [0 07 usblp lp:/dev/usb/lp1] [1 03 usbhid 010006 hidraw:/dev/hidraw2 input:/dev/input/event1]
0000:00:1d.0/usb2/2 0403:6001 "A50285BI" [0 ff ftdi_sio tty:/dev/ttyUSB0]
`
	if got := table(scan(t, tree)); got != want {
		t.Fatalf("got\n%swant\n%s", got, want)
	}
}

// Two of one model without serial numbers: the numbers of their nodes say nothing, their ports do.
func TestScanTwinsWithSwappedNumbers(t *testing.T) {
	one, two := discovertest.New("dummy_hcd.0"), discovertest.New("dummy_hcd.0")
	one.Plug(1, "1", twin)
	one.Plug(1, "2", twin)
	two.Plug(1, "2", twin) // the same two cables, found in the other order
	two.Plug(1, "1", twin)
	a, b := scan(t, one), scan(t, two)
	for i := range a {
		na, _ := a[i].Node(discover.LP)
		nb, _ := b[i].Node(discover.LP)
		if a[i].Port != b[i].Port || na.Path == nb.Path {
			t.Errorf("%s has %s in one order; %s has %s in the other", a[i].Port, na.Path, b[i].Port, nb.Path)
		}
	}
	if a[0].Hash == "" || a[0].Hash != a[1].Hash {
		t.Errorf("twins have the hashes %q and %q", a[0].Hash, a[1].Hash)
	}
}

// A bus number follows the order in which controllers were found: the port must not.
func TestScanPortDoesNotDependOnTheBus(t *testing.T) {
	one, two := discovertest.New("0000:00:14.0", "0000:00:1d.0"), discovertest.New("0000:00:1d.0", "0000:00:14.0")
	one.Plug(1, "2.3", printer)
	two.Plug(2, "2.3", printer)
	if a, b := scan(t, one)[0].Port, scan(t, two)[0].Port; a != b {
		t.Errorf("%s and %s", a, b)
	}
}

func TestScanMovedToAHub(t *testing.T) {
	tree := discovertest.New("c0")
	tree.Plug(1, "2", printer)
	before := scan(t, tree)[0]
	tree.Pull(1, "2")
	tree.Plug(1, "4.1", printer)
	after := scan(t, tree)[0]
	if before.Port != "c0/usb2/2" || after.Port != "c0/usb2/4.1" || before.Serial != after.Serial || before.Address == after.Address {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestScanSaysWhyANodeIsOutOfReach(t *testing.T) {
	tree := discovertest.New("c0")
	node := tree.Plug(1, "1", printer)[0]
	for _, c := range []struct {
		err  error
		want string
	}{{nil, ""}, {&fs.PathError{Err: fs.ErrPermission}, "denied"}, {&fs.PathError{Err: fs.ErrNotExist}, "missing"}, {errors.New("strange"), "strange"}} {
		tree.Deny(node, c.err)
		if n, _ := scan(t, tree)[0].Node(discover.LP); n.Trouble != c.want {
			t.Errorf("%v: %q, want %q", c.err, n.Trouble, c.want)
		}
	}
}

func TestScanLeavesOutHubsAndWhatIsGoing(t *testing.T) {
	tree := discovertest.New("c0")
	tree.Plug(1, "1", discovertest.Device{Vendor: 0x05e3, Product: 0x0608, Name: "USB2.0 Hub"})
	tree.Put("sys/devices/pci0000:00/c0/usb1/1-1/bDeviceClass", "09\n")
	tree.Plug(1, "1.1", printer)
	tree.Link("sys/bus/usb/devices/1-9", "../../../devices/pci0000:00/c0/usb1/1-9") // points nowhere: it has just left
	tree.Plug(1, "1.2", wedge)
	tree.Remove("sys/devices/pci0000:00/c0/usb1/1-1.2/devnum")
	if ds := scan(t, tree); len(ds) != 1 || ds[0].Model() != "04b8:0202" {
		t.Errorf("found %s", table(ds))
	}
}

func TestScanMakesTextHarmless(t *testing.T) {
	tree := discovertest.New("c0")
	d := printer
	d.Name, d.Serial = "TM\x1b[2J\x00T88\r\nV\xff", strings.Repeat("я", 2000)
	tree.Plug(1, "1", d)
	got := scan(t, tree)[0]
	if got.Name != "TM [2J T88 V" || len([]rune(got.Serial)) != 512 {
		t.Errorf("name %q, serial of %d letters", got.Name, len([]rune(got.Serial)))
	}
}

func TestScanOwnLines(t *testing.T) {
	tree := discovertest.New()
	tree.Put("sys/class/tty/ttyS0/type", "4\n")
	tree.Put("sys/class/tty/ttyS1/type", "0\n")
	tree.Put("sys/class/tty/tty1/type", "4\n")
	tree.Put("dev/ttyS0", "")
	s, err := discover.Scan(tree, tree.Access)
	if err != nil || !slices.Equal(s.Lines, []discover.Line{{Path: "/dev/ttyS0"}}) {
		t.Errorf("%v, %v", s.Lines, err)
	}
}

func TestScanWithoutSysfs(t *testing.T) {
	tree := discovertest.New()
	tree.Remove("sys/bus/usb/devices/.keep")
	if _, err := discover.Scan(tree, tree.Access); err != nil {
		t.Errorf("a machine without USB: %v", err)
	}
	tree.Remove("sys/class/tty/.keep")
	if _, err := discover.Scan(tree, tree.Access); err == nil {
		t.Error("no sysfs, and no error")
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"04b8", "ffff\n", "", "07", "-1", "0x12", "\x05\x8c\x09\x02\xa1\x01", "\xfe\xff\x00", "1.5", "\x0b\x02\x00\x8c\x00\xa1\x01", "../../../.."} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		tree := discovertest.New("c0")
		tree.Plug(1, "1", combo)
		dir := "sys/devices/pci0000:00/c0/usb1/1-1/"
		for _, name := range []string{"idVendor", "devnum", "product", "descriptors"} {
			tree.Put(dir+name, a)
		}
		for _, name := range []string{"1-1:1.1/bInterfaceNumber", "1-1:1.1/bInterfaceClass", "1-1:1.0/ieee1284_id", "1-1:1.1/0003:04B8:0E15.0000/report_descriptor"} {
			tree.Put(dir+name, b)
		}
		tree.Put("sys/devices/pci0000:00/c0/usb1/version", c)
		if fs.ValidPath(c) && c != "." {
			tree.Link("sys/bus/usb/devices/9-9", c)
		}
		s, err := discover.Scan(tree, tree.Access)
		if err != nil {
			return
		}
		for _, d := range s.Devices {
			for _, text := range []string{d.Name, d.Serial, d.Manufacturer, d.Port, d.String()} {
				if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
					t.Errorf("%q reaches a terminal", text)
				}
			}
		}
	})
}

// What a real kernel has below /sys, as the bench recorded it: two of one model without serial numbers, by usblp.
func TestScanARecordOfARealKernel(t *testing.T) {
	tree, err := discovertest.Read("testdata/twins.sysfs")
	if err != nil {
		t.Fatal(err)
	}
	s, err := discover.Scan(tree, func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := `dummy_hcd.6/usb2/1 0519:0003 "" [0 07 usblp lp:/dev/usb/lp0]
dummy_hcd.7/usb2/1 0519:0003 "" [0 07 usblp lp:/dev/usb/lp1]
`
	if got := table(s.Devices); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if a, b := s.Devices[0], s.Devices[1]; a.Hash == "" || a.Hash != b.Hash || a.Name != "TSP143" || a.Interfaces[0].ID1284 == "" {
		t.Errorf("%+v\n%+v", a, b)
	}
}
