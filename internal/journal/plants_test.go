package journal_test

import (
	"database/sql"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"tilld/internal/journal"
	"tilld/internal/planted"
)

// Bugs to plant in a start.
const (
	markFirst = "the generation file is written before the database"
	foundLast = "what a start has found is written down last"
)

// TestCrashesFindPlantedBugs runs the tests of crashed starts with a bug in the starts that crash.
func TestCrashesFindPlantedBugs(t *testing.T) {
	t.Parallel()
	planted.Find(t, markFirst, "TestCrashInALaterStartIsNoLossAndNoCopy$", "a crash was taken for a loss")
	planted.Find(t, foundLast, "TestCrashNeverHidesACopy$", "the copy was taken for the journal")
	planted.Find(t, foundLast, "TestCrashNeverHidesALoss$", "the loss is forgotten")
}

// plant does what a start with the bug would have done by now, before a durable operation at which it may crash.
func plant(t *testing.T, dir, op string, crash bool) {
	t.Helper()
	switch bug := planted.Bug(); {
	case bug == markFirst && op == "commit":
		planted.Failed(t, raiseMark(dir))
	case bug == foundLast && op == "generation" && crash:
		planted.Failed(t, forget(dir))
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
	_, err = db.Exec(`UPDATE meta SET restored = '', lost = '',
crc = row_crc('meta', one, journal, generation, writes, seq, trimmed, seen, epoch, '', set_aside, '')`)
	return err
}
