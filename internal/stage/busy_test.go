package stage_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/stage"
)

// busy is a display of a machine that, from a moment on and once, has other things to do for a while.
type busy struct {
	glass
	at   time.Time
	long time.Duration // 0: no more
}

func (b *busy) Caps() display.Caps {
	if long := b.long; long > 0 && !time.Now().Before(b.at) {
		b.long = 0
		time.Sleep(long)
	}
	return b.glass.Caps()
}

// A moment that comes while a screen is made is not passed over: the code of a pole, and of a page, would stand past its end.
func TestAMomentThatComesWhileAScreenIsMadeIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage([]string{stage.Kiosk}, nil)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		defer func() { stop(); <-done }()
		end := time.Now().Add(2 * time.Minute)
		pole, kiosk := &busy{at: end.Add(-time.Second), long: 1500 * time.Millisecond}, &page{}
		s.Use("1", pole, true)
		s.UseAs("1", stage.Kiosk, kiosk, true)
		if _, err := s.Show(t.Context(), view()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(end) + 2*time.Second)
		synctest.Wait()
		if k, p := kiosk.last(), pole.last(); k.Kind != "closing" || k.Payload != "" || p.Kind != "closing" {
			t.Errorf("two seconds after its end the page shows %s, the pole %s", k.Kind, p.Kind)
		}
		if pole.long != 0 {
			t.Error("the machine was never busy: nothing was looked at")
		}
	})
}
