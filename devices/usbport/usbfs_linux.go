package usbport

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What libusb lacks is asked of the kernel itself, on the device's own file (include/uapi/linux/usbdevice_fs.h). Writing
// to the file needs its permission and no other right.
const (
	usbdevfsClearHalt  = 0x80045515 // _IOR('U', 21, unsigned int)
	usbdevfsDisconnect = 0x5516     // _IO('U', 22)
	usbdevfsConnect    = 0x5517     // _IO('U', 23)
)

// usbdevfsIoctl wraps a request for one interface: _IOWR('U', 18, struct usbdevfs_ioctl).
var usbdevfsIoctl = uintptr(3)<<30 | unsafe.Sizeof(interfaceRequest{})<<16 | 'U'<<8 | 18

type interfaceRequest struct {
	number, code int32
	data         uintptr
}

// driver asks the kernel's driver to let go of one interface, or to take it again. Others of the device are not touched:
// libusb's own way would throw the driver out of all of them and put none back.
func driver(node string, number int, code int32) error {
	f, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written to it
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	r := interfaceRequest{number: int32(number), code: code}
	var errno unix.Errno
	if err := c.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, usbdevfsIoctl, uintptr(unsafe.Pointer(&r)))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// driverOf is the driver that an interface has now, "" for none.
func driverOf(kernel string, number int) string {
	found, err := filepath.Glob(fmt.Sprintf("/sys/bus/usb/devices/%s:*.%d/driver", kernel, number))
	if err != nil || len(found) != 1 {
		return ""
	}
	to, err := os.Readlink(found[0])
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// clearHalt ends the halt of an endpoint at both ends: the request alone would leave the host's data toggle as it was, and
// the next packet would be dropped for a repeat. Only the file that has claimed the interface may ask, and that is
// libusb's: it is one of ours that is open on node.
func clearHalt(node string, endpoint uint8) error {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	last := error(unix.ENOENT)
	for _, e := range fds {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err != nil || to != node {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		ep := uint32(endpoint)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), usbdevfsClearHalt, uintptr(unsafe.Pointer(&ep)))
		if errno == 0 {
			return nil
		}
		last = errno
	}
	return fmt.Errorf("clear the halt of endpoint %#02x: %w", endpoint, last)
}

func gone(err error) bool { return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) }
