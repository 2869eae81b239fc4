package code_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"tilld/payment"
	"tilld/payment/code"
)

func TestParseCPM(t *testing.T) {
	t.Run("OneApplication", func(t *testing.T) {
		c, err := code.ParseCPM(payment.NewCode(cpmOne))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Applications) != 1 || hex.EncodeToString(c.Applications[0].AID) != "a0000000555555" || c.Common {
			t.Errorf("%+v", c)
		}
	})
	t.Run("TwoApplicationsWithACommonTemplate", func(t *testing.T) {
		c, err := code.ParseCPM(payment.NewCode(cpmTwo))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Applications) != 2 || !c.Common {
			t.Fatalf("%+v", c)
		}
		for i, want := range []struct{ aid, label string }{{"a0000000555555", "Product1"}, {"a0000000666666", "Product2"}} {
			if a := c.Applications[i]; hex.EncodeToString(a.AID) != want.aid || a.Label != want.label {
				t.Errorf("application %d is %x %q", i, a.AID, a.Label)
			}
		}
	})
	const (
		head = "8505" + "4350563031"
		aid  = "4F07A0000000555555"
		pan  = "5A081234567890123458"
	)
	tmpl := func(tag, body string) string {
		return tag + hex.EncodeToString([]byte{byte(len(body) / 2)}) + body
	}
	for _, c := range []struct {
		name string
		hex  string
		want error
		apps int
	}{
		{"no application", head, code.ErrDamaged, 0},
		{"another format", "8505" + "4350563032" + tmpl("61", aid+pan), code.ErrNotCPM, 0},
		{"format is not first", tmpl("61", aid+pan) + head, code.ErrNotCPM, 0},
		{"format twice", head + head + tmpl("61", aid+pan), code.ErrDamaged, 0},
		{"empty", "", code.ErrNotCPM, 0},
		{"application without a name", head + tmpl("61", pan), code.ErrDamaged, 0},
		{"application name too short", head + tmpl("61", "4F04A0000000"+pan), code.ErrDamaged, 0},
		{"application name too long", head + tmpl("61", "4F11"+strings.Repeat("A0", 17)+pan), code.ErrDamaged, 0},
		{"neither track nor number", head + tmpl("61", aid), code.ErrDamaged, 0},
		{"a bad template beside a good one is left out", head + tmpl("61", pan) + tmpl("61", aid+pan), nil, 1},
		{"three applications", head + strings.Repeat(tmpl("61", aid+pan), 3), code.ErrDamaged, 0},
		{"one application with a common template", head + tmpl("61", aid+pan) + tmpl("62", "5F20"+"0141"), code.ErrDamaged, 0},
		{"two common templates", head + tmpl("61", aid) + tmpl("61", aid) + tmpl("62", pan) + tmpl("62", pan), code.ErrDamaged, 0},
		{"an object twice in a template", head + tmpl("61", aid+pan+pan), code.ErrDamaged, 0},
		{"an object in template and common", head + tmpl("61", aid+pan) + tmpl("61", aid) + tmpl("62", pan), code.ErrDamaged, 0},
		{"an unknown object is passed over", head + tmpl("61", aid+pan+"9F7F0101") + "DF010101", nil, 1},
		{"padding between objects", head + "0000" + tmpl("61", aid+"00"+pan) + "00", nil, 1},
		{"length in two bytes", head + "6181" + "13" + aid + pan, nil, 1},
		{"length in three bytes", head + "618200" + "13" + aid + pan, nil, 1},
		{"indefinite length", head + "6180" + aid + pan + "0000", code.ErrNotCPM, 0},
		{"length beyond the end", head + "6130" + aid + pan, code.ErrNotCPM, 0},
		{"tag without an end", head + "61031FFFFF", code.ErrDamaged, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			got, err := code.ParseCPM(payment.NewCode(base64.StdEncoding.EncodeToString(raw)))
			if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if len(got.Applications) != c.apps {
				t.Errorf("%d applications, want %d", len(got.Applications), c.apps)
			}
		})
	}
	for name, text := range map[string]string{
		"header alone": cpmNil, "wechat": "100000000000000000", "not base64": "hQVDUFY*", "too long": "hQVDUFY" + strings.Repeat("A", code.Limit),
	} {
		if _, err := code.ParseCPM(payment.NewCode(text)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func TestParseCPMCutAnywhereIsAnError(t *testing.T) {
	n := 0
	for _, text := range []string{cpmOne, cpmTwo} {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := code.ParseCPM(payment.NewCode(text))
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			got, err := code.ParseCPM(payment.NewCode(base64.StdEncoding.EncodeToString(raw[:i])))
			// Cut between two top objects, what is left may be a code of its own, but never the same one.
			if err == nil && len(got.Applications) == len(whole.Applications) && got.Common == whole.Common {
				t.Errorf("cut at %d of %d it reads the same", i, len(raw))
			}
			n++
		}
	}
	t.Logf("%d cuts", n)
}

func FuzzParseCPM(f *testing.F) {
	for _, text := range []string{cpmOne, cpmTwo, cpmNil} {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		text := base64.StdEncoding.EncodeToString(raw)
		c, err := code.ParseCPM(payment.NewCode(text))
		if err != nil {
			if !errors.Is(err, code.ErrNotCPM) && !errors.Is(err, code.ErrDamaged) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if n := len(c.Applications); n == 0 || n > 2 {
			t.Fatalf("%d applications", n)
		}
		for _, a := range c.Applications {
			if len(a.AID) < 5 || len(a.AID) > 16 {
				t.Fatalf("an application's name of %d bytes", len(a.AID))
			}
		}
		if r := code.Recognise(payment.NewCode(text), ""); r.Rule != "emv-cpm" {
			t.Fatalf("what parses is recognised by %q", r.Rule)
		}
	})
}
