package arch_test

import (
	"os"
	"strings"
	"testing"
)

// TestUnits holds the units against the programs that they start: the same file, user and folders everywhere. What they
// shut is judged by systemd's own tool, scripts/units.
func TestUnits(t *testing.T) {
	read := func(file string) string {
		b, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, p := range []string{"tilld", "integrator"} {
		for file, wants := range map[string][]string{
			"systemd/" + p + ".service": {
				"ExecStart=/usr/bin/" + p + " run --config /etc/" + p + "/" + p + ".yaml\n", "ExecPaths=/usr/bin/" + p + "\n",
				"User=" + p + "\n", "Group=" + p + "\n", "StateDirectory=" + p + "\n", "StateDirectoryMode=0700\n", "UMask=0077\n", "Restart=always\n",
			},
			"systemd/" + p + ".sysusers.conf": {"u " + p + " - "},
			"systemd/" + p + ".tmpfiles.conf": {"d /etc/" + p + " 0750 root " + p + " -\n", "d /var/lib/" + p + " 0700 " + p + " " + p + " -\n"},
			"cmd/" + p + "/main.go":           {`"/etc/` + p + "/" + p + `.yaml"`},
			"configs/" + p + ".yaml":          {"state: /var/lib/" + p + "\n"},
		} {
			text := read(file)
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s has no %q", file, want)
				}
			}
		}
	}
	if want := "\nExecStopPost=-/usr/bin/tilld blank --config /etc/tilld/tilld.yaml\n"; !strings.Contains(read("systemd/tilld.service"), want) {
		t.Errorf("systemd/tilld.service has no %q: a killed daemon's display would not be blanked", want)
	}
	// A kind that the kernel does not know yet when the unit starts is shut until the next start.
	unit, modules := read("systemd/tilld.service"), read("systemd/tilld.modules.conf")
	for kind, module := range map[string]string{"ttyACM": "cdc-acm", "ttyUSB": "usbserial", "usb": "usblp", "hidraw": "usbhid"} {
		if !strings.Contains(unit, "DeviceAllow=char-"+kind+" rw\n") || !strings.Contains(modules, "\n"+module+"\n") {
			t.Errorf("of char-%s: the unit does not allow it, or %s is not loaded before", kind, module)
		}
	}
	if !strings.Contains(read("scripts/install"), " systemd/tilld.modules.conf ") {
		t.Error("scripts/install leaves out systemd/tilld.modules.conf")
	}
}
