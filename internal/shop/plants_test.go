//go:build processes

package shop_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/failpoint"
	"tilld/internal/planted"
)

// everyName is what has a name that is lost where no folder is synced. Two of them are of files that were not there to be set
// aside.
const everyName = "tilld, tilld/bindings.yaml, tilld/bindings.yaml, of which somebody is told, tilld/journal, tilld/journal/generation, " +
	"tilld/journal/journal.db.damaged, tilld/journal/journal.db.damaged-journal, tilld/journal/journal.db.damaged-wal, " +
	"tilld/journal/journal.db.damaged.suspect, tilld/journal/journal.db.v1, tilld/journal/reserve, " +
	"tilld/terminal.key, tilld/terminal.key, of which somebody is told"

// TestHarnessesFindPlantedBugs runs the harnesses over programs with a bug. FailPoints looks at what many were told, and has
// the bug found by each. What takes until a time is over is left to the full run.
func TestHarnessesFindPlantedBugs(t *testing.T) {
	t.Parallel()
	if _, err := buildFailing(); err != nil {
		t.Fatal(err)
	}
	dir, err := folder()
	if err != nil {
		t.Fatal(err)
	}
	const failPoints = "TestFailPoints$/^Shop1$"
	for _, x := range []struct {
		bug, harness, sale, says string // sale: the one that FailPoints makes, "" for all of them
		slow                     bool
	}{
		{failpoint.AckFirst, "TestKillRestart$/^Box$", "", "There is no such payment", false},
		{failpoint.AckFirst, failPoints, "", "acknowledged and lost", false},
		{"tilld:" + failpoint.AckFirst, failPoints, "show, tilld dies at its create", "acknowledged and lost: payment", false},
		{"tilld:" + failpoint.AckFirst, failPoints, "parts, tilld dies at its confirm", "acknowledged and lost: confirm", false},
		{"tilld:" + failpoint.AckFirst, failPoints, "part, tilld dies at its return", "acknowledged and lost: return", false},
		{"tilld:" + failpoint.AckFirst, failPoints, "whole, tilld dies at its pay", "acknowledged and lost: one end finds", false},
		{"integrator:" + failpoint.AckFirst, failPoints, "cancel, integrator dies at its return", "acknowledged and lost: bill.return", false},
		{"integrator:" + failpoint.AckFirst, failPoints, "show, integrator dies at its pay", "acknowledged and lost: a call-back", false},
		{failpoint.PrintAgain, "TestKillInTheMiddleOfAReceipt$", "", "2 begun", false},
		{failpoint.TwiceTaken, "TestFrames$", "", "sales were made, and the books say", false},
		{failpoint.StalledBlocks, "TestStrangers$", "", "as one of them did not read", true},
		{failpoint.LostError, "TestEverySystemCall$/^tilld$", "", "a false ok", false},
		{failpoint.LostName, "TestNamesAreMadeDurable$", "", "a power cut may take away: " + everyName, false},
	} {
		if x.slow && !depth.Full(t, "the run that must find a planted bug: "+x.bug) {
			continue
		}
		t.Run(strings.TrimSuffix(x.harness+" "+x.sale, " "), func(t *testing.T) {
			t.Parallel()
			planted.Find(t, x.bug, x.harness, x.says, kindVar+"="+x.sale, builtVar+"="+dir, "TILLD_DEPTH=test")
		})
	}
}

// TestProgramsHaveNoBugPlanted reads the programs as they are delivered: nothing of a planted bug is in them.
func TestProgramsHaveNoBugPlanted(t *testing.T) {
	t.Parallel()
	failing, err := buildFailing()
	if err != nil {
		t.Fatal(err)
	}
	has := func(dir, name, bug string) bool {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(b, []byte(bug)) || bytes.Contains(b, []byte("TILLD_FAIL"))
	}
	for _, bug := range failpoint.Plants {
		for _, name := range []string{"tilld", "integrator"} {
			if has(programs(t), name, bug) {
				t.Errorf("%s contains: %s", name, bug)
			}
		}
		if !has(failing, "tilld", bug) {
			t.Errorf("the search does not find what is there: %s", bug)
		}
	}
}
