// Package escpostest looks at bytes for a receipt printer: whether all of them are the driver's own commands and letters.
// It is for tests.
package escpostest

import (
	"bytes"
	"fmt"
	"strings"
)

// command is one of the driver's: its first bytes, and how many follow.
type command struct {
	head string
	more int
}

func own() []command {
	return []command{
		{"\x1b@", 0},
		{"\x1da\x0f", 0},
		{"\x1c.", 0},
		{"\x1bt", 1},
		{"\x1bM", 1},
		{"\x1bE", 1},
		{"\x1b-", 1},
		{"\x1ba", 1},
		{"\x1dB", 1},
		{"\x1d!", 1},
		{"\n", 0},
		{"\x1bd", 1},
		{"\x1dVB\x00", 0},
		{"\x1d(k\x04\x001A2\x00", 0},
		{"\x1d(k\x03\x001C", 1},
		{"\x1d(k\x03\x001E", 1},
		{"\x1d(k\x03\x001Q0", 0},
		{"\x1dH\x02", 0},
		{"\x1dh", 1},
		{"\x1dw\x02", 0},
	}
}

// Foreign finds what is neither the driver's own command nor a letter, "" for nothing; a code's data must be printable ASCII
// and stand in one of the texts.
func Foreign(b []byte, texts ...string) string {
	commands := own()
next:
	for i := 0; i < len(b); {
		if b[i] >= 0x20 && b[i] != 0x7f {
			i++
			continue
		}
		for _, c := range commands {
			if bytes.HasPrefix(b[i:], []byte(c.head)) {
				i += len(c.head) + c.more
				continue next
			}
		}
		var n int
		switch {
		case bytes.HasPrefix(b[i:], []byte("\x1d(k")) && bytes.HasPrefix(b[min(i+5, len(b)):], []byte("1P0")):
			n = 5 + int(b[i+3]) + int(b[i+4])<<8
			if !strings.Contains(strings.Join(texts, "\n"), string(b[i+8:i+n])) || !printable(string(b[i+8:i+n])) {
				return "a code that nobody asked for"
			}
		case bytes.HasPrefix(b[i:], []byte("\x1dk\x49")):
			n = 4 + int(b[i+3])
			if !printable(string(b[i+4 : i+n])) {
				return "a bar code of control bytes"
			}
		case bytes.HasPrefix(b[i:], []byte("\x1dk")) && b[i+2] <= 3:
			n = 3 + bytes.IndexByte(b[i+3:], 0) + 1
			if strings.Trim(string(b[i+3:i+n-1]), "0123456789") != "" {
				return "a bar code of letters"
			}
		default:
			return fmt.Sprintf("byte %02x at %d", b[i], i)
		}
		i += n
	}
	return ""
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return s != ""
}
