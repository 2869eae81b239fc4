// Package metrics is what an operator's monitoring reads of a box, as Prometheus text, and the only door to that library.
// No label holds a code, a reference, a number or an amount: states, types of events and names out of the settings alone.
package metrics

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Now is the box at a moment.
type Now struct {
	Link     bool
	Payments map[string]int // not over or not settled, by public state
	Troubles map[string]int // by severity
	Devices  []Device
}

// Device is one device and what went over its line since the program began.
type Device struct {
	ID, Role                        string
	Ready                           bool
	Opens, Replugs, Stalls, In, Out int64
	Unread                          int64 // readings of a scanner that were dropped unread
	Writes, Readings                Took
}

// Took is how often something was done and how long that took in all.
type Took struct {
	Times int64
	All   time.Duration
}

// lookFor is how long the box may take to say how it stands.
const lookFor = 2 * time.Second

// Metrics of one box. Make it with New.
type Metrics struct {
	all     *prometheus.Registry
	commits prometheus.Histogram
	failed  prometheus.Counter
	events  *prometheus.CounterVec
	prints  *prometheus.CounterVec
}

// New makes the metrics; now is asked at each reading.
func New(version string, now func(context.Context) Now) *Metrics {
	m := &Metrics{
		all: prometheus.NewRegistry(),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tilld_journal_commit_seconds", Help: "Time of a commit of the journal, fsync included.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "tilld_journal_commits_failed_total", Help: "Commits that were refused or did not become durable."}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tilld_events_total", Help: "Events of the till's stream, by type."}, []string{"type"}),
		prints: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tilld_print_jobs_total", Help: "Print jobs that came into a state."}, []string{"state"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "tilld_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.all.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, m.commits, m.failed, m.events, m.prints, &state{now: now},
	)
	return m
}

// Committed counts a commit of the journal with the types of its events.
func (m *Metrics) Committed(took time.Duration, err error, types ...string) {
	if err != nil {
		m.failed.Inc()
		return
	}
	m.commits.Observe(took.Seconds())
	for _, t := range types {
		m.events.WithLabelValues(t).Inc()
		if job, is := strings.CutPrefix(t, "print."); is {
			m.prints.WithLabelValues(job).Inc()
		}
	}
}

// Handler answers with the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.all, promhttp.HandlerOpts{DisableCompression: true, ErrorHandling: promhttp.HTTPErrorOnError})
}
