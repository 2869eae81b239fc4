package scans

import (
	"time"

	"tilld/payment"
	"tilld/payment/code"
	"tilld/scanner"
)

// Limits are what is taken of the codes of one purpose.
type Limits struct {
	Min, Max int           // bytes
	Alphabet string        // of scanner.Alphabets
	Again    time.Duration // the same code once more within this time of its last reading is not taken; 0: each counts
}

// Purposes are the limits of readings by what they are for. What is of no purpose, as a loyalty card is, has none.
type Purposes struct {
	Pay   Limits // while a payment waits, whatever is not positively goods or a shop's own; Again is told of a taken one
	Goods Limits
	Shop  Limits // what a shop shows or prints
}

// Defaults of the limits. Pay codes are those of code.Fit, and one that was taken is known again for as long as it could be
// charged. GS1 data is ASCII (GS1 General Specifications, 7.11), a shop's code may name it in any letters. None is longer
// than what the rules of package code look at. Two equal cans are two.
func Defaults() Purposes {
	return Purposes{
		Pay:   Limits{Min: 1, Max: code.Longest, Alphabet: scanner.Printable, Again: time.Minute},
		Goods: Limits{Min: 1, Max: code.Limit, Alphabet: scanner.Printable},
		Shop:  Limits{Min: 1, Max: code.Limit, Alphabet: scanner.Any},
	}
}

// hold says whether a code keeps the limits.
func (l Limits) hold(c payment.Code) bool {
	text := c.Reveal()
	return len(text) >= l.Min && len(text) <= l.Max && scanner.Within(l.Alphabet, []byte(text))
}

// What a reading is for.
const (
	noPurpose = ""
	ofPay     = "pay"
	ofGoods   = "goods"
	ofShop    = "shop"
)

// fit says whether a code keeps the limits of its purpose. What no wallet shows is no pay code, whatever they say.
func (l Limits) fit(purpose string, c payment.Code) bool {
	switch purpose {
	case noPurpose:
		return true
	case ofPay:
		return code.Fit(c) && l.hold(c)
	}
	return l.hold(c)
}

// of is what a reading is for while a payment waits or none does, and the limits of that.
func (p Purposes) of(k code.Kind, waits bool) (purpose string, l Limits) {
	switch {
	case k == code.Product:
		return ofGoods, p.Goods
	case k == code.ShopCode:
		return ofShop, p.Shop
	case k == code.PayCode || waits:
		return ofPay, p.Pay
	}
	return noPurpose, Limits{}
}
