package words_test

import (
	"testing"

	"tilld/internal/words"
	"tilld/payment"
)

func TestMoneyAsCustomersReadIt(t *testing.T) {
	for _, c := range []struct {
		m      payment.Money
		en, ru string
	}{
		{payment.Money{Value: 12550, Currency: "RUB"}, "125.50\u00a0₽", "125,50\u00a0₽"},
		{payment.Money{Value: 5, Currency: "RUB"}, "0.05\u00a0₽", "0,05\u00a0₽"},
		{payment.Money{Value: 123456789050, Currency: "EUR"}, "1,234,567,890.50\u00a0€", "1\u00a0234\u00a0567\u00a0890,50\u00a0€"},
		{payment.Money{Value: -100000, Currency: "USD"}, "\u22121,000.00\u00a0$", "\u22121\u00a0000,00\u00a0$"},
		{payment.Money{Value: 1200, Currency: "JPY"}, "1,200\u00a0¥", "1\u00a0200\u00a0¥"},
		{payment.Money{Value: 1234, Currency: "KWD"}, "1.234\u00a0KWD", "1,234\u00a0KWD"},
	} {
		if got := words.For("en").Money(c.m); got != c.en {
			t.Errorf("en %v: %q, want %q", c.m, got, c.en)
		}
		if got := words.For("ru").Money(c.m); got != c.ru {
			t.Errorf("ru %v: %q, want %q", c.m, got, c.ru)
		}
	}
}

// On paper the same digits stand, with a currency that a printer can write.
func TestMoneyOnPaper(t *testing.T) {
	for _, c := range []struct {
		m      payment.Money
		en, ru string
	}{
		{payment.Money{Value: 12550, Currency: "RUB"}, "125.50\u00a0RUB", "125,50\u00a0₽"},
		{payment.Money{Value: 123456789, Currency: "USD"}, "1,234,567.89\u00a0USD", "1\u00a0234\u00a0567,89\u00a0USD"},
		{payment.Money{Value: -100000, Currency: "RUB"}, "\u22121,000.00\u00a0RUB", "\u22121\u00a0000,00\u00a0₽"},
		{payment.Money{Value: 1500, Currency: "CNY"}, "15.00\u00a0CNY", "15,00\u00a0CNY"}, // ¥ is another currency's too
		{payment.Money{Value: 5, Currency: "KWD"}, "0.005\u00a0KWD", "0,005\u00a0KWD"},
	} {
		for tag, want := range map[string]string{"en": c.en, "ru": c.ru} {
			if got := words.For(tag).MoneyOnPaper(c.m); got != want {
				t.Errorf("%s %v: %q, want %q", tag, c.m, got, want)
			}
		}
	}
}
