package payment_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"tilld/payment"
)

func TestCutCountsCharacters(t *testing.T) {
	for _, text := range []string{"", "a", "товар", "a\u0301bc", "日本語", "x\xffy", strings.Repeat("ж", 201), strings.Repeat("z", 201)} {
		for n := range 204 {
			cut := payment.Cut(text, n)
			if !payment.Fits(cut, n) || !strings.HasPrefix(text, cut) {
				t.Fatalf("%q cut to %d is %q", text, n, cut)
			}
			if want := min(n, utf8.RuneCountInString(text)); utf8.RuneCountInString(cut) != want {
				t.Fatalf("%q cut to %d has %d characters", text, n, utf8.RuneCountInString(cut))
			}
			if payment.Fits(text, n) != (cut == text) {
				t.Fatalf("%q fits %d: %v, and cut is %q", text, n, payment.Fits(text, n), cut)
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]bool{"": false, "a b~": true, "ab\n": false, "é": false, "\x7f": false, "abcde": true, "abcdef": false} {
		if payment.Printable(text, 5) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestValidTerminal(t *testing.T) {
	for name, want := range map[string]bool{
		"shop-7-box-1": true, strings.Repeat("x", payment.MaxTerminal): true, strings.Repeat("x", payment.MaxTerminal+1): false,
		"": false, "box 1": false, "касса": false, "box\n": false,
	} {
		if payment.ValidTerminal(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
