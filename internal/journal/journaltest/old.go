package journaltest

import (
	"errors"
	"io/fs"
	"testing"

	"tilld/internal/sqlitedb"
)

// MakeOld makes the journal at path, which nobody has open, one of the first version: with what the second took away and
// without what the third and the fifth added. All else in it stays. migrations are the journal's own.
func MakeOld(t testing.TB, path string, migrations fs.FS) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: migrations})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		var errs []error
		for _, query := range []string{
			"ALTER TABLE meta DROP COLUMN crc",
			"ALTER TABLE acknowledged DROP COLUMN crc",
			"ALTER TABLE value DROP COLUMN crc",
			"ALTER TABLE event DROP COLUMN crc",
			"ALTER TABLE call DROP COLUMN crc",
			"DROP TABLE crc_none",
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
		t.Fatalf("make the journal old: %v", err)
	}
}
