package discover

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Uevent is one message of the kernel.
type Uevent struct {
	Action    string // add remove change bind unbind move online offline
	Path      string // below /sys
	Subsystem string
	Name      string // of the node below /dev, "" where there is none
}

// ErrOverrun: the kernel had more to say than the socket holds, so some messages are lost. Who gets it looks afresh.
var ErrOverrun = errors.New("kernel messages were lost")

// ParseUevent reads a message as it comes from the kernel: "add@/devices/…", then KEY=value, each ended by a zero byte.
// What udev sends has another head and is refused.
func ParseUevent(b []byte) (Uevent, error) {
	head, rest, ok := bytes.Cut(b, []byte{0})
	action, path, at := strings.Cut(string(head), "@")
	if !ok || !at || action == "" || !strings.HasPrefix(path, "/") {
		return Uevent{}, fmt.Errorf("no message of the kernel: it begins with %q", clip(head))
	}
	e := Uevent{Action: action, Path: path}
	for field := range bytes.SplitSeq(rest, []byte{0}) {
		key, value, ok := strings.Cut(string(field), "=")
		if !ok {
			continue
		}
		switch key {
		case "ACTION":
			if value != action {
				return Uevent{}, fmt.Errorf("kernel message %q says ACTION=%q", clip(head), clip([]byte(value)))
			}
		case "DEVPATH":
			if value != path {
				return Uevent{}, fmt.Errorf("kernel message %q says DEVPATH=%q", clip(head), clip([]byte(value)))
			}
		case "SUBSYSTEM":
			e.Subsystem = value
		case "DEVNAME":
			e.Name = value
		}
	}
	if e.Subsystem == "" {
		return Uevent{}, fmt.Errorf("kernel message %q names no subsystem", clip(head))
	}
	return e, nil
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }

// concerns says whether the message can be about a device of a till.
func (e Uevent) concerns() bool {
	switch e.Subsystem {
	case "usb", "usbmisc", "tty", "hid", "hidraw", "input", "usb-serial":
		return true
	}
	return false
}
