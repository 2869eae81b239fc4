package totals

import (
	"time"

	"tilld/payment/lane"
)

// told is a closed period as its event tells it: counts and sums. The payments behind them, and what each provider brought,
// are read by the reference: of a busy month they are more than one event may be, and every subscriber would have to take
// it. So an event is bounded by the number of currencies there are, some 120 KB for all of them.
type told struct {
	Reference  string         `json:"reference"`
	Lane       string         `json:"lane,omitempty"`
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	After      int64          `json:"after"`
	Upto       int64          `json:"upto"`
	Partial    bool           `json:"partial,omitempty"`
	Currencies []toldCurrency `json:"currencies"`
}

// toldCurrency has the names of Currency.
type toldCurrency struct {
	Currency   string      `json:"currency"`
	Paid       toldFigure  `json:"paid"`
	Returned   toldFigure  `json:"returned"`
	Overridden toldFigure  `json:"overridden"`
	Owed       toldFigure  `json:"owed"`
	InDoubt    toldFigure  `json:"in_doubt"`
	Parked     toldFigure  `json:"parked"`
	NoReceipt  toldFigure  `json:"no_receipt"`
	Kept       lane.Amount `json:"kept"`
}

type toldFigure struct {
	Count int         `json:"count"`
	Sum   lane.Amount `json:"sum"`
}

func (f Figure) told() toldFigure { return toldFigure{f.Count, f.Sum} }

func (t Totals) told() told {
	out := told{
		Reference: t.Reference, Lane: t.Lane, From: t.From, To: t.To, After: t.After, Upto: t.Upto, Partial: t.Partial,
		Currencies: make([]toldCurrency, 0, len(t.Currencies)),
	}
	for _, c := range t.Currencies {
		out.Currencies = append(out.Currencies, toldCurrency{
			Currency: c.Currency, Paid: c.Paid.told(), Returned: c.Returned.told(), Overridden: c.Overridden.told(), Owed: c.Owed.told(),
			InDoubt: c.InDoubt.told(), Parked: c.Parked.told(), NoReceipt: c.NoReceipt.told(), Kept: c.Kept,
		})
	}
	return out
}
