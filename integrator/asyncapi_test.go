package integrator_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tilld/integrator"
	"tilld/internal/wire"
	"tilld/payment"
)

// described are the schemas of docs/protocol/asyncapi.yaml, by their names.
func described(t *testing.T) func(name string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../docs/protocol/asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("till.json", doc); err != nil {
		t.Fatal(err)
	}
	return func(name string) *jsonschema.Schema {
		t.Helper()
		s, err := c.Compile("till.json#/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// TestTheDescriptionHasTheServersLimits: what the server refuses as bad_params is not valid by asyncapi.yaml, and what it
// takes is. What no schema can say is left out: which currencies there are, and the bytes of a code that is not ASCII.
func TestTheDescriptionHasTheServersLimits(t *testing.T) {
	type object = map[string]any
	const id, most = "01m9k4t7v0q8x2w5y3z6a1b4c7", int64(payment.MaxValue)
	x := strings.Repeat
	money := func(n int64, currency string) object { return object{"value": n, "currency": currency} }
	create := object{
		"payment": id, "lane": "1", "reference": "R-77", "number": "4821", "amount": money(12550, "RUB"), "mode": payment.Show,
		"purpose": payment.Sale, "if_not_confirmed": payment.Keep, "life_ms": 300_000,
	}
	whole, part := object{"payment": id, "key": "k", "whole": true}, object{"payment": id, "key": "k", "amount": 2550}
	confirm, charge := object{"payment": id, "final": 12550}, object{"payment": id, "attempt": 1, "code": "281111111111111111"}
	void, extend := object{"payment": id, "attempt": 1}, object{"payment": id, "life_ms": 600_000}
	apply := object{"payment": id, "key": "k", "sale": id, "amount": 5000}

	ids, noIDs := []any{id, x("0", 26), x("z", 26)}, []any{"", "R-77", id[1:], id + "0", "i" + id[1:], "L" + id[1:], id[1:] + " "}
	keys, noKeys := []any{"k", x("~", 64)}, []any{"", x("k", 65), "a b", "ж"}
	attempts, noAttempts := []any{1, 1000}, []any{0, -1, 1001}
	tries := 0
	schema := described(t)
	for _, c := range []struct {
		method, schema string
		base           object
		field          string
		good, bad      []any
	}{
		{wire.BillCreate, "Create", create, "payment", ids, noIDs},
		{wire.BillCreate, "Create", create, "lane", []any{"1", x("ж", payment.MaxLane)}, []any{"", x("ж", payment.MaxLane+1)}},
		{wire.BillCreate, "Create", create, "reference", []any{"a.B_9:-", x("r", 64)}, []any{"", "a b", "ж", x("r", 65)}},
		{wire.BillCreate, "Create", create, "number", []any{"1000", "9999", "99999"}, []any{"", "999", "0999", "-1000", "123456", "12a4"}},
		{wire.BillCreate, "Create", create, "amount", []any{money(1, "RUB"), money(most, "UZS")}, []any{money(0, "RUB"), money(-1, "RUB"), money(most+1, "RUB"), money(1, "rub")}},
		{wire.BillCreate, "Create", create, "mode", []any{payment.Scan}, []any{"", "x"}},
		{wire.BillCreate, "Create", create, "purpose", []any{payment.Prepayment}, []any{"", "x"}},
		{wire.BillCreate, "Create", create, "if_not_confirmed", []any{payment.Return, payment.Person}, []any{"", "x"}},
		{wire.BillCreate, "Create", create, "life_ms", []any{0, 86_400_000}, []any{-1, 86_400_001}},
		{wire.BillCreate, "Create", create, "provider", []any{x("ж", payment.MaxProvider)}, []any{x("ж", payment.MaxProvider+1)}},
		{wire.BillCreate, "Create", create, "payee", []any{x("ж", payment.MaxPayee)}, []any{x("ж", payment.MaxPayee+1)}},
		{wire.BillCreate, "Create", create, "adds_to", ids, noIDs[1:]},
		{wire.BillReturn, "Return", whole, "payment", ids, noIDs},
		{wire.BillReturn, "Return", whole, "key", keys, noKeys},
		{wire.BillReturn, "Return", whole, "whole", []any{true}, []any{false}},
		{wire.BillReturn, "Return", whole, "amount", []any{0}, []any{1, -1}},
		{wire.BillReturn, "Return", part, "amount", []any{1, most}, []any{0, -1, most + 1}},
		{wire.BillReturn, "Return", part, "whole", []any{false}, []any{true}},
		{wire.BillConfirm, "Confirm", confirm, "payment", ids, noIDs},
		{wire.BillConfirm, "Confirm", confirm, "final", []any{0, most}, []any{-1, most + 1}},
		{wire.BillCharge, "Charge", charge, "payment", ids, noIDs},
		{wire.BillCharge, "Charge", charge, "attempt", attempts, noAttempts},
		{wire.BillCharge, "Charge", charge, "code", []any{"1", x("7", 512)}, []any{"", x("7", 513)}},
		{wire.BillChargeVoid, "ChargeVoid", void, "payment", ids, noIDs},
		{wire.BillChargeVoid, "ChargeVoid", void, "attempt", attempts, noAttempts},
		{wire.BillAcceptLate, "AcceptLate", object{}, "payment", ids, noIDs},
		{wire.BillExtend, "Extend", extend, "payment", ids, noIDs},
		{wire.BillExtend, "Extend", extend, "life_ms", []any{1, 86_400_000}, []any{0, -1, 86_400_001}},
		{wire.PrepaymentApply, "Apply", apply, "payment", ids, noIDs},
		{wire.PrepaymentApply, "Apply", apply, "key", keys, noKeys},
		{wire.PrepaymentApply, "Apply", apply, "sale", ids, noIDs},
		{wire.PrepaymentApply, "Apply", apply, "amount", []any{1, most}, []any{0, -1, most + 1}},
	} {
		s := schema(c.schema)
		for i, v := range slices.Concat(c.good, c.bad) {
			good := i < len(c.good)
			p := maps.Clone(c.base)
			p[c.field] = v
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if _, problem := integrator.ParseForTest(c.method, b); (problem == nil) != good {
				t.Errorf("%s with %s %v: the server takes it: %t", c.method, c.field, v, problem == nil)
			}
			if err := s.Validate(doc); (err == nil) != good {
				t.Errorf("%s with %s %v: the description takes it: %t", c.method, c.field, v, err == nil)
			}
			tries++
		}
	}
	t.Logf("%d params", tries)
}
