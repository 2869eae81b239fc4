package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
)

var (
	whose   = `SELECT bill, attempt FROM orders WHERE provider = $1 AND id = $2 AND ` + orderTable.Sound()
	putNote = inboxTable.Insert() + ` ON CONFLICT DO NOTHING`
)

// Whose says whose order it is. Most orders have the id of their bill, and that bill is at hand.
func (s *Store) Whose(ctx context.Context, provider, order string) (id string, attempt int, err error) {
	if st, ok := s.cache.get(order); ok && st.Order.ID == order && st.Request.Provider == provider {
		return order, 0, nil
	}
	defer s.explain(&err)
	err = s.reads.scan(ctx, whose, []any{provider, order}, &id, &attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, integrator.ErrUnknownBill
	}
	if err != nil {
		return "", 0, fmt.Errorf("find order: %w", err)
	}
	return id, attempt, nil
}

// Note stores that a provider spoke of an order.
func (s *Store) Note(ctx context.Context, n integrator.Note) (string, int, error) {
	var id string
	var attempt int
	err := s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		id, attempt = "", 0
		err := tx.QueryRow(whose, n.Provider, n.Order).Scan(&id, &attempt)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find order: %w", err)
		}
		return note(tx, n, id)
	})
	if err == nil && id == "" {
		err = integrator.ErrUnknownBill
	}
	return id, attempt, err
}

func note(tx *sqlitedb.Tx, n integrator.Note, id string) error {
	for at := nanos(n.At); ; at++ { // two calls about an order may come in the same nanosecond, on two cores
		r, err := tx.Exec(putNote, n.Provider, n.Order, at, id)
		if err != nil {
			return fmt.Errorf("write inbox: %w", err)
		}
		if put, err := r.RowsAffected(); err != nil || put > 0 {
			return err
		}
	}
}

// Forget drops old notes.
func (s *Store) Forget(ctx context.Context, before time.Time) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		if _, err := tx.Exec(`DELETE FROM inbox WHERE at < $1`, nanos(before)); err != nil {
			return fmt.Errorf("forget inbox: %w", err)
		}
		return nil
	})
}
