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
	readReckoning = `SELECT mark, ahead FROM reckoning WHERE ` + reckoningTable.Sound()
	keepReckoning = reckoningTable.Insert("1", "$1", "$2") + ` ON CONFLICT (one) DO UPDATE SET ` + reckoningTable.Set("mark = excluded.mark", "ahead = excluded.ahead")
)

// Reckoning is where the ledger's time stood when it was kept last.
func (s *Store) Reckoning(ctx context.Context) (_ integrator.Reckoning, err error) {
	defer s.explain(&err)
	return reckoning(ctx, s.db.Read())
}

func reckoning(ctx context.Context, q *sql.DB) (integrator.Reckoning, error) {
	var mark, ahead int64
	err := q.QueryRowContext(ctx, readReckoning).Scan(&mark, &ahead)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return integrator.Reckoning{}, fmt.Errorf("read the ledger's time: %w", err)
	}
	return integrator.Reckoning{Mark: at(mark), Ahead: time.Duration(ahead)}, nil
}

// Reckon keeps where the ledger's time stands.
func (s *Store) Reckon(ctx context.Context, r integrator.Reckoning) error {
	return s.db.Write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec(keepReckoning, nanos(r.Mark), int64(r.Ahead))
		if err != nil {
			return fmt.Errorf("keep the ledger's time: %w", err)
		}
		return nil
	})
}
