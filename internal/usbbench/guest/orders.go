package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

// appear is one boot of several: the six devices come in an order of this boot's own, then the box starts. Each lane must
// have its own.
func (b *bench) appear() {
	c := &counter{bench: b}
	b.check("six devices appear in an order of this boot's own, before tilld starts", func() (string, error) {
		order := rand.Perm(2 * len(c.desks))
		for _, k := range order {
			d, err := c.desk(k / 2)
			if err != nil {
				return "", err
			}
			h, err := c.hand(kindOf(k / 2))
			if err != nil {
				return "", err
			}
			g, controller, node := d.Gadget, d.controller, discover.LP
			if k%2 == 1 {
				g, controller, node = h.Gadget, h.controller, h.node
			}
			if _, err := c.plug(g, controller, node); err != nil {
				return "", err
			}
		}
		begun := time.Now()
		var err error
		if c.shop, err = open("tilld", named(byUsblp)); err != nil {
			return "", err
		}
		for i := range c.desks {
			if err := c.have(i, nil); err != nil {
				return "", err
			}
		}
		took := time.Since(begun)
		told, err := c.listen()
		if err != nil {
			return "", err
		}
		defer told.stop()
		n, _ := c.now(c.desks[1].controller).Node(discover.LP)
		return fmt.Sprintf("order %v, the printer of lane 2 is %s, all open %s behind the start; each lane prints and reads its own", order, n.Path, ms(took)), c.each(told, 0)
	})
	if c.shop != nil {
		c.close()
	}
}

// orders pulls all six devices out and puts them in again in several orders; in every other one the box starts with them in
// place. Each time every printer prints its lane's words and every scanner reads a code, and each must be its own.
func (c *counter) orders() {
	const rounds = 4
	c.check("six devices in several orders", func() (string, error) {
		told, err := c.listen()
		if err != nil {
			return "", err
		}
		defer told.stop()
		var took []time.Duration
		done := 0
		names := map[string]int{}
		for mine := c.share(3, 0); done < rounds && (done < 2 || !mine.over()); done++ {
			round := done
			opens, err := c.opened()
			if err != nil {
				return "", err
			}
			for i := range c.desks {
				if err := c.leave(i); err != nil {
					return "", err
				}
			}
			atStart := round%2 == 1
			if atStart {
				opens = nil // the next one begins to count
				if err := c.end(); err != nil {
					return "", err
				}
			}
			for _, k := range rand.Perm(2 * len(c.desks)) {
				d, h := c.desks[k/2], c.hands[kindOf(k/2)]
				g, controller, node := d.Gadget, d.controller, discover.LP
				if k%2 == 1 {
					g, controller, node = h.Gadget, h.controller, h.node
				}
				if _, err := c.plug(g, controller, node); err != nil {
					return "", err
				}
			}
			begun := time.Now()
			if atStart {
				if err := c.begin("tilld", named(byUsblp)); err != nil {
					return "", err
				}
			}
			for i := range c.desks {
				if err := c.have(i, opens); err != nil {
					return "", err
				}
			}
			took = append(took, time.Since(begun))
			n, _ := c.now(c.desks[1].controller).Node(discover.LP)
			names[n.Path]++
			if err := c.each(told, round); err != nil {
				return "", fmt.Errorf("order %d: %w", round+1, err)
			}
		}
		c.leftOut("orders of the six devices", done, rounds)
		return fmt.Sprintf("%d with tilld running, %d before its start; all open %s behind the last plug or the start; the printer of lane 2 was /dev/usb/lp0, 1, 2 in %d, %d, %d of them; nothing came out of the wrong one",
			done-done/2, done/2, spread(took), names["/dev/usb/lp0"], names["/dev/usb/lp1"], names["/dev/usb/lp2"]), nil
	})
}

// opened is how often the box has opened each device.
func (c *counter) opened() (map[string]int64, error) {
	all, err := c.api.Devices(context.Background())
	out := map[string]int64{}
	for _, d := range all {
		out[d.ID] = d.Counters.Opens
	}
	return out, err
}

// each prints and scans in each lane, and looks where that came out.
func (c *counter) each(told *stream, round int) error {
	for i, d := range c.desks {
		name := fmt.Sprintf("order-%d-lane-%s", round, laneOf(i))
		j, err := c.long(laneOf(i), name, 1)
		if err != nil {
			return err
		}
		if _, err := c.printed(j.ID); err != nil {
			return err
		}
		for k, other := range c.desks {
			if n, err := other.seen(name); err != nil || (n == 1) != (other == d) {
				return fmt.Errorf("the job of lane %s stands %d times on the paper of lane %s, %w", laneOf(i), n, laneOf(k), err)
			}
		}
		text := fmt.Sprintf("goods-%d-of-lane-%s", round, laneOf(i))
		if err := c.hands[kindOf(i)].Scan(text); err != nil {
			return err
		}
		if err := told.has(laneOf(i), round+1); err != nil {
			return err
		}
		if got := told.last(laneOf(i)); got != text {
			return fmt.Errorf("lane %s has read %q, want %q", laneOf(i), got, text)
		}
	}
	return nil
}

// moves puts a twin's cable elsewhere: its lane's paper waits, and comes out of no other. Then the twins change places:
// a lane's printer is the one at its place, as the settings say.
func (c *counter) moves() {
	left, right := c.desks[1], c.desks[2]
	c.check("a moved cable", func() (string, error) {
		if err := c.pull(left.Gadget, left.controller); err != nil {
			return "", err
		}
		if _, err := c.plug(left.Gadget, 8, discover.LP); err != nil {
			return "", err
		}
		j, err := c.long("2", "moved", 1)
		if err != nil {
			return "", err
		}
		if j, err = c.job(j.ID, "blocked", func(j client.PrintJob) bool { return j.Blocked != nil }); err != nil {
			return "", err
		}
		if err := c.pull(left.Gadget, 8); err != nil {
			return "", err
		}
		for i, d := range c.desks {
			if n, err := d.seen("moved"); err != nil || n != 0 {
				return "", fmt.Errorf("lane 2's paper came out of lane %s's printer, %w", laneOf(i), err)
			}
		}
		if _, err := c.plug(left.Gadget, left.controller, discover.LP); err != nil {
			return "", err
		}
		if _, err := c.printed(j.ID); err != nil {
			return "", err
		}
		if n, err := left.seen("moved"); err != nil || n != 1 {
			return "", fmt.Errorf("back in its place it has printed %d lines, %w", n, err)
		}
		return fmt.Sprintf("the job waited (%s) and came out of no other; back in its place it came once", j.Blocked.Why), nil
	})
	c.check("twins change places", func() (string, error) {
		for range 2 { // there and back
			for _, d := range []*desk{left, right} {
				if err := c.pull(d.Gadget, d.controller); err != nil {
					return "", err
				}
			}
			left.controller, right.controller = right.controller, left.controller
			for _, d := range []*desk{right, left} {
				if _, err := c.plug(d.Gadget, d.controller, discover.LP); err != nil {
					return "", err
				}
			}
			j, err := c.long("2", fmt.Sprintf("swapped-%d", left.controller), 1)
			if err != nil {
				return "", err
			}
			if _, err := c.printed(j.ID); err != nil {
				return "", err
			}
			at, other := left, right
			if left.controller != 6 {
				at, other = right, left
			}
			one, err := at.seen(j.Reference)
			if err != nil {
				return "", err
			}
			if none, err := other.seen(j.Reference); err != nil || one != 1 || none != 0 {
				return "", fmt.Errorf("at lane 2's place came %d lines, at the other %d, %w", one, none, err)
			}
		}
		return "lane 2 prints at the place that its settings name, whichever twin is there", nil
	})
}
