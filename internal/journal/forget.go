package journal

import (
	"context"
	"database/sql"
	"errors"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// forgetChunk is how many values one transaction of Forget removes: each may be of a megabyte, and a payment waits behind it.
const forgetChunk = 20

// Forget removes values as f says, the oldest first, and answers how many. The room is the database's: what comes later is
// written there, and the file grows no further; it does not become smaller.
func (j *Journal) Forget(ctx context.Context, f record.Forget) (int64, error) {
	before, err := j.forgetBefore(ctx, f)
	if err != nil {
		return 0, j.reading("look for old values of "+f.Bucket, err)
	}
	if before == "" {
		return 0, nil
	}
	var total int64
	for {
		var n int64
		err := j.db.Write(ctx, func(tx *sqlitedb.Tx) error {
			done, err := tx.Exec(`DELETE FROM value WHERE n IN (SELECT v.n FROM value v WHERE v.bucket = $1 AND v.key < $2
AND NOT EXISTS (SELECT 1 FROM value o WHERE o.bucket = $3 AND o.key = v.key AND o.live = 1) ORDER BY v.key LIMIT $4)`,
				f.Bucket, before, f.Of, forgetChunk)
			if err != nil {
				return err
			}
			n, err = done.RowsAffected()
			return err
		})
		total += n
		if err != nil || n == 0 {
			return total, j.after("remove old values of "+f.Bucket, err)
		}
	}
}

// forgetBefore is the key below which values go.
func (j *Journal) forgetBefore(ctx context.Context, f record.Forget) (string, error) {
	before, newest := f.Before, ""
	err := j.db.Read().QueryRowContext(ctx, "SELECT key FROM value WHERE bucket = $1 ORDER BY key DESC LIMIT 1 OFFSET $2",
		f.Bucket, max(f.Least-1, 0)).Scan(&newest)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		before = "" // there are no more than may stay whatever their age
	case err != nil:
		return "", err
	case f.Least > 0:
		before = min(before, newest)
	}
	var large sql.NullString // the newest value that is beyond Bytes
	err = j.db.Read().QueryRowContext(ctx, `SELECT max(key) FROM (SELECT key, sum(length(body)) OVER (ORDER BY key DESC) AS upto
FROM value WHERE bucket = $1) WHERE upto > $2`, f.Bucket, f.Bytes).Scan(&large)
	if err != nil {
		return "", err
	}
	if large.Valid {
		before = max(before, large.String+"0") // itself too: all keys are of one length
	}
	return before, nil
}
