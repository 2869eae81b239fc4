package slip

import (
	"strconv"
	"strings"
	"time"

	"tilld/internal/printing"
	"tilld/internal/words"
	"tilld/payment"
)

// Totals are the figures of a stretch of time.
type Totals struct {
	Shop, Till string
	From, To   time.Time
	Zone       *time.Location
	Lines      []TotalsLine // in the order in which they are printed
	Kept       payment.Money
	Banks      []Bank // whose parts of Kept add up to it
}

// TotalsLine is one figure. Name is paid returned owed in_doubt parked overridden no_receipt.
type TotalsLine struct {
	Name    string
	Count   int
	Sum     payment.Money
	Numbers []string // of the payments behind it; printed where a person has to look
}

// Bank is one bank's or wallet's part of what stays in the shop.
type Bank struct {
	Name string
	Kept payment.Money
}

// maxNumbers is how many payments one figure names: about six lines of narrow paper. Who has more to look at asks the box
// for all of them; a slip that grew with their number would one day be too long to be printed at all.
const maxNumbers = 40

// look are the figures that a person has to look at.
func (t TotalsLine) look() bool {
	switch t.Name {
	case "owed", "in_doubt", "parked", "no_receipt":
		return t.Count > 0
	}
	return false
}

// named is a figure's name with the payments to look at and how many more there are: side by side where they are few, for
// a cell of many would leave the name a letter's width.
func (t TotalsLine) named(name string) []printing.Item {
	shown := t.Numbers[:min(len(t.Numbers), maxNumbers)]
	all := strings.Join(shown, ", ")
	if more := len(t.Numbers) - len(shown); more > 0 {
		all += " + " + strconv.Itoa(more)
	}
	if len(shown) <= 2 {
		return []printing.Item{line(name, all)}
	}
	return []printing.Item{{Type: "text", Text: name}, {Type: "text", Text: all}}
}

// OfTotals is the slip of the evening.
func OfTotals(l *words.Language, t Totals) []printing.Item {
	p := page{l: l, f: Facts{Shop: t.Shop, Till: t.Till, Zone: t.Zone}}
	p.head(p.phrase("totals_title"))
	p.add(line(p.phrase("totals_from"), p.when(t.From)), line(p.phrase("totals_to"), p.when(t.To)))
	if t.Till != "" {
		p.add(line(p.phrase("slip_till"), t.Till))
	}
	p.add(rule())
	for _, x := range t.Lines {
		p.figure(p.phrase("totals_"+x.Name), x)
	}
	p.add(rule())
	p.say("totals_kept")
	p.add(large(l.MoneyOnPaper(t.Kept)))
	if len(t.Banks) > 0 {
		p.add(feed(1))
	}
	for _, b := range t.Banks { // of it: no rule between
		p.add(printing.Item{Type: "columns", Cells: []printing.Cell{{Text: b.Name}, {Text: l.MoneyOnPaper(b.Kept), Width: sumWidth, Align: "right"}}})
	}
	p.add(rule())
	open := false
	for _, x := range t.Lines {
		if !x.look() || len(x.Numbers) == 0 {
			continue
		}
		if !open {
			p.add(printing.Item{Type: "text", Text: p.phrase("totals_look"), Bold: true})
		}
		open = true
		p.add(x.named(p.phrase("totals_" + x.Name))...)
	}
	if !open {
		p.say("totals_none")
	}
	p.foot()
	return p.items
}

// sumWidth is the letters that a sum has: a million with its kopecks and unit.
const sumWidth = 16

// figure is a name, a count and a sum.
func (p *page) figure(name string, x TotalsLine) {
	p.add(printing.Item{Type: "columns", Cells: []printing.Cell{
		{Text: name}, {Text: strconv.Itoa(x.Count), Width: 6, Align: "right"}, {Text: p.l.MoneyOnPaper(x.Sum), Width: sumWidth, Align: "right"},
	}})
}
