package logging_test

import (
	"strings"
	"testing"

	"tilld/internal/logging"
)

func TestJournalLinesCarryPriorities(t *testing.T) {
	var b strings.Builder
	l, err := logging.New(&b, logging.Journal, "debug")
	if err != nil {
		t.Fatal(err)
	}
	l.Error("a")
	l.Warn("b")
	l.Info("c")
	l.Debug("d")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, p := range []string{"<3>", "<4>", "<6>", "<7>"} {
		if !strings.HasPrefix(lines[i], p+"level=") {
			t.Errorf("line %d is %q, want priority %s", i, lines[i], p)
		}
	}
}

func TestBadSettingsAreRefusedWithoutEcho(t *testing.T) {
	for _, c := range [][2]string{{"xml-canary", "info"}, {"text", "loud-canary"}} {
		_, err := logging.New(&strings.Builder{}, c[0], c[1])
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%v: %v", c, err)
		}
	}
}
