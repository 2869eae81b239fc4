package escpos

import (
	"fmt"
	"testing"
)

// What a printer says is understood alike with XON and XOFF between any two of its bytes.
func TestFlowControlIsNoAnswer(t *testing.T) {
	tried := 0
	for name, said := range map[string]string{
		"status":            "\x18\x00\x0c\x00",
		"status, all of it": "\x7c\x6f\x6f\x6f",
		"real time":         "\x1a",
		"in turn":           "\x0c",
		"process id":        "\x37\x22abcd\x00",
		"text":              "\x5fTM-T88\x00",
		"one by one":        "\x10\x00\x00\x00\x00\x12\x37\x22 ~09\x00\x03",
	} {
		var s splitter
		want := fmt.Sprint(s.feed([]byte(said)))
		for _, flow := range []string{"\x11", "\x13", "\x13\x11"} {
			for at := range len(said) + 1 {
				var s splitter
				var got []answer
				for _, c := range []byte(said[:at] + flow + said[at:]) { // as a slow line brings them
					got = append(got, s.feed([]byte{c})...)
				}
				if fmt.Sprint(got) != want || len(s.kept) > 0 {
					t.Errorf("%s, % x behind %d bytes: %v, want %s; %d kept", name, flow, at, got, want, len(s.kept))
				}
				tried++
			}
		}
	}
	t.Logf("%d places", tried)
}
