package ssi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/devices/porttest"
	"tilld/devices/serialport"
	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/ssi"
	"tilld/scanner/twin"
)

func open(t *testing.T, p devices.Port, options map[string]any) scanner.Scanner {
	t.Helper()
	s, err := ssi.Driver.Open(t.Context(), p, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plug(t *testing.T, set func(*twin.SSI)) (scannertest.Bench, *twin.SSI) {
	w := scannertest.NewWire(nil)
	x := twin.NewSSI(w.Far())
	if set != nil {
		set(x)
	}
	return scannertest.Bench{
		Scanner: open(t, w, nil), Scan: x.Scan, Part: x.Part, Symbology: "]Q1",
		Noise: func() {
			for _, junk := range []string{"\x00\x00\x00", "\xff\x01", "4006381333931\r", "\x04\xd0\x00\x00\xff\xff"} {
				_, _ = io.WriteString(w.Far(), junk)
			}
		},
		GaveUp: x.GaveUp,
		HangUp: func() { w.Far().Close() },
	}, x
}

func TestSuite(t *testing.T) {
	scannertest.Run(t, func(t *testing.T) scannertest.Bench {
		b, _ := plug(t, func(x *twin.SSI) { x.Answer = time.Second })
		return b
	})
}

func TestSuiteOnAPseudoTerminal(t *testing.T) {
	scannertest.Run(t, func(t *testing.T) scannertest.Bench {
		far, tty := porttest.Line(t)
		p, err := serialport.Open(t.Context(), tty.Name(), serialport.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_ = tty.Close()
		t.Cleanup(func() { p.Close(); far.Close() })
		x := twin.NewSSI(far)
		x.Room = 100
		return scannertest.Bench{Scanner: open(t, p, nil), Scan: x.Scan, Part: x.Part, Symbology: "]Q1", GaveUp: x.GaveUp, HangUp: func() { far.Close() }}
	})
}

func TestSuiteWithRawData(t *testing.T) {
	scannertest.Run(t, func(t *testing.T) scannertest.Bench {
		w := scannertest.NewWire(nil)
		x := twin.NewSSI(w.Far())
		return scannertest.Bench{
			Scanner: open(t, w, map[string]any{"data": "raw"}), Scan: x.Raw, HangUp: func() { w.Far().Close() },
			Part: func(text string) { _, _ = io.WriteString(w.Far(), text) },
			Noise: func() {
				_, _ = io.WriteString(w.Far(), "\x04\xd0\x00\x00\xff\x2c\x05\xd1\x00\x00\x06\xff\x24\r\x1b\r\x04x\r")
			},
		}
	})
}

func TestWithoutAJournal(t *testing.T) {
	scannertest.Kept(t, func(t *testing.T) scannertest.Bench { b, _ := plug(t, nil); return b })
}

// Damaged packets and lost answers, which mend themselves: nothing is lost and nothing comes twice.
func TestThousandsOfCodesAndPulls(t *testing.T) {
	resent, gaveUp := 0, 0
	scannertest.Unplug(t, func(t *testing.T) scannertest.Bench {
		b, x := plug(t, func(x *twin.SSI) { x.Room, x.Spoil, x.Deaf = 120, 7, 11 })
		hangUp := b.HangUp
		b.HangUp = func() { hangUp(); resent, gaveUp = resent+x.Resent(), gaveUp+x.GaveUp() }
		return b
	})
	t.Logf("%d packets were sent again, %d codes given up by the scanner", resent, gaveUp)
	if resent == 0 || gaveUp > 0 {
		t.Fail()
	}
}

// serve runs a scanner in a bubble until hand is done and a minute has passed.
func serve(t *testing.T, s scanner.Scanner, sink func(context.Context, scanner.Reading) error, hangUp func(), hand func()) (notes []string, err error) {
	t.Helper()
	s.(scanner.Noter).Notify(func(n scanner.Note) { notes = append(notes, n.Code) })
	done := make(chan struct{})
	go func() { defer close(done); hand(); time.Sleep(time.Minute); hangUp() }()
	err = s.Serve(t.Context(), sink)
	<-done
	synctest.Wait()
	return notes, err
}

func TestTheAnswerWaitsUntilTheReadingIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, nil)
		n := 0
		var took time.Duration
		_, _ = serve(t, b.Scanner, func(context.Context, scanner.Reading) error {
			time.Sleep(3 * time.Second) // a slow disk: the scanner sends it once more meanwhile
			n++
			return nil
		}, b.HangUp, func() {
			start := time.Now()
			x.Scan("4006381333931")
			took = time.Since(start)
		})
		if n != 1 || x.Resent() != 1 || x.GaveUp() != 0 || took != 3*time.Second {
			t.Errorf("%d readings, %d sent again, %d given up, acknowledged after %v", n, x.Resent(), x.GaveUp(), took)
		}
	})
}

func TestAReadingThatIsNotDurableIsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, nil)
		full := errors.New("disk full")
		_, err := serve(t, b.Scanner, func(context.Context, scanner.Reading) error { return full }, b.HangUp, func() { x.Scan("4006381333931") })
		if !errors.Is(err, full) || x.GaveUp() != 1 {
			t.Errorf("%v, %d codes given up", err, x.GaveUp())
		}
	})
}

// A code of three packets comes before the journal is open. The scanner sends the last packet again, and the whole code is
// taken then, once; given up, nothing of it gets into the next code.
func TestWhatWasNotKeptIsTakenWhenItComesAgain(t *testing.T) {
	long := strings.Repeat("0123456789", 5)
	for _, c := range []struct {
		name        string
		keeps       int // from which call of the sink on
		given, sent int
		want        string
		again       string
	}{
		{name: "AtTheSecondSending", keeps: 2, sent: 1, want: long + "|NEXT"},
		{name: "AtTheThird", keeps: 3, sent: 2, want: long + "|NEXT"},
		{name: "Never", keeps: 4, sent: 2, given: 1, want: "NEXT"},
		{name: "ReadOnceMoreWithinTheDuplicateWindow", keeps: 4, sent: 2, given: 1, want: long + "|NEXT", again: long},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := scannertest.NewWire(nil)
				x := twin.NewSSI(w.Far())
				x.Room = 20
				var got []string
				calls := 0
				_, _ = serve(t, open(t, w, map[string]any{"again": "10s"}), func(_ context.Context, r scanner.Reading) error {
					if calls++; calls < c.keeps {
						return scanner.ErrNotKept
					}
					got = append(got, r.Text.Reveal())
					return nil
				}, func() { w.Far().Close() }, func() {
					for _, text := range []string{long, c.again, "NEXT"} {
						if text != "" {
							x.Scan(text)
						}
					}
				})
				if s := strings.Join(got, "|"); s != c.want || x.Resent() != c.sent || x.GaveUp() != c.given {
					t.Errorf("readings %s, %d sent again, %d given up", s, x.Resent(), x.GaveUp())
				}
			})
		})
	}
}

func TestTheSameCodeTwiceIsTwoReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, func(x *twin.SSI) { x.Spoil = 2 }) // the second's first sending is damaged
		n := 0
		_, _ = serve(t, b.Scanner, func(context.Context, scanner.Reading) error { n++; return nil }, b.HangUp, func() {
			x.Scan("4006381333931")
			x.Scan("4006381333931")
		})
		if n != 2 || x.Resent() != 1 {
			t.Errorf("%d readings, %d sent again", n, x.Resent())
		}
	})
}

func TestSymbologies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, func(x *twin.SSI) { x.Plain = true })
		var got []string
		notes, _ := serve(t, b.Scanner, func(_ context.Context, r scanner.Reading) error {
			got = append(got, r.Symbology+" "+r.Text.Reveal())
			return nil
		}, b.HangUp, func() {
			time.Sleep(3 * time.Second) // what comes at once may be the rest of an older code
			for _, kind := range []byte{0x0b, 0x0a, 0x0f, 0x30, 0x1b, 0x33, 0x99} {
				x.Type = kind
				x.Scan("04711")
			}
			x.Type = 0x1c
			x.Scan("]Q3its own identifier\r\n")
		})
		if s := strings.Join(got, "|"); s != "]E0 04711|]E4 04711|]C1 04711|]e0 04711|]d1 04711| 04711|]Q3 its own identifier" {
			t.Error(s)
		}
		if strings.Join(notes, " ") != scanner.NoteProgramming {
			t.Errorf("notes %q", notes)
		}
	})
}

func TestAScannerThatDoesNotAnswerIsSaidAndStillRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		n := 0
		notes, _ := serve(t, open(t, w, nil), func(context.Context, scanner.Reading) error { n++; return nil }, func() { w.Far().Close() }, func() {
			time.Sleep(20 * time.Second)
			// EAN-13 4006381333931, computed by hand from the table in the package's comment.
			_, _ = w.Far().Write([]byte{0x12, 0xf3, 0, 0, 0x0b, 0x34, 0x30, 0x30, 0x36, 0x33, 0x38, 0x31, 0x33, 0x33, 0x33, 0x39, 0x33, 0x31, 0xfc, 0x54})
		})
		if n != 1 || strings.Join(notes, " ") != "silent silent silent" {
			t.Errorf("%d readings, notes %q", n, notes)
		}
	})
}

func TestBytesOnTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := scannertest.NewWire(nil)
		var said []byte
		go func() {
			b := make([]byte, 64)
			for {
				n, err := w.Far().Read(b)
				if err != nil {
					return
				}
				said = append(said, b[:n]...)
				if bytes.HasSuffix(said, []byte{0x04, 0xe9, 0x04, 0x00, 0xff, 0x0f}) || len(said) == 12 || len(said) == 21 {
					_, _ = w.Far().Write([]byte{0x04, 0xd0, 0x00, 0x00, 0xff, 0x2c})
				}
			}
		}()
		_, _ = serve(t, open(t, w, nil), func(context.Context, scanner.Reading) error { return nil }, func() { w.Far().Close() }, func() {
			time.Sleep(10 * time.Second)
			_, _ = w.Far().Write([]byte{0x06, 0xf3, 0, 0, 1, 'A', 0, 0}) // a bad check
			_, _ = w.Far().Write([]byte{0x06, 0xf3, 0, 1, 1, 'A', 0xfe, 0xc4})
		})
		want := []byte{
			0x00,                                                             // wake up
			0x09, 0xc6, 0x04, 0x00, 0xff, 0xee, 0x01, 0x9f, 0x01, 0xfc, 0x9f, // packets, and answers to them, for now
			0x07, 0xc6, 0x04, 0x00, 0xff, 0x2d, 0x01, 0xfe, 0x02, // AIM identifiers, for now
			0x04, 0xe9, 0x04, 0x00, 0xff, 0x0f, // scanning on
			0x05, 0xd1, 0x04, 0x00, 0x01, 0xff, 0x25, // send again
			0x04, 0xd0, 0x04, 0x00, 0xff, 0x28, // yes
		}
		if !bytes.Equal(said, want) {
			t.Errorf("the host said\n% x, want\n% x", said, want)
		}
	})
}

func TestCommandsThatTheScannerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := plug(t, func(x *twin.SSI) { x.Refuses = true })
		var err error
		_, _ = serve(t, b.Scanner, func(context.Context, scanner.Reading) error { return nil }, b.HangUp, func() {
			err = b.Scanner.(scanner.Commanded).Do(t.Context(), scanner.Beep)
		})
		if err == nil || !strings.Contains(err.Error(), "refuses") {
			t.Errorf("%v", err)
		}
		if err := b.Scanner.(scanner.Commanded).Do(t.Context(), scanner.Beep); err == nil {
			t.Error("a command on a closed line worked")
		}
	})
}
