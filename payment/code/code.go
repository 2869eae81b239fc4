// Package code tells a customer's pay code from a product, from a code that a shop shows, and from anything else, by
// rules that are data. It never guesses in the customer's disfavour: what it is not sure of is a secret while a payment
// waits for a pay code. No error and no reading of this package carries a code.
package code

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tilld/payment"
)

// Kind of a reading.
type Kind string

// Kinds. Product and ShopCode are said only of what is positively one; a reading without a rule is Other.
const (
	PayCode  Kind = "pay_code"  // a customer's wallet shows it
	Product  Kind = "product"   // goods: EAN, UPC, GTIN, GS1
	ShopCode Kind = "shop_code" // a shop shows or prints it: merchant QR, payment link, receipt
	Other    Kind = "other"
)

// Wallet whose code it is; empty unless Kind is PayCode.
type Wallet string

// Wallets of the first set.
const (
	Sandbox  Wallet = "sandbox"
	WeChat   Wallet = "wechat"
	Alipay   Wallet = "alipay" // and the wallets of Alipay+
	UnionPay Wallet = "unionpay"
	EMV      Wallet = "emv_cpm" // any issuer; the acquirer finds out
)

// Limit is the longest reading in bytes that rules are tried on. EMV CPM asks readers for 512 at least.
const Limit = 4096

// Longest is the longest pay code in bytes: none of a known wallet is longer, and EMV CPM asks for no more.
const Longest = 512

// Fit says whether a text can be a pay code of any wallet: printable ASCII, no longer than Longest.
func Fit(c payment.Code) bool {
	text := c.Reveal()
	return text != "" && len(text) <= Longest && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

// Reading is what was recognised. It holds nothing of the code but what Masked shows.
type Reading struct {
	Kind   Kind
	Wallet Wallet
	Rule   string // id of the rule, "" where none matched
	Masked string // first two characters and the length: "28… (18)"
}

// Secret says whether the reading is to be handled as a customer's pay code: kept off disks, logs and screens. While a
// payment waits for one, everything is that is not positively a product or a shop's own code.
func (r Reading) Secret(waiting bool) bool {
	if r.Kind == PayCode {
		return true
	}
	return waiting && r.Kind != Product && r.Kind != ShopCode
}

// Rule is one row: the first that matches a reading decides.
type Rule struct {
	ID     string
	Source string // where the shape was read
	Kind   Kind
	Wallet Wallet
	AIM    []string // symbologies it holds for, as AIM identifiers without "]"; "" is an unknown one; nil is any
	Shape  string   // regular expression of the whole text
	Check  Check    // of the text, or of the shape's first group where it has one

	re *regexp.Regexp
}

// Check is a test of a text that no regular expression can make.
type Check string

// Checks.
const (
	NoCheck Check = ""
	GS1     Check = "gs1_mod10"   // last digit is the GS1 check digit
	Article Check = "gs1_article" // a GS1 element string with the number of goods or of a parcel
)

// Rules is the table in the order in which it is tried.
func Rules() []Rule { return slices.Clone(table) }

// Recognise classifies a reading from which line ends, prefixes and the symbology identifier have been stripped. aim is
// that identifier without its "]" ("C1", "Q1", "E0"), or "" where the scanner doesn't send one.
func Recognise(c payment.Code, aim string) Reading {
	text := c.Reveal()
	r := Reading{Kind: Other, Masked: masked(text)}
	if text == "" || len(text) > Limit {
		return r
	}
	for i := range table {
		row := &table[i]
		if row.matches(text, aim) {
			r.Kind, r.Wallet, r.Rule = row.Kind, row.Wallet, row.ID
			return r
		}
	}
	return r
}

func (r *Rule) matches(text, aim string) bool {
	if r.AIM != nil && !slices.Contains(r.AIM, aim) {
		return false
	}
	m := r.re.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	switch r.Check {
	case GS1:
		if len(m) > 1 {
			text = m[1]
		}
		return validGS1(text)
	case Article:
		return article(text) != ""
	}
	return true
}

// validGS1 checks the last digit of a GTIN or SSCC (GS1 General Specifications, 7.9): weights 3, 1, 3 … from the right.
func validGS1(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := digits[len(digits)-1-i]
		if d < '0' || d > '9' {
			return false
		}
		w := 1
		if i%2 == 1 {
			w = 3
		}
		sum += int(d-'0') * w
	}
	return sum%10 == 0
}

// masked shows at most two characters, and none of a text that is shorter than eight.
func masked(text string) string {
	n := utf8.RuneCountInString(text)
	size := "… (" + strconv.Itoa(n) + ")"
	if n < 8 {
		return size
	}
	var head [2]byte
	for i := range head {
		c, width := utf8.DecodeRuneInString(text)
		text = text[width:]
		if head[i] = '?'; c >= ' ' && c <= '~' {
			head[i] = byte(c)
		}
	}
	return string(head[:]) + size
}
