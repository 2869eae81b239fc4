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
	Providers  []TotalsLine // what each bank brought; Name is its name
	Kept       payment.Money
}

// TotalsLine is one figure. Name is paid returned owed in_doubt parked overridden no_receipt.
type TotalsLine struct {
	Name    string
	Count   int
	Sum     payment.Money
	Numbers []string // of the payments behind it; printed where a person has to look
}

// look are the figures that a person has to look at.
func (t TotalsLine) look() bool {
	switch t.Name {
	case "owed", "in_doubt", "parked", "no_receipt":
		return t.Count > 0
	}
	return false
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
	p.add(large(Money(l, t.Kept)))
	if len(t.Providers) > 0 {
		p.add(rule())
		for _, x := range t.Providers {
			p.figure(x.Name, x)
		}
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
		p.add(line(p.phrase("totals_"+x.Name), strings.Join(x.Numbers, ", ")))
	}
	if !open {
		p.say("totals_none")
	}
	p.foot()
	return p.items
}

// figure is a name, a count and a sum.
func (p *page) figure(name string, x TotalsLine) {
	p.add(printing.Item{Type: "columns", Cells: []printing.Cell{
		{Text: name}, {Text: strconv.Itoa(x.Count), Width: 6, Align: "right"}, {Text: Money(p.l, x.Sum), Width: 16, Align: "right"},
	}})
}
