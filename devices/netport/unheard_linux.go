package netport

import (
	"net"

	"golang.org/x/sys/unix"
)

// setUnheard sets TCP_USER_TIMEOUT: keep-alive alone does not count while bytes wait for an acknowledgement.
func setUnheard(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var e error
	if err := raw.Control(func(fd uintptr) {
		e = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard.Milliseconds()))
	}); err != nil {
		return err
	}
	return e
}
