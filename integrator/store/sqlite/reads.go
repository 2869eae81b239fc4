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
	mu    sync.Mutex // held while nothing is waited for: whoever has a connection takes it too
	stmts map[string]*sql.Stmt
}

// stmt is a statement; the first time it takes a connection to prepare it. It is not for who has one already: where all had
// one and waited for a second, nobody would ever go on.
func (r *reads) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := r.known(query); s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare to read: %w", err)
	}
	first := r.keep(query, s)
	if first != s { // somebody was faster
		_ = s.Close() // nothing was read with it
	}
	return first, nil
}

// known is a statement that was prepared before, nil for one that was not.
func (r *reads) known(query string) *sql.Stmt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stmts[query]
}

// keep keeps a statement, unless one of its text is kept already, and gives the one that is.
func (r *reads) keep(query string, s *sql.Stmt) *sql.Stmt {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.stmts[query]; first != nil {
		return first
	}
	if r.stmts == nil {
		r.stmts = map[string]*sql.Stmt{}
	}
	r.stmts[query] = s
	return s
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

// snapshot reads with the prepared statements in one transaction, on its connection alone.
type snapshot struct {
	tx *sql.Tx
	r  *reads
}

// stmt is a statement of the transaction, and ends with it.
func (s snapshot) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := s.r.known(query); st != nil {
		return s.tx.StmtContext(ctx, st), nil
	}
	st, err := s.tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare to read: %w", err)
	}
	return st, nil
}

func (s snapshot) query(ctx context.Context, query string, args ...any) (rows, error) {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (s snapshot) row(ctx context.Context, query string, args ...any) row {
	st, err := s.stmt(ctx, query)
	if err != nil {
		return failed{err}
	}
	return st.QueryRowContext(ctx, args...)
}
