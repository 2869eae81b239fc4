package daemon

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tilld/devices"
	"tilld/internal/health"
	"tilld/internal/journal"
)

func TestDeviceFaultsAreSentences(t *testing.T) {
	const role = "scanner of lane 2"
	d := &Daemon{health: &health.List{}}
	fault := d.deviceFault(role)
	for _, c := range []struct {
		err              error
		sentence, remedy string
	}{
		{fmt.Errorf("open: %w", devices.ErrAbsent), "The scanner of lane 2 is not there.", "Plug it in"},
		{fmt.Errorf("open: %w", devices.ErrPerson), "The scanner of lane 2 cannot be opened.", "Another program holds it"},
		{fmt.Errorf("write: %w", devices.ErrStalled), "The scanner of lane 2 takes no data.", "flow control"},
		{errors.New("hang-up of /dev/x"), "The scanner of lane 2 does not work.", "cable and power"},
	} {
		fault(c.err)
		got := d.health.Standing()
		if len(got) != 1 || got[0].Code != "device" || got[0].Subject != role || got[0].Severity != health.Part {
			t.Fatalf("%v: %+v", c.err, got)
		}
		if got[0].Sentence != c.sentence || !strings.Contains(got[0].Remedy, c.remedy) || strings.Contains(got[0].Sentence+got[0].Remedy, "/dev/") {
			t.Errorf("%v: %s %s", c.err, got[0].Sentence, got[0].Remedy)
		}
	}
	since := d.health.Standing()[0].Since
	fault(errors.New("again"))
	if got := d.health.Standing()[0].Since; got != since {
		t.Errorf("it stands since %v, then since %v", since, got)
	}
	fault(nil)
	if got := d.health.Standing(); len(got) != 0 {
		t.Errorf("after it works: %+v", got)
	}
}

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
