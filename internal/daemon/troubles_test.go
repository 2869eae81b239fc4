package daemon

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/health"
	"tilld/internal/journal"
	"tilld/internal/wire"
)

func TestACopyThatIsFoundWhileTheBoxRunsIsTold(t *testing.T) {
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	c := &core{Daemon: &Daemon{health: &health.List{}}, journal: j}
	c.tellAcknowledge()
	if got := c.health.Standing(); len(got) != 0 {
		t.Fatalf("nothing is wrong yet: %+v", got)
	}
	if err := j.MarkRestored(t.Context(), "the integrator knows more"); err != nil {
		t.Fatal(err)
	}
	c.tellAcknowledge()
	if got := c.health.Standing(); len(got) != 1 || got[0].Code != "acknowledge" || got[0].Severity != health.Stop {
		t.Fatalf("a copy stops the shop: %+v", got)
	}
	if err := j.Acknowledge(t.Context(), "Anna", "looked"); err != nil {
		t.Fatal(err)
	}
	c.tellAcknowledge()
	if got := c.health.Standing(); len(got) != 0 {
		t.Fatalf("after a person has looked: %+v", got)
	}
}

// An integrator that lets a program in although it is below min_app has its technician told, until one of them changes.
func TestAnOldProgramThatIsLetInIsTold(t *testing.T) {
	c := &core{Daemon: &Daemon{health: &health.List{}, version: "1.3.2"}}
	for _, k := range []struct{ least, until, want string }{
		{"", "", ""},
		{"1.3.2", "", ""},
		{"1.4.0", "", "tilld/1.3.2"},
		{"1.5.0", "", "1.5.0 or newer; it lets this one in for now."},
		{"soon", "", ""},
		{"2.0.0", "", "2.0.0"},
		{"1.3.0", "", ""},
		{"1.4.0", "2027-01-31", "it lets this one in until 2027-01-31."},
		{"1.4.0", "the end of <time>", "it lets this one in for now."},
		{"1.3.2", "2027-01-31", ""},
	} {
		c.tellProgram(k.least, k.until)
		got := c.health.Standing()
		if k.want == "" && len(got) != 0 || k.want != "" && (len(got) != 1 || got[0].Code != "old_program" || got[0].Severity != health.Note || !strings.Contains(got[0].Sentence, k.want)) {
			t.Errorf("min_app %q: %+v, want %q", k.least, got, k.want)
		}
	}
	c.version = "unknown"
	if c.tellProgram("2.0.0", "2027-01-31"); len(c.health.Standing()) != 0 {
		t.Errorf("a build without a version: %+v", c.health.Standing())
	}
}

// A clock that is far from the integrator's is told, by the session and by each hint, and no longer once it is right.
func TestAClockThatIsFarOffIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &core{Daemon: &Daemon{health: &health.List{}}, box: &checkout.Box{}}
		for _, k := range []struct {
			off  time.Duration // the integrator's clock above ours
			want string        // of the sentence; "" is no trouble
		}{
			{0, ""},
			{29 * time.Second, ""},
			{-30 * time.Second, ""},
			{31 * time.Second, "31 seconds behind"},
			{-90 * time.Second, "90 seconds ahead of"},
			{-5 * time.Minute, "5 minutes ahead of"},
			{3 * time.Hour, "3 hours behind"},
			{10 * 365 * 24 * time.Hour, "3650 days behind"},
			{time.Second, ""},
		} {
			now := time.Now().Add(k.off).Format(time.RFC3339)
			params, err := json.Marshal(wire.Clock{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			for by, tell := range map[string]func(){
				"session": func() { c.tellClock(now) },
				"hint":    func() { c.hint(wire.HintClock, params) },
				"neither": func() { c.tellClock("soon"); c.hint(wire.HintClock, json.RawMessage(`{"now":7}`)) },
			} {
				tell()
				if by == "neither" {
					continue
				}
				got := c.health.Standing()
				if k.want == "" && len(got) != 0 || k.want != "" && (len(got) != 1 || got[0].Code != "clock" || got[0].Severity != health.Note || !strings.Contains(got[0].Sentence, k.want)) {
					t.Errorf("%v, by %s: %+v, want %q", k.off, by, got, k.want)
				}
			}
		}
	})
}

// A try that has copied a large journal before it fails is not made again at once, or the shop's disk does nothing else.
func TestTheJournalIsTriedAgainAccordingToWhatATryTakes(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, 500 * time.Millisecond: 5 * time.Second, time.Second: 9 * time.Second, 20 * time.Second: 3 * time.Minute,
	} {
		if got := pauseAfter(took); got != want {
			t.Errorf("a try of %s: again after %s, want %s", took, got, want)
		}
	}
}
