package sqlitedb_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/planted"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// aYear is how many rows an old database holds, and how many states between two commits are looked at.
func aYear(t *testing.T) (rows, between int) {
	t.Helper()
	if planted.Bug() == inPieces {
		return 300, 2
	}
	return depth.Figure(t, "rows of an old database", 300, 3000, 30_000), depth.Figure(t, "states between two commits", 1, 2, 20)
}

// TestUpgradeKilledAtEachStep kills an upgrade of three steps at each of them and in between. Afterwards the new program
// opens the database with everything in it, the old one too or says that it is newer, and the copy is whole.
func TestUpgradeKilledAtEachStep(t *testing.T) {
	t.Parallel()
	rows, between := aYear(t)
	old := migrations()
	upgraded := migrations("ALTER TABLE thing ADD COLUMN more TEXT NOT NULL DEFAULT '';", "UPDATE thing SET more = 'm' || id;", "CREATE INDEX thing_more ON thing (more);")
	if planted.Bug() == inPieces {
		for name, f := range upgraded {
			if name != "00001_thing.sql" {
				f.Data = append([]byte("-- +goose NO TRANSACTION\n"), f.Data...)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "thing.db")
	files := func(migrations fs.FS, f func(*sqlitedb.Tx) error) (open, closed spoil.Files) {
		t.Helper()
		db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: migrations})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), f)
		open, err2 := spoil.Read(filepath.Dir(path), "")
		err = errors.Join(err, err2, db.Close())
		closed, err2 = spoil.Read(filepath.Dir(path), "")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return open, closed
	}
	_, before := files(old, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO thing (id, name) SELECT i, i || ' of a year, ' || hex(zeroblob(40)) FROM n`, rows)
		return err
	})
	during, after := files(upgraded, func(*sqlitedb.Tx) error { return nil })
	if string(during["thing.db"]) != string(before["thing.db"]) || len(during["thing.db-wal"]) == 0 {
		t.Fatal("the upgrade is not in the log alone")
	}
	states, olds := 0, 0
	for what, f := range spoil.Killed("thing.db", before, during, after, between) {
		states++
		dir := t.TempDir()
		if err := f.Write(dir); err != nil {
			t.Fatal(err)
		}
		if stillOld(t, filepath.Join(dir, "thing.db"), old, rows, what) {
			olds++
		}
		full(t, filepath.Join(dir, "thing.db"), upgraded, rows, 4, "SELECT count(*) FROM thing WHERE more = 'm' || id AND name LIKE id || ' of a year%'", what)
		copies, err := filepath.Glob(filepath.Join(dir, "thing.db.v1-*"))
		if err != nil || len(copies) == 0 {
			t.Errorf("%s: no copy of the old version: %v", what, err)
			continue
		}
		full(t, copies[0], old, rows, 1, "SELECT count(*) FROM thing WHERE name LIKE id || ' of a year%'", what)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if olds == 0 || olds == states {
		t.Errorf("the old program could open %d of %d", olds, states)
	}
	t.Logf("%d rows, killed in %d states: after %d of them the old program opens it too; the new one always", rows, states, olds)
}

// inPieces is a bug to plant.
const inPieces = "the steps of an upgrade are no transactions"

// TestUpgradeKilledFindsAStepInPieces runs the test above with steps that are not done as one: a kill in the middle of one
// leaves a database that the new program cannot open.
func TestUpgradeKilledFindsAStepInPieces(t *testing.T) {
	t.Parallel()
	planted.Find(t, inPieces, "^TestUpgradeKilledAtEachStep$", "bytes of the log: open thing.db", "TILLD_DEPTH=")
}

// stillOld starts the old program: it has everything, or says that the database is newer and leaves it.
func stillOld(t *testing.T, path string, old fs.FS, rows int, what string) bool {
	t.Helper()
	db, err := sqlitedb.Open(context.Background(), sqlitedb.Config{Path: path, Migrations: old})
	if errors.Is(err, sqlitedb.ErrNewer) {
		return false
	}
	if err != nil {
		t.Errorf("%s: the old program: %v", what, err)
		return false
	}
	if err := db.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	full(t, path, old, rows, 1, "SELECT count(*) FROM thing WHERE name LIKE id || ' of a year%'", what)
	return true
}

// full opens a database and counts what is right in it.
func full(t *testing.T, path string, migrations fs.FS, rows int, version int64, query, what string) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: migrations})
	if err != nil {
		t.Errorf("%s: open %s: %v", what, filepath.Base(path), err)
		return
	}
	var n int
	err = db.Read().QueryRow(query).Scan(&n)
	if err := errors.Join(err, db.Check(t.Context()), db.Close()); err != nil || n != rows || db.Version() != version {
		t.Errorf("%s: %s has version %d and %d rows of %d: %v", what, filepath.Base(path), db.Version(), n, rows, err)
	}
}
