package fileport_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tilld/devices/fileport"
)

// TestNoSignalIsSeenWhileAWriteBegins: one that comes meanwhile is there and not seen; afterwards it is seen. What a printer
// would do with it otherwise, the bench on the kernel's own usblp shows.
func TestNoSignalIsSeenWhileAWriteBegins(t *testing.T) {
	pending := func() uint64 {
		t.Helper()
		b, err := os.ReadFile("/proc/thread-self/status")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "SigPnd:")
		n, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const urgent = 1 << (unix.SIGURG - 1)
	var during uint64
	err := fileport.Undisturbed(func() {
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGURG); err != nil {
			t.Error(err)
		}
		during = pending()
	})
	if err != nil {
		t.Fatal(err)
	}
	if during&urgent == 0 {
		t.Error("the signal was seen")
	}
	if after := pending(); after&urgent != 0 {
		t.Error("the signal is never seen")
	}
}
