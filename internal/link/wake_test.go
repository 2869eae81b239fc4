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
