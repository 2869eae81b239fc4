package main

import (
	"bytes"
	"strings"
	"testing"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
	"tilld/internal/localapi/client"
)

// office is a machine on which CUPS prints on the receipt printer, a till has the scanner's line open and the box the printer's.
func office(t *testing.T) (m *machine, printer, gun discover.Device) {
	t.Helper()
	tree := discovertest.New("c0")
	tree.Plug(1, "1", discovertest.Device{
		Vendor: 0x04b8, Product: 0x0202, Manufacturer: "EPSON", Name: "TM-T88V", Serial: "J7XX0001",
		Interfaces: []discovertest.Interface{{Class: 7, SubClass: 1, Protocol: 2, Driver: "usblp", Make: "lp", ID1284: "MFG:EPSON;CMD:ESC/POS;MDL:TM-T88V;"}},
	})
	tree.Plug(1, "2", discovertest.Device{
		Vendor: 0x05e0, Product: 0x1701, Name: "Gun", Interfaces: []discovertest.Interface{{Class: 2, SubClass: 2, Driver: "cdc_acm", Make: "ttyACM"}},
	})
	tree.Put("proc/1/comm", "systemd\n")
	tree.Put("proc/80/comm", "tilld\n")
	tree.Link("proc/80/fd/5", "/dev/usb/lp0")
	tree.Put("proc/812/comm", "retail-pos\n")
	tree.Link("proc/812/fd/5", "/dev/ttyACM0")
	for _, pid := range []string{"1", "100"} {
		tree.Link("proc/"+pid+"/fd/0", "/dev/null")
	}
	tree.Put("etc/cups/printers.conf", "<Printer Bons>\nDeviceURI usb://EPSON/TM-T88V?serial=J7XX0001\n</Printer>\n")
	s, err := discover.Scan(tree, tree.Access)
	if err != nil || len(s.Devices) != 2 {
		t.Fatalf("%v, %v", s, err)
	}
	return &machine{files: tree, access: tree.Access, self: 100}, s.Devices[0], s.Devices[1]
}

// lines are what the daemon says of them in its unit: it sees nobody.
func lines() []client.Port {
	return []client.Port{
		{Kind: "serial", Path: "/dev/ttyACM0", What: "Gun", Unseen: true},
		{Kind: "usb-printer", Path: "/dev/usb/lp0", What: "EPSON TM-T88V", Device: "printer-front", Unseen: true},
	}
}

// Whom the daemon cannot see in its unit, root is told by tillctl: the program by its name, the queue of CUPS with its remedy.
func TestPortsAsRootNameWhoHasALine(t *testing.T) {
	m, _, _ := office(t)
	var out bytes.Buffer
	s := &setup{out: &out, made: m}
	if err := s.tellPorts(lines(), "none", m); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, want := range []string{"retail-pos (812)", "the CUPS queue Bons prints on it too", "  do: delete the queue with lpadmin -x Bons"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, wrong := range []string{"?", "tilld"} {
		if strings.Contains(out.String(), wrong) {
			t.Errorf("it says %q", wrong)
		}
	}

	out.Reset() // who is not root
	s = &setup{out: &out}
	if err := s.tellPorts(lines(), "none", nil); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "retail-pos") || !strings.Contains(got, "run tillctl ports as root") {
		t.Errorf("without root:\n%s", got)
	}
}

// The same in JSON.
func TestPortsAsRootInJSON(t *testing.T) {
	m, _, _ := office(t)
	var out bytes.Buffer
	s := &setup{out: &out, json: true, made: m}
	if err := s.tellPorts(lines(), "none", m); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, `"program":"retail-pos"`) || strings.Contains(got, "unseen") || strings.Contains(got, daemon) {
		t.Error(got)
	}
}

// A device that bind cannot listen to since somebody has it is told with who that is.
func TestBindAsRootNamesWhoIsInTheWay(t *testing.T) {
	m, printer, gun := office(t)
	tell := func(d discover.Device, why string) string {
		var errs bytes.Buffer
		(&setup{errs: &errs, made: m}).tellUnheard(client.Unheard{Unit: client.Unit{Port: d.Port, Model: d.Model()}, Why: why, Do: "Stop it."})
		return errs.String()
	}
	const held = "/dev/ttyACM0 is open in retail-pos (process 812)"
	if got, want := tell(gun, "It is held."), "It is held.\n  do: Stop it.\n  seen as root: "+held+"\n  do: stop that program, or take 05e0:1701 out of its settings\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := tell(gun, held); strings.Contains(got, "seen as root") {
		t.Errorf("it is told twice: %q", got)
	}
	if got := tell(printer, "It is held."); !strings.Contains(got, "queue Bons") || strings.Contains(got, daemon) {
		t.Errorf("the printer: %q", got)
	}
}

func TestOnlyABoxOnThisMachineIsLookedAt(t *testing.T) {
	for addr, want := range map[string]bool{
		"unix:/run/tilld/tilld.sock": true, "http://127.0.0.1:7373": true, "http://[::1]:7373": true, "http://localhost:7373": true,
		"http://192.168.1.7:7373": false, "https://till.shop.example": false, "%zz": false,
	} {
		if here(addr) != want {
			t.Errorf("%s: %v", addr, !want)
		}
	}
}
