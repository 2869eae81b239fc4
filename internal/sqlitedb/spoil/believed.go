package spoil

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Uncompared is a bug that whoever damages a database must find: no row is compared with its checksum.
const Uncompared = "the checksum of a row is not compared"

// uncompared is open with the bug. A turned bit is what it takes to see it, in a database without a log.
func uncompared(name string, open func(t *testing.T, f Files, kind, what string) string) func(t *testing.T, f Files, kind, what string) string {
	return func(t *testing.T, f Files, kind, what string) string {
		switch kind {
		case "":
		case Bit:
			var err error
			if f, err = believed(t.Context(), f, name); err != nil {
				t.Error("the bug cannot be planted:", err)
				return Right
			}
		default:
			return Right
		}
		return open(t, f, kind, what)
	}
}

// believed are the files as a program with that bug reads them: each row of the closed database bears the checksum of what it
// holds now. What SQLite itself cannot read stays as it is.
func believed(ctx context.Context, f Files, name string) (Files, error) {
	dir, err := os.MkdirTemp("", "believed")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a copy
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, f[name], 0o600); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	err = Resum(ctx, db, func(query string) error { _, err := db.ExecContext(ctx, query); return err })
	if err := errors.Join(err, db.Close()); err != nil {
		return f, nil // it is damage that is found without checksums
	}
	b, err := os.ReadFile(path)
	return f.With(name, b), err
}
