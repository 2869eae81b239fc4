package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// reading words the error of a query. Damage that it met stops the journal. Where that has stopped, a query that is cut off by
// the end of the program says so too.
func (j *Journal) reading(what string, err error) error {
	err = j.db.Explain(err)
	if end := j.db.Stopped(); end != nil && !errors.Is(err, sqlitedb.ErrStopped) {
		err = errors.Join(end, err)
	}
	if errors.Is(err, sqlitedb.ErrStopped) {
		j.end()
	}
	return fmt.Errorf("%s: %w", what, stopped(err))
}

var (
	valuesWhere = "SELECT key, ref, live, body FROM value WHERE " // and valueTable.Sound
	keySQL      = valuesWhere + "bucket = $1 AND key = $2 AND " + valueTable.Sound()
	refSQL      = valuesWhere + "bucket = $1 AND ref = $2 AND ref <> '' AND " + valueTable.Sound()
	liveSQL     = valuesWhere + "bucket = $1 AND live = 1 AND " + valueTable.Sound() + " ORDER BY n"
	trimmedSQL  = "SELECT trimmed FROM meta WHERE " + metaTable.Sound()
	oldSQL      = `SELECT max(seq) FROM (SELECT seq, at FROM event WHERE ` + eventTable.Sound() + ` ORDER BY seq LIMIT $1)
WHERE at < $2 AND seq <= $4 OR seq <= $3`
	trimSQL = updateMeta("trimmed = $1")
)

// MaxEvents is the most that one call of Events answers.
const MaxEvents = 1000

// Find reads a value by key, or by ref where key is "". record.ErrNotFound if there is none.
func (j *Journal) Find(ctx context.Context, bucket, key, ref string) (record.Put, error) {
	query, by := keySQL, key
	if key == "" {
		query, by = refSQL, ref
	}
	p := record.Put{Bucket: bucket}
	var body []byte
	row := j.db.Read().QueryRowContext(ctx, query, bucket, by)
	err := row.Scan(&p.Key, &p.Ref, &p.Live, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return record.Put{}, fmt.Errorf("find in %s: %w", bucket, record.ErrNotFound)
	}
	if err != nil {
		return record.Put{}, j.reading("find in "+bucket, err)
	}
	p.Body = raw(body)
	return p, nil
}

// raw gives back what blob took: an empty body was none.
func raw(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Live is every value of the bucket with Live set, in order of first writing.
func (j *Journal) Live(ctx context.Context, bucket string) ([]record.Put, error) {
	rows, err := j.db.Read().QueryContext(ctx, liveSQL, bucket)
	if err != nil {
		return nil, j.reading("read live of "+bucket, err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []record.Put
	for rows.Next() {
		p := record.Put{Bucket: bucket}
		var body []byte
		if err := rows.Scan(&p.Key, &p.Ref, &p.Live, &body); err != nil {
			return nil, j.reading("read live of "+bucket, err)
		}
		p.Body = raw(body)
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, j.reading("read live of "+bucket, err)
	}
	return out, nil
}

// Events answers the events after seq `after`, oldest first, at most limit and MaxEvents. record.ErrTrimmed if some of
// them are no longer kept.
func (j *Journal) Events(ctx context.Context, after int64, limit int) ([]record.Event, error) {
	// One transaction, so that Trim cannot come between the two statements.
	tx, err := j.db.Read().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, j.reading("read events", err)
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	var trimmed int64
	if err := tx.QueryRowContext(ctx, trimmedSQL).Scan(&trimmed); err != nil {
		return nil, j.reading("read events", err)
	}
	if after < trimmed {
		return nil, fmt.Errorf("read events after %d: %w: the oldest kept is %d", after, record.ErrTrimmed, trimmed+1)
	}
	rows, err := tx.QueryContext(ctx, eventsWhere("seq > $1", "TRUE")+" ORDER BY seq LIMIT $2", after, min(max(limit, 0), MaxEvents))
	if err != nil {
		return nil, j.reading("read events", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []record.Event
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return nil, j.reading("read events", err)
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, j.reading("read events", err)
	}
	return out, nil
}

// Oldest is the seq of the oldest event that is still kept, or of the next one if none is. It is what an API names
// beside record.ErrTrimmed.
func (j *Journal) Oldest(ctx context.Context) (int64, error) {
	var trimmed int64
	if err := j.db.Read().QueryRowContext(ctx, trimmedSQL).Scan(&trimmed); err != nil {
		return 0, j.reading("read the oldest event", err)
	}
	return trimmed + 1, nil
}

// Wait returns nil when an event with a seq above after is durable; else with ctx's error, or when the journal ends.
func (j *Journal) Wait(ctx context.Context, after int64) error {
	for {
		j.mu.Lock()
		seq, grown := j.meta.Seq, j.grown
		j.mu.Unlock()
		if seq > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		case <-j.ended:
			return fmt.Errorf("wait for events: %w", record.ErrStopped)
		}
	}
}

// trimChunk is how many events one transaction of Trim removes, so that a payment never waits long behind it.
const trimChunk = 1000

// Trim removes events that are older than Config.KeepFor, but for the newest Config.KeepLeast, or beyond Config.KeepEvents,
// and answers how many. Whoever runs the daemon calls it now and then.
func (j *Journal) Trim(ctx context.Context) (int64, error) {
	var total int64
	for {
		n, err := j.trim(ctx)
		total += n
		if err != nil || n == 0 {
			return total, j.after("trim events", err)
		}
	}
}

func (j *Journal) trim(ctx context.Context) (int64, error) {
	cutoff := j.cfg.Now().Add(-j.cfg.KeepFor).UnixMicro()
	var n int64
	err := j.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		n = 0
		var upto sql.NullInt64
		// Of the oldest chunk, up to the last one that may go. at may step back with the clock; seq never does.
		err := tx.QueryRow(oldSQL, trimChunk, cutoff, j.next.seq-j.cfg.KeepEvents, j.next.seq-max(j.cfg.KeepLeast, 0)).Scan(&upto)
		if err != nil || !upto.Valid {
			return err
		}
		r, err := tx.Exec("DELETE FROM event WHERE seq <= $1", upto.Int64)
		if err != nil {
			return err
		}
		if n, err = r.RowsAffected(); err != nil {
			return err
		}
		if _, err = tx.Exec(trimSQL, upto.Int64); err != nil {
			return err
		}
		return j.count(tx) // the event that bore the counters may be among them
	})
	return n, err
}
