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
