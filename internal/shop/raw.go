package shop

import (
	"os"

	"golang.org/x/sys/unix"
)

// raw turns off what a terminal does to bytes, until the daemon sets the line's mode itself: a reading sent before that
// would come back as an echo.
func raw(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	err = c.Control(func(fd uintptr) {
		t, te := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if te != nil {
			e = te
			return
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		e = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err != nil {
		return err
	}
	return e
}

// unblocked is the same file with reads that Close ends and writes that have a limit; f is closed.
func unblocked(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), f.Close()
}

// release ends the claim of sole use that a program which died left on a line.
func release(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	if err := c.Control(func(fd uintptr) { e = unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) }); err != nil {
		return err
	}
	return e
}
