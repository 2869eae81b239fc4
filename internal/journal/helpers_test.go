package journal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"tilld/internal/journal"
	"tilld/internal/journal/journaltest"
	"tilld/internal/record"
)

func TestSuite(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) record.Journal {
		j, _ := open(t, journal.Config{Dir: t.TempDir()})
		return j
	})
}

// open opens a journal that the test's end closes.
func open(t *testing.T, cfg journal.Config) (*journal.Journal, journal.State) {
	t.Helper()
	j, st, err := journal.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j, st
}

// boot opens, runs f and closes.
func boot(t *testing.T, cfg journal.Config, f func(j *journal.Journal, st journal.State)) {
	t.Helper()
	j, st, err := journal.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if f != nil {
		f(j, st)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func one(key string) record.Batch {
	return record.Batch{
		Puts:   []record.Put{{Bucket: "payment", Key: key, Live: true, Body: json.RawMessage(`{"state":"open"}`)}},
		Events: []record.Event{{Type: "payment.open", Subject: key, Data: json.RawMessage(`{}`)}},
	}
}

func commit(t *testing.T, j *journal.Journal, b record.Batch) int64 {
	t.Helper()
	seq, err := j.Commit(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// save copies the closed database of dir away and answers how to put it back.
func save(t *testing.T, dir string, names ...string) (restore func()) {
	t.Helper()
	kept := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		kept[n] = b
	}
	return func() {
		t.Helper()
		for n, b := range kept {
			if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
