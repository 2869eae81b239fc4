package wedge_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
	"tilld/scanner/wedge"
)

type setting struct {
	name    string
	options map[string]any
	twin    twin.Wedge
}

func settings() []setting {
	return []setting{
		{"US", nil, twin.Wedge{Country: "us"}},
		{"Tab", map[string]any{"end": "tab"}, twin.Wedge{Country: "us", End: 15}},
		{"KeypadEnter", map[string]any{"end": "enter"}, twin.Wedge{Country: "us", End: 96}},
		{"AltAndNumbers", nil, twin.Wedge{Country: "us", Alt: true, Batch: 9}},
		{"Slow", map[string]any{"pace": "60ms"}, twin.Wedge{Country: "us", Pace: 25 * time.Millisecond}},
	}
}

func plug(t *testing.T, s setting) (scannertest.Bench, *twin.Wedge) {
	t.Helper()
	w := scannertest.NewWire(nil)
	r, err := wedge.Driver.Open(t.Context(), w, s.options)
	if err != nil {
		t.Fatal(err)
	}
	x := s.twin
	x.W = w.Far()
	return scannertest.Bench{
		Scanner: r, Scan: x.Scan, Part: x.Part, HangUp: func() { w.Far().Close() },
		Noise: func() {
			x.Press(42) // Shift alone
			x.Repeat(30)
			x.Press(28)
			_, _ = w.Far().Write(make([]byte, 24))
			_, _ = w.Far().Write([]byte("half an event"))
		},
	}, &x
}

func TestSuite(t *testing.T) {
	for _, s := range settings() {
		t.Run(s.name, func(t *testing.T) {
			scannertest.Run(t, func(t *testing.T) scannertest.Bench { b, _ := plug(t, s); return b })
		})
	}
}

func TestThousandsOfCodesAndPulls(t *testing.T) {
	for _, s := range []setting{settings()[0], settings()[3]} {
		t.Run(s.name, func(t *testing.T) {
			scannertest.Unplug(t, func(t *testing.T) scannertest.Bench { b, _ := plug(t, s); return b })
		})
	}
}

// typed gives what a hand does on a scanner's keys, and what came of it.
func typed(t *testing.T, s setting, hand func(*twin.Wedge)) (texts, notes string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, s)
		var codes, read []string
		b.Scanner.(scanner.Noter).Notify(func(n scanner.Note) { codes = append(codes, n.Code) })
		go func() {
			hand(x)
			time.Sleep(time.Minute)
			b.HangUp()
		}()
		_ = b.Scanner.Serve(t.Context(), func(_ context.Context, r scanner.Reading) error {
			read = append(read, r.Text.Reveal())
			return nil
		})
		texts, notes = strings.Join(read, "|"), strings.Join(codes, " ")
	})
	return texts, notes
}

func TestKeys(t *testing.T) {
	us, ru := setting{twin: twin.Wedge{Country: "us"}}, setting{options: map[string]any{"layout": "ru"}, twin: twin.Wedge{Country: "ru"}}
	gap := setting{options: map[string]any{"end": "gap"}, twin: us.twin}
	dead := setting{options: map[string]any{"dead_time": "500ms"}, twin: us.twin}
	for _, c := range []struct {
		name        string
		s           setting
		hand        func(*twin.Wedge)
		texts, note string
	}{
		{"APersonTypes", us, func(x *twin.Wedge) { x.Pace = 60 * time.Millisecond; x.Scan("281234567890123456") }, "", "typing"},
		{"APersonTypesFast", us, func(x *twin.Wedge) { x.Pace = 20 * time.Millisecond; x.Scan("hello there") }, "", "typing"},
		{"TwoKeysAtOnce", us, func(x *twin.Wedge) { x.Scan("ok") }, "", "typing"},
		{"AScanAfterTyping", us, func(x *twin.Wedge) {
			x.Pace = 60 * time.Millisecond
			x.Scan("hello")
			x.Pace = 0
			x.Scan("4006381333931")
		}, "4006381333931", "typing"},
		{"OneSlowKeyInAScan", us, func(x *twin.Wedge) { x.Part("40063813"); x.Wait(80*time.Millisecond - 3*time.Second); x.Scan("33931") }, "4006381333931", ""},
		{"SilenceUntilAnEndWasSeen", us, func(x *twin.Wedge) { x.Part("NO-END"); time.Sleep(time.Second); x.Scan("END"); x.Part("LOST-END") }, "NO-END|END", "damaged"},
		{"TheRestOfACodeThatWasCutOff", us, func(x *twin.Wedge) {
			x.Scan("FIRST")
			x.Part("2812345")
			time.Sleep(time.Second)
			x.Wait(-2 * time.Second)
			x.Scan("67890")
			x.Scan("WHOLE")
		}, "FIRST|WHOLE", "damaged"},
		{"ACodeWithAnEndInItOnAScannerWithout", us, func(x *twin.Wedge) {
			x.Scan("A-LINE")
			for range 4 {
				x.Wait(2 * time.Second)
				x.Part("4006381333931")
				time.Sleep(5 * time.Second)
			}
		}, "A-LINE|4006381333931|4006381333931", "damaged damaged"},
		{"ACodeWithAnEndInItAtACashiersPace", us, func(x *twin.Wedge) {
			x.Scan("A-LINE")
			x.Wait(2 * time.Second)
			for range 5 {
				x.Part("4006381333931")
				time.Sleep(3 * time.Second)
				x.Wait(-2 * time.Second)
			}
		}, "A-LINE|4006381333931", "damaged damaged damaged damaged"},
		{"ATornCodeBehindOneWithoutItsEnd", us, func(x *twin.Wedge) {
			x.Scan("FIRST")
			x.Part("LOST-END")
			time.Sleep(5 * time.Second)
			x.Part("2812345")
			time.Sleep(time.Second)
			x.Wait(-2 * time.Second)
			x.Part("67890")
			time.Sleep(5 * time.Second)
			x.Scan("WHOLE")
		}, "FIRST|WHOLE", "damaged damaged damaged"},
		{"EndsLostBetweenGoodCodes", us, func(x *twin.Wedge) {
			for range 3 {
				x.Scan("GOOD")
				x.Part("LOST-END")
				time.Sleep(5 * time.Second)
			}
		}, "GOOD|GOOD|GOOD", "damaged damaged damaged"},
		{"KeysDroppedTwiceProveNothing", us, func(x *twin.Wedge) {
			x.Scan("FIRST")
			for range 3 {
				x.Part("2812345")
				x.Dropped()
				time.Sleep(5 * time.Second)
			}
			x.Part("LOST-END")
			time.Sleep(5 * time.Second)
			x.Scan("LAST")
		}, "FIRST|LAST", "damaged"},
		{"SilenceAlone", gap, func(x *twin.Wedge) { x.Part("ONE"); time.Sleep(time.Second); x.Part("TWO") }, "ONE|TWO", ""},
		{"CapsLock", us, func(x *twin.Wedge) { x.Press(58); x.Scan("Abc-1"); x.Press(58); x.Scan("Abc-1") }, "aBC-1|Abc-1", ""},
		{"GroupSeparator", us, func(x *twin.Wedge) { x.Scan("]C1010400638133393121\x1dX") }, "010400638133393121\x1dX", ""},
		{"Keypad", us, func(x *twin.Wedge) {
			x.Part("12")
			for _, k := range []uint16{71, 98, 55, 78, 74, 83} {
				x.Press(k)
			}
			x.Press(96)
		}, "127/*+-.", ""},
		{"AFunctionKey", us, func(x *twin.Wedge) { x.Part("ABC"); x.Press(59); x.Press(28) }, "", "control"},
		{"KeysWereDropped", us, func(x *twin.Wedge) {
			x.Part("2812345")
			x.Dropped()
			x.Wait(-3 * time.Second)
			x.Scan("456")
			x.Scan("WHOLE")
		}, "WHOLE", "damaged"},
		{"DroppedBetweenCodes", us, func(x *twin.Wedge) { x.Scan("ONE"); x.Dropped(); time.Sleep(5 * time.Second); x.Scan("TWO") }, "ONE|TWO", "damaged"},
		{"KeysBehindTheEnd", dead, func(x *twin.Wedge) {
			x.Scan("ONE")
			x.Press(30)
			x.Press(31)
			x.Press(32)
			x.Press(28)
			x.Wait(time.Second)
			x.Scan("TWO")
		}, "ONE|TWO", ""},
		{"Russian", ru, func(x *twin.Wedge) { x.Scan("Ёлка-7, шт.: 3/4 \"№1\"; ъ") }, "Ёлка-7, шт.: 3/4 \"№1\"; ъ", ""},
		{"RussianByNumber", setting{options: map[string]any{"layout": "ru"}, twin: us.twin}, func(x *twin.Wedge) {
			x.Alt = true
			x.Scan(string([]rune{0x8f, 0xa8, 0xa2, 0xae})) // Пиво in the OEM page
		}, "Пиво", ""},
		{"NumberOfNoCharacter", us, func(x *twin.Wedge) { x.Alt = true; x.Scan("AB\u0090C"); x.Scan("FINE") }, "FINE", "control"},
		{"RussianScannerOnUS", us, func(x *twin.Wedge) { x.Country = "ru"; x.Scan("https://qr.nspk.ru/AS1"); x.Scan("4006381333931") }, "4006381333931", "layout"},
		{"USScannerOnRussian", ru, func(x *twin.Wedge) { x.Country = "us"; x.Scan("https://qr.nspk.ru/AS1"); x.Scan("4006381333931") }, "4006381333931", "layout"},
		{"AIMOnRussian", ru, func(x *twin.Wedge) { x.Country = "us"; x.Scan("]Q1281234567890123456") }, "", "layout"},
		{"TenThousandCharacters", us, func(x *twin.Wedge) { x.Scan(strings.Repeat("7", 10_240)); x.Scan("OK-1") }, "OK-1", "too_long"},
		{"AProgrammingCode", us, func(x *twin.Wedge) { x.Scan("%%SpecCode93"); x.Scan("OK-1") }, "OK-1", "programming"},
	} {
		t.Run(c.name, func(t *testing.T) {
			texts, notes := typed(t, c.s, c.hand)
			if texts != c.texts {
				t.Errorf("read %q, want %q", texts, c.texts)
			}
			if c.note == "" && notes != "" || !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

func TestStampsAreTheKernels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, setting{twin: twin.Wedge{Country: "us"}})
		start := time.Now()
		go func() {
			x.Part("0123456789")
			time.Sleep(50 * time.Millisecond) // the daemon did not run; the scanner did
			x.Press(28)
			time.Sleep(time.Second)
			b.HangUp()
		}()
		_ = b.Scanner.Serve(t.Context(), func(_ context.Context, r scanner.Reading) error {
			if took := r.Last.Sub(r.First); took != 80*time.Millisecond || r.Last.Before(start.Add(-time.Second)) || r.Last.After(time.Now()) {
				t.Errorf("took %v, ended %v after the start", took, r.Last.Sub(start))
			}
			return nil
		})
	})
}
