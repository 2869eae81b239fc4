package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

func quickCheck(ctx context.Context, db *sql.DB, path string) error {
	return checkWith(ctx, db, path, "quick_check")
}

// checkWith runs one of SQLite's own checks; its first findings are the cause of ErrDamaged.
func checkWith(ctx context.Context, db *sql.DB, path, pragma string) error {
	rows, err := db.QueryContext(ctx, "PRAGMA "+pragma+"(3)")
	if err != nil {
		return fmt.Errorf("%s: %w", pragma, err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return fmt.Errorf("%s: %w", pragma, err)
		}
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", pragma, err)
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil
	}
	return condition(ErrDamaged, path, errors.New(strings.Join(found, "; ")))
}
