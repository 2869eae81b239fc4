// Package conffiletest is what the tests of the programs' configurations share.
package conffiletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Refused has load refuse each file of a folder, which holds one mistake; its first line is the exact message. least is
// how many there must be.
func Refused(t *testing.T, folder string, least int, load func(file string) error) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) < least {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(b), "\n")
			if err := load(f); err == nil || "# "+err.Error() != first {
				t.Fatalf("got  %v\nwant %s", err, strings.TrimPrefix(first, "# "))
			}
		})
	}
	t.Logf("%d files", len(files))
}
