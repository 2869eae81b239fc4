package porttest

import (
	"os"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Line is a pseudo-terminal: the far end, where a device stands, and the line that a port opens by its name. pty.Open leaves
// its end blocking, and a Read that blocks there would outlive its Close: the line would not hang up. This end does not.
func Line(t testing.TB) (far, tty *os.File) {
	t.Helper()
	end, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.FcntlInt(end.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	_ = end.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), end.Name()), tty
}
