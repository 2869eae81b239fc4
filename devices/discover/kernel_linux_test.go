package discover

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// The rules for scanners give event nodes to a group for reading alone, and that is how they are opened: such a node is
// not denied. Every other kind is written to.
func TestANodeIsAskedForAsItIsOpened(t *testing.T) {
	for path, want := range map[string]uint32{
		"/dev/input/event3": unix.R_OK,
		"/dev/hidraw0":      unix.R_OK | unix.W_OK,
		"/dev/usb/lp0":      unix.R_OK | unix.W_OK,
		"/dev/ttyACM0":      unix.R_OK | unix.W_OK,
	} {
		if got := needs(path); got != want {
			t.Errorf("%s is asked for with %b, want %b", path, got, want)
		}
	}
	gone := filepath.Join(t.TempDir(), "lp0")
	if err := Access(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a node that is not there: %v", err)
	}
}
