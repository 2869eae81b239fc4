package daemon

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"tilld/display"
	"tilld/internal/record"
	"tilld/internal/stage"
	"tilld/internal/touches"
)

// toldEvents keeps the events of a journal.
type toldEvents struct {
	record.Journal
	events chan record.Event
}

func (j toldEvents) Commit(_ context.Context, b record.Batch) (int64, error) {
	for _, e := range b.Events {
		j.events <- e
	}
	return 1, nil
}

// A question that nobody has answered is told to the till by the box itself: the page may be gone, and its own word comes no
// sooner than the end of the question.
func TestAQuestionThatNobodyAnswersIsToldToTheTill(t *testing.T) {
	c := keyConfig(t)
	c.Lanes = map[string]Lane{"1": {Language: "en", Outputs: []string{stage.Till}}}
	if _, err := PublicKey(c); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		d, err := New(c, "test", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		j := toldEvents{events: make(chan record.Event, 9)}
		box := &core{Daemon: d, left: make(chan struct{}, 1), touches: touches.New(j, nil, d.stage, nil)}
		d.core.Store(box)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{}, 2)
		go func() { d.stage.Run(ctx); ended <- struct{}{} }()
		go func() { box.watchQuestions(ctx); ended <- struct{}{} }()
		defer func() { stop(); <-ended; <-ended }()
		_, _ = d.stage.Show(t.Context(), stage.View{Lane: "1", Screen: "idle"})
		if _, err := d.stage.Put(t.Context(), stage.View{Lane: "1", Screen: "choose", Choices: []display.Choice{{ID: "a", Name: "A"}}}, ""); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		e := <-j.events
		synctest.Wait()
		if took := time.Since(begun); e.Type != touches.EventLeave || e.Lane != "1" || took != 80*time.Second || len(j.events) > 0 {
			t.Errorf("after %v %+v, and %d more", took, e, len(j.events))
		}
	})
}
