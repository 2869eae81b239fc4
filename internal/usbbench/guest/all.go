package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"tilld/devices/discover/discovertest"
	"tilld/devices/usbport"
)

// all is the run, in its order.
func (b *bench) all() {
	b.check("libusb", func() (string, error) {
		if !usbport.Linked {
			return "", errors.New("this program was built without it")
		}
		return "linked", nil
	})
	switch only := setting("only", ""); only {
	default:
		b.say("only", "", fmt.Errorf("%s is no part of the run", only))
		return
	case "":
	case "asleep":
		b.asleep()
		return
	case "printing":
		b.printing()
		return
	case "order":
		b.appear()
		return
	case "exchanged":
		if c := b.furnished(len(b.desks)); c != nil {
			defer c.close()
			c.exchanged()
		}
		return
	case "codes":
		if c := b.furnished(len(b.desks)); c != nil {
			defer c.close()
			c.codes(b.scans)
		}
		return
	case "commands":
		b.commands()
		return
	case "own":
		b.own()
		return
	case "suite":
		b.suite()
		return
	case "till":
		b.till(setting("full", "") != "")
		return
	}
	b.printing()
	b.wedge()
	b.hidPOS()
	b.acm()
	b.combined()
	b.vendor()
	b.twins()
	b.moved()
	b.plugsOf()
	if setting("full", "") != "" {
		b.suite()
	}
	b.till(setting("full", "") != "")
	b.check("nobody was told of what was not there", func() (string, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.have) != 0 {
			return "", fmt.Errorf("%d devices are said to be there, and all cables are pulled", len(b.have))
		}
		return fmt.Sprintf("%d events", len(b.events)), nil
	})
}

// suiteEnds is when a test program that hangs says where.
const suiteEnds = "4m"

// suite runs the suite of every line over libusb and over each of the kernel's drivers: test programs of their own, with both
// ends of the cable.
func (b *bench) suite() {
	for _, s := range []struct{ over, program, test string }{
		{"libusb", "/suite", "^TestSuite$"},
		{"usblp", "/nodes", "^TestSuiteOfPrinters$"},
		{"cdc-acm", "/nodes", "^TestSuiteOfSerialLines$"},
		{"hidraw", "/nodes", "^TestSuiteOfReports$"},
		{"evdev", "/nodes", "^TestSuiteOfKeys$"},
	} {
		b.check("suite of every line, over "+s.over, func() (string, error) {
			out, err := exec.Command(s.program, "-test.v", "-test.timeout", suiteEnds, "-test.run", s.test).CombinedOutput()
			passed := bytes.Count(out, []byte("    --- PASS"))
			if err != nil || passed == 0 {
				return "", fmt.Errorf("%w\n%s", err, out)
			}
			return fmt.Sprintf("%d cases", passed), nil
		})
	}
}

// record prints sysfs as discovertest reads it, for a test that needs no machine.
func (b *bench) record() {
	fmt.Println("--- record")
	if err := discovertest.Write(os.DirFS("/"), func(line string) { fmt.Println("R " + line) }); err != nil {
		b.say("record", "", err)
	}
	fmt.Println("--- end of record")
}
