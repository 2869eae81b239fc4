package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tilld/devices/discover"
)

// narrow is how many letters a line of the first printer has as its product says: the settings say nothing.
const narrow = 42

// oneOfEach plugs one printer, one scanner and one display into a box whose settings name no device, and sells. What a
// technician is told there is printed where that is wanted.
func (c *counter) oneOfEach(tell bool) {
	var d *desk
	var h *hand
	var p *pole
	c.check("one of each, and the settings name none", func() (string, error) {
		var err error
		if d, err = c.desk(0); err != nil {
			return "", err
		}
		if h, err = c.hand(posReports); err != nil {
			return "", err
		}
		one, err := newPole(8)
		if err != nil {
			return "", err
		}
		if _, err := c.plug(d.Gadget, d.controller, discover.LP); err != nil {
			return "", err
		}
		if _, err := c.plug(h.Gadget, h.controller, h.node); err != nil {
			return "", err
		}
		if err := one.come(c.bench); err != nil {
			return "", err
		}
		begun := time.Now()
		for _, id := range []string{printerOf(0), "scanner-1", "customer-display-1"} {
			if _, err := c.serves(id, 0); err != nil {
				return "", err
			}
		}
		took := time.Since(begun)
		all, err := c.api.Bindings(context.Background())
		if err != nil {
			return "", err
		}
		var how []string
		for _, b := range all {
			if b.State != "found" || b.How != "alone" || b.Unit == nil {
				return "", fmt.Errorf("%+v", b)
			}
			how = append(how, b.Role+" "+b.Unit.Name)
		}
		if len(how) != 3 {
			return "", fmt.Errorf("bound are %q", how)
		}
		p = one
		return fmt.Sprintf("%s; open %s behind the last plug", strings.Join(how, ", "), ms(took)), nil
	})
	if p == nil {
		return
	}
	d.columns = narrow
	c.check("sale by a shown code, nothing named", func() (string, error) { return c.shown("1", d) })
	c.check("sale by a scanned code, nothing named", func() (string, error) { return c.scanned("1", h, d) })
	c.check("the display shows what was paid", func() (string, error) {
		amount := saleOf(c.sales)
		err := eventually(func() error {
			if rows := p.glass.Rows(); !strings.Contains(strings.Join(rows, " "), fmt.Sprintf("%d.%02d", amount/100, amount%100)) {
				return fmt.Errorf("it reads %q after a sale of %d kopecks", rows, amount)
			}
			return nil
		})
		return fmt.Sprintf("%d bytes have come, and it reads %q", p.glass.Bytes(), p.glass.Rows()), err
	})
	d.columns = 48
	if tell {
		c.technician(d, h, p)
	}
	c.say("the display leaves", "told", p.leave(c.bench))
	c.say("printer and scanner leave", "told", c.leave(0))
}
