package daemon

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tilld/internal/printing"
	"tilld/internal/printing/slip"
	"tilld/internal/totals"
	"tilld/internal/words"
)

// evening is the books, with the slip that says them on paper.
type evening struct {
	*totals.Books
	c *core
}

// Print puts closed totals on the lane's printer, a slip for each currency; the same totals are printed once.
func (e evening) Print(ctx context.Context, lane string, t totals.Totals) error {
	l, whose := e.c.cfg.Lanes[lane], "lane"
	if t.Lane == "" {
		whose = "box"
	}
	for _, cur := range t.Currencies {
		_, err := e.c.jobs.Slip(ctx, printing.Request{
			Reference: fmt.Sprintf("totals/%s-%s-%d-%d", whose, cur.Currency, t.After, t.Upto), Lane: lane, Items: slip.OfTotals(words.For(l.Language), onPaperOf(l.Shop, t, cur, e.c.bank)),
		})
		if err != nil {
			return fmt.Errorf("print totals: %w", err)
		}
	}
	return nil
}

// onPaperOf is one currency of totals as the slip wants it. A provider whose name nobody has said stands there as bills
// know it: who reads this slip is of the shop.
func onPaperOf(shop string, t totals.Totals, cur totals.Currency, bank func(provider string) string) slip.Totals {
	out := slip.Totals{Shop: shop, Till: t.Lane, From: t.From, To: t.To, Zone: time.Local, Kept: cur.Kept.Money}
	add := func(name string, f totals.Figure) {
		x := slip.TotalsLine{Name: name, Count: f.Count, Sum: f.Sum.Money}
		for _, p := range f.Payments {
			x.Numbers = append(x.Numbers, p.Number)
		}
		out.Lines = append(out.Lines, x)
	}
	add("paid", cur.Paid)
	add("returned", cur.Returned)
	add("owed", cur.Owed)
	add("in_doubt", cur.InDoubt)
	add("parked", cur.Parked)
	add("overridden", cur.Overridden)
	add("no_receipt", cur.NoReceipt)
	for _, p := range cur.Providers {
		out.Banks = append(out.Banks, slip.Bank{Name: cmp.Or(bank(p.Provider), p.Provider), Kept: p.Kept.Money})
	}
	return out
}
