package health_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/health"
)

func TestStandingIsWorstAndOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l health.List
		changes := 0
		l.OnChange(func() { changes++ })
		l.Set(health.Trouble{Code: "paper_low", Severity: health.Note, Sentence: "a"})
		time.Sleep(time.Second)
		l.Set(health.Trouble{Code: "printer_silent", Severity: health.Part, Sentence: "b", HiddenBy: "usb_down"})
		l.Set(health.Trouble{Code: "no_link", Severity: health.Stop, Sentence: "c"})
		first := l.Standing()[0].Since
		time.Sleep(time.Second)
		l.Set(health.Trouble{Code: "no_link", Severity: health.Stop, Sentence: "c"}) // a repeat is no change
		got := l.Standing()
		if len(got) != 3 || got[0].Code != "no_link" || got[1].Code != "printer_silent" || got[2].Code != "paper_low" {
			t.Fatalf("order: %+v", got)
		}
		if !got[0].Since.Equal(first) {
			t.Error("a repeat moved the time since when it stands")
		}
		l.Set(health.Trouble{Code: "usb_down", Severity: health.Part, Sentence: "d"})
		if n := len(l.Standing()); n != 3 {
			t.Errorf("%d stand, want 3: the effect is hidden by its cause", n)
		}
		l.Clear("usb_down", "")
		l.Clear("usb_down", "")
		if changes != 5 {
			t.Errorf("%d changes told, want 5", changes)
		}
	})
}
