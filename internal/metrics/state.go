package metrics

import (
	"context"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// state reads the box as it stands, at each reading: nothing is kept that could be old.
type state struct{ now func(context.Context) Now }

// The states that a payment can have are told also where none has one: a curve that begins with its first doubt is no use
// to an alarm.
func states() []string {
	return []string{"submitted", "open", "paying", "charging", "part_paid", "paid", "closing", "in_doubt"}
}

func severities() []string { return []string{"stop", "part", "note"} }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tilld_"+name, help, labels, nil)
}

// what is every series of the state.
type what struct{ link, payments, doubt, troubles, ready, opens, replugs, stalls, unread, bytes, writes, readings *prometheus.Desc }

func all() what {
	return what{
		link:     desc("link_up", "1 while there is a line to the integrator."),
		payments: desc("payments", "Payments that are not over or not settled, by state.", "state"),
		doubt:    desc("payments_in_doubt", "Payments of which nobody knows yet whether the money came."),
		troubles: desc("troubles", "What is wrong now, by severity: stop, part, note.", "severity"),
		ready:    desc("device_ready", "1 while the device is in use.", "device", "role"),
		opens:    desc("device_opens_total", "Times that the device's line was opened.", "device", "role"),
		replugs:  desc("device_replugs_total", "Times that the device came back after it had worked.", "device", "role"),
		stalls:   desc("device_stalls_total", "Times that the device took no bytes.", "device", "role"),
		unread:   desc("device_unread_total", "Readings of the device that were dropped unread: magnetic stripes of cards.", "device", "role"),
		bytes:    desc("device_bytes_total", "Bytes over the device's line; in is from the device.", "device", "role", "direction"),
		writes:   desc("device_write_seconds", "Time from a write until the device's line had taken it.", "device", "role"),
		readings: desc("device_reading_seconds", "Time from the last byte of a code until it was kept, fsync included.", "device", "role"),
	}
}

// Describe names the series.
func (s *state) Describe(ch chan<- *prometheus.Desc) {
	w := all()
	for _, d := range []*prometheus.Desc{w.link, w.payments, w.doubt, w.troubles, w.ready, w.opens, w.replugs, w.stalls, w.unread, w.bytes, w.writes, w.readings} {
		ch <- d
	}
}

// Collect reads the box.
func (s *state) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	n, w := s.now(ctx), all()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	took := func(d *prometheus.Desc, t Took, labels ...string) {
		if t.Times > 0 {
			ch <- prometheus.MustNewConstSummary(d, uint64(t.Times), t.All.Seconds(), nil, labels...)
		}
	}
	gauge(w.link, truth(n.Link))
	gauge(w.doubt, float64(n.Payments["in_doubt"]))
	for _, name := range with(states(), n.Payments) {
		gauge(w.payments, float64(n.Payments[name]), name)
	}
	for _, name := range with(severities(), n.Troubles) {
		gauge(w.troubles, float64(n.Troubles[name]), name)
	}
	for _, d := range n.Devices {
		gauge(w.ready, truth(d.Ready), d.ID, d.Role)
		count(w.opens, d.Opens, d.ID, d.Role)
		count(w.replugs, d.Replugs, d.ID, d.Role)
		count(w.stalls, d.Stalls, d.ID, d.Role)
		if d.Role == "scanner" {
			count(w.unread, d.Unread, d.ID, d.Role)
		}
		count(w.bytes, d.In, d.ID, d.Role, "in")
		count(w.bytes, d.Out, d.ID, d.Role, "out")
		took(w.writes, d.Writes, d.ID, d.Role)
		took(w.readings, d.Readings, d.ID, d.Role)
	}
}

// with is the names that are always told, and those that are there besides.
func with(names []string, there map[string]int) []string {
	for _, n := range slices.Sorted(maps.Keys(there)) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
