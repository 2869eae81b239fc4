package sqlitedb_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/sqlitedb"
)

// A new database has small pages; one that is there keeps its own, and works.
func TestPagesAreSmallWhereTheDatabaseIsNew(t *testing.T) {
	cfg := config(t)
	if got := pageSize(t, open(t, cfg)); got != sqlitedb.DefaultPageSize {
		t.Errorf("a new database has pages of %d bytes", got)
	}
	for size, ok := range map[int]bool{512: true, 65536: true, -1: false, 256: false, 1000: false, 1 << 17: false} {
		cfg := config(t)
		if cfg.PageSize = size; ok {
			if got := pageSize(t, open(t, cfg)); got != size {
				t.Errorf("asked for pages of %d bytes, a new database has %d", size, got)
			}
		} else if db, err := sqlitedb.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no pages of") {
			t.Errorf("pages of %d bytes: %v, %v", size, db, err)
		}
	}
	cfg = config(t)
	cfg.PageSize = 512
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	was, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "old.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := was.Exec("VACUUM INTO $1", cfg.Path); err != nil {
		t.Fatal(err)
	}
	if err := was.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, cfg)
	if err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec("INSERT INTO thing (name) VALUES ('a')")
		return err
	}); err != nil {
		t.Error(err)
	}
	if got := pageSize(t, db); got != 4096 {
		t.Errorf("a database with pages of 4096 bytes has pages of %d now", got)
	}
}

func pageSize(t *testing.T, db *sqlitedb.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRow("PRAGMA page_size").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A migration that does not fit what the file holds is said with what to do, and the file keeps its version.
func TestAMigrationThatFailsLeavesTheFileAsItWas(t *testing.T) {
	cfg := config(t)
	if err := open(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = migrations("ALTER TABLE thing ADD COLUMN name TEXT;")
	_, err := sqlitedb.Open(t.Context(), cfg)
	var c *sqlitedb.Condition
	if !errors.Is(err, sqlitedb.ErrMigration) || !errors.As(err, &c) || c.Do == "" || !strings.Contains(err.Error(), "duplicate column name") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("it says %v", err)
	}
	cfg.Migrations = migrations()
	if v := open(t, cfg).Version(); v != 1 {
		t.Errorf("version %d afterwards", v)
	}
}

// Whoever waits for a database opens it again and again: a migration that fails each time leaves no copy of what is there
// anyway. Where one of its steps was done, the copy of before is kept, and that one alone.
func TestAMigrationThatFailsLeavesNoCopies(t *testing.T) {
	for _, c := range []struct {
		name    string
		steps   []string
		kind    error
		copies  int
		version int64
	}{
		{"it does not fit", []string{"ALTER TABLE thing ADD COLUMN name TEXT;"}, sqlitedb.ErrMigration, 0, 1},
		{"there is no room", []string{"PRAGMA max_page_count = 40;\nCREATE TABLE more AS SELECT zeroblob(1000000) AS x;"}, sqlitedb.ErrFull, 0, 1},
		{"the second step does not fit", []string{"ALTER TABLE thing ADD COLUMN more TEXT;", "ALTER TABLE thing ADD COLUMN name TEXT;"}, sqlitedb.ErrMigration, 1, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := made(t)
			cfg.Migrations = migrations(c.steps...)
			for try := range 3 {
				_, err := sqlitedb.Open(t.Context(), cfg)
				if !errors.Is(err, c.kind) {
					t.Fatalf("it says %v", err)
				}
				sentence(t, err, cfg.Path)
				if named := strings.Contains(err.Error(), "the copy is "); named != (c.copies > 0 && try == 0) {
					t.Errorf("the copy is named: %v: %v", named, err)
				}
			}
			all, err := os.ReadDir(filepath.Dir(cfg.Path))
			if err != nil {
				t.Fatal(err)
			}
			var copies []string
			for _, f := range all {
				if strings.HasPrefix(f.Name(), "thing.db.v") || strings.HasSuffix(f.Name(), ".copying") {
					copies = append(copies, f.Name())
				}
			}
			if len(copies) != c.copies || c.copies > 0 && !strings.HasPrefix(copies[0], "thing.db.v1-") {
				t.Errorf("three tries have left %q", copies)
			}
			cfg.Migrations = migrations(c.steps[:c.version-1]...)
			db := open(t, cfg)
			if err := db.Check(t.Context()); err != nil || db.Version() != c.version {
				t.Errorf("version %d afterwards, %v", db.Version(), err)
			}
			t.Logf("three tries have left %q, and version %d", copies, db.Version())
		})
	}
}
