package ssi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/scanner"
	"tilld/scanner/scannertest"
	"tilld/scanner/twin"
)

// killed reads a code of three packets with a host that is killed behind so many acknowledgements and is there again after
// a while; half a minute later comes another code. It gives what both hosts took, and what the second noted.
func killed(t *testing.T, acks int, keeps, plain bool, away time.Duration) (took []string, notes string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSocket(keeps)
		x := twin.NewSSI(s)
		x.Room, x.Plain = 20, plain
		first, second := scannertest.NewWire(nil), scannertest.NewWire(nil)
		sink := func(_ context.Context, r scanner.Reading) error { took = append(took, r.Text.Reveal()); return nil }
		go func() {
			time.Sleep(9 * time.Second)
			x.Scan(long)
			time.Sleep(30 * time.Second)
			x.Scan("NEXT")
			time.Sleep(time.Minute)
			second.Far().Close()
		}()
		s.listen(first.Far())
		if err := open(t, &mortal{first, acks}, nil).Serve(t.Context(), sink); err == nil {
			t.Fatal("the first host was not killed")
		}
		time.Sleep(away)
		s.listen(second.Far())
		again := open(t, second, nil)
		var said []string
		again.(scanner.Noter).Notify(func(n scanner.Note) { said = append(said, n.Code) })
		_ = again.Serve(t.Context(), sink)
		s.Close()
		notes = strings.Join(said, " ")
	})
	return took, notes
}

// long takes three packets of 20 bytes, with its identifier.
var long = strings.Repeat("0123456789", 5)

// The host is killed before and behind each acknowledgement of a code in three packets. The whole code may be lost, and it
// is read again by hand; a part of it is never taken for a code, and the next one is whole.
func TestTheRestOfACodeBehindAKillIsNoReading(t *testing.T) {
	rests := 0
	for acks := range 4 {
		for _, keeps := range []bool{false, true} {
			for _, plain := range []bool{false, true} {
				for _, away := range []time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second, 5 * time.Second, 7 * time.Second} {
					name := fmt.Sprintf("%d acknowledged, bytes wait: %v, without identifiers: %v, away %v", acks, keeps, plain, away)
					took, notes := killed(t, acks, keeps, plain, away)
					whole := 0
					for _, text := range took {
						if text == long {
							whole++
						} else if text != "NEXT" {
							t.Errorf("%s: %q was taken for a code", name, text)
						}
					}
					switch {
					case len(took) == 0 || took[len(took)-1] != "NEXT":
						t.Errorf("%s: the next code was not read: %q", name, took)
					case whole > 1 || acks == 3 && whole != 1:
						t.Errorf("%s: the code was read %d times", name, whole)
					case acks == 0 && !plain && away < 5*time.Second && whole != 1:
						t.Errorf("%s: nothing of the code was acknowledged, the scanner sends it again, and it was not read", name)
					case whole == 0 && (keeps || away < 4*time.Second) && !strings.Contains(notes, scanner.NoteDamaged):
						t.Errorf("%s: a rest came and nobody was told: %q", name, notes)
					}
					if strings.Contains(notes, scanner.NoteDamaged) {
						rests++
					}
				}
			}
		}
	}
	t.Logf("80 kills, %d rests that were told and not taken", rests)
	if rests == 0 {
		t.Error("no rest ever came")
	}
}

// A code of one packet whose acknowledgement the kill has kept from the scanner comes again and is read: its beginning is
// in the packet.
func TestAShortCodeSurvivesAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSocket(false)
		x := twin.NewSSI(s)
		first, second := scannertest.NewWire(nil), scannertest.NewWire(nil)
		s.listen(first.Far())
		go func() { x.Scan("4006381333931"); time.Sleep(time.Minute); second.Far().Close() }()
		if err := open(t, first, nil).Serve(t.Context(), func(context.Context, scanner.Reading) error { return errKilled }); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		s.listen(second.Far())
		var got []string
		_ = open(t, second, nil).Serve(t.Context(), func(_ context.Context, r scanner.Reading) error {
			got = append(got, r.Text.Reveal())
			return nil
		})
		s.Close()
		if strings.Join(got, "|") != "4006381333931" || x.GaveUp() != 0 {
			t.Errorf("read %q, %d given up", got, x.GaveUp())
		}
	})
}

// A scanner that has lost its power within a code begins with a new one: nothing of the old is in it.
func TestACodeWithoutEndIsNoPartOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, x := plug(t, nil)
		var got []string
		notes, _ := serve(t, b.Scanner, func(_ context.Context, r scanner.Reading) error {
			got = append(got, r.Text.Reveal())
			return nil
		}, b.HangUp, func() {
			x.Part("THE-BEGINNING-OF-A-CODE")
			time.Sleep(3 * time.Second)
			x.Scan("NEXT")
		})
		if strings.Join(got, "|") != "NEXT" || strings.Join(notes, " ") != scanner.NoteDamaged {
			t.Errorf("read %q, notes %q", got, notes)
		}
	})
}
