package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tilld/devices/discover"
	"tilld/internal/localapi/client"
)

// long is a job that takes a while: each of its lines says which it is.
func (c *counter) long(lane, name string, lines int) (client.PrintJob, error) {
	var items []client.ReceiptItem
	for i := range lines {
		items = append(items, client.ReceiptItem{Type: "text", Text: fmt.Sprintf("%s line %03d of a long receipt", name, i)})
	}
	j, _, err := c.api.Print(context.Background(), client.NewPrintJob{Reference: name, Lane: lane, Receipt: append(items, client.ReceiptItem{Type: "cut"})})
	return j, err
}

// job waits until a print job is as do wants.
func (c *counter) job(id, what string, do func(client.PrintJob) bool) (j client.PrintJob, err error) {
	for since, after := time.Now(), int64(0); ; {
		if j, err = c.api.WaitPrint(context.Background(), id, after, 5*time.Second); err != nil || do(j) {
			return j, err
		}
		if after = j.Version; time.Since(since) > patience {
			return j, fmt.Errorf("the job is %s and never %s: %w", j.State, what, errLate)
		}
	}
}

func (c *counter) printed(id string) (client.PrintJob, error) {
	return c.job(id, "printed", func(j client.PrintJob) bool { return j.State == client.JobPrinted })
}

// seen counts the lines of a job on all paper of a printer, each of which may be there once.
func (d *desk) seen(name string) (lines int, err error) {
	count := map[string]int{}
	var all []string
	for _, r := range d.all() {
		all = append(all, r.Text...)
	}
	for _, line := range append(all, d.dev.Pending().Text...) {
		if strings.HasPrefix(line, name+" line ") {
			count[line]++
		}
	}
	for line, n := range count {
		if n > 1 {
			return 0, fmt.Errorf("%q was printed %d times", line, n)
		}
	}
	return len(count), nil
}

// pulledInJob pulls the printer's cable in the middle of a job and puts it in again. The job is called unknown, nothing of
// it is printed a second time, and what was asked for meanwhile is printed once.
func (c *counter) pulledInJob(by string) {
	c.check("printer pulled in a job of tilld, "+by, func() (string, error) {
		const lines = 400
		d, name := c.desks[0], "pulled-"+by
		before, err := c.device("printer-front")
		if err != nil {
			return "", err
		}
		d.bulk.Clear()
		d.bulk.PullAt(6 << 10)
		j, err := c.long("1", name, lines)
		if err != nil {
			return "", err
		}
		if j, err = c.job(j.ID, "at an end", func(j client.PrintJob) bool { return j.Stamps["ended"] != time.Time{} }); err != nil {
			return "", err
		}
		if j.State != client.JobUnknown || j.Why != "line" {
			return "", fmt.Errorf("the job is %s, %q", j.State, j.Why)
		}
		if err := c.isGone(d.controller); err != nil {
			return "", err
		}
		after, err := c.long("1", name+"-next", 3)
		if err != nil {
			return "", err
		}
		if after, err = c.job(after.ID, "blocked", func(j client.PrintJob) bool { return j.Blocked != nil }); err != nil {
			return "", err
		}
		if _, err := c.plug(d.Gadget, d.controller, discover.LP); err != nil {
			return "", err
		}
		if _, err := c.serves("printer-front", before.Counters.Opens); err != nil {
			return "", err
		}
		if after, err = c.printed(after.ID); err != nil {
			return "", err
		}
		part, err := d.seen(name)
		if err != nil {
			return "", err
		}
		if part == 0 || part == lines {
			return "", fmt.Errorf("%d of %d lines came out: the cable was not pulled in the middle", part, lines)
		}
		if n, err := d.seen(name + "-next"); err != nil || n != 3 {
			return "", fmt.Errorf("%d of the next job's 3 lines came out, %w", n, err)
		}
		if j, err = c.api.PrintJob(context.Background(), j.ID); err != nil || j.State != client.JobUnknown {
			return "", fmt.Errorf("afterwards the job is %s, %w", j.State, err)
		}
		return fmt.Sprintf("%d of %d lines on paper, the job is %s (%s), none twice; the next waited (%s) and came whole, %s", part, lines, j.State, j.Why, "offline", after.Proof), nil
	})
}

// busy prints one receipt after another in a lane until done.
func (c *counter) busy(i int, done <-chan struct{}) {
	c.check("receipts meanwhile, lane "+laneOf(i), func() (string, error) {
		for n := 0; ; n++ {
			name := fmt.Sprintf("busy-%s-%d", laneOf(i), n)
			const lines = 10
			j, err := c.long(laneOf(i), name, lines)
			if err != nil {
				return "", err
			}
			if _, err := c.printed(j.ID); err != nil {
				return "", err
			}
			if got, err := c.desks[i].seen(name); err != nil || got != lines {
				return "", fmt.Errorf("%s: %d of %d lines came, %w", name, got, lines, err)
			}
			select {
			case <-done:
				return fmt.Sprintf("%d, each whole and once", n+1), nil
			case <-time.After(2 * time.Second):
			}
		}
	})
}
