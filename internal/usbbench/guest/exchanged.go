package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

// asBound has the settings leave open which printers lanes 2 and 3 use: bindings.yaml says it.
var asBound = strings.NewReplacer(`{lp: "port:dummy_hcd.6/usb2/1"}`, "{bound: true}", `{lp: "port:dummy_hcd.7/usb2/1"}`, "{bound: true}")

// exchanged binds two printers of one model, with serial numbers, and exchanges their cables: both are refused, and what was
// asked for waits, until a person has said who is who. Then each lane's paper comes out of its own.
func (c *counter) exchanged() {
	var pair [2]*desk
	c.check("bound twins are exchanged", func() (string, error) {
		for i := range pair {
			g, bulk, err := printer(fmt.Sprintf("numbered%d", i), "EPSON", "TM-m30III", fmt.Sprintf("T-%d", i+1), 0x04b8, 0x0e2a)
			if err != nil {
				return "", err
			}
			pair[i] = newDesk(g, bulk, 4+i)
			if _, err := c.plug(g, pair[i].controller, discover.LP); err != nil {
				return "", err
			}
		}
		if err := c.restart(true); err != nil {
			return "", err
		}
		for i := range pair {
			if _, err := c.api.Bind(context.Background(), laneOf(i+1), "receipt-printer", client.Wish{Do: "bind", Device: "serial:" + pair[i].Serial}); err != nil {
				return "", err
			}
		}
		if err := c.ownPaper(pair, "bound", func() error { return nil }); err != nil {
			return "", err
		}
		for _, d := range pair {
			if err := c.pull(d.Gadget, d.controller); err != nil {
				return "", err
			}
		}
		pair[0].controller, pair[1].controller = pair[1].controller, pair[0].controller
		for _, d := range pair {
			if _, err := c.plug(d.Gadget, d.controller, discover.LP); err != nil {
				return "", err
			}
		}
		err := c.ownPaper(pair, "exchanged", func() error {
			if err := c.bindingsAre("swapped"); err != nil {
				return err
			}
			c.tell(nil, nil, "SWAPPED", "bind")
			for _, d := range pair {
				for i := range pair {
					if n, err := d.seen("exchanged-" + laneOf(i+1)); err != nil || n != 0 {
						return fmt.Errorf("a refused printer has printed %d lines, %w", n, err)
					}
				}
			}
			_, err := c.api.Bind(context.Background(), "2", "receipt-printer", client.Wish{Do: "accept"})
			return err
		})
		if err != nil {
			return "", err
		}
		return "both refused, two jobs waited; after a person's word each came out of its lane's own, once", c.bindingsAre("found", "moved")
	})
	c.check("the settings name the printers again", func() (string, error) {
		for _, d := range pair {
			if d == nil {
				continue
			}
			if err := c.pull(d.Gadget, d.controller); err != nil {
				return "", err
			}
		}
		if err := c.restart(false); err != nil {
			return "", err
		}
		for i := range c.desks {
			if err := c.have(i, nil); err != nil {
				return "", err
			}
		}
		return "all open", nil
	})
}

// restart starts the box anew, with the printers of lanes 2 and 3 bound or named by its settings.
func (c *counter) restart(bound bool) error {
	if err := c.end(); err != nil {
		return err
	}
	settings := named(byUsblp)
	if bound {
		settings = asBound.Replace(settings)
	}
	return c.begin("tilld", settings)
}

// ownPaper asks for a job on each of the two lanes and then does something; each must come out of its lane's printer alone.
func (c *counter) ownPaper(pair [2]*desk, name string, do func() error) error {
	var jobs [2]client.PrintJob
	for i := range pair {
		var err error
		if jobs[i], err = c.long(laneOf(i+1), name+"-"+laneOf(i+1), 1); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for i, j := range jobs {
		if _, err := c.printed(j.ID); err != nil {
			return err
		}
		for k, d := range pair {
			if n, err := d.seen(j.Reference); err != nil || (n == 1) != (k == i) {
				return fmt.Errorf("the job of lane %s stands %d times on the paper of lane %s, %w", laneOf(i+1), n, laneOf(k+1), err)
			}
		}
	}
	return nil
}

// bindingsAre waits until the printers of lanes 2 and 3 are in one of the states.
func (c *counter) bindingsAre(states ...string) error {
	return eventually(func() error {
		time.Sleep(20 * time.Millisecond) // whoever asks all the time slows down the one who is asked
		all, err := c.api.Bindings(context.Background())
		if err != nil {
			return err
		}
		for _, b := range all {
			if b.Role == "receipt-printer" && b.Lane != "1" && !slices.Contains(states, b.State) {
				return fmt.Errorf("the printer of lane %s is %s, want %s: %s", b.Lane, b.State, strings.Join(states, " or "), b.Why)
			}
		}
		return nil
	})
}
