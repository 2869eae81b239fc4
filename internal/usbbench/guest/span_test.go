package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// What is repeated gets a part of the time that is left, never more than it may have, and with none left it is over soon.
func TestShareOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lasts := func(s span) time.Duration {
			begun := time.Now()
			for !s.over() {
				time.Sleep(time.Second)
				if time.Since(begun) > time.Hour {
					return 0 // as long as it takes
				}
			}
			return time.Since(begun)
		}
		b := &bench{}
		if got := lasts(b.share(2, 0)); got != 0 {
			t.Errorf("without a limit: %v", got)
		}
		if got := lasts(b.share(2, 90*time.Second)); got != 91*time.Second {
			t.Errorf("of its own time: %v", got)
		}
		b.due = time.Now().Add(300 * time.Second)
		if got := lasts(b.share(2, 90*time.Second)); got != 91*time.Second {
			t.Errorf("less than its part: %v", got)
		}
		b.due = time.Now().Add(300 * time.Second)
		if got := lasts(b.share(3, 0)); got != 101*time.Second {
			t.Errorf("a third: %v", got)
		}
		b.due = time.Now().Add(100 * time.Second)
		if got := lasts(b.share(2, 90*time.Second)); got != 51*time.Second {
			t.Errorf("half of little: %v", got)
		}
		b.due = time.Now().Add(-time.Minute)
		if got := lasts(b.share(2, 90*time.Second)); got != time.Second {
			t.Errorf("of none: %v", got)
		}
	})
}
