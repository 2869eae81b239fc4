package link_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A till that was turned away for want of a line opens no payment; its customer stands there all the same.
func TestTillThatWasTurnedAwayShortensTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t)
		b.open = nil
		s, l, stop := bubble(t, b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		defer stop()
		time.Sleep(time.Hour) // the window is two minutes by now
		for range 5 {
			synctest.Wait()
			before := len(s.gaps())
			l.Wake()
			time.Sleep(time.Second + time.Millisecond)
			synctest.Wait()
			if len(s.gaps()) <= before {
				t.Error("no try within a second")
			}
		}
		synctest.Wait()
		before := len(s.gaps())
		time.Sleep(time.Hour) // nobody asks any more
		if n := len(s.gaps()) - before; n > 120 {
			t.Errorf("%d tries in an hour without anybody who waits", n)
		}
	})
}

// A server that asks to stay away is left alone for as long as it says; once a till was turned away, for a minute at most, and
// for less where it said less.
func TestTillThatWasTurnedAwayWaitsAMinuteForABusyServer(t *testing.T) {
	for said, c := range map[string]struct{ alone, asked time.Duration }{
		"20":   {20 * time.Second, 20 * time.Second},
		"600":  {10 * time.Minute, time.Minute},
		"3600": {10 * time.Minute, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBox(t)
			b.open = nil
			s, l, stop := bubble(t, b, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", said)
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			defer stop()
			wait := func(asks bool) time.Duration { // from one try to the next
				synctest.Wait()
				before := len(s.gaps())
				for range 3600 {
					time.Sleep(time.Second)
					synctest.Wait()
					if n := len(s.gaps()); n > before {
						return s.gaps()[n-1]
					}
					if asks {
						l.Wake()
					}
				}
				t.Fatalf("Retry-After %s: no try within an hour", said)
				return 0
			}
			for range 5 {
				if d := wait(false); d < c.alone || d > c.alone+2*time.Minute {
					t.Errorf("Retry-After %s: nobody asked, and it came back after %v", said, d)
				}
				if d := wait(true); d < c.asked || d > c.asked+time.Second {
					t.Errorf("Retry-After %s: a till asked, and it came back after %v", said, d)
				}
			}
			b.mu.Lock()
			b.open = []string{"p"}
			b.mu.Unlock()
			wait(true) // it sees that at the next try
			for range 5 {
				if d := wait(false); d < c.asked || d > c.asked+5*time.Second {
					t.Errorf("Retry-After %s: with a payment open it came back after %v", said, d)
				}
			}
		})
	}
}
