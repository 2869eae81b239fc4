package sqlitedb_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
)

// TestTheLastPageIsHalf: where the log holds it, copying back was cut short and is done again. Else it is gone, and no start
// may make a page of zeros of it.
func TestTheLastPageIsHalf(t *testing.T) {
	for name, change := range map[string]string{
		"no log":         "",
		"another page":   "UPDATE thing SET name = 'y' WHERE id = 1",
		"it is the page": "INSERT INTO thing (name) SELECT 'y' || name FROM thing",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := made(t)
			dir := filepath.Dir(cfg.Path)
			files, err := spoil.Read(dir, "")
			whole := len(files["thing.db"])
			if change != "" {
				db := open(t, cfg)
				err = errors.Join(err, db.Write(t.Context(), func(tx *sqlitedb.Tx) error { _, err := tx.Exec(change); return err }))
				log, err2 := spoil.Read(dir, "thing.db-wal")
				files["thing.db-wal"] = log["thing.db-wal"]
				err = errors.Join(err, err2, db.Close())
				if copied, err3 := spoil.Read(dir, ""); name == "it is the page" && err3 == nil {
					whole += 4 * 1024 // so far it came
					files["thing.db"] = copied["thing.db"]
				}
			}
			files["thing.db"] = files["thing.db"][:whole-512]
			if err := errors.Join(err, files.Write(dir)); err != nil {
				t.Fatal(err)
			}
			if name == "it is the page" {
				if got := len(strings.Fields(names(t, open(t, cfg).Read()))); got != 600 {
					t.Errorf("%d rows", got)
				}
				return
			}
			for range 2 {
				_, err = sqlitedb.Open(t.Context(), cfg)
				if !errors.Is(err, sqlitedb.ErrDamaged) || !strings.Contains(err.Error(), "it ends in the middle of page ") {
					t.Fatalf("open: %v", err)
				}
				sentence(t, err, cfg.Path)
			}
		})
	}
}
