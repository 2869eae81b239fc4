// Package lane is the payment as the box sees it: the box's table of transitions as data, and the public resource that
// till software reads. It is pure: internal/checkout executes it, journals its results and keeps its clocks.
package lane

import (
	"time"

	"tilld/payment"
)

// Public is a payment as GET /v1/payments/{id} and every payment.* event show it.
type Public struct {
	ID        string          `json:"id"`
	Number    string          `json:"number"`
	Reference string          `json:"reference"`
	Lane      string          `json:"lane"`
	Version   int64           `json:"version"` // +1 per change; of two, the higher is newer
	State     string          `json:"state"`
	Lights    Lights          `json:"lights"`
	Next      []string        `json:"next"` // calls that would be accepted now, likeliest first; wait: nothing to do
	Say       Say             `json:"say"`
	Flags     []string        `json:"flags"` // late over owed review no_receipt parked
	Mode      payment.Mode    `json:"mode"`
	Purpose   payment.Purpose `json:"purpose"`
	Provider  string          `json:"provider,omitempty"`
	Payee     string          `json:"payee,omitempty"`

	Amount   Amount  `json:"amount"`
	Paid     Amount  `json:"paid"`
	Returned Amount  `json:"returned"`
	Owed     Amount  `json:"owed"`
	Final    *Amount `json:"final,omitempty"`

	RemainingMS *int64     `json:"remaining_ms,omitempty"` // of the code, by the box's monotonic clock
	QR          *QR        `json:"qr"`                     // null unless a code is on glass or paper and alive
	Attempt     int        `json:"attempt"`
	LastDecline *Declined  `json:"last_decline,omitempty"`
	LateOffer   *LateOffer `json:"late_offer,omitempty"`
	DoubtSince  *time.Time `json:"doubt_since,omitempty"`
	DoubtWhy    string     `json:"doubt_why,omitempty"` // link, bank, journal
	Why         string     `json:"why,omitempty"`       // of refused and review: a code

	Returns    []Return             `json:"returns"`
	Receipt    *Receipt             `json:"receipt,omitempty"`
	Override   *Override            `json:"override,omitempty"`
	Replaces   string               `json:"replaces,omitempty"`
	ReplacedBy string               `json:"replaced_by,omitempty"`
	AddsTo     string               `json:"adds_to,omitempty"`
	Stamps     map[string]time.Time `json:"stamps"` // asked sent shown paid confirmed ended …, first time of each
}

// Lights are the only thing a till must obey. Never both.
type Lights struct {
	HandOver    bool `json:"hand_over"`
	OtherTender bool `json:"other_tender"`
}

// Say is what to tell people, in the lane's language.
type Say struct {
	Cashier struct {
		Code  string `json:"code"`
		Short string `json:"short"` // at most 32 characters
		Do    string `json:"do"`
	} `json:"cashier"`
	Customer struct {
		Screen string `json:"screen"`
	} `json:"customer"`
	Override string `json:"override,omitempty"` // the question to a supervisor, while next has override
}

// Sentence is one thing to tell the cashier, in the lane's language, where there is no payment that says it.
type Sentence struct {
	Code  string `json:"code"`
	Short string `json:"short"` // at most 32 characters
	Do    string `json:"do"`
	Why   string `json:"why,omitempty"` // one sentence: the reason, where the cashier can make something of it
}

// Amount is money with its text.
type Amount struct {
	payment.Money
	Text string `json:"text"`
}

// NewAmount adds the text.
func NewAmount(m payment.Money) Amount { return Amount{m, m.Text()} }

// QR is the code on glass.
type QR struct {
	Payload string `json:"payload"`
}

// Declined is the last no of the bank.
type Declined struct {
	Why   string `json:"why"`
	Text  string `json:"text,omitempty"`
	Retry bool   `json:"retry"`
}

// LateOffer is late money that may be taken now.
type LateOffer struct {
	RemainingMS int64 `json:"remaining_ms"`
}

// Return is one return of the payment.
type Return struct {
	ID        string    `json:"id"`
	Reference string    `json:"reference"`
	Amount    Amount    `json:"amount"`
	How       string    `json:"how"`   // cancel refund undecided
	State     string    `json:"state"` // pending done later short refused person
	Reason    string    `json:"reason,omitempty"`
	At        time.Time `json:"at"`
}

// Receipt is the till's document about the sale.
type Receipt struct {
	Number   string `json:"number,omitempty"`
	At       string `json:"at,omitempty"` // RFC 3339
	FiscalQR string `json:"fiscal_qr,omitempty"`
	URL      string `json:"url,omitempty"`
}

// Override says which other money a supervisor took while in doubt.
type Override struct {
	Tender string    `json:"tender"`
	Who    string    `json:"who"`
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}
