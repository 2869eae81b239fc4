package lane

import "time"

// Do says what an Effect is.
type Do string

// Tell, Put and Drop belong into the Batch with the payment; the others are done after its commit, and again after a
// restart by Boot. Draw, Wipe and Sound are about this payment's own screen: never about one that another payment has
// taken; a parked or replaced payment has none.
const (
	Tell   Do = "tell"   // Type: an event for the till, with the whole resource
	Put    Do = "put"    // Call: one more call, after those of the payment that wait already
	Drop   Do = "drop"   // Call.ID: never send it (again), forget its answer
	Draw   Do = "draw"   // the code, on the payment's outputs; OutputsDone tells how it went
	Wipe   Do = "wipe"   // the code, off every output, before anything else
	Sound  Do = "sound"  // Type: paid over half no low ready doubt; over is paid, then low
	Forget Do = "forget" // the pay code, out of memory
	Arm    Do = "arm"    // Clock, to run After; After 0: the setting, or the deadline that is already known (at once if past)
	Stop   Do = "stop"   // Clock

	refuse Do = "refuse"
	then   Do = "then"
)

// Effect is one thing to be done about a step.
type Effect struct {
	Do    Do
	Type  string
	Call  *Call
	Clock Clock
	After time.Duration

	why  string
	next *Event
}

// Types of the till's events about payments.
const (
	EvSubmitted      = "payment.submitted"
	EvOpened         = "payment.open"
	EvPart           = "payment.part"
	EvPaying         = "payment.paying"
	EvCharging       = "payment.charging"
	EvDeclined       = "payment.declined"
	EvPaid           = "payment.paid"
	EvLate           = "payment.late"
	EvAccepting      = "payment.accepting"
	EvClosing        = "payment.closing"
	EvFenced         = "payment.fenced"
	EvMoneyLate      = "payment.money_late"
	EvEnded          = "payment.ended"
	EvSettled        = "payment.settled"
	EvParked         = "payment.parked"
	EvDoubt          = "payment.doubt"
	EvDoubtOver      = "payment.doubt_over"
	EvOverridden     = "payment.overridden"
	EvConfirmed      = "payment.confirmed"
	EvReturning      = "payment.returning"
	EvReturned       = "payment.returned"
	EvOver           = "payment.over"
	EvPaidAfterClose = "payment.paid_after_close"
	EvDone           = "payment.done"
	EvReview         = "payment.review"
	EvReviewed       = "payment.reviewed"
	EvUnfinished     = "payment.unfinished"
	EvReceipt        = "payment.receipt"
	EvNoReceipt      = "payment.no_receipt"
)
