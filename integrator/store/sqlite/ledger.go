package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"tilld/integrator"
	"tilld/payment"
)

// entries has one row a bill. held is left to the reader: this only adds up what is there. Credits and obligations are read
// twice, and compared with their checksums once.
var entries = `SELECT b.id, b.terminal, b.number, b.reference, b.status, b.currency, b.life, b.doubt, b.doubt_since, b.review, b.amount, b.kept,
 COALESCE(c.total, 0), COALESCE(o.returned, 0), COALESCE(o.owed, 0), COALESCE(d.n, 0)
FROM bills b
LEFT JOIN (SELECT bill, SUM(amount) AS total FROM credits WHERE ` + creditTable.Sound() + ` GROUP BY bill) c ON c.bill = b.id
LEFT JOIN (SELECT bill, SUM(CASE WHEN state = 'done' THEN amount ELSE 0 END) AS returned,
  SUM(CASE WHEN state IN ('owed', 'sent', 'human') THEN amount ELSE 0 END) AS owed FROM obligations WHERE ` + obligationTable.Sound() + ` GROUP BY bill) o ON o.bill = b.id
LEFT JOIN (SELECT x.bill, COUNT(*) AS n FROM credits x
  JOIN (SELECT bill, provider, txn, SUM(amount) AS total FROM obligations WHERE state <> 'void' GROUP BY bill, provider, txn) y
  ON y.bill = x.bill AND y.provider = x.provider AND y.txn = x.txn WHERE y.total > x.amount GROUP BY x.bill) d ON d.bill = b.id
WHERE ` + billTable.Holds("b") + ` ORDER BY b.created_at, b.id`

// Ledger reads every bill's sums in one snapshot.
func (s *Store) Ledger(ctx context.Context, f func(integrator.Entry) error) (err error) {
	defer s.explain(&err)
	return ledger(ctx, s.db.Read(), f)
}

func ledger(ctx context.Context, q *sql.DB, f func(integrator.Entry) error) error {
	kept, err := reckoning(ctx, q)
	if err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, entries)
	if err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		var e integrator.Entry
		var life string
		var since int64
		if err := rows.Scan(&e.Bill, &e.Terminal, &e.Number, &e.Reference, &e.Status, &e.Currency, &life, &e.Doubt, &since, &e.Review, &e.Amount, &e.Goods,
			&e.Credits, &e.Returned, &e.Owed, &e.Drawn); err != nil {
			return fmt.Errorf("read ledger: %w", err)
		}
		if e.Life = payment.Life(life); since != 0 {
			e.DoubtSince = at(since).Add(-kept.Ahead)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read ledger: %w", err)
	}
	return nil
}
