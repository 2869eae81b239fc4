package sqlitedb_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// TestDamageIsSeenByTheStartAlone damages a small database at each page, at quick depth at some. What the start lets through answers right, or
// stops; a start that does not look (planted) hides rows from whoever looks for them, and that is found.
func TestDamageIsSeenByTheStartAlone(t *testing.T) {
	t.Parallel()
	const rows = 120
	dir := t.TempDir()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: filepath.Join(dir, "thing.db"), Migrations: withChecksums()})
	if err != nil {
		t.Fatal(err)
	}
	for n := range rows {
		if err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error { _, err := tx.Exec(things.Insert(), n+1, name(n)); return err }); err != nil {
			t.Fatal(err)
		}
	}
	want, err := told(db, rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := spoil.Read(dir, "thing.db")
	if err != nil {
		t.Fatal(err)
	}
	stride := depth.Figure(t, "one page of how many is damaged", 4, 1, 1)
	for _, looks := range []bool{true, false} {
		var bad []string
		tally := spoil.Tally{}
		every := stride
		if !looks {
			every = 1 // of the few that come through, one is to be met
		}
		for fault := range spoil.Pages(whole["thing.db"], every) {
			if fault.Kind == spoil.Cut && fault.Page == 0 {
				continue // an empty file is a new one: whoever has data keeps a mark beside it
			}
			came := damaged(t, whole.With("thing.db", fault.Bytes), looks, want, rows)
			tally.Add(fault.Kind, came)
			if !spoil.Allowed(fault.Kind, came) {
				bad = append(bad, fmt.Sprintf("%s: %s", fault, came))
			}
			if !looks && len(bad) > 0 && depth.Quick() {
				t.Log("left to make test: whatever else comes through")
				break
			}
		}
		t.Logf("the start looks: %v; %d answers that may not be:%s", looks, len(bad), tally)
		if (len(bad) > 0) == looks {
			t.Errorf("the start looks: %v, and this came through: %q", looks, bad)
		}
	}
}

// tail is what all names end in.
var tail = strings.Repeat("n", 40)

func name(n int) string { return fmt.Sprintf("%04d %s", n, tail) }

// damaged opens a copy and says what came of it.
func damaged(t *testing.T, f spoil.Files, looks bool, want string, rows int) string {
	t.Helper()
	dir := t.TempDir()
	if err := f.Write(dir); err != nil {
		t.Fatal(err)
	}
	cfg := sqlitedb.Config{Path: filepath.Join(dir, "thing.db"), Migrations: withChecksums()}
	if !looks {
		cfg.CheckLimit = -1
	}
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		return spoil.Refused
	}
	defer db.Close() // it may be damaged
	got, err := told(db, rows)
	switch {
	case err != nil:
		return spoil.Later
	case got == want:
		return spoil.Right
	}
	came, _ := spoil.Difference(want, got)
	return came
}

// told is each row as it is found by its name, and all of them in their order.
func told(db *sqlitedb.DB, rows int) (string, error) {
	var out strings.Builder
	each, err := db.Read().Query(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
SELECT i, (SELECT count(*) FROM thing WHERE name = printf('%04d %s', i, $2)) FROM n`, rows, tail)
	if err != nil {
		return "", err
	}
	defer each.Close()
	for each.Next() {
		var n, found int
		if err := each.Scan(&n, &found); err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%d of %d |\n", found, n)
	}
	if err := each.Err(); err != nil {
		return "", err
	}
	all, err := db.Read().Query("SELECT id, name FROM thing ORDER BY id")
	if err != nil {
		return "", err
	}
	defer all.Close()
	for all.Next() {
		var id int
		var text string
		if err := all.Scan(&id, &text); err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "row %d |%q\n", id, text)
	}
	return out.String(), all.Err()
}
