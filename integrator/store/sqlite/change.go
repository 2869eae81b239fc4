package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
	"tilld/payment"
	"tilld/payment/bill"
)

var (
	sessionOf   = `SELECT epoch, numbers_day, numbers_from, numbers_to FROM terminals WHERE name = $1 AND ` + terminalTable.Sound()
	answerOf    = `SELECT hash, outcome, owed FROM calls WHERE terminal = $1 AND id = $2 AND ` + callTable.Sound()
	putAnswer   = callTable.Insert()
	countEvents = `UPDATE terminals SET ` + terminalTable.Set("seq = terminals.seq + $2") + ` WHERE name = $1`
	putEvent    = `INSERT INTO events (` + eventTable.Names() + `) SELECT ` + eventTable.With("name", "seq - $2", "$3", "$4", "$5", "$6", "$7") + ` FROM terminals WHERE name = $1`
	ofReference = `SELECT id FROM bills WHERE terminal = $1 AND lane = $2 AND reference = $3 AND reference <> '' AND ` + billTable.Sound()
)

// Change runs f on the subject's case and writes all of it in one transaction.
func (s *Store) Change(ctx context.Context, sub integrator.Subject, f func(*integrator.Case) error) error {
	var ids []string
	return s.db.WriteThen(ctx, func(tx *sqlitedb.Tx) error {
		ids = ids[:0]
		c := &integrator.Case{}
		if err := s.fence(tx, sub, c); err != nil {
			return err
		}
		old, known := s.cache.within(sub.Bill)
		if !known {
			var err error
			if old, err = load(ctx, writing{tx}, sub.Bill); err != nil && !errors.Is(err, integrator.ErrUnknownBill) {
				return err
			}
		}
		if old.ID != "" && sub.Terminal != "" && old.Terminal != sub.Terminal {
			return integrator.ErrUnknownBill
		}
		if old.ID != "" { // no call of a bill that is not there was answered
			var err error
			if c.Called, err = called(tx, sub); err != nil {
				return err
			}
		}
		before := c.Called
		c.Bill = old.Clone()
		if err := f(c); err != nil {
			return err
		}
		if err := write(tx, sub, old, before, c); err != nil {
			return err
		}
		for _, w := range written(c) {
			s.cache.wrote(w)
			ids = append(ids, w.ID)
		}
		return nil
	}, func() { s.cache.committed(ids) })
}

// fence lets the newest session of the terminal alone write, and the server itself.
func (s *Store) fence(tx *sqlitedb.Tx, sub integrator.Subject, c *integrator.Case) error {
	if sub.Epoch == 0 {
		return nil
	}
	have, known := s.cache.session(sub.Terminal)
	if !known {
		n := &have.numbers
		err := tx.QueryRow(sessionOf, sub.Terminal).
			Scan(&have.epoch, &n.Day, &n.From, &n.To)
		if errors.Is(err, sql.ErrNoRows) {
			return integrator.ErrUnknownTerminal
		}
		if err != nil {
			return fmt.Errorf("read terminal: %w", err)
		}
		s.cache.saw(sub.Terminal, have)
	}
	if have.epoch != sub.Epoch {
		return integrator.ErrSuperseded
	}
	c.Numbers = have.numbers
	return nil
}

func called(tx *sqlitedb.Tx, sub integrator.Subject) (*integrator.Called, error) {
	if sub.Call == "" {
		return nil, nil
	}
	var c integrator.Called
	err := tx.QueryRow(answerOf, sub.Terminal, sub.Call).
		Scan(&c.Hash, &c.Outcome, &c.Owed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read call: %w", err)
	}
	return &c, nil
}

func write(tx *sqlitedb.Tx, sub integrator.Subject, old bill.State, before *integrator.Called, c *integrator.Case) error {
	if sub.Done != nil {
		var err error
		if c.Again, err = finish(tx, *sub.Done); err != nil {
			return err
		}
	}
	if c.Bill.ID == "" {
		return nil
	}
	if sub.Noted != nil {
		if err := note(tx, *sub.Noted, c.Bill.ID); err != nil {
			return err
		}
	}
	if err := save(tx, old, c.Bill); err != nil {
		return err
	}
	for _, n := range c.New {
		if err := save(tx, bill.State{}, n); err != nil {
			return err
		}
		if err := clock(tx, n.ID, bill.Due(n)); err != nil {
			return err
		}
	}
	if c.Called != nil && before == nil && sub.Call != "" {
		if _, err := tx.Exec(putAnswer, sub.Terminal, sub.Call, c.Bill.ID, c.Called.Hash, c.Called.Outcome, c.Called.Owed); err != nil {
			return fmt.Errorf("write call: %w", err)
		}
	}
	if err := tell(tx, c); err != nil {
		return err
	}
	if len(c.Notices) > 0 {
		if err := notices(tx, c); err != nil {
			return err
		}
	}
	if err := queue(tx, c); err != nil {
		return err
	}
	if c.Due == nil {
		return nil
	}
	if ticked := sub.Done != nil && sub.Done.Kind == integrator.Tick; !ticked && old.ID != "" && bill.Due(old).Equal(*c.Due) {
		return nil // it is set, and was not taken off the queue here
	}
	return clock(tx, c.Bill.ID, *c.Due)
}

// tell appends the events to the terminal's stream. The number of an event is read out of its terminal's row where it is
// needed: RETURNING would cost as much as all the rest of it.
func tell(tx *sqlitedb.Tx, c *integrator.Case) error {
	if len(c.Tell) == 0 || c.Bill.Terminal == "" {
		return nil
	}
	r, err := tx.Exec(countEvents, c.Bill.Terminal, len(c.Tell))
	if err != nil {
		return fmt.Errorf("number events: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, integrator.ErrUnknownTerminal)
	}
	for i, t := range c.Tell {
		body, err := json.Marshal(t.Body)
		if err != nil {
			return fmt.Errorf("write event %s: %w", t.Type, err)
		}
		if _, err := tx.Exec(putEvent, c.Bill.Terminal, len(c.Tell)-1-i, t.Type, c.Bill.ID, int64(t.Fresh), nanos(c.Now), string(body)); err != nil {
			return fmt.Errorf("write event %s: %w", t.Type, err)
		}
	}
	return nil
}

// Bill reads one bill. Most have no rows besides their own, and one statement needs no transaction.
func (s *Store) Bill(ctx context.Context, id string) (_ bill.State, err error) {
	if st, ok := s.cache.get(id); ok {
		return st.Clone(), nil
	}
	defer s.explain(&err)
	st, p, err := head(ctx, pooled{s.reads}, id)
	if err != nil || p == 0 {
		return st, err
	}
	for _, query := range partsSQL { // before it has a connection
		if _, err := s.reads.stmt(ctx, query); err != nil { //nolint:sqlclosecheck // kept for the life of the store
			return bill.State{}, fmt.Errorf("read bill: %w", err)
		}
	}
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return bill.State{}, fmt.Errorf("read bill: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	return load(ctx, snapshot{tx, s.reads}, id)
}

// ByReference finds the bill that holds a till's reference.
func (s *Store) ByReference(ctx context.Context, terminal, lane, reference string) (id string, err error) {
	defer s.explain(&err)
	err = s.reads.scan(ctx, ofReference, []any{terminal, lane, reference}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", integrator.ErrUnknownBill
	}
	if err != nil {
		return "", fmt.Errorf("find reference: %w", err)
	}
	return id, nil
}

// List is ids of bills, oldest first.
func (s *Store) List(ctx context.Context, q integrator.Query) (_ []string, err error) {
	defer s.explain(&err)
	// Each bill of an index is compared with its checksum before it is asked for the rest: one whose flag is another now would
	// be passed over, and a person would not hear of it.
	which, where := "", "($1 = '' OR terminal = $1)"
	limit := int64(q.Limit)
	if limit <= 0 {
		limit = 1 << 40
	}
	args := []any{q.Terminal, limit}
	switch q.Which {
	case integrator.Open:
		which = "open AND "
	case integrator.Unsettled:
		which = "NOT settled AND "
	case integrator.Review:
		wants := "review OR doubt OR status = '" + bill.StPaid + "'"
		if len(q.Known) > 0 {
			known := make([]string, len(q.Known))
			for i, name := range q.Known {
				args = append(args, name)
				known[i] = "$" + strconv.Itoa(len(args))
			}
			wants += " OR provider NOT IN (" + strings.Join(known, ", ") + ")"
		}
		which, where = "NOT settled AND ", where+" AND ("+wants+")"
	case integrator.InDoubt:
		which, where = "NOT settled AND ", where+" AND doubt"
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id FROM bills WHERE `+which+billTable.Sound()+` AND `+where+` ORDER BY created_at, id LIMIT $2`, args...)
	if err != nil {
		return nil, fmt.Errorf("list bills: %w", err)
	}
	return texts(rows)
}

func texts(rows *sql.Rows) ([]string, error) {
	defer rows.Close() //nolint:errcheck // Err below says what matters
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// unfinished: the box has not had the last word.
func unfinished(s bill.State) bool {
	return s.Life != payment.Closed || s.Reason == payment.Done && s.ByDeadline
}

// settled: nothing will happen to the bill unless somebody asks or more money comes.
func settled(s bill.State) bool {
	if s.Life != payment.Closed || s.Doubt || s.Review {
		return false
	}
	return !slices.ContainsFunc(s.Obligations, func(o bill.Obligation) bool {
		return o.State == bill.Owed || o.State == bill.Sent || o.State == bill.Human
	})
}

// wanted: a person has to do something about it; of a return that the shop's account is short for, put money there.
func wanted(s bill.State) bool {
	return s.Review || slices.ContainsFunc(s.Obligations, func(o bill.Obligation) bool { return o.State == bill.Human || o.Short })
}
