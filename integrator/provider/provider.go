// Package provider is what a bank or wallet must do for the integrator. Every call carries an id that was stored before
// it; an answer says what is, never whether a call "worked".
package provider

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tilld/payment"
)

// An error of a provider is one of these, wrapped, or anything else. Anything else means that the outcome is unknown,
// and only Look decides it.
var (
	ErrRefused = errors.New("refused for good, nothing happened")
	ErrBusy    = errors.New("refused for now, nothing happened")
)

// Refusal is ErrRefused with a reason that a person can do something about. A bank's other reasons are ErrRefused alone.
type Refusal struct {
	Why  string // payment.WhyAmount of an order, payment.WhyTooOld of a return
	Most int64  // of payment.WhyAmount: the most that the bank takes, in minor units; 0: it does not say
}

func (r *Refusal) Error() string { return ErrRefused.Error() + ": " + r.Why }

// Unwrap makes it an ErrRefused.
func (r *Refusal) Unwrap() error { return ErrRefused }

// Order is one order at the provider: a bill's code, or one attempt to charge.
type Order struct {
	ID     string // ours, at most 32 of A-Z a-z 0-9 - _; the same on every retry
	Amount payment.Money
	Expiry time.Time
	Number string                              // the payment's four digits, for the bank line
	Payee  string                              //
	Memo   []byte                              // what this provider kept of earlier steps
	Keep   func(context.Context, []byte) error // stores a new Memo between the steps of a two-step call
}

// Credit is one payment that reached an order.
type Credit struct {
	Txn    string // unique at the provider
	Amount payment.Money
	PaidAt time.Time
}

// State of an order at the provider.
type State string

// States. Money is in Report.Credits alone, whatever State says.
const (
	Pending State = "pending" // nobody has paid, it can still be paid
	Paying  State = "paying"  // somebody is confirming right now
	Paid    State = "paid"    // every payment is in Credits, no further one will come
	Dead    State = "dead"    // can never be paid (again)
	Absent  State = "absent"  // the provider does not know this order
	Unknown State = "unknown" // the provider will not say
)

// Return states in Report.Returns.
const (
	ReturnPending = "pending"
	ReturnDone    = "done"
	ReturnRefused = "refused"
	ReturnShort   = "short"  // the shop's account has not the money
	ReturnAbsent  = "absent" // the provider does not know this return
)

// Own is what a provider gives back of one payment without having been asked: at a kill, in its own office, to a payer
// who complained. All such returns of a payment together, pending as long as one of them is.
type Own struct {
	Txn    string // of the payment, as in Credit
	Amount payment.Money
	State  string // ReturnPending or ReturnDone
}

// Report is what is.
type Report struct {
	State   State
	Payload string // show mode
	Expires time.Time
	Credits []Credit
	Returns map[string]string // our return id → state
	Own     []Own             // what the provider gave back, or is giving back, by itself
	Decline *payment.Decline  // the last definite no, of an attempt that is over
	Memo    []byte            // a new Memo, nil to keep the old one
}

// Provider is asked about an order, or told to end it. Kill is never our return, but where Traits.KillRefunds is set the
// bank may give money back by itself: ask before you kill.
type Provider interface {
	Look(context.Context, Order) (Report, error)
	Kill(context.Context, Order) (Report, error)
	Traits() Traits
}

// Traits is what the rows ask of a provider.
type Traits struct {
	KillRefunds   bool          // a kill may give money back (B13k)
	KillReliable  bool          // our expiry at the provider may be max_open + 10 s
	Tolerance     time.Duration // on time: paid_at < expires_at + Tolerance
	NotFoundFinal time.Duration // "absent" is terminal this long after the call's own limit
	CallLimit     time.Duration // create and charge
	Methods       []string      // of return, in order of preference: cancel reverse refund
	RefundWindow  time.Duration // how long a return that the provider makes by itself may take; 0: a day
	CancelWithin  time.Duration // cancel and reverse work only this long after the payment; 0: always
	CancelParts   bool          // cancel and reverse can be for less than the whole payment
}

// Shower can make a code (show mode).
type Shower interface {
	Present(context.Context, Order) (Report, error)
}

// Charger can charge a customer's code (scan mode).
type Charger interface {
	Charge(context.Context, Order, payment.Code) (Report, error)
}

// Returner can give money back: id is ours, 40 of 0-9 a-z, and stored before the call, method one of Traits.Methods. The same
// id is the same return, also where it comes from a ledger that was put back from a copy and knows nothing of the first time.
type Returner interface {
	Return(ctx context.Context, o Order, id, method, txn string, amount payment.Money) (Report, error)
}

// Caller understands the provider's call-backs. A call-back is a hint: which order to Look at, and what to answer.
type Caller interface {
	Callback(r *http.Request, body []byte) (order string, status int, reply []byte, err error)
}
