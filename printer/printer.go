// Package printer is receipts as documents, and the contract of whatever puts them on paper. It holds finished text and
// codes to draw; it knows no money, no language and no command set. Jobs and their journal are internal/printing.
package printer

import (
	"context"
	"errors"
	"time"
)

// Job is one piece of paper. Receipt or Raw, never both.
type Job struct {
	ID      string    // its last four characters go into the request for proof
	Receipt []Element // from top to bottom
	Raw     []byte    // bytes for the device as they are; needs its own permission
	Mark    string    // "", Repeat or Copy: the printed word, in the job's language
	Torn    bool      // half of another job may stand on the paper: feed and cut before this one
}

// Result says what became of a job.
type Result string

// Results. The zero value is no Result.
const (
	Printed    Result = "printed"     // all of it left, and the Proof says how well it is known to be on paper
	NotPrinted Result = "not_printed" // no byte left; it may be sent again
	Unknown    Result = "unknown"     // some or all of it left and nobody knows what is on paper; a person must look
)

// Proof grades how it is known that a job was printed.
type Proof string

// Proofs, the best first.
const (
	Proven   Proof = "proven"   // the printer said that everything before its answer has been printed
	Accepted Proof = "accepted" // the printer worked through the whole job and answered behind it
	Blind    Proof = "blind"    // a one-way printer took all bytes; it cannot say more
)

// Outcome is what became of a job. It is valid beside an error too.
type Outcome struct {
	Result Result
	Proof  Proof // "" unless Printed
	Sent   int   // bytes that left; 0 makes NotPrinted certain
}

// State is the answer to one question about a printer.
type State string

// States. The zero value is NotKnown.
const (
	NotKnown State = ""
	Yes      State = "yes"
	No       State = "no"
)

// Status is what a printer says about itself.
type Status struct {
	Online   State     // takes and prints data
	Paper    State     // there is some
	PaperLow State     // it is about to end
	Cover    State     // the cover is open
	Cutter   State     // the cutter has a fault
	Error    State     // another fault: head, motor, heat
	Feed     State     // somebody holds its feed button
	Drawer   State     // the level of the drawer's contact; what it means depends on the drawer
	Printed  string    // proof that came late: the last four characters of the ID of a job that is on paper
	At       time.Time // when it was heard
}

// Blocked is the reason why this printer prints nothing now, "" for none: cover paper cutter error offline. The one that a
// person can see and mend comes first.
func (s Status) Blocked() string {
	switch {
	case s.Cover == Yes:
		return "cover"
	case s.Paper == No:
		return "paper"
	case s.Cutter == Yes:
		return "cutter"
	case s.Error == Yes:
		return "error"
	case s.Online == No:
		return "offline"
	}
	return ""
}

// ErrBlocked: the printer prints nothing now, and a person must do something. Such an error is a BlockedError.
var ErrBlocked = errors.New("printer is blocked")

// BlockedError is ErrBlocked with its reason.
type BlockedError struct{ Why string } // as Status.Blocked says it

// Error ends with the reason.
func (e *BlockedError) Error() string { return ErrBlocked.Error() + ": " + e.Why }

// Unwrap is ErrBlocked.
func (*BlockedError) Unwrap() error { return ErrBlocked }

// ErrRefused: this printer will never print this job as it is.
var ErrRefused = errors.New("printer refuses the job")

// Printer prints one job at a time and never sends one again.
//
// Print returns when the job's end is known, or known to be unknowable; its Outcome is always valid and its error explains
// it. While the printer is blocked in the middle of a job, Print goes on with the same bytes when it works again; a
// context that ends gives the job up. A second Print waits for the first.
//
// Serve owns the return channel until the line dies: answers and what the printer says by itself are told apart there and
// nowhere else, so Print hears nothing unless Serve runs. status must not block.
type Printer interface {
	Print(context.Context, Job) (Outcome, error)
	Serve(ctx context.Context, status func(Status)) error
}

// Kicker is a printer with a drawer on it. pin is 2 or 5, 0 for the one that is set. Print and Kick never mix on the
// line: Kick waits for the bytes of the job that is being printed, and not for its end, which may wait for paper. Where a
// pulse would not get through either, because the printer is blocked and takes nothing, its error is ErrBlocked, and no
// pulse comes later.
type Kicker interface {
	Kick(ctx context.Context, pin int) error
}
