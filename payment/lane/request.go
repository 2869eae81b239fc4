package lane

import (
	"time"

	"tilld/payment"
)

// Request is POST /v1/payments with its defaults filled. Equal Requests (without Code) under one reference are one
// payment.
type Request struct {
	Reference      string                 `json:"reference"`
	Lane           string                 `json:"lane"`
	Amount         payment.Money          `json:"amount"`
	Mode           payment.Mode           `json:"mode"`
	Purpose        payment.Purpose        `json:"purpose"`
	ExpiresIn      time.Duration          `json:"expires_in"` // whole life of the code
	Provider       string                 `json:"provider,omitempty"`
	Payee          string                 `json:"payee,omitempty"`
	Outputs        []string               `json:"outputs,omitempty"` // kiosk customer-display receipt till
	Lines          []Line                 `json:"lines,omitempty"`
	Replaces       string                 `json:"replaces,omitempty"` // id of the payment whose place this one takes
	AddsTo         string                 `json:"adds_to,omitempty"`  // id of the paid payment that this one adds to
	IfNotConfirmed payment.IfNotConfirmed `json:"if_not_confirmed"`
	Code           payment.Code           `json:"-"` // a pay code read by the till itself; in memory only (row C1a)
}

// Line is one line of the sale, for the customer's eyes.
type Line struct {
	Text   string        `json:"text"`
	Amount payment.Money `json:"amount"`
}

// ReturnRequest is POST /v1/payments/{id}/return. Amount nil is everything that is left.
type ReturnRequest struct {
	Reference string         `json:"reference"`
	Amount    *payment.Money `json:"amount,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Who       string         `json:"-"` // the person who decides about a restored payment (E33c); internal/localapi knows
}

// ConfirmRequest is POST /v1/payments/{id}/confirm. Final nil is all that was paid.
type ConfirmRequest struct {
	Final   *payment.Money `json:"final_amount,omitempty"`
	Receipt *Receipt       `json:"receipt,omitempty"`
	Who     string         `json:"-"` // as in ReturnRequest
}

// OverrideRequest is POST /v1/payments/{id}/override.
type OverrideRequest struct {
	Tender string `json:"tender"`
	Who    string `json:"who"`
	Why    string `json:"why"`
}

// Refusal is why the box will not do what it was asked: a stable code, and the payment that stands in the way or that
// was named, as it stands.
type Refusal struct {
	Code    string // one of the No… constants
	Why     string // of cannot_extend, unavailable: a code
	Payment *Public
	Say     *Sentence // of lane_busy, unavailable: for the cashier
}

// Error makes a Refusal an error.
func (r *Refusal) Error() string {
	if r.Why != "" {
		return r.Code + ": " + r.Why
	}
	return r.Code
}

// Codes of Refusals; internal/localapi gives each its HTTP status and sentence.
const (
	NoKeyReused        = "key_reused"         // 409 same reference, other body
	NoLaneBusy         = "lane_busy"          // 409 with the active payment
	NoReplacedWasPaid  = "replaced_was_paid"  // 409
	NoOverridden       = "overridden"         // 409
	NoUnavailable      = "unavailable"        // 503 with why
	NoNotPaid          = "not_paid"           // 409 confirm of an unpaid payment
	NoReturned         = "returned"           // 409 confirm after the box gave the money back by itself
	NoAlreadyConfirmed = "already_confirmed"  // 409
	NoConfirmFirst     = "confirm_first"      // 409 part return before confirm
	NoUseReturn        = "use_return"         // 422 confirm with 0
	NoFinalExceedsPaid = "final_exceeds_paid" // 422
	NoExceedsKept      = "exceeds_kept"       // 422 return of more than is left
	NoTooManyReturns   = "too_many_returns"   // 409 one more return than a payment may have
	NoCannotExtend     = "cannot_extend"      // 409 with why
	NoNotInDoubt       = "not_in_doubt"       // 409
	NoWrongState       = "wrong_state"        // 409 any call for which the tables have no row
	NoNotFound         = "not_found"          // 404
	NoCodeNotLive      = "code_not_live"      // 410
	NoCodeOld          = "code_old"           // 409 a pay code that was read 60 s ago or earlier
	NoLane             = "unknown_lane"       // 404
)

// Availability is whether a lane can take a payment now.
type Availability struct {
	Show    Ability `json:"show"`
	Scan    Ability `json:"scan"`
	Receipt string  `json:"receipt"` // paper screen none

	Say *Sentence `json:"say,omitempty"` // for the cashier, while neither mode works
}

// Ability is one mode of Availability.
type Ability struct {
	OK        bool       `json:"ok"`
	Why       string     `json:"why,omitempty"` // no_link disk_full acknowledge no_provider no_output no_numbers no_scanner …
	Since     *time.Time `json:"since,omitempty"`
	Providers []string   `json:"providers,omitempty"`
}

// Step is one hop of a payment's story.
type Step struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`           // asked sent code_shown paid …
	Where string    `json:"where"`          // till box link integrator glass
	GapMS int64     `json:"gap_ms"`         // since the step before
	Note  string    `json:"note,omitempty"` // cause in words where it is known
	Slow  bool      `json:"slow,omitempty"` // this gap is longer than this hop should take
}

// Story is a payment hop by hop.
type Story struct {
	Payment Public `json:"payment"`
	Steps   []Step `json:"steps"`
	Gap     *Step  `json:"gap,omitempty"` // the first gap, with its cause
}

// Filter narrows GET /v1/payments. The zero value is every payment; fields narrow together.
type Filter struct {
	Lane      string // "" is every lane
	Open      bool   // not yet confirmed or ended
	Unsettled bool   // doubt, owed or review
	Reference string
	Number    string
}
