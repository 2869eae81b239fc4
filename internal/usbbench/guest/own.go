package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
	"tilld/internal/usbbench/gadget"
	"tilld/printer/escpos/emulator"
)

// own is the vendor's own class alone, for who looks for a fault: a shop whose box is the program that has libusb.
func (b *bench) own() {
	if c := b.furnished(1); c != nil {
		defer c.close()
		c.ownClass()
		c.audit()
	}
}

// claimed says whether a program has the only interface of a controller's device. It looks in sysfs: the kernel tells nobody
// of a claim (claimintf in its drivers/usb/core/devio.c), only of the driver that had to let go for it.
func claimed(controller int) error {
	s, err := discover.Scan(os.DirFS("/"), discover.Access)
	if err != nil {
		return err
	}
	for _, d := range s.Devices {
		if d.Port == at(controller) && len(d.Interfaces) == 1 && d.Interfaces[0].Driver == "usbfs" {
			return nil
		}
	}
	return fmt.Errorf("nobody has claimed %s: %+v", at(controller), s.Devices)
}

// ownClass has the box use a printer of its maker's own class, which no driver of the kernel knows, as lane 1's: it sells,
// reads its status, and is told of a pulled cable.
func (c *counter) ownClass() {
	const controller = 5
	var d *desk
	c.check("tilld with a printer of its maker's own class", func() (string, error) {
		g, err := gadget.New(gadget.Device{Name: "own", Vendor: 0x1a2b, Product: 0x0002, Maker: "Bench", Model: "Own Printer"})
		if err != nil {
			return "", err
		}
		bulk, err := g.Bulk(gadget.Vendor, nil)
		if err != nil {
			return "", err
		}
		own := newDesk(g, bulk, controller)
		if _, err := c.plug(g, controller, ""); err != nil {
			return "", err
		}
		if err := c.driver(controller, 0, ""); err != nil { // its interfaces come a moment behind it
			return "", err
		}
		if i := c.now(controller).Interfaces; len(i) != 1 || len(i[0].Nodes) != 0 {
			return "", fmt.Errorf("the kernel has made of it %+v", i)
		}
		if err := c.end(); err != nil {
			return "", err
		}
		if err := c.begin("tilld-libusb", named(ofOwnClass)); err != nil {
			return "", err
		}
		if _, err := c.serves(printerOf(0), 0); err != nil {
			return "", err
		}
		if err := claimed(controller); err != nil {
			return "", err
		}
		d = own
		return "open, by no driver of the kernel's", nil
	})
	if d == nil {
		return
	}
	c.check("sale by a shown code, a maker's own class", func() (string, error) { return c.shown("1", d) })
	c.check("its status is read", func() (string, error) {
		var told []string
		for name, f := range map[string]emulator.Fault{"paper": emulator.PaperEnd, "cover": emulator.CoverOpen} {
			d.dev.Fail(f)
			j, err := c.long("1", "own-"+name, 2)
			if err != nil {
				return "", err
			}
			j, err = c.job(j.ID, "blocked by its "+name, func(j client.PrintJob) bool { return j.Blocked != nil && j.Blocked.Why == name })
			if err != nil {
				return "", err
			}
			if n, err := d.seen(j.Reference); err != nil || n != 0 {
				return "", fmt.Errorf("%s: %d lines came out all the same, %w", name, n, err)
			}
			d.dev.Mend()
			if j, err = c.printed(j.ID); err != nil {
				return "", err
			}
			if n, err := d.seen(j.Reference); err != nil || n != 2 {
				return "", fmt.Errorf("%s: %d of 2 lines came out, %w", name, n, err)
			}
			told = append(told, name)
		}
		slices.Sort(told)
		return fmt.Sprintf("%v held a job each until it was mended, then it came once", told), nil
	})
	c.check("a printer of its maker's own class leaves", func() (string, error) {
		begun := time.Now()
		if err := c.pull(d.Gadget, controller); err != nil {
			return "", err
		}
		x, err := c.stands(printerOf(0), "away", func(d client.Device) bool { return !here(d) })
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("the box says %s %s behind the pull", x.State, ms(time.Since(begun))), nil
	})
}
