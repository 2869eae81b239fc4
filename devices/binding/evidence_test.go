package binding_test

import (
	"strings"
	"testing"
	"time"

	"tilld/devices/binding"
)

func TestQuestion(t *testing.T) {
	start := time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)
	me := binding.Key{Lane: "1", Role: binding.Scanner}
	other := binding.Key{Lane: "2", Role: binding.Scanner}
	// A step is "seconds kind unit owner".
	for _, c := range []struct {
		name  string
		steps string
		want  string // state, unit
		note  string
	}{
		{"OneAnswers", "5 spoke a; 6.5 tick", "answered a", ""},
		{"ItIsNotYetSure", "5 spoke a; 6 tick", "heard a", ""},
		{"TheSameAgainIsNoSecond", "5 spoke a; 6 spoke a; 6.5 tick", "answered a", ""},
		{"TwoAtOnce", "5 spoke a; 6 spoke b", "asking ", "two devices answered"},
		{"TwoAtOnceThenOne", "5 spoke a; 6 spoke b; 10 spoke b; 12 tick", "answered b", ""},
		{"TwoAtOnceThreeTimes", "1 spoke a; 1 spoke b; 2 spoke a; 2 spoke b; 3 spoke a; 3 spoke b", "over ", "two devices answered"},
		{"AfterItWasSureAnotherIsTooLate", "5 spoke a; 7 spoke b", "answered a", ""},
		{"Nobody", "59 tick; 60 tick", "over ", "nobody answered in time"},
		{"NotAloneInTime", "5 spoke a; 6 spoke b; 60 tick", "over ", "two devices answered"},
		{"InTheLastSecond", "59.5 spoke a; 60.2 tick; 61 tick", "answered a", ""},
		{"TooLate", "61 spoke a", "over ", "nobody answered in time"},
		{"PulledAfterTheAnswer", "5 spoke a; 6 gone a; 8 tick", "asking ", "the device that answered was unplugged"},
		{"PulledLateInTheAnswer", "5 spoke a; 8 gone a", "asking ", "the device that answered was unplugged"},
		{"AnotherIsPulled", "5 spoke a; 6 gone b; 6.5 tick", "answered a", ""},
		{"ItServesTheOtherLane", "5 spoke a 2; 6.5 tick", "taken a", ""},
		{"ItServesTheOtherLaneAndYes", "5 spoke a 2; 6.5 tick; 8 yes", "answered a", ""},
		{"ItServesTheOtherLaneAndNobodySaysYes", "5 spoke a 2; 6.5 tick; 60 tick", "over a", "nobody answered in time"},
		{"YesTooEarlyIsNothing", "5 yes; 6 tick", "asking ", ""},
		{"ItServesThisLaneAlready", "5 spoke a 1; 6.5 tick", "answered a", ""},
		{"TakenThenAnotherSpeaks", "5 spoke a 2; 7 tick; 8 spoke b", "asking ", "two devices answered"},
		{"Canceled", "5 spoke a; 5 cancel; 7 tick", "canceled a", "the question was taken back"},
		{"NothingAfterTheEnd", "5 cancel; 6 spoke a; 9 tick", "canceled ", "the question was taken back"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := binding.Ask(me, start)
			for step := range strings.SplitSeq(c.steps, "; ") {
				f := strings.Fields(step)
				d, err := time.ParseDuration(f[0] + "s")
				if err != nil {
					t.Fatal(err)
				}
				in := binding.Input{Kind: f[1]}
				if len(f) > 2 {
					in.Unit = binding.Unit{Model: f[2]}
				}
				if len(f) > 3 {
					in.Owner = map[string]binding.Key{"1": me, "2": other}[f[3]]
				}
				q = q.Next(start.Add(d), in)
				if q.Text() == "" {
					t.Errorf("after %q the person is told nothing", step)
				}
				ended := q.State == binding.Answered || q.State == binding.Over || q.State == binding.Canceled
				if q.Wake().IsZero() != ended {
					t.Errorf("after %q it is %s and wakes at %v", step, q.State, q.Wake())
				}
			}
			if got := q.State + " " + q.Unit.Model; got != c.want || q.Note != c.note {
				t.Errorf("got %q, note %q; want %q, %q", got, q.Note, c.want, c.note)
			}
		})
	}
}

func TestQuestionSaysWhatToPress(t *testing.T) {
	for role, want := range map[string]string{binding.Scanner: "trigger", binding.ReceiptPrinter: "feed button", binding.CustomerDisplay: "number"} {
		if got := binding.Ask(binding.Key{Lane: "1", Role: role}, time.Time{}).Text(); !strings.Contains(got, want) || !strings.Contains(got, "lane 1") {
			t.Errorf("%s: %q", role, got)
		}
	}
}
