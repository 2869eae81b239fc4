package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
)

// notices writes what the merchant is told, and takes out of c.Notices what he was told of this bill within the last day. Of
// each code the first time and the newest are kept: what repeats for a year takes two rows.
func notices(tx *sqlitedb.Tx, c *integrator.Case) error {
	var fresh []string
	for _, code := range c.Notices {
		if slices.Contains(fresh, code) {
			continue
		}
		var first, last sql.NullInt64
		if err := tx.QueryRow(`SELECT MIN(at), MAX(at) FROM notices WHERE bill = $1 AND code = $2`, c.Bill.ID, code).Scan(&first, &last); err != nil {
			return fmt.Errorf("read notices: %w", err)
		}
		if last.Valid && c.Now.Sub(at(last.Int64)) < integrator.NoticeAgain {
			continue
		}
		if last.Valid && last.Int64 != first.Int64 {
			if _, err := tx.Exec(`DELETE FROM notices WHERE bill = $1 AND code = $2 AND at = $3`, c.Bill.ID, code, last.Int64); err != nil {
				return fmt.Errorf("write notice: %w", err)
			}
		}
		if _, err := tx.Exec(`INSERT INTO notices (bill, code, at) VALUES ($1, $2, $3)`, c.Bill.ID, code, nanos(c.Now)); err != nil {
			return fmt.Errorf("write notice: %w", err)
		}
		fresh = append(fresh, code)
	}
	c.Notices = fresh
	return nil
}

// Notices are those of one bill, oldest first.
func (s *Store) Notices(ctx context.Context, bill string) (out []integrator.Notice, err error) {
	defer s.explain(&err)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT code, at FROM notices WHERE bill = $1 ORDER BY at, code`, bill)
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		var n integrator.Notice
		var when int64
		if err := rows.Scan(&n.Code, &when); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		n.At = at(when)
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return out, nil
}

// ForgetNotices drops old notices of bills that nothing is left to do about.
func (s *Store) ForgetNotices(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM notices WHERE at < $1 AND bill IN (SELECT id FROM bills WHERE settled)`, nanos(before)); err != nil {
			return fmt.Errorf("forget notices: %w", err)
		}
		return nil
	})
}
