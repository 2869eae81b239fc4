package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"tilld/integrator"
	"tilld/payment"
	"tilld/payment/bill"
)

// results is the page to which the code on a doubt slip leads: what became of this payment, for whoever holds the slip. The
// payment's id, 80 random bits of it, is the key: nobody comes to a page by trying. It says no more than the slip and the
// bank's own app do, and asks for nothing.
type results struct {
	shop  string
	read  func(r *http.Request, id string) (payment.Bill, error)
	turns chan struct{} // a place for each that reads; the terminals do not wait for strangers
	style string        // hash of the page's style, for its policy
}

// resultReaders is how many strangers may read the database side by side.
const resultReaders = 8

func newResults(shop string, read func(r *http.Request, id string) (payment.Bill, error)) *results {
	sum := sha256.Sum256([]byte(resultStyle))
	return &results{shop: shop, read: read, turns: make(chan struct{}, resultReaders), style: base64.StdEncoding.EncodeToString(sum[:])}
}

func (p *results) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("payment")
	if !payment.ValidID(id) {
		http.NotFound(w, r)
		return
	}
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many readers, please come again in a moment", http.StatusServiceUnavailable)
		return
	}
	b, err := p.read(r, id)
	status := http.StatusOK
	switch {
	case errors.Is(err, integrator.ErrUnknownBill): // the box that has printed it may not have had a line since
		status = http.StatusNotFound
	case err != nil:
		http.Error(w, "not now, please come again in a moment", http.StatusServiceUnavailable)
		return
	}
	var page bytes.Buffer
	if err := resultPage.Execute(&page, p.tell(b, toldIn(r.Header.Get("Accept-Language")))); err != nil {
		http.Error(w, "not now, please come again in a moment", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+p.style+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address is the key
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // he has gone
}

// result is what the page says.
type result struct {
	Language, Shop, Title string
	Lines                 []string
	Number, Amount        string // "" where the bill is not known
	Again                 bool   // it is not over: the page comes again by itself
}

// tell puts a bill into words. "Nothing was taken" comes only from a bill that is closed without money.
func (p *results) tell(b payment.Bill, l *tongue) result {
	out := result{Language: l.tag, Shop: p.shop}
	if b.Number != "" {
		out.Number, out.Amount = l.fill(l.number, b.Number), l.money(b.Amount)
	}
	over := []string{bill.StPaid, bill.StConfirmed, bill.StPartReturned, bill.StReturned, bill.StExpired, bill.StCanceled, bill.StRefused}
	amount := func(n int64) string { return l.money(b.Amount.Of(n)) }
	stays := b.Paid - b.Owed - b.Returned
	var lines []string
	if b.Owed > 0 {
		lines = append(lines, l.fill(l.owed, amount(b.Owed)))
	}
	if b.Returned > 0 {
		lines = append(lines, l.fill(l.returned, amount(b.Returned)))
	}
	switch {
	case b.Doubt || !slices.Contains(over, b.Status):
		out.Title, out.Lines, out.Again = l.checking, []string{l.wait}, true
	case b.Paid == 0:
		out.Title, out.Lines = l.nothing, []string{l.nothingWas}
	case stays > 0:
		out.Title, out.Lines, out.Again = l.fill(l.paid, amount(stays)), lines, b.Owed > 0
	case b.Owed > 0:
		out.Title, out.Lines, out.Again = l.comesBack, lines, true
	default:
		out.Title, out.Lines = l.cameBack, lines
	}
	return out
}

// tongue is the page's sentences in one language.
type tongue struct {
	tag, sign, point          string // sign of the rouble, and what stands before its hundredths
	checking, wait            string
	nothing, nothingWas       string
	paid, comesBack, cameBack string
	owed, returned            string
	number                    string
}

var resultEnglish = tongue{
	tag: "en", sign: "RUB", point: ".",
	checking: "We are checking this payment", wait: "Please don’t pay again. If money was taken it will count or come back to the same account. This page will say so.",
	nothing: "Nothing was taken", nothingWas: "This payment is closed, and no money came for it.",
	paid: "Paid: {}", comesBack: "Your money is coming back", cameBack: "Your money has come back",
	owed:     "{} is on its way to the account you paid from. Your bank decides how soon you see it.",
	returned: "{} went back to the account you paid from. Your bank has confirmed it.",
	number:   "Number {}",
}

var resultRussian = tongue{
	tag: "ru", sign: "₽", point: ",",
	checking: "Проверяем эту оплату", wait: "Не платите ещё раз. Если деньги списаны, их зачтут или вернут на тот же счёт. Результат появится на этой странице.",
	nothing: "Деньги не списаны", nothingWas: "Эта оплата закрыта, денег по ней не было.",
	paid: "Оплачено: {}", comesBack: "Деньги возвращаются", cameBack: "Деньги возвращены",
	owed:     "{} возвращаются на счёт, с которого вы платили. Срок зависит от вашего банка.",
	returned: "{} возвращены на счёт, с которого вы платили. Банк подтвердил возврат.",
	number:   "Номер {}",
}

// toldIn chooses by what the customer's browser would rather read: the first of its list that the page speaks.
func toldIn(accept string) *tongue {
	for _, one := range strings.Split(accept, ",") {
		switch tag, _, _ := strings.Cut(strings.TrimSpace(one), ";"); strings.ToLower(strings.SplitN(tag, "-", 2)[0]) {
		case "ru":
			return &resultRussian
		case "en":
			return &resultEnglish
		}
	}
	return &resultEnglish
}

func (*tongue) fill(s, v string) string { return strings.Replace(s, "{}", v, 1) }

func (l *tongue) money(m payment.Money) string {
	unit := m.Currency
	if unit == "RUB" {
		unit = l.sign
	}
	return strings.Replace(m.Text(), ".", l.point, 1) + "\u00a0" + unit
}

const resultStyle = `body{font:1.25rem/1.4 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}h1{font-size:1.8rem;line-height:1.2}footer{margin-top:2rem;border-top:1px solid #999;padding-top:1rem}`

var resultPage = template.Must(template.New("result").Parse(`<!doctype html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
{{if .Again}}<meta http-equiv="refresh" content="30">{{end}}<title>{{.Title}}</title><style>` + resultStyle + `</style></head>
<body><p>{{.Shop}}</p><main><h1>{{.Title}}</h1>{{range .Lines}}<p>{{.}}</p>{{end}}</main>
{{if .Number}}<footer>{{.Number}} · {{.Amount}}</footer>{{end}}</body></html>
`))
