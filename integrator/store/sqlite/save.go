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

const ofBill = ` WHERE id = $1`

// changes are the columns of a bill that each of its steps writes.
var (
	changes       = []string{"kept = $2", "life = $3", "status = $4", "doubt = $5", "doubt_since = $6", "review = $7", "version = $8", "parts = $9", "state = $10"}
	putBill       = billTable.Insert()
	changeBill    = `UPDATE bills SET ` + billTable.Set(changes...) + ofBill
	moveBill      = `UPDATE bills SET ` + billTable.Set(append(slices.Clone(changes), "terminal = $11", "open = $12", "settled = $13")...) + ofBill
	putOrder      = orderTable.Insert() + ` ON CONFLICT DO NOTHING`
	matchNotes    = `UPDATE inbox SET ` + inboxTable.Set("bill = $3") + ` WHERE provider = $1 AND order_id = $2 AND bill = ''`
	putCredit     = creditTable.Insert()
	putObligation = obligationTable.Insert() + ` ON CONFLICT (bill, n) DO UPDATE SET ` + obligationTable.Set("amount = excluded.amount",
		"state = excluded.state", "request = excluded.request", "method = excluded.method", "next_at = excluded.next_at", "rest = excluded.rest")
	putAttempt = attemptTable.Insert() + ` ON CONFLICT (bill, n) DO UPDATE SET ` + attemptTable.Set("running = excluded.running", "rest = excluded.rest")
	putReturn  = returnTable.Insert() + ` ON CONFLICT (bill, key) DO UPDATE SET ` + returnTable.Set("amount = excluded.amount", "outcome = excluded.outcome", "why = excluded.why")
	putQuote   = quoteTable.Insert() + ` ON CONFLICT (bill, n) DO UPDATE SET ` + quoteTable.Set("gone = excluded.gone")
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
	_, err = tx.Exec(putBill, s.ID, s.Merchant, s.Terminal, r.Lane, r.Reference, r.Number, r.Provider, r.Amount.Value, r.Amount.Currency, s.Kept, string(s.Life), unfinished(s), status,
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
	args := []any{s.ID, s.Kept, string(s.Life), status, s.Doubt, nanos(s.DoubtSince), wanted(s), s.Version, int64(partsOf(s)), state}
	if s.Terminal == old.Terminal && unfinished(s) == unfinished(old) && settled(s) == settled(old) {
		_, err := tx.Exec(changeBill, args...)
		return err
	}
	_, err := tx.Exec(moveBill, append(args, s.Terminal, unfinished(s), settled(s))...)
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
		if _, err := tx.Exec(putOrder, s.Request.Provider, o.id, s.ID, o.attempt); err != nil {
			return fmt.Errorf("write order: %w", err)
		}
		r, err := tx.Exec(matchNotes, s.Request.Provider, o.id, s.ID)
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
		_, err := tx.Exec(putCredit, c.Provider, c.Txn, s.ID, n, c.Amount, nanos(c.PaidAt), c.Attempt, c.Quote, c.Late, c.Evidence)
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
			_, err = tx.Exec(putObligation, s.ID, n, o.ID, o.Provider, o.Txn, o.Amount, o.Why, o.Key, string(o.State), o.Request, o.Method, nanos(o.Next), string(rest))
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
			_, err = tx.Exec(putAttempt, s.ID, a.N, a.Order.ID, a.Hash, a.Running, string(rest))
		}
		if err != nil {
			return fmt.Errorf("write attempt: %w", err)
		}
		return nil
	})
}

func saveReturns(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Returns, s.Returns, func(n int, r bill.Return) error {
		_, err := tx.Exec(putReturn, s.ID, r.Key, n, string(r.By), r.Whole, r.Amount, r.Outcome, r.Why, nanos(r.At))
		if err != nil {
			return fmt.Errorf("write return: %w", err)
		}
		return nil
	})
}

func saveQuotes(tx *sqlitedb.Tx, old, s bill.State) error {
	return changed(old.Quotes, s.Quotes, func(n int, x bill.Quote) error {
		_, err := tx.Exec(putQuote, s.ID, n, x.ID, x.Amount, x.Total, nanos(x.Ends), nanos(x.Until), x.Gone)
		if err != nil {
			return fmt.Errorf("write quote: %w", err)
		}
		return nil
	})
}
