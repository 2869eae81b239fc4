package discover_test

import (
	"fmt"
	"slices"
	"testing"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
)

// Bit maps of keys as kernels print them: of a keyboard, with words of 64 and of 32 bits, and of volume keys.
const (
	letters   = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
	letters32 = "10000 7 ff9f207a c14057ff febeffdf ffefffff ffffffff fffffffe"
	volume    = "3f000303ff 0 0 483ffff17aff32d bfd4444600000000 1 130ff38b17c000 677bfad9415fed 9ed68000004400 10000002"
)

// A device with several nodes of a kind is opened by the one that its codes come from, whatever their numbers.
func TestNodeIsWhereTheCodesComeFrom(t *testing.T) {
	keyboard := discovertest.Interface{Class: 3, SubClass: 1, Protocol: 1, Driver: "usbhid", Make: "kbd", Keys: []string{letters}}
	keys := func(each ...string) discovertest.Interface {
		i := keyboard
		i.Keys = each
		return i
	}
	said := []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0} // that it is a keyboard
	alone := func(i discovertest.Interface) discovertest.Interface { i.Descriptor = said; return i }
	of := func(i discovertest.Interface) discovertest.Interface { // and a row of volume keys
		i.Descriptor = slices.Concat(said, []byte{0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01, 0xc0})
		return i
	}
	for _, c := range []struct {
		name       string
		interfaces []discovertest.Interface
		kind, want string
	}{
		{"LettersFirst", []discovertest.Interface{keys(letters, volume)}, discover.Input, "/dev/input/event9"},
		{"VolumeFirst", []discovertest.Interface{keys(volume, letters)}, discover.Input, "/dev/input/event10"},
		{"WordsOf32Bits", []discovertest.Interface{keys(volume, letters32)}, discover.Input, "/dev/input/event10"},
		{"OnAnotherInterface", []discovertest.Interface{keys(volume), keyboard}, discover.Input, "/dev/input/event10"},
		{"NobodyKnows", []discovertest.Interface{keys("", "")}, discover.Input, "/dev/input/event9"},
		{"NoneHasLetters", []discovertest.Interface{keys(volume, volume)}, discover.Input, "/dev/input/event9"},
		{"LettersOfAKeyboard", []discovertest.Interface{of(keys(volume, letters))}, discover.Input, "/dev/input/event10"},
		{"LettersYetToCome", []discovertest.Interface{of(keys(volume))}, discover.Input, ""},
		{"LettersYetToComeOnAnotherInterface", []discovertest.Interface{keys(volume), of(keys(""))}, discover.Input, ""},
		{"DigitsAlone", []discovertest.Interface{alone(keys(volume))}, discover.Input, "/dev/input/event9"},
		{"TwoWithoutLetters", []discovertest.Interface{of(keys(volume, volume))}, discover.Input, "/dev/input/event9"},
		{"ReportsOfAKeyboardWithoutLetters", []discovertest.Interface{of(keys(volume))}, discover.HIDRaw, "/dev/hidraw9"},
		{"ReportsBehindAKeyboard", []discovertest.Interface{keyboard, pos.Interfaces[0]}, discover.HIDRaw, "/dev/hidraw10"},
		{"ReportsBeforeAKeyboard", []discovertest.Interface{pos.Interfaces[0], keyboard}, discover.HIDRaw, "/dev/hidraw9"},
		{"NoReportsOfAScanner", []discovertest.Interface{keyboard, keyboard}, discover.HIDRaw, "/dev/hidraw9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := discovertest.New("c0")
			for n := range 9 { // its numbers go from 9 to 10
				tree.Plug(1, fmt.Sprintf("1.%d", n+1), wedge)
			}
			made := tree.Plug(1, "2", discovertest.Device{Vendor: 0x0c2e, Product: 0x0b61, Name: "Scanner", Interfaces: c.interfaces})
			all := scan(t, tree)
			n, ok := all[len(all)-1].Node(c.kind)
			t.Logf("of %v: %s", made, n.Path)
			if ok != (c.want != "") || n.Path != c.want || ok && !slices.Contains(made, n.Path) {
				t.Errorf("%s, want %s of %v", n.Path, c.want, made)
			}
		})
	}
}

// A vendor's device with an interface for events alone and another for data.
func TestBulkOut(t *testing.T) {
	const (
		head   = "\x12\x01\x00\x02\x00\x00\x00\x40\x34\x12\x01\x00\x00\x01\x01\x02\x00\x01"
		config = "\x09\x02\x00\x00\x02\x01\x00\x80\x32"
		other  = "\x09\x02\x00\x00\x02\x02\x00\x80\x32"
		zero   = "\x09\x04\x00\x00\x01\xff\x00\x00\x00"
		one    = "\x09\x04\x01\x00\x02\xff\x00\x00\x00"
		later  = "\x09\x04\x00\x01\x02\xff\x00\x00\x00" // another setting of interface 0
		events = "\x07\x05\x81\x03\x08\x00\x0a"
		in     = "\x07\x05\x82\x02\x40\x00\x00"
		out    = "\x07\x05\x02\x02\x40\x00\x00"
	)
	for _, c := range []struct {
		name, said, active string
		want               []bool
	}{
		{"TheSecond", head + config + zero + events + one + in + out, "1", []bool{false, true}},
		{"NobodySaysWhichConfiguration", head + config + zero + events + one + in + out, "", []bool{false, true}},
		{"AnotherConfiguration", head + config + zero + out + one + other + zero + events + one + out, "2", []bool{false, true}},
		{"AnotherSetting", head + config + zero + events + later + out + one + in + out, "1", []bool{false, true}},
		{"OnlyIn", head + config + zero + events + one + in, "1", []bool{false, false}},
		{"CutOff", head + config + zero + out + one + out[:5], "1", []bool{true, false}},
		{"ALengthOfNothing", head + config + zero + "\x00\x05" + out, "1", []bool{false, false}},
	} {
		tree := discovertest.New("c0")
		vendor := discovertest.Interface{Class: discover.ClassVendor}
		tree.Plug(1, "1", discovertest.Device{Vendor: 0x1234, Product: 1, Descriptors: c.said, Interfaces: []discovertest.Interface{vendor, vendor}})
		if c.active != "" {
			tree.Put("sys/devices/pci0000:00/c0/usb1/1-1/bConfigurationValue", c.active+"\n")
		}
		var got []bool
		for _, i := range scan(t, tree)[0].Interfaces {
			got = append(got, i.BulkOut)
		}
		t.Logf("%s: %v", c.name, got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
