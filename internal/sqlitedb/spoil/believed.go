package spoil

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
)

// Uncompared is a bug that whoever damages a database must find: no row is compared with its checksum.
const Uncompared = "the checksum of a row is not compared"

// Believed are the files as a program with that bug reads them: each row of the closed database bears the checksum of what it
// holds now. What SQLite itself cannot read stays as it is.
func Believed(ctx context.Context, f Files, name string) (Files, error) {
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
