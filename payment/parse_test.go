package payment_test

import (
	"errors"
	"testing"

	"tilld/payment"
)

func TestParse(t *testing.T) {
	good := map[string]int64{"125.50": 12550, "125,5": 12550, "125": 12500, "0.01": 1, "0": 0, "0007": 700, "10000000000": payment.MaxValue}
	for text, want := range good {
		m, err := payment.Parse(text, "RUB")
		if err != nil || m.Value != want || m.Currency != "RUB" {
			t.Errorf("%q: %v, %v; want %d", text, m, err, want)
		}
	}
	for _, text := range []string{"", ".", ".5", "5.", "1.234", "1.2.3", "1,2,3", "-1", "+1", " 1", "1 000", "1e3", "٣", "10000000000.01", "99999999999999999999999", "0x10"} {
		if m, err := payment.Parse(text, "RUB"); !errors.Is(err, payment.ErrAmount) {
			t.Errorf("%q passed as %v, %v", text, m, err)
		}
	}
	if _, err := payment.Parse("1", "XXQ"); !errors.Is(err, payment.ErrCurrencyUnknown) {
		t.Errorf("an unknown currency gave %v", err)
	}
}

// FuzzParse: what is taken is an amount that Text writes so that it is read as the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"125.50", "125,5", "0", "1.2.3", "-1", "1e3", "10000000000.01", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := payment.Parse(text, "RUB")
		if err != nil {
			return
		}
		if again, err := payment.Parse(m.Text(), "RUB"); err != nil || again != m || m.Value < 0 || m.Value > payment.MaxValue {
			t.Errorf("%q is %v, and again %v, %v", text, m, again, err)
		}
	})
}
