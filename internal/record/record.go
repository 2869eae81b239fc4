// Package record is one durable change on the box: types only. Whoever owns state on the box describes a change as a
// Batch; internal/journal makes it durable with one fsync. Nothing here knows how.
package record

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Put sets one value. Values are JSON under (Bucket, Key); (Bucket, Ref) is unique where Ref is set.
type Put struct {
	Bucket, Key string
	Ref         string // the till's reference with its lane, "" for none
	Live        bool   // read back at start
	Body        json.RawMessage
}

// Forget says which values of a bucket are removed. Their keys are ids of payment.NewID, so that the least key is the oldest.
type Forget struct {
	Bucket string
	Of     string // bucket of their owners: none whose owner, the value of the same key there, is live
	Before string // those with a key below this,
	Least  int64  // but not the newest ones, so many: for a clock that jumped ahead
	Bytes  int64  // and, whatever their number and age, the oldest of those that have more bytes than this together
}

// Event is one event of the till's stream, as it stands on GET /v1/events.
type Event struct {
	Seq     int64           `json:"seq"`
	Type    string          `json:"type"` // payment.paid, scan, print.done; the tables name those of payments
	At      time.Time       `json:"at"`
	Lane    string          `json:"lane,omitempty"`
	Subject string          `json:"subject"` // id of the payment, print job, device
	Data    json.RawMessage `json:"data"`    // the whole resource as it stood
}

// Call is one JSON-RPC request to the integrator that has not been answered. ID is its id on every send, on every
// socket, after every restart. Calls of one Order go one at a time, in the order of their commits.
type Call struct {
	ID, Order, Method string
	Params            json.RawMessage // not written if Volatile
	Volatile          bool            // holds a customer's code: after a restart it has no Params and is never sent; its owner puts bill.charge_void in its place
}

// Batch is one step: everything in it becomes durable together or not at all.
type Batch struct {
	Puts    []Put
	Events  []Event  // Seq is given by the journal
	Calls   []Call   // in order
	Settled []string // ids of calls that are over: their answer has been taken in, or they are dropped
	Seen    int64    // last integrator event this change has taken in; 0 for none
}

// Errors of a journal.
var (
	// ErrStopped: a write or fsync failed once. Nothing may be committed any more; the process must end.
	ErrStopped = errors.New("journal stopped after a failed write")
	// ErrFull: too little room on the disk for a new payment. Running ones still commit, out of the reserve.
	ErrFull = errors.New("no room for a new payment on the journal's disk")
	// ErrNotFound: no such value.
	ErrNotFound = errors.New("not in the journal")
	// ErrExists: another key holds this (bucket, ref).
	ErrExists = errors.New("reference is taken")
	// ErrAcknowledge: the journal was lost or restored, and no person has said yet that the shop may sell again.
	ErrAcknowledge = errors.New("the journal was lost or restored: a person has to acknowledge it")
	// ErrTrimmed: the events asked for are no longer kept.
	ErrTrimmed = errors.New("events are trimmed")
)

// Journal is what its users ask of it. internal/journal implements it; tests may use it in memory.
type Journal interface {
	// Commit returns after fsync with the seq of the batch's last event (0 if it had none). ctx is looked at before the
	// batch is taken, never in the middle of it.
	Commit(ctx context.Context, b Batch) (seq int64, err error)
	// Find reads by key, or by ref where key is "".
	Find(ctx context.Context, bucket, key, ref string) (Put, error)
	// Live is every value of the bucket with Live set, in order of first writing.
	Live(ctx context.Context, bucket string) ([]Put, error)
	// Events answers up to limit events with seq > after.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
	// Calls is every call that is not settled, in order.
	Calls() []Call
	// Wait returns when an event newer than after is durable, or with ctx's error.
	Wait(ctx context.Context, after int64) error
}
