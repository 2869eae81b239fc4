package main

import (
	"fmt"
	"time"
)

// span is the time that something repeated may take.
type span struct{ end time.Time } // zero: as long as it takes

// over says whether it has had its time.
func (s span) over() bool { return !s.end.IsZero() && time.Now().After(s.end) }

// share is the time of something repeated: a part of what is left of the run's, and at most what it may have at best.
func (b *bench) share(part int, best time.Duration) span {
	var s span
	if best > 0 {
		s.end = time.Now().Add(best)
	}
	if !b.due.IsZero() {
		if end := time.Now().Add(max(0, time.Until(b.due)) / time.Duration(part)); s.end.IsZero() || end.Before(s.end) {
			s.end = end
		}
	}
	return s
}

// leftOut tells what the time was not enough for.
func (b *bench) leftOut(what string, done, of int) {
	if done >= of {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Printf("left out for want of time: %s, %d of %d\n", what, of-done, of)
}
