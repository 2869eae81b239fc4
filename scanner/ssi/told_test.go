package ssi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// A scanner on a wire of its own loses its power and comes back with the factory's settings: the first code that it reads is
// not taken, that is said, and the next one is read as ever.
func TestAScannerThatHasLostItsPowerIsToldAnew(t *testing.T) {
	for name, text := range map[string]string{
		"shorter than its first letter says": "4006381333931",
		"longer than its first letter says":  "!" + strings.Repeat("0123456789", 29),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, x := plug(t, nil)
				var got []string
				notes, _ := serve(t, b.Scanner, func(_ context.Context, r scanner.Reading) error {
					got = append(got, r.Text.Reveal())
					return nil
				}, b.HangUp, func() {
					x.Scan("BEFORE")
					time.Sleep(time.Hour)
					x.PowerCycle()
					x.Scan(text)
					time.Sleep(3 * time.Second)
					x.Scan("BEHIND-IT")
					x.Scan("AND-THE-NEXT")
				})
				if strings.Join(got, "|") != "BEFORE|BEHIND-IT|AND-THE-NEXT" || strings.Join(notes, " ") != scanner.NoteForm || x.GaveUp() != 0 {
					t.Errorf("read %q, notes %q, %d given up", got, notes, x.GaveUp())
				}
				if c := x.Commands(); len(c) < 6 || !bytes.Equal(c[:3], []byte{0xc6, 0xc6, 0xe9}) || !bytes.Equal(c[3:6], c[:3]) {
					t.Errorf("it was told % x", c)
				}
				t.Logf("read %q, noted %q, told % x", got, notes, x.Commands())
			})
		})
	}
}

// What is neither text nor a packet, two times with no good packet between them, is no damage of a line; once is.
func TestWhatIsTwiceNoPacketHasItToldAnew(t *testing.T) {
	junk := "\xd0\x9a\xd0\xbe\xd0\xb4" // letters that are not ASCII
	for times, want := range map[int]string{1: "", 2: scanner.NoteForm} {
		synctest.Test(t, func(t *testing.T) {
			w := scannertest.NewWire(nil)
			x := twin.NewSSI(w.Far())
			n := 0
			notes, _ := serve(t, open(t, w, nil), func(context.Context, scanner.Reading) error { n++; return nil }, func() { w.Far().Close() }, func() {
				for range 2 { // good packets between the two
					x.Scan("4006381333931")
					for range times {
						time.Sleep(time.Second)
						_, _ = io.WriteString(w.Far(), junk)
					}
					time.Sleep(time.Second)
				}
				x.Scan("4006381333931")
			})
			said := slices.Compact(slices.Clone(notes))
			if strings.Join(said, " ") != want || n != 3 {
				t.Errorf("%d times: %d readings, notes %q", times, n, notes)
			}
			t.Logf("%d times: %d readings, noted %q, told % x", times, n, said, x.Commands())
		})
	}
}

// A scanner whose settings are left alone is not told anything, and a person is, in other words.
func TestAScannerThatIsLeftAloneIsNotToldAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		x := twin.NewSSI(w.Far())
		s := open(t, w, map[string]any{"configure": false})
		var notes []string
		s.(scanner.Noter).Notify(func(n scanner.Note) { notes = append(notes, fmt.Sprint(n.Code, ": ", n.Sentence, " ", n.Remedy)) })
		go func() {
			time.Sleep(time.Second)
			x.Raw("4006381333931")
			time.Sleep(time.Minute)
			w.Far().Close()
		}()
		_ = s.Serve(t.Context(), func(context.Context, scanner.Reading) error { t.Error("took text"); return nil })
		synctest.Wait()
		if len(notes) != 1 || !strings.Contains(notes[0], "option configure") || bytes.Contains(x.Commands(), []byte{0xc6}) {
			t.Errorf("notes %q, told % x", notes, x.Commands())
		}
	})
}

// It beeps for a reading in one way, and for one that is not wanted in another.
func TestTonesOfThreeKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, nil)
		_, _ = serve(t, b.Scanner, func(context.Context, scanner.Reading) error { return nil }, b.HangUp, func() {
			for _, c := range []scanner.Command{scanner.Beep, scanner.Refuse, scanner.Paid} {
				if err := b.Scanner.(scanner.Commanded).Do(t.Context(), c); err != nil {
					t.Errorf("%s: %v", c, err)
				}
			}
		})
		told := x.Told()
		if n := len(told); n < 3 || !bytes.Equal(told[n-3], []byte{0}) || !bytes.Equal(told[n-2], []byte{0x10}) || !bytes.Equal(told[n-1], []byte{0x17}) || x.Commands()[n-1] != 0xe6 {
			t.Errorf("opcodes % x, data % x", x.Commands(), told)
		}
	})
}
