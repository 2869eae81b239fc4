package sqlitedb_test

import (
	"errors"
	"strings"
	"testing"

	"tilld/internal/sqlitedb"
)

// loose is a table that lets any type into any column, as the ledger's do.
const loose = `CREATE TABLE "a b" (id TEXT PRIMARY KEY, "of" TEXT, amount BIGINT NOT NULL, open BOOLEAN NOT NULL, n TIMESTAMP, UNIQUE ("of", amount, open));
INSERT INTO "a b" VALUES ('sound', NULL, 1, TRUE, x'00'), (NULL, '', 0, FALSE, 'later'), ('1', '2', '3', 4, 5);`

// TestAWrongTypeIsDamage: SQLite does not mind. The start refuses it, whatever has met it before; of a file that is too
// large for the start, the check behind it does, and then the next start.
func TestAWrongTypeIsDamage(t *testing.T) {
	for row, column := range map[string]string{
		`(x'6f6b', 'b', 1, 1, 1)`: "id",
		`('b', x'6f6b', 1, 1, 1)`: "of",
		`('b', 'b', 'b', 1, 1)`:   "amount",
		`('b', 'b', 0.5, 1, 1)`:   "amount",
		`('b', 'b', 1, x'01', 1)`: "open",
	} {
		t.Run(row, func(t *testing.T) {
			cfg := config(t)
			cfg.Migrations = migrations(loose)
			if err := open(t, cfg).Close(); err != nil {
				t.Fatal(err)
			}
			db := open(t, cfg) // the first start found nothing
			err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
				_, err := tx.Exec(`INSERT INTO "a b" VALUES ` + row)
				return err
			})
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			refused(t, cfg, column)
			large := cfg
			large.CheckLimit = -1
			db = open(t, large)
			db.Inspect()
			if !db.Inspected() || !errors.Is(db.Stopped(), sqlitedb.ErrDamaged) {
				t.Errorf("after the inspection: %v", db.Stopped())
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			refused(t, large, column)
			refused(t, large, column) // and it stays so
		})
	}
}

func refused(t *testing.T, cfg sqlitedb.Config, column string) {
	t.Helper()
	_, err := sqlitedb.Open(t.Context(), cfg)
	if !errors.Is(err, sqlitedb.ErrDamaged) || !strings.Contains(err.Error(), "a value in a b."+column+" is not of type ") {
		t.Fatalf("open: %v", err)
	}
	sentence(t, err, cfg.Path)
}
