package integrator

import (
	"context"
	"fmt"
	"time"

	"tilld/payment"
)

// Report is what an audit found. Amounts are minor units.
type Report struct {
	At    time.Time       `json:"at"`
	Bills int             `json:"bills"`
	Sums  map[string]Sums `json:"sums"` // by currency
	// Doubts are the bills of which nobody knows yet whether money comes.
	Doubts []Doubt `json:"doubts"`
	// Broken are the bills that break the rule: credits = goods + returned + owed + held, held never below 0, and 0 once
	// the bill is closed; nothing given back twice; never more held or kept than was asked for.
	Broken []Broken `json:"broken"`
}

// Sums are the five sums of one currency.
type Sums struct {
	Credits  int64 `json:"credits"`
	Goods    int64 `json:"goods"` // kept for goods, or as an advance
	Returned int64 `json:"returned"`
	Owed     int64 `json:"owed"`
	Held     int64 `json:"held"` // credits − goods − returned − owed
}

// Doubt is one bill in doubt.
type Doubt struct {
	Bill     string    `json:"bill"`
	Terminal string    `json:"terminal,omitempty"`
	Number   string    `json:"number,omitempty"`
	Since    time.Time `json:"since"`
}

// Broken is one bill that breaks the rule.
type Broken struct {
	Bill     string `json:"bill"`
	Terminal string `json:"terminal,omitempty"`
	Number   string `json:"number,omitempty"`
	Why      string `json:"why"`
	Currency string `json:"currency"`
	Sums     Sums   `json:"sums"`
}

// Why a bill breaks the rule.
const (
	HeldNegative   = "held_negative"
	HeldAfterClose = "held_after_close"
	ReturnedTwice  = "returned_twice"
	AboveAmount    = "above_amount"
)

// OK says that no bill breaks the rule.
func (r *Report) OK() bool { return len(r.Broken) == 0 }

// Audit adds up what is in the ledger's rows, in one snapshot. It changes nothing, and trusts no sum that a bill keeps of
// itself but what was kept for goods.
func Audit(ctx context.Context, l Ledger) (Report, error) {
	r := Report{At: time.Now().UTC(), Sums: map[string]Sums{}, Doubts: []Doubt{}, Broken: []Broken{}}
	err := l.Ledger(ctx, func(e Entry) error {
		r.Bills++
		one := Sums{Credits: e.Credits, Goods: e.Goods, Returned: e.Returned, Owed: e.Owed, Held: e.Credits - e.Goods - e.Returned - e.Owed}
		all := r.Sums[e.Currency]
		all.Credits += one.Credits
		all.Goods += one.Goods
		all.Returned += one.Returned
		all.Owed += one.Owed
		all.Held += one.Held
		r.Sums[e.Currency] = all
		if e.Doubt {
			r.Doubts = append(r.Doubts, Doubt{e.Bill, e.Terminal, e.Number, e.DoubtSince})
		}
		if why := breaks(e, one); why != "" {
			r.Broken = append(r.Broken, Broken{e.Bill, e.Terminal, e.Number, why, e.Currency, one})
		}
		return nil
	})
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	return r, nil
}

func breaks(e Entry, s Sums) string {
	switch {
	case s.Held < 0 || s.Goods < 0:
		return HeldNegative
	case e.Drawn > 0:
		return ReturnedTwice
	case e.Life == payment.Closed && s.Held != 0:
		return HeldAfterClose
	case e.Amount > 0 && max(s.Held, s.Goods) > e.Amount:
		return AboveAmount
	default:
		return ""
	}
}

// Audit audits the Service's own store.
func (s *Service) Audit(ctx context.Context) (Report, error) { return Audit(ctx, s.store) }
