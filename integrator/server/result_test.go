package server

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

const slipID = "06h2dw5csv6sd8bkb0y0xayv4g"

// resultOf asks for the page of a bill as a phone of that language does.
func resultOf(t *testing.T, b payment.Bill, err error, id, language string) *httptest.ResponseRecorder {
	t.Helper()
	m := http.NewServeMux()
	m.Handle("GET /s/{payment}", newResults("Corner <shop>", func(_ *http.Request, asked string) (payment.Bill, error) {
		if asked != id {
			t.Errorf("asked for %q", asked)
		}
		return b, err
	}))
	r := httptest.NewRequest(http.MethodGet, "/s/"+id, nil)
	r.Header.Set("Accept-Language", language)
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return w
}

func TestResultPageSaysWhatBecameOfThePayment(t *testing.T) {
	for name, c := range map[string]struct {
		status           string
		doubt            bool
		paid, owed, back int64
		title            string
		says             []string
		again            bool
	}{
		"open":                   {status: bill.StOpen, title: "We are checking this payment", again: true},
		"part paid":              {status: bill.StPartPaid, paid: 10000, title: "We are checking this payment", again: true},
		"closing, nothing yet":   {status: bill.StClosing, title: "We are checking this payment", again: true},
		"doubt":                  {status: bill.StUnknown, doubt: true, title: "We are checking this payment", again: true},
		"doubt on a closed bill": {status: bill.StExpired, doubt: true, title: "We are checking this payment", again: true},
		"a status of tomorrow":   {status: "held_by_customs", title: "We are checking this payment", again: true},
		"paid":                   {status: bill.StPaid, paid: 12550, title: "Paid: 125.50\u00a0RUB"},
		"confirmed":              {status: bill.StConfirmed, paid: 12550, title: "Paid: 125.50\u00a0RUB"},
		"paid twice":             {status: bill.StPaid, paid: 25100, owed: 12550, title: "Paid: 125.50\u00a0RUB", says: []string{"125.50\u00a0RUB is on its way"}, again: true},
		"part returned":          {status: bill.StPartReturned, paid: 12550, back: 5000, title: "Paid: 75.50\u00a0RUB", says: []string{"50.00\u00a0RUB went back"}},
		"returned, not yet":      {status: bill.StReturned, paid: 12550, owed: 12550, title: "Your money is coming back", says: []string{"125.50\u00a0RUB is on its way"}, again: true},
		"returned":               {status: bill.StReturned, paid: 12550, back: 12550, title: "Your money has come back", says: []string{"125.50\u00a0RUB went back"}},
		"late":                   {status: bill.StExpired, paid: 12550, owed: 5000, back: 7550, title: "Your money is coming back", says: []string{"50.00\u00a0RUB is on its way", "75.50\u00a0RUB went back"}, again: true},
		"expired":                {status: bill.StExpired, title: "Nothing was taken"},
		"canceled":               {status: bill.StCanceled, title: "Nothing was taken"},
		"refused":                {status: bill.StRefused, title: "Nothing was taken"},
	} {
		t.Run(name, func(t *testing.T) {
			b := payment.Bill{
				Number: "4821", Amount: payment.Money{Value: 12550, Currency: "RUB"}, Status: c.status, Doubt: c.doubt, Paid: c.paid, Owed: c.owed, Returned: c.back,
			}
			w := resultOf(t, b, nil, slipID, "en-GB,en;q=0.9")
			body := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(body, "<h1>"+c.title+"</h1>") || !strings.Contains(body, "Number 4821 · 125.50\u00a0RUB") || !strings.Contains(body, "Corner &lt;shop&gt;") {
				t.Errorf("%d %s", w.Code, body)
			}
			for _, s := range c.says {
				if !strings.Contains(body, s) {
					t.Errorf("it does not say %q: %s", s, body)
				}
			}
			if got := strings.Contains(body, `http-equiv="refresh"`); got != c.again {
				t.Errorf("it comes again by itself: %v, want %v", got, c.again)
			}
			if c.title != "Nothing was taken" && strings.Contains(body, "Nothing was taken") {
				t.Errorf("says that nothing was taken: %s", body)
			}
		})
	}
}

func TestResultPageOfWhatIsNotKnown(t *testing.T) {
	w := resultOf(t, payment.Bill{}, integrator.ErrUnknownBill, slipID, "ru-RU,ru;q=0.9,en;q=0.8")
	body := w.Body.String()
	if w.Code != http.StatusNotFound || !strings.Contains(body, `<html lang="ru">`) || !strings.Contains(body, "Не платите ещё раз.") || strings.Contains(body, "Номер") {
		t.Errorf("a payment that never came: %d %s", w.Code, body)
	}
	w = resultOf(t, payment.Bill{}, errors.New("database is locked: /var/lib/secret"), slipID, "")
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("a database that fails: %d %s", w.Code, w.Body)
	}
	for _, id := range []string{"4821", strings.ToUpper(slipID), slipID + "0"} {
		m := newResults("Shop", func(*http.Request, string) (payment.Bill, error) { t.Error("read"); return payment.Bill{}, nil })
		r := httptest.NewRequest(http.MethodGet, "/s/x", nil)
		r.SetPathValue("payment", id)
		w := httptest.NewRecorder()
		if m.ServeHTTP(w, r); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), id) {
			t.Errorf("%s: %d %s", id, w.Code, w.Body)
		}
	}
}

func TestResultPageIsForItsReaderAlone(t *testing.T) {
	b := payment.Bill{Number: "4821", Amount: payment.Money{Value: 12550, Currency: "RUB"}, Status: bill.StPaid, Paid: 12550, Payload: "https://pay.example/1", Reference: "R-77", Payee: "Ltd", Lane: "lane-9"}
	w := resultOf(t, b, nil, slipID, "ru")
	h, body := w.Header(), w.Body.String()
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("X-Robots-Tag") != "noindex" {
		t.Errorf("%v", h)
	}
	_, style, _ := strings.Cut(body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.HasPrefix(h.Get("Content-Security-Policy"), want) {
		t.Errorf("the policy %q does not allow the page's own style", h.Get("Content-Security-Policy"))
	}
	if !strings.Contains(body, "Оплачено: 125,50\u00a0₽") {
		t.Errorf("in Russian: %s", body)
	}
	for _, no := range []string{"<script", slipID, b.Payload, b.Reference, b.Lane, b.Payee, "http://", "https://"} {
		if strings.Contains(body, no) {
			t.Errorf("it says %q: %s", no, body)
		}
	}
}

// Strangers who come all at once get no place beside those that read: the terminals have the database to themselves.
func TestResultPageHasFewReaders(t *testing.T) {
	in, out := make(chan struct{}), make(chan struct{})
	p := newResults("Shop", func(*http.Request, string) (payment.Bill, error) {
		in <- struct{}{}
		<-out
		return payment.Bill{Status: bill.StPaid, Paid: 1}, nil
	})
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/s/x", nil)
		r.SetPathValue("payment", slipID)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	codes := make(chan int, resultReaders)
	for range resultReaders {
		go func() { codes <- ask().Code }()
		<-in
	}
	if w := ask(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d", w.Code)
	}
	close(out)
	for range resultReaders {
		if got := <-codes; got != http.StatusOK {
			t.Errorf("a reader: %d", got)
		}
	}
}
