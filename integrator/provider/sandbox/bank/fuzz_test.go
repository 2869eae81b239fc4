package bank_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/integrator/provider/sandbox/bank"
)

// books is what a bank says of one order, as its merchant reads it.
type books struct {
	ID     string
	Amount struct {
		Value    int64
		Currency string
	}
	State   string
	Payload string
	Credits []struct {
		Txn   string
		Value int64
	}
	Returns []struct {
		ID, Txn, State string
		Value          int64
	}
}

// right says how an order that a bank tells of cannot be.
func (o books) right(id string) error {
	if o.ID != id || o.Amount.Value <= 0 || len(o.Amount.Currency) != 3 || !slices.Contains([]string{"pending", "paying", "paid", "dead"}, o.State) {
		return fmt.Errorf("order %q is told as %+v", id, o)
	}
	came := map[string]int64{}
	for _, c := range o.Credits {
		if c.Txn == "" || c.Value <= 0 || came[c.Txn] != 0 {
			return fmt.Errorf("a payment that is none: %+v", o)
		}
		came[c.Txn] = c.Value
	}
	seen := map[string]bool{}
	for _, r := range o.Returns {
		if r.ID == "" || seen[r.ID] || r.Value <= 0 || !slices.Contains([]string{"pending", "done", "refused", "short"}, r.State) {
			return fmt.Errorf("a return that is none: %+v", o)
		}
		seen[r.ID] = true
		if r.State != "done" && r.State != "pending" {
			continue
		}
		if came[r.Txn] -= r.Value; came[r.Txn] < 0 {
			return fmt.Errorf("more goes back than came: %+v", o)
		}
	}
	return nil
}

// street is a bank with an order that is open, one that is paid, and one that a pay code was charged for.
type street struct {
	*bank.Bank
	payload string // of open
	code    string // that was spent
}

var fixed = []string{"open", "paid", "spent"}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{Bank: newBank(t, bank.Config{NoMagic: true})} // magic takes its time
	_, o := merchant(t, s.Bank, "PUT", "/v1/orders/open", body)
	s.payload = o.Payload
	_, o = merchant(t, s.Bank, "PUT", "/v1/orders/paid", body)
	wallet(t, s.Bank, "/wallet/pay", `{"payload":"`+o.Payload+`"}`)
	_, c := wallet(t, s.Bank, "/wallet/code", `{}`)
	s.code = c["code"].(string)
	if _, o = merchant(t, s.Bank, "PUT", "/v1/orders/spent/charge", `{"amount":{"value":500,"currency":"RUB"},"code":"`+s.code+`"}`); o.State != "paid" {
		t.Fatalf("charged: %+v", o)
	}
	return s
}

// books are those of the fixed orders.
func (s *street) books(t *testing.T) map[string]books {
	t.Helper()
	out := map[string]books{}
	for _, id := range fixed {
		status, text := s.signed(t, http.MethodGet, "/v1/orders/"+id, nil)
		var o books
		if err := json.Unmarshal(text, &o); err != nil || status != http.StatusOK {
			t.Fatalf("look at %s: %d %s, %v", id, status, text, err)
		}
		if err := o.right(id); err != nil {
			t.Fatal(err)
		}
		out[id] = o
	}
	return out
}

// signed is one call of the merchant, with any path and body. An answer that the bank has given is signed by it.
func (s *street) signed(t *testing.T, method, path string, body []byte) (status int, reply []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://bank/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL = &url.URL{Path: path}
	sig := mac(key, "request", method, r.URL.EscapedPath(), string(body))
	r.Header.Set(bank.Header, sig)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if got := w.Header().Get(bank.Header); got != "" && got != mac(key, "answer", sig, fmt.Sprint(w.Code), w.Body.String()) {
		t.Fatalf("%s %q: %d is signed %q", method, path, w.Code, got)
	} else if got == "" && w.Code == http.StatusOK {
		t.Fatalf("%s %q: an order that is not signed", method, path)
	}
	return w.Code, w.Body.Bytes()
}

// FuzzMerchant: whatever a merchant signs, an order that is told is one, no more goes back than came, a refusal changes
// nothing, and the same call again brings and gives back nothing more.
func FuzzMerchant(f *testing.F) {
	for _, s := range []string{
		body, `{}`, `null`, `[]`, ``, `{"amount":null}`, `{"amount":{"value":-1,"currency":"RUB"}}`, `{"amount":{"value":9223372036854775807,"currency":"RUB"}}`,
		`{"amount":{"value":1e3,"currency":"RUB"}}`, `{"amount":{"value":12550,"currency":"ruble"}}`, body + body, "\xff",
		`{"amount":{"value":12550,"currency":"RUB"},"method":"cancel"}`, `{"amount":{"value":100,"currency":"RUB"},"method":"refund"}`,
		`{"amount":{"value":100,"currency":"RUB"},"method":"refund","txn":"T"}`, `{"amount":{"value":12551,"currency":"RUB"},"method":"refund"}`,
		`{"amount":{"value":12550,"currency":"RUB"},"expires_at":"2020-01-01T00:00:00Z","number":"4821","payee":"Corner shop"}`,
		`{"amount":{"value":500,"currency":"RUB"},"code":"CODE"}`, `{"amount":{"value":500,"currency":"RUB"},"code":1}`,
	} {
		f.Add(uint8(len(s)%5), "open", "r1", []byte(s))
		f.Add(uint8(4), "paid", "r1", []byte(s))
		f.Add(uint8(len(s)%2), "new", "../r", []byte(s))
	}
	f.Add(uint8(0), "..", "", []byte(body))
	f.Add(uint8(1), "a b/c", "r", []byte(body))
	f.Add(uint8(4), strings.Repeat("x", 65), "r", []byte(body))
	f.Fuzz(func(t *testing.T, verb uint8, id, ret string, body []byte) {
		s := newStreet(t)
		body = bytes.ReplaceAll(body, []byte("CODE"), []byte(s.code))
		call := [...]struct{ method, below string }{{"PUT", ""}, {"PUT", "/charge"}, {"GET", ""}, {"POST", "/kill"}, {"PUT", "/returns/" + ret}}[verb%5]
		path := "/v1/orders/" + id + call.below
		before := s.books(t)
		status, reply := s.signed(t, call.method, path, body)
		after := s.books(t)
		switch {
		case status == http.StatusOK:
			var o books
			if err := json.Unmarshal(reply, &o); err != nil {
				t.Fatalf("%s %q is answered %s: %v", call.method, path, reply, err)
			}
			if err := o.right(id); err != nil {
				t.Fatal(err)
			}
			again, text := s.signed(t, call.method, path, body)
			var p books
			if err := json.Unmarshal(text, &p); err != nil || again != status || !reflect.DeepEqual(o.Credits, p.Credits) || !reflect.DeepEqual(o.Returns, p.Returns) {
				t.Fatalf("%s %q %s again: %d %s, and before %s", call.method, path, body, again, text, reply)
			}
		case status >= http.StatusInternalServerError, status < http.StatusMultipleChoices:
			t.Fatalf("%s %q %s: %d %s", call.method, path, body, status, reply)
		case !reflect.DeepEqual(before, after):
			t.Fatalf("%s %q %s is refused, %d, and changes %+v to %+v", call.method, path, body, status, before, after)
		}
		for _, name := range fixed { // one call is about one order
			if name != id && !reflect.DeepEqual(before[name], after[name]) {
				t.Fatalf("%s %q %s changes order %s: %+v, was %+v", call.method, path, body, name, after[name], before[name])
			}
		}
	})
}

var walletCalls = []string{"pay", "code", "view", "begin", "confirm", "refuse"}

// FuzzWallet: whatever a wallet says, and whoever it is. A call that is refused changes nothing; one from elsewhere is; money
// comes by pay and confirm alone, one payment at a time, and to what is paid already only by force.
func FuzzWallet(f *testing.F) {
	for _, s := range []string{
		`{"payload":"PAYLOAD"}`, `{"payload":"PAYLOAD","amount":100}`, `{"payload":"PAYLOAD","amount":{"value":100,"currency":"RUB"}}`,
		`{"payload":"PAYLOAD","amount":-1}`, `{"payload":"PAYLOAD","amount":9223372036854775807}`, `{"payload":"PAYLOAD","amount":"100"}`,
		`{"payload":"PAYLOAD","amount":{"value":100,"currency":"EUR"}}`, `{"payload":"PAYLOAD","force":true}`, `{"code":"CODE"}`, `{"code":"CODE","force":true}`,
		`{"code":"CODE","payload":"PAYLOAD"}`, `{"confirm":true}`, `{"force":"yes"}`, `{"more":1}`, `{}`, ``, `null`, `[]`, `{}{}`, `{"payload":`, "\xff",
		`{"for":"1s"}`, `{"for":"-1s"}`, `{"for":"2h"}`, `{"for":60}`, `{"for":""}`,
	} {
		f.Add(uint8(len(s)%7), uint8(0), []byte(s))
		f.Add(uint8(0), uint8(0), []byte(s))
	}
	for from := range uint8(4) {
		f.Add(uint8(6), from, []byte(`{"for":"1s"}`))
	}
	f.Fuzz(func(t *testing.T, call, from uint8, text []byte) {
		s := newStreet(t)
		text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("PAYLOAD"), []byte(s.payload)), []byte("CODE"), []byte(s.code))
		path, name := "/bad-day/pause", "pause"
		if i := int(call % 7); i < len(walletCalls) {
			path, name = "/wallet/"+walletCalls[i], walletCalls[i]
		}
		before := s.books(t)
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7475"+path, bytes.NewReader(text))
		r.RemoteAddr = "127.0.0.1:40000"
		switch from % 4 {
		case 1:
			r.RemoteAddr = "192.0.2.7:40000"
		case 2:
			r.Host = "bank.example"
		case 3:
			r.Header.Set("Origin", "http://page.example")
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var said struct{ Paused string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			t.Fatalf("%s %s: %d %q, %v", path, text, w.Code, w.Body, err)
		}
		if w.Code == http.StatusOK && name == "pause" {
			d, err := time.ParseDuration(said.Paused)
			status, _ := s.signed(t, http.MethodGet, "/v1/orders/open", nil)
			if err != nil || d < 0 || d > time.Hour || d > 10*time.Second && status != http.StatusServiceUnavailable {
				t.Fatalf("%s: paused for %q, and the bank answers %d", text, said.Paused, status)
			}
			s.Pause(0)
		}
		after := s.books(t)
		switch {
		case from%4 != 0 && w.Code != http.StatusForbidden:
			t.Fatalf("%s from elsewhere is answered %d", path, w.Code)
		case w.Code == http.StatusOK && (name == "pay" || name == "confirm"):
			var asked struct{ Force bool }
			_ = json.Unmarshal(text, &asked) // the bank has taken it
			if err := onePayment(before, after, asked.Force); err != nil {
				t.Fatalf("%s %s: %v", path, text, err)
			}
		case w.Code == http.StatusOK && (name == "begin" || name == "refuse"):
			for id := range before {
				if !reflect.DeepEqual(before[id].Credits, after[id].Credits) {
					t.Fatalf("%s %s brings money to %s", path, text, id)
				}
			}
		case !slices.Contains([]int{http.StatusOK, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, w.Code):
			t.Fatalf("%s %s: %d %s", path, text, w.Code, w.Body)
		case !reflect.DeepEqual(before, after):
			t.Fatalf("%s %s, %d, changes %+v to %+v", path, text, w.Code, before, after)
		}
		if bytes.Contains(w.Body.Bytes(), []byte(s.code)) {
			t.Fatalf("%s %s tells a customer's code: %s", path, text, w.Body)
		}
	})
}

// onePayment says how what a wallet paid is not one payment of one order, or came to one that was paid without force.
func onePayment(before, after map[string]books, force bool) error {
	more := 0
	for id := range before {
		was, is := before[id], after[id]
		if n := len(is.Credits) - len(was.Credits); n != 0 {
			if more += n; was.State == "paid" && !force {
				return fmt.Errorf("%s was paid, and is paid once more", id)
			}
			continue
		}
		if !reflect.DeepEqual(was, is) {
			return fmt.Errorf("%s was %+v and is %+v", id, was, is)
		}
	}
	if more != 1 {
		return fmt.Errorf("%d payments", more)
	}
	return nil
}

// The judges of the fuzzed calls find what is wrong.
func TestFuzzedBanksAreJudged(t *testing.T) {
	s := newStreet(t)
	good := s.books(t)
	if err := good["paid"].right("paid"); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*books){
		"another order":    func(o *books) { o.ID = "x" },
		"no amount":        func(o *books) { o.Amount.Value = 0 },
		"no such state":    func(o *books) { o.State = "frozen" },
		"one payment, two": func(o *books) { o.Credits = append(o.Credits, o.Credits[0]) },
		"more goes back": func(o *books) {
			for _, id := range []string{"a", "b"} {
				o.Returns = append(o.Returns, struct {
					ID, Txn, State string
					Value          int64
				}{id, o.Credits[0].Txn, "done", o.Amount.Value})
			}
		},
	} {
		bad := s.books(t)["paid"]
		if spoil(&bad); bad.right("paid") == nil {
			t.Errorf("%s is right", name)
		}
	}
	wallet(t, s.Bank, "/wallet/pay", `{"payload":"`+s.payload+`"}`)
	once := s.books(t)
	if err := onePayment(good, once, false); err != nil {
		t.Errorf("one payment: %v", err)
	}
	if onePayment(good, good, false) == nil {
		t.Error("no payment is one")
	}
	wallet(t, s.Bank, "/wallet/pay", `{"payload":"`+s.payload+`","force":true}`)
	if onePayment(once, s.books(t), false) == nil || onePayment(once, s.books(t), true) != nil {
		t.Error("a second payment without force is right, or one by force is not")
	}
}
