package words

import (
	"strings"

	"tilld/payment"
)

// noBreak keeps an amount on one line: between groups of digits, and before the currency.
const noBreak = "\u00a0"

// signs of currencies that have one of their own; the others are written as their code.
func sign(currency string) string {
	switch currency {
	case "RUB":
		return "₽"
	case "EUR":
		return "€"
	case "USD":
		return "$"
	case "GBP":
		return "£"
	case "CNY", "JPY":
		return "¥"
	case "KZT":
		return "₸"
	}
	return currency
}

// Money is an amount as a customer reads it, with its currency: "1 234,50 ₽" with no-break spaces in Russian,
// "1,234.50 ₽" in English.
func (l *Language) Money(m payment.Money) string {
	return l.Number(m) + noBreak + sign(m.Currency)
}

// MoneyOnPaper is Money for a printer, whose alphabet has few signs and writes the rouble's in Cyrillic letters: the currency
// stands as its code, "1,234.50 RUB", but for the rouble on a Russian paper.
func (l *Language) MoneyOnPaper(m payment.Money) string {
	if l.Tag == russian.Tag && m.Currency == "RUB" {
		return l.Money(m)
	}
	return l.Number(m) + noBreak + m.Currency
}

// Number is Money without the currency, for a column that says it once.
func (l *Language) Number(m payment.Money) string {
	group, point := ",", "."
	if l.Tag == russian.Tag {
		group, point = noBreak, ","
	}
	text := m.Text()
	minus := ""
	if strings.HasPrefix(text, "-") {
		minus, text = "\u2212", text[1:]
	}
	whole, part, fraction := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(minus)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(r)
	}
	if fraction {
		b.WriteString(point + part)
	}
	return b.String()
}
