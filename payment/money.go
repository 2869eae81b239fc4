// Package payment is the vocabulary of money: amounts, ids, the states of a payment and of a bill, and the words
// that box and server share about them. It does no I/O, reads no clock and imports the standard library alone.
package payment

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Money is an amount in minor units of its currency (ISO 4217): {12550, "RUB"} is 125 roubles 50 kopecks.
type Money struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
}

// MaxValue is the largest amount that a request may name, in minor units.
const MaxValue = 1_000_000_000_000

// Errors of arithmetic. Only this package adds and subtracts money.
var (
	ErrCurrency = errors.New("amounts are in different currencies")
	ErrOverflow = errors.New("the sum does not fit in 64 bits")
)

// Add gives m + o. Both must be in one currency.
func (m Money) Add(o Money) (Money, error) {
	if m.Currency != o.Currency {
		return Money{}, fmt.Errorf("%w: %s and %s", ErrCurrency, m.Currency, o.Currency)
	}
	if (o.Value > 0 && m.Value > math.MaxInt64-o.Value) || (o.Value < 0 && m.Value < math.MinInt64-o.Value) {
		return Money{}, ErrOverflow
	}
	return Money{m.Value + o.Value, m.Currency}, nil
}

// Sub gives m − o. Both must be in one currency.
func (m Money) Sub(o Money) (Money, error) {
	if o.Value == math.MinInt64 {
		return Money{}, ErrOverflow
	}
	return m.Add(Money{-o.Value, o.Currency})
}

// Of is an amount of n minor units in m's currency.
func (m Money) Of(n int64) Money { return Money{n, m.Currency} }

// Text is the amount as digits with the currency's own number of decimals and a point: "125.50", "7", "0.005".
func (m Money) Text() string {
	d := Digits(m.Currency)
	neg, n := "", m.Value
	u := uint64(n)
	if n < 0 {
		neg, u = "-", uint64(-(n+1))+1
	}
	s := strconv.FormatUint(u, 10)
	if d == 0 {
		return neg + s
	}
	for len(s) <= d {
		s = "0" + s
	}
	return neg + s[:len(s)-d] + "." + s[len(s)-d:]
}

// String is Text with the currency behind it, for logs.
func (m Money) String() string { return m.Text() + " " + m.Currency }
