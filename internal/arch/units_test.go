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
}
