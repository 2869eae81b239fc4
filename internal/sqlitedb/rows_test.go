package sqlitedb_test

import (
	"bytes"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"tilld/internal/sqlitedb"
)

func TestRowsAreReadIntoWhatFits(t *testing.T) {
	type word string
	type bits uint8
	db := open(t, config(t))
	err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		var (
			text, number string
			name         word
			small        int
			flag         bool
			raw          []byte
			real         float64
			none         sql.NullString
			some         sql.NullInt64
			whatever     any
		)
		err := tx.QueryRow(`SELECT 'a', 7, 'b', 8, 1, x'01ff', 2.5, NULL, 9, 'any'`).
			Scan(&text, &number, &name, &small, &flag, &raw, &real, &none, &some, &whatever)
		if err != nil {
			return err
		}
		if text != "a" || number != "7" || name != "b" || small != 8 || !flag || !bytes.Equal(raw, []byte{1, 255}) || real != 2.5 ||
			none.Valid || !some.Valid || some.Int64 != 9 || whatever != "any" {
			t.Errorf("read %q %q %q %d %v %x %v %v %v %v", text, number, name, small, flag, raw, real, none, some, whatever)
		}
		var tiny int8
		var set bits
		for query, into := range map[string]any{
			"SELECT 300": &tiny, "SELECT -1": &set, "SELECT 2": &flag, "SELECT 'x'": &small, "SELECT NULL": &text, "SELECT 1.5": &number,
			"SELECT 1": text, "SELECT 4": (*word)(nil),
		} {
			if err := tx.QueryRow(query).Scan(into); err == nil {
				t.Errorf("%s fits into %T", query, into)
			}
		}
		if err := tx.QueryRow("SELECT 1, 2").Scan(&small); err == nil || !strings.Contains(err.Error(), "2 columns") {
			t.Errorf("too few places: %v", err)
		}
		if err := tx.QueryRow("SELECT 1 WHERE FALSE").Scan(&small); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		if err := tx.QueryRow("SELECT nonsense").Scan(&small); err == nil {
			t.Error("a statement that is none was read")
		}
		rows, err := tx.Query("SELECT name FROM thing")
		if err != nil {
			return err
		}
		if rows.Next() || rows.Err() != nil || rows.Close() != nil || rows.Close() != nil || rows.Next() {
			t.Error("rows of an empty table")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestBeginAndFinishStandAroundEachTry: what several writers would each write is written once, and counted anew when one
// of them has spoilt the first try.
func TestBeginAndFinishStandAroundEachTry(t *testing.T) {
	cfg := config(t)
	var began, sum, finished int
	cfg.Begin = func() { began++; sum = 0 }
	cfg.Finish = func(tx *sqlitedb.Tx) error {
		if sum > 0 {
			finished++
		}
		return nil
	}
	bubble(t, cfg, func(t *testing.T, db *sqlitedb.DB) {
		one := func(name string) func(tx *sqlitedb.Tx) error {
			return func(tx *sqlitedb.Tx) error { sum++; return add(name)(tx) }
		}
		own := errors.New("own error")
		began, finished = 0, 0
		errs := grouped(t, db, one("a"), one("b"), one("c"))
		if errors.Join(errs...) != nil || began != 2 || finished != 1 || sum != 3 {
			t.Errorf("errors %v, began %d, finished %d with %d", errs, began, finished, sum)
		}
		began, finished = 0, 0
		errs = grouped(t, db, one("d"), func(tx *sqlitedb.Tx) error { return errors.Join(add("gone")(tx), own) }, one("e"))
		if errs[0] != nil || !errors.Is(errs[1], own) || errs[2] != nil || began != 3 || finished != 1 || sum != 2 {
			t.Errorf("errors %v, began %d, finished %d with %d", errs, began, finished, sum)
		}
		began = 0
		errs = grouped(t, db, one("f"), func(*sqlitedb.Tx) error { return own }) // it has changed nothing: no second try
		if errs[0] != nil || !errors.Is(errs[1], own) || began != 2 {
			t.Errorf("errors %v, began %d", errs, began)
		}
		if got := names(t, db.Read()); got != "a b c d e f" {
			t.Errorf("in the database: %q", got)
		}
	})
}

// A turned bit in what a row says of its own columns makes bytes of a text.
func TestBytesInAColumnOfTextAreDamage(t *testing.T) {
	type word string
	for name, into := range map[string]any{"string": new(string), "named": new(word)} {
		t.Run(name, func(t *testing.T) {
			db := open(t, config(t))
			err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error { return tx.QueryRow("SELECT x'6f6b'").Scan(into) })
			if !errors.Is(err, sqlitedb.ErrDamaged) {
				t.Errorf("%v", err)
			}
			if err := db.Write(t.Context(), add("a")); !errors.Is(err, sqlitedb.ErrStopped) {
				t.Errorf("and it goes on: %v", err)
			}
		})
	}
}
