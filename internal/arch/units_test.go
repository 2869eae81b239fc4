package arch_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// A program that was built with libusb needs its loader and its libraries, which the unit lets nobody execute: scripts/install
// puts the drop-in beside it that does, and takes it away again with a program that needs none.
func TestAProgramWithLibusbIsInstalledWithItsDropIn(t *testing.T) {
	dir := t.TempDir()
	put := func(file string, text []byte) {
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	units, err := filepath.Glob("../../systemd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(units, "../../scripts/install") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		put(strings.TrimPrefix(file, "../../"), text)
	}
	put("bin/tillctl", nil)
	head := append([]byte("\x7fELF"), make([]byte, 4000)...) // of a program, up to where it names its loader
	dropIn := filepath.Join(dir, "root/usr/lib/systemd/system/tilld.service.d/libusb.conf")
	for _, c := range []struct {
		what, loader string
		want         string // in the drop-in; "" for no drop-in
	}{
		{"static", "", ""},
		{"amd64", "/lib64/ld-linux-x86-64.so.2\x00", "[Service]\nExecPaths=/usr/lib -/usr/lib64\n"},
		{"arm64", "/lib/ld-linux-aarch64.so.1\x00", "[Service]\nExecPaths=/usr/lib -/usr/lib64\n"},
		{"static again", "", ""},
	} {
		put("bin/tilld", append(slices.Clone(head), c.loader...))
		install := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "scripts/install"), "box")
		install.Env = append(os.Environ(), "DESTDIR="+filepath.Join(dir, "root"))
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", c.what, err, out)
		}
		got, err := os.ReadFile(dropIn)
		if none := errors.Is(err, fs.ErrNotExist); none != (c.want == "") || err != nil && !none || !strings.HasSuffix(string(got), c.want) {
			t.Errorf("%s: the drop-in is %q, %v", c.what, got, err)
		}
		t.Logf("installed the program of %s: a drop-in of %d bytes", c.what, len(got))
	}
}
