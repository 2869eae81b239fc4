package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// check runs SQLite's own integrity_check and looks at the types and checksums that it leaves out; the first findings are the
// cause of ErrDamaged. quick_check would leave out whether each index holds what its table holds: a bit that turns in an index hides
// a row from whoever looks for it.
//
// A database that a query has found to be damaged is sound again after this alone. So what is damage to a query must be
// damage to it: ErrDamaged of Rows.Scan is a wrong type, that of row_holds another checksum.
func check(ctx context.Context, db *sql.DB, path string) error {
	if err := checkOf(ctx, db, path, "3"); err != nil {
		return err
	}
	tables, err := contents(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.check(ctx, db, path); err != nil {
			return err
		}
	}
	return nil
}

// checkTables is check for one table with its indexes after another, so that no reader stands in the way of the log for as
// long as all of them take. It does not see what belongs to no table.
func checkTables(ctx context.Context, db *sql.DB, path string) error {
	tables, err := contents(ctx, db)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := checkOf(ctx, db, path, quote(t.name)); err != nil {
			return err
		}
		if err := t.check(ctx, db, path); err != nil {
			return err
		}
	}
	return nil
}

func checkOf(ctx context.Context, db *sql.DB, path, of string) error {
	const pragma = "integrity_check"
	rows, err := db.QueryContext(ctx, "PRAGMA "+pragma+"("+of+")")
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
