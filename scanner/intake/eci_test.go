package intake_test

import (
	"strings"
	"testing"
	"time"

	"tilld/scanner/intake"
)

// The channel in front of a code is none of the code, and what only looks like one stays. `]Q2\000001test\\test` is the example of
// Opticon's MDI-4000 manual, page 59.
func TestTheChannelOfACodeIsCut(t *testing.T) {
	const cpm = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=" // as in package code's tests
	for _, c := range []struct{ sent, id, text string }{
		{`\000026` + cpm, "", cpm},
		{`]Q2\000026` + cpm, "]Q2", cpm},
		{`]Q2\000026https://qr.nspk.ru/A`, "]Q2", "https://qr.nspk.ru/A"},
		{`]Q2\000001test\\test`, "]Q2", `test\test`},
		{`\000003281234567890123456`, "", "281234567890123456"},
		{`]d4\000027A`, "]d4", "A"},
		{`]zA\000026A`, "]zA", "A"},
		{`]L1\000026\\\\server\\a`, "]L1", `\\server\a`},
		{`\000026` + "\xd0\x9f\xff", "", "\xd0\x9f\xff"},

		{`]Q1\000026A`, "]Q1", `\000026A`}, // this one speaks no such protocol
		{`]z0\000026A`, "]z0", `\000026A`},
		{`]E0\000026A`, "]E0", `\000026A`},
		{`\000026`, "", `\000026`},
		{`]Q2\000026`, "]Q2", `\000026`},
		{`\00002`, "", `\00002`},
		{`]Q2\00002`, "]Q2", `\00002`},
		{`\000020A\\B`, "", `\000020A\\B`}, // Shift-JIS
		{`A\000026B`, "", `A\000026B`},
		{`C:\\till\a`, "", `C:\\till\a`},
		{`]Q2C:\\till`, "]Q2", `C:\\till`},
	} {
		var r intake.Rules
		now := time.Now()
		got, n := r.Finish([]byte(c.sent), now, now)
		if len(got) != 1 || n != nil {
			t.Errorf("%q: %d readings, note %+v", c.sent, len(got), n)
			continue
		}
		text, id := got[0].Text.Reveal(), got[0].Symbology
		t.Logf("%q became %q of %q", c.sent, text, id)
		if text != c.text || id != c.id {
			t.Errorf("%q became %q of %q, want %q of %q", c.sent, text, id, c.text, c.id)
		}
	}
	r := intake.Rules{Max: 1}
	now := time.Now()
	if got, n := r.Finish([]byte(`\000026A`), now, now); len(got) != 1 || n != nil {
		t.Errorf("the channel counts as a part of the code: %+v", n)
	}
}

// A trace hides a code behind its channel as it hides any.
func TestATraceHidesACodeBehindItsChannel(t *testing.T) {
	for sent, want := range map[string]string{
		`]Q2\000026hQVDUFYwMWEa=` + "\r": `]Q2\000000xXXXXXXxXXXx=` + "\r",
		`\000026281234` + "\r":           `\000000000000` + "\r",
	} {
		for _, step := range []int{len(sent), 1} { // as it comes: whole, and byte by byte
			var m intake.Mask
			var shown strings.Builder
			for b := []byte(sent); len(b) > 0; b = b[step:] {
				shown.Write(m.Take(b[:step], time.Now()))
			}
			t.Logf("%q is shown as %q", sent, shown.String())
			if shown.String() != want {
				t.Errorf("%q is shown as %q, want %q", sent, shown.String(), want)
			}
		}
	}
}
