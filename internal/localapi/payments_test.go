package localapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/qr"
	"tilld/payment"
	"tilld/payment/lane"
)

func TestCreate(t *testing.T) {
	f := start(t)
	a := f.do("till-1", "POST", "/v1/payments", sale("R-77"))
	p := a.payment(t)
	if a.status != http.StatusCreated || a.head.Get("Location") != "/v1/payments/"+p.ID {
		t.Fatalf("%d, Location %q", a.status, a.head.Get("Location"))
	}
	if p.Lane != "1" || p.Reference != "R-77" || p.Amount.Text != "125.50" || p.State != "submitted" || !strings.Contains(a.body, `"qr":null`) {
		t.Errorf("payment as asked for: %s", a.body)
	}
	for _, list := range []string{`"flags":[]`, `"returns":[]`} {
		if !strings.Contains(a.body, list) {
			t.Errorf("an empty list is not written as one: %s", list)
		}
	}
	if got := a.head.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	again := f.do("till-1", "POST", "/v1/payments", sale("R-77"))
	if again.status != http.StatusOK || again.payment(t).ID != p.ID {
		t.Errorf("the same body again: %d %s", again.status, again.body)
	}
	other := f.do("till-1", "POST", "/v1/payments", strings.Replace(sale("R-77"), "12550", "12551", 1))
	if other.status != http.StatusConflict || other.code() != lane.NoKeyReused || !strings.Contains(other.body, p.ID) {
		t.Errorf("another body: %d %s", other.status, other.body)
	}
	if two := f.do("till-2", "POST", "/v1/payments", sale("R-77")); two.status != http.StatusCreated {
		t.Errorf("the reference in another lane: %d", two.status)
	}
	if got := f.do("all", "POST", "/v1/payments", strings.Replace(sale("R-78"), "{", `{"lane":"2",`, 1)); got.status != http.StatusCreated || got.payment(t).Lane != "2" {
		t.Errorf("a lane that is named: %d %s", got.status, got.body)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	f := start(t)
	p := f.create("till-1", "R-1")
	path := "/v1/payments/" + p.ID + "?after_version=1&wait="
	began := time.Now()
	if a := f.do("till-1", "GET", path+"0", ""); a.payment(t).Version != 1 {
		t.Errorf("no wait: %s", a.body)
	}
	if a := f.do("till-1", "GET", path+"1", ""); a.payment(t).Version != 1 || time.Since(began) < time.Second {
		t.Errorf("a wait without news: after %v %s", time.Since(began), a.body)
	}
	got := make(chan answer)
	go func() { got <- f.do("till-1", "GET", path+"30", "") }()
	f.shown(p.ID)
	select {
	case a := <-got:
		if q := a.payment(t); q.Version != 2 || q.State != "open" || q.QR == nil || *q.RemainingMS != 287000 {
			t.Errorf("news: %s", a.body)
		}
	case <-time.After(time.Minute):
		t.Fatal("the wait did not end with the news")
	}
}

func TestList(t *testing.T) {
	f := start(t)
	a, b, c := f.create("till-1", "R-1"), f.create("till-1", "R-2"), f.create("till-2", "R-1")
	f.paid(a.ID)
	if got := f.do("till-1", "POST", "/v1/payments/"+a.ID+"/confirm", "{}"); got.status != http.StatusOK {
		t.Fatalf("confirm: %s", got.body)
	}
	f.box.Move(b.ID, "payment.doubt", func(p *lane.Public) { p.State = "in_doubt" })
	for _, tc := range []struct {
		token, query string
		want         []string
	}{
		{"till-1", "", []string{b.ID, a.ID}},
		{"till-2", "", []string{c.ID}},
		{"tech", "", []string{c.ID, b.ID, a.ID}},
		{"tech", "?lane=2", []string{c.ID}},
		{"till-1", "?lane=2", nil},
		{"till-1", "?open=true", []string{b.ID}},
		{"till-1", "?unsettled=true", []string{b.ID}},
		{"tech", "?reference=R-1", []string{c.ID, a.ID}},
		{"tech", "?number=" + b.Number, []string{b.ID}},
		{"tech", "?number=0000", nil},
	} {
		var got struct{ Payments []lane.Public }
		answer := f.do(tc.token, "GET", "/v1/payments"+tc.query, "")
		if err := json.Unmarshal([]byte(answer.body), &got); err != nil || got.Payments == nil {
			t.Fatalf("%s %s: %s", tc.token, tc.query, answer.body)
		}
		ids := make([]string, 0, len(got.Payments))
		for _, p := range got.Payments {
			ids = append(ids, p.ID)
		}
		if strings.Join(ids, " ") != strings.Join(tc.want, " ") {
			t.Errorf("%s %s: %v, want %v", tc.token, tc.query, ids, tc.want)
		}
	}
}

// TestListIsWhole: after a long night without a line nothing that is unsettled is left out.
func TestListIsWhole(t *testing.T) {
	f := start(t)
	const many = 300
	for i := range many {
		p := f.create("till-1", fmt.Sprint("R-", i))
		f.box.Move(p.ID, "payment.doubt", func(p *lane.Public) { p.State = "in_doubt" })
	}
	var got struct{ Payments []lane.Public }
	if answer := f.do("till-1", "GET", "/v1/payments?unsettled=true", ""); json.Unmarshal([]byte(answer.body), &got) != nil || len(got.Payments) != many {
		t.Errorf("%d of %d", len(got.Payments), many)
	}
}

func TestActs(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	at := "/v1/payments/" + p.ID
	f.shown(p.ID)
	for _, tc := range []struct {
		token, method, path, body string
		status                    int
		has                       string
	}{
		{"till-1", "POST", "/extend", "", 200, `"remaining_ms":300000`},
		{"till-1", "POST", "/extend", `{"by":"90s"}`, 200, `"remaining_ms":90000`},
		{"till-1", "POST", "/extend", `{"by":"1s"}`, 202, `"remaining_ms":1000`},
		{"till-1", "POST", "/confirm", `{}`, 409, lane.NoNotPaid},
		{"till-1", "POST", "/accept", "", 202, `"id":`},
		{"till-1", "POST", "/park", "{}", 200, `"parked"`},
		{"till-1", "POST", "/override", `{"tender":"cash","who":"Anna","why":"link is down"}`, 403, "forbidden"},
		{"boss-1", "POST", "/override", `{"tender":"cash","who":"Anna","why":"link is down"}`, 200, `"overridden"`},
		{"till-1", "POST", "/return", `{"reference":"V-1","amount":{"value":50,"currency":"RUB"},"reason":"broken"}`, 202, `"text":"0.50"`},
		{"till-1", "PUT", "/receipt", `{"number":"5","at":"2026-11-22T10:00:00+03:00"}`, 200, `"number":"5"`},
		{"till-1", "GET", "/story", "", 200, `"code_shown"`},
	} {
		a := f.do(tc.token, tc.method, at+tc.path, tc.body)
		if a.status != tc.status || !strings.Contains(a.body, tc.has) {
			t.Errorf("%s %s %s: %d %s; want %d with %s", tc.token, tc.path, tc.body, a.status, a.body, tc.status, tc.has)
		}
	}
	f.paid(p.ID)
	a := f.do("till-1", "POST", at+"/confirm", `{"final_amount":{"value":12000,"currency":"RUB"},"receipt":{"number":"6"}}`)
	if q := a.payment(t); a.status != http.StatusOK || q.Final == nil || q.Final.Text != "120.00" || q.Receipt.Number != "6" {
		t.Errorf("confirm with less: %d %s", a.status, a.body)
	}
}

// TestAReasonIsCutAndNeverRefusedFor: it is for people, and a return is not to fail for what a person wrote.
func TestAReasonIsCutAndNeverRefusedFor(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	f.paid(p.ID)
	for i, letter := range []string{"x", "ж", "語"} {
		a := f.do("till-1", "POST", "/v1/payments/"+p.ID+"/return", fmt.Sprintf(`{"reference":"V-%d","amount":{"value":50,"currency":"RUB"},"reason":"%s"}`, i, strings.Repeat(letter, 3*payment.MaxReason)))
		if a.status != http.StatusAccepted || !strings.Contains(a.body, `"`+strings.Repeat(letter, payment.MaxReason)+`"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// TestWhoDecides: of a restored payment a supervisor alone says where the goods are, so his name goes with the call.
func TestWhoDecides(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	f.paid(p.ID)
	for i, token := range []string{"till-1", "boss-1"} {
		f.do(token, "POST", "/v1/payments/"+p.ID+"/confirm", "{}")
		f.do(token, "POST", "/v1/payments/"+p.ID+"/return", fmt.Sprintf(`{"reference":"V-%d"}`, i))
	}
	if got := f.box.Deciders(); !slices.Equal(got, []string{"", "", "boss", "boss"}) {
		t.Errorf("the box heard %q", got)
	}
}

func TestPicture(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	at := "/v1/payments/" + p.ID
	if a := f.do("till-1", "GET", at+"/qr.png", ""); a.status != http.StatusGone || a.code() != lane.NoCodeNotLive {
		t.Errorf("before the code is on glass: %d %s", a.status, a.body)
	}
	f.shown(p.ID)
	small, large := f.do("till-1", "GET", at+"/qr.png?scale=2", ""), f.do("kiosk-1", "GET", at+"/qr.png", "")
	for name, a := range map[string]answer{"small": small, "large": large} {
		m, err := png.Decode(strings.NewReader(a.body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := qr.Decode(m); err != nil || got != "https://qr.example/"+p.ID {
			t.Errorf("%s says %q, %v", name, got, err)
		}
		if a.head.Get("Cache-Control") != "no-store" || a.head.Get("Content-Type") != "image/png" {
			t.Errorf("%s: headers %v", name, a.head)
		}
	}
	if len(small.body) >= len(large.body) {
		t.Error("scale makes no difference")
	}
	svg := f.do("till-1", "GET", at+"/qr.svg", "")
	if svg.head.Get("Content-Type") != "image/svg+xml" || !bytes.HasPrefix([]byte(svg.body), []byte("<svg")) {
		t.Errorf("svg: %v", svg.head)
	}
	f.paid(p.ID)
	for _, kind := range []string{"png", "svg"} {
		if a := f.do("till-1", "GET", at+"/qr."+kind, ""); a.status != http.StatusGone {
			t.Errorf("%s after the code left the glass: %d", kind, a.status)
		}
	}
}
