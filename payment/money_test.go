package payment_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tilld/payment"
)

func TestDigits(t *testing.T) {
	for code, want := range map[string]int{
		"RUB": 2, "USD": 2, "EUR": 2, "UZS": 2, "MGA": 2, "MRU": 2, "HUF": 2, "IDR": 2, "LAK": 2, "CNY": 2, "KZT": 2, "BYN": 2, "GEL": 2,
		"XCG": 2, "ZWG": 2, "SLE": 2, "VED": 2, "CHE": 2, "MXV": 2,
		"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "XOF": 0, "XAF": 0, "XPF": 0, "UGX": 0, "PYG": 0, "UYI": 0, "BIF": 0, "KMF": 0,
		"KWD": 3, "BHD": 3, "IQD": 3, "JOD": 3, "LYD": 3, "OMR": 3, "TND": 3,
		"CLF": 4, "UYW": 4,
	} {
		if !payment.ValidCurrency(code) || payment.Digits(code) != want {
			t.Errorf("%s: valid %v, %d decimals, want %d", code, payment.ValidCurrency(code), payment.Digits(code), want)
		}
	}
	for _, code := range []string{"", "rub", "RUR", "XAU", "XXX", "XTS", "BYR", "HRK", "RU", "RUBL", "РУБ"} {
		if payment.ValidCurrency(code) {
			t.Errorf("%q is in the table", code)
		}
	}
}

// The table holds what the list holds: no code twice, all of three capitals.
func TestTableIsWhole(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				if payment.ValidCurrency(string([]rune{a, b, c})) {
					n++
				}
			}
		}
	}
	if n != 165 { // list one of 2026: 139 with two decimals, 17 with none, 7 with three, 2 with four
		t.Errorf("%d currencies, want 165", n)
	}
	t.Logf("%d currencies", n)
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		m    payment.Money
		want string
	}{
		{payment.Money{Value: 12550, Currency: "RUB"}, "125.50"},
		{payment.Money{Value: 5, Currency: "RUB"}, "0.05"},
		{payment.Money{Value: 0, Currency: "RUB"}, "0.00"},
		{payment.Money{Value: -5, Currency: "RUB"}, "-0.05"},
		{payment.Money{Value: 7, Currency: "JPY"}, "7"},
		{payment.Money{Value: -7, Currency: "JPY"}, "-7"},
		{payment.Money{Value: 5, Currency: "KWD"}, "0.005"},
		{payment.Money{Value: 10001, Currency: "CLF"}, "1.0001"},
		{payment.Money{Value: payment.MaxValue, Currency: "UZS"}, "10000000000.00"},
		{payment.Money{Value: math.MaxInt64, Currency: "RUB"}, "92233720368547758.07"},
		{payment.Money{Value: math.MinInt64, Currency: "RUB"}, "-92233720368547758.08"},
		{payment.Money{Value: math.MinInt64, Currency: "JPY"}, "-9223372036854775808"},
	} {
		if got := c.m.Text(); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.m.Value, c.m.Currency, got, c.want)
		}
		if got := fmt.Sprint(c.m); got != c.want+" "+c.m.Currency {
			t.Errorf("printed as %q", got)
		}
	}
}

func TestMoneyJSON(t *testing.T) {
	b, err := json.Marshal(payment.Money{Value: 12550, Currency: "RUB"})
	if err != nil || string(b) != `{"value":12550,"currency":"RUB"}` {
		t.Errorf("%s, %v", b, err)
	}
}

// Add and Sub agree with arithmetic without bounds, or say that they cannot.
func TestAddSub(t *testing.T) {
	edge := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := edge.Draw(t, "a"), edge.Draw(t, "b")
		x, y := payment.Money{Value: a, Currency: "RUB"}, payment.Money{Value: b, Currency: "RUB"}
		check := func(got payment.Money, err error, want *big.Int) {
			if !want.IsInt64() {
				if !errors.Is(err, payment.ErrOverflow) {
					t.Fatalf("%d, %d: %v, %v, want overflow", a, b, got, err)
				}
				return
			}
			if err != nil || got.Value != want.Int64() || got.Currency != "RUB" {
				t.Fatalf("%d, %d: %v, %v, want %v", a, b, got, err, want)
			}
		}
		sum, err := x.Add(y)
		check(sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
		diff, err := x.Sub(y)
		if b != math.MinInt64 { // −MinInt64 itself is out of bounds: refused whatever the other is
			check(diff, err, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)))
		} else if !errors.Is(err, payment.ErrOverflow) {
			t.Fatalf("minus MinInt64: %v, %v", diff, err)
		}
	})
	if _, err := (payment.Money{Value: 1, Currency: "RUB"}).Add(payment.Money{Value: 1, Currency: "USD"}); !errors.Is(err, payment.ErrCurrency) {
		t.Errorf("roubles and dollars: %v", err)
	}
}

func TestNewID(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 21, 0, 0, time.UTC)
	seen := map[string]bool{}
	last := ""
	for i := range 1000 {
		id := payment.NewID(at.Add(time.Duration(i) * time.Millisecond))
		if !payment.ValidID(id) || seen[id] || id <= last || len(id) > 32 || strings.ToLower(id) != id {
			t.Fatalf("id %q after %q", id, last)
		}
		seen[id], last = true, id
	}
	for range 1000 {
		if id := payment.NewID(at); seen[id] {
			t.Fatalf("%q twice in one millisecond", id)
		} else {
			seen[id] = true
		}
	}
}

func TestValidID(t *testing.T) {
	for _, s := range []string{"", "0", strings.Repeat("i", 26), strings.Repeat("0", 25), strings.Repeat("0", 27), strings.Repeat("A", 26), strings.Repeat("/", 26)} {
		if payment.ValidID(s) {
			t.Errorf("%q is an id", s)
		}
	}
}

func TestValidReference(t *testing.T) {
	for s, want := range map[string]bool{
		"R-77": true, "a.b_c:d-9": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "R 77": false, "Р-77": false, "R/77": false, "R\n": false, "R\x00": false,
	} {
		if payment.ValidReference(s) != want {
			t.Errorf("%q: %v, want %v", s, !want, want)
		}
	}
}
