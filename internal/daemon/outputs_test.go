package daemon

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/stage"
)

// noGlass shows nothing.
type noGlass struct{}

func (noGlass) Show(context.Context, checkout.View) ([]string, error) { return nil, nil }

// noLine wakes nobody.
type noLine struct{}

func (noLine) Wake() {}

// A box that its disk holds up hears late which outputs carry a code, and not never: nobody says it a second time. Of one that
// has ended nobody waits.
func TestABoxThatIsHeldUpHearsOfItsOutputsAllTheSame(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, _, err := journal.Open(t.Context(), journal.Config{Dir: dir, Reserve: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		log := slog.New(slog.DiscardHandler)
		c := &core{Daemon: &Daemon{log: log}, journal: j}
		c.box = checkout.New(checkout.Config{Lanes: map[string]checkout.Lane{"1": {Language: "en"}}, Log: log}, j, noGlass{}, noLine{})
		begun, told := time.Now(), make(chan struct{})
		go func() { defer close(told); c.tellOutputs("1", []string{stage.Kiosk}) }()
		time.Sleep(time.Minute) // it takes nothing, as in a commit that does not end
		synctest.Wait()
		select {
		case <-told:
			t.Error("the word was given up")
		default:
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.box.Run(ctx) }()
		<-told
		t.Logf("told after %v", time.Since(begun))
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		over := time.Now()
		c.tellOutputs("1", nil)
		if took := time.Since(over); took != 0 {
			t.Errorf("a box that has ended was waited for %v", took)
		}
	})
}
