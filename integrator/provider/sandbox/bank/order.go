package bank

import (
	"crypto/rand"
	"slices"
	"time"
)

// Money on the bank's wire: minor units and an ISO 4217 code.
type Money struct {
	Value    int64  `json:"value"`
	Currency string `json:"currency"`
}

// Modes of an order.
const (
	show = "show"
	scan = "scan"
)

// States on the bank's wire.
const (
	pending = "pending"
	paying  = "paying"
	paid    = "paid"
	dead    = "dead"
)

// States of a return on the bank's wire.
const (
	returnPending = "pending"
	returnDone    = "done"
	returnRefused = "refused"
	returnShort   = "short"
)

type credit struct {
	Txn    string    `json:"txn"`
	Value  int64     `json:"value"`
	PaidAt time.Time `json:"paid_at"`
}

type giveback struct {
	ID     string    `json:"id"` // the merchant's; "" is the bank's own
	Txn    string    `json:"txn"`
	Value  int64     `json:"value"`
	Method string    `json:"method"`
	State  string    `json:"state"`
	DoneAt time.Time `json:"done_at"` // of a pending one
}

type decline struct {
	Why   string `json:"why"`
	Retry bool   `json:"retry"`
}

// deed is something that happens to an order by itself at a moment. Value is a credit; 0 with a Decline is a no.
type deed struct {
	At      time.Time `json:"at"`
	Value   int64     `json:"value,omitempty"`
	Decline *decline  `json:"decline,omitempty"`
	Die     bool      `json:"die,omitempty"`
	Begun   time.Time `json:"begun,omitzero"` // a payer was asked then: this ends it, unless a yes or no comes first
}

// order is everything the bank knows about one order. No pay code is in it, nor a trace of one.
type order struct {
	ID        string     `json:"id"`
	Mode      string     `json:"mode"`
	Amount    Money      `json:"amount"`
	Number    string     `json:"number,omitempty"`
	Payee     string     `json:"payee,omitempty"`
	Payload   string     `json:"payload,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	Credits   []credit   `json:"credits"`
	Returns   []giveback `json:"returns"`
	Decline   *decline   `json:"decline,omitempty"`

	Dead        bool      `json:"dead,omitempty"`
	Expired     bool      `json:"expired,omitempty"` // its expiry has been acted on
	PayingUntil time.Time `json:"paying_until,omitzero"`
	SilentUntil time.Time `json:"silent_until,omitzero"`
	ShortUntil  time.Time `json:"short_until,omitzero"`
	Act         act       `json:"act,omitempty"`
	Acted       bool      `json:"acted,omitempty"`  // the act has begun
	OnWay       bool      `json:"on_way,omitempty"` // 03, 04: the payer has confirmed, the shop can't see it yet
	KillRefunds bool      `json:"kill_refunds,omitempty"`
	Known       bool      `json:"known,omitempty"` // 08: the merchant was told of it before its slow answer
	Due         []deed    `json:"due,omitempty"`

	changed bool // something that the merchant is told of
}

func (o *order) sum() int64 {
	var n int64
	for _, c := range o.Credits {
		n += c.Value
	}
	return n
}

// rest is what is still to pay.
func (o *order) rest() int64 { return max(0, o.Amount.Value-o.sum()) }

func (o *order) full() bool { return len(o.Credits) > 0 && o.rest() == 0 }

// moneyDue says that a payment is on its way by a deed.
func (o *order) moneyDue() bool {
	return slices.ContainsFunc(o.Due, func(d deed) bool { return d.Value > 0 })
}

func (o *order) isPaying(now time.Time) bool { return now.Before(o.PayingUntil) }

// state is what the merchant and the wallet are told.
func (o *order) state(now time.Time) string {
	switch {
	case o.full() && !o.isPaying(now):
		return paid
	case o.isPaying(now):
		return paying
	case o.Dead:
		return dead
	case o.Mode == scan:
		return paying // a charge that is neither paid nor dead is under way
	}
	return pending
}

// book adds a payment that was made at a moment.
func (o *order) book(value int64, at time.Time) {
	o.Credits = append(o.Credits, credit{Txn: "T" + rand.Text(), Value: value, PaidAt: at.UTC()})
	o.changed = true
}

// making says that a slow bank has not done the order yet: it is nowhere to be found.
func (o *order) making(now time.Time, t Times) bool {
	return o.Act == slow && !o.Known && now.Before(o.made(t))
}

// made is when a slow order is answered.
func (o *order) made(t Times) time.Time { return o.CreatedAt.Add(t.Slow) }

// payFor makes the order look as if somebody is confirming, for d.
func (o *order) payFor(now time.Time, d time.Duration) {
	o.PayingUntil = now.Add(d)
	o.changed = true
}

// hush answers nothing about the order for d.
func (o *order) hush(now time.Time, d time.Duration) { o.SilentUntil = now.Add(d) }

func (o *order) die() {
	if !o.Dead {
		o.Dead, o.changed = true, true
	}
	o.PayingUntil = time.Time{}
}

func (o *order) later(d deed) {
	o.Due = append(o.Due, d)
	slices.SortStableFunc(o.Due, func(a, b deed) int { return a.At.Compare(b.At) })
}

// next is the earliest moment at which something happens by itself; the zero time is never.
func (o *order) next() time.Time {
	var t time.Time
	if len(o.Due) > 0 {
		t = o.Due[0].At
	}
	if o.expires() {
		// An order that expires while somebody is confirming ends when that does.
		end := o.ExpiresAt
		if o.PayingUntil.After(end) {
			end = o.PayingUntil
		}
		t = earlier(t, end)
	}
	for _, r := range o.Returns {
		if r.State == returnPending {
			t = earlier(t, r.DoneAt)
		}
	}
	return t
}

// expires says that the order's own expiry is still to be acted on.
func (o *order) expires() bool {
	return !o.Dead && !o.full() && !o.Expired && !o.ExpiresAt.IsZero()
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// advance does everything that was due by now, in order, and says whether anything was.
func (o *order) advance(now time.Time, t Times) bool {
	did := false
	for {
		at := o.next()
		if at.IsZero() || at.After(now) {
			return did
		}
		did = true
		for i := range o.Returns {
			if r := &o.Returns[i]; r.State == returnPending && !r.DoneAt.After(at) {
				r.State, o.changed = returnDone, true
			}
		}
		if len(o.Due) > 0 && !o.Due[0].At.After(at) {
			d := o.Due[0]
			o.Due = slices.Delete(o.Due, 0, 1)
			o.do(d)
			continue
		}
		if o.expires() && !o.ExpiresAt.After(at) && !o.isPaying(at) {
			o.expire(t)
		}
	}
}

func (o *order) do(d deed) {
	o.PayingUntil = time.Time{}
	o.changed = true
	if d.Value > 0 {
		o.book(d.Value, d.At)
	}
	if d.Decline != nil {
		o.Decline = d.Decline
	}
	if d.Die {
		o.die()
	}
}
