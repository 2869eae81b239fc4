package health_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/health"
)

// watched notes what is told, as "+code/subject" and "-code/subject".
func watched(t *testing.T, f func(l *health.List, told func() []string)) {
	synctest.Test(t, func(t *testing.T) {
		var l health.List
		var all []string
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.Watch(ctx, func(raised, cleared []health.Trouble) {
				for _, x := range raised {
					all = append(all, "+"+x.Code+"/"+x.Subject)
				}
				for _, x := range cleared {
					all = append(all, "-"+x.Code+"/"+x.Subject)
				}
			})
		}()
		synctest.Wait()
		f(&l, func() []string { synctest.Wait(); return all })
		stop()
		<-done
	})
}

func is(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestWhatIsOverSoonIsNoNews(t *testing.T) {
	watched(t, func(l *health.List, told func() []string) {
		slow := health.Trouble{Code: "device", Subject: "pole", Severity: health.Part, After: 3 * time.Second}
		for range 20 { // a plug that does not sit right
			l.Set(slow)
			time.Sleep(2 * time.Second)
			l.Clear("device", "pole")
			time.Sleep(time.Second)
		}
		is(t, told())
		if n := len(l.Standing()); n != 0 {
			t.Errorf("%d stand", n)
		}
		l.Set(slow)
		first := time.Now().UTC()
		time.Sleep(2 * time.Second)
		l.Set(slow) // other words do not begin the time anew
		time.Sleep(time.Second)
		is(t, told(), "+device/pole")
		if got := l.Standing(); len(got) != 1 || !got[0].Since.Equal(first) {
			t.Errorf("stands: %+v", got)
		}
		l.Clear("device", "pole")
		is(t, told(), "+device/pole", "-device/pole")
	})
}

func TestOneCauseShowsOnce(t *testing.T) {
	watched(t, func(l *health.List, told func() []string) {
		for i := range 3 {
			l.Set(health.Trouble{Code: "silent", Subject: fmt.Sprint("printer ", i), HiddenBy: "device"})
			synctest.Wait()
		}
		l.Set(health.Trouble{Code: "device", Subject: "printer 1"})
		is(t, told(), "+silent/printer 0", "+silent/printer 1", "+silent/printer 2", "+device/printer 1", "-silent/printer 1")
		if n := len(l.Standing()); n != 3 { // its own cause hides an effect, not another's
			t.Errorf("%d stand: %+v", n, l.Standing())
		}
		l.Set(health.Trouble{Code: "device", Subject: ""}) // the cause of all
		if got := l.Standing(); len(got) != 2 || got[0].Code != "device" || got[1].Code != "device" {
			t.Errorf("stands: %+v", got)
		}
	})
}

// A cause that is not old enough to be shown hides its effects already: else they would flash up before it.
func TestAYoungCauseHidesToo(t *testing.T) {
	watched(t, func(l *health.List, told func() []string) {
		l.Set(health.Trouble{Code: "no_link", After: 3 * time.Second})
		l.Set(health.Trouble{Code: "no_provider", HiddenBy: "no_link"})
		time.Sleep(4 * time.Second)
		is(t, told(), "+no_link/")
		l.Clear("no_link", "")
		is(t, told()[:2], "+no_link/", "+no_provider/")
	})
}
