package bill

import "time"

// Env is what guards need besides the bill: the shop's settings and the traits of the bill's provider. A caller shares
// one Env among many events; nobody changes it.
type Env struct {
	Settings Settings
	Traits   Traits
}

// Settings are the waits and policies of a merchant. Default has the values of the design; a demo shortens them.
type Settings struct {
	Life              time.Duration // of a code, where the request names none
	MaxOpen           time.Duration // no extension goes beyond
	CreateTimeout     time.Duration // B4a
	LateLease         time.Duration // B15
	Confirm           time.Duration // B9
	ConfirmPrepayment time.Duration // B9
	WantedFresh       time.Duration // fresh_ms of bill.confirm_wanted and bill.return_wanted
	WantedAgain       time.Duration // B9: bill.confirm_wanted again, until the box has said what became of the goods; 0: once
	Poll              time.Duration // B5p
	PollNear          time.Duration // B5p with less than Near to go, and while closing
	Near              time.Duration
	PollPaying        time.Duration   // B5w, B17
	PollFull          time.Duration   // paid or static: only another payer's money could come
	PollCharge        time.Duration   // B32
	Attempt           time.Duration   // B33
	KillNotBefore     time.Duration   // B33: a charge is not killed younger than this
	Doubt             time.Duration   // B19
	Again             []time.Duration // B19, O6: waits between questions; the last one repeats
	ShortFirst        time.Duration   // O5s
	ShortLater        time.Duration
	Watch             time.Duration // B22: at least, after closing
	WatchGrace        time.Duration // B22: after the provider's own expiry
	Quote             time.Duration // B25
	QuoteGrace        time.Duration // B26
	TillSilent        time.Duration // B28
	KeepDeposit       bool          // B13d
	AcceptUnquoted    bool          // B26a: policy accept
}

// Default is the settings of the design.
func Default() Settings {
	return Settings{
		Life: 5 * time.Minute, MaxOpen: 20 * time.Minute, CreateTimeout: 20 * time.Second, LateLease: 30 * time.Second,
		Confirm: 10 * time.Minute, ConfirmPrepayment: 24 * time.Hour, WantedFresh: 10 * time.Minute, WantedAgain: 24 * time.Hour,
		Poll: 5 * time.Second, PollNear: 3 * time.Second, Near: 30 * time.Second, PollPaying: 2 * time.Second,
		PollFull: 30 * time.Second, PollCharge: 3 * time.Second,
		Attempt: 60 * time.Second, KillNotBefore: 15 * time.Second, Doubt: 60 * time.Second,
		Again: []time.Duration{
			5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 24 * time.Hour,
		},
		ShortFirst: time.Hour, ShortLater: 24 * time.Hour, Watch: 24 * time.Hour, WatchGrace: time.Hour,
		Quote: 3 * time.Minute, QuoteGrace: 30 * time.Second, TillSilent: 24 * time.Hour,
	}
}

// Traits is what the rows ask of a provider.
type Traits struct {
	KillRefunds   bool          // a kill may give money back (B13k)
	KillReliable  bool          // our expiry at the provider may be max_open + margin
	Tolerance     time.Duration // on time: paid_at < expires_at + Tolerance
	NotFoundFinal time.Duration // "absent" is terminal this long after the call's own limit, asked twice
	CallLimit     time.Duration // of create and charge
	RefundWindow  time.Duration // after we decide to kill: its call, the provider's own return and a look are over by then (B18a, O9)
	Methods       []string      // of return, in order of preference: cancel reverse refund
	CancelWithin  time.Duration // cancel and reverse only this long after the payment; 0: always
	CancelParts   bool          // cancel and reverse can be for less than the whole payment
	Gone          bool          // it is not in the server's settings any more: nothing can be asked of it, and nothing sent
}

// DefaultTraits is a plain bank.
func DefaultTraits() Traits {
	return Traits{
		KillReliable: true, Tolerance: 5 * time.Second, NotFoundFinal: 30 * time.Second, CallLimit: 10 * time.Second,
		RefundWindow: 24 * time.Hour, Methods: []string{"refund"},
	}
}

// margin is how much longer than our own code a provider's may live.
const margin = 10 * time.Second

// plain is the Env of an event that brings none.
var plain = &Env{Settings: Default(), Traits: DefaultTraits()}

func (e Event) set() *Settings {
	if e.Env == nil {
		return &plain.Settings
	}
	return &e.Env.Settings
}

func (e Event) traits() *Traits {
	if e.Env == nil {
		return &plain.Traits
	}
	return &e.Env.Traits
}

// ProviderExpiry is when the provider's code should end by itself: with max_open where a kill can be relied on, so that
// the code can be extended, else with ours.
func ProviderExpiry(s State, t Traits) time.Time {
	if s.ExpiresAt.IsZero() {
		return time.Time{}
	}
	if t.KillReliable {
		return s.MaxOpenAt.Add(margin)
	}
	return s.ExpiresAt.Add(margin)
}
