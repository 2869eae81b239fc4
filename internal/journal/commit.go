package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// overSQL writes a value over itself where only its body has changed, which it mostly has: no index is touched. endSQL does
// where it has come to life or to its end besides, and touches one. putSQL does all other cases. Each page that is left
// alone is one less that wears the disk. All that is in such a row is known here, so that the checksum is of what was meant,
// whatever the row held before.
var (
	valueCRC = valueTable.CRC("value.n", "$1", "$2", "$3", "$4", "$5")
	overSQL  = `UPDATE value SET body = $5, crc = ` + valueCRC + ` WHERE bucket = $1 AND key = $2 AND ref = $3 AND live = $4`
	endSQL   = `UPDATE value SET live = $4, body = $5, crc = ` + valueCRC + ` WHERE bucket = $1 AND key = $2 AND ref = $3`
	putSQL   = valueTable.Insert(nextOf("value"), "$1", "$2", "$3", "$4", "$5") +
		` ON CONFLICT (bucket, key) DO UPDATE SET ref = excluded.ref, live = excluded.live, body = excluded.body, crc = ` + valueCRC
	eventSQL  = eventTable.Insert()
	callSQL   = callTable.Insert(nextOf("call"), "$1", "$2", "$3", "$4", "$5")
	settleSQL = `DELETE FROM call WHERE n = $1`
	metaSQL   = updateMeta("seq = $1", "writes = $2", "seen = $3")
	epochSQL  = updateMeta("epoch = $1")
)

// nextOf is the n of a table's next row, which SQLite would give it by itself, but not to its checksum.
func nextOf(table string) string { return "(SELECT ifnull(max(n), 0) + 1 FROM " + table + ")" }

// Commit makes the batch durable, all of it or nothing. record.ErrExists: another key holds a put's reference.
// record.ErrStopped: this or an earlier commit failed, for good. A call's id is new, and a put's bucket and key are
// never empty.
func (j *Journal) Commit(ctx context.Context, b record.Batch) (int64, error) {
	if err := check(b); err != nil {
		return 0, err
	}
	var at counters
	var moved rows
	err := j.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		at = j.next.with(b)
		var err error
		if moved, err = j.write(tx, b, at); err != nil {
			return err
		}
		j.next = at
		maps.Copy(j.group, moved)
		if len(b.Events) > 0 {
			j.borne = at
		}
		return nil
	}, func() { j.committed(b, at, moved) })
	switch {
	case errors.Is(err, sqlitedb.ErrStopped):
		j.end()
		return 0, stopped(err)
	case err != nil:
		return 0, err
	case len(b.Events) == 0:
		return 0, nil
	}
	return at.seq, nil
}

// counters are the numbers that move with every batch.
type counters struct{ seq, writes, seen int64 }

func (c counters) with(b record.Batch) counters {
	return counters{c.seq + int64(len(b.Events)), c.writes + 1, max(c.seen, b.Seen)}
}

// begin and finish stand around each group of commits, on the writer's goroutine: the counters go on from what is
// durable. The last event of a group bears them, on a page that is written anyway; their own row is written where no event
// comes last, which is one page less in most commits. What is true is the larger of the two, each by itself: no counter
// ever falls.
func (j *Journal) begin() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.durable = counters{j.meta.Seq, j.meta.Writes, j.meta.Seen}
	j.next, j.borne = j.durable, counters{}
	clear(j.group)
}

func (j *Journal) finish(tx *sqlitedb.Tx) error {
	if j.next == j.durable || j.next == j.borne {
		return nil
	}
	return j.count(tx)
}

// count writes the counters' own row.
func (j *Journal) count(tx *sqlitedb.Tx) error {
	if _, err := tx.Exec(metaSQL, j.next.seq, j.next.writes, j.next.seen); err != nil {
		return fmt.Errorf("count the batches: %w", err)
	}
	return nil
}

func check(b record.Batch) error {
	for i := range b.Puts {
		if b.Puts[i].Bucket == "" || b.Puts[i].Key == "" {
			return errors.New("commit: a value without bucket or key")
		}
	}
	for i := range b.Calls {
		if b.Calls[i].ID == "" {
			return errors.New("commit: a call without id")
		}
	}
	return nil
}

// write puts the batch into the transaction; its last event gets at.seq, and each bears the counters as the batch leaves
// them. It answers the rows of the calls that it has made and settled.
func (j *Journal) write(tx *sqlitedb.Tx, b record.Batch, at counters) (rows, error) {
	for i := range b.Puts {
		p := &b.Puts[i]
		if err := put(tx, p); err != nil {
			if p.Ref != "" && sqlitedb.Unique(err) {
				err = record.ErrExists
			}
			return nil, fmt.Errorf("commit %s %s: %w", p.Bucket, p.Key, err)
		}
	}
	first := at.seq - int64(len(b.Events)) + 1
	for i := range b.Events {
		e := &b.Events[i]
		if _, err := tx.Exec(eventSQL, first+int64(i), e.Type, e.At.UnixMicro(), e.Lane, e.Subject, blob(e.Data), at.writes, at.seen); err != nil {
			return nil, fmt.Errorf("commit event %s: %w", e.Type, err)
		}
	}
	return j.writeCalls(tx, b)
}

func put(tx *sqlitedb.Tx, p *record.Put) error {
	for _, query := range [...]string{overSQL, endSQL, putSQL} {
		done, err := tx.Exec(query, p.Bucket, p.Key, p.Ref, p.Live, blob(p.Body))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
	}
	return nil
}

// blob is never NULL: that is the mark of a call whose params are not written.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// committed takes a durable batch into memory. It runs on the writer's goroutine, in the order of the commits.
func (j *Journal) committed(b record.Batch, at counters, moved rows) {
	j.rows.take(moved)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.meta.Seq, j.meta.Writes, j.meta.Seen = at.seq, at.writes, at.seen
	j.calls = append(j.calls, b.Calls...) // beyond what any reader was given
	j.calls = without(j.calls, b.Settled, moved.gone())
	if len(b.Events) > 0 {
		close(j.grown)
		j.grown = make(chan struct{})
	}
}

// SetEpoch keeps the epoch of the link's newest session.
func (j *Journal) SetEpoch(ctx context.Context, epoch int64) error {
	err := j.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(epochSQL, epoch)
		return err
	}, func() {
		j.mu.Lock()
		j.meta.Epoch = epoch
		j.mu.Unlock()
	})
	return j.after("keep the epoch", err)
}

// after words the error of a write that is no batch.
func (j *Journal) after(what string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, sqlitedb.ErrStopped) {
		j.end()
	}
	return fmt.Errorf("%s: %w", what, stopped(err))
}
