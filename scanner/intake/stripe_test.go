package intake_test

import (
	"strings"
	"testing"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// The magnetic stripe of a card gives no reading, and its note tells nothing of it; what looks a little like one is read. The
// numbers are those that schemes publish for tests.
func TestAStripeIsDroppedUnread(t *testing.T) {
	const track1, track2 = "%B4111111111111111^DOE/JANE^27121010000000000000?", ";5555555555554444=27121010000000000?"
	for _, text := range []string{
		track1, track2, track1 + track2, track1 + track2 + ";5555?", "]Q1" + track2, "E? " + track1, strings.ToLower(track1),
		"%B378282 246310 005^DOE/J^2712101?", ";62055000000000004=2712?", "%B4111111111111111^DOE/JANE^2712", // its end was cut off
		track2 + "\x02", strings.Repeat(track1, 300),
	} {
		r := intake.Rules{Alphabet: scanner.Digits, Again: time.Minute}
		now := time.Now()
		got, n := r.Finish([]byte(text), now, now)
		if len(got) != 0 || n == nil || n.Code != scanner.NoteStripe {
			t.Errorf("%.60q: %d readings, note %+v", text, len(got), n)
			continue
		}
		for i := 0; i+4 <= min(len(text), 60); i++ {
			if part := text[i : i+4]; strings.Contains(n.Sentence+n.Remedy, part) && strings.ContainsAny(part, "0123456789^=") {
				t.Errorf("the note tells %q", part)
			}
		}
	}
	for _, text := range []string{
		"4111111111111111", "%B4111111111111111", "%BDOE^27^", ";5555555555554444", ";5555555555554444=2712", "https://q.ru/a;b=1?c=2", ";1234567=1?",
		"PROMO%B12^X^", "20261129-0012;7=3?", "ST00012|Name=Shop|PersonalAcc=40702810138250123017",
	} {
		r := intake.Rules{}
		now := time.Now()
		if got, n := r.Finish([]byte(text), now, now); len(got) != 1 || n != nil {
			t.Errorf("%q: %d readings, note %+v", text, len(got), n)
		}
	}
}
