package lane

import (
	"time"

	"tilld/payment"
)

// Kind is what happened to a payment. The integrator's events keep the names of the link (payment.EvOpen …).
type Kind string

// Kinds beside the integrator's.
const (
	TillCreate   Kind = "till.create"   // POST /v1/payments, to the zero Payment (E1) or to the one with its reference (E1a)
	TillReplace  Kind = "till.replace"  // a POST whose replaces names this payment, in one Batch with the new one's TillCreate
	TillReturn   Kind = "till.return"   // also the customer's cancel at a kiosk
	TillConfirm  Kind = "till.confirm"  // the goods leave
	TillExtend   Kind = "till.extend"   // more time
	TillAccept   Kind = "till.accept"   // take late money
	TillPark     Kind = "till.park"     // free the lane
	TillOverride Kind = "till.override" // other money was taken
	TillReceipt  Kind = "till.receipt"  // PUT receipt
	TillReviewed Kind = "till.reviewed" // Who has looked at what is under review

	LinkReady    Kind = "link.ready"    // the line is up, or the payment is new and it was; Gate says whether a waiting one may go
	Answered     Kind = "answer"        // of the integrator to one of Calls
	Snapshot     Kind = "snapshot"      // of the bill (session.open, bill.get); Bill nil: the integrator does not know it
	DoubtBegins  Kind = "doubt.begins"  // the engine's clocks or the bill say so
	DoubtEnds    Kind = "doubt.ends"    // an answer or an event has come
	OldOver      Kind = "sale.override" // to the waiting one: the payment it replaces was overridden, or confirmed by others, same Batch (E13r)
	SaleOver     Kind = "sale.over"     // to a replaced one: the payment that replaced it has ended, its light may go on
	Boot         Kind = "boot"          // first event after a start; Left is what is left of the code
	FoundCopy    Kind = "restored"      // the journal is a copy (E33d found it)
	OutputsDone  Kind = "outputs"       // every output has shown or refused, or a second is over; Shown names those that show
	GlassLost    Kind = "glass.lost"    // the last output that showed the code is gone
	GlassBack    Kind = "glass.back"    // one is there again; the code is on it
	Scanned      Kind = "scan"          // a wallet code; Hash and Old, the code itself stays with the engine
	ClockRan     Kind = "clock"         // Clock has run out
	restoredNext Kind = "restored.calls"
)

// Clock names a wait of one payment. The engine keeps them, by the monotonic clock.
type Clock string

// Clocks. Countdown, MaxOpen and Lease take their length from the integrator; the others are settings with the defaults
// below.
const (
	Countdown  Clock = "countdown"  // of the code (E9, C7)
	MaxOpen    Clock = "max_open"   // while paying (E9p)
	Lease      Clock = "lease"      // of late money (E8b)
	Unsent     Clock = "unsent"     // without a link, never sent (E2b)
	AutoPark   Clock = "auto_park"  // closing, or in doubt (E12p)
	CodeAge    Clock = "code_age"   // of a pay code whose charge is not answered (C6)
	Ask        Clock = "ask"        // paid, not confirmed, and nothing is kept by itself: ask the till (E18)
	GiveBack   Clock = "give_back"  // asked in vain: give back (E18a)
	ReceiptDue Clock = "no_receipt" // paid without a receipt
	FenceAgain Clock = "fence"      // the whole return was refused (E10n)
)

// Limits that rows know.
const (
	DrawAtLeast = 10 * time.Second // with less left a code is not drawn again
	MaxExtends  = 10
)

// Event is one thing that happened to one payment, with what only the engine knows of the world at that moment.
type Event struct {
	Kind Kind
	At   time.Time // wall clock, for stamps

	Link     bool // the line to the integrator is up
	Doubt    bool // the payment is in doubt at this moment
	Attended bool // the lane has a cashier

	Bill  *payment.Bill // of the integrator's events and of Snapshot
	Stale bool          // older than its fresh_ms: into the books, no action

	Answer *Answer

	ID     string   // TillCreate: of the new payment; TillReplace: of the payment that takes its place
	Number string   // TillCreate
	Hash   string   // TillCreate: of the request; Scanned: of the code
	Create *Request // TillCreate
	Why    string   // TillCreate, TillReplace: why no payment can be taken now, "" if one can; TillReviewed: what was found
	Busy   bool     // TillCreate: another payment occupies the lane
	Wait   bool     // TillCreate: GateOpen said no: wait for the old ones
	Gate   bool     // LinkReady to a waiting one: GateOpen said yes
	// Follows is, of TillOverride, that the payment which replaced this one still waits: it gets OldOver in this Batch.
	Follows bool

	Return   *ReturnRequest
	Confirm  *ConfirmRequest
	Override *OverrideRequest
	Receipt  *Receipt
	By       time.Duration // TillExtend
	Who      string        // TillConfirm, TillReturn of a restored payment: the person who decides (E33c); of TillReviewed: who has looked

	Clock Clock
	Left  time.Duration // Boot: what is left of the code
	Shown []string      // OutputsDone
	Old   bool          // Scanned: the code is as old as the clock CodeAge is long

	mapped   bool   // made of a snapshot (E31): no row means books only
	answered string // id of the call whose answer this step began with: one that is put again has another
}

// Answer is the integrator's answer to a call: Outcome of an accepted one, or Code (and Why) of a refused one.
type Answer struct {
	ID      string // of the call
	Outcome string // payment.Out…
	Code    string // payment.No…; "" means accepted
	Why     string
	Owed    int64
	Bill    *payment.Bill // a snapshot, of refusals, reference_seen and bill; of the others it is not looked at

	call Call // the call it answers, filled in by Take; zero if that call was dropped
}
