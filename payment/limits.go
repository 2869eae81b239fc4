package payment

import (
	"strings"
	"unicode/utf8"
)

// Limits of what comes from a till or a bank and crosses the link. They are the same at the till's API, the box and the
// server, so that no end refuses what the one before it has taken. They keep every bill within one frame, too.
const (
	MaxTerminal = 64  // characters of a box's name at the integrator
	MaxLane     = 32  // characters of a lane's name
	MaxProvider = 64  // characters of a provider's name
	MaxPayee    = 128 // characters
	MaxReason   = 200 // characters of why: of a return a longer one is cut and never refused, of a person's decision it is refused
	MaxPayload  = 512 // bytes of what our code says: more would not be read from a small display
	MaxWhy      = 64  // bytes of a code that says why
	MaxWho      = 64  // characters of a person's name
	MaxTxn      = 128 // bytes of the bank's own id of a payment, where a person writes it down
	MaxReturns  = 100 // of one payment, each asked for by itself
)

// Fits says whether text has at most n characters.
func Fits(text string, n int) bool { return len(text) <= n || utf8.RuneCountInString(text) <= n }

// Cut is text, or its first n characters.
func Cut(text string, n int) string {
	if Fits(text, n) {
		return text
	}
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// ValidTerminal says whether a box may have this name at the integrator: printable ASCII without a blank.
func ValidTerminal(name string) bool {
	return Printable(name, MaxTerminal) && !strings.Contains(name, " ")
}

// Printable says whether text is of at least one and at most n printable ASCII characters.
func Printable(text string, n int) bool {
	if text == "" || len(text) > n {
		return false
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
