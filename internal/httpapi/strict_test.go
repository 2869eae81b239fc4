package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tilld/internal/httpapi"
)

// canary stands in every bad value: it must never come back.
const canary = "6210987654321098765"

// card is a number that a scheme publishes for tests: where a person writes, it must never come back.
const card = "4111111111111111"

var bodies = []struct{ body, code, field string }{
	{`{}`, "", ""},
	{`{"a":1,"b":[1,2,{"c":null}],"value":1000000000000}`, "", ""},
	{`{"value":-1000000000000}`, "", ""},
	{`{"value":0}`, "", ""},
	{`{"A":1,"a":2}`, "", ""}, // two names: case counts, so the schema decides
	{` {"a":"` + canary + `"} `, "", ""},
	{``, httpapi.BadJSON, ""},
	{`null`, httpapi.BadJSON, ""},
	{`[]`, httpapi.BadJSON, ""},
	{`"` + canary + `"`, httpapi.BadJSON, ""},
	{`{"a":1}{"a":1}`, httpapi.BadJSON, ""},
	{`{"a":1} x`, httpapi.BadJSON, ""},
	{`{"a":1,}`, httpapi.BadJSON, ""},
	{`{'a':1}`, httpapi.BadJSON, ""},
	{`{"a":01}`, httpapi.BadJSON, ""},
	{`{"a":+1}`, httpapi.BadJSON, ""},
	{`{"a":NaN}`, httpapi.BadJSON, ""},
	{`{"a":"` + "\xff" + `"}`, httpapi.BadJSON, ""},
	{"\ufeff" + `{"a":1}`, httpapi.BadJSON, ""},
	{`{"a":"` + canary, httpapi.BadJSON, ""},
	{`{"value":1,"value":2}`, httpapi.DuplicateField, "value"},
	{`{"value":1,"valu\u0065":2}`, httpapi.DuplicateField, "value"},
	{`{"a":{"b":1,"b":1}}`, httpapi.DuplicateField, "b"},
	{`{"a":[{"b":1,"b":1}]}`, httpapi.DuplicateField, "b"},
	{`{"` + canary + `":1,"` + canary + `":1}`, httpapi.DuplicateField, ""},
	{`{"value":1.5}`, httpapi.AmountFormat, "value"},
	{`{"value":1.0}`, httpapi.AmountFormat, "value"},
	{`{"value":1e3}`, httpapi.AmountFormat, "value"},
	{`{"value":1E+2}`, httpapi.AmountFormat, "value"},
	{`{"value":-0}`, httpapi.AmountFormat, "value"},
	{`{"value":"` + canary + `"}`, httpapi.AmountFormat, "value"},
	{`{"value":1000000000001}`, httpapi.AmountFormat, "value"},
	{`{"value":` + canary + `}`, httpapi.AmountFormat, "value"},
	{`{"value":` + canary + canary + `}`, httpapi.AmountFormat, "value"},
	{`{"value":null}`, httpapi.AmountFormat, "value"},
	{`{"value":true}`, httpapi.AmountFormat, "value"},
	{`{"value":[1]}`, httpapi.AmountFormat, "value"},
	{`{"value":{"value":1}}`, httpapi.AmountFormat, "value"},
	{`{"amount":{"value":125.50}}`, httpapi.AmountFormat, "value"},
	{`{"a":` + canary + `.5}`, httpapi.InvalidField, "a"},
	{`{"a":1e400}`, httpapi.InvalidField, "a"},
	{`{"a":[1,2.5]}`, httpapi.InvalidField, "a"},
	{`{"a":"` + canary + `\u0000"}`, httpapi.InvalidField, "a"},
	{`{"a":"x\ny"}`, httpapi.InvalidField, "a"},
	{`{"a":["x\u001b[2J"]}`, httpapi.InvalidField, "a"},
	{`{"a":"x\u009b"}`, httpapi.InvalidField, "a"},
	{`{"reason":"` + card + `"}`, httpapi.InvalidField, "reason"},
	{`{"why":"paid by ` + card + `, thanks"}`, httpapi.InvalidField, "why"},
	{`{"who":"4111 1111 1111 1111"}`, httpapi.InvalidField, "who"},
	{`{"who":"Ann","why":"\u0034111-1111-1111-1111"}`, httpapi.InvalidField, "why"},
	{`{"a":{"reason":["` + card + `"]}}`, httpapi.InvalidField, "reason"},
	{`{"reason":"till 5, 12.11.2026, 411111111111111"}`, "", ""},
	{`{"reason":"R-4111111111111112"}`, "", ""}, // the check digit is another
	{`{"reference":"` + card + `","tender":"` + card + `","text":"` + card + `","lines":[{"text":"` + card + `"}]}`, "", ""}, // what programs write
	{`{"reason":4111111111111111}`, "", ""}, // no field takes such a number
	{strings.Repeat(`{"a":`, 8) + `1` + strings.Repeat(`}`, 8), "", ""},
	{strings.Repeat(`{"a":`, 9) + `1` + strings.Repeat(`}`, 9), httpapi.TooDeep, ""},
	{`{"a":` + strings.Repeat(`[`, 9) + strings.Repeat(`]`, 9) + `}`, httpapi.TooDeep, ""},
	{`{"a":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`, httpapi.BadJSON, ""},
}

func TestCheck(t *testing.T) {
	for _, tc := range bodies {
		p := httpapi.Check([]byte(tc.body))
		code, field := "", ""
		if p != nil {
			code, field = p.Code, p.Field
			b, err := json.Marshal(p)
			if err != nil || strings.Contains(string(b), canary) || strings.Contains(string(b), card[:8]) {
				t.Errorf("%.60s: what came in came back: %s (%v)", tc.body, b, err)
			}
			if code == httpapi.AmountFormat && !strings.Contains(p.Detail, `{"value":12550,"currency":"RUB"}`) {
				t.Errorf("%.60s: the detail does not show the right spelling: %s", tc.body, p.Detail)
			}
		}
		if code != tc.code || field != tc.field {
			t.Errorf("%.60s: %q of %q, want %q of %q", tc.body, code, field, tc.code, tc.field)
		}
	}
	t.Logf("%d bodies", len(bodies))
}

// FuzzCheck: whatever passes is one object that encoding/json reads in one way alone: written again from what was read,
// it passes again and reads the same.
func FuzzCheck(f *testing.F) {
	for _, tc := range bodies {
		if len(tc.body) < 1000 {
			f.Add([]byte(tc.body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := httpapi.Check(body)
		if p != nil {
			if p.Status < 400 || p.Status > 499 || len(p.Field) > 32 {
				t.Errorf("refused as %d, field %q", p.Status, p.Field)
			}
			return
		}
		var first, second map[string]any
		if err := json.Unmarshal(body, &first); err != nil {
			t.Fatalf("passed, and cannot be read: %v", err)
		}
		again, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &second); err != nil || len(first) != len(second) {
			t.Fatalf("reads in two ways: %v, %d and %d names", err, len(first), len(second))
		}
	})
}
