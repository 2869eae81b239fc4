package code

import "strings"

// Element is one element of a GS1 element string.
type Element struct{ AI, Value string }

// separator is how FNC1 arrives between two elements, and sometimes in front of the first.
const separator = "\x1d"

// kind of application identifiers that begin alike: how long they are, and how long their values. Where least and most are
// the same no separator needs to follow.
type kind struct {
	ai, least, most int
	digits          bool
}

// identifiers by their first two digits (GS1 General Specifications, 3.2 and 7.8.5). Values are as long as the longest of
// their kind: what a scanner reads was checked by whoever printed it.
func identifiers(head string) (kind, bool) {
	switch head {
	case "00":
		return kind{2, 18, 18, true}, true
	case "01", "02", "03":
		return kind{2, 14, 14, true}, true
	case "11", "12", "13", "15", "16", "17":
		return kind{2, 6, 6, true}, true
	case "20":
		return kind{2, 2, 2, true}, true
	case "10", "21", "22":
		return kind{2, 1, 20, false}, true
	case "30", "37":
		return kind{2, 1, 8, true}, true
	case "31", "32", "33", "34", "35", "36":
		return kind{4, 6, 6, true}, true
	case "39":
		return kind{4, 1, 18, true}, true
	case "41":
		return kind{3, 13, 13, true}, true
	case "23", "24", "25", "40", "42", "71":
		return kind{3, 1, 30, false}, true
	case "43", "70", "72", "80", "81", "82":
		return kind{4, 1, 90, false}, true
	case "90", "91", "92", "93", "94", "95", "96", "97", "98", "99":
		return kind{2, 1, 90, false}, true
	}
	return kind{}, false
}

// Elements takes a GS1 element string apart. False is any text that is none, to its last character.
func Elements(text string) ([]Element, bool) {
	text = strings.TrimPrefix(text, separator)
	var out []Element
	for len(text) > 0 {
		if len(text) < 2 {
			return nil, false
		}
		k, ok := identifiers(text[:2])
		if !ok || len(text) < k.ai+k.least || !digits(text[:k.ai]) {
			return nil, false
		}
		e := Element{AI: text[:k.ai]}
		if text = text[k.ai:]; k.least == k.most {
			e.Value, text = text[:k.most], strings.TrimPrefix(text[k.most:], separator)
		} else {
			e.Value, text, _ = strings.Cut(text, separator)
		}
		if len(e.Value) < k.least || len(e.Value) > k.most || strings.Contains(e.Value, separator) || k.digits && !digits(e.Value) || !invariant(e.Value) {
			return nil, false
		}
		out = append(out, e)
	}
	return out, len(out) > 0
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

// invariant says that a value holds printable ASCII alone.
func invariant(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// article is the number of the goods that a GS1 element string names: a GTIN, or the number of a parcel, with the right
// check digit. "" is any other text.
func article(text string) string {
	elements, ok := Elements(text)
	if !ok {
		return ""
	}
	for _, e := range elements {
		if (e.AI == "00" || e.AI == "01" || e.AI == "02") && validGS1(e.Value) {
			return e.Value
		}
	}
	return ""
}
