package journal_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"tilld/internal/journal"
	"tilld/internal/journal/journaltest"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// busyDay runs every statement that writes: sales, a copy that a person acknowledged, epochs, restarts, what is old and goes.
func busyDay(t *testing.T, cfg journal.Config) {
	t.Helper()
	cfg.KeepLeast, cfg.KeepFor, cfg.KeepEvents = -1, 90*24*time.Hour, 60
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for _, b := range sold(20) {
			commit(t, j, b)
		}
		var bodies record.Batch
		for _, key := range []string{"a", "b", "c"} {
			bodies.Puts = append(bodies.Puts, record.Put{Bucket: "print_body", Key: key, Body: []byte(`{"items":[]}`)})
		}
		commit(t, j, bodies)
		commit(t, j, record.Batch{Calls: []record.Call{{ID: "v", Method: "bill.charge", Params: []byte(`{}`), Volatile: true}}, Seen: 7000})
		n, err := j.Forget(t.Context(), record.Forget{Bucket: "print_body", Of: "print", Before: "b", Bytes: 1 << 20})
		gone, err2 := j.Trim(t.Context())
		err3 := j.SetEpoch(t.Context(), 3)
		if err := errors.Join(err, err2, err3); err != nil || n != 1 || gone == 0 {
			t.Fatalf("%d values, %d events are gone, %v", n, gone, err)
		}
		if err := j.MarkRestored(t.Context(), "looks so"); err != nil {
			t.Fatal(err)
		}
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for _, why := range []string{"looked", "looked again"} {
			if err := errors.Join(j.Acknowledge(t.Context(), "Olga", why), j.MarkRestored(t.Context(), "again")); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, j, one("z"))
		commit(t, j, record.Batch{Puts: []record.Put{{Bucket: "payment", Key: "z", Ref: "R", Live: true, Body: []byte(`{}`)}}})
	})
}

// rowsOf makes the checksum of each row again.
func rowsOf(t *testing.T, dir string) ([]spoil.Row, []string) {
	t.Helper()
	var rows []spoil.Row
	var tables []string
	raw(t, dir, func(db *sql.DB) (err error) {
		rows, tables, err = spoil.Rows(t.Context(), db)
		return err
	})
	return rows, tables
}

// raw looks into the database, or changes it, as nobody of ours does.
func raw(t *testing.T, dir string, f func(*sql.DB) error) {
	t.Helper()
	db, err := sql.Open("sqlite", journal.Path(dir))
	if err == nil {
		err = errors.Join(f(db), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Every statement that writes a row writes its checksum, and one that forgets it is found.
func TestEachRowBearsItsChecksum(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	busyDay(t, cfg)
	rows, tables := rowsOf(t, cfg.Dir)
	if bad, none := spoil.Forgotten(rows), spoil.Missing(tables, rows); len(bad) > 0 || len(none) > 0 {
		t.Errorf("rows without theirs: %v; tables without a row: %v", bad, none)
	}
	t.Logf("%d rows of %v bear their checksums", len(rows), tables)
	for _, forgets := range []string{
		"UPDATE event SET lane = '2' WHERE seq = (SELECT max(seq) FROM event)",
		"INSERT INTO call (id, grp, method, params, volatile) VALUES ('x', 'g', 'm', x'', 0)",
		"UPDATE value SET live = 1 - live WHERE n = 1",
		"UPDATE meta SET epoch = epoch + 1",
	} {
		raw(t, cfg.Dir, func(db *sql.DB) error { _, err := db.Exec(forgets); return err })
		again, _ := rowsOf(t, cfg.Dir)
		if bad := spoil.Forgotten(again); len(bad) != 1 {
			t.Errorf("not found: %s: %v", forgets, bad)
		}
		raw(t, cfg.Dir, func(db *sql.DB) error {
			if _, err := db.Exec("DELETE FROM call WHERE id = 'x'"); err != nil {
				return err
			}
			return spoil.Resum(t.Context(), db, func(q string) error { _, err := db.Exec(q); return err })
		})
	}
}

// The statements know the columns of each table in the order of the schema, which is the order of the check at a start.
func TestTheStatementsKnowTheColumns(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	boot(t, cfg, nil)
	raw(t, cfg.Dir, func(db *sql.DB) error {
		have, err := spoil.Columns(t.Context(), db)
		delete(have, "crc_none") // no statement of a program writes it
		for _, table := range journal.Tables() {
			if !slices.Equal(have[table.Name()], table.Columns()) {
				t.Errorf("%s has %v, the statements know %v", table.Name(), have[table.Name()], table.Columns())
			}
			delete(have, table.Name())
		}
		if len(have) > 0 {
			t.Errorf("of these no statement knows: %v", have)
		}
		return err
	})
}

// Whatever changes in whichever column of a table is damage to whoever looks at the whole file, as a start does.
func TestAChangeInEachColumnIsFound(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	busyDay(t, cfg)
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: journal.Path(cfg.Dir), Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // it has stopped
	columns := 0
	for _, table := range journal.Tables() {
		for _, column := range append(table.Columns(), "crc") {
			columns++
			back := change(t, cfg.Dir, table.Name(), column)
			if err := db.Check(t.Context()); !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("%s.%s: %v", table.Name(), column, err)
			}
			raw(t, cfg.Dir, back)
			if err := db.Check(t.Context()); err != nil {
				t.Fatalf("%s.%s as it was: %v", table.Name(), column, err)
			}
		}
	}
	t.Logf("%d columns", columns)
}

// change makes another value of a column of the table's last row, as a bit that turns does, and answers what takes it back.
func change(t *testing.T, dir, table, column string) (back func(*sql.DB) error) {
	t.Helper()
	set := func(value string, id int64) func(*sql.DB) error {
		return func(db *sql.DB) error {
			db.SetMaxOpenConns(1)
			_, err := db.Exec(fmt.Sprintf("PRAGMA ignore_check_constraints = on; UPDATE %s SET %s = %s WHERE rowid = %d", table, column, value, id))
			return err
		}
	}
	var id int64
	var was string
	raw(t, dir, func(db *sql.DB) error {
		return db.QueryRow(fmt.Sprintf("SELECT rowid, quote(%s) FROM %s ORDER BY rowid DESC LIMIT 1", column, table)).Scan(&id, &was)
	})
	raw(t, dir, set(fmt.Sprintf(`CASE typeof(%s) WHEN 'integer' THEN %[1]s + 1 WHEN 'text' THEN %[1]s || 'x'
WHEN 'blob' THEN CAST(%[1]s || 'x' AS BLOB) ELSE CAST('' AS BLOB) END`, column), id))
	if column == "n" || column == "one" || table == "event" && column == "seq" { // that is the rowid
		id++
	}
	return set(was, id)
}

// What a reader meets stops the journal, and the next start sets it aside.
func TestAReaderComparesChecksums(t *testing.T) {
	day := journal.Config{Dir: t.TempDir(), Reserve: -1}
	busyDay(t, day)
	whole, err := spoil.Read(day.Dir, "")
	if err != nil {
		t.Fatal(err)
	}
	last := func(j *journal.Journal) int64 { return j.Meta().Seq }
	each := func(record.Event) error { return nil }
	for _, c := range []struct {
		table, column string
		ask           func(j *journal.Journal) error
	}{
		{"event", "data", func(j *journal.Journal) error { _, err := j.Events(t.Context(), last(j)-1, 10); return err }},
		{"event", "subject", func(j *journal.Journal) error { return j.Between(t.Context(), last(j)-1, last(j), "payment.", each) }},
		{"event", "type", func(j *journal.Journal) error { return j.Between(t.Context(), 0, last(j), "printer.", each) }},
		{"event", "type", func(j *journal.Journal) error { return j.Typed(t.Context(), []string{"payment.open"}, each) }},
		{"event", "at", func(j *journal.Journal) error { return j.Typed(t.Context(), []string{"payment.open"}, each) }},
		{"event", "lane", func(j *journal.Journal) error { _, err := j.Before(t.Context(), "z", last(j), ""); return err }},
		{"event", "at", func(j *journal.Journal) error { _, err := j.SeqAt(t.Context(), time.Now()); return err }},
		{"event", "writes", func(j *journal.Journal) error { _, err := j.Trim(t.Context()); return err }},
		{"value", "body", func(j *journal.Journal) error { _, err := j.Find(t.Context(), "payment", "z", ""); return err }},
		{"value", "key", func(j *journal.Journal) error { _, err := j.Find(t.Context(), "payment", "", "R"); return err }},
		{"value", "ref", func(j *journal.Journal) error { _, err := j.Live(t.Context(), "payment"); return err }},
		{"meta", "seen", func(j *journal.Journal) error { _, err := j.Oldest(t.Context()); return err }},
		{"meta", "journal", func(j *journal.Journal) error { return j.SetEpoch(t.Context(), 9) }},
		{"meta", "trimmed", func(j *journal.Journal) error { return j.Acknowledge(t.Context(), "Olga", "x") }},
	} {
		t.Run(c.table+"."+c.column, func(t *testing.T) {
			cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
			if err := whole.Write(cfg.Dir); err != nil {
				t.Fatal(err)
			}
			j, st, err := journal.Open(t.Context(), cfg)
			if err != nil || st.Lost {
				t.Fatal(st, err)
			}
			change(t, cfg.Dir, c.table, c.column)
			if err := c.ask(j); !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(j.CanStart(), record.ErrStopped) {
				t.Errorf("%v; may sell: %v", err, j.CanStart())
			}
			_ = j.Close() // it has stopped
			boot(t, cfg, func(_ *journal.Journal, st journal.State) {
				if !st.Lost {
					t.Errorf("the next start: %+v", st)
				}
			})
		})
	}
}

// What an older program has written has no checksum and is read; what is written again gets one.
func TestRowsOfBeforeAreRead(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	batches := sold(20)
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for _, b := range batches {
			commit(t, j, b)
		}
	})
	journaltest.MakeOld(t, journal.Path(cfg.Dir), os.DirFS("migrations"))
	counted := func(table string) (with, without int) {
		t.Helper()
		rows, _ := rowsOf(t, cfg.Dir)
		for _, r := range rows {
			switch {
			case r.Has.Valid && !r.Holds():
				t.Errorf("a wrong checksum: %+v", r)
			case r.Table != table:
			case r.Has.Valid:
				with++
			default:
				without++
			}
		}
		return with, without
	}
	var payments []record.Put
	for _, b := range batches {
		if len(b.Calls) > 0 && b.Calls[0].Method == "bill.create" {
			payments = append(payments, b.Puts...)
		}
	}
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if got, err := told(t, j, payments); err != nil || got != expected(batches) || st.Lost || st.Restored {
			t.Errorf("%+v, %v, or it answers otherwise", st, err)
		}
	})
	if with, without := counted("value"); with != 0 || without != 20 {
		t.Errorf("of the values of before %d bear one, %d none", with, without)
	}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		b := record.Batch{Puts: []record.Put{payments[0], payments[1]}}
		b.Puts[0].Body = []byte(`{"again":true}`)
		b.Puts[1].Ref = "another"
		commit(t, j, b)
		commit(t, j, one("new"))
	})
	if with, without := counted("value"); with != 3 || without != 18 {
		t.Errorf("of the values %d bear one, %d none", with, without)
	}
	if with, _ := counted("event"); with != 1 {
		t.Errorf("of the events %d bear one", with)
	}
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if p, err := j.Find(t.Context(), "payment", payments[1].Key, ""); err != nil || p.Ref != "another" || st.Lost {
			t.Errorf("%+v, %+v, %v", p, st, err)
		}
	})
}

// A sound event of another subject, type or moment than what is asked for is passed over, and is no damage.
func TestASoundEventThatIsNotAskedForIsNoDamage(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), Reserve: -1}
	busyDay(t, cfg)
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		n, last := 0, j.Meta().Seq
		count := func(record.Event) error { n++; return nil }
		_, err := j.Before(t.Context(), "nobody", last, "payment.")
		if !errors.Is(err, record.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		for _, types := range [][]string{{"none"}, {"payment.paid"}, {"none", "payment.paid"}} {
			if err := j.Typed(t.Context(), types, count); err != nil {
				t.Errorf("%q: %v", types, err)
			}
		}
		if err := errors.Join(j.Between(t.Context(), 0, last, "none.", count), j.CanStart()); n == 0 || err != nil && !errors.Is(err, record.ErrAcknowledge) {
			t.Errorf("%d events, %v", n, err)
		}
	})
}
