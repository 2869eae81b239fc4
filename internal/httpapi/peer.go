package httpapi

import (
	"context"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Peer is the process at the other end of a unix socket, as the kernel knows it at the moment of its connect.
type Peer struct {
	PID    int32
	UID    uint32
	GID    uint32
	Groups []uint32 // supplementary
}

type peerKey struct{}

// PeerOf is the peer of the request's connection; false on TCP.
func PeerOf(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}

func withPeer(ctx context.Context, c net.Conn) context.Context {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ctx
	}
	var p Peer
	var found bool
	if err := raw.Control(func(fd uintptr) { p, found = peer(int(fd)) }); err != nil || !found {
		return ctx // nobody: such a caller needs a token
	}
	return context.WithValue(ctx, peerKey{}, p)
}

func peer(fd int) (Peer, bool) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{}, false
	}
	p := Peer{PID: c.Pid, UID: c.Uid, GID: c.Gid}
	groups := make([]uint32, 1024)
	size := uint32(len(groups) * 4)
	// SO_PEERGROUPS (Linux 4.13): x/sys has the number, not the call. An error leaves the primary group alone.
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_PEERGROUPS,
		uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
	if errno == syscall.Errno(0) {
		p.Groups = groups[:size/4]
	}
	return p, true
}
