package daemon

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"tilld/devices"
	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
	"tilld/internal/roster"
)

// A device that the settings name, by its file or by what it is, is not free to be bound.
func TestWhatTheSettingsNameIsNotFree(t *testing.T) {
	device := func(port, serial, node string) discover.Device {
		return discover.Device{Port: port, Serial: serial, Vendor: 0x05e0, Product: 0x1701, Interfaces: []discover.Interface{{Nodes: []discover.Node{{Kind: discover.TTY, Path: node}}}}}
	}
	there := []discover.Device{device("usb1/1", "", "/dev/ttyACM0"), device("usb1/2", "S-2", "/dev/ttyACM1"), device("usb1/3", "", "/dev/ttyACM2")}
	c := Config{
		Lanes:    map[string]Lane{"1": {Scanner: &Device{Port: Port{Serial: "/dev/ttyACM0"}}}, "2": {Scanner: &Device{Port: Port{Bound: true}}}},
		Printers: map[string]Device{"front": {Port: Port{Serial: "serial:S-2"}}},
	}
	b := &binder{fixed: c.nodes, paths: c.paths()}
	for i, want := range []bool{true, true, false} {
		if got := b.named(there[i], there); got != want {
			t.Errorf("%s is named: %v", there[i].Interfaces[0].Nodes[0].Path, got)
		}
	}
}

// Of an adapter with two lines a binding opens the first: who names the second is told so, and does not get the first for it.
// Of a keyboard's nodes any one names the device.
func TestTheSecondLineOfAnAdapterIsNotBoundAsTheFirst(t *testing.T) {
	catalog, err := loadModels("")
	if err != nil {
		t.Fatal(err)
	}
	line := func(number int, nodes ...discover.Node) discover.Interface {
		return discover.Interface{Number: number, Class: discover.ClassVendor, Nodes: nodes}
	}
	node := func(kind, path string) discover.Node { return discover.Node{Kind: kind, Path: path} }
	v := seen{devices: []discover.Device{
		{Port: "1", Vendor: 0xffff, Product: 1, Interfaces: []discover.Interface{line(0, node(discover.TTY, "/dev/ttyUSB0")), line(1, node(discover.TTY, "/dev/ttyUSB1"))}},
		{Port: "2", Vendor: 0xffff, Product: 2, Interfaces: []discover.Interface{line(0, node(discover.Input, "/dev/input/event9"), node(discover.Input, "/dev/input/event10"))}},
	}}
	b := &binder{machine: machine{files: fstest.MapFS{}}, catalog: catalog, fixed: Config{}.nodes}
	s := &slot{key: binding.Key{Lane: "1", Role: binding.Scanner}, kind: models.Scanner}
	for name, refused := range map[string]bool{
		"/dev/ttyUSB0": false, "/dev/ttyUSB1": true, "port:1": false, "/dev/input/event9": false, "/dev/input/event10": false,
	} {
		_, err := b.give(s, v, roster.Wish{Device: name})
		t.Logf("%s: %v", name, err)
		said := new(roster.Said)
		if refused != errors.Is(err, roster.ErrUnfit) || refused && (!errors.As(err, &said) || !strings.Contains(said.Remedy, name)) || !refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What cannot be heard is said while the question stands and when nobody answered in time: of what was there at once, of
// what came since at the second failure, and of what has left never.
func TestWhatCannotBeHeardIsSaidToTheEnd(t *testing.T) {
	s := &slot{key: binding.Key{Lane: "1", Role: binding.Scanner}, kind: models.Scanner}
	device := func(port string) discover.Device {
		return discover.Device{Port: port, Vendor: 0x0c2e, Product: 0x0b61, Name: "Gun"}
	}
	b := &binder{asked: &asked{s: s, fresh: map[string]bool{"usb1/2": true, "usb1/3": true}, unheard: map[string]unheard{}}}
	for port, times := range map[string]int{"usb1/1": 1, "usb1/2": 1, "usb1/3": 2, "usb1/4": 9} {
		d := device(port)
		b.asked.unheard[placeOf(d)] = unheard{d, discover.HIDRaw, devices.ErrHeld, times}
	}
	v := seen{devices: []discover.Device{device("usb1/1"), device("usb1/2"), device("usb1/3")}}
	for state, want := range map[string]string{binding.Asking: "usb1/1 usb1/3", binding.Heard: "usb1/1 usb1/3", binding.Over: "usb1/1 usb1/3", binding.Canceled: "", binding.Answered: "", binding.Taken: ""} {
		b.asked.q = binding.Question{Key: s.key, State: state}
		var got []string
		for _, x := range b.question(s, v).Unheard {
			got = append(got, x.Unit.Port)
			if x.Do == "" || !strings.Contains(x.Why, "Gun (0c2e:0b61) at port "+x.Unit.Port) {
				t.Errorf("%s: %+v", state, x)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: said of %v, want %s", state, got, want)
		}
	}
}

// A question says the same from its begin until it is answered: while one has answered and another might, too. Its answer,
// and its end, have no hint of what to do with a device that is not heard.
func TestAQuestionSaysTheSameUntilItIsAnswered(t *testing.T) {
	for kind, role := range map[string]string{models.Scanner: binding.Scanner, models.Printer: binding.ReceiptPrinter, models.Display: binding.CustomerDisplay} {
		s := &slot{key: binding.Key{Lane: "1", Role: role}, kind: kind}
		text := func(state string) string {
			b := &binder{asked: &asked{s: s, q: binding.Question{Key: s.key, State: state, Note: "nobody answered in time"}}}
			return b.question(s, seen{}).Text
		}
		begun := text(binding.Asking)
		if !strings.Contains(begun, " plug it in again") || text(binding.Heard) != begun {
			t.Errorf("%s: it begins with %q and goes on with %q", role, begun, text(binding.Heard))
		}
		for _, state := range []string{binding.Taken, binding.Answered, binding.Over, binding.Canceled} {
			if got := text(state); strings.Contains(got, "plug it in again") {
				t.Errorf("%s: %s says %q", role, state, got)
			}
		}
	}
}
