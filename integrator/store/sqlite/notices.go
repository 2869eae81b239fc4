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

var (
	toldOf    = `SELECT MIN(at), MAX(at) FROM notices WHERE bill = $1 AND code = $2 AND ` + noticeTable.Sound()
	putNotice = noticeTable.Insert()
	noticesOf = `SELECT code, at FROM notices WHERE bill = $1 AND ` + noticeTable.Sound() + ` ORDER BY at, code`
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
		if err := tx.QueryRow(toldOf, c.Bill.ID, code).Scan(&first, &last); err != nil {
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
		if _, err := tx.Exec(putNotice, c.Bill.ID, code, nanos(c.Now)); err != nil {
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
	rows, err := s.db.Read().QueryContext(ctx, noticesOf, bill)
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

// forgetChunk is how many notices one transaction drops: whoever writes beside it waits.
const forgetChunk = 200

// Both go through the notices, which are few, and look up each one's bill by its id: without that a year of bills would be
// read, each with all of its state.
var (
	toForget   = `SELECT bill, code, at FROM notices WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM bills WHERE bills.id = notices.bill AND NOT bills.settled) AND ` + noticeTable.Sound()
	dropNotice = `DELETE FROM notices WHERE bill = $1 AND code = $2 AND at = $3
AND NOT EXISTS (SELECT 1 FROM bills WHERE bills.id = notices.bill AND NOT bills.settled)`
)

// notice is the key of one.
type notice struct {
	bill, code string
	at         int64
}

// ForgetNotices drops old notices of bills that nothing is left to do about. They are looked for beside the writer; a bill that
// is not settled any more when their turn comes keeps its own.
func (s *Store) ForgetNotices(ctx context.Context, before time.Time) error {
	old, err := s.noticesToForget(ctx, before)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(old, forgetChunk) {
		err := s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
			for _, n := range chunk {
				if _, err := tx.Exec(dropNotice, n.bill, n.code, n.at); err != nil {
					return fmt.Errorf("forget notices: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) noticesToForget(ctx context.Context, before time.Time) (out []notice, err error) {
	defer s.explain(&err)
	rows, err := s.db.Read().QueryContext(ctx, toForget, nanos(before))
	if err != nil {
		return nil, fmt.Errorf("look for old notices: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		var n notice
		if err := rows.Scan(&n.bill, &n.code, &n.at); err != nil {
			return nil, fmt.Errorf("look for old notices: %w", err)
		}
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look for old notices: %w", err)
	}
	return out, nil
}
