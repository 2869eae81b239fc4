package sqlitedb_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// keepSchema is what the migration of that number ends with.
func keepSchema(version int) string {
	return fmt.Sprintf(`INSERT OR REPLACE INTO crc_none (name, upto, crc) SELECT 'sqlite_schema', upto, row_crc('crc_none', 'sqlite_schema', upto) FROM (
SELECT row_crc('sqlite_schema', %d, group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || ifnull(sql, ''), ';' ORDER BY type, name)) AS upto
FROM sqlite_schema WHERE tbl_name NOT LIKE 'goose_%%' AND tbl_name NOT LIKE 'sqlite_%%');`, version)
}

// withChecksums brings checksums to the table of things, and one whose columns are of each type.
func withChecksums() fstest.MapFS {
	return migrations(`ALTER TABLE thing ADD COLUMN crc INTEGER;
CREATE TABLE crc_none (name TEXT PRIMARY KEY, upto BIGINT NOT NULL, crc BIGINT);
INSERT INTO crc_none SELECT 'thing', upto, row_crc('crc_none', 'thing', upto) FROM (SELECT ifnull(max(id), 0) AS upto FROM thing);
CREATE TABLE each (id TEXT PRIMARY KEY, number BIGINT, open BOOLEAN, body BLOB, real REAL, crc BIGINT);
` + keepSchema(2))
}

var (
	things  = sqlitedb.TableOf("thing", "id, name")
	eachOne = sqlitedb.TableOf("each", "id, number, open, body, real")
)

// The checksum stays what it is: it is in the files of shops. These were made by another program, out of what checksum.go says.
func TestAChecksumIsAlwaysTheSame(t *testing.T) {
	db := open(t, config(t))
	for row, want := range map[string]int64{
		"'thing', 1, 'a', x'00ff', NULL, 2.5": -291419353,
		"'thing', -7, 'Чай'":                  -1721027438,
		"'t', '', x''":                        -2033366080,
		"'t', '', x'', NULL, NULL":            -2033366080, // columns that came later
	} {
		var got int64
		if err := db.Read().QueryRow("SELECT row_crc(" + row + ")").Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", row, got, err, want)
		}
	}
}

// A name in the schema that is another is found by each start, in a large file too, and not told as a statement that is wrong.
func TestASchemaThatIsNotWhatWasMadeIsDamage(t *testing.T) {
	for name, change := range map[string]string{
		"nothing":                  "UPDATE sqlite_schema SET sql = sql",
		"a column":                 "UPDATE sqlite_schema SET sql = replace(sql, 'number', 'numbes') WHERE name = 'each'",
		"a type":                   "UPDATE sqlite_schema SET sql = replace(sql, 'BLOB', 'CLOB') WHERE name = 'each'",
		"a checksum's column":      "UPDATE sqlite_schema SET sql = replace(sql, 'crc', 'csc') WHERE name = 'each'",
		"a table":                  "UPDATE sqlite_schema SET name = 'eacj', tbl_name = 'eacj', sql = replace(sql, 'TABLE each', 'TABLE eacj') WHERE name = 'each'",
		"the list":                 "UPDATE sqlite_schema SET name = 'crc_nond', tbl_name = 'crc_nond', sql = replace(sql, 'crc_none', 'crc_nond') WHERE name = 'crc_none'",
		"a column of the list":     "UPDATE sqlite_schema SET sql = replace(sql, 'upto', 'uptn') WHERE name = 'crc_none'",
		"the versions":             "UPDATE sqlite_schema SET name = 'goose_db_versioo', tbl_name = 'goose_db_versioo', sql = replace(sql, 'goose_db_version', 'goose_db_versioo') WHERE name = 'goose_db_version'",
		"a column of the versions": "UPDATE sqlite_schema SET sql = replace(sql, 'is_applied', 'is_appljed') WHERE name = 'goose_db_version'",
		"the version":              "UPDATE goose_db_version SET is_applied = 0 WHERE version_id = 2",
		"the number of it":         "UPDATE goose_db_version SET version_id = 'x' WHERE version_id = 2",
		"its checksum":             "UPDATE crc_none SET upto = upto + 1 WHERE name = 'sqlite_schema'",
		"the type of that":         "UPDATE crc_none SET upto = 'x' WHERE name = 'sqlite_schema'",
		"what it was":              "DELETE FROM crc_none WHERE name = 'sqlite_schema'",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			cfg.Migrations = withChecksums()
			if err := open(t, cfg).Close(); err != nil {
				t.Fatal(err)
			}
			other, err := sql.Open("sqlite", "file:"+(&url.URL{Path: cfg.Path}).EscapedPath())
			if err == nil {
				other.SetMaxOpenConns(1)
				var r sql.Result
				if r, err = other.Exec("PRAGMA writable_schema = ON; " + change); err == nil {
					if n, _ := r.RowsAffected(); n == 0 {
						t.Error("nothing was changed")
					}
				}
				err = errors.Join(err, other.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, limit := range []int64{0, -1} {
				cfg.CheckLimit = limit
				db, err := sqlitedb.Open(t.Context(), cfg)
				t.Log(err)
				if name == "nothing" {
					if err != nil {
						t.Fatal(err)
					}
					if err := db.Close(); err != nil {
						t.Fatal(err)
					}
				} else if !errors.Is(err, sqlitedb.ErrDamaged) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// Whatever changes in a row, in whichever column, is found by whoever reads it, stops the database, and is found by each start
// after that, in a large file too.
func TestARowThatIsNotWhatWasWrittenIsDamage(t *testing.T) {
	for name, change := range map[string]string{
		"nothing":      "UPDATE each SET number = number",
		"key":          "UPDATE each SET id = 'B' WHERE id = 'b'",
		"letter":       "UPDATE each SET id = 'b' || char(0) || 'x' WHERE id = 'b'",
		"number":       "UPDATE each SET number = number + 1 WHERE id = 'b'",
		"truth":        "UPDATE each SET open = NOT open WHERE id = 'b'",
		"bytes":        "UPDATE each SET body = x'010203' WHERE id = 'b'",
		"text":         "UPDATE each SET body = CAST(body AS TEXT) WHERE id = 'b'",
		"real":         "UPDATE each SET real = real + 0.25 WHERE id = 'b'",
		"none":         "UPDATE each SET body = NULL WHERE id = 'b'",
		"none, last":   "UPDATE each SET real = NULL WHERE id = 'b'",
		"checksum":     "UPDATE each SET crc = crc + 1 WHERE id = 'b'",
		"no checksum":  "UPDATE each SET crc = NULL WHERE id = 'b'",
		"another's":    "UPDATE each SET crc = (SELECT crc FROM each WHERE id = 'a') WHERE id = 'b'",
		"text for crc": "UPDATE each SET crc = 'x' WHERE id = 'b'",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			cfg.Migrations = withChecksums()
			db := open(t, cfg)
			err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
				for _, id := range []string{"a", "b", "c"} {
					if _, err := tx.Exec(eachOne.Insert(), id, 7, true, []byte{1, 2}, 0.5); err != nil {
						return err
					}
				}
				_, err := tx.Exec(change)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			var n int
			err = db.Explain(db.Read().QueryRow("SELECT count(*) FROM each WHERE " + eachOne.Sound()).Scan(&n))
			if name == "nothing" {
				if err := errors.Join(err, db.Close(), open(t, cfg).Close()); err != nil || n != 3 {
					t.Errorf("%d rows, %v", n, err)
				}
				return
			}
			if !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(db.Stopped(), sqlitedb.ErrDamaged) {
				t.Errorf("a reader: %v; stopped: %v", err, db.Stopped())
			}
			t.Log(err)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			large := cfg
			large.CheckLimit = -1
			for range 2 { // the mark has it checked whole, and it stays so
				if _, err := sqlitedb.Open(t.Context(), large); !errors.Is(err, sqlitedb.ErrDamaged) {
					t.Errorf("the next start: %v", err)
				}
			}
			if _, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("a start that checks all: %v", err)
			}
		})
	}
}

// A large file is compared behind its start.
func TestAnInspectionComparesChecksums(t *testing.T) {
	cfg := config(t)
	cfg.Migrations = withChecksums()
	cfg.CheckLimit = -1
	db := open(t, cfg)
	err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		if _, err := tx.Exec(eachOne.Insert(), "a", 7, true, []byte{1, 2}, 0.5); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE each SET number = 8")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	db = open(t, cfg)
	db.Inspect()
	if !db.Inspected() || !errors.Is(db.Stopped(), sqlitedb.ErrDamaged) {
		t.Errorf("after the inspection: %v", db.Stopped())
	}
}

// A row of before has no checksum and is believed until it is written again; a later one without is damage.
func TestRowsOfBeforeAreBelieved(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	for n := range 3 {
		if err := db.Write(t.Context(), add(fmt.Sprint("old ", n))); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = withChecksums()
	bears := func(db *sqlitedb.DB) (out []int64) {
		t.Helper()
		rows, _, err := spoil.Rows(t.Context(), db.Read())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			switch {
			case r.Table != "thing" && !r.Holds(), r.Has.Valid && !r.Holds():
				t.Errorf("a checksum that is none: %+v", r)
			case r.Table == "thing" && r.Holds():
				out = append(out, r.ID)
			}
		}
		return out
	}
	db = open(t, cfg)
	if got := bears(db); len(got) != 0 {
		t.Errorf("rows %d bear one", got)
	}
	write := func(query string, args ...any) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error { _, err := tx.Exec(query, args...); return err }); err != nil {
			t.Fatal(err)
		}
	}
	write(things.Insert("4", "$1"), "new")
	write("UPDATE thing SET "+things.Set("name = $1")+" WHERE id = 2", "old, again")
	if got := bears(db); !slices.Equal(got, []int64{2, 4}) {
		t.Errorf("rows %d bear one, want 2 and 4", got)
	}
	var n int
	if err := db.Read().QueryRow("SELECT count(*) FROM thing WHERE " + things.Sound()).Scan(&n); err != nil || n != 4 {
		t.Errorf("%d rows are read, %v", n, err)
	}
	if err := errors.Join(db.Close(), open(t, cfg).Close()); err != nil {
		t.Fatal(err)
	}
	db = open(t, cfg)
	write("UPDATE thing SET crc = NULL WHERE id = 4")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitedb.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrDamaged) {
		t.Errorf("a new row that has lost its checksum: %v", err)
	}
}

// Which rows are of before is known by their rowid, which a copy made by SQLite's own means may lower but never raises.
func TestACopyKeepsTheRowsOfBefore(t *testing.T) {
	cfg := config(t)
	cfg.Migrations = migrations("CREATE TABLE word (id TEXT PRIMARY KEY);")
	db := open(t, cfg)
	write := func(queries ...string) {
		t.Helper()
		err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
			for _, q := range queries {
				if _, err := tx.Exec(q); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO word SELECT 'old ' || i FROM n", "DELETE FROM word WHERE rowid < 10")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Migrations = migrations("CREATE TABLE word (id TEXT PRIMARY KEY);", `ALTER TABLE word ADD COLUMN crc INTEGER;
CREATE TABLE crc_none (name TEXT PRIMARY KEY, upto INTEGER NOT NULL, crc INTEGER) STRICT;
INSERT INTO crc_none SELECT 'word', upto, row_crc('crc_none', 'word', upto) FROM (SELECT max(rowid) AS upto FROM word);
`+keepSchema(3))
	db = open(t, cfg)
	words := sqlitedb.TableOf("word", "id")
	write(words.Insert("'new'"), "UPDATE word SET "+words.Set("id = 'again'")+" WHERE id = 'old 15'")
	to := filepath.Join(t.TempDir(), "copy.db")
	other, err := sql.Open("sqlite", "file:"+(&url.URL{Path: cfg.Path}).EscapedPath())
	if err == nil {
		_, err = other.Exec("VACUUM INTO $1", to)
		err = errors.Join(err, other.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg.Path = to
	var n int
	if err := open(t, cfg).Read().QueryRow("SELECT count(*) FROM word WHERE " + words.Sound()).Scan(&n); err != nil || n != 12 {
		t.Errorf("of the copy's words %d are read, %v", n, err)
	}
}

// A change of one column gives no new checksum to damage in another: it fails, and stops the database.
func TestAChangeOfADamagedRowIsRefused(t *testing.T) {
	cfg := config(t)
	cfg.Migrations = withChecksums()
	for name, change := range map[string]string{
		"update": "UPDATE each SET " + eachOne.Set("number = each.number + 1") + " WHERE id = 'a'",
		"upsert": eachOne.Insert() + " ON CONFLICT (id) DO UPDATE SET " + eachOne.Set("number = excluded.number"),
	} {
		cfg := cfg
		cfg.Path += name
		db := open(t, cfg)
		do := func(query string) error {
			return db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
				if !strings.Contains(query, "$") {
					_, err := tx.Exec(query)
					return err
				}
				_, err := tx.Exec(query, "a", 7, true, []byte{1, 2}, 0.5)
				return err
			})
		}
		if err := errors.Join(do(eachOne.Insert()), do(change)); err != nil {
			t.Fatalf("%s of a sound row: %v", name, err)
		}
		if err := do("UPDATE each SET open = FALSE"); err != nil {
			t.Fatal(err)
		}
		if err := do(change); !errors.Is(err, sqlitedb.ErrDamaged) || !errors.Is(db.Stopped(), sqlitedb.ErrStopped) {
			t.Errorf("%s: %v; stopped: %v", name, err, db.Stopped())
		}
	}
}

// A statement that does not fit its table is a fault of ours, and is made by each start.
func TestAStatementThatDoesNotFitItsTable(t *testing.T) {
	for name, f := range map[string]func(){
		"too few":   func() { things.Insert("1") },
		"no column": func() { things.Set("nothing = 1") },
		"no value":  func() { things.Set("name") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: it was made", name)
				}
			}()
			f()
		}()
	}
}
