package fileport

import (
	"os"
	"syscall"
	"time"
)

// polled is an open node that Go's runtime waits for.
type polled struct{ *os.File }

func openPolled(path string, flags int) (polled, error) {
	f, err := os.OpenFile(path, flags|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0) // Go adds O_CLOEXEC
	return polled{f}, err
}

// control runs f on the descriptor. Never Fd(): it would turn the file blocking and its deadlines off.
func (p polled) control(f func(fd uintptr) error) error {
	c, err := p.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	if err := c.Control(func(fd uintptr) { e = f(fd) }); err != nil {
		return err
	}
	return e
}

// put writes what the device takes within the limit, all of b where it can.
func (p polled) put(b []byte, limit time.Duration) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	return p.Write(b)
}
