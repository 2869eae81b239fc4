package daemon

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
	"tilld/devices/porttest"
	"tilld/internal/roster"
)

// A machine with a printer and a scanner that looks serial; every file of theirs is a line that somebody else holds.
func heldMachine(t *testing.T, printerDriver string) (machine, *discovertest.Tree) {
	t.Helper()
	tree := discovertest.New("c0")
	paper := discovertest.Interface{Class: discover.ClassPrinter, SubClass: 1, Protocol: 2, Driver: printerDriver, ID1284: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;"}
	if printerDriver == "usblp" {
		paper.Make = "lp"
	}
	tree.Plug(1, "1", discovertest.Device{Vendor: 0x04b8, Product: 0x0202, Manufacturer: "EPSON", Name: "TM-T88V", Serial: "J1", Interfaces: []discovertest.Interface{paper}})
	tree.Plug(1, "2", discovertest.Device{Vendor: 0x0c2e, Product: 0x0aaf, Name: "VCOM Scanner", Interfaces: []discovertest.Interface{
		{Class: discover.ClassComm, SubClass: 2, Driver: "cdc_acm", Make: "ttyACM"},
	}})
	tree.Put("sys/class/tty/ttyACM0/dev", "166:0\n")
	far, tty := porttest.Line(t)
	t.Cleanup(func() { _, _ = far.Close(), tty.Close() })
	if err := unix.Flock(int(tty.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return machine{files: tree, access: tree.Access, line: func(node, key string) (string, string) {
		if _, err := tree.Lstat(strings.TrimPrefix(node, "/")); err != nil {
			return node, key // it is not there
		}
		return tty.Name(), key
	}}, tree
}

// What is behind an error of opening is what a person is told, with its own remedy, however the settings name the device.
func TestWhatIsBehindAnErrorIsNamed(t *testing.T) {
	holds := func(program, node string) func(*discovertest.Tree) {
		return func(tree *discovertest.Tree) {
			tree.Put("proc/812/comm", program+"\n")
			tree.Link("proc/812/fd/5", node)
		}
	}
	queue := func(tree *discovertest.Tree) {
		tree.Put("etc/cups/printers.conf", "<Printer Bons>\nDeviceURI usb://EPSON/TM-T88V?serial=J1\n</Printer>\n")
	}
	manager := func(tree *discovertest.Tree) {
		tree.Put("sys/fs/cgroup/system.slice/ModemManager.service/cgroup.procs", "55\n")
	}
	for _, c := range []struct {
		name, driver string
		make         func(*discovertest.Tree)
		port         Port
		text, do     string
	}{
		{"no driver, by its model", "", nil, Port{LP: "04b8:0202"}, "no driver of the kernel has this printer, so there is no /dev/usb/lp", "Load it with modprobe usblp"},
		{"no driver, by a file", "", nil, Port{LP: "/dev/usb/lp-of-nobody"}, "no driver of the kernel has this printer, so there is no /dev/usb/lp", "Load it with modprobe usblp"},
		{"a program, by its serial number", "usblp", holds("cupsd", "/dev/usb/lp0"), Port{LP: "serial:J1"}, "/dev/usb/lp0 is open in cupsd (process 812)", "lpadmin -x NAME"},
		{"a program, by a file", "usblp", holds("cupsd", "/dev/usb/lp0"), Port{LP: "/dev/usb/lp0"}, "EPSON TM-T88V (04b8:0202) at port c0/usb2/1: /dev/usb/lp0 is open in cupsd", "lpadmin -x NAME"},
		{
			"a program, by a link", "usblp", func(tree *discovertest.Tree) {
				holds("retail-pos", "/dev/usb/lp0")(tree)
				tree.Link("dev/till/paper", "../usb/lp0")
			}, Port{LP: "/dev/till/paper"}, "/dev/usb/lp0 is open in retail-pos (process 812)", "Stop that program",
		},
		{"a hidden program, and a queue", "usblp", queue, Port{LP: "04b8:0202"}, "the CUPS queue Bons prints on it too", "lpadmin -x Bons"},
		{"a hidden program, and ModemManager", "usblp", manager, Port{Serial: "0c2e:0aaf"}, "ModemManager runs", `ENV{ID_MM_DEVICE_IGNORE}="1"`},
		{
			"a program on a line of the machine", "usblp", func(tree *discovertest.Tree) {
				holds("minicom", "/dev/ttyS0")(tree)
				tree.Put("dev/ttyS0", "")
			}, Port{Serial: "/dev/ttyS0"}, "/dev/ttyS0 is open in minicom (process 812)", "Stop that program, or take /dev/ttyS0 out of its settings.",
		},
		{"a hidden program", "usblp", nil, Port{Serial: "0c2e:0aaf"}, "", "as root, fuser -v names it"},
		{"a line that is not there", "usblp", nil, Port{Serial: "/dev/line-of-nobody"}, "", "Plug it in"},
		{"a printer that is there, at another number", "usblp", nil, Port{LP: "/dev/usb/lp-of-nobody"}, "", "Plug it in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, tree := heldMachine(t, c.driver)
			if c.make != nil {
				c.make(tree)
			}
			port, err := m.openPort(t.Context(), c.port)
			if err == nil {
				port.Close()
				t.Fatal("it was opened")
			}
			behind := ""
			if cause := new(roster.Cause); errors.As(err, &cause) {
				behind = cause.Text
			}
			do := roster.Remedy(c.port.where(), err)
			if (behind == "") != (c.text == "") || !strings.Contains(behind, c.text) || !strings.Contains(do, c.do) || !strings.HasSuffix(err.Error(), behind) {
				t.Errorf("%v\nbehind it %q, want %q\ndo %q, want %q", err, behind, c.text, do, c.do)
			}
			t.Logf("%v\n  do: %s", err, do)
		})
	}
}

// A right that is missing is missing whoever else has the device, and what has left has left.
func TestARightThatIsMissingIsNobodysFault(t *testing.T) {
	m, tree := heldMachine(t, "usblp")
	tree.Put("sys/fs/cgroup/system.slice/ModemManager.service/cgroup.procs", "55\n")
	tree.Put("proc/812/comm", "minicom\n")
	tree.Link("proc/812/fd/5", "/dev/ttyACM0")
	s, err := discover.Scan(tree, tree.Access)
	if err != nil || len(s.Devices) != 2 {
		t.Fatalf("%v, %+v", err, s)
	}
	gun := s.Devices[1]
	serial, hid := way{"serial", "", discover.TTY}, way{"hidraw", "", discover.HIDRaw}
	for _, c := range []struct {
		err error
		way way
		do  string
	}{
		{fmt.Errorf("open /dev/ttyACM0: %w: %w", devices.ErrPerson, syscall.EACCES), serial, "group that owns the line"},
		{fmt.Errorf("open /dev/ttyACM0: %w: %w", devices.ErrPerson, syscall.EPERM), serial, "systemctl restart tilld"},
		{fmt.Errorf("open /dev/hidraw0: %w: %w", devices.ErrPerson, syscall.EPERM), hid, "systemctl restart tilld"},
		{fmt.Errorf("open /dev/hidraw0: %w: %w", devices.ErrPerson, syscall.EACCES), hid, `Put SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0aaf", GROUP="tilld", MODE="0660" into /etc/udev/rules.d/61-till.rules`},
		{fmt.Errorf("open x: %w: %w", devices.ErrPerson, os.ErrPermission), way{key: "usb"}, `Put SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR{idVendor}=="0c2e"`},
		{fmt.Errorf("open /dev/ttyACM0: %w: %w", devices.ErrAbsent, syscall.ENODEV), serial, "Plug it in"},
		{fmt.Errorf("open /dev/ttyACM0: %w", syscall.EIO), serial, "Stop that program"},
	} {
		err := m.blame(c.err, gun, c.way)
		if do := roster.Remedy("/dev/ttyACM0", err); !errors.Is(err, c.err) || devices.Sort(err) != devices.Sort(c.err) || !strings.Contains(do, c.do) {
			t.Errorf("%v: do %q, want %q", err, do, c.do)
		}
	}
}

func TestRealFiles(t *testing.T) {
	tree := discovertest.New("c0")
	tree.Link("dev/serial/by-id/usb-x", "../../ttyACM0")
	tree.Link("dev/pole", "/dev/serial/by-id/usb-x")
	tree.Link("dev/ring", "ring")
	m := machine{files: tree}
	for name, want := range map[string]string{
		"/dev/pole": "/dev/ttyACM0", "/dev//serial/by-id/usb-x": "/dev/ttyACM0", "/dev/ttyACM0": "/dev/ttyACM0", "/dev/ring": "/dev/ring", "serial:S-1": "serial:S-1", "": "",
	} {
		if got := m.real(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
