package discover

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"tilld/devices"
)

// kernelGroup is the multicast group of the kernel itself; udev's own messages go to group 2.
const kernelGroup = 1

// Kernel is the socket on which the kernel tells of devices.
type Kernel struct {
	f *os.File
	c syscall.RawConn
}

// OpenKernel opens the socket. It needs no right. An error wraps devices.ErrAbsent: a kernel or a sandbox without it
// (AF_NETLINK must be among RestrictAddressFamilies of a unit).
func OpenKernel() (*Kernel, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("open the kernel's socket for devices: %w: %w", devices.ErrAbsent, err)
	}
	// Bursts of a whole hub are a few hundred messages; where the system allows less, an overrun is noticed and costs a look.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}))
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listen to the kernel: %w: %w", devices.ErrAbsent, err)
	}
	f := os.NewFile(uintptr(fd), "kernel messages")
	c, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("listen to the kernel: %w", err)
	}
	return &Kernel{f: f, c: c}, nil
}

// Next waits for a message. Messages that are not from the kernel, or that cannot be read, are passed over. ErrOverrun is
// no end; every other error is.
func (k *Kernel) Next() (Uevent, error) {
	buf, oob := make([]byte, 16<<10), make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	for {
		var n, oobn int
		var from unix.Sockaddr
		var err error
		rerr := k.c.Read(func(fd uintptr) bool {
			n, oobn, _, from, err = unix.Recvmsg(int(fd), buf, oob, 0)
			return !errors.Is(err, unix.EAGAIN)
		})
		switch {
		case rerr != nil:
			return Uevent{}, fmt.Errorf("listen to the kernel: %w: %w", os.ErrClosed, rerr) // there is no deadline, so it was Close
		case errors.Is(err, unix.ENOBUFS):
			return Uevent{}, ErrOverrun
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return Uevent{}, fmt.Errorf("listen to the kernel: %w", err)
		}
		if !fromKernel(from, oob[:oobn]) {
			continue
		}
		if e, err := ParseUevent(buf[:n]); err == nil {
			return e, nil
		}
	}
}

// fromKernel: any program of root may send to the group, and some may send to us alone. Only the kernel has port 0 and
// process 0.
func fromKernel(from unix.Sockaddr, oob []byte) bool {
	a, ok := from.(*unix.SockaddrNetlink)
	if !ok || a.Pid != 0 || a.Groups != kernelGroup {
		return false
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(msgs) != 1 {
		return false
	}
	cred, err := unix.ParseUnixCredentials(&msgs[0])
	return err == nil && cred.Pid == 0 && cred.Uid == 0
}

// Close ends a waiting Next.
func (k *Kernel) Close() error { return k.f.Close() }

// Access says why this process may not open a node as its kind is opened, nil if it may.
func Access(path string) error {
	if err := unix.Access(path, needs(path)); err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}

// needs is how a node is opened: those of keys are only read.
func needs(path string) uint32 {
	if strings.HasPrefix(path, "/dev/input/") {
		return unix.R_OK
	}
	return unix.R_OK | unix.W_OK
}
