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

// Note stores that a provider spoke of an order.
func (s *Store) Note(ctx context.Context, provider, order string, now time.Time) (string, int, error) {
	var id string
	var attempt int
	err := s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		id, attempt = "", 0
		err := tx.QueryRow(`SELECT bill, attempt FROM orders WHERE provider = $1 AND id = $2`, provider, order).Scan(&id, &attempt)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find order: %w", err)
		}
		if _, err := tx.Exec(`INSERT INTO inbox (provider, order_id, at, bill) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			provider, order, nanos(now), id); err != nil {
			return fmt.Errorf("write inbox: %w", err)
		}
		return nil
	})
	if err == nil && id == "" {
		err = integrator.ErrUnknownBill
	}
	return id, attempt, err
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
