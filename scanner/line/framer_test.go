package line_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/devices"
	"tilld/scanner"
	"tilld/scanner/intake"
	"tilld/scanner/line"
	"tilld/scanner/scannertest"
)

func take(got chan scanner.Reading) func(context.Context, scanner.Reading) error {
	return func(_ context.Context, r scanner.Reading) error { got <- r; return nil }
}

func cut(f *line.Framer, parts ...string) []scanner.Reading {
	var out []scanner.Reading
	for _, p := range parts {
		out = append(out, f.Take([]byte(p), time.Now())...)
	}
	return append(out, f.Flush()...)
}

func texts(rs []scanner.Reading) []string {
	var out []string
	for _, r := range rs {
		out = append(out, r.Text.Reveal())
	}
	return out
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		name string
		f    line.Framer
		in   []string
		want string // joined with |
		note string
	}{
		{"CRLF", line.Framer{}, []string{"A1\r\nB2\r\n"}, "A1|B2", ""},
		{"SplitAnywhere", line.Framer{}, []string{"A", "1\r", "\nB", "2\n"}, "A1|B2", ""},
		{"GapEndsAReading", line.Framer{}, []string{"NO-END"}, "NO-END", ""},
		{"GapAfterATerminatorWasSeen", line.Framer{}, []string{"A1\rLOST-ITS-END"}, "A1", scanner.NoteDamaged},
		{"StxEtx", line.Framer{}, []string{"\x02A1\x03\r"}, "A1", ""},
		{"BetweenStxAndEtxAlone", line.Framer{End: line.ByETX}, []string{"x\r\x02A1\x03y\x02\x02B\r\n2\x03"}, "A1", scanner.NoteControl},
		{"AStxBeginsAnew", line.Framer{End: line.ByETX}, []string{"\x02HALF\x02WHOLE\x03"}, "WHOLE", ""},
		{"AIM", line.Framer{}, []string{"]Q1HTTPS://A\r"}, "HTTPS://A", ""},
		{"APayCodeBehindItsChannel", line.Framer{}, []string{`\000026hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=` + "\r"}, "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8=", ""},
		{"GS1SeparatorStays", line.Framer{}, []string{"]C101\x1d21X\r"}, "01\x1d21X", ""},
		{"ControlsDropTheReading", line.Framer{}, []string{"A\x1b[2J\rB\r"}, "B", scanner.NoteControl},
		{"TooLongIsDroppedWhole", line.Framer{}, []string{strings.Repeat("9", line.MaxBytes+1) + "\rOK\r"}, "OK", scanner.NoteTooLong},
		{"TenThousandCharacters", line.Framer{}, []string{strings.Repeat("x", 10_240) + "\rOK\r"}, "OK", scanner.NoteTooLong},
		{"EmptyIsNothing", line.Framer{}, []string{"\r\r\n\x02\x03\r]Q1\r"}, "", ""},
		{"Newland'sAnswer", line.Framer{}, []string{"\x02\x010000@C11ENA0\x06;\x03A1\r"}, "A1", ""},
		{"Newland'sAnswerToATrigger", line.Framer{}, []string{"\x02\x010000#SCNTRG1\x06;\x03", "A1\r"}, "A1", ""},
		{"GM65'sAnswer", line.Framer{}, []string{"\x02\x00\x00\x01\x00\x33\x31A1\r"}, "A1", ""},
		{"Newland'sAnswerBetweenStxAndEtx", line.Framer{End: line.ByETX}, []string{"\x02\x010000@SCNENA1\x06;\x03\x02A1\x03"}, "A1", ""},
		{"HalfOfNewland'sAnswerBetweenStxAndEtx", line.Framer{End: line.ByETX}, []string{"\x02A1\x03\x02\x010000@SCN"}, "A1", ""},
		{"GM65'sAnswerBetweenStxAndEtx", line.Framer{End: line.ByETX}, []string{"\x02\x00\x00\x01\x00\x33\x31\x02A1\x03\x02\x00\x00\x01\x00\x33\x31"}, "A1", ""},
		{"ProgrammingCode", line.Framer{}, []string{"%%SpecCode93\r^#SC^303FFF0\rA1\r"}, "A1", scanner.NoteProgramming},
		{"NearlyAProgrammingCode", line.Framer{}, []string{"%%SpecCode\r"}, "%%SpecCode", ""},
		{"TooShort", line.Framer{Rules: &intake.Rules{Min: 4}}, []string{"ABC\rABCD\r"}, "ABCD", scanner.NoteTooShort},
		{"TooLongBySetting", line.Framer{Rules: &intake.Rules{Max: 3}}, []string{"ABC\rABCD\r"}, "ABC", scanner.NoteTooLong},
		{"DigitsAlone", line.Framer{Rules: &intake.Rules{Alphabet: scanner.Digits}}, []string{"123\r12A\r"}, "123", scanner.NoteAlphabet},
		{"PrintableAlone", line.Framer{Rules: &intake.Rules{Alphabet: scanner.Printable}}, []string{"12A\rПИВО\r"}, "12A", scanner.NoteAlphabet},
		{"TheSameAgain", line.Framer{Rules: &intake.Rules{Again: time.Minute}}, []string{"A1\rA1\rB2\rA1\r"}, "A1|B2|A1", ""},
		{"EachCounts", line.Framer{}, []string{"A1\rA1\r"}, "A1|A1", ""},
		{"WithoutItsPrefix", line.Framer{Prefix: "<"}, []string{"<A1\rA2\r"}, "A1", scanner.NoteDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			var notes []string
			c.f.Say = func(n scanner.Note) { notes = append(notes, n.Code) }
			if got := strings.Join(texts(cut(&c.f, c.in...)), "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := strings.Join(notes, " "); c.note != "" && !strings.Contains(got, c.note) || c.note == "" && got != "" {
				t.Errorf("notes %q, want %q", got, c.note)
			}
		})
	}
	for sent, want := range map[string]string{
		"]Q1X":                       "]Q1 X",
		"]E00012345678905]E110":      "]E3 001234567890510", // a magazine
		"]E09780201379624]E254495":   "]E3 978020137962454495",
		"]E04006381333931":           "]E0 4006381333931",
		"]E3001234567890510":         "]E3 001234567890510", // joined by the scanner
		"]E0]E110":                   "]E0 ]E110",
		"]E00012345678905]E1105":     "]E0 0012345678905]E1105",
		"]E00012345678905]E1":        "]E0 0012345678905]E1",
		"]E00012345678905]E25449":    "]E0 0012345678905]E25449",
		"]E00012345678905]E110]E110": "]E0 0012345678905]E110]E110",
		"]Q1281234567890123]E110":    "]Q1 281234567890123]E110",
		"281234567890123]E110":       " 281234567890123]E110",
	} {
		var f line.Framer
		r := cut(&f, sent+"\r")
		got := r[0].Symbology + " " + r[0].Text.Reveal()
		t.Logf("%q became %q", sent, got)
		if got != want {
			t.Errorf("%q became %q, want %q", sent, got, want)
		}
	}
}

// A scanner that sends nothing behind a code, and codes with a line break in them: one or two codes behind such a one are lost,
// and no more. One that sends a terminator loses it now and then: what has none is never taken.
func TestATerminatorThatNeverComesAgainIsNotExpectedForEver(t *testing.T) {
	const ean = "4006381333931"
	for _, c := range []struct {
		name  string
		codes []string // 5 s apart, or 1 s where the text begins with +
		want  string   // joined with |
	}{
		{"AVCard", []string{"A\nB", ean, ean, ean}, "A|" + ean + "|" + ean},
		{"ALinkWithItsEnd", []string{"https://a.example/\n", ean, ean, ean}, "https://a.example/|" + ean},
		{"TwoVCards", []string{"A\nB", ean, ean, "A\r\nB\r\nC", ean, ean}, "A|" + ean + "|A|B|" + ean},
		{"OneLostTerminatorBetweenGoodCodes", []string{"A1\r", "LOST", "B2\r", "LOST", "C3\r", "LOST"}, "A1|B2|C3"},
		{"ATornCode", []string{"A1\r", "2812345", "+67890", "LOST", "B2\r", "C3\r"}, "A1|B2|C3"},
		{"ATornCodeBehindALostTerminator", []string{"A1\r", "LOST", "2812345", "+67890", "B2\r"}, "A1|B2"},
		{"AVCardAtACashiersPace", []string{"A\nB", "+" + ean, "+" + ean, "+" + ean, "+" + ean, "+" + ean}, "A|" + ean + "|" + ean},
		{"AFewTornCodesBehindAsManyGoodOnes", []string{"A1\r", "B2\r", "TORN", "TORN", "TORN", "C3\r"}, "A1|B2|C3"},
		{"TenTornCodesBehindAMorning", slices.Concat(slices.Repeat([]string{"A1\r"}, 20), slices.Repeat([]string{"TORN"}, 10), []string{"HALF"}), strings.Repeat("A1|", 20) + "HALF"},
		{"NineTornCodesBehindAMorning", slices.Concat(slices.Repeat([]string{"A1\r"}, 20), slices.Repeat([]string{"TORN"}, 9), []string{"HALF", "B2\r"}), strings.Repeat("A1|", 20) + "B2"},
		{"ATornCodeInThree", []string{"A1\r", "2812345", "+678", "+90\r", "B2\r", "LOST", "C3\r"}, "A1|B2|C3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f line.Framer
			var notes, got []string
			f.Say = func(n scanner.Note) { notes = append(notes, n.Code) }
			at := time.Now()
			for _, code := range c.codes {
				code, soon := strings.CutPrefix(code, "+")
				if at = at.Add(5 * time.Second); soon {
					at = at.Add(-4 * time.Second)
				}
				got = append(got, texts(f.Take([]byte(code), at))...)
				got = append(got, texts(f.Flush())...)
			}
			t.Logf("%q became %q, notes %q", c.codes, got, notes)
			if strings.Join(got, "|") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEndlessInputTakesNoMemory(t *testing.T) {
	var f line.Framer
	b := bytes.Repeat([]byte("endless "), 512)
	n := testing.AllocsPerRun(200, func() { f.Take(b, time.Time{}) })
	if n > 1 {
		t.Errorf("%v allocations for each 4 KiB of junk", n)
	}
	if got := cut(&f, "\rOK\r"); len(got) != 1 {
		t.Errorf("%d readings behind it", len(got))
	}
}

func TestOptionsThatAreWrongSayWhatIsRight(t *testing.T) {
	for _, c := range []struct {
		options map[string]any
		want    string
	}{
		{map[string]any{"ent": "cr"}, `option "ent" of driver line is unknown (there are again, alphabet, commands, end, gap, max, min, prefix, suffix)`},
		{map[string]any{"end": "return"}, `option "end" of driver line must be one of auto, gap, etx, cr, lf, tab, 0x00`},
		{map[string]any{"gap": 300}, `option "gap" of driver line must be a length of time from 5ms to 10s with its unit, such as 100ms (silence that ends a reading)`},
		{map[string]any{"min": -1}, `option "min" of driver line must be a number from 0 to 8192`},
		{map[string]any{"min": 9, "max": 8}, `option "min" of driver line is 9, more than max (min: 1)`},
		{map[string]any{"prefix": 7}, `option "prefix" of driver line must be a text of at most 32 characters`},
		{map[string]any{"commands": "acme"}, `option "commands" of driver line must be one of cipherlab, datalogic, gm65, honeywell, newland, zkteco`},
		{map[string]any{"alphabet": "latin"}, `option "alphabet" of driver line must be one of any, printable, digits`},
		{map[string]any{"again": "1h"}, `option "again" of driver line must be a length of time from 0s to 1m0s`},
	} {
		_, err := line.Driver.Open(t.Context(), scannertest.NewWire(nil), c.options)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || !errors.Is(err, devices.ErrPerson) {
			t.Errorf("%v: %v\nwant %s", c.options, err, c.want)
		}
	}
}

// The bytes of each command, as the makers print them.
func TestCommandsAreTheMakersBytes(t *testing.T) {
	want := map[string]string{
		"cipherlab": "beep 23402f2f2f2f0d enable 45",
		"datalogic": "beep 01 enable 45",
		"gm65":      "trigger_off 7e000801000200abcd trigger_on 7e000801000201abcd",
		"honeywell": "beep 16070d trigger_off 16550d trigger_on 16540d",
		"newland":   "enable 7e01303030302353434e454e41313b03 trigger_off 7e01303030302353434e545247303b03 trigger_on 7e01303030302353434e545247313b03",
		"zkteco":    "trigger_off 50 trigger_on 54",
	}
	for set, all := range want {
		w := scannertest.NewWire(nil)
		s := open(t, w, map[string]any{"commands": set}).(scanner.Commanded)
		var got []string
		for _, c := range s.Commands() {
			if err := s.Do(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 64)
			n, err := w.Far().Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(c), hex(b[:n]))
		}
		if strings.Join(got, " ") != all {
			t.Errorf("%s: %s, want %s", set, strings.Join(got, " "), all)
		}
	}
}

// A scanner that another program has switched off is told to read, at each opening and before anything of it is read, where that
// command is known; nothing is sent to any other.
func TestAScannerIsToldToReadAtItsOpening(t *testing.T) {
	for set, want := range map[string]string{
		"": "", "gm65": "", "honeywell": "", "zkteco": "", "cipherlab": "45", "datalogic": "45", "newland": "7e01303030302353434e454e41313b03",
	} {
		w, options := scannertest.NewWire(nil), map[string]any{}
		if set != "" {
			options["commands"] = set
		}
		s, read := open(t, w, options), 0
		if _, err := io.WriteString(w.Far(), "4006381333931\r"); err != nil {
			t.Fatal(err)
		}
		end := errors.New("one is enough")
		if err := s.Serve(t.Context(), func(context.Context, scanner.Reading) error { read++; return end }); !errors.Is(err, end) || read != 1 {
			t.Fatalf("%q: %v after %d readings", set, err, read)
		}
		got, err := io.ReadAll(w.Far())
		t.Logf("%q was sent %q, %v", set, hex(got), err)
		if hex(got) != want {
			t.Errorf("%q was sent %s, want %s", set, hex(got), want)
		}
	}
}

func hex(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		out.WriteByte("0123456789abcdef"[c>>4])
		out.WriteByte("0123456789abcdef"[c&15])
	}
	return out.String()
}

func FuzzFramer(f *testing.F) {
	ends := []string{line.Auto, line.ByETX, line.ByGap, "\r", "\t", "\n", "\x1f"}
	f.Add([]byte("A1\r\nB2"), 3, 0, "", "")
	f.Add([]byte("\x02]Q1X\x03\r"), 1, 1, "", "")
	f.Add([]byte("\x02\x00\x00\x01\x00\x33\x31CODE\r"), 4, 0, "", "")
	f.Add([]byte("\x02\x010000@C11ENA0\x06;\x03A1\t"), 7, 4, "", "")
	f.Add([]byte("]Q2\\000026A\\\\B\r"), 5, 0, "", "")
	f.Add([]byte("%%SpecCode93\r]C101\x1d21X"), 2, 2, "", "")
	f.Add([]byte("<-]Q1A1->\x1f<-B2\x1f<->\x1f<-C3->\x1f"), 8, 6, "<-", "->")
	f.Fuzz(func(t *testing.T, b []byte, at, end int, prefix, suffix string) {
		if at < 0 || at > len(b) {
			at = 0
		}
		e := ends[uint(end)%uint(len(ends))]
		one, two := line.Framer{End: e, Prefix: prefix, Suffix: suffix}, line.Framer{End: e, Prefix: prefix, Suffix: suffix}
		whole, split := texts(cut(&one, string(b))), texts(cut(&two, string(b[:at]), string(b[at:])))
		if strings.Join(whole, "|") != strings.Join(split, "|") {
			t.Fatalf("the split matters: %q and %q", whole, split)
		}
		used := 0
		for _, x := range whole {
			if len(x) == 0 || len(x) > line.MaxBytes || strings.ContainsAny(x, "\r\n\x1b\x00\x02\x03") {
				t.Fatalf("reading %q", x)
			}
			used += len(prefix) + len(x) + len(suffix)
		}
		if used > len(b) || strings.Count(string(b), prefix) < len(whole) || strings.Count(string(b), suffix) < len(whole) {
			t.Fatalf("%d readings of %d bytes between %q and %q", len(whole), len(b), prefix, suffix)
		}
	})
}
