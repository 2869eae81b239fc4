package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// TestUpgradeKilledAtEachStep brings a journal of the first version, with a year of events and calls that wait, to this one,
// killed at each step. Afterwards this program opens it with everything in it, and asks no person; the copy is whole.
func TestUpgradeKilledAtEachStep(t *testing.T) {
	events, between := 1000, 1
	if os.Getenv("TILLD_DEPTH") == "prove" {
		events, between = 30_000, 20
	}
	dir := t.TempDir()
	old := oldJournal(t, dir, events)
	before, err := spoil.Read(dir, "journal.db")
	if err != nil {
		t.Fatal(err)
	}
	mark, err := os.ReadFile(filepath.Join(dir, "generation"))
	if err != nil {
		t.Fatal(err)
	}
	j, st, err := journal.Open(t.Context(), journal.Config{Dir: dir})
	if err != nil || st.Copied == "" {
		t.Fatalf("%+v, %v", st, err)
	}
	during, err := spoil.Read(dir, "journal.db")
	err = errors.Join(err, j.Close())
	after, err2 := spoil.Read(dir, "journal.db")
	if err := errors.Join(err, err2); err != nil || string(during["journal.db"]) != string(before["journal.db"]) {
		t.Fatal("the upgrade is not in the log alone", err)
	}
	states := 0
	for what, f := range spoil.Killed("journal.db", before, during, after, between) {
		states++
		dir := t.TempDir()
		if err := f.With("generation", mark).Write(dir); err != nil { // it is written behind the commit that raises it
			t.Fatal(err)
		}
		boot(t, journal.Config{Dir: dir}, func(j *journal.Journal, st journal.State) {
			if st.New || st.Lost || st.Restored || len(j.Calls()) != 2 || j.Meta().Seq != int64(events) {
				t.Errorf("%s: %+v, %d calls, event %d", what, st, len(j.Calls()), j.Meta().Seq)
			}
			commit(t, j, record.Batch{Settled: []string{"a"}, Calls: []record.Call{{ID: "c"}}})
			if got := fmt.Sprint(j.Calls()[0].ID, j.Calls()[1].ID); got != "bc" {
				t.Errorf("%s: calls %s", what, got)
			}
		})
		copies, err := filepath.Glob(filepath.Join(dir, "journal.db.v1-*"))
		if err != nil || len(copies) == 0 {
			t.Errorf("%s: no copy of the old version: %v", what, err)
			continue
		}
		db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: copies[0], Migrations: old})
		if err != nil {
			t.Errorf("%s: the copy, by the old program: %v", what, err)
			continue
		}
		var n int
		err = db.Read().QueryRow("SELECT count(*) FROM event").Scan(&n)
		if err := errors.Join(err, db.Close()); err != nil || n != events {
			t.Errorf("%s: the copy holds %d events, %v", what, n, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if states < 8 {
		t.Errorf("only %d states", states)
	}
	t.Logf("%d events, killed in %d states: everything is there after each", events, states)
}

// oldJournal makes a journal of the first version: this one's, with what the second took away and without what the third added. It answers that version.
func oldJournal(t *testing.T, dir string, events int) fstest.MapFS {
	t.Helper()
	first, err := os.ReadFile("migrations/00001_journal.sql")
	if err != nil {
		t.Fatal(err)
	}
	boot(t, journal.Config{Dir: dir}, func(j *journal.Journal, _ journal.State) {
		b := record.Batch{Calls: []record.Call{{ID: "a", Method: "bill.create"}, {ID: "b", Method: "bill.create"}}}
		for range events / 10 {
			for i := range 10 {
				b.Events = append(b.Events, record.Event{Type: "payment.open", Subject: fmt.Sprint(i), Data: []byte(`{"state":"open"}`)})
			}
			commit(t, j, b)
			b = record.Batch{}
		}
	})
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: journal.Path(dir), Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		var errs []error
		for _, query := range []string{
			"CREATE UNIQUE INDEX call_id ON call (id)",
			"ALTER TABLE event DROP COLUMN writes",
			"ALTER TABLE event DROP COLUMN seen",
			"DELETE FROM goose_db_version WHERE version_id > 1",
		} {
			_, err := tx.Exec(query)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"00001_journal.sql": {Data: first}}
}
