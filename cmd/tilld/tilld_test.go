package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tilld/internal/asleep"
	"tilld/internal/stories"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tilld": main})
}

// TestStories runs each story of testdata with the real program.
func TestStories(t *testing.T) { stories.Run(t, nil) }

// A service manager, and whoever reads its log, tells a suspension from a failure.
func TestStatus(t *testing.T) {
	for err, want := range map[error]int{
		errors.New("disk"):                exitFailed,
		&asleep.Error{For: 3 * time.Hour}: exitAsleep,
		fmt.Errorf("take payments: %w", &asleep.Error{For: 3 * time.Hour}): exitAsleep,
	} {
		if got := status(err); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
	if exitFailed != 1 || exitAsleep != 75 {
		t.Error("docs/operations.md says otherwise")
	}
}
