package bill

import (
	"time"

	"tilld/payment"
)

// EffectKind is what is to be done once the new state is durable (Tell, Insert: in the same transaction).
type EffectKind string

// Kinds of effects.
const (
	Tell   EffectKind = "tell"   // an event to the box: Type, Fresh, Bill. Its row is of the same transaction
	Reply  EffectKind = "reply"  // the answer to the call
	Do     EffectKind = "do"     // Work for a worker. It may be lost: Due brings it again
	Insert EffectKind = "insert" // insert this bill too, in the same transaction
	Notice EffectKind = "notice" // tell the merchant: Code says what is to be looked at
	Alarm  EffectKind = "alarm"  // tell us: Code. The change was refused
	then   EffectKind = "then"   // the table's own: hand Event to the next row
)

// Effect is one thing that a transition causes.
type Effect struct {
	Kind EffectKind

	Type  string        // of Tell: payment.Ev…
	Fresh time.Duration // of Tell: older than this it goes into the books only; 0: always acted on
	Bill  *payment.Bill // of Tell and Reply: the bill as it stood then

	Outcome string    // of Reply: wire's outcome, "" when refused
	Refusal string    // of Reply: payment.No…
	Why     string    // of Reply: detail of a refusal, a code
	Owed    int64     // of Reply: what this call made us owe
	Quote   *Quote    // of Reply to bill.view
	Until   time.Time // of Reply to bill.view with nothing due: the exit pass

	Work Work
	New  *State // of Insert
	Code string // of Notice, Alarm

	next *Event
}

// WorkKind is what a worker asks a provider.
type WorkKind string

// Kinds of work.
const (
	Present    WorkKind = "present"
	Look       WorkKind = "look"
	Kill       WorkKind = "kill"
	ChargeCode WorkKind = "charge" // the code is in the caller's memory; without it, there is no call
	GiveBack   WorkKind = "return"
)

// Work names one call to a provider. The order is the bill's own (Attempt 0) or an attempt's.
type Work struct {
	Kind    WorkKind
	Attempt int
	Request string // of GiveBack: request id; Method, Txn and Amount go with it
	Method  string
	Txn     string
	Amount  int64
}

// Outcomes of Reply beside payment.Out…: for a console, a paychannel, a person.
const (
	OutReturnWanted = "return_wanted" // console: the box was asked (B36)
	OutClosing      = "closing"       // console: B12e, deactivate
	OutQuote        = "quote"         // paychannel
	OutNothingDue   = "nothing_due"   // paychannel
	OutDecided      = "decided"       // a person's verdict was taken
)

func tell(kind string) Effect { return Effect{Kind: Tell, Type: kind} }

func reply(outcome string) Effect { return Effect{Kind: Reply, Outcome: outcome} }

func owing(outcome string, n int64) Effect { return Effect{Kind: Reply, Outcome: outcome, Owed: n} }

func refuse(code, why string) Effect { return Effect{Kind: Reply, Refusal: code, Why: why} }

func work(kind WorkKind, attempt int) Effect {
	return Effect{Kind: Do, Work: Work{Kind: kind, Attempt: attempt}}
}

func notice(code string) Effect { return Effect{Kind: Notice, Code: code} }

func hand(e Event) Effect { return Effect{Kind: then, next: &e} }

// reserve hands n to row O1.
func reserve(n int64, why, key string) Effect {
	return hand(Event{Cause: reserving, Amount: n, Why: why, Key: key})
}
