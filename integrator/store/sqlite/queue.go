package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
	"tilld/payment/bill"
)

const workKey = ` WHERE bill = $1 AND kind = $2 AND attempt = $3 AND request = $4`

var (
	askWork = workTable.Insert("$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$9", "FALSE", "0", "1") +
		` ON CONFLICT (bill, kind, attempt, request) DO UPDATE SET ` + workTable.Set("method = excluded.method", "txn = excluded.txn", "amount = excluded.amount",
		"due = excluded.due", "gen = work.gen + 1", "ready = CASE WHEN work.leased AND work.ready > excluded.due THEN work.ready ELSE excluded.due END")
	takeWork = workTable.Insert("$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "TRUE", "1", "1") + ` ON CONFLICT DO NOTHING`
	setClock = workTable.Insert("''", "$1", "'tick'", "0", "''", "''", "''", "0", "$2", "$2", "FALSE", "0", "1") +
		` ON CONFLICT (bill, kind, attempt, request) DO UPDATE SET ` + workTable.Set("due = excluded.due", "ready = excluded.ready", "leased = FALSE", "tries = 0", "gen = work.gen + 1")
	endWork   = `DELETE FROM work` + workKey + ` AND gen = $5`
	againWork = `UPDATE work SET ` + workTable.Set("leased = FALSE", "tries = 0", "ready = work.due") + workKey + ` AND leased`
	claimWork = `UPDATE work SET ` + workTable.Set("leased = TRUE", "ready = $3", "tries = work.tries + 1") + `
WHERE (bill, kind, attempt, request) IN (SELECT bill, kind, attempt, request FROM work WHERE queue = $1 AND ready <= $2 ORDER BY ready LIMIT $4 + 0)
RETURNING queue, bill, kind, attempt, request, method, txn, amount, due, tries, gen`
	nextWork    = `SELECT ready FROM work WHERE queue = $1 AND ` + workTable.Sound() + ` ORDER BY ready LIMIT 1`
	releaseWork = `UPDATE work SET ` + workTable.Set("leased = FALSE", "ready = work.due") + ` WHERE leased`
	keepHeard   = `UPDATE terminals SET ` + terminalTable.Set("heard = terminals.seq") + ` WHERE heard < 0`
)

// ask puts work on a queue, due now. Work that somebody holds a lease on is due again when he is done with it: what was
// asked before this moment may not have seen what caused it.
func ask(tx *sqlitedb.Tx, queue, id string, w bill.Work, now time.Time) error {
	_, err := tx.Exec(askWork, queue, id, string(w.Kind), w.Attempt, w.Request, w.Method, w.Txn, w.Amount, nanos(now))
	if err != nil {
		return fmt.Errorf("queue work: %w", err)
	}
	return nil
}

// queue puts the case's work on its queue; the first of it in its maker's hands, if he wants it and nobody has it.
func queue(tx *sqlitedb.Tx, c *integrator.Case) error {
	for i, w := range c.Work {
		if i > 0 || c.Lease <= 0 {
			if err := ask(tx, c.Queue, c.Bill.ID, w, c.Now); err != nil {
				return err
			}
			continue
		}
		claimed := integrator.Work{Work: w, Bill: c.Bill.ID, Provider: c.Queue, Tries: 1, Gen: 1, Due: c.Now.UTC()}
		switch mine, err := take(tx, claimed, c.Now.Add(c.Lease)); {
		case err != nil:
			return err
		case mine:
			c.Claimed = &claimed
		}
	}
	return nil
}

// take puts work on its queue as claimed until end. It is not, if it was there already: then it is asked for again.
func take(tx *sqlitedb.Tx, w integrator.Work, end time.Time) (mine bool, err error) {
	r, err := tx.Exec(takeWork, w.Provider, w.Bill, string(w.Kind), w.Attempt, w.Request, w.Method, w.Txn, w.Amount, nanos(w.Due), nanos(end))
	if err != nil {
		return false, fmt.Errorf("queue work: %w", err)
	}
	n, err := r.RowsAffected()
	if err != nil || n > 0 {
		return n > 0, err
	}
	return false, ask(tx, w.Provider, w.Bill, w.Work, w.Due)
}

// clock sets or stops the bill's one clock.
func clock(tx *sqlitedb.Tx, id string, due time.Time) error {
	var err error
	if due.IsZero() {
		_, err = tx.Exec(`DELETE FROM work WHERE bill = $1 AND kind = 'tick' AND attempt = 0 AND request = ''`, id)
	} else {
		_, err = tx.Exec(setClock, id, nanos(due))
	}
	if err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	return nil
}

// finish takes answered work off the queue, or makes it due again if it was asked for in the meantime, and says so.
func finish(tx *sqlitedb.Tx, w integrator.Work) (again bool, err error) {
	r, err := tx.Exec(endWork, w.Bill, string(w.Kind), w.Attempt, w.Request, w.Gen)
	if err != nil {
		return false, fmt.Errorf("finish work: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n > 0 {
		return false, err
	}
	if r, err = tx.Exec(againWork, w.Bill, string(w.Kind), w.Attempt, w.Request); err != nil {
		return false, fmt.Errorf("finish work: %w", err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// Drop takes claimed work off the queue.
func (s *Store) Drop(ctx context.Context, w integrator.Work) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := finish(tx, w)
		return err
	})
}

// Claim leases due work of one queue.
func (s *Store) Claim(ctx context.Context, queue string, now time.Time, lease time.Duration, n int) ([]integrator.Work, error) {
	var out []integrator.Work
	err := s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		out = nil
		rows, err := tx.Query(claimWork, queue, nanos(now), nanos(now.Add(lease)), n)
		if err != nil {
			return fmt.Errorf("claim work: %w", err)
		}
		defer rows.Close() //nolint:errcheck // Err below says what matters
		for rows.Next() {
			var w integrator.Work
			var due int64
			if err := rows.Scan(&w.Provider, &w.Bill, &w.Kind, &w.Attempt, &w.Request, &w.Method, &w.Txn, &w.Amount, &due, &w.Tries, &w.Gen); err != nil {
				return fmt.Errorf("claim work: %w", err)
			}
			w.Due = at(due)
			out = append(out, w)
		}
		return rows.Err()
	})
	return out, err
}

// Next is when the queue's next work is due.
func (s *Store) Next(ctx context.Context, queue string) (_ time.Time, _ bool, err error) {
	defer s.explain(&err)
	var ready int64
	err = s.reads.scan(ctx, nextWork, []any{queue}, &ready)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read queue: %w", err)
	}
	return time.Unix(0, ready).UTC(), true, nil
}

// release ends the leases of a process that is gone. The claims stay counted: what they sent, nobody knows. And it keeps what
// each box can have seen until now: of what is written before its next session it knows nothing.
func (s *Store) release(ctx context.Context) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		if _, err := tx.Exec(keepHeard); err != nil {
			return fmt.Errorf("keep what the boxes have seen: %w", err)
		}
		if _, err := tx.Exec(releaseWork); err != nil {
			return fmt.Errorf("release work: %w", err)
		}
		return nil
	})
}

// Queues lists the queues that hold work.
func (s *Store) Queues(ctx context.Context) (_ []string, err error) {
	defer s.explain(&err)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT DISTINCT queue FROM work ORDER BY queue`)
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	return texts(rows)
}
