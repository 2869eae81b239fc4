package journal_test

import (
	"database/sql"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/journal"
)

// Bugs to plant in a start.
const (
	markFirst = "the generation file is written before the database"
	foundLast = "what a start has found is written down last"
)

// TestCrashesFindPlantedBugs runs the tests of crashed starts in processes of their own, with a bug in the starts that
// crash: each must fail, and say why.
func TestCrashesFindPlantedBugs(t *testing.T) {
	t.Parallel()
	for _, x := range []struct{ plant, harness, says string }{
		{markFirst, "TestCrashInALaterStartIsNoLossAndNoCopy$", "a crash was taken for a loss"},
		{foundLast, "TestCrashNeverHidesACopy$", "the copy was taken for the journal"},
		{foundLast, "TestCrashNeverHidesALoss$", "the loss is forgotten"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", x.harness, "-test.timeout", "2m")
		cmd.Env = append(os.Environ(), "TILLD_PLANT="+x.plant)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), x.says) || strings.Contains(string(out), "cannot be planted") {
			t.Errorf("not found: %s (%v)\n%s", x.plant, err, out)
			continue
		}
		t.Logf("found by %s: %s", x.harness, x.plant)
	}
}

// plant does what a start with the bug would have done by now, before a durable operation at which it may crash.
func plant(t *testing.T, dir, op string, crash bool) {
	t.Helper()
	var err error
	switch bug := os.Getenv("TILLD_PLANT"); {
	case bug == markFirst && op == "commit":
		err = raiseMark(dir)
	case bug == foundLast && op == "generation" && crash:
		err = forget(dir)
	}
	if err != nil {
		t.Errorf("cannot be planted: %v", err)
	}
}

// raiseMark counts the generation file on, where there is one.
func raiseMark(dir string) error {
	file := filepath.Join(dir, "generation")
	b, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	var n int64
	var name, sum string
	if err == nil {
		_, err = fmt.Sscanf(string(b), "tilld generation %d %s %s", &n, &name, &sum)
	}
	if err != nil {
		return err
	}
	line := fmt.Sprintf("tilld generation %d %s", n+1, name)
	return os.WriteFile(file, fmt.Appendf(nil, "%s %08x\n", line, crc32.ChecksumIEEE([]byte(line))), 0o600)
}

// forget takes back what the start has found out about its database.
func forget(dir string) error {
	db, err := sql.Open("sqlite", journal.Path(dir))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec("UPDATE meta SET restored = '', lost = ''")
	return err
}
