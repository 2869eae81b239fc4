package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"tilld/integrator"
	"tilld/payment/bill"
)

// parts says which tables hold rows of a bill, so that a bill without returns costs no query for them.
type parts int64

const (
	hasCredits parts = 1 << iota
	hasObligations
	hasAttempts
	hasReturns
	hasQuotes
)

func partsOf(s bill.State) (p parts) {
	for _, x := range []struct {
		n   int
		bit parts
	}{
		{len(s.Credits), hasCredits},
		{len(s.Obligations), hasObligations},
		{len(s.Attempts), hasAttempts},
		{len(s.Returns), hasReturns},
		{len(s.Quotes), hasQuotes},
	} {
		if x.n > 0 {
			p |= x.bit
		}
	}
	return p
}

var (
	headOf        = `SELECT parts, version, state FROM bills WHERE id = $1 AND ` + billTable.Sound()
	creditsOf     = `SELECT provider, txn, amount, paid_at, attempt, quote, late, evidence FROM credits WHERE bill = $1 AND ` + creditTable.Sound() + ` ORDER BY n`
	obligationsOf = `SELECT id, provider, txn, amount, why, key, state, request, method, next_at, rest FROM obligations WHERE bill = $1 AND ` + obligationTable.Sound() + ` ORDER BY n`
	attemptsOf    = `SELECT n, order_id, hash, running, rest FROM attempts WHERE bill = $1 AND ` + attemptTable.Sound() + ` ORDER BY n`
	returnsOf     = `SELECT key, asker, whole, amount, outcome, why, at FROM returns WHERE bill = $1 AND ` + returnTable.Sound() + ` ORDER BY n`
	quotesOf      = `SELECT id, amount, total, ends, until, gone FROM quotes WHERE bill = $1 AND ` + quoteTable.Sound() + ` ORDER BY n`

	partsSQL = []string{creditsOf, obligationsOf, attemptsOf, returnsOf, quotesOf}
)

// head reads what a bill's own row holds, and which other rows it has.
func head(ctx context.Context, q querier, id string) (s bill.State, p parts, err error) {
	var text []byte
	var version int64
	err = q.row(ctx, headOf, id).Scan(&p, &version, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return s, 0, integrator.ErrUnknownBill
	}
	if err != nil {
		return s, 0, fmt.Errorf("read bill: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, 0, fmt.Errorf("read bill %s: %w", id, err)
	}
	s.Version = version
	return s, p, nil
}

// load reads a bill with its rows; all of them are read in one transaction.
func load(ctx context.Context, q querier, id string) (bill.State, error) {
	s, p, err := head(ctx, q, id)
	if err != nil {
		return s, err
	}
	for _, part := range []struct {
		bit  parts
		read func(context.Context, querier, *bill.State) error
	}{
		{hasCredits, readCredits},
		{hasObligations, readObligations},
		{hasAttempts, readAttempts},
		{hasReturns, readReturns},
		{hasQuotes, readQuotes},
	} {
		if p&part.bit == 0 {
			continue
		}
		if err := part.read(ctx, q, &s); err != nil {
			return s, fmt.Errorf("read bill %s: %w", id, err)
		}
	}
	return s, nil
}

// each runs scan for every row of the query.
func each(ctx context.Context, q querier, query, id string, scan func(rows) error) error {
	rows, err := q.query(ctx, query, id)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err below says what matters
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func readCredits(ctx context.Context, q querier, s *bill.State) error {
	return each(ctx, q, creditsOf, s.ID,
		func(r rows) error {
			var c bill.Credit
			var paid int64
			err := r.Scan(&c.Provider, &c.Txn, &c.Amount, &paid, &c.Attempt, &c.Quote, &c.Late, &c.Evidence)
			c.PaidAt = at(paid)
			s.Credits = append(s.Credits, c)
			return err
		})
}

func readObligations(ctx context.Context, q querier, s *bill.State) error {
	return each(ctx, q, obligationsOf, s.ID,
		func(r rows) error {
			var o bill.Obligation
			var id, provider, txn, why, key, state, request, method, rest string
			var amount, next int64
			if err := r.Scan(&id, &provider, &txn, &amount, &why, &key, &state, &request, &method, &next, &rest); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(rest), &o); err != nil {
				return err
			}
			o.ID, o.Provider, o.Txn, o.Amount, o.Why, o.Key = id, provider, txn, amount, why, key
			o.State, o.Request, o.Method, o.Next = bill.Debt(state), request, method, at(next)
			s.Obligations = append(s.Obligations, o)
			return nil
		})
}

func readAttempts(ctx context.Context, q querier, s *bill.State) error {
	return each(ctx, q, attemptsOf, s.ID,
		func(r rows) error {
			var a bill.Attempt
			var n int
			var order, hash, rest string
			var running bool
			if err := r.Scan(&n, &order, &hash, &running, &rest); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(rest), &a); err != nil {
				return err
			}
			a.N, a.Order.ID, a.Hash, a.Running = n, order, hash, running
			s.Attempts = append(s.Attempts, a)
			return nil
		})
}

func readReturns(ctx context.Context, q querier, s *bill.State) error {
	return each(ctx, q, returnsOf, s.ID,
		func(r rows) error {
			var x bill.Return
			var when int64
			err := r.Scan(&x.Key, &x.By, &x.Whole, &x.Amount, &x.Outcome, &x.Why, &when)
			x.At = at(when)
			s.Returns = append(s.Returns, x)
			return err
		})
}

func readQuotes(ctx context.Context, q querier, s *bill.State) error {
	return each(ctx, q, quotesOf, s.ID,
		func(r rows) error {
			var x bill.Quote
			var ends, until int64
			err := r.Scan(&x.ID, &x.Amount, &x.Total, &ends, &until, &x.Gone)
			x.Ends, x.Until = at(ends), at(until)
			s.Quotes = append(s.Quotes, x)
			return err
		})
}
