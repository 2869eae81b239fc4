package lane

import (
	"slices"
	"time"

	"tilld/payment"
)

// ViewContext is what the public resource needs beside the record: the world at this moment.
type ViewContext struct {
	Doubt      bool
	DoubtSince time.Time
	DoubtWhy   string // link, bank; the view adds journal
	Link       bool
	Attended   bool
	Remaining  time.Duration // of the code, while it is open
	LateLeft   time.Duration // of late money on offer
	Sale       []Payment     // the payments of this sale, this one among them or not
}

// View is the public resource. Say.Cashier holds the code alone: the sentences are internal/words', their blanks Blanks'.
func View(p Payment, c ViewContext) Public {
	v := Public{
		ID: p.ID, Number: p.Number, Reference: p.Reference, Lane: p.Lane, Version: p.Version,
		State: State(p, c.Doubt), Lights: LightsOf(p, c.Sale), Next: Next(p, c), Flags: Flags(p),
		Mode: p.Mode, Purpose: p.Purpose, Provider: p.Provider, Payee: p.Payee,
		Amount: NewAmount(p.Amount), Paid: NewAmount(p.Amount.Of(p.bill().Paid)),
		Returned: NewAmount(p.Amount.Of(p.bill().Returned)), Owed: NewAmount(p.Amount.Of(p.bill().Owed)),
		Attempt: p.attempt(), Returns: []Return{}, Receipt: p.Receipt, Override: p.Override,
		Replaces: p.Replaces, ReplacedBy: p.ReplacedBy, AddsTo: p.AddsTo, Stamps: p.clone().Stamps,
	}
	v.Say.Cashier.Code = SayCode(p, c)
	v.Say.Customer.Screen = Screen(p, c)
	if v.Provider == "" {
		v.Provider = p.bill().Provider
	}
	if p.Stage == Released || p.Stage == Done {
		f := NewAmount(p.Amount.Of(p.Final))
		v.Final = &f
	}
	if p.Stage == Open && !p.Paying || p.Stage == WaitingCode {
		left := max(c.Remaining, 0).Milliseconds()
		v.RemainingMS = &left
	}
	if p.Stage == Open && p.Shown && !p.Paying && !p.NoCode && p.Payload != "" {
		v.QR = &QR{Payload: p.Payload}
	}
	if d := p.Declined; d != nil {
		v.LastDecline = &Declined{Why: d.Why, Retry: d.Retry}
	}
	if p.Stage == LateOffered {
		v.LateOffer = &LateOffer{RemainingMS: max(c.LateLeft, 0).Milliseconds()}
	}
	if c.Doubt && p.Live() {
		since := c.DoubtSince
		v.DoubtSince, v.DoubtWhy = &since, c.DoubtWhy
	}
	if since, ok := p.distrusted(); ok && v.DoubtSince == nil {
		v.DoubtSince, v.DoubtWhy = &since, "journal"
	}
	if p.End == EndRefused || slices.Contains(v.Flags, "review") {
		v.Why = p.trouble()
	}
	for _, r := range p.Returns {
		v.Returns = append(v.Returns, Return{
			ID: r.ID, Reference: r.Reference, Amount: NewAmount(p.Amount.Of(r.Amount)), How: r.How, State: r.State, Reason: r.Reason, At: r.At,
		})
	}
	return v
}

// distrusted is since when the journal is not believed about this payment.
func (p Payment) distrusted() (since time.Time, is bool) {
	if p.Stage != Restored {
		return since, false
	}
	for _, what := range []string{"restored", "adopted"} {
		if at, ok := p.Stamps[what]; ok {
			return at, true
		}
	}
	return since, false
}

// bill is the newest bill, an empty one before the first.
func (p Payment) bill() payment.Bill {
	if p.Bill == nil {
		return payment.Bill{}
	}
	return *p.Bill
}

func (p Payment) trouble() string {
	if p.Trouble != "" {
		return p.Trouble
	}
	return p.bill().Why
}

// attempt is the number of the code: shown codes are one attempt, scanned ones count.
func (p Payment) attempt() int {
	if p.Mode == payment.Show && p.Shown {
		return 1
	}
	return p.Attempt
}

// Flags are what is to be known beside the state, in a fixed order.
func Flags(p Payment) []string {
	b, out := p.bill(), []string{}
	add := func(name string, is bool) {
		if is || slices.Contains(b.Flags, name) {
			out = append(out, name)
		}
	}
	add("late", b.Late != "" && b.Late != payment.LateNo)
	add("over", b.Over > 0)
	add("owed", b.Owed > 0)
	if p.UnderReview() {
		out = append(out, "review")
	}
	add("no_receipt", p.NoReceipt)
	add("parked", p.Parked)
	return out
}

// Next names the calls of the till that would be accepted now, likeliest first; wait is that there is nothing to do.
func Next(p Payment, c ViewContext) []string {
	out := []string{}
	add := func(call string, ok bool) {
		if ok {
			out = append(out, call)
		}
	}
	paid := at(p, Paid, Released, Done)
	add("accept", p.Stage == LateOffered)
	add("confirm", p.Stage == Paid || undecided(p))
	add("wait", p.Live() && !at(p, Paid, LateOffered) && !undecided(p))
	add("receipt", at(p, Released, Done) && p.Receipt == nil)
	add("return", unsent(p) || unpaidLive(p) || p.Stage == Paid || at(p, Released, Done) && p.left() > 0 && len(p.Returns) < payment.MaxReturns || undecided(p))
	add("extend", CanExtend(p, c, 0))
	add("park", !p.Parked && canPark(p, c.Doubt))
	add("override", c.Doubt && overridable(p) && Successor(p, c.Sale) == nil)
	add("receipt", paid && !slices.Contains(out, "receipt"))
	return out
}

// CanExtend says whether a code may live longer by so much (E1x, B10x), as far as the box knows: that the provider's own
// code ends it learns from a refusal. How far the code's end is from max_open is the same on every clock.
func CanExtend(p Payment, c ViewContext, by time.Duration) bool {
	return at(p, Open, WaitingCode) && c.Link && !c.Doubt && p.Extends < MaxExtends &&
		(p.TooLong == 0 || p.LifeMS+by.Milliseconds() < p.TooLong) &&
		(p.MaxOpenMS == 0 || p.LeftMS+by.Milliseconds() <= p.MaxOpenMS)
}
