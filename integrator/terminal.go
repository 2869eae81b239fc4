package integrator

import (
	"crypto/ed25519"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

// Errors about sessions, as integrator/terminal sorts them.
var (
	// ErrUnknownTerminal: no terminal of this name was added.
	ErrUnknownTerminal = wire.ErrUnknown
	// ErrBlocked: an operator has shut this terminal out.
	ErrBlocked = wire.ErrBlocked
	// ErrSuperseded: a newer session of this terminal has begun; the change was not made.
	ErrSuperseded = wire.ErrSuperseded
	// ErrRestored: the journal that the terminal has now is a copy of an earlier day.
	ErrRestored = wire.ErrRestored
)

// Terminal is one box as the integrator knows it.
type Terminal struct {
	Name string
	Key  ed25519.PublicKey

	Blocked bool // it may not come in

	Epoch   int64  // +1 at every session.open; the newest one alone may write
	Journal string // id of the box's database
	Boot    string // of the newest session
	Writes  int64  // the box's record counter, as last heard

	Seq     int64 // of its last event
	Acked   int64 // the box has everything up to here
	Trimmed int64 // events up to here are no longer kept

	Memory string // MemoryLost, MemoryRestored: what the box has yet to take in about its journal; "" when all is well
	Resync int64  // until it has seen this event

	Ahead bool  // it has seen what this ledger does not know, which is a copy then; until it has seen Resync
	Heard int64 // the last event that it can have seen of this ledger; -1: the newest, it has had a session since the start

	Numbers  payment.Numbers // its newest block
	OpenedAt time.Time       // of the newest session, zero before the first
}

// What became of a box's journal, as wire.Session.JournalState says it.
const (
	MemoryKnown    = "known"    // the journal that it had before
	MemoryNew      = "new"      // its first
	MemoryLost     = "lost"     // another one than before
	MemoryRestored = "restored" // a copy of an older state (rows E33)
)
