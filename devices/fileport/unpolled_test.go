package fileport_test

import (
	"os"
	"strings"
	"testing"

	"tilld/devices/fileport"
)

// polled says whether this program's only descriptor of a path is in an epoll set of it.
func polled(t *testing.T, path string) bool {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	node, sets := "", ""
	for _, e := range all {
		switch to, err := os.Readlink("/proc/self/fd/" + e.Name()); {
		case err != nil: // it was closed meanwhile
		case to == path:
			node = e.Name()
		case to == "anon_inode:[eventpoll]":
			info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			sets += string(info)
		}
	}
	if node == "" || sets == "" {
		t.Fatalf("descriptor of %s: %q; epoll sets: %q", path, node, sets)
	}
	for line := range strings.Lines(sets) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "tfd:" && f[1] == node {
			return true
		}
	}
	return false
}

// TestAPrinterIsNotPolled: the runtime would wait in usblp's poll, and the program with it, while a printer is asked.
func TestAPrinterIsNotPolled(t *testing.T) {
	for kind, want := range map[fileport.Kind]bool{fileport.Printer: false, fileport.HID: true} { // the other shows that it would be seen
		far, path, opened := terminal(t)
		p, err := fileport.Open(t.Context(), path, kind, fileport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		opened()
		if got := polled(t, path); got != want {
			t.Errorf("%s: polled %v, want %v", kind, got, want)
		}
		_ = p.Close()
		_ = far.Close()
	}
}
