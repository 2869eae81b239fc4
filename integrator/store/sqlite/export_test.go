package sqlite

import (
	"context"
	"strings"
)

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
