package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tilld/internal/journal"
	"tilld/internal/journal/journaltest"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment"
)

// allBodies is migration 4 as it first was: it moved all that was ever printed.
const allBodies = `-- +goose Up
-- What a print job prints has a row of its own: that is written once, where the job's is written at each of its changes, and
-- goes when it is old. Each statement may be done again. A row that is no JSON stays as it is: its job cannot be read.
INSERT OR IGNORE INTO value (bucket, key, ref, live, body)
SELECT 'print_body', key, '', 0,
  CAST(json_object('items', json_extract(CAST(body AS TEXT), '$.items'), 'raw', json_extract(CAST(body AS TEXT), '$.raw')) AS BLOB)
FROM value WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
UPDATE value SET body = CAST(json_remove(CAST(body AS TEXT), '$.items', '$.raw') AS BLOB)
WHERE bucket = 'print' AND CASE WHEN json_valid(CAST(body AS TEXT))
  THEN json_type(CAST(body AS TEXT), '$.items') IS NOT NULL OR json_type(CAST(body AS TEXT), '$.raw') IS NOT NULL ELSE 0 END;
`

// least is how many of the newest are kept here, whatever their age: in a shop 1000.
const least = 50

// of30Days is what Printing.Trim keeps: of 30 days, of the newest ones whatever their age, so many bytes of all together.
func of30Days(now time.Time, bytes int64) record.Forget {
	return record.Forget{Bucket: "print_body", Of: "print", Before: payment.NewID(now.Add(-30 * 24 * time.Hour)), Least: least, Bytes: bytes}
}

// TestUpgradeMovesWhatTrimKeeps brings journals full of receipts to this version, as it first was done and as it is now: once
// Trim has run they are the same, row by row. What Trim removes was not written again before that.
func TestUpgradeMovesWhatTrimKeeps(t *testing.T) {
	const all = 512 << 20
	every := func(n int, from, to float64) (ages []float64) { // in days
		for i := range n {
			ages = append(ages, from+(to-from)*float64(i)/float64(n))
		}
		return ages
	}
	for _, c := range []struct {
		name  string
		ages  []float64
		text  int // bytes of each
		bytes int64
		moved int // of them those that are live and the others
		left  int // after Trim
	}{
		{"a few", every(40, 0, 200), 100, all, 40, 40},
		{"of two months", every(65, 0, 60), 100, all, 52, 52},
		{"more than the least in a month", append(every(65, 0, 20), every(5, 40, 50)...), 100, all, 67, 67},
		{"pictures", every(65, 0, 20), 5000, 20_000, 5, 5},
		{"the clock is a year ahead", every(150, 365, 405.1), 100, all, 115, 52},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now()
			f := printed(t, now, c.ages, c.text)
			var tables [][]string
			var logs []int64
			for _, body := range []string{allBodies, ""} {
				dir := t.TempDir()
				if err := f.Write(dir); err != nil {
					t.Fatal(err)
				}
				log, rows := upgraded(t, dir, body, c.bytes)
				if n := bodies(rows); body == "" && n != c.moved || body != "" && n != len(c.ages) {
					t.Errorf("%d bodies were moved, of %d", n, len(c.ages))
				}
				boot(t, journal.Config{Dir: dir, Reserve: -1}, func(j *journal.Journal, _ journal.State) {
					if _, err := j.Forget(t.Context(), of30Days(now, c.bytes)); err != nil {
						t.Error(err)
					}
				})
				_, rows = upgraded(t, dir, body, c.bytes)
				tables, logs = append(tables, rows), append(logs, log)
			}
			if n := bodies(tables[1]); n != c.left {
				t.Errorf("%d bodies are left, want %d", n, c.left)
			}
			if !slices.Equal(tables[0], tables[1]) {
				t.Errorf("after Trim there are %d rows, and %d where all was moved; or they differ", len(tables[1]), len(tables[0]))
			}
			if c.bytes != all && logs[1] > logs[0]/2 {
				t.Errorf("the log of the upgrade is of %d bytes, and %d where all was moved", logs[1], logs[0])
			}
			t.Logf("%d receipts, %d bodies left; the log of the upgrade was of %d KiB, and %d KiB where all was moved", len(c.ages), c.left, logs[1]>>10, logs[0]>>10)
		})
	}
}

// printed are the files of a journal of the first version with receipts of these ages in days. The fourth and fifth oldest wait
// to be printed; one row is no job.
func printed(t *testing.T, now time.Time, ages []float64, text int) spoil.Files {
	t.Helper()
	dir := t.TempDir()
	ages = slices.Sorted(slices.Values(ages))
	slices.Reverse(ages)
	boot(t, journal.Config{Dir: dir, Reserve: -1}, func(j *journal.Journal, _ journal.State) {
		puts := []record.Put{{Bucket: "print", Key: "none", Ref: "1/none", Body: []byte(oldPrints()["none"])}}
		for i, days := range ages {
			at := now.Add(-time.Duration(days * float64(24*time.Hour)))
			id := payment.NewID(at)
			puts = append(puts, record.Put{
				Bucket: "print", Key: id, Ref: "1/" + id, Live: i == 3 || i == 4,
				Body: fmt.Appendf(nil, `{"id":%q,"items":[{"type":"text","text":"Чай < 2 %s"}],"stamps":{"accepted":%q},"hash":"h"}`,
					id, strings.Repeat("x", text), at.UTC().Format(time.RFC3339Nano)),
			})
		}
		for chunk := range slices.Chunk(puts, 100) {
			commit(t, j, record.Batch{Puts: chunk})
		}
	})
	journaltest.MakeOld(t, journal.Path(dir), os.DirFS("migrations"))
	f, err := spoil.Read(dir, "journal.db")
	mark, err2 := os.ReadFile(filepath.Join(dir, "generation"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return f.With("generation", mark)
}

// upgraded opens the journal in dir with the migrations, of which the fourth is body, or as it is now but for its bytes and its
// least. It answers how large the log was then, and the values, the oldest first.
func upgraded(t *testing.T, dir, body string, bytes int64) (log int64, rows []string) {
	t.Helper()
	steps := fstest.MapFS{}
	names, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(names) < 4 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "00004_") {
			if body == "" {
				body = string(b)
				for was, is := range map[string]string{"> 536870912)": fmt.Sprintf("> %d)", bytes), "LIMIT 1 OFFSET 999)": fmt.Sprintf("LIMIT 1 OFFSET %d)", least-1)} {
					if strings.Count(body, was) != 1 {
						t.Fatalf("it does not say %q once", was)
					}
					body = strings.Replace(body, was, is, 1)
				}
			}
			b = []byte(body)
		}
		steps[filepath.Base(name)] = &fstest.MapFile{Data: b}
	}
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: journal.Path(dir), Migrations: steps})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if fi, err := os.Stat(journal.Path(dir) + "-wal"); err == nil {
		log = fi.Size()
	}
	rs, err := db.Read().Query("SELECT bucket || ' ' || key || ' ' || ref || ' ' || live || ' ' || CAST(body AS TEXT) FROM value ORDER BY n")
	if err != nil {
		t.Fatal(err)
	}
	defer rs.Close()
	for rs.Next() {
		var s string
		if err := rs.Scan(&s); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, s)
	}
	if err := rs.Err(); err != nil {
		t.Fatal(err)
	}
	return log, rows
}

// bodies is how many of the rows are what a job prints.
func bodies(rows []string) (n int) {
	for _, s := range rows {
		if strings.HasPrefix(s, "print_body ") {
			n++
		}
	}
	return n
}
