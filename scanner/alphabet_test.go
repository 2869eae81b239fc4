package scanner_test

import (
	"testing"

	"tilld/scanner"
)

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		text                   string
		any, printable, digits bool
	}{
		{"4006381333931", true, true, true},
		{"LOYAL-CARD~ ", true, true, false},
		{"01046070017712342\x1d93vAbc", true, true, false},
		{"Скидка", true, false, false},
		{"a\x80", true, false, false}, // no letter at all
		{"\x02a", true, false, false},
		{"a\x7f", true, false, false},
	} {
		for alphabet, want := range map[string]bool{"": c.any, scanner.Any: c.any, scanner.Printable: c.printable, scanner.Digits: c.digits} {
			if got := scanner.Within(alphabet, []byte(c.text)); got != want {
				t.Errorf("%q within %q: %v", c.text, alphabet, got)
			}
		}
	}
}
