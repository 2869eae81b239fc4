// Package wire is till.v1: JSON-RPC 2.0 in text frames, with calls upward, events downward and hints either way. It
// holds the messages' shapes, their codec and their limits; it opens no socket and knows no rule of money.
package wire

import (
	"context"
	"encoding/json"

	"tilld/payment"
)

// Protocol is the WebSocket subprotocol; MaxFrame the largest frame in bytes, either way.
const (
	Protocol = "till.v1"
	MaxFrame = 64 << 10
)

// Methods of the calls from the box.
const (
	SessionOpen     = "session.open"
	BillCreate      = "bill.create"
	BillGet         = "bill.get"
	BillReturn      = "bill.return"
	BillConfirm     = "bill.confirm"
	BillCharge      = "bill.charge"
	BillChargeVoid  = "bill.charge_void"
	BillAcceptLate  = "bill.accept_late"
	BillExtend      = "bill.extend"
	PrepaymentApply = "prepayment.apply"
)

// Create asks for a bill. LifeMS is how long its code lives from creation; MaxOpenMS how long any extension may keep it.
type Create struct {
	Payment        string                 `json:"payment"`
	Lane           string                 `json:"lane"`
	Reference      string                 `json:"reference"`
	Number         string                 `json:"number"`
	Amount         payment.Money          `json:"amount"`
	Mode           payment.Mode           `json:"mode"`
	Purpose        payment.Purpose        `json:"purpose"`
	IfNotConfirmed payment.IfNotConfirmed `json:"if_not_confirmed"`
	LifeMS         int64                  `json:"life_ms"`
	Provider       string                 `json:"provider,omitempty"`
	Payee          string                 `json:"payee,omitempty"`
	AddsTo         string                 `json:"adds_to,omitempty"`
}

// Get reads a bill: a snapshot, no change.
type Get struct {
	Payment string `json:"payment"`
}

// Return gives money back: Whole is the fence (rows B11–B12, B27), else Amount minor units of what was kept (B12a).
type Return struct {
	Payment string `json:"payment"`
	Key     string `json:"key"` // the return's id: one key, one effect, for ever
	Whole   bool   `json:"whole,omitempty"`
	Amount  int64  `json:"amount,omitempty"`
	Reason  string `json:"reason,omitempty"` // not_shown, override, … for people
}

// Confirm says that goods for Final minor units have left.
type Confirm struct {
	Payment string `json:"payment"`
	Final   int64  `json:"final"`
}

// Charge carries the customer's code. It is the one message that does; it is never stored.
type Charge struct {
	Payment string `json:"payment"`
	Attempt int    `json:"attempt"`
	Code    string `json:"code"`
}

// ChargeVoid takes the place of a charge whose code was lost.
type ChargeVoid struct {
	Payment string `json:"payment"`
	Attempt int    `json:"attempt"`
}

// AcceptLate takes late money within its lease.
type AcceptLate struct {
	Payment string `json:"payment"`
}

// Extend asks for a longer life, counted whole from creation.
type Extend struct {
	Payment string `json:"payment"`
	LifeMS  int64  `json:"life_ms"`
}

// Apply uses an advance as tender of a sale.
type Apply struct {
	Payment string `json:"payment"` // the prepayment
	Key     string `json:"key"`
	Sale    string `json:"sale"`
	Amount  int64  `json:"amount"`
}

// Result answers a bill.* call that was accepted.
type Result struct {
	Outcome string           `json:"outcome"` // payment.Out…
	Owed    int64            `json:"owed,omitempty"`
	Bill    *payment.Bill    `json:"bill,omitempty"`    // a snapshot; older than what the box knows = ignored
	Numbers *payment.Numbers `json:"numbers,omitempty"` // a further lease, in the answer to bill.create
}

// Problem is the error of a call that was refused: JSON-RPC's error object.
type Problem struct {
	Code    int         `json:"code"`
	Message string      `json:"message"` // one sentence, no value of the caller's in it
	Data    ProblemData `json:"data"`
}

// ProblemData holds the stable code of a refusal and, where the tables say so, a snapshot.
type ProblemData struct {
	Code string        `json:"code"`          // key_reused wrong_state cannot_extend …
	Why  string        `json:"why,omitempty"` // of cannot_extend, refused; of old_program the oldest version served
	Bill *payment.Bill `json:"bill,omitempty"`
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Data.Code + ": " + p.Message }

// Event is the params of the notification "event".
type Event struct {
	Seq   int64           `json:"seq"` // +1 per terminal; a gap closes 4400, a repeat is acknowledged and ignored
	Type  string          `json:"type"`
	Age   int64           `json:"age_ms"`             // at sending, by the server's clock
	Fresh int64           `json:"fresh_ms,omitempty"` // older than this: into the books, no action
	Body  json.RawMessage `json:"body"`               // a payment.Bill as it stood
}

// Ack is the params of the notification "event.ack": everything up to Seq is durable at the box.
type Ack struct {
	Seq int64 `json:"seq"`
}

// Challenge is the params of "session.challenge", the server's first frame.
type Challenge struct {
	Nonce    string `json:"nonce"` // base64, 32 random bytes
	Host     string `json:"host"`  // as the box dialled it
	Protocol string `json:"protocol"`
}

// MaxOpenNamed is how many of its open payments a box names in session.open.
const MaxOpenNamed = 100

// Open is the params of "session.open". Signature is base64 of Ed25519 over Protocol, nonce, terminal and host as sent,
// joined by LF, none at the end.
type Open struct {
	Terminal     string   `json:"terminal"`
	Journal      string   `json:"journal"` // id made with the database
	Boot         string   `json:"boot"`    // id made at each start
	EpochSeen    int64    `json:"epoch_seen"`
	Seen         int64    `json:"seen"`
	OpenPayments []string `json:"open_payments"` // the oldest, at most MaxOpenNamed: none = nothing is open
	Writes       int64    `json:"writes"`
	NumbersLeft  *int     `json:"numbers_left,omitempty"` // payment numbers that no payment bears yet; nil: an older box does not say
	Restored     bool     `json:"restored,omitempty"`     // the box itself found that its journal is a copy (E33d)
	Caps         []string `json:"caps"`
	App          string   `json:"app"` // program and version, as tilld/1.4.0; see TooOld
	Signature    string   `json:"signature,omitempty"`
}

// Names are what customers call the providers, by the name that bills know. One that has none is left out: a bill's own
// name for it is for programs and says nothing to a customer.
type Names map[string]string

// Session answers session.open.
type Session struct {
	Session       string           `json:"session"`
	Epoch         int64            `json:"epoch"`
	Now           string           `json:"now"`          // RFC 3339, for people and hints
	HeartbeatMS   int64            `json:"heartbeat_ms"` // while nothing is open
	BusyMS        int64            `json:"busy_ms"`      // while a payment is open
	Resume        string           `json:"resume"`       // ok, snapshot
	Snapshot      *Snapshot        `json:"snapshot,omitempty"`
	Window        int              `json:"window"` // events in flight
	JitterMS      int64            `json:"jitter_ms"`
	ConfigVersion int64            `json:"config_version"`
	MinApp        string           `json:"min_app"` // oldest Program served; "" every one
	Numbers       *payment.Numbers `json:"numbers,omitempty"`
	Providers     []string         `json:"providers"` // that can take money now, show mode
	ScanProviders []string         `json:"scan_providers"`
	Silent        []string         `json:"silent,omitzero"` // as Providers.Silent
	Names         Names            `json:"names,omitempty"`
	JournalState  string           `json:"journal_state"`    // known, new, lost (another id than before), restored (a copy)
	Ledger        string           `json:"ledger,omitempty"` // LedgerRestored: it may have lost what this box was promised; "" as ever
	// DeprecatedAfter is the last day, 2027-01-31, on which a Program below MinApp is let in all the same; "": none is said.
	DeprecatedAfter string `json:"deprecated_after,omitempty"`
}

// LedgerRestored is Session.Ledger of an integrator whose ledger was put back from a copy.
const LedgerRestored = "restored"

// Close codes of the link.
const (
	CloseRestart    = 1012
	CloseBadFrame   = 4400
	CloseAuth       = 4401
	CloseBlocked    = 4403
	CloseSuperseded = 4409
	CloseClone      = 4423
	CloseVersion    = 4426
	CloseBehind     = 4429
	CloseOverload   = 4503
)

// Owner is who journals on the box: its methods return after the commit that has taken the news in, and only then does
// the link acknowledge. An error ends the connection; the link comes back and the news with it.
type Owner interface {
	// Answer takes the answer to a call in (record.Batch.Settled). Exactly one of result and problem is set.
	Answer(ctx context.Context, id string, result *Result, problem *Problem) error
	// Event takes one event in (record.Batch.Seen). Events come in order of Seq, each once or more.
	Event(ctx context.Context, e Event) error
	// Session takes the answer to session.open in, before any other frame.
	Session(ctx context.Context, s Session) error
	// Link says that the line to the integrator is up (after Session) or down. It must not block.
	Link(up bool)
}

// Link sends what the journal holds. Wake after a commit with Calls. Serve dials, opens, resumes and reconnects until
// ctx ends.
type Link interface {
	Wake()
	Serve(ctx context.Context, o Owner) error
}
