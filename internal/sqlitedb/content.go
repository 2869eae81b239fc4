package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// content is a table as its schema declares it: what its values must be.
type content struct {
	name    string
	strict  bool
	columns []column
}

// column has the only type that it lets in, as typeof names it; "" where it lets in any.
type column struct{ name, stored string }

// contents are the tables of the file, in the order in which they were made.
func contents(ctx context.Context, db *sql.DB) ([]content, error) {
	rows, err := db.QueryContext(ctx, `SELECT s.name, t.strict, c.name, c.type FROM sqlite_schema AS s, pragma_table_list(s.name) AS t, pragma_table_info(s.name) AS c
WHERE s.type = 'table' AND t.schema = 'main' ORDER BY s.rowid, c.cid`)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []content
	for rows.Next() {
		var t content
		var c column
		var declared string
		if err := rows.Scan(&t.name, &t.strict, &c.name, &declared); err != nil {
			return nil, fmt.Errorf("list the tables: %w", err)
		}
		switch declared {
		case "TEXT":
			c.stored = "text"
		case "INTEGER", "BIGINT", "BOOLEAN":
			c.stored = "integer"
		}
		if len(out) == 0 || out[len(out)-1].name != t.name {
			out = append(out, t)
		}
		last := &out[len(out)-1]
		last.columns = append(last.columns, c)
	}
	return out, rows.Err()
}

// check looks at what integrity_check leaves out of a table: a value of another type than its column was declared with, and a
// row that is not what was written, where rows bear checksums. SQLite looks at types in STRICT tables alone; elsewhere it lets
// bytes stand for a text, which nothing writes: a bit of the row's own description has turned.
func (t content) check(ctx context.Context, db *sql.DB, path string) error {
	var q strings.Builder
	for i, c := range t.columns { // NULL is integrity_check's business
		if !t.strict && c.stored != "" {
			fmt.Fprintf(&q, " WHEN typeof(r.%s) NOT IN ('%s', 'null') THEN %d", quote(c.name), c.stored, i)
		}
	}
	if row := (Table{name: t.name}); slices.ContainsFunc(t.columns, func(c column) bool { return c.name == crcColumn }) {
		for _, c := range t.columns {
			if c.name != crcColumn {
				row.columns = append(row.columns, quote(c.name))
			}
		}
		fmt.Fprintf(&q, " WHEN NOT %s THEN -1", row.Holds("r")) // no row comes to that: it is true, or an error
	}
	if q.Len() == 0 {
		return nil
	}
	var n int
	// An index holds what was written, not what the row says now.
	err := db.QueryRowContext(ctx, "SELECT n FROM (SELECT CASE"+q.String()+" END AS n FROM "+quote(t.name)+" AS r NOT INDEXED) WHERE n IS NOT NULL LIMIT 1").Scan(&n)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case kindOf(err) != nil:
		return condition(kindOf(err), path, err)
	case err != nil:
		return fmt.Errorf("check what is in %s: %w", t.name, err)
	}
	return condition(ErrDamaged, path, fmt.Errorf("a value in %s.%s is not of type %s", t.name, t.columns[n].name, t.columns[n].stored))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
