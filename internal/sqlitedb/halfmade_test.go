package sqlitedb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"tilld/internal/sqlitedb"
)

// A power cut in the very first transaction, the one that turns the log on, leaves a rollback journal. It is undone, and
// the database opens as if nothing had been.
func TestAPowerCutInTheFirstTransactionIsUndone(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "first.db")
	raw, err := sql.Open("sqlite", "file:"+from+"?_pragma=journal_mode=delete")
	if err != nil {
		t.Fatal(err)
	}
	raw.SetMaxOpenConns(1)
	for _, q := range []string{"CREATE TABLE filler (x)", "DROP TABLE filler", "PRAGMA cache_spill=1", "PRAGMA cache_size=1", "BEGIN IMMEDIATE", "CREATE TABLE half (x)"} {
		if _, err := raw.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 { // until pages spill: journal and file are both half written
		if _, err := raw.Exec("INSERT INTO half VALUES (randomblob(4000))"); err != nil {
			t.Fatal(err)
		}
	}
	cut := filepath.Join(dir, "cut", "t.db")
	if err := os.MkdirAll(filepath.Dir(cut), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-journal"} { // what the disk holds in this moment
		b, err := os.ReadFile(from + suffix)
		if err != nil || len(b) == 0 {
			t.Fatalf("nothing was written: %v", err)
		}
		if err := os.WriteFile(cut+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: cut, Migrations: migrations()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.Read().QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").Scan(&n); err != nil || n != 0 {
		t.Errorf("half of a transaction is there: %d, %v", n, err)
	}
}
