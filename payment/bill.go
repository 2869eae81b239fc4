package payment

import "time"

// Mode says who shows a code.
type Mode string

// Modes of a payment.
const (
	Show Mode = "show" // the shop shows, the customer scans
	Scan Mode = "scan" // the customer shows, the shop scans
)

// Purpose says what the money is for.
type Purpose string

// Purposes. Their returns are returns of the payment, not payments of their own.
const (
	Sale       Purpose = "sale"
	Prepayment Purpose = "prepayment"
)

// IfNotConfirmed says what becomes of a paid payment that nobody confirms.
type IfNotConfirmed string

// Keep: the integrator keeps the money at its deadline (B9). Return: the box's own timer gives it back (E18a), only for
// a till that confirms before goods leave. Person: nothing by itself, the till is asked (E18).
const (
	Keep   IfNotConfirmed = "keep"
	Return IfNotConfirmed = "return"
	Person IfNotConfirmed = "person"
)

// Life is the lifecycle axis of a bill.
type Life string

// Lifecycle of a bill at the integrator.
const (
	Created Life = "created"
	Open    Life = "open"
	Closing Life = "closing"
	Closed  Life = "closed"
)

// Reason says why a bill is closing or closed.
type Reason string

// Reasons of a bill.
const (
	Refused   Reason = "refused"
	Expire    Reason = "expire"
	Returning Reason = "return"
	Done      Reason = "done"
	Returned  Reason = "returned"
)

// Late says what became of money that was not on time.
type Late string

// The late axis.
const (
	LateNo       Late = "no"
	LateOffered  Late = "offered"
	LateAccepted Late = "accepted"
	LateLapsed   Late = "lapsed"
)

// Fill is the money axis: how much of the amount is held (or kept, once closed).
type Fill string

// The money axis.
const (
	None Fill = "none"
	Part Fill = "part"
	Full Fill = "full"
)

// WhyLedgerRestored is Bill.Why of a bill under review because the integrator's ledger was put back from a copy: the box may
// know more.
const WhyLedgerRestored = "ledger_restored"

// WhyReviewed is Bill.Why of a bill.review that ends a review: a person at the integrator has decided, or has looked.
const WhyReviewed = "reviewed"

// Reasons of a bank's definite no that a person can do something about; Bill.Why, in words at the cashier.
const (
	WhyAmount = "amount_limit" // of a refused order: the sum is above what the bank takes, which is Bill.Most; Decline.Why too
	WhyTooOld = "too_old"      // of a refused return: the time for it has passed
)

// Bill is a bill as it crosses the link: the body of every event and every snapshot, always whole. Version is +1 per
// event, so a box that holds an equal or newer version has nothing to do (row E30). All sums are minor units of
// Amount.Currency. Durations are milliseconds left at sending, so that no two clocks are ever compared.
type Bill struct {
	Payment   string `json:"payment"`
	Lane      string `json:"lane"`
	Reference string `json:"reference"`
	Number    string `json:"number"`
	Version   int64  `json:"version"`

	Mode           Mode           `json:"mode"`
	Purpose        Purpose        `json:"purpose"`
	IfNotConfirmed IfNotConfirmed `json:"if_not_confirmed"`
	Amount         Money          `json:"amount"`
	Provider       string         `json:"provider,omitempty"`
	Payee          string         `json:"payee,omitempty"`

	Life       Life   `json:"life"`
	Reason     Reason `json:"reason,omitempty"`
	Fill       Fill   `json:"fill"`
	Fence      bool   `json:"fence"`
	Late       Late   `json:"late"`
	Paying     bool   `json:"paying"` // somebody confirms right now: an open code, a charge that runs, or while closing
	ByDeadline bool   `json:"by_deadline"`
	Doubt      bool   `json:"doubt"`
	Review     bool   `json:"review"`
	Status     string `json:"status"` // public status of the bill, a pure function of the axes

	Paid     int64 `json:"paid"`     // Σ credits
	Due      int64 `json:"due"`      // still to pay while open
	Held     int64 `json:"held"`     // not confirmed, returned or owed yet
	Kept     int64 `json:"kept"`     // confirmed for goods
	Owed     int64 `json:"owed"`     // owed back and not given back yet (OWED, SENT, HUMAN)
	Returned int64 `json:"returned"` // given back, the bank has said so
	Over     int64 `json:"over"`     // of owed and returned: what came above the amount
	Applied  int64 `json:"applied"`  // of a prepayment: used as tender

	Payload     string `json:"payload,omitempty"`      // what the code says, show mode, while open
	RemainingMS int64  `json:"remaining_ms,omitempty"` // to expires_at, while open
	MaxOpenMS   int64  `json:"max_open_ms,omitempty"`  // to max_open, while open
	LeaseMS     int64  `json:"lease_ms,omitempty"`     // of late money on offer
	ExitMS      int64  `json:"exit_ms,omitempty"`      // of a timer bill's exit pass

	Attempt  int      `json:"attempt,omitempty"` // last charge attempt, scan mode
	Charging bool     `json:"charging,omitempty"`
	Declined *Decline `json:"declined,omitempty"` // of bill.declined, and kept while nothing newer happened

	Why     string       `json:"why,omitempty"`     // a code for refused and review: words are the reader's business
	Most    int64        `json:"most,omitempty"`    // of WhyAmount, where the bank says it
	By      string       `json:"by,omitempty"`      // of bill.done: "box", "deadline", "admin"
	Who     string       `json:"who,omitempty"`     // of bill.return_wanted
	Returns []BillReturn `json:"returns,omitempty"` // by key, in order of asking; the box's own and others'
	Flags   []string     `json:"flags,omitempty"`   // late over owed review
	At      time.Time    `json:"at"`                // integrator's clock at this version, for people only
}

// Decline is a definite no of the bank to one attempt: 0 in show mode, where the code goes on.
type Decline struct {
	Attempt int    `json:"attempt"`
	Why     string `json:"why"`   // not_enough limit amount_limit wrong_secret expired_code other
	Retry   bool   `json:"retry"` // another code may be taken
}

// BillReturn is one return as the integrator sees it.
type BillReturn struct {
	Key    string `json:"key"`
	Amount int64  `json:"amount"`
	How    string `json:"how"`   // cancel refund undecided
	State  string `json:"state"` // pending done later short refused person
}

// Types of the events from the integrator to the box.
const (
	EvOpen          = "bill.open"
	EvPart          = "bill.part"
	EvPaid          = "bill.paid"
	EvOver          = "bill.over"
	EvPaying        = "bill.paying"
	EvCharging      = "bill.charging"
	EvDeclined      = "bill.declined"
	EvClosing       = "bill.closing"
	EvClosed        = "bill.closed"
	EvLate          = "bill.late"
	EvPaidAfter     = "bill.paid_after_close"
	EvDoubt         = "bill.doubt"
	EvDone          = "bill.done"
	EvReturning     = "bill.returning"
	EvReturned      = "bill.returned"
	EvReview        = "bill.review"
	EvReturnWanted  = "bill.return_wanted"
	EvConfirmWanted = "bill.confirm_wanted"
	EvChild         = "bill.child"
	EvExit          = "bill.exit"
	EvApplied       = "bill.applied"
)

// EventTypes lists every type of event that may cross the link.
func EventTypes() []string {
	return []string{
		EvOpen, EvPart, EvPaid, EvOver, EvPaying, EvCharging, EvDeclined, EvClosing, EvClosed, EvLate, EvPaidAfter,
		EvDoubt, EvDone, EvReturning, EvReturned, EvReview, EvReturnWanted, EvConfirmWanted, EvChild, EvExit, EvApplied,
	}
}

// Refusals that an answer may carry, as stable codes.
const (
	NoKeyReused        = "key_reused"
	NoReferenceUsed    = "reference_used" // a create: the (lane, reference) is of another sale, which is over
	NoWrongState       = "wrong_state"
	NoAlreadyConfirmed = "already_confirmed"
	NoFinalExceedsPaid = "final_exceeds_paid"
	NoUseReturn        = "use_return"
	NoConfirmFirst     = "confirm_first"
	NoExceedsKept      = "exceeds_kept"
	NoTooManyReturns   = "too_many_returns"
	NoAdvanceApplied   = "advance_applied"
	NoCannotExtend     = "cannot_extend"
	NoAttemptRunning   = "attempt_running"
	NoClosed           = "closed"
	NoUnknownBill      = "unknown_bill"
	NoSuperseded       = "superseded"
)
