package integrator

import (
	"context"
	"errors"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

// Errors of a Store.
var (
	// ErrUnknownBill: no such bill, or not this terminal's.
	ErrUnknownBill = errors.New("unknown bill")
	// ErrReference: another bill holds this (terminal, lane, reference).
	ErrReference = errors.New("reference is taken by another bill")
	// ErrTrimmed: the events asked for are no longer kept.
	ErrTrimmed = errors.New("events are trimmed")
)

// CreditTaken says that another bill holds this (provider, transaction).
type CreditTaken struct{ Provider, Txn string }

// Error names the transaction.
func (e *CreditTaken) Error() string {
	return "transaction " + e.Txn + " of " + e.Provider + " is booked on another bill"
}

// Subject says which bill a change is about, and on whose behalf it is made.
type Subject struct {
	Bill     string
	Terminal string // with Epoch: the session that writes
	Epoch    int64  // 0: the server itself
	Call     string // id of the call that this change answers, "" for none
	Done     *Work  // claimed work whose answer this change takes in; it leaves the queue unless it was asked for again
	Noted    *Note  // what a provider called us about, stored with the change
}

// Note is that a provider spoke of one of its orders.
type Note struct {
	Provider, Order string
	At              time.Time
}

// Called is how a call was answered; kept as long as its bill.
type Called struct {
	Hash    string // of its params
	Outcome string // payment.Out…
	Owed    int64
}

// Tell is an event to the box that owns the bill.
type Tell struct {
	Type  string
	Fresh time.Duration // 0: always acted on
	Body  payment.Bill
}

// Case is one bill as one transaction sees it, and everything that is written with it: as one, or not at all.
type Case struct {
	Bill    bill.State      // zero: no such bill
	Called  *Called         // how Subject.Call was answered before; set it to keep an answer
	Numbers payment.Numbers // the newest block of Subject.Terminal, to read
	Tell    []Tell          // in order
	Work    []bill.Work     // provider calls wanted now
	Queue   string          // on which queue Work goes
	Lease   time.Duration   // the first of Work is claimed for whoever makes this change, for so long; 0: nothing is
	Claimed *Work           // set by Change, if Lease asked for it and nobody else has this work: it is to be done now
	Again   bool            // set by Change: the work that Subject.Done had was asked for anew, and is due
	Due     *time.Time      // of the bill's next Tick, the zero time for none; nil leaves its clock as it is
	New     []bill.State    // further bills (children of a static one), with no events of their own
	Notices []string        // codes for the merchant; Change takes out those that he was told of this bill within NoticeAgain
	Now     time.Time       // of what is written; set by f
}

// Work is one claimed piece of work.
type Work struct {
	bill.Work
	Bill     string
	Provider string // whom to ask; "" for a Tick
	Tries    int    // claims so far, this one counted: more than one means that a claim ended without an answer
	Gen      int64  // what Done compares: raised whenever the same work is asked for again
	Due      time.Time
}

// Tick is the Kind of work that says a bill's Due has come.
const Tick bill.WorkKind = "tick"

// Bills changes and reads bills.
type Bills interface {
	// Change loads the subject's Case, runs f on it and writes all of it in one transaction. f may run again, and has no
	// effects that this would repeat. An error of f is returned as it is, and nothing is written. ErrSuperseded, ErrReference and
	// *CreditTaken are answered before anything is written.
	Change(ctx context.Context, s Subject, f func(*Case) error) error
	// Bill reads one bill, or ErrUnknownBill.
	Bill(ctx context.Context, id string) (bill.State, error)
	// ByReference finds the bill of (terminal, lane, reference), or ErrUnknownBill.
	ByReference(ctx context.Context, terminal, lane, reference string) (string, error)
	// List is ids of bills, oldest first.
	List(ctx context.Context, q Query) ([]string, error)
}

// Query chooses bills. Zero fields choose nothing away.
type Query struct {
	Terminal string
	Which    Which
	Limit    int      // 0: all
	Known    []string // of Review: the providers that are there; what is unsettled at any other is chosen too. Empty: it is not
}

// Which bills.
type Which string

// Choices of Which.
const (
	All       Which = ""
	Open      Which = "open"      // not closed, or closed by a clock alone: what a box that lost its memory must hear of
	Unsettled Which = "unsettled" // open, in doubt, under review, or with something owed
	// Review is what a person may have to decide: in review, in doubt, with an obligation that waits for one or for money in
	// the shop's account, or paid and not confirmed.
	Review  Which = "review"
	InDoubt Which = "doubt"
)

// Queue hands out due work. A claim is the open Store's own: what a process that is gone had claimed is due again as soon
// as its Store is opened anew, its claims counted. An engine that several processes share knows each by a name that it
// keeps over a restart, and frees the claims of that name alone.
type Queue interface {
	// Claim leases up to n pieces of work of the queue (a provider's name, "" for ticks) that are due at now. A lease that
	// ends without an answer makes the work due again, with Tries raised.
	Claim(ctx context.Context, queue string, now time.Time, lease time.Duration, n int) ([]Work, error)
	// Next is when the next work of the queue is due; false: there is none.
	Next(ctx context.Context, queue string) (time.Time, bool, error)
	// Queues lists the queues that hold work.
	Queues(ctx context.Context) ([]string, error)
	// Drop takes claimed work off the queue without a change to its bill, unless it was asked for again.
	Drop(ctx context.Context, w Work) error
}

// Terminals keeps boxes, their events and their numbers.
type Terminals interface {
	// AddTerminal adds a box, or gives a known one another key.
	AddTerminal(ctx context.Context, t Terminal) error
	// Terminal reads one, or ErrUnknownTerminal.
	Terminal(ctx context.Context, name string) (Terminal, error)
	// Terminals lists them by name.
	Terminals(ctx context.Context) ([]Terminal, error)
	// ChangeTerminal runs f on the terminal and writes it. f may run again. Of
	// Seq it may only make more, and then the events up to there count as trimmed; Name, Key and Numbers stay. A Store that is
	// opened sets a Heard of -1 to Seq.
	ChangeTerminal(ctx context.Context, name string, f func(*Terminal) error) error
	// Lift raises the version of the next n bills after this id, in the order of their ids, and answers the last of them; "":
	// there was none.
	Lift(ctx context.Context, after string, n int, by int64) (last string, err error)
	// Lease gives a terminal the next n numbers of the merchant's day, or ErrNoNumbers. epoch is the session that asks, or ErrSuperseded: a
	// block that went to a session of before would be taken for the box's newest. 0 is whoever asks.
	Lease(ctx context.Context, terminal string, epoch int64, merchant, day string, n int) (payment.Numbers, error)
	// Events answers up to n events with seq > after, in order, or ErrTrimmed.
	Events(ctx context.Context, terminal string, after int64, n int) ([]Event, error)
	// Trim forgets acknowledged and unacknowledged events alike: all but the newest keep, and those older than before.
	Trim(ctx context.Context, terminal string, keep int64, before time.Time) error
}

// Event is one stored event of a terminal.
type Event struct {
	Seq   int64
	Type  string
	Fresh time.Duration
	At    time.Time
	Body  []byte // a payment.Bill
}

// Inbox keeps what providers call us about.
type Inbox interface {
	// Whose says whose order it is, or ErrUnknownBill. An order that is found belongs to its bill for ever.
	Whose(ctx context.Context, provider, order string) (billID string, attempt int, err error)
	// Note stores that a provider spoke of an order, and says whose it is, for row B5i. ErrUnknownBill: nobody has this order;
	// then the note waits, and a bill that gets the order later finds the Look of that row due at once.
	Note(ctx context.Context, n Note) (billID string, attempt int, err error)
	// Forget drops notes older than before.
	Forget(ctx context.Context, before time.Time) error
}

// NoticeAgain is after how long the merchant is told the same of the same bill once more.
const NoticeAgain = 24 * time.Hour

// Notice is what the merchant was told of a bill.
type Notice struct {
	Code string
	At   time.Time
}

// Notices keeps what the merchant was told: of each code the first time and the newest.
type Notices interface {
	// Notices are those of one bill, oldest first.
	Notices(ctx context.Context, bill string) ([]Notice, error)
	// ForgetNotices drops those older than before of bills that are settled.
	ForgetNotices(ctx context.Context, before time.Time) error
}

// Reckoner keeps where the ledger's time stands.
type Reckoner interface {
	// Reckoning is what was kept last, the zero value before the first time.
	Reckoning(ctx context.Context) (Reckoning, error)
	// Reckon keeps it.
	Reckon(ctx context.Context, r Reckoning) error
}

// Entry is one bill in the ledger: sums of its rows, in minor units.
type Entry struct {
	Bill, Terminal, Number, Reference, Status string

	Currency   string
	Life       payment.Life
	Doubt      bool
	DoubtSince time.Time // by the wall clock
	Review     bool
	Amount     int64 // asked for; 0: as much as comes, or a price that grows
	Credits    int64 // Σ credits
	Goods      int64 // kept
	Returned   int64 // Σ obligations that are done
	Owed       int64 // Σ obligations owed, sent or with a person
	Drawn      int64 // credits out of which more is owed or returned than came in, counted
}

// Ledger reads the rows of money for an audit: in one snapshot, beside a running server if need be.
type Ledger interface {
	Ledger(ctx context.Context, f func(Entry) error) error
}

// Store is the truth. One text of SQL serves every engine; integrator/store/storetest is what each must pass.
type Store interface {
	Bills
	Queue
	Terminals
	Inbox
	Notices
	Reckoner
	Ledger
}
