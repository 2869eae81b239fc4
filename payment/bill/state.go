// Package bill is a bill as the server sees it: its table of transitions as data, and the pure function that executes
// it. It keeps no clock, opens no store and calls no provider: integrator does all three with what Step hands back.
package bill

import (
	"slices"
	"time"

	"tilld/payment"
)

// Kind is what sort of bill it is.
type Kind string

// Kinds of bills. A static bill (fixed, ranged) lives on and makes a child bill of every payment; a timer bill's amount
// grows with time and is fixed by a quote.
const (
	Dynamic Kind = "dynamic"
	Fixed   Kind = "fixed"
	Ranged  Kind = "ranged"
	Timer   Kind = "timer"
)

// State is one bill with everything that hangs on it, as one transaction sees it. The zero State is a bill that does not
// exist yet. Sums are minor units of Amount.Currency; a zero time means never. It marshals to JSON as it stands.
type State struct {
	ID       string `json:"id"` // the payment's id; also the order's id at the provider
	Merchant string `json:"merchant,omitempty"`
	Terminal string `json:"terminal,omitempty"`
	Parent   string `json:"parent,omitempty"` // of a child: the static bill
	Kind     Kind   `json:"kind"`

	Request Create `json:"request"` // as asked, with its hash

	Life       payment.Life   `json:"life"`
	Reason     payment.Reason `json:"reason,omitempty"`
	Late       payment.Late   `json:"late"`
	Full       bool           `json:"full,omitempty"` // while open: held reached Need, and bill.paid was said
	Fence      bool           `json:"fence,omitempty"`
	ByDeadline bool           `json:"by_deadline,omitempty"` // done, but the box has not said so yet (B9, B28)
	Deposit    bool           `json:"deposit,omitempty"`     // B13d: expired, and the part paid is kept
	Killed     bool           `json:"killed,omitempty"`
	Refunds    bool           `json:"refunds,omitempty"` // … at a provider whose kill may give money back
	Doubt      bool           `json:"doubt,omitempty"`
	Paying     bool           `json:"paying,omitempty"`
	Busy       bool           `json:"busy,omitempty"` // closing, and the bank said that somebody is confirming (B17)
	Review     bool           `json:"review,omitempty"`
	LateMoney  bool           `json:"late_money,omitempty"` // some credit was not on time
	Why        string         `json:"why,omitempty"`        // code of the refusal or the review
	Before     string         `json:"before,omitempty"`     // of payment.WhyLedgerRestored: what else it is under review for
	Most       int64          `json:"most,omitempty"`       // of payment.WhyAmount: what the bank would have taken
	By         string         `json:"by,omitempty"`         // who made it done: box deadline admin deposit
	Who        string         `json:"who,omitempty"`        // who wants it returned (B36), who decided (B28)

	Need      int64 `json:"need"` // what makes it full
	Kept      int64 `json:"kept,omitempty"`
	Shortfall int64 `json:"shortfall,omitempty"` // goods that left unpaid (B8c), money the bank took back beyond kept (B38)

	CreatedAt       time.Time `json:"created_at"`
	ExpiresAt       time.Time `json:"expires_at,omitzero"`
	MaxOpenAt       time.Time `json:"max_open_at,omitzero"`
	CreateBy        time.Time `json:"create_by,omitzero"` // create_timeout (B4a)
	ProviderExpires time.Time `json:"provider_expires,omitzero"`
	ConfirmBy       time.Time `json:"confirm_by,omitzero"`
	LateUntil       time.Time `json:"late_until,omitzero"` // lease of late money on offer
	DoubtBy         time.Time `json:"doubt_by,omitzero"`   // no definite answer until then is doubt (B19)
	DoubtSince      time.Time `json:"doubt_since,omitzero"`
	ClosedAt        time.Time `json:"closed_at,omitzero"`
	WatchUntil      time.Time `json:"watch_until,omitzero"`
	LastLook        bool      `json:"last_look,omitempty"` // the watch has ended: each order is still to be answered for once
	ExitUntil       time.Time `json:"exit_until,omitzero"` // timer: the exit pass (B25a)
	NextAsk         time.Time `json:"next_ask,omitzero"`   // of the provider, about any order of this bill
	Asks            int       `json:"asks,omitempty"`      // questions since the last change of lifecycle or doubt
	Wanted          bool      `json:"wanted,omitempty"`    // bill.confirm_wanted was said: the till has not finished this sale
	Misses          int       `json:"misses,omitempty"`    // questions in a row that a busy or broken provider did not answer

	Order       Order            `json:"order"`              // show mode, timer and static: the bill's one order
	Payload     string           `json:"payload,omitempty"`  // what the code says
	Attempts    []Attempt        `json:"attempts,omitempty"` // scan mode: an order each
	LastAttempt int              `json:"last_attempt,omitempty"`
	Declined    *payment.Decline `json:"declined,omitempty"`
	Credits     []Credit         `json:"credits,omitempty"`
	Obligations []Obligation     `json:"obligations,omitempty"`
	Requested   []Requested      `json:"requested,omitempty"` // how often each return was tried: what the next request id follows from
	Returns     []Return         `json:"returns,omitempty"`
	AcceptKey   string           `json:"accept_key,omitempty"`
	Final       int64            `json:"final,omitempty"` // of the box's confirm
	Confirmed   bool             `json:"confirmed,omitempty"`
	Quotes      []Quote          `json:"quotes,omitempty"`
	Applied     []Application    `json:"applied,omitempty"`
	Children    []Child          `json:"children,omitempty"`
	Clawbacks   []Clawback       `json:"clawbacks,omitempty"`
	ReviewSince time.Time        `json:"review_since,omitzero"`
	Heard       *Heard           `json:"heard,omitempty"` // in doubt: what the bank says
	Decisions   []Decision       `json:"decisions,omitempty"`
	Version     int64            `json:"version"` // +1 per event to the box
}

// Clone gives s slices of its own, so that what is changed in place is seen as a change, and nowhere else.
func (s State) Clone() State {
	s.Attempts = slices.Clone(s.Attempts)
	s.Credits = slices.Clone(s.Credits)
	s.Obligations = slices.Clone(s.Obligations)
	s.Requested = slices.Clone(s.Requested)
	s.Returns = slices.Clone(s.Returns)
	s.Quotes = slices.Clone(s.Quotes)
	s.Applied = slices.Clone(s.Applied)
	s.Children = slices.Clone(s.Children)
	s.Clawbacks = slices.Clone(s.Clawbacks)
	s.Decisions = slices.Clone(s.Decisions)
	return s
}

// Create is what was asked for. Hash is of the call's parsed body: equal hashes are the same request.
type Create struct {
	Payment        string                 `json:"payment"`
	Lane           string                 `json:"lane"`
	Reference      string                 `json:"reference"`
	Number         string                 `json:"number,omitempty"`
	Hash           string                 `json:"hash"`
	Merchant       string                 `json:"merchant,omitempty"`
	Terminal       string                 `json:"terminal,omitempty"`
	Kind           Kind                   `json:"kind,omitempty"` // "" is Dynamic
	Amount         payment.Money          `json:"amount"`         // of a ranged or timer bill: 0 and the currency
	Mode           payment.Mode           `json:"mode"`
	Purpose        payment.Purpose        `json:"purpose"`
	IfNotConfirmed payment.IfNotConfirmed `json:"if_not_confirmed"`
	Provider       string                 `json:"provider,omitempty"`
	Payee          string                 `json:"payee,omitempty"`
	AddsTo         string                 `json:"adds_to,omitempty"`
	Life           time.Duration          `json:"life,omitempty"`     // of the code; 0 is Settings.Life
	MaxOpen        time.Duration          `json:"max_open,omitempty"` // 0 is Settings.MaxOpen
	Min            int64                  `json:"min,omitempty"`      // of a ranged bill
	Max            int64                  `json:"max,omitempty"`
	Tariff         *Tariff                `json:"tariff,omitempty"` // of a timer bill
}

// Order is one order at the provider: a code, or an attempt to charge.
type Order struct {
	ID     string    `json:"id"`
	Ref    string    `json:"ref,omitempty"` // the provider's own number
	Memo   []byte    `json:"memo,omitempty"`
	CallBy time.Time `json:"call_by,omitzero"` // own limit of the last create or charge call: it can land until then
	Absent int       `json:"absent,omitempty"` // definite not-founds since the call can no longer land
	Over   bool      `json:"over,omitempty"`   // a terminal status was seen
	Last   bool      `json:"last,omitempty"`   // was answered for since the watch has ended
}

// Attempt is one charge of a customer's code. The code itself is never here.
type Attempt struct {
	N        int       `json:"n"`
	Hash     string    `json:"hash"` // of the code
	Order    Order     `json:"order"`
	Amount   int64     `json:"amount"` // of the order, minor units: what was left to pay when it was made
	Started  time.Time `json:"started"`
	Deadline time.Time `json:"deadline"`
	Running  bool      `json:"running,omitempty"`
	Busy     bool      `json:"busy,omitempty"` // bill.charging{in_progress} was said
}

// Credit is money that reached the bill: one row per (Provider, Txn), never refused, never changed.
type Credit struct {
	Provider string    `json:"provider"`
	Txn      string    `json:"txn"`
	Amount   int64     `json:"amount"`
	PaidAt   time.Time `json:"paid_at"`
	Attempt  int       `json:"attempt,omitempty"`
	Quote    string    `json:"quote,omitempty"`    // timer: the quote that the payer named
	Late     bool      `json:"late,omitempty"`     // not on time
	Evidence string    `json:"evidence,omitempty"` // B21a: what a person saw
}

// Return is one return as asked, kept as long as the bill: its key has one effect for ever.
type Return struct {
	Key     string    `json:"key"`
	By      By        `json:"by"`
	Whole   bool      `json:"whole,omitempty"`
	Amount  int64     `json:"amount"` // reserved by it
	Outcome string    `json:"outcome"`
	Why     string    `json:"why,omitempty"`
	At      time.Time `json:"at"`
}

// Requested counts the tries of one return at the provider: each has a request id of its own.
type Requested struct {
	Of    string `json:"of"` // digest of what is given back
	Times int    `json:"times"`
}

// Quote is a price that a payer was shown for a timer bill.
type Quote struct {
	ID     string    `json:"id"`
	Amount int64     `json:"amount"` // what the payer was asked for
	Total  int64     `json:"total"`  // the tariff at that moment
	Ends   time.Time `json:"ends"`
	Until  time.Time `json:"until"` // Ends and its grace: paid before then, it counts
	Gone   bool      `json:"gone,omitempty"`
}

// Application is an advance used as tender of a sale.
type Application struct {
	Key    string `json:"key"`
	Sale   string `json:"sale"`
	Amount int64  `json:"amount"`
	Undone bool   `json:"undone,omitempty"` // the sale was returned
}

// Child is a payment of a static bill: (Provider, Txn) is known, and ID is its own bill.
type Child struct {
	Provider string `json:"provider"`
	Txn      string `json:"txn"`
	ID       string `json:"id"`
	Amount   int64  `json:"amount"`
}

// Clawback is money that the bank took back by itself. Booked once the bill was done (B38).
type Clawback struct {
	ID     string `json:"id"`
	Txn    string `json:"txn,omitempty"`
	Amount int64  `json:"amount"` // 0: all that is kept
	Booked bool   `json:"booked,omitempty"`
}

// Tariff is the price of a timer bill: nothing for Free, then Flat, and Rate for each begun Per; at most Max where set.
type Tariff struct {
	Free time.Duration `json:"free,omitempty"`
	Flat int64         `json:"flat,omitempty"`
	Per  time.Duration `json:"per,omitempty"`
	Rate int64         `json:"rate,omitempty"`
	Max  int64         `json:"max,omitempty"`
}

// Total is the price after d, in minor units.
func (t *Tariff) Total(d time.Duration) int64 {
	if t == nil || d < t.Free || d < 0 {
		return 0
	}
	n := t.Flat
	if t.Per > 0 {
		n += t.Rate * int64((d-t.Free)/t.Per+1)
	}
	if t.Max > 0 {
		n = min(n, t.Max)
	}
	return n
}
