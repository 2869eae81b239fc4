package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/depth"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// aYear is how many bills an old ledger holds, and how many states between two commits are looked at.
func aYear(t *testing.T) (bills, between int) {
	t.Helper()
	return depth.Figure(t, "bills of an old ledger", 100, 1000, 30_000), depth.Figure(t, "states between two commits", 1, 1, 20)
}

// firstVersion is the first ledger that was ever made.
func firstVersion(t *testing.T) fstest.MapFS {
	t.Helper()
	b, err := os.ReadFile("migrations/00001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"00001_ledger.sql": {Data: b}}
}

// TestUpgradeKilledAtEachStep brings a ledger of the first version, with a year in it, to this one, killed at each step.
// Afterwards this program opens it, and the books are right; the copy that was made before is whole.
func TestUpgradeKilledAtEachStep(t *testing.T) {
	bills, between := aYear(t)
	dir, old := t.TempDir(), firstVersion(t)
	before := yearOld(t, filepath.Join(dir, "ledger.db"), old, bills)
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	during, err := spoil.Read(dir, "")
	err = errors.Join(err, s.Close())
	after, err2 := spoil.Read(dir, "")
	if err := errors.Join(err, err2); err != nil || string(during["ledger.db"]) != string(before["ledger.db"]) {
		t.Fatal("the upgrade is not in the log alone", err)
	}
	states := 0
	for what, f := range spoil.Killed("ledger.db", before, during, after, between) {
		states++
		dir := t.TempDir()
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
		booksOfAYear(t, filepath.Join(dir, "ledger.db"), bills, what)
		copies, err := filepath.Glob(filepath.Join(dir, "ledger.db.v1-*"))
		if err != nil || len(copies) == 0 {
			t.Errorf("%s: no copy of the old version: %v", what, err)
			continue
		}
		db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: copies[0], Migrations: old})
		if err != nil {
			t.Errorf("%s: the copy, by the old program: %v", what, err)
			continue
		}
		var n, money int
		err = db.Read().QueryRow("SELECT count(*), sum(amount) FROM credits").Scan(&n, &money)
		if err := errors.Join(err, db.Close()); err != nil || n != bills || money != bills*700 {
			t.Errorf("%s: the copy holds %d credits of %d, %v", what, n, money, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if states < 8 {
		t.Errorf("only %d states", states)
	}
	t.Logf("%d bills, killed in %d states: everything is there after each", bills, states)
}

// yearOld makes a ledger of the first version.
func yearOld(t *testing.T, path string, old fstest.MapFS, bills int) spoil.Files {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: old})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		for _, q := range []string{
			`INSERT INTO terminals VALUES ('till-1', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', 9, 'j', 'b', 7, $1, 0, 0, '', 0, '', 0, 0, 1)`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO bills SELECT 'b' || i, 'shop', 'till-1', '1', 'R-' || i, '4821', 'bank', 700, 'RUB', 700, 'closed', FALSE, 'done', FALSE, 0, FALSE, TRUE, 3, i, 1,
 json_object('id', 'b' || i, 'terminal', 'till-1', 'life', 'closed', 'reason', 'done', 'kept', 700, 'payload', hex(zeroblob(60))) FROM n`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO credits SELECT 'bank', 'T' || i, 'b' || i, 0, 700, i, 0, '', FALSE, '' FROM n`,
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO events SELECT 'till-1', i, 'bill.done', 'b' || i, 0, i, json_object('payment', 'b' || i) FROM n`,
		} {
			if _, err := tx.Exec(q, bills); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := spoil.Read(filepath.Dir(path), "")
	if err != nil {
		t.Fatal(err)
	}
	return before
}

// booksOfAYear opens the ledger as the server does, and adds up.
func booksOfAYear(t *testing.T, path string, bills int, what string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}()
	r, err := integrator.Audit(t.Context(), s)
	if err != nil || !r.OK() || r.Bills != bills || r.Sums["RUB"].Credits != int64(bills*700) {
		t.Errorf("%s: the books: %+v, %v", what, r, err)
	}
	box, err := s.Terminal(t.Context(), "till-1")
	if err != nil || box.Blocked || box.Epoch != 9 || box.Seq != int64(bills) {
		t.Errorf("%s: the box: %+v, %v", what, box, err)
	}
	es, err := s.Events(t.Context(), "till-1", int64(bills)-1, 10)
	if err != nil || len(es) != 1 {
		t.Errorf("%s: its events: %v, %v", what, es, err)
	}
	last, err := s.Bill(t.Context(), "b1")
	if err != nil || len(last.Credits) != 1 || last.Kept != 700 {
		t.Errorf("%s: a bill: %+v, %v", what, last, err)
	}
}
