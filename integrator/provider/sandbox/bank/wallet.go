package bank

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// payCode is a code that a wallet shows. The bank holds a hash of it, in memory alone.
type payCode struct {
	until   time.Time
	confirm bool   // the payer is asked before money moves
	order   string // that has spent it
}

// walletBody is what a wallet says. Amount is {"value":…,"currency":…} or, shorter, the minor units alone.
type walletBody struct {
	Payload string          `json:"payload"`
	Code    string          `json:"code"`
	Amount  json.RawMessage `json:"amount"`
	Force   bool            `json:"force"`
	Confirm bool            `json:"confirm"` // of a new code: ask the payer
}

// walletOrder is an order as the payer sees it.
type walletOrder struct {
	Payload string   `json:"payload,omitempty"`
	State   string   `json:"state"`
	Amount  Money    `json:"amount"`
	Paid    int64    `json:"paid"`
	Rest    int64    `json:"rest"`
	Number  string   `json:"number,omitempty"`
	Payee   string   `json:"payee,omitempty"`
	OnWay   bool     `json:"on_its_way,omitempty"`
	Decline *decline `json:"decline,omitempty"`
}

type newCode struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (o *order) walletView(now time.Time) walletOrder {
	return walletOrder{
		Payload: o.Payload, State: o.state(now), Amount: o.Amount, Paid: o.sum(), Rest: o.rest(), Number: o.Number,
		Payee: o.Payee, OnWay: (o.OnWay && !o.full()) || o.moneyDue(), Decline: o.Decline,
	}
}

// wallet wraps a call of the wallet's API, which is for this machine alone and has no token.
func (b *Bank) wallet(f func(in walletBody, now time.Time) (any, *refusal)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if b.down() {
			http.Error(w, "the bank is down", http.StatusServiceUnavailable)
			return
		}
		var in walletBody
		if n := readLocal(w, r, &in); n != nil {
			reply(w, n.Status, n)
			return
		}
		now := time.Now()
		b.mu.Lock()
		v, n := f(in, now)
		b.mu.Unlock()
		if n != nil {
			reply(w, n.Status, n)
			return
		}
		reply(w, http.StatusOK, v)
	}
}

// find is the order of a payload or of a pay code that was charged.
func (b *Bank) find(in walletBody, now time.Time) (*order, *refusal) {
	var o *order
	switch {
	case in.Payload != "":
		o = b.payloads[in.Payload]
	case in.Code != "":
		if c := b.codes[sha256.Sum256([]byte(in.Code))]; c != nil {
			o = b.orders[c.order]
		}
	}
	if o == nil {
		return nil, no(http.StatusNotFound, "unknown_payload", "the bank knows no such code")
	}
	b.catchUp(o.ID, now)
	return o, nil
}

// money reads the amount of a wallet, or takes what is left to pay.
func (in walletBody) money(o *order) (int64, bool) {
	if len(in.Amount) == 0 || string(in.Amount) == "null" {
		if n := o.rest(); n > 0 {
			return n, true
		}
		return o.Amount.Value, true // with force: all of it once more
	}
	if n, err := strconv.ParseInt(string(in.Amount), 10, 64); err == nil {
		return n, n > 0 && n <= maxValue
	}
	var m Money
	if json.Unmarshal(in.Amount, &m) != nil {
		return 0, false
	}
	return m.Value, m.Value > 0 && m.Value <= maxValue && m.Currency == o.Amount.Currency
}

const maxValue = 1_000_000_000_000 // minor units; keeps sums within 64 bits

// walletPay pays a code that a shop shows.
func (b *Bank) walletPay(in walletBody, now time.Time) (any, *refusal) {
	o, n := b.find(in, now)
	if n != nil {
		return nil, n
	}
	value, ok := in.money(o)
	if !ok {
		return nil, no(http.StatusUnprocessableEntity, "amount", "the amount is minor units in the order's currency, above 0")
	}
	switch {
	case in.Force:
		o.book(value, now)
	case o.Dead, o.full():
		return nil, no(http.StatusConflict, "closed", "nothing is to be paid here; force pays all the same")
	case o.moneyDue(), o.OnWay, o.isPaying(now) && !o.begun():
		return nil, no(http.StatusConflict, "busy", "somebody is paying this already; force pays all the same")
	default:
		o.pay(now, value, b.times)
	}
	b.settle(o, now)
	return o.walletView(now), nil
}

// begun says that a payer has opened the code and said neither yes nor no.
func (o *order) begun() bool {
	return slices.ContainsFunc(o.Due, func(d deed) bool { return d.At.Equal(o.PayingUntil) && d.Value == 0 && !d.Begun.IsZero() })
}

// walletBegin opens a shop's code: the bank says "somebody is confirming".
func (b *Bank) walletBegin(in walletBody, now time.Time) (any, *refusal) {
	o, n := b.find(in, now)
	if n != nil {
		return nil, n
	}
	switch {
	case o.Dead, o.full():
		return nil, no(http.StatusConflict, "closed", "nothing is to be paid here")
	case o.isPaying(now), o.moneyDue(), o.Mode == scan:
		return nil, no(http.StatusConflict, "busy", "somebody is paying this already")
	}
	o.payFor(now, b.times.Begin)
	o.later(deed{At: o.PayingUntil, Begun: now.UTC()})
	b.settle(o, now)
	return o.walletView(now), nil
}

// walletConfirm is the payer's yes, to what was begun or to a charge that asks.
func (b *Bank) walletConfirm(in walletBody, now time.Time) (any, *refusal) {
	o, n := b.find(in, now)
	if n != nil {
		return nil, n
	}
	if !o.begun() {
		return nil, no(http.StatusConflict, "not_begun", "nobody was asked")
	}
	value, ok := in.money(o)
	if !ok {
		return nil, no(http.StatusUnprocessableEntity, "amount", "the amount is minor units in the order's currency, above 0")
	}
	o.pay(now, value, b.times)
	b.settle(o, now)
	return o.walletView(now), nil
}

// walletRefuse is the payer's no: the code lives on, a charge is over.
func (b *Bank) walletRefuse(in walletBody, now time.Time) (any, *refusal) {
	o, n := b.find(in, now)
	if n != nil {
		return nil, n
	}
	if !o.begun() {
		return nil, no(http.StatusConflict, "not_begun", "nobody was asked")
	}
	o.Due = slices.DeleteFunc(o.Due, func(d deed) bool { return !d.Begun.IsZero() })
	o.do(deed{Decline: &decline{Why: "other", Retry: true}, Die: o.Mode == scan})
	b.settle(o, now)
	return o.walletView(now), nil
}

// walletView looks at a code without touching it.
func (b *Bank) walletView(in walletBody, now time.Time) (any, *refusal) {
	o, n := b.find(in, now)
	if n != nil {
		return nil, n
	}
	return o.walletView(now), nil
}

// walletCode makes a fresh pay code: CodePrefix and 20 characters of A-Z 2-7, single use.
func (b *Bank) walletCode(in walletBody, now time.Time) (any, *refusal) {
	text := CodePrefix + rand.Text()[:20]
	c := &payCode{until: now.Add(b.times.Code), confirm: in.Confirm}
	maps.DeleteFunc(b.codes, func(_ [sha256.Size]byte, c *payCode) bool { return now.Sub(c.until) > time.Hour })
	b.codes[sha256.Sum256([]byte(text))] = c
	return newCode{Code: text, ExpiresAt: c.until.UTC()}, nil
}

// CodePrefix begins every pay code of the sandbox wallet.
const CodePrefix = "SBX1"

// spend takes a code out of use; nil is a code that never was, has been used, or is too old.
func (b *Bank) spend(text string, now time.Time) *payCode {
	c := b.codes[sha256.Sum256([]byte(text))]
	if c == nil || c.order != "" || !now.Before(c.until) {
		return nil
	}
	return c
}
