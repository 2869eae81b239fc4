package sqlitedb

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is what a function given to Write works with: statements of the writer's transaction, each prepared once for the
// life of the database. It has no Commit, and contexts given to it lose their cancellation: a statement that is broken
// off makes SQLite roll back the work of everybody in the group. It is not for other goroutines and not for later.
type Tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	fault error // first error that may have ended the transaction; nothing runs after it
}

// maxStmts bounds the cache against statements that are built with values in their text.
const maxStmts = 256

func (t *Tx) stmt(query string) (*sql.Stmt, error) {
	if t.fault != nil {
		return nil, t.fault
	}
	if s, ok := t.stmts[query]; ok {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, t.note(err)
	}
	if len(t.stmts) >= maxStmts {
		for q, old := range t.stmts {
			delete(t.stmts, q)
			if err := old.Close(); err != nil {
				return nil, t.note(err)
			}
			break
		}
	}
	t.stmts[query] = s
	return s, nil
}

// note remembers errors after which SQLite may have rolled the whole transaction back.
func (t *Tx) note(err error) error {
	if err != nil && t.fault == nil {
		if kind := kindOf(err); kind != nil {
			t.fault = err
		}
	}
	return err
}

// Exec runs one statement.
func (t *Tx) Exec(query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.ExecContext(context.Background(), args...)
	return r, t.note(err)
}

// Query runs one statement for rows; they must be closed before the next statement of the same text.
func (t *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.Background(), args...)
	return r, t.note(err)
}

// QueryRow runs one statement for one row; its error comes with Scan and has to be looked at.
func (t *Tx) QueryRow(query string, args ...any) *sql.Row {
	s, err := t.stmt(query)
	if err != nil {
		// database/sql has no way to make a Row of an error. A context that is over makes one, and nothing runs; the error
		// itself is what Write answers with.
		over, cancel := context.WithCancel(context.Background())
		cancel()
		t.fault = err
		return t.conn.QueryRowContext(over, "SELECT NULL")
	}
	return s.QueryRowContext(context.Background(), args...)
}

// ExecContext is Exec; ctx is there so that a Tx fits where a *sql.DB does.
func (t *Tx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	return t.Exec(query, args...)
}

// QueryContext is Query.
func (t *Tx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.Query(query, args...)
}

// QueryRowContext is QueryRow.
func (t *Tx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	return t.QueryRow(query, args...)
}

func (t *Tx) close() error {
	var first error
	for q, s := range t.stmts {
		if err := s.Close(); err != nil && first == nil {
			first = fmt.Errorf("close statement: %w", err)
		}
		delete(t.stmts, q)
	}
	return first
}
