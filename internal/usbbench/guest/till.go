package main

import (
	"fmt"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

// till runs the box itself with these devices, and the rest of a shop around it: lane 1 with the receipt printer and the
// HID POS scanner alone, or everything.
func (b *bench) till(full bool) {
	c := &counter{bench: b}
	b.check("tilld, integrator and bank start", func() (fact string, err error) {
		begun := time.Now()
		if c.shop, err = open("tilld", alone); err != nil {
			return "", err
		}
		return "ready after " + ms(time.Since(begun)), nil
	})
	if c.shop == nil {
		return
	}
	defer c.close()
	c.oneOfEach(full)
	b.check("the settings name all devices", func() (string, error) { return "ready", c.restart(false) })
	lanes := 1
	if full {
		lanes = 3
	}
	b.check("tilld finds its printers and scanners", func() (string, error) { return c.furnish(lanes) })
	if b.desks[lanes-1] == nil || b.hands[kindOf(lanes-1)] == nil {
		return
	}
	b.check("sale by a shown code, usblp", func() (string, error) { return c.shown("1", b.desks[0]) })
	for i := range lanes {
		kind := kindOf(i)
		b.check("sale by a scanned code, "+kind, func() (string, error) { return c.scanned(laneOf(i), b.hands[kind], b.desks[i]) })
	}
	if full {
		c.tells()
		c.pulledInJob("usblp")
		c.orders()
		c.moves()
		c.exchanged()
	}
	part := 1
	if full {
		part = 3 // the rest is for the codes behind it
	}
	c.opens(b.readies, part)
	if full {
		c.codes(b.scans)
		c.byLibusb()
	}
	c.audit()
	for i := range lanes {
		b.say("devices of lane "+laneOf(i)+" leave", "told", c.leave(i))
	}
}

func laneOf(i int) string    { return fmt.Sprint(i + 1) }
func kindOf(i int) string    { return [...]string{posReports, keyboardScanner, serialScanner}[i] }
func printerOf(i int) string { return "printer-" + [...]string{"front", "left", "right"}[i] }

// furnished is a shop whose settings name all devices, with what its first lanes have plugged in; nil where that was lost.
func (b *bench) furnished(lanes int) *counter {
	c := &counter{bench: b}
	done := false
	b.check("all devices", func() (fact string, err error) {
		if c.shop, err = open("tilld", named(byUsblp)); err == nil {
			fact, err = c.furnish(lanes)
		}
		done = err == nil
		return fact, err
	})
	if !done {
		if c.shop != nil {
			c.close()
		}
		return nil
	}
	return c
}

// furnish plugs in what the first lanes have.
func (c *counter) furnish(lanes int) (string, error) {
	for i := range lanes {
		if err := c.come(i); err != nil {
			return "", err
		}
	}
	return "all open", nil
}

// come plugs in what a lane has, and waits until the box has it.
func (c *counter) come(i int) error {
	d, err := c.desk(i)
	if err != nil {
		return err
	}
	h, err := c.hand(kindOf(i))
	if err != nil {
		return err
	}
	if _, err := c.plug(d.Gadget, d.controller, discover.LP); err != nil {
		return err
	}
	if _, err := c.plug(h.Gadget, h.controller, h.node); err != nil {
		return err
	}
	return c.have(i, nil)
}

// have waits until the box has opened what a lane has once more than before.
func (c *counter) have(i int, before map[string]int64) error {
	for _, id := range []string{printerOf(i), "scanner-" + laneOf(i)} {
		if _, err := c.serves(id, before[id]); err != nil {
			return err
		}
	}
	return nil
}

// leave pulls out what a lane has.
func (c *counter) leave(i int) error {
	d, h := c.desks[i], c.hands[kindOf(i)]
	if err := c.pull(d.Gadget, d.controller); err != nil {
		return err
	}
	if err := h.Pull(); err != nil {
		return err
	}
	return c.isGone(h.controller)
}

// opens plugs a printer again and again: from the kernel's first word to the moment at which the box has it open, beside
// a loop that does nothing but ask whether the node may be opened. To open it there would keep the box out: plugsOf does that.
// It has a part of the time that is left.
func (c *counter) opens(n, part int) {
	c.check("plugs with tilld", func() (string, error) {
		d := c.desks[0]
		var node, ready, behind []time.Duration
		done := 0
		for mine := c.share(part, 0); done < n && (done == 0 || !mine.over()); done++ {
			before, err := c.device(printerOf(0))
			if err != nil {
				return "", err
			}
			if err := c.pull(d.Gadget, d.controller); err != nil {
				return "", err
			}
			if _, err := c.stands(printerOf(0), "away", func(d client.Device) bool { return !here(d) }); err != nil {
				return "", err
			}
			bare := make(chan time.Time, 1)
			go func() {
				for ; ; time.Sleep(time.Millisecond) {
					if n, ok := c.now(d.controller).Node(discover.LP); ok && discover.Access(n.Path) == nil {
						bare <- time.Now()
						return
					}
				}
			}()
			p, err := c.plug(d.Gadget, d.controller, discover.LP)
			if err != nil {
				return "", err
			}
			open, err := c.serves(printerOf(0), before.Counters.Opens)
			if err != nil {
				return "", err
			}
			node = append(node, p.ready)
			ready = append(ready, open.Since.Sub(p.arrived.At.Round(0)))
			behind = append(behind, open.Since.Sub((<-bare).Round(0)))
		}
		j, err := c.long("1", "behind-the-plugs", 2)
		if err != nil {
			return "", err
		}
		if _, err := c.printed(j.ID); err != nil {
			return "", err
		}
		c.leftOut("plugs with tilld", done, n)
		return fmt.Sprintf("%d of %d: first message to usable node %s, to open by tilld %s; behind a loop on the rights to that node %s; it prints", done, n, spread(node), spread(ready), spread(behind)), nil
	})
}

// byLibusb sells once more with the receipt printer taken from usblp, by the program that has libusb.
func (c *counter) byLibusb() {
	c.check("tilld with libusb", func() (string, error) {
		if err := c.end(); err != nil {
			return "", err
		}
		if err := c.begin("tilld-libusb", named(byLibusb)); err != nil {
			return "", err
		}
		for i := range c.desks {
			if err := c.have(i, nil); err != nil {
				return "", err
			}
		}
		return "has all devices", c.driver(0, 0, "usbfs")
	})
	c.check("sale by a shown code, libusb", func() (string, error) { return c.shown("1", c.desks[0]) })
	c.check("sale by a scanned code, libusb", func() (string, error) { return c.scanned("1", c.hands[posReports], c.desks[0]) })
	c.pulledInJob("libusb")
	c.check("tilld gives the printer back", func() (string, error) {
		if err := c.end(); err != nil {
			return "", err
		}
		return "usblp has it", c.driver(0, 0, "usblp")
	})
	c.ownClass()
	c.check("the settings name the first printer again", func() (string, error) { return "ready", c.restart(false) })
}
