package daemon

import (
	"context"
	"time"

	"tilld/devices"
	"tilld/internal/journal"
	"tilld/internal/metrics"
	"tilld/internal/record"
	"tilld/payment/lane"
)

// measured is the journal with a watch on its commits.
type measured struct {
	*journal.Journal
	m *metrics.Metrics
}

func (j measured) Commit(ctx context.Context, b record.Batch) (int64, error) {
	start := time.Now()
	seq, err := j.Journal.Commit(ctx, b)
	types := make([]string, len(b.Events))
	for i := range b.Events {
		types[i] = b.Events[i].Type
	}
	j.m.Committed(time.Since(start), err, types...)
	return seq, err
}

// stands is how the box stands, for its metrics.
func (d *Daemon) stands(ctx context.Context) metrics.Now {
	n := metrics.Now{Payments: map[string]int{}, Troubles: map[string]int{}}
	for _, x := range d.roster.List() {
		n.Devices = append(n.Devices, metrics.Device{
			ID: x.ID, Role: x.Role, Ready: x.State == devices.Ready, Opens: x.Counters.Opens, Replugs: x.Counters.Replugs,
			Stalls: x.Counters.Stalls, Unread: x.Counters.Unread, In: x.Counters.BytesIn, Out: x.Counters.BytesOut,
			Writes:   metrics.Took{Times: x.Times.Writes, All: x.Times.WritesTook},
			Readings: metrics.Took{Times: x.Times.Readings, All: x.Times.ReadingsTook},
		})
	}
	c := d.core.Load()
	if c != nil {
		c.look()
		n.Link = c.link.Status().Up
		open, err := c.box.List(ctx, lane.Filter{}) // it has ended: there are none
		if err == nil {
			for _, p := range open {
				n.Payments[p.State]++
			}
		}
	}
	for _, t := range d.health.Standing() {
		n.Troubles[string(t.Severity)]++
	}
	return n
}
