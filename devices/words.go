package devices

import (
	"strconv"
	"strings"
)

// InTurn makes words of bytes that come in pieces: first is how long the first command in b is, 0 where too little of it is
// there, and what it means. What comes behind nil begins anew.
func InTurn(first func(b []byte) (n int, says string)) Words {
	const longest = 1 << 16 // bytes: what is to be longer is a stranger's, or was cut off
	var kept []byte
	return func(b []byte) string {
		if b == nil {
			kept = nil
		}
		var out []string
		for kept = append(kept, b...); len(kept) > 0; {
			n, says := first(kept)
			if n > longest {
				n, says = 1, ""
			}
			if n == 0 || n > len(kept) {
				break // the rest comes with the next piece
			}
			if kept = kept[n:]; says != "" {
				out = append(out, says)
			}
		}
		return strings.Join(out, "; ")
	}
}

// Quote is text in quotation marks, in the letters of a device's alphabet.
func Quote(letter func(byte) rune, b []byte) string {
	text := make([]rune, len(b))
	for i, c := range b {
		text[i] = letter(c)
	}
	return strconv.Quote(string(text))
}
