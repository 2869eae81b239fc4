package localapi_test

import (
	"net/http"
	"strings"
	"testing"

	"tilld/internal/localapi/client"
	"tilld/payment/lane"
)

func TestTotals(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	f.shown(p.ID)
	f.paid(p.ID)
	theirs := f.create("till-2", "R-1")
	f.paid(theirs.ID)
	c, err := client.New("http://"+f.addr, "till-1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	open, err := c.Totals(t.Context(), client.Period{})
	if err != nil || open.Lane != "1" || open.Currencies[0].Paid.Count != 1 || open.Currencies[0].Paid.Payments[0].ID != p.ID {
		t.Errorf("what is open: %+v, %v", open, err)
	}
	first, err := c.CloseTotals(t.Context(), "", "Z-1")
	if err != nil || first.Currencies[0].Kept.Value != p.Amount.Value {
		t.Errorf("closed: %+v, %v", first, err)
	}
	if a := f.do("till-1", "POST", "/v1/totals/close", `{"reference":"Z-1"}`); a.status != http.StatusOK {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	if a := f.do("till-1", "POST", "/v1/totals/close", `{"reference":"Z-2"}`); a.status != http.StatusCreated || !strings.Contains(a.body, `"count":0`) || strings.Contains(a.body, `"count":1`) {
		t.Errorf("the next: %d %s", a.status, a.body)
	}
	if _, err := c.PrintTotals(t.Context(), "", "Z-2"); err != nil {
		t.Errorf("print: %v", err)
	}
	f.box.Fail("PrintTotals", &lane.Refusal{Code: lane.NoUnavailable, Why: "no_printer"})
	if _, err := c.PrintTotals(t.Context(), "", "Z-3"); !client.Is(err, "printer_unavailable") {
		t.Errorf("without a printer: %v", err)
	}
	if old, err := c.Totals(t.Context(), client.Period{Reference: "Z-3"}); err != nil || old.Reference != "Z-3" {
		t.Errorf("closed all the same: %+v, %v", old, err)
	}
	if old, err := c.Totals(t.Context(), client.Period{Reference: "Z-1"}); err != nil || old.Upto != first.Upto {
		t.Errorf("read later: %+v, %v", old, err)
	}
	if a := f.do("till-1", "GET", "/v1/totals?lane=2", ""); a.code() != lane.NoLane {
		t.Errorf("another lane's: %d %s", a.status, a.body)
	}
	if a := f.do("all", "GET", "/v1/totals", ""); !strings.Contains(a.body, `"count":2`) || strings.Contains(a.body, `"lane"`) {
		t.Errorf("the whole box: %s", a.body)
	}
	for path, field := range map[string]string{
		"/v1/totals?from=today":                              "from",
		"/v1/totals?from=2026-11-28T08:00:00Z&to=noon":       "to",
		"/v1/totals?from=2100-01-01T00:00:00Z":               "to",
		"/v1/totals?since_last=true&reference=Z-1":           "",
		"/v1/totals?since_last=perhaps":                      "since_last",
		"/v1/totals?reference=" + strings.Repeat("x", 65):    "reference",
		"/v1/totals?reference=%D0%96":                        "reference",
		"/v1/totals?from=2026-11-28T08:00:00Z&reference=Z-1": "",
	} {
		a := f.do("till-1", "GET", path, "")
		if a.status != http.StatusUnprocessableEntity || a.code() != "bad_parameter" || field != "" && !strings.Contains(a.body, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, body := range []string{`{}`, `{"reference":""}`, `{"reference":"a b"}`, `{"reference":"Z","x":1}`, `{"reference":7}`, `{"reference":"Z","reference":"Y"}`, `[]`} {
		if a := f.do("till-1", "POST", "/v1/totals/close", body); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}
