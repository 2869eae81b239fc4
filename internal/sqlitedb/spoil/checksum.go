package spoil

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Row is one whose checksum was made again from all its columns.
type Row struct {
	Table string
	ID    int64
	Has   sql.NullInt64 // the checksum that it bears
	Right int64         // the one that it should bear
}

// Holds says whether it bears the right one.
func (r Row) Holds() bool { return r.Has.Valid && r.Has.Int64 == r.Right }

// Rows makes the checksum of each row of each table again; tables are all but SQLite's and the migrations' own, and one that has
// no column for it is an error. It uses nothing of what reads and checks rows elsewhere but row_crc.
func Rows(ctx context.Context, db *sql.DB) (out []Row, tables []string, err error) {
	columns, err := columnsOf(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	for table, list := range columns {
		at := slices.Index(list, "crc")
		if at < 0 {
			return nil, nil, fmt.Errorf("the rows of %s bear no checksum", table)
		}
		tables = append(tables, table)
		if out, err = rowsOf(ctx, db, out, table, slices.Delete(list, at, at+1)); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(tables)
	return out, tables, nil
}

func rowsOf(ctx context.Context, db *sql.DB, out []Row, table string, columns []string) ([]Row, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT rowid, crc, row_crc('%s', %s) FROM %[1]s NOT INDEXED", table, strings.Join(columns, ", ")))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		r := Row{Table: table}
		if err := rows.Scan(&r.ID, &r.Has, &r.Right); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Missing are the tables that have no row, so that nothing was compared in them.
func Missing(tables []string, rows []Row) (out []string) {
	for _, t := range tables {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.Table == t }) {
			out = append(out, t)
		}
	}
	return out
}

// Forgotten are the rows that do not bear the right checksum: whoever wrote them last forgot it.
func Forgotten(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), Row.Holds)
}

// Columns lists the columns of each table of ours but the checksum, in their order.
func Columns(ctx context.Context, db *sql.DB) (map[string][]string, error) {
	all, err := columnsOf(ctx, db)
	for table, list := range all {
		all[table] = slices.DeleteFunc(list, func(c string) bool { return c == "crc" })
	}
	return all, err
}

func columnsOf(ctx context.Context, db *sql.DB) (map[string][]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT t.name, c.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'goose_%' ORDER BY t.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		out[table] = append(out[table], column)
	}
	return out, rows.Err()
}

// Resum gives each row the checksum of what it holds now, as one has that was written so: for what is wrong and no damage.
func Resum(ctx context.Context, db *sql.DB, exec func(query string) error) error {
	columns, err := Columns(ctx, db)
	if err != nil {
		return err
	}
	for table, list := range columns {
		if err := exec(fmt.Sprintf("UPDATE %s SET crc = row_crc('%[1]s', %s)", table, strings.Join(list, ", "))); err != nil {
			return fmt.Errorf("checksums of %s: %w", table, err)
		}
	}
	return nil
}
