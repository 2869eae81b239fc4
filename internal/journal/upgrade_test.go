package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"

	"tilld/internal/depth"
	"tilld/internal/journal"
	"tilld/internal/journal/journaltest"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// TestUpgradeKilledAtEachStep brings a journal of the first version, with a year of events and calls that wait, to this one,
// killed at each step. Afterwards this program opens it with everything in it, and asks no person; the copy is whole.
func TestUpgradeKilledAtEachStep(t *testing.T) {
	events := depth.Figure(t, "events of an old journal", 100, 1000, 30_000)
	between := depth.Figure(t, "states between two commits", 1, 1, 20)
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
			printsApart(t, j)
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

// oldJournal makes a journal of the first version with so many events and two calls, and answers that version.
func oldJournal(t *testing.T, dir string, events int) fstest.MapFS {
	t.Helper()
	first, err := os.ReadFile("migrations/00001_journal.sql")
	if err != nil {
		t.Fatal(err)
	}
	boot(t, journal.Config{Dir: dir}, func(j *journal.Journal, _ journal.State) {
		b := record.Batch{Calls: []record.Call{{ID: "a", Method: "bill.create"}, {ID: "b", Method: "bill.create"}}}
		for key, body := range oldPrints() {
			b.Puts = append(b.Puts, record.Put{Bucket: "print", Key: key, Ref: "1/" + key, Live: key == "raw", Body: []byte(body)})
		}
		for range events / 10 {
			for i := range 10 {
				b.Events = append(b.Events, record.Event{Type: "payment.open", Subject: fmt.Sprint(i), Data: []byte(`{"state":"open"}`)})
			}
			commit(t, j, b)
			b = record.Batch{}
		}
	})
	journaltest.MakeOld(t, journal.Path(dir), os.DirFS("migrations"))
	return fstest.MapFS{"00001_journal.sql": {Data: first}}
}

// oldPrints are print jobs as the first version wrote them, with what they print. The last one is none.
func oldPrints() map[string]string {
	return map[string]string{
		"items": `{"id":"items","state":"printed","sent":7,"items":[{"type":"text","text":"5 \u003c 6 \"Чай\""},{"type":"cut"}],"hash":"h1"}`,
		"raw":   `{"id":"raw","state":"queued","raw":"G0A=","hash":"h2"}`,
		"none":  `no JSON {"items":[]}`,
	}
}

// printsApart sees that what they print has a row of its own, and nothing else of them has changed.
func printsApart(t *testing.T, j *journal.Journal) {
	t.Helper()
	for _, want := range []struct{ bucket, key, body string }{
		{"print", "items", `{"id":"items","state":"printed","sent":7,"hash":"h1"}`},
		{"print_body", "items", `{"items":[{"type":"text","text":"5 < 6 \"Чай\""},{"type":"cut"}],"raw":null}`},
		{"print", "raw", `{"id":"raw","state":"queued","hash":"h2"}`},
		{"print_body", "raw", `{"items":null,"raw":"G0A="}`},
		{"print", "none", oldPrints()["none"]},
	} {
		got, err := j.Find(t.Context(), want.bucket, want.key, "")
		if err != nil || !same(got.Body, want.body) || got.Live != (want.bucket == "print" && want.key == "raw") {
			t.Errorf("%s %s: %s, live %v, %v", want.bucket, want.key, got.Body, got.Live, err)
		}
	}
	if _, err := j.Find(t.Context(), "print_body", "none", ""); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("of what is no job: %v", err)
	}
}

// same says whether two texts are the same JSON, or the same.
func same(got []byte, want string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return string(got) == want
	}
	return reflect.DeepEqual(a, b)
}
