package main

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pulse knows when a processor of this machine stood still, so that a loss tells of it: an emulated one may miss the
// interrupt of its timer, and what was to happen there happens with the next.
type pulse struct {
	mu    sync.Mutex // guards the following
	stops []string
}

// How often a processor is asked whether it goes, and how much later than that it has stood still.
const (
	beat  = 50 * time.Millisecond
	still = 500 * time.Millisecond
)

func newPulse() *pulse {
	p := &pulse{}
	for cpu := range runtime.NumCPU() {
		go p.watch(cpu) // as long as the machine lives
	}
	return p
}

func (p *pulse) watch(cpu int) {
	runtime.LockOSThread()
	var only unix.CPUSet
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		p.note(fmt.Sprintf("processor %d is not watched: %v", cpu, err))
		return
	}
	wait := unix.NsecToTimespec(beat.Nanoseconds())
	for last := time.Now(); ; last = time.Now() {
		_ = unix.Nanosleep(&wait, nil) // in this thread, which a timer of Go's is not
		if gap := time.Since(last) - beat; gap > still {
			var now unix.Timespec
			_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
			p.note(fmt.Sprintf("processor %d stood still for %s until %.3f", cpu, ms(gap), float64(now.Nano())/1e9))
		}
	}
}

func (p *pulse) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stops = append(p.stops, what); len(p.stops) > 4 {
		p.stops = p.stops[1:]
	}
}

// String is the last few stops, "" if there was none.
func (p *pulse) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.stops) == 0 {
		return ""
	}
	return "; " + strings.Join(p.stops, ", ")
}
