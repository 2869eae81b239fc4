package daemon

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/models"
)

// What could be the device that a question is about, and is left alone all the same, is told with who uses it and what to do; of
// what nobody uses, and of what cannot be the one, nothing is told.
func TestWhatIsLeftAloneIsTold(t *testing.T) {
	catalog, err := loadModels("")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	// Numbers that no process has: the kernel gives none above 4194304.
	holds := func(process, program, node string) {
		files["proc/"+process+"/comm"] = &fstest.MapFile{Data: []byte(program + "\n")}
		files["proc/"+process+"/fd/3"] = &fstest.MapFile{Data: []byte(node), Mode: fs.ModeSymlink | 0o777}
	}
	holds("5000077", "minicom", "/dev/ttyACM1")
	holds("5000078", "Xorg", "/dev/input/event0")
	holds("5000079", "Xorg", "/dev/input/event1")
	device := func(port string, vendor, product uint16, i discover.Interface) discover.Device {
		return discover.Device{Port: port, Vendor: vendor, Product: product, Name: "X", Interfaces: []discover.Interface{i}}
	}
	node := func(kind, path string) discover.Interface {
		return discover.Interface{Nodes: []discover.Node{{Kind: kind, Path: path}}}
	}
	keys := node(discover.Input, "/dev/input/event0")
	keys.SubClass, keys.Protocol, keys.Class = 1, 1, discover.ClassHID
	mouse := node(discover.Input, "/dev/input/event1")
	mouse.SubClass, mouse.Protocol, mouse.Class = 1, 2, discover.ClassHID
	gun := func(port, path string) discover.Device { return device(port, 0x05e0, 0x1701, node(discover.TTY, path)) }
	there := map[string]discover.Device{
		"free":    gun("1", "/dev/ttyACM0"),
		"held":    gun("2", "/dev/ttyACM1"),
		"named":   gun("3", "/dev/ttyACM2"),
		"lane 3":  gun("4", "/dev/ttyACM3"),
		"pole":    device("5", 0x0403, 0x6001, node(discover.TTY, "/dev/ttyUSB0")),
		"adapter": device("6", 0x0403, 0x6001, node(discover.TTY, "/dev/ttyUSB1")),
		"keys":    device("7", 0x046d, 0xc31c, keys),
		"mouse":   device("8", 0x046d, 0xc077, mouse),
		"printer": device("9", 0x04b8, 0x0e15, discover.Interface{Class: discover.ClassPrinter, Nodes: []discover.Node{{Kind: discover.LP, Path: "/dev/usb/lp0"}}}),
	}
	bound := func(lane, role, name string) binding.Result {
		return binding.Result{Binding: binding.Binding{Lane: lane, Role: role}, State: binding.Found, Unit: binding.Of(there[name])}
	}
	v := seen{results: []binding.Result{bound("3", binding.Scanner, "lane 3"), bound("1", binding.CustomerDisplay, "pole")}}
	for _, d := range there {
		v.devices = append(v.devices, d)
	}
	c := Config{Lanes: map[string]Lane{"2": {Scanner: &Device{Port: Port{Serial: "/dev/ttyACM2"}}}}}
	for _, x := range []struct {
		device, driver string
		blind, fresh   bool
		may            bool
		why, do        string
	}{
		{device: "free", may: true},
		{device: "free", blind: true, may: true},
		{device: "held", why: "/dev/ttyACM1 is open in minicom (process 5000077)", do: "If it is the one, stop that program, or take 05e0:1701 out of its settings."},
		{device: "named", why: "the settings name it as the scanner of lane 2", do: "If it is the one, take its port out of the settings there, and start the daemon again."},
		{device: "lane 3"},
		{device: "pole", why: "it is the customer-display of lane 1", do: "If it is the one, take it from there first: tillctl bind 1 customer-display --none."},
		{device: "adapter", may: true},
		{device: "adapter", blind: true}, // a fiscal printer's perhaps, whose program cannot be seen
		{device: "adapter", blind: true, fresh: true, may: true},
		{device: "keys", why: "/dev/input/event0 is open in Xorg (process 5000078)", do: "If it is the one, name it: tillctl bind 1 scanner port:7."},
		{device: "mouse"},
		{device: "printer"},
		{device: "free", driver: "hidpos", why: "it has no line for the driver hidpos that the settings name", do: "If it is the one, leave the driver out of the settings there, and start the daemon again."},
	} {
		b := &binder{machine: machine{files: files}, catalog: catalog, blind: x.blind, fixed: c.nodes, paths: c.paths(), roles: c.roles()}
		s := &slot{key: binding.Key{Lane: "1", Role: binding.Scanner}, kind: models.Scanner, dev: Device{Driver: x.driver}}
		got := b.mayAnswer(s, there[x.device], v, x.fresh)
		why, do := "", ""
		if got.alone != nil {
			why, do = got.alone.Text, got.alone.Do
		}
		t.Logf("%s: may answer %v, %q %q", x.device, got.may, why, do)
		if got.may != x.may || why != x.why || do != x.do {
			t.Errorf("%+v: may answer %v, %q %q", x, got.may, why, do)
		}
	}
}

// What was left alone is not said any more once it may answer, or cannot be the one.
func TestWhatIsLeftAloneNoMoreIsForgotten(t *testing.T) {
	d := discover.Device{Port: "1", Vendor: 0x05e0, Product: 0x1701, Name: "Gun"}
	s := &slot{key: binding.Key{Lane: "1", Role: binding.Scanner}, kind: models.Scanner}
	b := &binder{asked: &asked{s: s, q: binding.Question{Key: binding.Key{Lane: "1", Role: binding.Scanner}, State: binding.Asking}, fresh: map[string]bool{}, unheard: map[string]unheard{}}}
	said := func() int { return len(b.question(s, seen{devices: []discover.Device{d}}).Unheard) }
	b.leftAlone(b.asked, d, candidate{alone: leave("the settings name it as the scanner of lane 2", "take it out")})
	if n := said(); n != 1 {
		t.Errorf("%d are told while it is left alone", n)
	}
	b.leftAlone(b.asked, d, candidate{})
	if n := said(); n != 0 {
		t.Errorf("%d are told of what is the role's own by now", n)
	}
}
