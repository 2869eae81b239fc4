package fileport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/internal/depth"
)

// The numbers as the kernel's headers make them: linux/input.h, linux/hidraw.h, linux/lp.h, usblp.c.
var numbers = []struct {
	name string
	got  uintptr
	want uintptr
}{
	{"EVIOCGRAB", evGrab(), 0x40044590},
	{"EVIOCGKEY(96)", evKeysHeld(), 0x80604518},
	{"EVIOCSCLOCKID", evSetClock(), 0x400445a0},
	{"EVIOCSMASK", evMask(), 0x40104593},
	{"HIDIOCGRDESCSIZE", hidDescSize(), 0x80044801},
	{"HIDIOCGRDESC", hidDesc(), 0x90044802},
	{"LPGETSTATUS", lpGetStatus, 0x060b},
	{"_IOC(_IOC_READ, 'P', 1, 1024)", lpGetDeviceID(), 0x84005001},
}

func TestTheNumbersAreTheKernels(t *testing.T) {
	for _, n := range numbers {
		if n.got != n.want {
			t.Errorf("%s is %#x, want %#x", n.name, n.got, n.want)
		}
	}
}

// The same against the headers of this machine, where it has a compiler.
func TestTheNumbersAreTheHeaders(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if _, e := os.Stat("/usr/include/linux/hidraw.h"); err != nil || e != nil {
		depth.Lacks(t, fmt.Sprintf("no C compiler or no kernel headers: %v, %v", err, e))
	}
	var src strings.Builder
	src.WriteString("#include <linux/input.h>\n#include <linux/hidraw.h>\n#include <linux/lp.h>\n")
	for _, n := range numbers {
		src.WriteString("_Static_assert((unsigned)(" + n.name + ") == " + hex(n.got) + "u, \"\");\n")
	}
	f := filepath.Join(t.TempDir(), "numbers.c")
	if err := os.WriteFile(f, []byte(src.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-fsyntax-only", f).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func hex(n uintptr) string {
	const digits = "0123456789abcdef"
	var b [10]byte
	for i := 9; i > 1; i-- {
		b[i], n = digits[n&15], n>>4
	}
	b[0], b[1] = '0', 'x'
	return string(b[:])
}

// keyboard plays the kernel's side of a grab.
type keyboard struct {
	heldUntil time.Time
	grabbed   bool
	masked    uint32
	fail      map[uintptr]error
	asked     []uintptr
}

func (k *keyboard) call(request uintptr, arg unsafe.Pointer, number uintptr) error {
	k.asked = append(k.asked, request)
	if err := k.fail[request]; err != nil {
		return err
	}
	switch request {
	case evSetClock():
		if *(*int32)(arg) != unix.CLOCK_MONOTONIC {
			return unix.EINVAL
		}
	case evMask():
		m := (*struct {
			kind, size uint32
			codes      uint64
		})(arg)
		if m.size%8 != 0 { // as the kernel has it (bits_from_user in evdev.c)
			return unix.EINVAL
		}
		k.masked = m.kind
	case evKeysHeld():
		b := (*[keyBytes]byte)(arg)
		*b = [keyBytes]byte{}
		if time.Now().Before(k.heldUntil) {
			b[28/8] = 1 << (28 % 8)
		}
	case evGrab():
		if number != 1 {
			return unix.EINVAL
		}
		k.grabbed = true
	}
	return nil
}

func TestTheGrabWaitsForKeysThatAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		k := &keyboard{heldUntil: start.Add(300 * time.Millisecond)}
		if err := grab(t.Context(), k.call); err != nil || !k.grabbed || k.masked != misc {
			t.Fatalf("grabbed %v, type %d left out, %v", k.grabbed, k.masked, err)
		}
		if took := time.Since(start); took < 300*time.Millisecond || took > 350*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestAGrabThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keyboard{heldUntil: time.Now().Add(time.Hour)}
		if err := grab(t.Context(), k.call); err == nil || errors.Is(err, devices.ErrPerson) || k.grabbed {
			t.Errorf("a key is stuck: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := grab(ctx, k.call); !errors.Is(err, context.Canceled) {
			t.Errorf("stopped: %v", err)
		}
		k = &keyboard{fail: map[uintptr]error{evGrab(): unix.EBUSY}}
		if err := grab(t.Context(), k.call); !errors.Is(err, devices.ErrPerson) || !strings.Contains(err.Error(), "another program") {
			t.Errorf("taken: %v", err)
		}
		k = &keyboard{fail: map[uintptr]error{evSetClock(): unix.ENOTTY}}
		if err := grab(t.Context(), k.call); !errors.Is(err, devices.ErrPerson) || len(k.asked) != 1 {
			t.Errorf("no keys: %v", err)
		}
		k = &keyboard{fail: map[uintptr]error{evMask(): unix.EINVAL}}
		if err := grab(t.Context(), k.call); err != nil || !k.grabbed {
			t.Errorf("a kernel that leaves nothing out: %v", err)
		}
		k = &keyboard{fail: map[uintptr]error{evKeysHeld(): unix.ENODEV}}
		if err := grab(t.Context(), k.call); err == nil || k.grabbed {
			t.Errorf("unplugged: %v", err)
		}
	})
}

func TestDeviceID(t *testing.T) {
	id := "MFG:EPSON;MDL:TM-T88V;"
	for name, b := range map[string][]byte{
		"as the standard says":   append([]byte{0, byte(len(id) + 2)}, id...),
		"the other order":        append([]byte{byte(len(id) + 2), 0}, id...),
		"nonsense for a length":  append([]byte{0xff, 0xff}, id...),
		"padded with zero bytes": append(append([]byte{0, 200}, id...), make([]byte, 200)...),
	} {
		if got := cutID(b); got != id {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := cutID([]byte{0}); got != "" {
		t.Errorf("one byte: %q", got)
	}
}

func FuzzDeviceID(f *testing.F) {
	f.Add([]byte("\x00\x18MFG:EPSON;MDL:TM-T88V;"))
	f.Add([]byte{0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := cutID(b); len(got) > len(b) {
			t.Fatalf("%d bytes out of %d", len(got), len(b))
		}
	})
}

// Keys that are read beside others are stamped, and nobody is waited for.
func TestKeysThatAreShared(t *testing.T) {
	k := &keyboard{heldUntil: time.Now().Add(time.Hour)}
	if err := stamps(k.call); err != nil || k.grabbed || len(k.asked) != 1 {
		t.Errorf("grabbed %v, asked %x, %v", k.grabbed, k.asked, err)
	}
	k = &keyboard{fail: map[uintptr]error{evSetClock(): unix.ENOTTY}}
	if err := stamps(k.call); !errors.Is(err, devices.ErrPerson) {
		t.Errorf("no keys: %v", err)
	}
}
