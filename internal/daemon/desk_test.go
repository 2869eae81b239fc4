package daemon_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tilld/devices/discover"
	"tilld/devices/discover/discovertest"
	"tilld/devices/porttest"
	"tilld/internal/daemon"
	"tilld/internal/localapi/client"
)

// desk is a machine into which a test plugs USB devices: a sysfs of its own, its kernel's messages, and a pseudo-terminal
// behind each node.
type desk struct {
	t    *testing.T
	tree *discovertest.Tree

	played sync.WaitGroup

	mu    sync.Mutex
	news  []chan discover.Uevent
	lines map[string]*os.File // the daemon's end, by node
	far   map[string]*os.File // the device's end, by place
	nodes map[string][]string // by place
}

func newDesk(t *testing.T) *desk {
	d := &desk{
		t: t, tree: discovertest.New("0000:00:14.0"), lines: map[string]*os.File{}, far: map[string]*os.File{}, nodes: map[string][]string{},
	}
	t.Cleanup(func() {
		for place := range d.far {
			d.hangUp(place)
		}
		d.played.Wait()
	})
	return d
}

// box is a box at the desk.
func (d *desk) box(lane, extra string) *box {
	d.t.Helper()
	b := newBox(d.t, freePort(d.t), lane, technician()+"\n"+extra)
	b.on = func(x *daemon.Daemon) { x.Live(d.tree, d.tree.Access, d.listen, d.line, quiet) }
	return b
}

// quiet of these boxes: short, and longer than it takes to plug in two.
const quiet = 50 * time.Millisecond

// plug plugs a device in and answers its end of the first line; play, where it is not nil, is the device.
func (d *desk) plug(place string, dev discovertest.Device, play func(*os.File)) *os.File {
	d.t.Helper()
	far, tty := porttest.Line(d.t)
	d.mu.Lock()
	made := d.tree.Plug(1, place, dev)
	for _, node := range made {
		d.lines[node] = tty
	}
	d.nodes[place], d.far[place] = made, far
	d.mu.Unlock()
	if play != nil {
		d.played.Go(func() { play(far) })
	}
	d.tell("add")
	return far
}

// pull pulls the cable.
func (d *desk) pull(place string) {
	d.t.Helper()
	d.mu.Lock()
	d.tree.Pull(1, place)
	d.mu.Unlock()
	d.hangUp(place)
	d.tell("remove")
}

func (d *desk) hangUp(place string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if far := d.far[place]; far != nil {
		_ = far.Close()
		_ = d.lines[d.nodes[place][0]].Close()
	}
	delete(d.far, place)
}

// line is the file behind a node.
func (d *desk) line(node string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if tty := d.lines[node]; tty != nil {
		return tty.Name()
	}
	return ""
}

func (d *desk) tell(action string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.news {
		select {
		case c <- discover.Uevent{Action: action, Subsystem: "usb"}:
		default: // its box has ended
		}
	}
}

// listen opens the kernel's messages.
func (d *desk) listen() (discover.Source, error) {
	k := kernel{make(chan discover.Uevent, 64), make(chan struct{}), &sync.Once{}}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.news = append(d.news, k.news)
	return k, nil
}

type kernel struct {
	news chan discover.Uevent
	end  chan struct{}
	once *sync.Once
}

func (k kernel) Next() (discover.Uevent, error) {
	select {
	case e := <-k.news:
		return e, nil
	case <-k.end:
		return discover.Uevent{}, io.EOF
	}
}

func (k kernel) Close() error { k.once.Do(func() { close(k.end) }); return nil }

// gun is a scanner that looks serial, as many are set.
func gun(serial string) discovertest.Device {
	return discovertest.Device{Vendor: 0x05e0, Product: 0x1701, Manufacturer: "Symbol", Name: "Bar Code Scanner", Serial: serial, Interfaces: []discovertest.Interface{
		{Class: discover.ClassComm, SubClass: 2, Protocol: 1, Driver: "cdc_acm", Make: "ttyACM"},
	}}
}

// binding waits until a role of lane 1, or of the lane that is named, stands like that.
func (b *box) binding(role, state string, lane ...string) (out client.Binding) {
	b.t.Helper()
	want := append(lane, "1")[0]
	b.until("the "+role+" of lane "+want+" is "+state, func() error {
		all, err := b.client("").Bindings(b.t.Context())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(x client.Binding) bool { return x.Lane == want && x.Role == role })
		if i < 0 {
			return errors.New("there is none")
		}
		if out = all[i]; out.State != state {
			return fmt.Errorf("%+v", out)
		}
		return nil
	})
	return out
}

// ready waits until a device works.
func (b *box) ready(id string) (out client.Device) {
	b.t.Helper()
	b.until(id+" works", func() error {
		all, err := b.client("").Devices(b.t.Context())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(x client.Device) bool { return x.ID == id })
		if i < 0 {
			return errors.New("there is none")
		}
		if out = all[i]; out.State != "ready" {
			return fmt.Errorf("%+v %+v", out, out.LastError)
		}
		return nil
	})
	return out
}

// reads scans a code and waits for its event.
func (b *box) reads(far io.Writer, lane, code string) {
	b.t.Helper()
	if _, err := io.WriteString(far, code+"\r"); err != nil {
		b.t.Fatal(err)
	}
	b.until(code+" is a reading of lane "+lane, func() error {
		page, err := b.client("").Events(b.t.Context(), 0, 0, 1000)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			if e.Type == "scan" && strings.Contains(string(e.Data), code) {
				if e.Lane != lane {
					b.t.Fatalf("%s is a reading of lane %s", code, e.Lane)
				}
				return nil
			}
		}
		return errors.New("it is none")
	})
}
