package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tilld/payment"
	"tilld/payment/code"
)

// maxDepth is how deep objects and lists may lie in one another.
const maxDepth = 8

// rightAmount is what amount_format answers: the spelling that would have been right, for an amount of our own choosing.
const rightAmount = `write 125.50 RUB as {"value":12550,"currency":"RUB"}: an integer in minor units, from 0 to 1000000000000`

// Check reads a body as it is written and refuses what encoding/json would let pass: bytes that are not UTF-8, more than
// one value, a body that is no object, nesting, a name twice in one object, numbers that are not whole, and control
// characters in texts. The member named value, wherever it stands, is an amount and gets its own code. Those into which a
// person types, reason, why and who, hold no card number: what is never taken in is never kept. nil is fine. It knows no
// schema: names are compared with one afterwards.
func Check(body []byte) *Problem {
	if !utf8.Valid(body) || !json.Valid(body) {
		return Refuse(BadJSON)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	s := scan{d: d}
	t, err := d.Token()
	if err != nil {
		return Refuse(BadJSON)
	}
	if t != json.Delim('{') {
		return Refuse(BadJSON).Because("the outermost value must be an object")
	}
	if p := s.object(1); p != nil {
		return p
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Refuse(BadJSON)
	}
	return nil
}

type scan struct{ d *json.Decoder }

func (s scan) object(depth int) *Problem {
	if depth > maxDepth {
		return Refuse(TooDeep)
	}
	seen := map[string]bool{}
	for s.d.More() {
		t, err := s.d.Token()
		if err != nil {
			return Refuse(BadJSON)
		}
		name, _ := t.(string)
		if seen[name] {
			return Refuse(DuplicateField).About(name)
		}
		seen[name] = true
		if p := s.value(name, depth); p != nil {
			return p
		}
	}
	return s.end()
}

func (s scan) list(name string, depth int) *Problem {
	if depth > maxDepth {
		return Refuse(TooDeep)
	}
	for s.d.More() {
		if p := s.value(name, depth); p != nil {
			return p
		}
	}
	return s.end()
}

func (s scan) end() *Problem {
	if _, err := s.d.Token(); err != nil {
		return Refuse(BadJSON)
	}
	return nil
}

func (s scan) value(name string, depth int) *Problem {
	t, err := s.d.Token()
	if err != nil {
		return Refuse(BadJSON)
	}
	switch v := t.(type) {
	case json.Delim:
		if name == "value" {
			return Refuse(AmountFormat).About(name).Because(rightAmount)
		}
		if v == '{' {
			return s.object(depth + 1)
		}
		return s.list(name, depth+1)
	case json.Number:
		return number(name, string(v))
	case string:
		if name == "value" {
			return Refuse(AmountFormat).About(name).Because(rightAmount)
		}
		if strings.ContainsFunc(v, unicode.IsControl) {
			return Refuse(InvalidField).About(name).Because("a text must not hold control characters")
		}
		if typed(name) && code.HoldsCardNumber(v) {
			return Refuse(InvalidField).About(name).Because("it holds what looks like the number of a payment card, and none is kept here: leave the number out")
		}
	default: // true, false, null
		if name == "value" {
			return Refuse(AmountFormat).About(name).Because(rightAmount)
		}
	}
	return nil
}

// typed says that people write what stands in a member of that name, and nobody reads it but people.
func typed(name string) bool { return name == "reason" || name == "why" || name == "who" }

// number judges a number as written: 1e3 and 1000.0 are not 1000 here, because a till that writes them once will write
// 0.1 + 0.2 one day.
func number(name, text string) *Problem {
	n, err := strconv.ParseInt(text, 10, 64)
	whole := err == nil && text != "-0"
	if name == "value" {
		if !whole || n > payment.MaxValue || n < -payment.MaxValue {
			return Refuse(AmountFormat).About(name).Because(rightAmount)
		}
		return nil
	}
	if !whole {
		return Refuse(InvalidField).About(name).Because("a number must be whole, without fraction or exponent")
	}
	return nil
}
