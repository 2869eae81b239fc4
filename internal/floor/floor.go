// Package floor measures an operation beside the least that the machine can do for it, both in the same run and by turns,
// so that what counts is the ratio and not the hour. It is for benchmarks alone.
package floor

import (
	"slices"
	"testing"
	"time"
)

// allocRuns is how many operations Beside counts allocations of.
const allocRuns = 50

// Beside runs floor and ours by turns, once each for every b.N, and reports the medians: ns/op of ours, floor-ns/op, and
// ours by floor as ×floor; own-allocs/op is of ours and after, on all goroutines. after, if any, clears up behind ours and is not timed. The first
// error ends the benchmark.
func Beside(b *testing.B, floor, ours func() error, after ...func() error) {
	b.Helper()
	run := func(f func() error) time.Duration {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	mine := func() time.Duration {
		took := run(ours)
		for _, f := range after {
			run(f)
		}
		return took
	}
	for range 3 { // what is made once
		run(floor)
		mine()
	}
	allocs := testing.AllocsPerRun(allocRuns, func() { mine() })
	var low, own []time.Duration
	for b.Loop() {
		low = append(low, run(floor))
		own = append(own, mine())
	}
	Report(b, low, own)
	b.ReportMetric(allocs, "own-allocs/op")
}

// Turns runs floor and ours by turns for things that go on many at a time: each is given a count, does so many and
// returns when the last is done. It reports the same as Beside, of whole turns.
func Turns(b *testing.B, each int, floor, ours func(n int) error) {
	b.Helper()
	run := func(f func(int) error) time.Duration {
		start := time.Now()
		if err := f(each); err != nil {
			b.Fatal(err)
		}
		return time.Since(start) / time.Duration(each)
	}
	run(floor)
	run(ours)
	var low, own []time.Duration
	for b.Loop() {
		low = append(low, run(floor))
		own = append(own, run(ours))
	}
	Report(b, low, own)
	b.ReportMetric(float64(time.Second)/float64(max(median(own), 1)), "op/s")
	b.ReportMetric(float64(time.Second)/float64(max(median(low), 1)), "floor-op/s")
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// Report is the medians of what was measured, as Beside reports them: for what neither Beside nor Turns can run.
func Report(b *testing.B, low, own []time.Duration) {
	b.Helper()
	l, o := median(low), median(own)
	b.ReportMetric(float64(o), "ns/op")
	b.ReportMetric(float64(l), "floor-ns/op")
	b.ReportMetric(float64(o)/float64(max(l, 1)), "×floor")
}
