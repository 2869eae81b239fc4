package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// reads are the statements of the readers' connections, each prepared once for the life of the store.
type reads struct {
	db    *sql.DB
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func (r *reads) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare to read: %w", err)
	}
	if r.stmts == nil {
		r.stmts = map[string]*sql.Stmt{}
	}
	r.stmts[query] = s
	return s, nil
}

// query runs one statement for rows.
func (r *reads) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// scan runs one statement for one row.
func (r *reads) scan(ctx context.Context, query string, args []any, into ...any) error {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(ctx, args...).Scan(into...)
}

func (r *reads) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.stmts {
		errs = append(errs, s.Close())
	}
	r.stmts = nil
	return errors.Join(errs...)
}

// pooled reads statement by statement, each its own snapshot.
type pooled struct{ r *reads }

func (p pooled) query(ctx context.Context, query string, args ...any) (rows, error) {
	return p.r.query(ctx, query, args...)
}

func (p pooled) row(ctx context.Context, query string, args ...any) row {
	s, err := p.r.stmt(ctx, query)
	if err != nil {
		return failed{err}
	}
	return s.QueryRowContext(ctx, args...)
}

// failed is a row that could not be asked for.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// snapshot reads with the prepared statements in one transaction.
type snapshot struct {
	tx *sql.Tx
	r  *reads
}

func (s snapshot) query(ctx context.Context, query string, args ...any) (rows, error) {
	st, err := s.r.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.tx.StmtContext(ctx, st).QueryContext(ctx, args...)
}

func (s snapshot) row(ctx context.Context, query string, args ...any) row {
	st, err := s.r.stmt(ctx, query)
	if err != nil {
		return failed{err}
	}
	return s.tx.StmtContext(ctx, st).QueryRowContext(ctx, args...)
}
