package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// check runs SQLite's own integrity_check; its first findings are the cause of ErrDamaged. quick_check would leave out
// whether each index holds what its table holds: a bit that turns in an index hides a row from whoever looks for it.
func check(ctx context.Context, db *sql.DB, path string) error {
	const pragma = "integrity_check"
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
