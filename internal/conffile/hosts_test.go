package conffile_test

import (
	"slices"
	"strings"
	"testing"

	"tilld/internal/conffile"
)

// Clients leave the usual port of their scheme out of Host, and a setting may have it or not.
func TestAUsualPortMayStandThereOrNot(t *testing.T) {
	for name, want := range map[string]string{
		"till.shop.example:443":  "till.shop.example:443 till.shop.example",
		"till.shop.example:80":   "till.shop.example:80 till.shop.example",
		"till.shop.example":      "till.shop.example till.shop.example:80 till.shop.example:443",
		"till.shop.example:7373": "till.shop.example:7373",
		"till.shop.example:8080": "till.shop.example:8080",
		"till.shop.example:4430": "till.shop.example:4430",
		"[::1]:80":               "[::1]:80 [::1]",
		"[::1]":                  "[::1] [::1]:80 [::1]:443",
		"127.0.0.1:80":           "127.0.0.1:80 127.0.0.1",
	} {
		if got := strings.Join(conffile.HostValues([]string{name}), " "); got != want {
			t.Errorf("%s is called by %s, want %s", name, got, want)
		}
	}
	if got := conffile.HostValues([]string{"a:1", "b:80"}); !slices.Equal(got, []string{"a:1", "b:80", "b"}) {
		t.Errorf("%q", got)
	}
}
