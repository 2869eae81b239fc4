// Package sqlite is the integrator's Store in one SQLite file. Its statements are the text that every engine gets ($1,
// RETURNING, ON CONFLICT), but for the checksums (sqlitedb.Table), which an engine that keeps its own needs none of; no
// generator, and no rule of money beyond what is unique.
package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

func steps() fs.FS {
	f, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the directory is part of this package
	}
	return f
}

// Store is an open ledger. Its methods may be called from any goroutine.
type Store struct {
	db    *sqlitedb.DB
	reads *reads
	cache *cache
}

var _ integrator.Store = (*Store)(nil)

// Open opens the ledger at path, or makes it. Errors are sqlitedb's conditions. One process has the file, so leases of
// an earlier one are over.
func Open(ctx context.Context, path string) (*Store, error) {
	c := newCache()
	db, err := sqlitedb.Open(ctx, sqlitedb.Config{Path: path, Migrations: steps(), Begin: c.begin})
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s := &Store{db, &reads{db: db.Read()}, c}
	if err := s.release(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	db.Inspect()
	return s, nil
}

// Close ends the store after what is queued is on the disk.
func (s *Store) Close() error { return errors.Join(s.reads.close(), s.db.Close()) }

// Stopped is nil, or why nothing can be written any more: the process must end and start anew.
func (s *Store) Stopped() error { return s.db.Stopped() }

// Halted is closed when Stopped has an answer.
func (s *Store) Halted() <-chan struct{} { return s.db.Halted() }

// explain words what a query met. Damage stops the store, and the next Open checks the whole file, whatever its size.
func (s *Store) explain(err *error) { *err = s.db.Explain(*err) }

// querier is what reads: a transaction of the writer or a snapshot.
type querier interface {
	query(ctx context.Context, query string, args ...any) (rows, error)
	row(ctx context.Context, query string, args ...any) row
}

type row interface{ Scan(into ...any) error }

type rows interface {
	row
	Next() bool
	Err() error
	Close() error
}

// writing reads in the transaction that also writes.
type writing struct{ tx *sqlitedb.Tx }

func (w writing) query(_ context.Context, query string, args ...any) (rows, error) {
	r, err := w.tx.Query(query, args...)
	if err != nil {
		return nil, err // not a nil *Rows in an interface
	}
	return r, nil
}

func (w writing) row(_ context.Context, query string, args ...any) row {
	return w.tx.QueryRow(query, args...)
}

// nanos is a time as it is stored, 0 for never.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// Reader is a ledger opened for an audit, beside a running server if need be.
type Reader struct{ db *sqlitedb.DB }

var _ integrator.Ledger = (*Reader)(nil)

// OpenReader opens the ledger at path for reading alone. It must have this program's version.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	db, err := sqlitedb.OpenReader(ctx, sqlitedb.Config{Path: path, Migrations: steps()})
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return &Reader{db}, nil
}

// Ledger reads every bill's sums in one snapshot. Damage is sqlitedb.ErrDamaged.
func (r *Reader) Ledger(ctx context.Context, f func(integrator.Entry) error) error {
	return r.db.Explain(ledger(ctx, r.db.Read(), f))
}

// Close ends it.
func (r *Reader) Close() error { return r.db.Close() }
