package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"tilld/internal/sqlitedb"
	"tilld/internal/sqlitedb/spoil"
	"tilld/payment/bill"
)

// Tables are the tables as the statements know them.
func Tables() []sqlitedb.Table {
	return []sqlitedb.Table{
		terminalTable, dayTable, billTable, orderTable, creditTable, obligationTable, attemptTable, returnTable, quoteTable, callTable,
		eventTable, workTable, inboxTable, noticeTable, reckoningTable,
	}
}

// Rows makes the checksum of each row again.
func (s *Store) Rows(ctx context.Context) ([]spoil.Row, []string, error) {
	return spoil.Rows(ctx, s.db.Read())
}

// Columns are those of each table in the file.
func (s *Store) Columns(ctx context.Context) (map[string][]string, error) {
	return spoil.Columns(ctx, s.db.Read())
}

// Raw changes the file as nobody of ours does, beside the store and without a look at keys of other tables.
func (s *Store) Raw(ctx context.Context, query string) error {
	var n, name, file string
	if err := s.db.Read().QueryRowContext(ctx, "PRAGMA database_list").Scan(&n, &name, &file); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", file)
	if err == nil {
		_, err = db.ExecContext(ctx, query)
		err = errors.Join(err, db.Close())
	}
	return err
}

// Last is the rowid of the table's last row, and a column of it as SQL writes it.
func (s *Store) Last(ctx context.Context, table, column string) (id int64, value string, err error) {
	err = s.db.Read().QueryRowContext(ctx, "SELECT rowid, quote("+column+") FROM "+table+" ORDER BY rowid DESC LIMIT 1").Scan(&id, &value)
	return id, value, err
}

// ForgetChunk is how many notices one transaction drops.
const ForgetChunk = forgetChunk

// ForgetsNotices are the statements of ForgetNotices.
func ForgetsNotices() []string { return []string{toForget, dropNotice} }

// Plan is how SQLite goes about a statement, a line for each table that it reads.
func (s *Store) Plan(ctx context.Context, query string) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "$"))...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var what string
		if err := rows.Scan(&id, &parent, &unused, &what); err != nil {
			return nil, err
		}
		out = append(out, what)
	}
	return out, rows.Err()
}

// Forgetful drops what the store holds in memory, so that the next question is answered by the file.
func (s *Store) Forgetful() { s.cache.drop() }

// Check looks at the whole file as a start does.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Hold takes n of the readers' connections, as others do who read, until it is let go of.
func (s *Store) Hold(ctx context.Context, n int) (release func() error, err error) {
	var held []*sql.Tx
	release = func() (err error) {
		for _, tx := range held {
			err = errors.Join(err, tx.Rollback())
		}
		return err
	}
	for range n {
		tx, err := s.db.Read().BeginTx(ctx, nil)
		if err != nil {
			return nil, errors.Join(err, release())
		}
		held = append(held, tx)
	}
	return release, nil
}

// Within reads a bill as Bill does, and does something else between the transaction's begin and its first statement.
func (s *Store) Within(ctx context.Context, id string, do func()) (bill.State, error) {
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return bill.State{}, err
	}
	defer tx.Rollback()
	do()
	return load(ctx, snapshot{tx, s.reads}, id)
}

// Waits is how often somebody has had to wait for a connection of the readers.
func (s *Store) Waits() int64 { return s.db.Read().Stats().WaitCount }
