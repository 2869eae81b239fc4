package payment

import (
	"errors"
	"strings"
)

// ErrAmount: the text is no amount of this currency.
var ErrAmount = errors.New("write an amount as 125.50: digits, and behind a point no more decimals than the currency has")

// Parse reads an amount as a person writes it: 125.50, 125,5 or 125, without sign or spaces, at most MaxValue.
func Parse(text, currency string) (Money, error) {
	if !ValidCurrency(currency) {
		return Money{}, ErrCurrencyUnknown
	}
	whole, part, point := strings.Cut(strings.Replace(text, ",", ".", 1), ".")
	d := Digits(currency)
	if whole == "" || len(part) > d || point && part == "" {
		return Money{}, ErrAmount
	}
	part += strings.Repeat("0", d-len(part))
	var n int64
	for _, c := range []byte(whole + part) {
		if c < '0' || c > '9' {
			return Money{}, ErrAmount
		}
		if n = n*10 + int64(c-'0'); n > MaxValue {
			return Money{}, ErrAmount
		}
	}
	return Money{n, currency}, nil
}

// ErrCurrencyUnknown: the currency is not in the table.
var ErrCurrencyUnknown = errors.New("the currency is not one that is known here")
