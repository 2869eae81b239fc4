package wire_test

import (
	"strings"
	"testing"

	"tilld/internal/wire"
)

// Which providers are silent is said, as a list that may be empty, or it is not: an older end does not know the member. The
// two are told apart in both directions.
func TestWhoIsSilentIsSaidOrNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		silent []string
		json   string // "": the member is not there
	}{
		{"not said", nil, ""},
		{"nobody", []string{}, `"silent":[]`},
		{"one", []string{"bank"}, `"silent":["bank"]`},
	} {
		hint, err := wire.EncodeNote(wire.HintProviders, wire.Providers{Silent: c.silent})
		if err != nil {
			t.Fatal(err)
		}
		session, err := wire.EncodeResult(wire.SessionID, wire.Session{Silent: c.silent})
		if err != nil {
			t.Fatal(err)
		}
		for what, frame := range map[string][]byte{"hint": hint, "session": session} {
			if said := strings.Contains(string(frame), `"silent"`); said != (c.json != "") || !strings.Contains(string(frame), c.json) {
				t.Errorf("%s, %s: %s", c.name, what, frame)
			}
			m, err := wire.Decode(frame)
			if err != nil {
				t.Fatal(err)
			}
			got := func() []string {
				if what == "hint" {
					var p wire.Providers
					err = wire.Into(m.Params, &p)
					return p.Silent
				}
				var s wire.Session
				err = wire.Into(m.Result, &s)
				return s.Silent
			}()
			if err != nil || len(got) != len(c.silent) || (got == nil) != (c.silent == nil) {
				t.Errorf("%s, %s: read as %#v, %v", c.name, what, got, err)
			}
		}
	}
}
