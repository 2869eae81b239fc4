package localapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"tilld/internal/httpapi"
	"tilld/internal/localapi"
	"tilld/payment"
	"tilld/payment/lane"
)

const displayPath = "/v1/customer-display"

const (
	cart    = `{"cart":{"lines":[{"text":"Кофе 0,3","amount":{"value":12000,"currency":"RUB"}},{"text":"Скидка","amount":{"value":-500,"currency":"RUB"}}],"total":{"value":11500,"currency":"RUB"}}}`
	message = `{"message":{"title":"One moment","text":"We are looking for your order."}}`
	choose  = `{"choose":{"total":{"value":11500,"currency":"RUB"},"choices":[{"id":"sbp","name":"СБП"},{"id":"card","name":"Карта"}]}}`
)

func TestWhatTheCustomerSees(t *testing.T) {
	f := start(t)
	rub := func(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
	for _, c := range []struct {
		token, body, lane string
		want              localapi.Showing
	}{
		{"till-1", cart, "1", localapi.Showing{Kind: "cart", Total: rub(11500), Goods: []lane.Line{{Text: "Кофе 0,3", Amount: rub(12000)}, {Text: "Скидка", Amount: rub(-500)}}}},
		{"till-1", message, "1", localapi.Showing{Kind: "message", Title: "One moment", Text: "We are looking for your order."}},
		{"boss-1", choose, "1", localapi.Showing{Kind: "choose", Total: rub(11500), Choices: []localapi.Choice{{ID: "sbp", Name: "СБП"}, {ID: "card", Name: "Карта"}}}},
		{"all", strings.Replace(message, "{", `{"lane":"2",`, 1), "2", localapi.Showing{Kind: "message", Title: "One moment", Text: "We are looking for your order."}},
		{"till-1", `{"clear":true}`, "1", localapi.Showing{}},
	} {
		if a := f.do(c.token, "PUT", displayPath, c.body); a.status != http.StatusNoContent || a.body != "" {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
		}
		if got := f.box.Shown(c.lane); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.body, got, c.want)
		}
	}
}

func TestAPaymentHasTheGlass(t *testing.T) {
	f := start(t)
	p := f.create("till-1", "R-1")
	a := f.do("till-1", "PUT", displayPath, cart)
	var got struct{ Payment lane.Public }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.code() != lane.NoLaneBusy || got.Payment.ID != p.ID {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := f.do("till-2", "PUT", displayPath, cart); a.status != http.StatusNoContent {
		t.Errorf("another lane: %d %s", a.status, a.body)
	}
	f.paid(p.ID)
	if a := f.do("till-1", "PUT", displayPath, cart); a.status != http.StatusNoContent {
		t.Errorf("after it: %d %s", a.status, a.body)
	}
}

func TestBadDisplays(t *testing.T) {
	f := start(t)
	in := func(body, old, other string) string { return strings.Replace(body, old, other, 1) }
	for _, tc := range []struct{ body, code, field string }{
		{``, httpapi.BadJSON, ""},
		{`[]`, httpapi.BadJSON, ""},
		{`{}`, httpapi.MissingField, "cart"},
		{`{"clear":false}`, httpapi.MissingField, "cart"},
		{`{"clear":1}`, httpapi.InvalidField, "clear"},
		{in(cart, `{`, `{"clear":true,`), httpapi.InvalidField, "cart"},
		{in(message, `{`, cart[:len(cart)-1]+`,`), httpapi.InvalidField, "cart"},
		{in(message, `{`, `{"`+secret+`":1,`), httpapi.UnknownField, ""},
		{in(message, `"title"`, `"Title"`), httpapi.MissingField, "title"},
		{in(message, `"title"`, `"title":"x","title"`), httpapi.DuplicateField, "title"},
		{in(message, `One moment`, ``), httpapi.InvalidField, "title"},
		{in(message, `One moment`, strings.Repeat("x", 65)), httpapi.InvalidField, "title"},
		{in(message, `One moment`, `One\nmoment`), httpapi.InvalidField, "title"},
		{in(message, `One moment`, `One\u001b@moment`), httpapi.InvalidField, "title"},
		{in(message, `One moment`, `One\u202emoment`), httpapi.InvalidField, "title"},
		{in(message, `We are`, `We\u0000are`), httpapi.InvalidField, "text"},
		{in(message, `We are looking for your order.`, strings.Repeat("x", 201)), httpapi.InvalidField, "text"},
		{in(cart, `"total":{"value":11500,"currency":"RUB"}`, `"total":null`), httpapi.InvalidField, "total"},
		{in(cart, `,"total":{"value":11500,"currency":"RUB"}`, ``), httpapi.MissingField, "total"},
		{in(cart, `11500`, `115.00`), httpapi.AmountFormat, "value"},
		{in(cart, `11500`, `"11500"`), httpapi.AmountFormat, "value"},
		{in(cart, `"value":12000,"currency":"RUB"`, `"value":12000,"currency":"EUR"`), httpapi.InvalidField, "currency"},
		{in(cart, `"currency":"RUB"`, `"currency":"QQQ"`), httpapi.InvalidField, "currency"},
		{in(cart, `Кофе`, `Кофе\u009b31m`), httpapi.InvalidField, "text"},
		{in(cart, `[{`, `[`+strings.Repeat(`{"text":"x","amount":{"value":1,"currency":"RUB"}},`, 200)+`{`), httpapi.InvalidField, "lines"},
		{in(choose, `{"id":"sbp","name":"СБП"},`, ``), httpapi.InvalidField, "choices"},
		{in(choose, `"choices":[`, `"choices":[{"id":"a","name":"A"},{"id":"b","name":"B"},{"id":"c","name":"C"},`), httpapi.InvalidField, "choices"},
		{in(choose, `"id":"sbp"`, `"id":"card"`), httpapi.InvalidField, "choices"},
		{in(choose, `"id":"sbp"`, `"id":"s b p"`), httpapi.InvalidField, "id"},
		{in(choose, `"name":"СБП"`, `"name":""`), httpapi.InvalidField, "name"},
		{in(choose, `"name":"СБП"`, `"name":"С\u0007П"`), httpapi.InvalidField, "name"},
		{in(choose, `11500`, `0`), httpapi.AmountFormat, "value"},
		{in(message, `{`, `{"lane":"2",`), lane.NoLane, "lane"},
	} {
		a := f.do("till-1", "PUT", displayPath, tc.body, "Content-Type", "application/json")
		var got httpapi.Problem
		_ = json.Unmarshal([]byte(a.body), &got)
		if got.Code != tc.code || got.Field != tc.field {
			t.Errorf("%.90s\n %s of %q, want %s of %q: %s", tc.body, got.Code, got.Field, tc.code, tc.field, a.body)
		}
		if strings.Contains(a.body+fmt.Sprint(a.head), secret) {
			t.Errorf("%.90s: what came in came back: %s", tc.body, a.body)
		}
	}
	if got := f.box.Called(); len(got) != 0 {
		t.Errorf("bad input reached %v", got)
	}
	if a := f.do("all", "PUT", displayPath, message); a.code() != httpapi.LaneNeeded {
		t.Errorf("no lane named: %d %s", a.status, a.body)
	}
}
