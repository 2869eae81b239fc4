package sqlite

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
	"tilld/payment"
)

const terminalColumns = `name, key, epoch, journal, boot, writes, seq, acked, trimmed, memory, resync, numbers_day, numbers_from, numbers_to, opened_at, blocked, ahead, heard`

var (
	oneTerminal  = `SELECT ` + terminalColumns + ` FROM terminals WHERE name = $1 AND ` + terminalTable.Sound()
	allTerminals = `SELECT ` + terminalColumns + ` FROM terminals WHERE ` + terminalTable.Sound() + ` ORDER BY name`
	addTerminal  = terminalTable.Insert("$1", "$2", "0", "''", "''", "0", "0", "0", "0", "''", "0", "''", "0", "0", "0", "FALSE", "-1", "FALSE") +
		` ON CONFLICT (name) DO UPDATE SET ` + terminalTable.Set("key = excluded.key")
	changeTerminal = `UPDATE terminals SET ` + terminalTable.Set("epoch = $2", "journal = $3", "boot = $4", "writes = $5", "seq = $6", "acked = $7", "trimmed = $8",
		"memory = $9", "resync = $10", "opened_at = $11", "blocked = $12", "ahead = $13", "heard = $14") + ` WHERE name = $1`
	leaseNumbers = `UPDATE terminals SET ` + terminalTable.Set("numbers_day = $2", "numbers_from = $3", "numbers_to = $4") + ` WHERE name = $1 AND ($5 = 0 OR epoch = $5)`
	liftBills    = `UPDATE bills SET ` + billTable.Set("version = bills.version + $3") + ` WHERE id > $1 AND id <= $2`
	dayOf        = `SELECT day, start, used FROM days WHERE merchant = $1 AND ` + dayTable.Sound()
	keepDay      = dayTable.Insert() + ` ON CONFLICT (merchant) DO UPDATE SET ` + dayTable.Set("day = excluded.day", "start = excluded.start", "used = excluded.used")
	eventsAfter  = `SELECT e.seq, e.type, e.fresh, e.at, e.body, t.trimmed FROM terminals t
LEFT JOIN events e ON e.terminal = t.name AND e.seq > $2 AND ` + eventTable.Holds("e") + ` WHERE t.name = $1 AND ` + terminalTable.Holds("t") + ` ORDER BY e.seq LIMIT $3 + 0`
	oldEvents = `SELECT CASE WHEN t.seq - $2 > COALESCE(o.seq, 0) THEN t.seq - $2 ELSE COALESCE(o.seq, 0) END FROM terminals t
LEFT JOIN (SELECT MAX(seq) AS seq FROM events WHERE terminal = $1 AND at < $3 AND ` + eventTable.Sound() + `) o ON TRUE WHERE t.name = $1 AND ` + terminalTable.Holds("t")
	trimEvents = `UPDATE terminals SET ` + terminalTable.Set("trimmed = $2") + ` WHERE name = $1 AND trimmed < $2`
)

func scanTerminal(row interface{ Scan(...any) error }) (integrator.Terminal, error) {
	var t integrator.Terminal
	var key string
	var opened int64
	err := row.Scan(&t.Name, &key, &t.Epoch, &t.Journal, &t.Boot, &t.Writes, &t.Seq, &t.Acked, &t.Trimmed, &t.Memory, &t.Resync,
		&t.Numbers.Day, &t.Numbers.From, &t.Numbers.To, &opened, &t.Blocked, &t.Ahead, &t.Heard)
	if errors.Is(err, sql.ErrNoRows) {
		return t, integrator.ErrUnknownTerminal
	}
	if err != nil {
		return t, fmt.Errorf("read terminal: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return t, fmt.Errorf("read terminal %s: its key is not an Ed25519 key", t.Name)
	}
	t.Key, t.OpenedAt = raw, at(opened)
	return t, nil
}

// AddTerminal adds a box, or gives a known one another key.
func (s *Store) AddTerminal(ctx context.Context, t integrator.Terminal) error {
	if t.Name == "" || len(t.Key) != ed25519.PublicKeySize {
		return errors.New("add terminal: a name and an Ed25519 key are required")
	}
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		s.cache.move(t.Name)
		_, err := tx.Exec(addTerminal, t.Name, base64.StdEncoding.EncodeToString(t.Key))
		if err != nil {
			return fmt.Errorf("add terminal: %w", err)
		}
		return nil
	})
}

// Terminal reads one terminal.
func (s *Store) Terminal(ctx context.Context, name string) (_ integrator.Terminal, err error) {
	defer s.explain(&err)
	return scanTerminal(s.db.Read().QueryRowContext(ctx, oneTerminal, name))
}

// Terminals lists the terminals by name.
func (s *Store) Terminals(ctx context.Context) (_ []integrator.Terminal, err error) {
	defer s.explain(&err)
	rows, err := s.db.Read().QueryContext(ctx, allTerminals)
	if err != nil {
		return nil, fmt.Errorf("list terminals: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []integrator.Terminal
	for rows.Next() {
		t, err := scanTerminal(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// ChangeTerminal runs f on the terminal and writes it.
func (s *Store) ChangeTerminal(ctx context.Context, name string, f func(*integrator.Terminal) error) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		t, err := scanTerminal(tx.QueryRow(oneTerminal, name))
		if err != nil {
			return err
		}
		seq := t.Seq
		if err := f(&t); err != nil {
			return err
		}
		if t.Seq > seq {
			t.Trimmed = t.Seq
		}
		s.cache.move(name)
		if _, err := tx.Exec(changeTerminal, name, t.Epoch, t.Journal, t.Boot, t.Writes, t.Seq, t.Acked, t.Trimmed, t.Memory, t.Resync, nanos(t.OpenedAt), t.Blocked, t.Ahead, t.Heard); err != nil {
			return fmt.Errorf("write terminal: %w", err)
		}
		return nil
	})
}

// Lift raises the versions of the next n bills.
func (s *Store) Lift(ctx context.Context, after string, n int, by int64) (last string, err error) {
	err = s.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		var more sql.NullString
		if err := tx.QueryRow(`SELECT MAX(id) FROM (SELECT id FROM bills WHERE id > $1 ORDER BY id LIMIT $2 + 0) b`, after, n).Scan(&more); err != nil {
			return fmt.Errorf("lift versions: %w", err)
		}
		if last = more.String; last == "" {
			return nil
		}
		s.cache.bypass()
		if _, err := tx.Exec(liftBills, after, last, by); err != nil {
			return fmt.Errorf("lift versions: %w", err)
		}
		return nil
	}, s.cache.drop)
	return last, err
}

// Lease gives a terminal the next numbers of the merchant's day.
func (s *Store) Lease(ctx context.Context, terminal string, epoch int64, merchant, day string, n int) (payment.Numbers, error) {
	var out payment.Numbers
	err := s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		var d integrator.Day
		err := tx.QueryRow(dayOf, merchant).Scan(&d.Day, &d.Start, &d.Used)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("lease numbers: %w", err)
		}
		s.cache.move(terminal)
		if out, d, err = d.NextDay(day).Lease(n); err != nil {
			return err
		}
		if _, err := tx.Exec(keepDay, merchant, d.Day, d.Start, d.Used); err != nil {
			return fmt.Errorf("lease numbers: %w", err)
		}
		r, err := tx.Exec(leaseNumbers, terminal, out.Day, out.From, out.To, epoch)
		if err != nil {
			return fmt.Errorf("lease numbers: %w", err)
		}
		if n, err := r.RowsAffected(); err == nil && n == 0 {
			if epoch > 0 {
				return integrator.ErrSuperseded
			}
			return integrator.ErrUnknownTerminal
		}
		return nil
	})
	return out, err
}

// Events answers the terminal's events after a seq.
func (s *Store) Events(ctx context.Context, terminal string, after int64, n int) (_ []integrator.Event, err error) {
	defer s.explain(&err)
	rows, err := s.reads.query(ctx, eventsAfter, terminal, after, n)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []integrator.Event
	known := false
	for rows.Next() {
		var seq, fresh, when sql.NullInt64
		var kind, body sql.NullString
		var trimmed int64
		if err := rows.Scan(&seq, &kind, &fresh, &when, &body, &trimmed); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		known = true
		if after < trimmed {
			return nil, integrator.ErrTrimmed
		}
		if seq.Valid {
			out = append(out, integrator.Event{
				Seq: seq.Int64, Type: kind.String, Fresh: time.Duration(fresh.Int64), At: at(when.Int64), Body: []byte(body.String),
			})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	if !known {
		return nil, integrator.ErrUnknownTerminal
	}
	return out, nil
}

// Trim forgets old events.
func (s *Store) Trim(ctx context.Context, terminal string, keep int64, before time.Time) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		var upto int64
		err := tx.QueryRow(oldEvents, terminal, keep, nanos(before)).Scan(&upto)
		if errors.Is(err, sql.ErrNoRows) {
			return integrator.ErrUnknownTerminal
		}
		if err != nil {
			return fmt.Errorf("trim events: %w", err)
		}
		if upto <= 0 {
			return nil
		}
		if _, err := tx.Exec(`DELETE FROM events WHERE terminal = $1 AND seq <= $2`, terminal, upto); err != nil {
			return fmt.Errorf("trim events: %w", err)
		}
		if _, err := tx.Exec(trimEvents, terminal, upto); err != nil {
			return fmt.Errorf("trim events: %w", err)
		}
		return nil
	})
}
