package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// checkTypes finds a value of another type than its column was declared with. integrity_check does that in STRICT tables
// alone. Elsewhere SQLite lets bytes stand for a text, which nothing writes: a bit of the row's own description has turned.
func checkTypes(ctx context.Context, db *sql.DB, path, table string) error {
	columns, err := typed(ctx, db, table)
	if err != nil || len(columns) == 0 {
		return err
	}
	var q strings.Builder
	q.WriteString("SELECT n FROM (SELECT CASE")
	for i, c := range columns { // NULL is integrity_check's business
		fmt.Fprintf(&q, " WHEN typeof(%s) NOT IN ('%s', 'null') THEN %d", quote(c.name), c.stored, i)
	}
	// An index holds what was written, not what the row says now.
	fmt.Fprintf(&q, " END AS n FROM %s NOT INDEXED) WHERE n IS NOT NULL LIMIT 1", quote(table))
	var n int
	err = db.QueryRowContext(ctx, q.String()).Scan(&n)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("check the types of %s: %w", table, err)
	}
	return condition(ErrDamaged, path, fmt.Errorf("a value in %s.%s is not of type %s", table, columns[n].name, columns[n].stored))
}

// column is one that holds a single type, as typeof names it.
type column struct{ name, stored string }

// typed are the columns of a table that is not STRICT whose declared type lets one type in.
func typed(ctx context.Context, db *sql.DB, table string) ([]column, error) {
	rows, err := db.QueryContext(ctx, `SELECT c.name, c.type FROM pragma_table_list($1) AS t, pragma_table_info($1) AS c
WHERE t.schema = 'main' AND NOT t.strict`, table)
	if err != nil {
		return nil, fmt.Errorf("list the columns of %s: %w", table, err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []column
	for rows.Next() {
		var c column
		var declared string
		if err := rows.Scan(&c.name, &declared); err != nil {
			return nil, fmt.Errorf("list the columns of %s: %w", table, err)
		}
		switch declared {
		case "TEXT":
			c.stored = "text"
		case "INTEGER", "BIGINT", "BOOLEAN":
			c.stored = "integer"
		default:
			continue
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
