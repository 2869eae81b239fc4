// Package slip is the shop's own papers about a payment, as receipts for printing: the code to scan, paid, paid twice, a
// return, late money, doubt, and the evening's totals. Each says that it is no fiscal receipt. It prints nothing itself.
package slip

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tilld/internal/printing"
	"tilld/internal/words"
	"tilld/payment"
)

// Facts are what a slip may tell. Which of them a slip needs stands with it; the others it leaves out.
type Facts struct {
	Shop      string         // name of the shop, on top
	Till      string         // name of the lane
	Number    string         // of the payment: what customer and shop call it by
	Reference string         // the till's own
	Bank      string         // what customers call the provider
	Amount    payment.Money  // of the payment
	At        time.Time      // of what the slip tells
	Zone      *time.Location // of the shop; nil is UTC

	Payload string        // of the code to scan
	Payee   string        // who gets the money
	Until   time.Time     // the code's end
	Part    payment.Money // what comes back: the excess, the return, the late money
	Result  string        // address at which the customer sees what became of a doubt
}

// Kinds are the slips of a payment, in the order in which a shop meets them.
func Kinds() []string {
	return []string{"code", "paid", "paid_twice", "return_asked", "returned", "late", "doubt"}
}

// Of is the slip of a kind; false where there is none of that name.
func Of(kind string, l *words.Language, f Facts) ([]printing.Item, bool) {
	p := page{l: l, f: f}
	switch kind {
	case "code":
		p.code()
	case "paid":
		p.paid()
	case "paid_twice":
		p.paidTwice()
	case "return_asked":
		p.back("slip_return", "slip_return_text")
	case "returned":
		p.back("slip_returned", "slip_returned_txt")
	case "late":
		p.back("slip_late", "slip_late_text")
	case "doubt":
		p.doubt()
	default:
		return nil, false
	}
	return p.items, true
}

// page is a slip that is being written.
type page struct {
	l     *words.Language
	f     Facts
	items []printing.Item
}

func (p *page) add(items ...printing.Item) { p.items = append(p.items, items...) }

func (p *page) phrase(key string, values ...string) string {
	s, _ := p.l.Phrase(key)
	v := map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		v[values[i]] = values[i+1]
	}
	return words.Fill(s, v)
}

// center is a paragraph in the middle.
func center(s string) printing.Item {
	return printing.Item{Type: "text", Text: tied(s), Align: "center"}
}

// tied keeps words of one or two letters on the line of the word that they belong to.
func tied(s string) string {
	parts := strings.Split(s, " ")
	for i, w := range parts[:len(parts)-1] {
		if n := utf8.RuneCountInString(w); n > 0 && n <= 2 && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) }) {
			parts[i] += noBreak
		} else {
			parts[i] += " "
		}
	}
	return strings.Join(parts, "")
}

func feed(n int) printing.Item { return printing.Item{Type: "feed", Lines: n} }

func rule() printing.Item { return printing.Item{Type: "rule"} }

// head is the shop's name and what this slip is.
func (p *page) head(title string) {
	if p.f.Shop != "" {
		p.add(center(p.f.Shop), feed(1))
	}
	p.add(large(title), rule(), feed(1))
}

// large is a line that is read from a distance; where the paper is narrow it becomes two.
func large(s string) printing.Item {
	it := center(s)
	it.Bold, it.Width, it.Height = true, 2, 2
	return it
}

// sum is an amount that is read from a distance.
func (p *page) sum(m payment.Money) {
	p.add(large(p.l.MoneyOnPaper(m)), feed(1))
}

// say is a paragraph for the customer.
func (p *page) say(key string, values ...string) { p.add(center(p.phrase(key, values...))) }

// line is a name and its value at the right.
func line(name, value string) printing.Item {
	return printing.Item{Type: "columns", Cells: []printing.Cell{{Text: name}, {Text: value, Align: "right"}}}
}

// details are by what customer and shop find the payment again.
func (p *page) details(sum bool) {
	p.add(rule())
	if p.f.Number != "" {
		n := line(p.phrase("slip_number"), p.f.Number)
		n.Bold = true
		p.add(n)
	}
	if sum {
		p.add(line(p.phrase("slip_paid"), p.l.MoneyOnPaper(p.f.Amount)))
	}
	if !p.f.At.IsZero() {
		p.add(line(p.phrase("slip_date"), p.when(p.f.At)))
	}
	for _, x := range [][2]string{{"slip_bank", p.f.Bank}, {"slip_till", p.f.Till}, {"slip_reference", p.f.Reference}} {
		if x[1] != "" {
			p.add(line(p.phrase(x[0]), x[1]))
		}
	}
}

// foot says what every slip says, and ends it.
func (p *page) foot() {
	p.add(rule(), center(p.phrase("slip_not_fiscal")), feed(2), printing.Item{Type: "cut"})
}

func (p *page) code() {
	p.head(p.phrase("slip_code"))
	p.sum(p.f.Amount)
	p.say("slip_code_how")
	p.add(printing.Item{Type: "qr", Payload: p.f.Payload, Align: "center"})
	p.add(large(p.phrase("slip_code_until", "t", p.in(p.f.Until).Format("15:04"))), feed(1))
	p.say("slip_code_after")
	if p.f.Payee != "" {
		p.say("slip_payee", "payee", p.f.Payee)
	}
	p.add(feed(1))
	p.details(false)
	p.foot()
}

func (p *page) paid() {
	p.head(p.phrase("slip_paid"))
	p.sum(p.f.Amount)
	p.details(false)
	p.foot()
}

func (p *page) paidTwice() {
	p.head(p.phrase("slip_over"))
	p.say("slip_over_excess")
	p.sum(p.f.Part)
	p.say("slip_over_text")
	p.add(feed(1))
	p.details(true)
	p.foot()
}

// back is money that goes back.
func (p *page) back(title, text string) {
	p.head(p.phrase(title))
	p.sum(p.f.Part)
	p.say(text)
	p.add(feed(1))
	p.details(title != "slip_late")
	p.foot()
}

func (p *page) doubt() {
	p.head(p.phrase("slip_doubt_title"))
	dont := large(" " + p.phrase("slip_doubt_dont") + " ")
	dont.Invert = true
	p.add(dont, feed(1))
	p.say("slip_doubt_text")
	p.add(feed(1), center(p.phrase("slip_number")))
	n := center(p.f.Number)
	n.Bold, n.Width, n.Height = true, 4, 4
	p.add(n, feed(1))
	if p.f.Result != "" {
		p.say("slip_doubt_result")
		p.add(printing.Item{Type: "qr", Payload: p.f.Result, Align: "center", Module: 6})
	} else {
		p.say("slip_doubt_ask")
		p.add(feed(1))
	}
	f := p.f
	p.f.Number = "" // it stands above, large
	p.add(rule(), line(p.phrase("slip_amount"), p.l.MoneyOnPaper(f.Amount)), line(p.phrase("slip_date"), p.when(f.At)))
	if f.Till != "" {
		p.add(line(p.phrase("slip_till"), f.Till))
	}
	p.add(rule(), center(p.phrase("slip_keep")), center(p.phrase("slip_not_fiscal")), feed(2), printing.Item{Type: "cut"})
}

func (p *page) in(t time.Time) time.Time {
	if p.f.Zone == nil {
		return t.UTC()
	}
	return t.In(p.f.Zone)
}

// when is a time as the language writes it.
func (p *page) when(t time.Time) string {
	if p.l.Tag == "ru" {
		return p.in(t).Format("02.01.2006 15:04")
	}
	return p.in(t).Format("2 Jan 2006 15:04")
}

// noBreak is a space at which no line breaks.
const noBreak = "\u00a0"
