package escpos

import (
	"bytes"
	"fmt"
	"strings"

	"tilld/devices"
	"tilld/printer"
)

// orders are the driver's commands by their first bytes: how long each is, and what it means. How text looks is not told.
var orders = map[string]struct {
	n    int
	says string
}{
	"\x1b@": {2, "begin"}, "\x1da": {3, "status asked, now and at each change"}, "\x10\x04": {3, "status asked"}, "\x1dr": {3, "answer asked"}, "\x1dV": {4, "cut"},
	"\x1bp": {5, "drawer"}, "\x10\x14": {5, "drawer"}, "\x1c.": {2, ""}, "\x1bt": {3, ""}, "\x1bM": {3, ""}, "\x1bE": {3, ""}, "\x1b-": {3, ""}, "\x1ba": {3, ""},
	"\x1bd": {3, ""}, "\x1dB": {3, ""}, "\x1d!": {3, ""}, "\x1dH": {3, ""}, "\x1dh": {3, ""}, "\x1dw": {3, ""},
}

// words tell text in its letters, and what is asked and answered. What a code says is left out.
func words(options map[string]any) devices.Words {
	o, _ := parse(options) // wrong ones are told by Open
	pages := alphabetOf(o.Alphabet).pages
	return devices.InTurn(func(b []byte) (int, string) {
		n := bytes.IndexFunc(b, func(r rune) bool { return r < 0x20 })
		switch {
		case n == 0:
			return order(b)
		case n < 0:
			n = len(b)
		}
		return n, devices.Quote(pages.DecodeByte, b[:n])
	})
}

// heard tells what a printer says; all of it is shown.
func heard(devices.Port, map[string]any) devices.Mask {
	var s splitter
	return func(b []byte) ([]byte, string) {
		var out []string
		for _, a := range s.feed(b) {
			says := []string{asbBlock: "status at a change", realTime: "status answered", inTurn: "answered", textual: "proof answered"}[a.kind]
			if a.kind == asbBlock && automatic(printer.Status{}, a.b).Blocked() != "" {
				says += ": " + automatic(printer.Status{}, a.b).Blocked()
			}
			out = append(out, says)
		}
		return b, strings.Join(out, "; ")
	}
}

// order is the command at the start of b.
func order(b []byte) (n int, says string) {
	c := string(b[:min(len(b), 2)])
	if o, ok := orders[c]; ok || strings.IndexByte("\x10\x1b\x1c\x1d", b[0]) < 0 {
		return max(o.n, 1), o.says
	}
	switch {
	case len(c) < 2, strings.Contains("\x1d( \x1dk \x1dv", c) && len(b) < 8: // none of these is shorter
		return 0, ""
	case c == "\x1dv":
		return 8 + (int(b[4])|int(b[5])<<8)*(int(b[6])|int(b[7])<<8), "a picture"
	case c == "\x1dk" && b[2] > 6:
		return 4 + int(b[3]), "a bar code"
	case c == "\x1dk":
		return 4 + bytes.IndexByte(append(b[3:len(b):len(b)], 0), 0), "a bar code"
	case c == "\x1d(":
		n = 5 + (int(b[3]) | int(b[4])<<8)
		return n, map[string]string{"kP": fmt.Sprintf("a code of %d bytes", n-8), "H0": "proof asked"}[string([]byte{b[2], b[6]})]
	}
	return 1, ""
}
