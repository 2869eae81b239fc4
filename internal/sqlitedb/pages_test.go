package sqlitedb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"tilld/internal/sqlitedb"
)

// A new database has small pages; one that is there keeps its own, and works.
func TestPagesAreSmallWhereTheDatabaseIsNew(t *testing.T) {
	cfg := config(t)
	if got := pageSize(t, open(t, cfg)); got != 1024 {
		t.Errorf("a new database has pages of %d bytes", got)
	}
	cfg = config(t)
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
