package localapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/printing"
	"tilld/payment/lane"
)

// paper is a good body of a print job.
func paper(reference string) string {
	return `{"reference":"` + reference + `","receipt":[{"type":"text","text":"Coffee"},{"type":"cut"}]}`
}

func (a answer) job(t *testing.T) printing.Job {
	t.Helper()
	var j printing.Job
	if err := json.Unmarshal([]byte(a.body), &j); err != nil {
		t.Fatalf("no print job: %v in %s", err, a.body)
	}
	return j
}

func TestAPrintJobFromAskedToPrintedAgain(t *testing.T) {
	f := start(t)
	a := f.do("till-1", "POST", "/v1/print-jobs", strings.Replace(paper("P-1"), "{", `{"expires_in":"2m","printer":"front",`, 1))
	j := a.job(t)
	if a.status != http.StatusCreated || a.head.Get("Location") != "/v1/print-jobs/"+j.ID || j.State != printing.Queued {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := f.box.Asked(j.ID); got.Lane != "1" || got.For != 2*time.Minute || got.Printer != "front" || len(got.Items) != 2 || got.Items[0].Text != "Coffee" {
		t.Errorf("handed on: %+v", got)
	}
	if a := f.do("till-1", "POST", "/v1/print-jobs", paper("P-1")); a.status != http.StatusOK || a.job(t).ID != j.ID {
		t.Errorf("the same again: %d %s", a.status, a.body)
	}
	if a := f.do("till-1", "GET", "/v1/print-jobs", ""); !strings.Contains(a.body, j.ID) {
		t.Errorf("list: %s", a.body)
	}
	for _, q := range []string{"?reference=P-2", "?lane=2"} {
		if a := f.do("till-1", "GET", "/v1/print-jobs"+q, ""); a.body != "{\"jobs\":[]}\n" {
			t.Errorf("list%s: %s", q, a.body)
		}
	}
	done := make(chan answer, 1)
	go func() { done <- f.do("till-1", "GET", "/v1/print-jobs/"+j.ID+"?wait=20&after_version=1", "") }()
	f.box.MovePrint(j.ID, func(j *printing.Job) {
		j.State, j.Proof, j.Blocked, j.Say, j.Sent = printing.Printed, "proven", nil, nil, 90
	})
	if got := (<-done).job(t); got.State != printing.Printed || got.Version != 2 {
		t.Errorf("waited for: %+v", got)
	}
	if a := f.do("till-1", "DELETE", "/v1/print-jobs/"+j.ID, ""); a.code() != httpapi.JobState {
		t.Errorf("what is printed is taken back: %d %s", a.status, a.body)
	}
	a = f.do("tech", "POST", "/v1/print-jobs/"+j.ID+"/reprint", `{"reference":"P-1-again"}`)
	if got := a.job(t); a.status != http.StatusCreated || got.Of != j.ID || got.Mark != "copy" {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	second := a.job(t)
	if got := f.box.Asked(second.ID); got.Who != "" {
		t.Errorf("for a technician it opens a drawer: %+v", got)
	}
	if a := f.do("tech", "POST", "/v1/print-jobs/"+j.ID+"/reprint", `{"reference":"P-1-again"}`); a.status != http.StatusOK {
		t.Errorf("the same again: %d %s", a.status, a.body)
	}
	if a := f.do("till-1", "POST", "/v1/print-jobs/"+second.ID+"/reprint", `{"reference":"P-1-third"}`); a.code() != httpapi.JobState {
		t.Errorf("what waits is printed again: %d %s", a.status, a.body)
	}
	if a := f.do("till-1", "DELETE", "/v1/print-jobs/"+second.ID, ""); a.status != http.StatusOK || a.job(t).State != printing.NotPrinted {
		t.Errorf("taken back: %d %s", a.status, a.body)
	}
	if a := f.do("till-2", "GET", "/v1/print-jobs/"+j.ID, ""); a.code() != lane.NoNotFound {
		t.Errorf("another lane's: %d %s", a.status, a.body)
	}
}

// TestRawBytesNeedTheirOwnRole: of a till as of a technician.
func TestRawBytesNeedTheirOwnRole(t *testing.T) {
	f := start(t, func(c *localapi.Config) {
		c.Tokens = append(c.Tokens, localapi.NewToken("raw till", "raw-1", "1", localapi.Till, localapi.Raw), localapi.NewToken("raw alone", "raw-only", "1", localapi.Raw))
	})
	body := `{"reference":"P-1","raw":"` + base64.StdEncoding.EncodeToString([]byte("\x1b@hello\n")) + `"}`
	for _, token := range []string{"till-1", "boss-1", "raw-only"} {
		if a := f.do(token, "POST", "/v1/print-jobs", body); a.code() != httpapi.Forbidden {
			t.Errorf("%s: %d %s", token, a.status, a.body)
		}
	}
	a := f.do("raw-1", "POST", "/v1/print-jobs", body)
	if a.status != http.StatusCreated || string(f.box.Asked(a.job(t).ID).Raw) != "\x1b@hello\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestTheDrawerIsOpenedWithANameAndAReason(t *testing.T) {
	f := start(t)
	a := f.do("boss-1", "POST", "/v1/drawer/open", `{"reason":"change"}`)
	var d printing.Drawer
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.status != http.StatusOK || d.Who != "boss" || d.Reason != "change" || d.Lane != "1" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := f.do("tech", "POST", "/v1/drawer/open", `{"lane":"1","reason":"look"}`); a.code() != httpapi.Forbidden {
		t.Errorf("a technician opens the drawer: %d %s", a.status, a.body)
	}
	if a := f.do("all", "POST", "/v1/drawer/open", `{"reason":"look"}`); a.code() != httpapi.LaneNeeded {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestADrawerInAReceiptIsNoTechnicians: who may not open it by itself may not by a receipt.
func TestADrawerInAReceiptIsNoTechnicians(t *testing.T) {
	f := start(t)
	body := `{"reference":"P-1","lane":"1","receipt":[{"type":"text","text":"Coffee"},{"type":"drawer"}]}`
	if a := f.do("tech", "POST", "/v1/print-jobs", body); a.status != http.StatusForbidden || a.code() != httpapi.Forbidden {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := f.do("tech", "POST", "/v1/print-jobs", strings.Replace(body, `,{"type":"drawer"}`, "", 1)); a.status != http.StatusCreated {
		t.Errorf("without a drawer: %d %s", a.status, a.body)
	}
	body = strings.Replace(body, "P-1", "P-2", 1)
	a := f.do("boss-1", "POST", "/v1/print-jobs", body)
	if a.status != http.StatusCreated || f.box.Asked(a.job(t).ID).Who != "boss" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	f.box.MovePrint(a.job(t).ID, func(j *printing.Job) { j.State = printing.NotPrinted })
	again := f.do("till-1", "POST", "/v1/print-jobs/"+a.job(t).ID+"/reprint", `{"reference":"P-2-again"}`)
	if again.status != http.StatusCreated || f.box.Asked(again.job(t).ID).Who != "till one" {
		t.Errorf("%d %s", again.status, again.body)
	}
}

// TestAReceiptMayBeLarger than any other body, and has an end.
func TestAReceiptMayBeLarger(t *testing.T) {
	f := start(t)
	item := `{"type":"text","text":"` + strings.Repeat("x", 3900) + `"},`
	large := func(n int) string {
		return `{"reference":"P-1","receipt":[` + strings.Repeat(item, n) + `{"type":"cut"}]}`
	}
	if a := f.do("till-1", "POST", "/v1/print-jobs", large(100)); a.status != http.StatusCreated {
		t.Errorf("%d %.200s", a.status, a.body)
	}
	if a := f.do("till-1", "POST", "/v1/print-jobs", large(300)); a.code() != httpapi.BodyTooLarge {
		t.Errorf("%d %.200s", a.status, a.body)
	}
}
