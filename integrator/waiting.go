package integrator

import (
	"context"
	"fmt"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// Waiting is one bill that waits for a person, as its operator reads it. Amounts are minor units of Amount.Currency; times
// are the wall clock's. Nothing of it is secret: no code, no key, nothing of who paid.
type Waiting struct {
	Bill      string        `json:"bill"`
	Number    string        `json:"number,omitempty"`
	Terminal  string        `json:"terminal,omitempty"`
	Lane      string        `json:"lane,omitempty"`
	Reference string        `json:"reference,omitempty"`
	Provider  string        `json:"provider,omitempty"`
	Gone      bool          `json:"provider_gone,omitempty"` // the server's settings do not name it: it is not asked
	Made      time.Time     `json:"made"`
	Amount    payment.Money `json:"amount"`
	Paid      int64         `json:"paid"`
	Held      int64         `json:"held"`
	Kept      int64         `json:"kept"`
	Owed      int64         `json:"owed"`
	Returned  int64         `json:"returned"`
	Status    string        `json:"status"`
	Flags     []string      `json:"flags,omitempty"`
	Why       string        `json:"why,omitempty"`  // a code: registry_silent return_refused too_old no_method return_bounced chargeback shortfall till_silent journal_lost ledger_restored …
	Since     time.Time     `json:"since,omitzero"` // it waits since then

	Heard *Heard `json:"heard,omitempty"` // of a bill in doubt
	// From is when a bill in doubt may be decided: until then the bank is asked. Zero: it is not in doubt, or may be now.
	From  time.Time `json:"from,omitzero"`
	Debts []Owing   `json:"debts,omitempty"`
	Past  []Past    `json:"decided,omitempty"` // what people have decided about it, oldest first
	May   []May     `json:"may"`               // what may be decided now
}

// Heard is what the bank says about the order of a bill in doubt.
type Heard struct {
	Asked  time.Time `json:"asked"`
	Missed int       `json:"missed"` // questions in a row without an answer, up to Asked
	At     time.Time `json:"at,omitzero"`
	Said   string    `json:"said,omitempty"` // pending paying paid dead absent refused busy; "": nothing since the doubt began
	Why    string    `json:"why,omitempty"`
}

// Owing is an obligation that waits: for a person, for money in the shop's account, or for a provider that is gone.
type Owing struct {
	ID      string    `json:"id"`
	Amount  int64     `json:"amount"`
	Payment string    `json:"payment"` // the bank's id of the payment that it is owed out of
	State   string    `json:"state"`   // human, short, no_provider
	Tried   []string  `json:"tried,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Said    string    `json:"said,omitempty"`
	Why     string    `json:"why,omitempty"`
}

// Past is a decision that was taken.
type Past struct {
	Decision   string    `json:"decision"`
	Obligation string    `json:"obligation,omitempty"`
	Payment    string    `json:"payment,omitempty"`
	Who        string    `json:"who"`
	Why        string    `json:"why"`
	At         time.Time `json:"at"`
}

// May is a decision that may be taken.
type May struct {
	Decision   string `json:"decision"` // bill.Verdict…
	Obligation string `json:"obligation,omitempty"`
}

// Waiting are the bills that wait for a person, oldest first, up to limit; 0: all. quiet says for how long a box has not
// been here (B28); nil: nobody knows, and none counts as silent.
func (s *Service) Waiting(ctx context.Context, limit int, quiet func(terminal string) time.Duration) ([]Waiting, error) {
	ids, err := s.store.List(ctx, Query{Which: Review, Known: s.names})
	if err != nil {
		return nil, err
	}
	out := []Waiting{}
	for _, id := range ids {
		st, err := s.store.Bill(ctx, id)
		if err != nil {
			return nil, err
		}
		w, err := s.waiting(ctx, st, quiet)
		if err != nil {
			return nil, err
		}
		if !st.Review && !st.Doubt && len(w.Debts) == 0 && len(w.May) == 0 {
			continue // paid, and its box is there
		}
		if out = append(out, w); len(out) == limit {
			break
		}
	}
	return out, nil
}

// basis is what the rows ask besides the bill, when a person decides about it now.
func (s *Service) basis(ctx context.Context, st bill.State, quiet func(string) time.Duration) (bill.Event, error) {
	e := bill.Event{Now: s.time.now(), Env: s.env(st.Request.Provider)}
	if st.Terminal == "" {
		return e, nil
	}
	t, err := s.store.Terminal(ctx, st.Terminal)
	if err != nil {
		return e, fmt.Errorf("read the bill's box: %w", err)
	}
	e.Revoked = t.Blocked
	if quiet != nil {
		e.Quiet = quiet(st.Terminal)
	}
	return e, nil
}

func (s *Service) waiting(ctx context.Context, st bill.State, quiet func(string) time.Duration) (Waiting, error) {
	e, err := s.basis(ctx, st, quiet)
	if err != nil {
		return Waiting{}, err
	}
	b, out := s.view(st), s.shown
	w := Waiting{
		Bill: st.ID, Number: b.Number, Terminal: st.Terminal, Lane: b.Lane, Reference: b.Reference, Provider: b.Provider, Gone: s.gone(st), Made: out(st.CreatedAt),
		Amount: b.Amount, Paid: b.Paid, Held: b.Held, Kept: b.Kept, Owed: b.Owed, Returned: b.Returned, Status: b.Status, Flags: b.Flags, Why: st.Why,
		May: []May{},
	}
	if !st.Review {
		w.Why = "" // of a refusal long ago
	}
	for _, o := range st.Obligations {
		d := Owing{ID: o.ID, Amount: o.Amount, Payment: o.Txn, Tried: o.Excluded}
		switch {
		case o.State == bill.Human:
			d.State = "human"
		case o.Personal(&e.Env.Traits):
			d.State = "no_provider"
		case o.Short:
			d.State = "short"
		default:
			continue
		}
		if o.Said != nil {
			d.At, d.Said, d.Why = out(o.Said.At), o.Said.Said, o.Said.Why
		}
		w.Debts = append(w.Debts, d)
	}
	if st.Doubt {
		w.Since = out(st.DoubtSince)
		if h := st.Heard; h != nil {
			w.Heard = &Heard{Asked: out(h.Asked), Missed: h.Missed}
			if h.Last != nil {
				w.Heard.At, w.Heard.Said, w.Heard.Why = out(h.Last.At), h.Last.Said, h.Last.Why
			}
		}
		if !st.Review {
			w.From = out(st.DoubtSince.Add(s.set.Silent))
		}
	} else if w.Since, err = s.since(ctx, st); err != nil {
		return w, err
	}
	for _, d := range st.Decisions {
		w.Past = append(w.Past, s.past(d))
	}
	for _, c := range bill.Choices(st, e) {
		w.May = append(w.May, May{c.Verdict, c.Obligation})
	}
	return w, nil
}

// since is when a bill that is not in doubt began to wait: its review, or the first that the merchant was told of it, or
// that it was made.
func (s *Service) since(ctx context.Context, st bill.State) (time.Time, error) {
	if !st.ReviewSince.IsZero() {
		return s.shown(st.ReviewSince), nil
	}
	told, err := s.store.Notices(ctx, st.ID)
	if err != nil {
		return time.Time{}, err
	}
	if len(told) > 0 {
		return s.shown(told[0].At), nil
	}
	return s.shown(st.CreatedAt), nil
}

func (s *Service) past(d bill.Decision) Past {
	return Past{Decision: d.Verdict, Obligation: d.Obligation, Payment: d.Txn, Who: d.Who, Why: d.Why, At: s.shown(d.At)}
}

// shown is a time of the ledger as people read it, in whole seconds: the same at each reading, unless somebody has set the
// wall clock.
func (s *Service) shown(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	if ahead := s.time.ahead(); ahead.Abs() > clockStep {
		at = at.Add(-ahead)
	}
	return at.UTC().Truncate(time.Second)
}
