package lane

import (
	"maps"
	"slices"
	"time"

	"tilld/payment"
)

// Stage is where a payment stands at the box. Doubt is an axis beside it, derived and never journalled.
type Stage string

// Stages, as the tables name them. The marks beside them (Sent, Waiting, Shown, Paying, Parked …) are fields.
const (
	Submitted       Stage = "submitted"
	Open            Stage = "open"
	WaitingCode     Stage = "waiting_code"
	Charging        Stage = "charging"
	Closing         Stage = "closing"
	LateOffered     Stage = "late_offer"
	Accepting       Stage = "accepting"
	Paid            Stage = "paid"
	Released        Stage = "released"
	Done            Stage = "done"
	Ended           Stage = "ended"
	Overridden      Stage = "overridden"
	OverriddenEnded Stage = "overridden_ended"
	Restored        Stage = "restored"
)

// Why says why a payment is closing or how it ended.
type Why string

// The first three stand in Payment.Closing, the others in Payment.End.
const (
	ByExpiry    Why = "expire"
	ByReturn    Why = "return"
	ByNotShown  Why = "not_shown"
	EndRefused  Why = "refused"
	EndExpired  Why = "expired"
	EndCanceled Why = "canceled"
	EndReturned Why = "returned"
	Withdrawn   Why = "withdrawn"
)

// Payment is the journal's record of one payment: all that the table needs to go on after a restart. It is a value: rows
// change a copy. It never holds a customer's code, only its hash.
type Payment struct {
	ID        string `json:"id"`
	BillID    string `json:"bill_id"` // id at the integrator: ID, unless an older bill was adopted (E2c)
	Number    string `json:"number"`
	Reference string `json:"reference"`
	Lane      string `json:"lane"`
	Hash      string `json:"hash"`    // of the request, for E1a
	Version   int64  `json:"version"` // of the public resource

	Amount         payment.Money          `json:"amount"`
	Mode           payment.Mode           `json:"mode"`
	Purpose        payment.Purpose        `json:"purpose"`
	IfNotConfirmed payment.IfNotConfirmed `json:"if_not_confirmed"`
	LifeMS         int64                  `json:"life_ms"` // whole life asked for, from creation
	Provider       string                 `json:"provider,omitempty"`
	Payee          string                 `json:"payee,omitempty"`
	Outputs        []string               `json:"outputs,omitempty"`
	Lines          []Line                 `json:"lines,omitempty"`
	Replaces       string                 `json:"replaces,omitempty"`
	ReplacedBy     string                 `json:"replaced_by,omitempty"`
	AddsTo         string                 `json:"adds_to,omitempty"`

	Stage      Stage  `json:"stage"`
	Sent       bool   `json:"sent,omitempty"`        // SENT: the create call may have left
	Waiting    bool   `json:"waiting,omitempty"`     // unsent until the sale's earlier payments are fenced or ended (E1c)
	Shown      bool   `json:"shown,omitempty"`       // some output has shown the code (E3s)
	Paying     bool   `json:"paying,omitempty"`      // of Open: somebody confirms, the code is off (E3c)
	NoCode     bool   `json:"no_code,omitempty"`     // of Open: too little time left to draw the code again (E19)
	NoDisplay  bool   `json:"no_display,omitempty"`  // of Open: no output shows the code any more
	Parked     bool   `json:"parked,omitempty"`      // has no outputs and no scanner of the lane, for ever (E12p)
	FenceAcked bool   `json:"fence_acked,omitempty"` // the integrator has committed the fence (E10b)
	Asked      bool   `json:"asked,omitempty"`       // the till was asked to finish this sale by the box's own timer (E18, E18a)
	Unfinished bool   `json:"unfinished,omitempty"`  // of Paid: somebody wants an end, so the till has to finish this sale (E18)
	OwnReturn  bool   `json:"own_return,omitempty"`  // the box gave the money back by its own timer (E18a)
	Review     bool   `json:"review,omitempty"`      // a person has to look
	Looked     string `json:"looked,omitempty"`      // who has looked last, and found what; what comes under review later wants another look
	NoGoods    bool   `json:"no_goods,omitempty"`    // the light for the goods stays dark, whatever the stage: the bill is another sale's, or its goods were not given out (E2c, E33a, E33c)
	Told       bool   `json:"told,omitempty"`        // of Restored: the integrator has said since how the bill stands (E33a)
	NoReceipt  bool   `json:"no_receipt,omitempty"`  // two minutes paid without a receipt
	Closing    Why    `json:"closing,omitempty"`     // of Closing
	End        Why    `json:"end,omitempty"`         // of Ended
	Trouble    string `json:"trouble,omitempty"`     // why, as a code, of refused and review

	Bill    *payment.Bill `json:"bill,omitempty"` // the newest bill known; its Version decides what is old (E30)
	Payload string        `json:"payload,omitempty"`
	ShownOn []string      `json:"shown_on,omitempty"` // outputs that have shown the code

	LeftMS    int64     `json:"left_ms,omitempty"`     // of the code, at LeftAt
	MaxOpenMS int64     `json:"max_open_ms,omitempty"` // to max_open, at LeftAt
	LeaseMS   int64     `json:"lease_ms,omitempty"`    // of late money, at LeftAt
	LeftAt    time.Time `json:"left_at,omitzero"`      // wall clock of the event that said so: for a restart alone

	Attempt  int              `json:"attempt,omitempty"`   // last charge attempt
	CodeHash string           `json:"code_hash,omitempty"` // of the code of that attempt
	Declined *payment.Decline `json:"declined,omitempty"`  // last no of the bank, until something newer
	Extends  int              `json:"extends,omitempty"`   // extend calls made
	TooLong  int64            `json:"too_long,omitempty"`  // shortest whole life, in ms, that the provider's own code does not have; 0: none known
	Calls    []Call           `json:"calls,omitempty"`     // not answered yet, in order
	Fence    string           `json:"fence,omitempty"`     // key of the whole return, once intended
	Returns  []ReturnIntent   `json:"returns,omitempty"`
	Final    int64            `json:"final,omitempty"` // minor units the goods were handed over for
	Receipt  *Receipt         `json:"receipt,omitempty"`
	Override *Override        `json:"override,omitempty"`

	Stamps map[string]time.Time `json:"stamps,omitempty"` // first time of each
}

// ReturnIntent is one return, asked for by the till, by the box itself (Reference "") or elsewhere.
type ReturnIntent struct {
	ID        string    `json:"id"` // its key at the integrator
	Reference string    `json:"reference,omitempty"`
	Whole     bool      `json:"whole,omitempty"` // the fence
	Taken     bool      `json:"taken,omitempty"` // the integrator has it
	Amount    int64     `json:"amount"`          // of a fence: what had been paid, as far as known
	How       string    `json:"how"`             // cancel refund undecided
	State     string    `json:"state"`           // pending done later short refused person
	Reason    string    `json:"reason,omitempty"`
	Why       string    `json:"why,omitempty"` // the code with which the integrator refused it
	At        time.Time `json:"at"`
}

// Call is a call to the integrator that has not been answered. ID is its id on every send; the engine makes the frame's
// params from the rest and from the payment. A charge carries a customer's code that only the engine's memory has.
type Call struct {
	ID      string `json:"id"`   // <bill id>:<verb>[:n]
	Verb    string `json:"verb"` // one of the Verb… constants: the method is "bill." + Verb
	Key     string `json:"key,omitempty"`
	Whole   bool   `json:"whole,omitempty"`
	Amount  int64  `json:"amount,omitempty"`
	Final   int64  `json:"final,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	LifeMS  int64  `json:"life_ms,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Verbs of the calls that rows make.
const (
	VerbCreate     = "create"
	VerbGet        = "get"
	VerbReturn     = "return"
	VerbConfirm    = "confirm"
	VerbCharge     = "charge"
	VerbChargeVoid = "charge_void"
	VerbAccept     = "accept_late"
	VerbExtend     = "extend"
)

// Volatile says that the call's params hold a customer's code and are never written.
func (c Call) Volatile() bool { return c.Verb == VerbCharge }

// BillVersion is the version of the newest bill known, 0 before the first.
func (p Payment) BillVersion() int64 {
	if p.Bill == nil {
		return 0
	}
	return p.Bill.Version
}

// Live says that the payment can still change by itself: it is not over.
func (p Payment) Live() bool {
	switch p.Stage {
	case "", Done, Ended, OverriddenEnded:
		return false
	}
	return true
}

// UnderReview says that a person has to look: the box says so, or the integrator does and nobody here has looked since.
func (p Payment) UnderReview() bool {
	return p.Review || p.Looked == "" && p.Bill != nil && (p.Bill.Review || slices.Contains(p.Bill.Flags, "review"))
}

// Returning says that a whole return of this payment has been journalled and the payment closes for it: its goods never
// leave.
func (p Payment) Returning() bool {
	return p.Stage == Closing && p.Closing != ByExpiry
}

// Pending is the first call of that verb that has not been answered.
func (p Payment) Pending(verb string) *Call {
	for i := range p.Calls {
		if p.Calls[i].Verb == verb {
			return &p.Calls[i]
		}
	}
	return nil
}

func (p Payment) clone() Payment {
	p.Calls = slices.Clone(p.Calls)
	p.Returns = slices.Clone(p.Returns)
	p.ShownOn = slices.Clone(p.ShownOn)
	p.Stamps = maps.Clone(p.Stamps)
	return p
}
