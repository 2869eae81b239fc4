package wire_test

import (
	"testing"

	"tilld/internal/wire"
)

func TestTooOld(t *testing.T) {
	for _, c := range []struct {
		app, least string
		want       bool
	}{
		{"tilld/1.3.9", "1.4.0", true},
		{"tilld/v1.3.9", "1.4.0", true},
		{"tilld/1.9.0", "1.10.0", true}, // by numbers, not by letters
		{"tilld/1.10.0", "1.9.0", false},
		{"tilld/0.9.0", "1.0.0", true},
		{"tilld/1.4.0", "1.4.0", false},
		{"tilld/v1.4.0", "1.4.0", false},
		{"tilld/2.0.0", "1.4.0", false},
		{"tilld/1.4", "1.4.1", true},
		{"tilld/1.4.0+shop", "1.4.0", false},
		{"tilld/1.4.0-rc.1", "1.4.0", true}, // what comes before a release
		{"tilld/1.4.0-rc.2", "1.4.0-rc.1", false},
		{"tilld/v1.4.0-3-g81ea968", "1.4.0", false}, // what git describe says of a build after one
		{"tilld/v1.4.0-3-g81ea968-dirty", "1.4.0", false},
		{"tilld/v1.4.0-dirty", "1.4.0", false},
		{"tilld/v1.4.0-rc.1-3-g81ea968", "1.4.0", true},
		{"tilld/v1.3.9-12-g81ea968", "1.4.0", true},
		{"tilld/unknown", "1.4.0", false}, // a build without a version
		{"tilld/81ea968", "1.4.0", false},
		{"tilld/81ea968-dirty", "1.4.0", false},
		{"tilld/0000001", "1.4.0", false},
		{"tilld/test", "1.4.0", false},
		{"tilld/", "1.4.0", false},
		{"tilld", "1.4.0", false},
		{"", "1.4.0", false},
		{"other/0.1.0", "1.4.0", false}, // another's program
		{"tilld/0.1.0", "", false},      // every version is served
		{"tilld/0.1.0", "soon", false},
		{"tilld/0.1.0", "v1.4.0", false},
	} {
		if got := wire.TooOld(c.app, c.least); got != c.want {
			t.Errorf("%q is too old where the least is %q: %v, want %v", c.app, c.least, got, c.want)
		}
	}
}

func TestIsVersion(t *testing.T) {
	for s, want := range map[string]bool{
		"1.4.0": true, "0.0.1": true, "10.20.30": true, "1.4.0-rc.1": true,
		"": false, "1": false, "1.4": false, "v1.4.0": false, "1.4.0+shop": false, "01.4.0": false, "1.4.0.1": false, "tilld/1.4.0": false, " 1.4.0": false, "latest": false,
	} {
		if got := wire.IsVersion(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
