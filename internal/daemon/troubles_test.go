package daemon

import (
	"testing"

	"tilld/internal/health"
	"tilld/internal/journal"
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
