package sqlitedb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// Tx is what a function given to Write works with: statements of the writer's transaction, each prepared once for the
// life of the database. It has no Commit and takes no context: a statement that is broken off makes SQLite roll back the
// work of everybody in the group. It is not for other goroutines and not for later.
//
// It speaks to the driver itself, because one goroutine has the connection for ever: what database/sql does for each
// statement (a lock, a retry, a second check of every value) would cost more than the statement.
type Tx struct {
	conn  driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // of the statement under way
	fault error               // first error that may have ended the transaction; nothing runs after it
	wrote bool                // something but a SELECT ran since the job began
	bytes int                 // of text and blobs since the log's size was last looked at
}

// maxStmts bounds the cache against statements that are built with values in their text.
const maxStmts = 256

func (t *Tx) stmt(query string) (driver.Stmt, error) {
	if t.fault != nil {
		return nil, t.fault
	}
	if s, ok := t.stmts[query]; ok {
		return s, nil
	}
	s, err := t.conn.Prepare(query)
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

// values puts args into the words of a driver. What it answers is good until the next call.
func (t *Tx) values(args []any) ([]driver.NamedValue, error) {
	t.args = t.args[:0]
	for i, a := range args {
		var v driver.Value
		switch x := a.(type) {
		case string:
			v = a
			t.bytes += len(x)
		case []byte:
			v = a
			t.bytes += len(x)
		case int64, float64, bool, nil:
			v = a
		case int:
			v = int64(x)
		default:
			var err error
			if v, err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
				return nil, fmt.Errorf("argument %d: %w", i+1, err)
			}
		}
		t.args = append(t.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return t.args, nil
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

// Exec runs one statement. Arguments are what database/sql takes.
func (t *Tx) Exec(query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	vs, err := t.values(args)
	if err != nil {
		return nil, err
	}
	x, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("the driver's statements take no context")
	}
	t.wrote = true
	r, err := x.ExecContext(context.Background(), vs)
	return r, t.note(err)
}

// Query runs one statement for rows; they must be closed before the next statement of the same text.
func (t *Tx) Query(query string, args ...any) (*Rows, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	vs, err := t.values(args)
	if err != nil {
		return nil, err
	}
	x, ok := s.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.New("the driver's statements take no context")
	}
	t.wrote = t.wrote || !strings.HasPrefix(query, "SELECT")
	r, err := x.QueryContext(context.Background(), vs)
	if err != nil {
		return nil, t.note(err)
	}
	return &Rows{tx: t, rows: r, row: make([]driver.Value, len(r.Columns()))}, nil
}

// QueryRow runs one statement for one row; its error comes with Scan and has to be looked at.
func (t *Tx) QueryRow(query string, args ...any) Row {
	r, err := t.Query(query, args...)
	return Row{r, err}
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
