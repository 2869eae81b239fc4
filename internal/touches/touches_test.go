package touches_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"tilld/internal/record"
	"tilld/internal/touches"
	"tilld/payment/lane"
)

// shop notes what was asked of the till and of the glass.
type shop struct {
	did   []string
	no    error
	asked bool // a question stands on the glass
	alone bool // one has ended without an answer
}

func (s *shop) say(what ...string) error {
	s.did = append(s.did, strings.Join(what, " "))
	return s.no
}

func (s *shop) Extend(_ context.Context, id string) error     { return s.say("extend", id) }
func (s *shop) Abandon(_ context.Context, id string) error    { return s.say("abandon", id) }
func (s *shop) Dismiss(_ context.Context, l, id string) error { return s.say("dismiss", l, id) }
func (s *shop) Stay(_ context.Context, l string) error        { return s.say("stay", l) }
func (s *shop) Leave(_ context.Context, l string) (bool, error) {
	return s.asked, s.say("leave", l)
}

func (s *shop) Forsaken(string) bool {
	was := s.alone
	s.alone = false
	return was
}

func (s *shop) print(_ context.Context, l, id string) error { return s.say("print", l, id) }

// journal keeps events.
type journal struct {
	record.Journal
	events []record.Event
	no     error
}

func (j *journal) Commit(_ context.Context, b record.Batch) (int64, error) {
	j.events = append(j.events, b.Events...)
	return int64(len(j.events)), j.no
}

func TestTouches(t *testing.T) {
	for _, c := range []struct {
		touch touches.Touch
		did   string
		event string // its type
	}{
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.More}, "extend p", ""},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Cancel}, "abandon p", ""},
		{touches.Touch{Lane: "1", Button: touches.Cancel}, "leave 1", touches.EventLeave}, // of the question how to pay
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Done}, "dismiss 1 p", ""},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Paper}, "print 1 p", ""},
		{touches.Touch{Lane: "1", Button: touches.Stay}, "stay 1", ""},
		{touches.Touch{Lane: "1", Button: touches.Left}, "leave 1", touches.EventLeave},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Again}, "dismiss 1 p", touches.EventStart},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Anew}, "", touches.EventStart},
		{touches.Touch{Lane: "1", Button: touches.Start}, "", touches.EventStart},
		{touches.Touch{Lane: "1", Button: touches.Choose, Choice: "sbp"}, "stay 1", touches.EventChoose},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Other}, "", touches.EventChoose},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Help}, "", touches.EventHelp},
		{touches.Touch{Lane: "1", Payment: "p", Button: touches.Print}, "", touches.EventPrint},
	} {
		s, j := &shop{asked: true}, &journal{}
		if err := touches.New(j, s, s, s.print).Take(t.Context(), c.touch); err != nil {
			t.Errorf("%+v: %v", c.touch, err)
		}
		if got := strings.Join(s.did, ", "); got != c.did {
			t.Errorf("%+v: %q, want %q", c.touch, got, c.did)
		}
		if c.event == "" {
			if len(j.events) > 0 {
				t.Errorf("%+v: the till is told %+v", c.touch, j.events)
			}
			continue
		}
		var e touches.Event
		if len(j.events) != 1 || j.events[0].Type != c.event || j.events[0].Lane != "1" || json.Unmarshal(j.events[0].Data, &e) != nil {
			t.Fatalf("%+v: the till is told %+v", c.touch, j.events)
		}
		if e.Button != c.touch.Button || e.Choice != c.touch.Choice || e.Payment != c.touch.Payment || e.ID != j.events[0].Subject || e.ID == "" || e.At.IsZero() {
			t.Errorf("%+v: %+v", c.touch, e)
		}
	}
}

func TestEveryButtonIsSomebodys(t *testing.T) {
	all := slices.Concat(touches.Own(), touches.Asked(), []string{touches.Paper})
	for _, name := range all {
		s := &shop{}
		if err := touches.New(&journal{}, s, s, s.print).Take(t.Context(), touches.Touch{Lane: "1", Payment: "p", Button: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if slices.Sort(all); len(slices.Compact(all)) != len(touches.Own())+len(touches.Asked())+1 {
		t.Error("a button is answered twice")
	}
}

func TestTouchesThatFail(t *testing.T) {
	no := &lane.Refusal{Code: lane.NoWrongState}
	s := &shop{no: no}
	if err := touches.New(&journal{}, s, s, nil).Take(t.Context(), touches.Touch{Button: touches.Cancel, Payment: "p"}); !errors.Is(err, no) {
		t.Errorf("a refused cancel: %v", err)
	}
	j := &journal{no: record.ErrStopped}
	if err := touches.New(j, s, s, nil).Take(t.Context(), touches.Touch{Button: touches.Help}); !errors.Is(err, record.ErrStopped) {
		t.Errorf("a journal that has stopped: %v", err)
	}
	for _, name := range []string{touches.Paper, "sesame"} {
		if err := touches.New(j, s, s, nil).Take(t.Context(), touches.Touch{Button: name, Lane: "1"}); err == nil {
			t.Errorf("%s does not fail", name)
		}
	}
}

// Whose question has gone meanwhile does not leave: the till has put something else up, or has a payment.
func TestWhoCancelsAQuestionThatHasGoneLeavesNothing(t *testing.T) {
	s, j := &shop{}, &journal{}
	if err := touches.New(j, s, s, nil).Take(t.Context(), touches.Touch{Lane: "1", Button: touches.Cancel}); err != nil || len(j.events) != 0 {
		t.Errorf("%v, the till is told %+v", err, j.events)
	}
}

// The till is told once of a question that nobody has answered, and before what is touched after it. A display that fails
// keeps it back as little as it keeps a touch.
func TestTheTillIsToldOfAForsakenQuestion(t *testing.T) {
	s, j := &shop{alone: true, asked: true, no: errors.New("no glass")}, &journal{}
	x := touches.New(j, s, s, nil)
	if err := x.Take(t.Context(), touches.Touch{Lane: "1", Button: touches.Start}); err != nil {
		t.Fatal(err)
	}
	if err := x.Forsaken(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	s.alone = true
	if err := x.Forsaken(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if err := x.Take(t.Context(), touches.Touch{Lane: "1", Button: touches.Cancel}); !errors.Is(err, s.no) {
		t.Errorf("a display that failed: %v", err)
	}
	var got []string
	for _, e := range j.events {
		var v touches.Event
		if err := json.Unmarshal(e.Data, &v); err != nil || v.Lane != "1" || e.Lane != "1" || v.Payment != "" {
			t.Errorf("%+v, %v", e, err)
		}
		got = append(got, e.Type+" "+v.Button)
	}
	if want := []string{"kiosk.leave left", "kiosk.start start", "kiosk.leave left", "kiosk.leave cancel"}; !slices.Equal(got, want) {
		t.Errorf("the till is told %q, want %q", got, want)
	}
}

// slow is a glass that lets all the time of a touch go by.
type slow struct {
	*shop
	end context.CancelFunc
}

func (s slow) Leave(ctx context.Context, l string) (bool, error) {
	s.end()
	return s.shop.Leave(ctx, l)
}

// heeding is a journal that begins nothing for whoever has gone, as the box's own.
type heeding struct{ *journal }

func (j heeding) Commit(ctx context.Context, b record.Batch) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return j.journal.Commit(ctx, b)
}

// What has gone from the glass is told, whoever has no time left by then: the till has the cart, and the next customer would
// find it.
func TestALeaveThatTookAllItsTimeIsToldAllTheSame(t *testing.T) {
	for _, button := range []string{touches.Left, touches.Cancel} {
		ctx, end := context.WithCancel(t.Context())
		s, j := &shop{asked: true}, &journal{}
		err := touches.New(heeding{j}, s, slow{s, end}, nil).Take(ctx, touches.Touch{Lane: "1", Button: button})
		if err != nil || len(j.events) != 1 || j.events[0].Type != touches.EventLeave {
			t.Errorf("%s: %v, the till is told %+v", button, err, j.events)
		}
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	s, j := &shop{alone: true}, &journal{}
	if err := touches.New(heeding{j}, s, s, nil).Forsaken(ctx, "1"); err != nil || len(j.events) != 1 || j.events[0].Type != touches.EventLeave {
		t.Errorf("forsaken: %v, the till is told %+v", err, j.events)
	}
}
