package discover_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices/discover"
	"tilld/internal/depth"
)

const addLP = "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/usbmisc/lp0\x00ACTION=add\x00DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/usbmisc/lp0\x00SUBSYSTEM=usbmisc\x00MAJOR=180\x00MINOR=0\x00DEVNAME=usb/lp0\x00SEQNUM=2431\x00"

func TestParseUevent(t *testing.T) {
	e, err := discover.ParseUevent([]byte(addLP))
	if err != nil || e.Action != "add" || e.Subsystem != "usbmisc" || e.Name != "usb/lp0" || !strings.HasSuffix(e.Path, "/usbmisc/lp0") {
		t.Fatalf("%+v, %v", e, err)
	}
	withEquals := strings.Replace(addLP, "SEQNUM=2431", "PRODUCT=a=b=c", 1)
	if _, err := discover.ParseUevent([]byte(withEquals)); err != nil {
		t.Errorf("a value with = in it: %v", err)
	}
	for name, text := range map[string]string{
		"Empty":             "",
		"NoZeroByte":        "add@/devices/x",
		"OfUdev":            "libudev\x00\xfe\xed\xca\xfe",
		"NoAction":          "@/devices/x\x00SUBSYSTEM=usb\x00",
		"NoPath":            "add@x\x00SUBSYSTEM=usb\x00",
		"NoSubsystem":       "add@/devices/x\x00ACTION=add\x00",
		"AnotherAction":     "add@/devices/x\x00ACTION=remove\x00SUBSYSTEM=usb\x00",
		"AnotherDevicePath": "add@/devices/x\x00DEVPATH=/devices/y\x00SUBSYSTEM=usb\x00",
	} {
		if e, err := discover.ParseUevent([]byte(text)); err == nil {
			t.Errorf("%s: was taken as %+v", name, e)
		}
	}
}

func FuzzParseUevent(f *testing.F) {
	for _, s := range []string{addLP, "", "add@/x\x00", "libudev\x00", "add@/x\x00SUBSYSTEM=usb\x00=\x00A\x00", "@\x00\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := discover.ParseUevent(b)
		switch {
		case err == nil && (e.Action == "" || e.Subsystem == "" || !strings.HasPrefix(e.Path, "/")):
			t.Errorf("%q gave %+v", b, e)
		case err != nil && len(err.Error()) > 800:
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

// The real socket: what a program sends, even one of root, is passed over, and Close ends the waiting.
func TestKernelSocketHearsOnlyTheKernel(t *testing.T) {
	k, err := discover.OpenKernel()
	if err != nil {
		depth.Lacks(t, "this kernel or sandbox has no such socket: "+err.Error())
	}
	done := make(chan error, 1)
	heard := make(chan discover.Uevent, 64)
	go func() {
		for {
			e, err := k.Next()
			if err != nil {
				done <- err
				return
			}
			heard <- e
		}
	}()
	const mark = "/devices/tilld-test-of-a-forged-message"
	forged := strings.ReplaceAll(addLP, "/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/usbmisc/lp0", mark)
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		t.Fatal(err)
	}
	plain, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(plain)
	if err := errors.Join(unix.Bind(plain, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}),
		unix.SetsockoptTimeval(plain, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5})); err != nil {
		t.Fatal(err)
	}
	sent := unix.Sendto(fd, []byte(forged), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1})
	t.Logf("a forged message to the group: %v (needs root)", sent)
	if sent == nil { // a socket that does not look at the sender hears it, so ours could have
		for b := make([]byte, 4096); ; {
			n, _, err := unix.Recvfrom(plain, b, 0)
			if err != nil {
				t.Fatalf("the forged message did not arrive anywhere: %v", err)
			}
			if strings.Contains(string(b[:n]), mark) {
				break
			}
		}
	}
	t.Logf("and to the socket alone: %v", unix.Sendto(fd, []byte(forged), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: uint32(os.Getpid())}))
	select {
	case e := <-heard:
		if e.Path == mark {
			t.Errorf("a program's message was taken: %+v", e)
		}
	case <-time.After(50 * time.Millisecond): // silence is what is wanted
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Close does not end the waiting")
	}
}
