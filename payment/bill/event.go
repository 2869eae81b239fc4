package bill

import (
	"time"

	"tilld/payment"
)

// Cause is what kind of thing happened to a bill.
type Cause string

// Causes that integrator feeds to Step. Every other Cause is the table's own.
const (
	// Calls of the box; Return also of a console, an admin, a paychannel.
	CallCreate     Cause = "bill.create"       // Create
	CallReturn     Cause = "bill.return"       // Key, By, Whole or Amount, Who, Why
	CallConfirm    Cause = "bill.confirm"      // Amount is the final
	CallCharge     Cause = "bill.charge"       // Attempt, CodeHash
	CallChargeVoid Cause = "bill.charge_void"  // Attempt
	CallAcceptLate Cause = "bill.accept_late"  // Key
	CallExtend     Cause = "bill.extend"       // Life: whole life since creation
	CallApply      Cause = "prepayment.apply"  // Key, Sale, Amount
	CallUnapply    Cause = "prepayment.return" // Sale: it was returned, so its advance is free again
	CallView       Cause = "bill.view"         // a wallet asks a timer bill's price; QuoteID
	CallDeactivate Cause = "bill.deactivate"   // a static bill ends

	// What the world says.
	Hinted   Cause = "hint"     // a call-back or registry line about the order of Attempt came: ask the provider
	Reported Cause = "report"   // Report: the answer to a Work
	Credited Cause = "credit"   // Credit: of a registry line or a paychannel, which is money by itself
	Clawed   Cause = "clawback" // Key (unique), Txn, Amount: the bank took money back by itself
	Bounced  Cause = "bounced"  // Obligation: the bank's return failed after it had said done
	Silent   Cause = "silent"   // the registry of day+2 knows nothing of a bill in doubt

	// People.
	Decided  Cause = "decided"  // Verdict on a bill (B21a, B28, B39), with Who, Why and Evidence
	Resolved Cause = "resolved" // Verdict on the obligation Obligation (O7), with Who, Why and Evidence
	Moved    Cause = "moved"    // Terminal: another box has this lane now (B35)

	// Forgotten says that the bill's box has lost its journal: a live bill goes under review.
	Forgotten Cause = "forgotten"
	// Recovered says that the ledger was put back from a copy: what its box knows of the bill may be newer.
	Recovered Cause = "recovered"

	// Tick says that Due has come. It fires every clock that is due.
	Tick Cause = "tick"
	// Kept stores Memo for Attempt (0: the bill's order) between the steps of a two-step call.
	Kept Cause = "kept"
)

// By is who asks for a return.
type By string

// Who may ask for a return.
const (
	ByBox        By = "box"
	ByConsole    By = "console"
	ByAdmin      By = "admin"
	ByPaychannel By = "paychannel"
)

// Verdicts of people.
const (
	VerdictDead   = "dead"   // B21a: nobody paid
	VerdictPaid   = "paid"   // B21a: Credit, with its evidence
	VerdictDone   = "done"   // B28: the goods have left
	VerdictReturn = "return" // B28: the goods are in the shop and the certificate is revoked (Revoked)
	VerdictRetry  = "retry"  // O7: the bank was asked and says not done (NotDone)
	VerdictManual = "manual" // O7: paid by hand, Evidence
	VerdictStays  = "stays"  // O7
	VerdictSeen   = "seen"   // B39: what is under review was looked at
)

// Event is one thing that happened. Only the fields that its Cause names are read.
type Event struct {
	Cause Cause
	Now   time.Time
	Env   *Env // nil: the defaults

	Create  *Create
	Report  *Report
	Credit  *Credit
	NewID   string // a fresh payment id, for the child that a credit to a static bill makes
	Key     string
	By      By // "" is ByBox
	Who     string
	Why     string
	Whole   bool
	Amount  int64
	Attempt int
	// CodeHash is of the customer's code: the code itself goes past the table, from the frame to the provider.
	CodeHash   string
	Life       time.Duration
	Sale       string
	QuoteID    string
	Txn        string
	Obligation string // its ID
	Verdict    string
	Evidence   string
	NotDone    bool
	Quiet      time.Duration // B28: how long the terminal has been silent
	Revoked    bool          // B28: its certificate is revoked
	Terminal   string
	Memo       []byte

	status  Status           // of the cause status
	from    WorkKind         // the work that the status answers
	final   bool             // the status is terminal
	decline *payment.Decline // of an attempt that is over
	running bool             // the provider is giving this credit back by itself
	answer  string           // of the causes answered and ownReturn: pending done refused short absent unclear none
	via     string           // the row that handed the event on, so that it is not taken twice
}

// Status of an order at the provider, as it says.
type Status string

// Statuses, the words of integrator/provider.
const (
	Pending Status = "pending"
	Paying  Status = "paying"
	AllPaid Status = "paid" // every payment is in Credits, no further one will come
	Dead    Status = "dead"
	Absent  Status = "absent"
	Unknown Status = "unknown"
)

// Fail says why a report has no answer in it.
type Fail string

// Failures of a call to a provider.
const (
	Answered Fail = ""
	Refused  Fail = "refused" // nothing happened, for good
	Busy     Fail = "busy"    // nothing happened, later
	Unclear  Fail = "unclear" // anything else
)

// Report is the provider's answer to one Work, in this package's words.
type Report struct {
	Work    WorkKind
	Attempt int    // 0: the bill's own order
	Request string // of return: the request id
	Fail    Fail
	Why     string // of a refusal: a code
	Most    int64  // of payment.WhyAmount, minor units; 0: the bank does not say
	Status  Status
	Ref     string
	Payload string
	Expires time.Time
	Credits []Credit          // every payment of this order; known ones are skipped
	Returns map[string]string // request id → pending done refused short absent
	Own     []Own             // what the provider gives back by itself
	Decline *payment.Decline
	Memo    []byte // nil keeps the old one
}

// Own is what the provider gave back of one payment by itself: all of it so far, so that saying it twice changes nothing.
type Own struct {
	Txn    string
	Amount int64
	State  string // pending or done
}

// The table's own causes: Step takes a Report and a Tick apart into these.
const (
	presented      Cause = "create ok"
	presentRefused Cause = "create refused"
	presentUnclear Cause = "create unclear"
	status         Cause = "status"
	answered       Cause = "return answered"
	ownReturn      Cause = "provider's own return"
	reserving      Cause = "reserve"
	checking       Cause = "check"
	clockCreate    Cause = "clock create_timeout"
	clockExpiry    Cause = "clock expires_at"
	clockMaxOpen   Cause = "clock max_open"
	clockConfirm   Cause = "clock confirm"
	clockLease     Cause = "clock lease"
	clockAttempt   Cause = "clock attempt"
	clockDoubt     Cause = "clock doubt"
	clockWatch     Cause = "clock watch"
	lastLook       Cause = "last look"
	clockQuote     Cause = "clock quote"
	clockAsk       Cause = "clock ask"
	clockDebt      Cause = "clock obligation"
)
