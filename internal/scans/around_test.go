package scans_test

import (
	"testing"
	"time"

	"tilld/internal/journal"
	"tilld/internal/scans"
	"tilld/payment/lane"
	"tilld/scanner/intake"
)

// What a scanner says of a code, in front of it or in the middle, changes nothing of what it is.
func TestWhatStandsAroundACodeDoesNotHideIt(t *testing.T) {
	const cpm = "hQVDUFYwMWEaTwegAAAAVVVVVw8SNFZ4kBI0WNGRIgESNF8="
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for _, c := range []struct {
		sent      string
		waits     bool
		outcome   string
		text      string // for the till
		symbology string
	}{
		{`\000026` + cpm, false, scans.NoneWait, "", ""},
		{`]Q2\000026` + cpm, false, scans.NoneWait, "", "]Q2"},
		{`]Q2\000026` + cpm, true, scans.Charging, "", "]Q2"},
		{`]Q2\000026https://qr.nspk.ru/A`, true, scans.Shop, "https://qr.nspk.ru/A", "]Q2"},
		{`]E00012345678905]E110`, true, scans.Goods, "001234567890510", "]E3"},
		{`]E00012345678905]E110`, false, scans.Passed, "001234567890510", "]E3"},
	} {
		lane1 := &till{waits: c.waits, j: j}
		if !c.waits {
			lane1.no = &lane.Refusal{Code: lane.NoNotFound}
		}
		var rules intake.Rules
		now := time.Now()
		rs, n := rules.Finish([]byte(c.sent), now, now)
		if len(rs) != 1 || n != nil {
			t.Fatalf("%q: %d readings, note %+v", c.sent, len(rs), n)
		}
		after := j.Meta().Seq
		if err := scans.New(j, lane1, lane1, scans.Defaults()).Take(t.Context(), "1", "en", rs[0]); err != nil {
			t.Fatal(err)
		}
		e, told := only(t, j, after)
		t.Logf("%q, waits %v: %s", c.sent, c.waits, told)
		if e.Outcome != c.outcome || e.Text != c.text || e.Symbology != c.symbology {
			t.Errorf("%q, waits %v: %s, want %s with the text %q of %q", c.sent, c.waits, told, c.outcome, c.text, c.symbology)
		}
		if c.outcome == scans.Charging && (len(lane1.got) != 1 || lane1.got[0] != cpm) {
			t.Errorf("%q: charged %q", c.sent, lane1.got)
		}
	}
}
