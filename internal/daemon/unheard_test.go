package daemon_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
	"tilld/internal/daemon"
	"tilld/internal/localapi/client"
	"tilld/internal/roster"
)

// shutFile may be opened for writing by nobody, not even by root.
const shutFile = "/proc/sys/kernel/ostype"

// shutBox is a box for one scanner at the desk that may open nothing before it is given the right.
func (d *desk) shutBox() (*box, *atomic.Bool) {
	b, given := d.box(boundScanner, ""), &atomic.Bool{}
	b.on = func(x *daemon.Daemon) {
		x.Live(d.tree, d.tree.Access, d.listen, func(node string) string {
			if !given.Load() {
				return shutFile
			}
			return d.line(node)
		}, quiet)
	}
	return b, given
}

func hid(vendor, product uint16, name string, i discovertest.Interface) discovertest.Device {
	i.Class, i.Driver = discover.ClassHID, "usbhid"
	return discovertest.Device{Vendor: vendor, Product: product, Name: name, Interfaces: []discovertest.Interface{i}}
}

// pos is the interface of a HID POS scanner: usage page 8c, a bar code scanner.
func pos() discovertest.Interface {
	return discovertest.Interface{Make: "hid", Descriptor: []byte{0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0xc0}}
}

// unheard waits until so many devices cannot be heard by the question about lane 1's scanner.
func (b *box) unheard(want int) []roster.Unheard {
	b.t.Helper()
	var q client.Question
	b.until(fmt.Sprintf("%d cannot be heard", want), func() error {
		if q = b.asked("scanner", "asking"); len(q.Unheard) != want {
			return fmt.Errorf("%+v", q.Unheard)
		}
		return nil
	})
	return q.Unheard
}

// Scanners that the catalog does not know, whose files are root's: whoever is asked to press the trigger is told that they
// cannot be heard, and what gives tilld the right; of a keyboard likewise, for it may be the scanner, and of a mouse not. Once the
// right is there nothing of it is said any more.
func TestAQuestionSaysWhatItCannotHear(t *testing.T) {
	d := newDesk(t)
	b, given := d.shutBox()
	d.plug("1", hid(0x0c2e, 0x0b61, "Gun", pos()), nil)
	d.plug("2", hid(0x05e0, 0x0a05, "Other Gun", pos()), nil)
	d.plug("3", hid(0x046d, 0xc31c, "Keys", discovertest.Interface{Make: "kbd", SubClass: 1, Protocol: 1}), nil)
	d.plug("4", hid(0x046d, 0xc077, "Mouse", discovertest.Interface{Make: "kbd", SubClass: 1, Protocol: 2}), nil)
	b.run()
	b.wish("1", "scanner", client.Wish{Do: "ask"})
	all := b.unheard(3)
	for i, want := range []struct{ why, do string }{
		{"Gun (0c2e:0b61) at port " + place + "1 could be it, and cannot be listened to: this program may not open its file.", `Put SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0b61", GROUP="tilld", MODE="0660" into /etc/udev/rules.d/61-till.rules`},
		{"Other Gun (05e0:0a05) at port " + place + "2 could be it, and cannot", `ATTRS{idVendor}=="05e0", ATTRS{idProduct}=="0a05"`},
		{"Keys (046d:c31c) at port " + place + "3 could be it, or a keyboard for people, and cannot", `Put SUBSYSTEM=="input", KERNEL=="event*", ATTRS{idVendor}=="046d", ATTRS{idProduct}=="c31c", GROUP="tilld", MODE="0640" into`},
	} {
		x := all[i]
		if !strings.HasPrefix(x.Why, want.why) || !strings.Contains(x.Do, want.do) || x.Unit.Port != fmt.Sprint(place, i+1) {
			t.Errorf("%+v\nwant %+v", x, want)
		}
		t.Logf("%s\n  do: %s", x.Why, x.Do)
	}
	given.Store(true)
	b.unheard(0)
}

// One scanner alone is bound by itself, and its file is root's too: nobody listens to it but its own loop, which cannot open
// it. Whoever is asked to press its trigger is told so.
func TestAQuestionSaysThatItsOwnDeviceCannotBeUsed(t *testing.T) {
	d := newDesk(t)
	b, _ := d.shutBox()
	d.plug("1", hid(0x0c2e, 0x0b61, "Gun", pos()), nil)
	b.run()
	const line = `Put SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0b61", GROUP="tilld", MODE="0660" into`
	b.until("the only one is bound, and refused", func() error {
		if f := b.fault("scanner-1"); !strings.Contains(f.Text, "permission denied") || !strings.HasPrefix(f.Remedy, line) {
			return fmt.Errorf("%+v", f)
		}
		return nil
	})
	b.wish("1", "scanner", client.Wish{Do: "ask"})
	x := b.unheard(1)[0]
	if !strings.HasPrefix(x.Why, "Gun (0c2e:0b61) at port "+place+"1 is the scanner of lane 1, and cannot be used: ") || !strings.HasPrefix(x.Do, line) {
		t.Errorf("%+v", x)
	}
	t.Logf("%s\n  do: %s", x.Why, x.Do)
}

// A program has one of two scanners open, and it is not listened to: whoever presses its trigger is told so, until that program
// has ended. Then it answers.
func TestAQuestionSaysWhatItLeavesAlone(t *testing.T) {
	d := newDesk(t)
	b := d.box(boundScanner, "")
	one := d.plug("1", gun(""), nil)
	d.plug("2", gun("S-2"), nil)
	d.tree.Put("proc/5000077/comm", "minicom\n")
	d.tree.Link("proc/5000077/fd/3", "/dev/ttyACM0")
	b.run()
	b.wish("1", "scanner", client.Wish{Do: "ask"})
	x := b.unheard(1)[0]
	if want := "Symbol Bar Code Scanner (05e0:1701) at port " + place + "1 could be it, and cannot be listened to: /dev/ttyACM0 is open in minicom (process 5000077)."; x.Why != want {
		t.Errorf("%s\nwant %s", x.Why, want)
	}
	if want := "If it is the one, stop that program, or take 05e0:1701 out of its settings."; x.Do != want || x.Unit.Port != place+"1" {
		t.Errorf("%+v\nwant %s", x, want)
	}
	t.Logf("%s\n  do: %s", x.Why, x.Do)
	d.tree.Remove("proc/5000077/fd/3")
	b.unheard(0)
	if q := b.press(one, "scanner", "answered"); q.Unit == nil || q.Unit.Port != place+"1" {
		t.Errorf("%+v", q)
	}
}
