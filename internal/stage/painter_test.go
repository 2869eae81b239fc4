package stage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/stage"
)

// deaf is a display that heeds no limit: each write to its line takes two seconds, as a port's own limit does.
type deaf struct {
	glass
	takes bool // the screen gets through at the end of it
}

var errTakesNothing = errors.New("it takes nothing")

func (d *deaf) Show(ctx context.Context, s display.Screen) (display.Shown, error) {
	time.Sleep(2 * time.Second)
	shown, _ := d.glass.Show(ctx, s)
	if !d.takes {
		return display.Shown{}, errTakesNothing
	}
	return shown, nil
}

// two is a stage of two lanes whose time passes: the first has a deaf display and a page, the second a pole and a page.
func two(t *testing.T, deaf *deaf, outputs []string, gone func(string, []string), f func(t *testing.T, s *stage.Stage, first, second *page, pole *glass)) {
	synctest.Test(t, func(t *testing.T) {
		l := stage.Lane{Language: "en", Shop: "Shop", Outputs: outputs}
		s := stage.New(map[string]stage.Lane{"1": l, "2": l}, gone, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		first, second, pole := &page{}, &page{}, &glass{}
		s.UseAs("1", stage.Kiosk, first, true)
		s.UseAs("2", stage.Kiosk, second, true)
		s.Use("2", pole, true)
		began := time.Now()
		s.Use("1", deaf, true)
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("whoever has opened a deaf display waited %v for its first screen", took)
		}
		f(t, s, first, second, pole)
		stop()
		<-done
	})
}

// at shows a view as checkout does, with a second for it.
func at(t *testing.T, s *stage.Stage, v stage.View) (shown []string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	shown, err := s.Show(ctx, v)
	if err != nil {
		t.Error(err)
	}
	return shown, time.Since(began)
}

func TestADeafDisplayHoldsUpNeitherPageNorScannerNorAnotherLane(t *testing.T) {
	d := &deaf{}
	two(t, d, []string{stage.Kiosk}, nil, func(t *testing.T, s *stage.Stage, first, second *page, pole *glass) {
		// The code is live as soon as the page shows it.
		if shown, took := at(t, s, view()); took != 0 || !slices.Equal(shown, []string{stage.Kiosk}) {
			t.Errorf("the code was shown on %v after %v", shown, took)
		}
		// The wipe is on the page at once, and nobody waits for the display beyond his limit; nor one who has something newer.
		wipe := stage.View{Lane: "1", Screen: "idle"}
		took := make(chan time.Duration, 1)
		go func() {
			_, x := at(t, s, wipe)
			took <- x
		}()
		synctest.Wait()
		if k := first.last(); k.Payload != "" || k.Kind != "idle" {
			t.Errorf("the page still shows %s", k.Kind)
		}
		if x := <-took; x > 1100*time.Millisecond {
			t.Errorf("a wipe took %v", x)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		_, _ = s.Show(ctx, wipe)
		if x := time.Since(began); x != 0 {
			t.Errorf("who had something newer waited %v", x)
		}
		// A note comes while the display is at something.
		v := view()
		v.Screen, v.Payload = "scan", ""
		at(t, s, v)
		began = time.Now()
		s.Note("1", "scan_wrong")
		synctest.Wait()
		if x := time.Since(began); x != 0 || first.last().Kind != "scan_wrong" {
			t.Errorf("after %v the page shows %s", x, first.last().Kind)
		}
		// Both lanes are in their last minute. The first one's display counts too, as far as it comes.
		for _, lane := range []string{"1", "2"} {
			v := view()
			v.Lane, v.RemainingMS = lane, 30_000
			if shown, took := at(t, s, v); took != 0 || len(shown) != 1 {
				t.Errorf("lane %s: on %v after %v", lane, shown, took)
			}
		}
		synctest.Wait()
		for left := 30; left > 0; left-- {
			if got, want := pole.last().Pole[1], fmt.Sprintf("QR ENDS IN 0:%02d", left); got != want {
				t.Fatalf("the pole of the other lane says %q, want %q", got, want)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if a, b := first.last().Kind, second.last().Kind; a != "closing" || b != "closing" {
			t.Errorf("after the end the pages show %s and %s", a, b)
		}
		time.Sleep(5 * time.Second)
		n := d.count()
		if last := d.last(); last.Kind != "closing" || n > 25 {
			t.Errorf("the display was asked %d times, %s at last", n, last.Kind)
		}
		t.Logf("in 30 s and some sales a display of 2 s a screen was asked %d times, the newest at last", n)
	})
}

// A display that draws codes and is late with one is not counted, and is told as soon as it has it.
func TestACodeThatIsShownTooLateIsToldThen(t *testing.T) {
	told := make(chan []string, 10)
	d := &deaf{takes: true}
	d.max = 500
	two(t, d, []string{stage.CustomerDisplay}, func(lane string, shown []string) {
		if lane == "1" {
			told <- shown
		}
	}, func(t *testing.T, s *stage.Stage, _, _ *page, _ *glass) {
		time.Sleep(2 * time.Second) // its first screen is through
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if shown, err := s.Show(ctx, view()); len(shown) != 0 || err != nil {
			t.Errorf("shown on %v, %v", shown, err)
		}
		if len(told) != 0 {
			t.Errorf("told %v", <-told)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(told) != 1 || d.last().Payload != view().Payload {
			t.Fatalf("told %d times, the glass %+v", len(told), d.last())
		}
		if got := <-told; !slices.Equal(got, []string{stage.CustomerDisplay}) {
			t.Errorf("told %v", got)
		}
	})
}

// A display that goes while it is at a screen is asked for nothing more.
func TestADisplayThatGoesIsNotAskedAgain(t *testing.T) {
	d := &deaf{}
	two(t, d, []string{stage.Kiosk}, nil, func(t *testing.T, s *stage.Stage, first, _ *page, _ *glass) {
		time.Sleep(2 * time.Second)
		idle := stage.View{Lane: "1", Screen: "idle"}
		done := make(chan error, 2)
		for range 2 { // one that it is at, one that waits
			go func() { _, err := s.Show(t.Context(), idle); done <- err }()
			synctest.Wait()
		}
		n := d.count()
		s.Use("1", d, false)
		synctest.Wait()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if got := d.count() - n; got != 1 {
			t.Errorf("%d more screens after it had gone", got)
		}
		if first.last().Kind != "idle" {
			t.Errorf("the page shows %s", first.last().Kind)
		}
	})
}

// Of the screens that come while a display is at one it gets the last, with the sound that another had promised.
func TestTheNewestWinsAndItsSoundIsNotLost(t *testing.T) {
	d := &deaf{takes: true}
	two(t, d, []string{stage.Kiosk}, nil, func(t *testing.T, s *stage.Stage, first, _ *page, _ *glass) {
		paid := view()
		paid.Screen, paid.Payload, paid.RemainingMS, paid.Sound = "paid", "", 0, "paid"
		again := paid
		again.Sound, again.Receipt = "", "https://receipt.example/1"
		next := stage.View{Lane: "1", Screen: "idle"}
		var all []chan struct{}
		show := func(v stage.View) {
			done := make(chan struct{})
			go func() { defer close(done); _, _ = s.Show(t.Context(), v) }()
			all = append(all, done)
			synctest.Wait()
		}
		n := d.count()
		show(paid)
		show(again)
		if first.last().Receipt == "" {
			t.Error("the page waits for the display")
		}
		for _, done := range all {
			<-done // the first one's answer is the second's
		}
		if got := d.last(); d.count() != n+2 || got.Kind != "paid" || got.Receipt == "" || got.Sound != "paid" {
			t.Errorf("%d more screens, the last %+v", d.count()-n, got)
		}
		all = nil
		show(paid)
		show(paid)
		show(next)
		for _, done := range all {
			<-done
		}
		if got := d.last(); d.count() != n+4 || got.Kind != "idle" || got.Sound != "" {
			t.Errorf("%d more screens, the last %+v: a sound that is another's", d.count()-n, got)
		}
	})
}
