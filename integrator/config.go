package integrator

import (
	"cmp"
	"log/slog"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment/bill"
)

// Config is what a Service is made of. Store and Providers are required.
type Config struct {
	Store     Store
	Providers map[string]provider.Provider // by the name that bills, call-backs and the queue know
	Names     wire.Names                   // what customers call them, by that name; without one slips name no bank
	Show      string                       // provider of a shown code where the till names none; "": the first by name that can
	Scan      string                       // provider of a scanned code, likewise
	Merchant  string                       // owner of the numbers
	Zone      *time.Location               // of its business day; nil is UTC
	Settings  Settings
	Log       *slog.Logger     // nil is slog.Default()
	Wall      func() time.Time // the wall clock; nil is time.Now, and a test sets its own
}

// Settings are the waits and sizes of a Service; zero fields take the values of DefaultSettings. Bill is taken as it is,
// unless its MaxOpen is zero: then it is bill.Default().
type Settings struct {
	Bill bill.Settings

	Block     int           // numbers in one lease
	Window    int           // events in flight to one box
	Heartbeat time.Duration // of a session while nothing is open, and Busy while something is
	Busy      time.Duration
	Jitter    time.Duration // over which boxes spread their reconnects

	KeepEvents int64         // newest events kept for a box that is away
	KeepFor    time.Duration // and for how long; what is older comes as a snapshot
	KeepInbox  time.Duration // how long a call-back about an unknown order waits for it
	Silent     time.Duration // a doubt that its bank has not ended by then goes under review (B21): a person may decide it

	PerProvider int           // calls to one provider at once: a slow bank delays nobody else
	Clocks      int           // bills whose clocks are worked at once
	LookLimit   time.Duration // of one question, kill or return; create and charge have Traits.CallLimit
	StopGrace   time.Duration // how long calls under way may take when the Service ends

	BadAfter int           // creates in a row without an answer after which a provider is not offered to tills
	BadRest  time.Duration // for how long at first; another failure right after it doubles that
}

// DefaultSettings is the settings of the design.
func DefaultSettings() Settings {
	return Settings{
		Bill:  bill.Default(),
		Block: 50, Window: 32, Heartbeat: 25 * time.Second, Busy: 5 * time.Second, Jitter: 5 * time.Second,
		KeepEvents: 10_000, KeepFor: 7 * 24 * time.Hour, KeepInbox: 24 * time.Hour, Silent: 48 * time.Hour,
		PerProvider: 16, Clocks: 8, LookLimit: 10 * time.Second, StopGrace: 3 * time.Second,
		BadAfter: 3, BadRest: 30 * time.Second,
	}
}

func (s Settings) withDefaults() Settings {
	d := DefaultSettings()
	if s.Bill.MaxOpen == 0 {
		s.Bill = d.Bill
	}
	s.Block, s.Window = cmp.Or(s.Block, d.Block), cmp.Or(s.Window, d.Window)
	s.Heartbeat, s.Busy, s.Jitter = cmp.Or(s.Heartbeat, d.Heartbeat), cmp.Or(s.Busy, d.Busy), cmp.Or(s.Jitter, d.Jitter)
	s.KeepEvents, s.KeepFor, s.KeepInbox = cmp.Or(s.KeepEvents, d.KeepEvents), cmp.Or(s.KeepFor, d.KeepFor), cmp.Or(s.KeepInbox, d.KeepInbox)
	s.Silent = cmp.Or(s.Silent, d.Silent)
	s.PerProvider, s.Clocks = cmp.Or(s.PerProvider, d.PerProvider), cmp.Or(s.Clocks, d.Clocks)
	s.LookLimit, s.StopGrace = cmp.Or(s.LookLimit, d.LookLimit), cmp.Or(s.StopGrace, d.StopGrace)
	s.BadAfter, s.BadRest = cmp.Or(s.BadAfter, d.BadAfter), cmp.Or(s.BadRest, d.BadRest)
	return s
}

// Waits with no setting.
const (
	claimMargin = 5 * time.Second // a lease outlives the longest call by this much
	storePause  = time.Second     // after a failed read of the queue
	keepHouse   = time.Hour       // between clearings of events, inbox and notices, and looks at old doubts
	markEvery   = time.Minute     // between marks of the ledger's time
	clockStep   = time.Second     // by which the wall clock is off, it was set; by less, it is being adjusted
)

// envOf is what the bill's table asks about a provider; one that is not configured is a plain bank of which nothing can be asked.
func envOf(s bill.Settings, p provider.Provider) *bill.Env {
	e := &bill.Env{Settings: s, Traits: bill.DefaultTraits()}
	if p == nil {
		e.Traits.Gone = true
		return e
	}
	t, d := p.Traits(), e.Traits
	e.Traits = bill.Traits{
		KillRefunds: t.KillRefunds, KillReliable: t.KillReliable, Tolerance: t.Tolerance, NotFoundFinal: t.NotFoundFinal,
		CallLimit: cmp.Or(t.CallLimit, d.CallLimit), RefundWindow: cmp.Or(t.RefundWindow, d.RefundWindow),
		Methods: t.Methods, CancelWithin: t.CancelWithin, CancelParts: t.CancelParts,
	}
	return e
}
