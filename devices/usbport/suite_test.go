//go:build cgo && libusb && usbbench

package usbport

import (
	"context"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"tilld/devices/discover"
	"tilld/devices/porttest"
	"tilld/internal/usbbench/gadget"
)

// far is the device's end of the cable. Closing it is pulling it.
type far struct {
	g    *gadget.Gadget
	bulk *gadget.Bulk
	read int
	once sync.Once
	gone chan struct{}
}

func (f *far) Read(b []byte) (int, error) {
	for {
		if got := f.bulk.Got(); len(got) > f.read {
			n := copy(b, got[f.read:])
			f.read += n
			return n, nil
		}
		select {
		case <-f.gone:
			return 0, io.EOF
		case <-time.After(time.Millisecond):
		}
	}
}

func (f *far) Write(b []byte) (int, error) { f.bulk.Send(b); return len(b), nil }

func (f *far) Close() error {
	f.once.Do(func() { close(f.gone); _ = f.g.Pull() })
	return nil
}

// TestSuite runs in the bench's machine, beside a kernel that has dummy_hcd.
func TestSuite(t *testing.T) {
	const controller, port = "dummy_udc.8", "dummy_hcd.8/usb2/1"
	g, err := gadget.New(gadget.Device{Name: "suite", Vendor: 0x1a2b, Product: 0x0009, Maker: "Bench", Model: "Suite"})
	if err != nil {
		t.Fatal(err)
	}
	bulk, err := g.Bulk(gadget.Vendor, nil)
	if err != nil {
		t.Fatal(err)
	}
	find := func() (discover.Device, bool) {
		s, err := discover.Scan(os.DirFS("/"), discover.Access)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Find(s.Devices, "port:"+port)
		return d, err == nil
	}
	until := func(there bool) discover.Device {
		for since := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			if d, ok := find(); ok == there {
				return d
			}
			if time.Since(since) > 30*time.Second {
				t.Fatalf("there: %v, and not after 30 s", there)
			}
		}
	}
	porttest.Run(t, func(t *testing.T) porttest.Pair {
		if _, ok := find(); ok { // whatever was under way goes with the plug
			_ = g.Pull()
			until(false)
		}
		bulk.Hold(false)
		bulk.Reset()
		if err := g.Plug(controller); err != nil {
			t.Fatal(err)
		}
		until(true)
		f := &far{g: g, bulk: bulk, gone: make(chan struct{})}
		t.Cleanup(func() { _ = f.Close() }) // behind the port
		var again func() (porttest.Pair, error)
		again = func() (porttest.Pair, error) {
			for since := time.Now(); ; time.Sleep(5 * time.Millisecond) {
				d, _ := find() // anew: its interfaces may come a moment later
				p, err := Open(context.Background(), d, Options{WriteLimit: time.Second})
				if err == nil {
					t.Cleanup(func() { _ = p.Close() })
					return porttest.Pair{Port: p, Far: f, Again: again}, nil
				}
				if time.Since(since) > time.Minute {
					return porttest.Pair{}, err
				}
			}
		}
		p, err := again()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}, 0)
}
