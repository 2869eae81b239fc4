package localapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/internal/localapi/localapitest"
	"tilld/internal/record"
	"tilld/internal/roster"
	"tilld/payment"
	"tilld/payment/lane"
)

// TestEveryTillCode asks for each code of the box's list, and fails for one that no request reaches.
func TestEveryTillCode(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-0")
	at := "/v1/payments/" + p.ID
	refuse := func(method, code, why string) func() {
		return func() { f.box.Fail(method, &lane.Refusal{Code: code, Why: why, Payment: &p}) }
	}
	create := func(before func()) func() answer {
		return func() answer {
			before()
			defer f.box.Fail("Create", nil)
			return f.do("till-1", "POST", "/v1/payments", sale("R-1"))
		}
	}
	act := func(method, tail, body, code string) func() answer {
		return func() answer {
			refuse(method, code, "a_reason")()
			defer f.box.Fail(method, nil)
			return f.do("boss-1", "POST", at+tail, body)
		}
	}
	print := func(before func()) func() answer {
		return func() answer {
			before()
			defer f.box.Fail("Submit", nil)
			return f.do("till-1", "POST", "/v1/print-jobs", paper("P-1"))
		}
	}
	cases := map[string][]func() answer{
		lane.NoNotFound: {
			func() answer { return f.do("till-1", "GET", "/v1/payments/"+someID, "") },
			func() answer { return f.do("till-1", "GET", "/v1/payments/nonsense", "") },
			func() answer { return f.do("till-1", "POST", "/v1/payments/"+someID+"/park", "") },
			func() answer { return f.do("till-1", "GET", "/v1/print-jobs/"+someID, "") },
			func() answer { return f.do("till-1", "DELETE", "/v1/print-jobs/nonsense", "") },
		},
		lane.NoLane: {
			func() answer {
				return f.do("all", "POST", "/v1/payments", strings.Replace(sale("R-1"), "{", `{"lane":"9",`, 1))
			},
			create(refuse("Create", lane.NoLane, "")),
		},
		httpapi.LaneNeeded:      {func() answer { return f.do("all", "POST", "/v1/payments", sale("R-1")) }},
		lane.NoKeyReused:        {create(refuse("Create", lane.NoKeyReused, "")), print(refuse("Submit", lane.NoKeyReused, "")), act("Return", "/return", `{"reference":"V-1"}`, lane.NoKeyReused)},
		lane.NoLaneBusy:         {create(refuse("Create", lane.NoLaneBusy, "")), func() answer { return f.do("till-1", "PUT", displayPath, message) }},
		lane.NoReplacedWasPaid:  {create(refuse("Create", lane.NoReplacedWasPaid, ""))},
		lane.NoOverridden:       {create(refuse("Create", lane.NoOverridden, ""))},
		lane.NoUnavailable:      {create(refuse("Create", lane.NoUnavailable, "no_link")), create(func() { f.box.Fail("Create", record.ErrFull) }), act("Extend", "/extend", "", lane.NoUnavailable)},
		lane.NoNotPaid:          {act("Confirm", "/confirm", "{}", lane.NoNotPaid)},
		lane.NoReturned:         {paid(f, p.ID, act("Confirm", "/confirm", "{}", lane.NoReturned))},
		lane.NoAlreadyConfirmed: {act("Confirm", "/confirm", "{}", lane.NoAlreadyConfirmed), act("Return", "/return", `{"reference":"V-1"}`, lane.NoAlreadyConfirmed)},
		lane.NoConfirmFirst:     {act("Return", "/return", `{"reference":"V-1","amount":{"value":1,"currency":"RUB"}}`, lane.NoConfirmFirst)},
		lane.NoUseReturn:        {act("Confirm", "/confirm", `{"final_amount":{"value":0,"currency":"RUB"}}`, lane.NoUseReturn)},
		lane.NoFinalExceedsPaid: {act("Confirm", "/confirm", "{}", lane.NoFinalExceedsPaid)},
		lane.NoExceedsKept:      {act("Return", "/return", `{"reference":"V-1"}`, lane.NoExceedsKept)},
		lane.NoTooManyReturns:   {act("Return", "/return", `{"reference":"V-1"}`, lane.NoTooManyReturns)},
		lane.NoCannotExtend:     {act("Extend", "/extend", "", lane.NoCannotExtend)},
		lane.NoNotInDoubt:       {act("Override", "/override", `{"tender":"cash","who":"x","why":"y"}`, lane.NoNotInDoubt)},
		lane.NoWrongState:       {act("Park", "/park", "", lane.NoWrongState), act("Accept", "/accept", "", lane.NoWrongState)},
		lane.NoCodeNotLive:      {func() answer { return f.do("till-1", "GET", at+"/qr.svg", "") }},
		httpapi.EventsTrimmed: {func() answer {
			f.box.Trim(1)
			return f.do("till-1", "GET", "/v1/events?after=0", "")
		}},
		httpapi.NoTotals:       {func() answer { return f.do("till-1", "GET", "/v1/totals?reference=Z-9", "") }},
		httpapi.NoDevice:       {tryOut(f, "printer-9", nil), tryOut(f, "scanner-1", roster.ErrUnknown)},
		httpapi.NoTest:         {tryOut(f, "scanner-1", roster.ErrNoTest)},
		httpapi.DeviceAway:     {tryOut(f, "scanner-1", roster.ErrAway)},
		httpapi.DeviceBusy:     {tryOut(f, "scanner-1", fmt.Errorf("%w: a payment waits for a code", roster.ErrBusy))},
		httpapi.NoRole:         {bind(f, roster.ErrNoRole)},
		httpapi.PortFixed:      {bind(f, roster.ErrFixed)},
		httpapi.NotPluggedIn:   {bind(f, fmt.Errorf("%w: none is", roster.ErrNotHere))},
		httpapi.UnfitDevice:    {bind(f, roster.ErrUnfit)},
		httpapi.DeviceTaken:    {bind(f, roster.ErrTaken)},
		httpapi.NoOffer:        {bind(f, roster.ErrNoOffer)},
		httpapi.NoNumber:       {bind(f, roster.ErrNumber)},
		httpapi.BindingsUnkept: {bind(f, fmt.Errorf("%w: disk full", roster.ErrUnkept))},
		httpapi.NotReady: {
			func() answer {
				f.box.Fail("Availability", errors.New("no"))
				defer f.box.Fail("Availability", nil)
				return f.do("", "GET", "/readyz", "")
			},
			func() answer {
				f.box.SetAvailability("1", lane.Availability{})
				f.box.SetAvailability("2", lane.Availability{})
				return f.do("", "GET", "/readyz", "")
			},
		},
		httpapi.PrinterUnavailable: {
			print(refuse("Submit", lane.NoUnavailable, "no_printer")),
			func() answer {
				refuse("OpenDrawer", lane.NoUnavailable, "no_drawer")()
				defer f.box.Fail("OpenDrawer", nil)
				return f.do("till-1", "POST", "/v1/drawer/open", `{"reason":"change"}`)
			},
		},
		httpapi.JobState: {func() answer {
			j := f.do("till-1", "POST", "/v1/print-jobs", paper("P-9")).job(t)
			return f.do("till-1", "POST", "/v1/print-jobs/"+j.ID+"/reprint", `{"reference":"P-10"}`)
		}},
		httpapi.StorageStopped: {create(func() { f.box.Fail("Create", fmt.Errorf("commit: %w", record.ErrStopped)) })},
	}
	reached := 0
	for _, c := range httpapi.Till() {
		if len(cases[c.Code]) == 0 {
			t.Errorf("%s: no request of this test reaches it", c.Code)
		}
		for i, ask := range cases[c.Code] {
			a := ask()
			var got httpapi.Problem
			if err := json.Unmarshal([]byte(a.body), &got); err != nil {
				t.Errorf("%s, %d: %v in %s", c.Code, i, err, a.body)
				continue
			}
			if a.status != c.Status || got.Code != c.Code || got.Title != c.Title || got.Do != c.Do {
				t.Errorf("%s, %d: %d %s", c.Code, i, a.status, a.body)
			}
			reached++
		}
		delete(cases, c.Code)
	}
	for code := range cases {
		t.Errorf("%s is in this test and not in the list", code)
	}
	t.Logf("%d codes by %d requests", len(httpapi.Till()), reached)
}

// bind wishes for a device; the wish ends with err.
func bind(f *fixture, err error) func() answer {
	return func() answer {
		f.box.Gear.SetBind(func(string, string, roster.Wish) (roster.Binding, error) { return roster.Binding{}, err }, nil)
		return f.do("tech", "PUT", "/v1/bindings/1/scanner", `{"do":"bind","device":"05e0:1701"}`)
	}
}

// tryOut tries a device out whose test ends with err.
func tryOut(f *fixture, id string, err error) func() answer {
	return func() answer {
		f.box.Gear.Put(roster.Device{ID: "scanner-1", Role: "scanner", Lanes: []string{"1"}}, func() (roster.Result, error) { return roster.Result{}, err })
		return f.do("tech", "POST", "/v1/devices/"+id+"/test", "")
	}
}

// paid wraps a case so that the fixture's own light check is out of the way.
func paid(f *fixture, id string, ask func() answer) func() answer {
	return func() answer { f.paid(id); return ask() }
}

func TestRefusalsShowThePayment(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-0")
	f.box.Fail("Create", &lane.Refusal{Code: lane.NoLaneBusy, Why: "no_link", Payment: &p, Say: &lane.Sentence{Code: "busy", Short: "One QR payment at a time", Do: "Finish it."}})
	a := f.do("till-1", "POST", "/v1/payments", sale("R-1"))
	var got struct {
		Why     string
		Payment lane.Public
		Say     lane.Sentence
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Why != "no_link" || got.Say.Code != "busy" || got.Say.Do != "Finish it." || got.Payment.ID != p.ID || got.Payment.Flags == nil {
		t.Errorf("%v: %s", err, a.body)
	}
	if a := f.do("till-2", "POST", "/v1/payments", sale("R-1")); strings.Contains(a.body, p.ID) {
		t.Errorf("another lane's payment is shown: %s", a.body)
	}
	f.box.Fail("Create", &lane.Refusal{Code: "invented"})
	if a := f.do("till-1", "POST", "/v1/payments", sale("R-1")); a.status != http.StatusInternalServerError || !strings.Contains(f.log.String(), "invented") {
		t.Errorf("a code that nobody listed: %d %s", a.status, a.body)
	}
}

// secret stands in for a customer's pay code or anything else that must not come back.
const secret = "280012345678901234"

var badBodies = []struct{ path, body, code, field string }{
	{"", ``, httpapi.BadJSON, ""},
	{"", `"` + secret + `"`, httpapi.BadJSON, ""},
	{"", `{"reference":"` + secret, httpapi.BadJSON, ""},
	{"", `{"code":"` + secret + `"}`, httpapi.MissingField, "*"},
	{"", set(`"amount":{"value":12550,"currency":"RUB"}`, ``), httpapi.BadJSON, ""},
	{"", set(`,"mode":"show"`, ``), httpapi.MissingField, "mode"},
	{"", set(`,"purpose":"sale"`, ``), httpapi.MissingField, "purpose"},
	{"", set(`"reference":"R-1",`, ``), httpapi.MissingField, "reference"},
	{"", set(`,"currency":"RUB"`, ``), httpapi.MissingField, "currency"},
	{"", set(`"value":12550,`, ``), httpapi.MissingField, "value"},
	{"", set(`"reference":`, `"Reference":`), httpapi.MissingField, "reference"},
	{"", set(`"mode":"show"`, `"mode":"show","Mode":"show"`), httpapi.UnknownField, "Mode"},
	{"", set(`"mode":"show"`, `"mode":"show","externalID":"7"`), httpapi.UnknownField, "externalID"},
	{"", set(`"mode":"show"`, `"mode":"show","mode":"show"`), httpapi.DuplicateField, "mode"},
	{"", set(`"mode":"show"`, `"mode":"show","`+secret+`":1`), httpapi.UnknownField, ""},
	{"", set(`"mode":"show"`, `"mode":"show","amountt":1`), httpapi.UnknownField, "amountt"},
	{"", set(`"value":12550`, `"value":12550,"valeu":1`), httpapi.UnknownField, "valeu"},
	{"", set(`12550`, `125.50`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `12550.0`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `1e4`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `"12550"`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `"`+secret+`"`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `1000000000001`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, secret), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `0`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `-1`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `null`), httpapi.AmountFormat, "value"},
	{"", set(`12550`, `[12550]`), httpapi.AmountFormat, "value"},
	{"", set(`{"value":12550,"currency":"RUB"}`, `12550`), httpapi.AmountFormat, "amount"},
	{"", set(`{"value":12550,"currency":"RUB"}`, `null`), httpapi.AmountFormat, "amount"},
	{"", set(`"RUB"`, `"rub"`), httpapi.InvalidField, "currency"},
	{"", set(`"RUB"`, `"QQQ"`), httpapi.InvalidField, "currency"},
	{"", set(`"RUB"`, `"`+secret+`"`), httpapi.InvalidField, "currency"},
	{"", set(`"R-1"`, `""`), httpapi.InvalidField, "reference"},
	{"", set(`"R-1"`, `"`+strings.Repeat("x", 65)+`"`), httpapi.InvalidField, "reference"},
	{"", set(`"R-1"`, `"R 1 `+secret+`"`), httpapi.InvalidField, "reference"},
	{"", set(`"R-1"`, `"R-1\n"`), httpapi.InvalidField, "reference"},
	{"", set(`"R-1"`, `77`), httpapi.InvalidField, "reference"},
	{"", set(`"show"`, `"SHOW"`), httpapi.InvalidField, "mode"},
	{"", set(`"show"`, `"`+secret+`"`), httpapi.InvalidField, "mode"},
	{"", set(`"sale"`, `"refund"`), httpapi.InvalidField, "purpose"},
	{"", with(`"expires_in":180`), httpapi.InvalidField, "expires_in"},
	{"", with(`"expires_in":"180"`), httpapi.InvalidField, "expires_in"},
	{"", with(`"expires_in":"1s"`), httpapi.InvalidField, "expires_in"},
	{"", with(`"expires_in":"21m"`), httpapi.InvalidField, "expires_in"},
	{"", with(`"expires_in":"-5m"`), httpapi.InvalidField, "expires_in"},
	{"", with(`"expires_in":"99999999999h"`), httpapi.InvalidField, "expires_in"},
	{"", with(`"outputs":"kiosk"`), httpapi.InvalidField, "outputs"},
	{"", with(`"outputs":["` + secret + `"]`), httpapi.InvalidField, "outputs"},
	{"", with(`"outputs":["till","till"]`), httpapi.InvalidField, "outputs"},
	{"", with(`"lines":[{"text":"tea"}]`), httpapi.MissingField, "amount"},
	{"", with(`"lines":[{"text":"tea\u0007","amount":{"value":1,"currency":"RUB"}}]`), httpapi.InvalidField, "text"},
	{"", with(`"lines":[{"text":"tea","amount":{"value":0.5,"currency":"RUB"}}]`), httpapi.AmountFormat, "value"},
	{"", with(`"code":"` + secret + `"`), httpapi.InvalidField, "code"}, // mode is show
	{"", with(`"code":["` + secret + `"]`), httpapi.InvalidField, "code"},
	{"", with(`"code":` + secret), httpapi.InvalidField, "code"},
	{"", with(`"code":{"` + secret + `":"` + secret + `"}`), httpapi.InvalidField, "code"},
	{"", with(`"code":"` + strings.Repeat(secret, 40) + `"`), httpapi.InvalidField, "code"},
	{"", strings.Replace(with(`"code":"`+strings.Repeat("ж", 257)+`"`), `"show"`, `"scan"`, 1), httpapi.InvalidField, "code"}, // 514 bytes
	{"", with(`"if_not_confirmed":"` + secret + `"`), httpapi.InvalidField, "if_not_confirmed"},
	{"", with(`"replaces":"` + secret + `"`), lane.NoNotFound, "replaces"},
	{"", with(`"adds_to":"` + strings.Repeat("x", 27) + `"`), httpapi.InvalidField, "adds_to"},
	{"/confirm", ``, httpapi.BadJSON, ""},
	{"/confirm", `{"final":1}`, httpapi.UnknownField, "final"},
	{"/confirm", `{"final_amount":1}`, httpapi.AmountFormat, "final_amount"},
	{"/confirm", `{"final_amount":{"value":-1,"currency":"RUB"}}`, httpapi.AmountFormat, "value"},
	{"/confirm", `{"receipt":{"at":"` + secret + `"}}`, httpapi.InvalidField, "at"},
	{"/confirm", `{"receipt":{"number":` + secret + `}}`, httpapi.InvalidField, "number"},
	{"/return", `{}`, httpapi.MissingField, "reference"},
	{"/return", `{"reference":"` + secret + `/1"}`, httpapi.InvalidField, "reference"},
	{"/return", `{"reference":"V","amount":{"value":0,"currency":"RUB"}}`, httpapi.AmountFormat, "value"},
	{"/return", `{"reference":"V","reason":["` + secret + `"]}`, httpapi.InvalidField, "reason"},
	{"/extend", `{"by":300}`, httpapi.InvalidField, "by"},
	{"/extend", `{"by":"soon"}`, httpapi.InvalidField, "by"},
	{"/extend", `{"by":"0s"}`, httpapi.InvalidField, "by"},
	{"/park", `{"why":"` + secret + `"}`, httpapi.UnknownField, "why"},
	{"/accept", `[]`, httpapi.BadJSON, ""},
	{"/override", `{"tender":"cash","who":"x"}`, httpapi.MissingField, "why"},
	{"/override", `{"tender":"cash","who":"","why":"y"}`, httpapi.InvalidField, "who"},
	{"/v1/print-jobs", ``, httpapi.BadJSON, ""},
	{"/v1/print-jobs", `{"reference":"P"}`, httpapi.InvalidField, "receipt"},
	{"/v1/print-jobs", `{"receipt":[{"type":"cut"}]}`, httpapi.MissingField, "reference"},
	{"/v1/print-jobs", `{"reference":"P/1","receipt":[{"type":"cut"}]}`, httpapi.InvalidField, "reference"},
	{"/v1/print-jobs", `{"reference":"P","receipt":"` + secret + `"}`, httpapi.InvalidField, "receipt"},
	{"/v1/print-jobs", `{"reference":"P","receipt":["` + secret + `"]}`, httpapi.InvalidField, "receipt"},
	{"/v1/print-jobs", `{"reference":"P","receipt":[{"text":"x"}]}`, httpapi.MissingField, "type"},
	{"/v1/print-jobs", receiptOf(`"type":"` + secret + `"`), httpapi.InvalidField, "type"},
	{"/v1/print-jobs", receiptOf(`"type":"text","text":"a\u001b@"`), httpapi.InvalidField, "text"},
	{"/v1/print-jobs", receiptOf(`"type":"text","text":"a\u009b"`), httpapi.InvalidField, "text"},
	{"/v1/print-jobs", receiptOf(`"type":"text","text":"a","text":"b"`), httpapi.DuplicateField, "text"},
	{"/v1/print-jobs", receiptOf(`"type":"text","Text":"a"`), httpapi.UnknownField, "Text"},
	{"/v1/print-jobs", receiptOf(`"type":"text","text":"` + strings.Repeat("x", 4001) + `"`), httpapi.InvalidField, "text"},
	{"/v1/print-jobs", receiptOf(`"type":"text","payload":"` + secret + `"`), httpapi.InvalidField, "payload"},
	{"/v1/print-jobs", receiptOf(`"type":"text","width":6`), httpapi.InvalidField, "width"},
	{"/v1/print-jobs", receiptOf(`"type":"text","align":"middle"`), httpapi.InvalidField, "align"},
	{"/v1/print-jobs", receiptOf(`"type":"columns"`), httpapi.InvalidField, "cells"},
	{"/v1/print-jobs", receiptOf(`"type":"columns","cells":[{"width":3}]`), httpapi.MissingField, "text"},
	{"/v1/print-jobs", receiptOf(`"type":"columns","cells":[{"text":"a","align":"` + secret + `"}]`), httpapi.InvalidField, "align"},
	{"/v1/print-jobs", receiptOf(`"type":"qr"`), httpapi.InvalidField, "payload"},
	{"/v1/print-jobs", receiptOf(`"type":"qr","payload":"привет"`), httpapi.InvalidField, "payload"},
	{"/v1/print-jobs", receiptOf(`"type":"qr","payload":"x","level":"Z"`), httpapi.InvalidField, "level"},
	{"/v1/print-jobs", receiptOf(`"type":"qr","payload":"x","module":2`), httpapi.InvalidField, "module"},
	{"/v1/print-jobs", receiptOf(`"type":"barcode","kind":"ean13"`), httpapi.InvalidField, "data"},
	{"/v1/print-jobs", receiptOf(`"type":"barcode","kind":"upce","data":"1"`), httpapi.InvalidField, "kind"},
	{"/v1/print-jobs", receiptOf(`"type":"image","picture":"` + secret + `"`), httpapi.InvalidField, ""},
	{"/v1/print-jobs", receiptOf(`"type":"image","picture":"AAAA"`), httpapi.InvalidField, "picture"},
	{"/v1/print-jobs", receiptOf(`"type":"feed","lines":51`), httpapi.InvalidField, "lines"},
	{"/v1/print-jobs", receiptOf(`"type":"drawer","pin":3`), httpapi.InvalidField, "pin"},
	{"/v1/print-jobs", `{"reference":"P","receipt":[` + strings.Repeat(`{"type":"cut"},`, 1000) + `{"type":"cut"}]}`, httpapi.InvalidField, "receipt"},
	{"/v1/print-jobs", `{"reference":"P","raw":"Gw=="}`, httpapi.Forbidden, "raw"},
	{"/v1/print-jobs", `{"reference":"P","raw":"no base64 ` + secret + `"}`, httpapi.InvalidField, "raw"},
	{"/v1/print-jobs", `{"reference":"P","expires_in":"25h","receipt":[{"type":"cut"}]}`, httpapi.InvalidField, "expires_in"},
	{"/v1/print-jobs/" + secret + "/reprint", `{}`, httpapi.MissingField, "reference"},
	{"/v1/drawer/open", `{}`, httpapi.MissingField, "reason"},
	{"/v1/drawer/open", `{"reason":""}`, httpapi.InvalidField, "reason"},
	{"/v1/drawer/open", `{"reason":"x","lane":"` + secret + `"}`, lane.NoLane, "lane"},
}

// receiptOf is a print job of one item.
func receiptOf(item string) string { return `{"reference":"P","receipt":[{` + item + `}]}` }

// set is a good sale with one thing in it replaced; with has one thing more.
func set(old, other string) string { return strings.Replace(sale("R-1"), old, other, 1) }

func with(more string) string { return strings.Replace(sale("R-1"), "{", "{"+more+",", 1) }

func TestBadInput(t *testing.T) {
	f := start(t)
	p := f.create("boss-1", "R-0")
	f.paid(p.ID)
	calls := len(f.box.Called())
	for _, tc := range badBodies {
		path := "/v1/payments"
		switch {
		case strings.HasPrefix(tc.path, "/v1/"):
			path = tc.path
		case tc.path != "":
			path += "/" + p.ID + tc.path
		}
		a := f.do("boss-1", "POST", path, tc.body, "Content-Type", "application/json")
		var got httpapi.Problem
		_ = json.Unmarshal([]byte(a.body), &got)
		if got.Code != tc.code || tc.field != "*" && got.Field != tc.field {
			t.Errorf("%s %.90s\n %s of %q, want %s of %q: %s", tc.path, tc.body, got.Code, got.Field, tc.code, tc.field, a.body)
		}
		if strings.Contains(a.body, secret) || strings.Contains(fmt.Sprint(a.head), secret) {
			t.Errorf("%s %.90s: what came in came back: %s", tc.path, tc.body, a.body)
		}
	}
	for _, call := range f.box.Called()[calls:] {
		if call != "Get" && call != "Submit" { // what depends on a receipt's type is its owner's to refuse
			t.Errorf("bad input reached %s", call)
		}
	}
	if strings.Contains(f.log.String(), secret) {
		t.Errorf("what came in is in the log: %s", f.log.String())
	}
	t.Logf("%d bodies", len(badBodies))
}

// TestPayCode follows a customer's code: it reaches the owner, and nothing else.
func TestPayCode(t *testing.T) {
	f := start(t)
	got := make(chan string, 1)
	f.box.OnCreate = func(_ *localapitest.Box, _ lane.Public, code payment.Code) { got <- code.Reveal() }
	a := f.do("till-1", "POST", "/v1/payments", strings.Replace(with(`"code":"`+secret+`"`), `"show"`, `"scan"`, 1))
	if a.status != http.StatusCreated || <-got != secret {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.box.Fail("Create", errors.New("the owner is on fire"))
	b := f.do("till-1", "POST", "/v1/payments", strings.Replace(with(`"code":"`+secret+`"`), `"show"`, `"scan"`, 1))
	for name, text := range map[string]string{"reply": a.body, "failed reply": b.body, "log": f.log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("the code is in the %s: %s", name, text)
		}
	}
	if !strings.Contains(f.log.String(), "the owner is on fire") {
		t.Error("the failure is not in the log")
	}
}

func TestAcknowledge(t *testing.T) {
	f := start(t)
	a := f.do("tech", "POST", "/v1/journal/acknowledge", `{"who":"Ivan","why":"new disk"}`)
	if a.status != http.StatusNoContent || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if got := f.box.Acknowledged(); len(got) != 1 || got[0] != "Ivan: new disk" {
		t.Errorf("the owner heard %v", got)
	}
	f.box.Fail("Acknowledge", &lane.Refusal{Code: lane.NoWrongState})
	if a := f.do("boss-1", "POST", "/v1/journal/acknowledge", `{"who":"Ivan","why":"again"}`); a.status != http.StatusConflict {
		t.Errorf("nothing to acknowledge: %d", a.status)
	}
}

func TestLaneIsImpliedOnABoxOfOne(t *testing.T) {
	f := start(t, func(c *localapi.Config) { c.Lanes = []string{"1"} })
	if a := f.do("all", "POST", "/v1/payments", sale("R-1")); a.status != http.StatusCreated || a.payment(t).Lane != "1" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
