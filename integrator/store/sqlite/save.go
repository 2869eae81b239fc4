package sqlite

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"tilld/integrator"
	"tilld/internal/sqlitedb"
	"tilld/payment/bill"
)

// save writes what differs between old and s. A zero old is a new bill.
func save(tx *sqlitedb.Tx, old, s bill.State) error {
	if reflect.DeepEqual(old, s) {
		return nil
	}
	if err := saveBill(tx, old, s); err != nil {
		return err
	}
	if err := saveOrders(tx, old, s); err != nil {
		return err
	}
	if err := saveCredits(tx, old, s); err != nil {
		return err
	}
	for _, put := range []func(*sqlitedb.Tx, bill.State, bill.State) error{saveObligations, saveAttempts, saveReturns, saveQuotes} {
		if err := put(tx, old, s); err != nil {
			return err
		}
	}
	return nil
}

func saveBill(tx *sqlitedb.Tx, old, s bill.State) error {
	rest := s
	rest.Credits, rest.Obligations, rest.Attempts, rest.Returns, rest.Quotes = nil, nil, nil, nil, nil
	text, err := json.Marshal(rest)
	if err != nil {
		return fmt.Errorf("write bill %s: %w", s.ID, err)
	}
	status := bill.PublicStatus(s)
	if old.ID != "" {
		if err := updateBill(tx, old, s, status, string(text)); err != nil {
			return fmt.Errorf("write bill %s: %w", s.ID, err)
		}
		return nil
	}
	r := s.Request
	_, err = tx.Exec(`INSERT INTO bills (id, merchant, terminal, lane, reference, number, provider, amount, currency, kept, life, open, status, doubt, doubt_since, review, settled, version, created_at, parts, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		s.ID, s.Merchant, s.Terminal, r.Lane, r.Reference, r.Number, r.Provider, r.Amount.Value, r.Amount.Currency, s.Kept, string(s.Life), unfinished(s), status,
		s.Doubt, nanos(s.DoubtSince), wanted(s), settled(s), s.Version, nanos(s.CreatedAt), int64(partsOf(s)), string(text))
	if sqlitedb.Unique(err) {
		return integrator.ErrReference
	}
	if err != nil {
		return fmt.Errorf("write bill %s: %w", s.ID, err)
	}
	return nil
}

// updateBill names the columns of indexes only where they change: those that a statement names are taken out of each index
// and put back, changed or not, and most steps of a bill change none.
func updateBill(tx *sqlitedb.Tx, old, s bill.State, status, state string) error {
	const update, where = `UPDATE bills SET kept = $2, life = $3, status = $4, doubt = $5, doubt_since = $6, review = $7, version = $8, parts = $9, state = $10`, ` WHERE id = $1`
	args := []any{s.ID, s.Kept, string(s.Life), status, s.Doubt, nanos(s.DoubtSince), wanted(s), s.Version, int64(partsOf(s)), state}
	if s.Terminal == old.Terminal && unfinished(s) == unfinished(old) && settled(s) == settled(old) {
		_, err := tx.Exec(update+where, args...)
		return err
	}
	_, err := tx.Exec(update+`, terminal = $11, open = $12, settled = $13`+where, append(args, s.Terminal, unfinished(s), settled(s))...)
	if sqlitedb.Unique(err) { // its new terminal has a bill of this reference
		return integrator.ErrReference
	}
	return err
}

// saveOrders makes the provider's orders findable, and wakes the bill if the provider has already spoken of one.
func saveOrders(tx *sqlitedb.Tx, old, s bill.State) error {
	type order struct {
		id      string
		attempt int
	}
	var fresh []order
	if s.Order.ID != "" && old.Order.ID == "" {
		fresh = append(fresh, order{s.Order.ID, 0})
	}
	for _, a := range s.Attempts {
		if !slices.ContainsFunc(old.Attempts, func(b bill.Attempt) bool { return b.N == a.N }) && a.Order.ID != "" {
			fresh = append(fresh, order{a.Order.ID, a.N})
		}
	}
	for _, o := range fresh {
		if _, err := tx.Exec(`INSERT INTO orders (provider, id, bill, attempt) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			s.Request.Provider, o.id, s.ID, o.attempt); err != nil {
			return fmt.Errorf("write order: %w", err)
		}
		r, err := tx.Exec(`UPDATE inbox SET bill = $3 WHERE provider = $1 AND order_id = $2 AND bill = ''`, s.Request.Provider, o.id, s.ID)
		if err != nil {
			return fmt.Errorf("match inbox: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			continue
		}
		if err := ask(tx, s.Request.Provider, s.ID, bill.Work{Kind: bill.Look, Attempt: o.attempt}, s.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

// saveCredits appends; a credit is never changed.
func saveCredits(tx *sqlitedb.Tx, old, s bill.State) error {
	for n := len(old.Credits); n < len(s.Credits); n++ {
		c := s.Credits[n]
		_, err := tx.Exec(`INSERT INTO credits (provider, txn, bill, n, amount, paid_at, attempt, quote, late, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			c.Provider, c.Txn, s.ID, n, c.Amount, nanos(c.PaidAt), c.Attempt, c.Quote, c.Late, c.Evidence)
		if sqlitedb.Unique(err) {
			return &integrator.CreditTaken{Provider: c.Provider, Txn: c.Txn}
		}
		if err != nil {
			return fmt.Errorf("write credit: %w", err)
		}
	}
	return nil
}

// changed gives the indices of now that are new or differ.
func changed[T any](old, now []T, put func(n int, v T) error) error {
	for n, v := range now {
		if n < len(old) && reflect.DeepEqual(old[n], v) {
			continue
		}
		if err := put(n, v); err != nil {
			return err
		}
	}
	return nil
}

func saveObligations(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Obligations, s.Obligations, func(n int, o bill.Obligation) error {
		rest, err := json.Marshal(o)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO obligations (bill, n, id, provider, txn, amount, why, key, state, request, method, next_at, rest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (bill, n) DO UPDATE SET amount = excluded.amount, state = excluded.state, request = excluded.request, method = excluded.method, next_at = excluded.next_at, rest = excluded.rest`,
				s.ID, n, o.ID, o.Provider, o.Txn, o.Amount, o.Why, o.Key, string(o.State), o.Request, o.Method, nanos(o.Next), string(rest))
		}
		if err != nil {
			return fmt.Errorf("write obligation: %w", err)
		}
		return nil
	})
}

func saveAttempts(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Attempts, s.Attempts, func(_ int, a bill.Attempt) error {
		rest, err := json.Marshal(a)
		if err == nil {
			_, err = tx.Exec(`INSERT INTO attempts (bill, n, order_id, hash, running, rest) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (bill, n) DO UPDATE SET running = excluded.running, rest = excluded.rest`,
				s.ID, a.N, a.Order.ID, a.Hash, a.Running, string(rest))
		}
		if err != nil {
			return fmt.Errorf("write attempt: %w", err)
		}
		return nil
	})
}

func saveReturns(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Returns, s.Returns, func(n int, r bill.Return) error {
		_, err := tx.Exec(`INSERT INTO returns (bill, key, n, asker, whole, amount, outcome, why, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (bill, key) DO UPDATE SET amount = excluded.amount, outcome = excluded.outcome, why = excluded.why`,
			s.ID, r.Key, n, string(r.By), r.Whole, r.Amount, r.Outcome, r.Why, nanos(r.At))
		if err != nil {
			return fmt.Errorf("write return: %w", err)
		}
		return nil
	})
}

func saveQuotes(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Quotes, s.Quotes, func(n int, x bill.Quote) error {
		_, err := tx.Exec(`INSERT INTO quotes (bill, n, id, amount, total, ends, until, gone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (bill, n) DO UPDATE SET gone = excluded.gone`,
			s.ID, n, x.ID, x.Amount, x.Total, nanos(x.Ends), nanos(x.Until), x.Gone)
		if err != nil {
			return fmt.Errorf("write quote: %w", err)
		}
		return nil
	})
}
