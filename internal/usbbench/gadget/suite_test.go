//go:build usbbench

package gadget_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/porttest"
	"tilld/devices/serialport"
	"tilld/internal/usbbench/gadget"
)

// These run in the bench's machine alone, beside a kernel that has dummy_hcd, while nothing else is plugged in.

// late is how long a node may take to come or go before that counts as a fault.
const late = 30 * time.Second

// cable is a device that can be plugged in, and whether it is.
type cable struct {
	g          *gadget.Gadget
	controller int
	used       bool
	far        func() (io.ReadWriteCloser, error) // opens the device's end
	behind     bool                               // once it is plugged in: before, there is none
}

// cables are n devices of a kind. Two where a line can stall: a case opens two at once then.
func cables(t *testing.T, name string, n int, end func(*gadget.Gadget) (func() (io.ReadWriteCloser, error), error)) []*cable {
	t.Helper()
	var out []*cable
	for i := range n {
		g, err := gadget.New(gadget.Device{Name: fmt.Sprintf("%s%d", name, i), Vendor: 0x1a2b, Product: 0x0010 + uint16(i), Maker: "Bench", Model: "Suite"})
		if err != nil {
			t.Fatal(err)
		}
		far, err := end(g)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &cable{g: g, controller: 7 + i, far: far})
	}
	return out
}

// free unmakes them once all is over: the kernel has few of their kind, and the bench wants some behind this.
func free(t *testing.T, all []*cable) {
	t.Cleanup(func() {
		for _, c := range all {
			if err := c.g.Remove(); err != nil {
				t.Error(err)
			}
		}
	})
}

// plug plugs in the first that is not, and waits for its node.
func plug(t *testing.T, all []*cable, kind string) (node string, far io.ReadWriteCloser) {
	t.Helper()
	for _, c := range all {
		if c.used {
			continue
		}
		node := c.node(t, "")
		if node != "" {
			t.Fatalf("%s is there before it was plugged in", node)
		}
		var end io.ReadWriteCloser
		var err error
		if !c.behind {
			end, err = c.far()
		}
		if err == nil {
			err = c.g.Plug(fmt.Sprintf("dummy_udc.%d", c.controller))
		}
		if err == nil && c.behind {
			end, err = c.far()
		}
		if err != nil {
			t.Fatal(err)
		}
		c.used = true
		f := &pulled{ReadWriteCloser: end, c: c, t: t}
		t.Cleanup(func() { _ = f.Close() })
		for since := time.Now(); node == ""; time.Sleep(2 * time.Millisecond) {
			if node = c.node(t, kind); time.Since(since) > late {
				t.Fatalf("no %s of %s after %v", kind, c.g.Name, late)
			}
		}
		return node, f
	}
	t.Fatal("all cables are plugged in")
	return "", nil
}

// node is the file of a kind that the kernel has made of what is plugged in, "" for none; of no kind the device itself.
func (c *cable) node(t *testing.T, kind string) string {
	s, err := discover.Scan(os.DirFS("/"), discover.Access)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Devices {
		if d.Port != fmt.Sprintf("dummy_hcd.%d/usb2/1", c.controller) {
			continue
		}
		if kind == "" {
			return d.Port
		}
		if n, ok := d.Node(kind); ok && n.Trouble == "" {
			return n.Path
		}
	}
	return ""
}

// pulled is the device's end. Closing it pulls the cable and waits until the kernel has seen that.
type pulled struct {
	io.ReadWriteCloser
	c    *cable
	t    *testing.T
	once sync.Once
}

// Close pulls the cable.
func (p *pulled) Close() error {
	p.once.Do(func() {
		_ = p.ReadWriteCloser.Close()
		if err := p.c.g.Pull(); err != nil {
			p.t.Error(err)
		}
		for since := time.Now(); p.c.node(p.t, "") != ""; time.Sleep(2 * time.Millisecond) {
			if time.Since(since) > late {
				p.t.Errorf("%s is still there %v after the pull", p.c.g.Name, late)
				break
			}
		}
		p.c.used = false
	})
	return nil
}

// suite runs the suite over lines that are opened by their node, again too.
func suite(t *testing.T, all []*cable, kind string, open func(node string) (devices.Port, error), stallBytes int) {
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		node, far := plug(t, all, kind)
		var again func() (porttest.Pair, error)
		again = func() (porttest.Pair, error) {
			p, err := open(node)
			if err != nil {
				return porttest.Pair{}, err
			}
			t.Cleanup(func() { _ = p.Close() })
			return porttest.Pair{Port: p, Far: far, Again: again}, nil
		}
		p, err := again()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}, stallBytes)
}

// The kernel's usblp. A transfer that it was given stays with it: the count that left in a stall is its own.
func TestSuiteOfPrinters(t *testing.T) {
	all := cables(t, "lp", 2, func(g *gadget.Gadget) (func() (io.ReadWriteCloser, error), error) {
		bulk, err := g.Bulk(gadget.Printer, nil)
		return func() (io.ReadWriteCloser, error) { return newSlow(bulk), nil }, err
	})
	suite(t, all, discover.LP, func(node string) (devices.Port, error) {
		return fileport.Open(t.Context(), node, fileport.Printer, fileport.Options{WriteLimit: time.Second})
	}, 64<<10)
}

// The kernel's cdc-acm, whose far end is a line of the kernel too: both have buffers.
func TestSuiteOfSerialLines(t *testing.T) {
	all := cables(t, "tty", 2, func(g *gadget.Gadget) (func() (io.ReadWriteCloser, error), error) {
		file, err := g.ACM()
		return func() (io.ReadWriteCloser, error) {
			if err := forgetInput(file); err != nil {
				return nil, err
			}
			return serialport.Open(t.Context(), file, serialport.Options{Baud: 115200})
		}, err
	})
	free(t, all)
	suite(t, all, discover.TTY, func(node string) (devices.Port, error) {
		return serialport.Open(t.Context(), node, serialport.Options{Baud: 115200, WriteLimit: time.Second})
	}, 1<<20)
}

// forgetInput drops what the kernel has kept at a device's end from the host that it was with before: unlike every other line's,
// that of a gadget keeps it over a close.
func forgetInput(file string) error {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	return errors.Join(unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH), unix.Close(fd))
}

// The kernel's hidraw: a line of reports, which carry the suite's bytes. It cannot stall in the suite's words: the kernel
// itself waits 5 s for a device to take a report, whatever the node is told, and calls that an error.
func TestSuiteOfReports(t *testing.T) {
	all := cables(t, "hid", 1, func(g *gadget.Gadget) (func() (io.ReadWriteCloser, error), error) {
		file, err := g.HID(reportLength, reportsBothWays, false)
		return func() (io.ReadWriteCloser, error) {
			f, err := os.OpenFile(file, os.O_RDWR|nonblock, 0)
			return &packed{line: f}, err
		}, err
	})
	free(t, all)
	for _, c := range all {
		c.behind = true
	}
	suite(t, all, discover.HIDRaw, func(node string) (devices.Port, error) {
		p, err := fileport.Open(t.Context(), node, fileport.HID, fileport.Options{})
		if err != nil {
			return nil, err
		}
		return &packed{line: p, number: []byte{0}}, nil
	}, 0)
}
