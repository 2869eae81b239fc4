package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tilld/devices/binding"
	"tilld/devices/discover"
	"tilld/devices/fileport"
	"tilld/devices/usbport"
	"tilld/internal/usbbench/gadget"
)

// combined: a printer and a keyboard in one device; taking the one leaves the other to the kernel.
func (b *bench) combined() {
	b.check("printer and keyboard in one device", func() (string, error) {
		g, paper, err := printer("combo", "EPSON", "TM-combo", "C1", 0x04b8, 0x0e15)
		if err != nil {
			return "", err
		}
		if _, err := g.HID(8, keyboard, true); err != nil {
			return "", err
		}
		if _, err := b.plug(g, 4, discover.Input); err != nil {
			return "", err
		}
		if err := errors.Join(b.driver(4, 0, "usblp"), b.driver(4, 1, "usbhid")); err != nil {
			return "", err
		}
		p, err := usbport.Open(context.Background(), b.now(4), usbport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		if err := errors.Join(b.driver(4, 0, "usbfs"), b.driver(4, 1, "usbhid")); err != nil {
			return "", err
		}
		if _, err := p.Write([]byte("one")); err != nil {
			return "", err
		}
		if err := arrives(paper, []byte("one")); err != nil {
			return "", err
		}
		if err := p.Close(); err != nil {
			return "", err
		}
		if err := errors.Join(b.driver(4, 0, "usblp"), b.driver(4, 1, "usbhid")); err != nil {
			return "", err
		}
		return "the keyboard stayed the kernel's all the time", b.pull(g, 4)
	})
}

// vendor: a device of a class of its own, which only libusb can reach. It answers a request for its status, and says
// everything else again.
func (b *bench) vendor() {
	b.check("device of a vendor's own class", func() (string, error) {
		g, err := gadget.New(gadget.Device{Name: "vendor", Vendor: 0x1a2b, Product: 0x0001, Maker: "Bench", Model: "Display"})
		if err != nil {
			return "", err
		}
		ask, fine := []byte{0x10, 0x04, 0x01}, []byte{0x16} // as ESC/POS asks; no pattern holds these bytes
		far, err := g.Bulk(gadget.Vendor, func(p []byte) []byte {
			if bytes.Equal(p, ask) {
				return fine
			}
			return append([]byte(nil), p...)
		})
		if err != nil {
			return "", err
		}
		if _, err := b.plug(g, 5, ""); err != nil {
			return "", err
		}
		if err := b.driver(5, 0, ""); err != nil { // its interfaces come a moment behind it
			return "", err
		}
		p, err := usbport.Open(context.Background(), b.now(5), usbport.Options{})
		if err != nil {
			return "", err
		}
		defer p.Close()
		if _, err := p.Write(ask); err != nil {
			return "", err
		}
		if status, err := collect(p, len(fine), 64); err != nil || !bytes.Equal(status, fine) {
			return "", fmt.Errorf("asked for its status, it says % x, %w", status, err)
		}
		far.Clear()
		all := pattern(40_000)
		sent := make(chan error, 1)
		go func() { _, err := p.Write(all); sent <- err }()
		got, err := collect(p, len(all), 1000)
		if err := errors.Join(err, <-sent); err != nil {
			return "", err
		}
		if string(got) != string(all) || len(far.Got()) != len(all) {
			return "", errors.New("the echo is not what was said")
		}
		after, err := ends(p, g.Pull)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("status asked and answered; %d bytes there and back; the pull ends a read after %s", len(all), ms(after)), b.isGone(5)
	})
}

// twins: two of one model without serial numbers, each bound to a lane by its port. However they appear, what lane 1
// prints comes out of lane 1's.
func (b *bench) twins() {
	var gs [2]*gadget.Gadget
	var papers [2]*gadget.Bulk
	var f binding.File
	f.Version = binding.Version
	key := func(i int) binding.Key {
		return binding.Key{Lane: fmt.Sprint(i + 1), Role: binding.ReceiptPrinter}
	}
	where := [2]int{6, 7}
	b.check("twins without serial numbers", func() (string, error) {
		for i := range gs {
			var err error
			if gs[i], papers[i], err = b.twin(i); err != nil {
				return "", err
			}
			d, err := b.plug(gs[i], where[i], discover.LP)
			if err != nil {
				return "", err
			}
			f.Bind(key(i), binding.Of(d.Device), b.units(), binding.Evidence, "")
		}
		return "two bound", b.right(&f, papers)
	})
	if papers[1] == nil {
		return
	}
	if setting("record", "") != "" {
		b.record()
	}
	b.check("twins in every order", func() (string, error) {
		swaps, done := 0, 0
		for mine := b.share(8, 0); done < b.shuffles && (done == 0 || !mine.over()); done++ {
			order := []int{0, 1}
			rand.Shuffle(2, func(i, j int) { order[i], order[j] = order[j], order[i] })
			for i := range gs {
				if err := b.pull(gs[i], where[i]); err != nil {
					return "", err
				}
			}
			for _, i := range order {
				if _, err := b.plug(gs[i], where[i], discover.LP); err != nil {
					return "", err
				}
			}
			if n, _ := b.now(where[0]).Node(discover.LP); strings.HasSuffix(n.Path, "1") {
				swaps++
			}
			if err := b.right(&f, papers); err != nil {
				return "", fmt.Errorf("order %v: %w", order, err)
			}
		}
		b.leftOut("orders of the twins", done, b.shuffles)
		return fmt.Sprintf("%d times, /dev/usb/lp0 was lane 2's in %d of them; nothing came out of the wrong one", done, swaps), nil
	})
	b.check("a twin's cable in another port", func() (string, error) {
		if err := b.pull(gs[0], where[0]); err != nil {
			return "", err
		}
		if _, err := b.plug(gs[0], 8, discover.LP); err != nil {
			return "", err
		}
		rs := binding.Resolve(f.Bindings, b.units())
		if rs[0].State != binding.Unsure || rs[1].State != binding.Found {
			return "", fmt.Errorf("lane 1 is %s, lane 2 is %s", rs[0].State, rs[1].State)
		}
		f.Bind(key(0), rs[0].Candidates[0], b.units(), binding.Person, "")
		if err := b.right(&f, papers); err != nil {
			return "", err
		}
		return "refused until a person said which, then right: " + rs[0].Why, nil
	})
	for i, c := range []int{8, where[1]} {
		b.say("twin leaves", "told", b.pull(gs[i], c))
	}
}

// moved: one with a serial number is followed wherever it goes.
func (b *bench) moved() {
	b.check("a serial number moves", func() (string, error) {
		g, paper, err := printer("mover", "EPSON", "TM-m30III", "M30", 0x04b8, 0x0e2a)
		if err != nil {
			return "", err
		}
		f := binding.File{Version: binding.Version}
		d, err := b.plug(g, 6, discover.LP)
		if err != nil {
			return "", err
		}
		f.Bind(binding.Key{Lane: "1", Role: binding.ReceiptPrinter}, binding.Of(d.Device), b.units(), binding.Alone, "")
		if err := b.pull(g, 6); err != nil {
			return "", err
		}
		if r := binding.Resolve(f.Bindings, b.units())[0]; r.State != binding.Absent {
			return "", fmt.Errorf("pulled, it is %s", r.State)
		}
		if _, err := b.plug(g, 7, discover.LP); err != nil {
			return "", err
		}
		r := binding.Resolve(f.Bindings, b.units())[0]
		if r.State != binding.Moved || !f.Follow(r) {
			return "", fmt.Errorf("at another port it is %s", r.State)
		}
		if err := b.prints(&f, 0, paper); err != nil {
			return "", err
		}
		return r.Why, b.pull(g, 7)
	})
}

// units is what is plugged in, as bindings know it.
func (b *bench) units() []binding.Unit {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []binding.Unit
	for _, d := range b.have {
		out = append(out, binding.Of(d))
	}
	return out
}

// right prints the name of each lane on its printer and looks at every paper.
func (b *bench) right(f *binding.File, papers [2]*gadget.Bulk) error {
	for _, p := range papers {
		p.Clear()
	}
	for i := range papers {
		if err := b.prints(f, i, papers[i]); err != nil {
			return err
		}
	}
	return nil
}

// prints prints on what the i-th binding means now; the words must come out of paper and be all that does.
func (b *bench) prints(f *binding.File, i int, paper *gadget.Bulk) error {
	r := binding.Resolve(f.Bindings, b.units())[i]
	if !r.Usable() {
		return fmt.Errorf("the %s is %s: %s", r.Binding.Key(), r.State, r.Why)
	}
	b.mu.Lock()
	var node string
	for _, d := range b.have {
		if binding.Of(d) == r.Unit {
			n, _ := d.Node(discover.LP)
			node = n.Path
		}
	}
	b.mu.Unlock()
	p, err := fileport.Open(context.Background(), node, fileport.Printer, fileport.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	words := []byte("lane " + r.Binding.Lane)
	if _, err := p.Write(words); err != nil {
		return err
	}
	return arrives(paper, words)
}

// plugsOf measures how long it takes from the kernel's first message until the watcher has told of a node that may be opened,
// beside a loop that does nothing but open that node and close it. With tilld there is no such loop: it would keep tilld out.
func (b *bench) plugsOf() {
	b.check("plugs", func() (string, error) {
		g, _, err := printer("plugs", "EPSON", "TM-T20III", "P1", 0x04b8, 0x0e28)
		if err != nil {
			return "", err
		}
		var ready, behind, opened []time.Duration
		done := 0
		for mine := b.share(8, 0); done < b.plugs && (done == 0 || !mine.over()); done++ {
			bare := make(chan time.Time, 1)
			go func() { // as soon as anybody could
				for ; ; time.Sleep(time.Millisecond) {
					if fd, err := unix.Open("/dev/usb/lp0", unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
						at := time.Now()
						_ = unix.Close(fd)
						bare <- at
						return
					}
				}
			}()
			d, err := b.plug(g, 0, discover.LP)
			if err != nil {
				return "", err
			}
			told := d.arrived.At.Add(d.ready)
			free := <-bare // it has closed it again: usblp is open to one at a time
			begun := time.Now()
			p, err := fileport.Open(context.Background(), d.node.Path, fileport.Printer, fileport.Options{})
			if err != nil {
				return "", err
			}
			opened = append(opened, time.Since(begun))
			ready, behind = append(ready, d.ready), append(behind, told.Sub(free))
			_ = p.Close()
			if err := b.pull(g, 0); err != nil {
				return "", err
			}
		}
		b.leftOut("plugs", done, b.plugs)
		return fmt.Sprintf("%d: first message to ready %s; behind a loop on open %s; opening %s", done, spread(ready), spread(behind), spread(opened)), nil
	})
}

func spread(d []time.Duration) string {
	slices.Sort(d)
	return fmt.Sprintf("median %s worst %s", ms(d[len(d)/2]), ms(d[len(d)-1]))
}
