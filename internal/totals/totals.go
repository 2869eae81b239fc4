// Package totals is the evening figure: what came in, what went back and what is still open, out of the box's own journal.
// It needs no link, and takes part in no payment.
//
// A period is a stretch of the journal's events, not of the clock: it goes from one event to another, so that no clock
// that is set can lose a payment or count it twice. Each payment is counted by what changed between its last event before
// the period and its last one in it. Periods that follow each other add up.
package totals

import (
	"cmp"
	"slices"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// Totals of one period.
type Totals struct {
	Reference  string     `json:"reference,omitempty"` // of a period that was closed: the till's own key
	Lane       string     `json:"lane,omitempty"`      // "" is the whole box
	From       time.Time  `json:"from"`
	To         time.Time  `json:"to"`
	After      int64      `json:"after"`             // seq of the last event before the period
	Upto       int64      `json:"upto"`              // seq of its last event
	Partial    bool       `json:"partial,omitempty"` // the events of its beginning are no longer kept
	Currencies []Currency `json:"currencies"`
}

// Currency is the figures in one currency.
type Currency struct {
	Currency string `json:"currency"`
	// What happened in the period.
	Paid       Figure `json:"paid"`       // money that came, all of it
	Returned   Figure `json:"returned"`   // money that was given back
	Overridden Figure `json:"overridden"` // other money was taken instead
	// How things stand at its end.
	Owed      Figure `json:"owed"`       // to be given back
	InDoubt   Figure `json:"in_doubt"`   // nobody knows yet whether it came
	Parked    Figure `json:"parked"`     // set aside and not over
	NoReceipt Figure `json:"no_receipt"` // paid, and no receipt was handed in
	// Kept is what the period added to the shop's money: what came less what went back, or will.
	Kept      lane.Amount `json:"kept"`
	Providers []Provider  `json:"providers"`
}

// Provider is what one bank or wallet brought.
type Provider struct {
	Provider string      `json:"provider"`
	Paid     Figure      `json:"paid"`
	Returned Figure      `json:"returned"`
	Kept     lane.Amount `json:"kept"`
}

// Figure is a count and a sum, with the payments behind it.
type Figure struct {
	Count    int         `json:"count"`
	Sum      lane.Amount `json:"sum"`
	Payments []Entry     `json:"payments"`
}

// Entry is one payment's part of a figure.
type Entry struct {
	ID     string      `json:"id"`
	Number string      `json:"number"`
	Amount lane.Amount `json:"amount"`
}

func (f *Figure) add(id string, p *part, value int64) {
	m := payment.Money{Value: value, Currency: p.currency}
	f.Count++
	f.Sum = lane.NewAmount(payment.Money{Value: f.Sum.Value + value, Currency: m.Currency})
	f.Payments = append(f.Payments, Entry{id, p.number, lane.NewAmount(m)})
}

// sum makes the figures. Payments come in the order of their ids, which is that of their making.
func sum(changes map[string]change) []Currency {
	by := map[string]*Currency{}
	ids := make([]string, 0, len(changes))
	for id := range changes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		c := changes[id]
		cur := by[c.after.currency]
		if cur == nil {
			cur = newCurrency(c.after.currency)
			by[c.after.currency] = cur
		}
		cur.take(id, c)
	}
	out := []Currency{}
	for _, c := range by {
		slices.SortFunc(c.Providers, func(a, b Provider) int { return cmp.Compare(a.Provider, b.Provider) })
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Currency) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

func newCurrency(code string) *Currency {
	zero := lane.NewAmount(payment.Money{Currency: code})
	f := Figure{Sum: zero, Payments: []Entry{}}
	return &Currency{
		Currency: code, Paid: f, Returned: f, Overridden: f, Owed: f, InDoubt: f, Parked: f, NoReceipt: f, Kept: zero, Providers: []Provider{},
	}
}

func (cur *Currency) take(id string, c change) {
	p := &c.after
	paid, back := p.paid-c.before.paid, p.returned-c.before.returned
	kept := paid - back - (p.owed - c.before.owed)
	if paid != 0 {
		cur.Paid.add(id, p, paid)
	}
	if back != 0 {
		cur.Returned.add(id, p, back)
	}
	cur.Kept = plus(cur.Kept, kept)
	if paid != 0 || back != 0 || kept != 0 {
		b := cur.provider(p.provider)
		if paid != 0 {
			b.Paid.add(id, p, paid)
		}
		if back != 0 {
			b.Returned.add(id, p, back)
		}
		b.Kept = plus(b.Kept, kept)
	}
	if p.overridden && !c.before.overridden {
		cur.Overridden.add(id, p, p.amount)
	}
	if p.owed > 0 {
		cur.Owed.add(id, p, p.owed)
	}
	if p.doubt {
		cur.InDoubt.add(id, p, p.amount)
	}
	if p.parked && p.going {
		cur.Parked.add(id, p, p.amount)
	}
	if p.noReceipt && !p.receipt {
		cur.NoReceipt.add(id, p, p.paid)
	}
}

func (cur *Currency) provider(name string) *Provider {
	for i := range cur.Providers {
		if cur.Providers[i].Provider == name {
			return &cur.Providers[i]
		}
	}
	zero := cur.Kept
	zero = plus(zero, -zero.Value)
	cur.Providers = append(cur.Providers, Provider{
		Provider: name, Paid: Figure{Sum: zero, Payments: []Entry{}}, Returned: Figure{Sum: zero, Payments: []Entry{}}, Kept: zero,
	})
	return &cur.Providers[len(cur.Providers)-1]
}

func plus(a lane.Amount, value int64) lane.Amount {
	return lane.NewAmount(payment.Money{Value: a.Value + value, Currency: a.Currency})
}
