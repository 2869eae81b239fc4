package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tilld/internal/record"
)

// eventsWhere reads events within a range, of which a condition is true. Each of the range is compared with its checksum before
// it is asked for the condition: one whose type or subject is another now would be passed over, and a sum would lack it.
// A column that the condition holds against a constant bears a plus: else SQLite puts the constant in its place in the row that
// is compared, and a sound one of another subject is called damaged.
func eventsWhere(within, condition string) string {
	return "SELECT seq, type, at, lane, subject, data FROM event WHERE " + within + " AND " + eventTable.Sound() + " AND " + condition
}

func scanEvent(row interface{ Scan(...any) error }) (e record.Event, err error) {
	var at int64
	var data []byte
	err = row.Scan(&e.Seq, &e.Type, &at, &e.Lane, &e.Subject, &data)
	e.At, e.Data = time.UnixMicro(at).UTC(), raw(data)
	return e, err
}

// Between calls f with each event after seq `after` up to seq `upto` whose type begins with prefix, oldest first. What is
// no longer kept is left out. f must not use the journal.
func (j *Journal) Between(ctx context.Context, after, upto int64, prefix string, f func(record.Event) error) error {
	return j.eachEvent(ctx, f, eventsWhere("seq > $1 AND seq <= $2", "substr(type, 1, $3) = $4"), after, upto, len(prefix), prefix)
}

// Typed calls f with each event of these types, oldest first: it goes through the log once, however many they are. What is
// no longer kept is left out. f must not use the journal.
func (j *Journal) Typed(ctx context.Context, types []string, f func(record.Event) error) error {
	args := make([]any, len(types))
	names := make([]string, len(types))
	for i, typ := range types {
		args[i], names[i] = typ, "$"+strconv.Itoa(i+1)
	}
	return j.eachEvent(ctx, f, eventsWhere("TRUE", "+type IN ("+strings.Join(names, ", ")+")"), args...)
}

func (j *Journal) eachEvent(ctx context.Context, f func(record.Event) error, query string, args ...any) error {
	rows, err := j.db.Read().QueryContext(ctx, query+" ORDER BY seq", args...)
	if err != nil {
		return j.reading("read events", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return j.reading("read events", err)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return j.reading("read events", err)
	}
	return nil
}

// Before is the newest event of a subject up to seq `upto` whose type begins with prefix; record.ErrNotFound if none is
// kept.
func (j *Journal) Before(ctx context.Context, subject string, upto int64, prefix string) (record.Event, error) {
	// The condition first: what is looked for may be a million events back.
	row := j.db.Read().QueryRowContext(ctx, eventsWhere("seq <= $1 AND +subject = $2 AND substr(type, 1, $3) = $4", "TRUE")+" ORDER BY seq DESC LIMIT 1",
		upto, subject, len(prefix), prefix)
	e, err := scanEvent(row)
	if errors.Is(err, sql.ErrNoRows) {
		return record.Event{}, fmt.Errorf("event of %s before %d: %w", subject, upto, record.ErrNotFound)
	}
	if err != nil {
		return record.Event{}, j.reading("read an earlier event", err)
	}
	return e, nil
}

var atSQL = "SELECT at FROM event WHERE seq = $1 AND " + eventTable.Sound()

// SeqAt is the seq of the last event before a moment, 0 if none is kept. It halves the log: seq rises with time, but for a
// clock that was set back, around which the answer is one of the possible ones.
func (j *Journal) SeqAt(ctx context.Context, at time.Time) (int64, error) {
	var low, high int64 // every event up to low is before at; every one above high is not
	if err := j.db.Read().QueryRowContext(ctx, trimmedSQL).Scan(&low); err != nil {
		return 0, j.reading("look for a moment", err)
	}
	high = j.Meta().Seq
	for low < high {
		mid := low + (high-low+1)/2
		var when int64
		err := j.db.Read().QueryRowContext(ctx, atSQL, mid).Scan(&when)
		switch {
		case errors.Is(err, sql.ErrNoRows): // trimmed meanwhile
			low = mid
		case err != nil:
			return 0, j.reading("look for a moment", err)
		case when < at.UnixMicro():
			low = mid
		default:
			high = mid - 1
		}
	}
	return low, nil
}
