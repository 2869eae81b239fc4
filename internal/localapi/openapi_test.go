package localapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tilld/internal/health"
	"tilld/internal/httpapi"
	"tilld/internal/printing"
	"tilld/payment"
	"tilld/payment/lane"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

// TestDescriptionIsCurrent keeps the description as a file, so that a reviewer reads what a change does to it, and the
// linter of tools/openapi has something to read.
func TestDescriptionIsCurrent(t *testing.T) {
	f := start(t)
	got := []byte(f.do("", "GET", "/openapi.json", "").body)
	const file = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the API is not as %s describes it: run go test ./internal/localapi -run Description -update and read the difference", file)
	}
}

type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string              `json:"operationId"`
		Summary     string              `json:"summary"`
		Tags        []string            `json:"tags"`
		Security    []map[string]any    `json:"security"`
		Roles       []string            `json:"x-roles"`
		Responses   map[string]response `json:"responses"`
	}
	Components struct{ Schemas map[string]map[string]any }
}

type response struct {
	Description string
	Codes       []string `json:"x-codes"`
	Content     map[string]struct{ Schema map[string]any }
}

func describe(t *testing.T, f *fixture) document {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(f.do("", "GET", "/openapi.json", "").body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEveryRouteIsDescribed: with its words, its roles, and each problem code at its status.
func TestEveryRouteIsDescribed(t *testing.T) {
	f := start(t)
	d := describe(t, f)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi %q", d.OpenAPI)
	}
	status := map[string]int{}
	for _, c := range slices.Concat(httpapi.General(), httpapi.Till()) {
		status[c.Code] = c.Status
	}
	routes, codes := 0, 0
	for _, rt := range f.api.Routes() {
		op, ok := d.Paths[rt.Path][strings.ToLower(rt.Method)]
		if !ok || op.OperationID != rt.ID || op.Summary == "" || len(op.Tags) != 1 {
			t.Errorf("%s %s is not described: %+v", rt.Method, rt.Path, op)
			continue
		}
		routes++
		if !slices.Equal(op.Roles, rt.Allow) || rt.Open == (len(op.Roles) > 0) {
			t.Errorf("%s: roles %v, want %v", rt.ID, op.Roles, rt.Allow)
		}
		good := false
		for s := range op.Responses {
			good = good || s < "300"
		}
		if !good {
			t.Errorf("%s: no good answer is described", rt.ID)
		}
		for _, code := range f.api.Codes(rt.ID) {
			r := op.Responses[strconv.Itoa(status[code])]
			codes++
			if !slices.Contains(r.Codes, code) || !strings.Contains(r.Description, "`"+code+"`") || r.Content["application/problem+json"].Schema == nil {
				t.Errorf("%s: %s is not described", rt.ID, code)
			}
		}
	}
	n := 0
	for _, ops := range d.Paths {
		n += len(ops)
	}
	if n != routes {
		t.Errorf("%d operations are described, %d exist", n, routes)
	}
	for name, s := range d.Components.Schemas {
		closed := s["additionalProperties"] == false
		asked := slices.Contains([]string{"Acknowledge", "Bind", "Cart", "Choice", "Choose", "CloseTotals", "Confirm", "CustomerDisplay", "Message", "Extend", "Line", "Money", "NewOverride", "NewPayment", "NewReceipt", "NewReturn", "NewPrintJob", "Reprint", "ReceiptItem", "ReceiptCell", "OpenDrawer"}, name)
		if closed != asked {
			t.Errorf("schema %s: closed is %v, want %v: requests are closed, replies may gain fields", name, closed, asked)
		}
		if strings.Contains(name, "Struct") || strings.HasSuffix(name, "Body") {
			t.Errorf("schema %s has the name of a Go type", name)
		}
	}
	t.Logf("%d routes, %d problem codes on them, %d schemas", routes, codes, len(d.Components.Schemas))
}

// TestRepliesAreAsDescribed asks for every shape of reply and holds each against its schema.
func TestRepliesAreAsDescribed(t *testing.T) {
	f := start(t)
	d := describe(t, f)
	text := f.do("", "GET", "/openapi.json", "").body
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("http://tilld/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	held := 0
	check := func(method, pattern, path, token, body string) answer {
		t.Helper()
		a := f.do(token, method, path, body)
		r, ok := d.Paths[pattern][strings.ToLower(method)].Responses[strconv.Itoa(a.status)]
		if !ok {
			t.Errorf("%s %s: %d is not described", method, path, a.status)
			return a
		}
		media, _, _ := strings.Cut(a.head.Get("Content-Type"), ";")
		content, ok := r.Content[media]
		if !ok {
			if a.body != "" {
				t.Errorf("%s %s: %d as %q is not described", method, path, a.status, media)
			}
			return a
		}
		ref, _ := content.Schema["$ref"].(string)
		if ref == "" {
			return a
		}
		s, err := c.Compile("http://tilld/openapi.json" + ref)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s %s: %d is not as described: %v\n%s", method, path, a.status, err, a.body)
		}
		held++
		return a
	}
	p := check("POST", "/v1/payments", "/v1/payments", "till-1", sale("R-1")).payment(t)
	check("POST", "/v1/payments", "/v1/payments", "till-1", sale("R-1"))
	check("POST", "/v1/payments", "/v1/payments", "till-1", "{}")
	one, at := "/v1/payments/{id}", "/v1/payments/"+p.ID
	f.shown(p.ID)
	check("GET", one, at, "till-1", "")
	check("GET", one+"/qr.png", at+"/qr.png", "till-1", "")
	check("GET", one+"/qr.svg", at+"/qr.svg", "till-1", "")
	check("POST", one+"/extend", at+"/extend", "till-1", "")
	check("POST", one+"/extend", at+"/extend", "till-1", `{"by":"1s"}`)
	check("POST", one+"/confirm", at+"/confirm", "till-1", "{}")
	f.box.Move(p.ID, "payment.late", func(p *lane.Public) {
		p.State, p.QR, p.LateOffer, p.LastDecline = "closing", nil, &lane.LateOffer{RemainingMS: 9}, &lane.Declined{Why: "limit", Retry: true}
		t := p.Stamps["asked"]
		p.DoubtSince, p.DoubtWhy, p.Why, p.Flags = &t, "link", "x", []string{"late"}
	})
	check("POST", one+"/accept", at+"/accept", "till-1", "")
	check("POST", one+"/park", at+"/park", "till-1", "")
	check("POST", one+"/override", at+"/override", "boss-1", `{"tender":"cash","who":"a","why":"b"}`)
	f.paid(p.ID)
	check("PUT", one+"/receipt", at+"/receipt", "till-1", `{"number":"5","url":"https://x"}`)
	check("POST", one+"/return", at+"/return", "till-1", `{"reference":"V"}`)
	check("POST", one+"/confirm", at+"/confirm", "till-1", `{"final_amount":{"value":1,"currency":"RUB"}}`)
	check("GET", one, at, "tech", "")
	check("GET", one+"/story", at+"/story", "tech", "")
	check("GET", "/v1/payments", "/v1/payments", "tech", "")
	j := check("POST", "/v1/print-jobs", "/v1/print-jobs", "till-1", paper("P-1")).job(t)
	job, until := "/v1/print-jobs/"+j.ID, time.Now()
	check("GET", "/v1/print-jobs/{id}", job, "till-1", "")
	check("GET", "/v1/print-jobs", "/v1/print-jobs", "till-1", "")
	f.box.MovePrint(j.ID, func(j *printing.Job) {
		j.State, j.Proof, j.Blocked, j.Say, j.Until = printing.Printed, "blind", nil, nil, &until
	})
	check("POST", "/v1/print-jobs/{id}/reprint", job+"/reprint", "till-1", `{"reference":"P-2"}`)
	check("DELETE", "/v1/print-jobs/{id}", job, "till-1", "")
	check("POST", "/v1/drawer/open", "/v1/drawer/open", "till-1", `{"reason":"change"}`)
	check("GET", "/v1/events", "/v1/events", "tech", "")
	check("GET", "/v1/events", "/v1/events?after=99", "tech", "")
	check("GET", "/v1/availability", "/v1/availability", "tech", "")
	f.box.Health.Set(health.Trouble{Code: "no_paper", Subject: "printer 1", Severity: health.Part, Sentence: "The printer has no paper.", Remedy: "Put a roll in."})
	if a := check("GET", "/v1/health", "/v1/health", "tech", ""); !strings.Contains(a.body, `"The printer has no paper."`) {
		t.Errorf("health: %s", a.body)
	}
	check("GET", "/v1/health", "/v1/health", "", "")
	check("POST", "/v1/journal/acknowledge", "/v1/journal/acknowledge", "tech", `{"who":"a","why":"b"}`)
	check("PUT", displayPath, displayPath, "till-1", message)
	check("PUT", displayPath, displayPath, "till-1", "{}")
	check("GET", "/healthz", "/healthz", "", "")
	check("GET", "/readyz", "/readyz", "", "")
	check("GET", "/openapi.json", "/openapi.json", "", "")
	if held < 20 {
		t.Errorf("only %d replies had a schema", held)
	}
	t.Logf("%d replies held against their schemas", held)
}

// TestTheDescriptionHasTheLimitsOfTheLink: what this API takes, the integrator takes. A return's reason has no limit: it is
// cut.
func TestTheDescriptionHasTheLimitsOfTheLink(t *testing.T) {
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					MaxLength *int `json:"maxLength"`
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(start(t).do("", "GET", "/openapi.json", "").body), &d); err != nil {
		t.Fatal(err)
	}
	create, back := d.Components.Schemas["NewPayment"].Properties, d.Components.Schemas["NewReturn"].Properties
	for field, want := range map[string]int{"lane": payment.MaxLane, "payee": payment.MaxPayee, "provider": payment.MaxProvider} {
		if n := create[field].MaxLength; n == nil || *n != want {
			t.Errorf("%s has the limit %v, want %d", field, n, want)
		}
	}
	if reason, ok := back["reason"]; !ok || reason.MaxLength != nil {
		t.Errorf("a return's reason: %v, with a limit %v", ok, reason.MaxLength)
	}
}
