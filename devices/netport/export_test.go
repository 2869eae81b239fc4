package netport

import "syscall"

// Socket is the connection's own, to read back what it is set to.
func (p *Port) Socket() (syscall.RawConn, error) { return p.c.SyscallConn() }
