package bill

import (
	"slices"
	"strconv"
	"time"

	"tilld/payment"
)

// Debt is the state of an obligation.
type Debt string

// States of an obligation.
const (
	Owed  Debt = "owed"
	Sent  Debt = "sent"
	Paid  Debt = "done"
	Human Debt = "human"
	Void  Debt = "void"
)

// Obligation is an amount owed back out of one credit.
type Obligation struct {
	ID         string    `json:"id"`
	Provider   string    `json:"provider"`
	Txn        string    `json:"txn"`           // of the credit
	For        string    `json:"for,omitempty"` // of the credit that the bank took it back by, where that is another
	Attempt    int       `json:"attempt,omitempty"`
	Amount     int64     `json:"amount"`
	Why        string    `json:"why"`           // one of the Why… constants
	Key        string    `json:"key,omitempty"` // of the return that asked for it
	State      Debt      `json:"state"`
	Request    string    `json:"request,omitempty"` // id of the present try, stored before the call
	Method     string    `json:"method,omitempty"`  // frozen with Request until a definite answer
	Excluded   []string  `json:"excluded,omitempty"`
	Async      bool      `json:"async,omitempty"`       // the bank accepted and does it later (O4)
	Short      bool      `json:"short,omitempty"`       // the shop's account has not the money (O5s)
	ByProvider bool      `json:"by_provider,omitempty"` // the bank gives it back by itself
	Window     time.Time `json:"window,omitzero"`       // … until then; after it, once the bank says that it did not
	Manual     string    `json:"manual,omitempty"`      // evidence of a payment by hand
	Bounces    int       `json:"bounces,omitempty"`
	Tries      int       `json:"tries,omitempty"`
	Next       time.Time `json:"next,omitzero"`  // next work on it
	Said       *Word     `json:"said,omitempty"` // the bank's last word about it while it was sent
}

// Personal says whether a person may say what becomes of it: where no method is left, and where its provider is gone, whatever
// it was asked before.
func (o *Obligation) Personal(t *Traits) bool {
	return o.State == Human || t.Gone && (o.State == Owed || o.State == Sent)
}

// Reasons of obligations.
const (
	WhyOver        = "over"          // above the amount
	WhyBelow       = "below"         // confirmed below what was paid
	WhyReturn      = "return"        // asked back
	WhyPartAtClose = "part_at_close" // a part that never became whole
	WhyLate        = "late"          // late money that nobody took
	WhyAfterClose  = "after_close"   // money for a bill that is over
	WhyRange       = "range"         // static: not an amount it takes
	WhyChargeback  = "chargeback"    // the bank took it by itself
)

// Why a return waits for a person, beside payment.WhyTooOld: codes of Bill.Why and of notices.
const (
	whyReturnRefused = "return_refused"
	whyReturnBounced = "return_bounced"
	whyNoMethod      = "no_method"
)

// owe adds an obligation out of a credit.
func owe(s *State, c *Credit, n int64, why, key string) *Obligation {
	s.Obligations = append(s.Obligations, Obligation{
		ID: s.ID + "o" + strconv.Itoa(len(s.Obligations)+1), Provider: c.Provider, Txn: c.Txn, Attempt: c.Attempt, Amount: n,
		Why: why, Key: key, State: Owed,
	})
	return &s.Obligations[len(s.Obligations)-1]
}

// person gives an obligation to a person.
func person(s *State, o *Obligation, why string) []Effect {
	o.State, o.Next = Human, time.Time{}
	suspect(s, why)
	return all(tell(payment.EvReview), notice(why))
}

// later is the next question about a return that is with the bank.
func later(o *Obligation, e *Event) {
	o.Next = e.Now.Add(again(e.set().Again, o.Tries))
	o.Tries++
}

// idles has an obligation wait for its provider to be in the settings again, or for a person.
func idles(o *Obligation, e *Event) []Effect {
	o.Next = e.Now.Add(max(e.set().ShortFirst, time.Minute))
	return nil
}

func giveBack(o *Obligation) Effect {
	return Effect{Kind: Do, Work: Work{
		Kind: GiveBack, Attempt: o.Attempt, Request: o.Request, Method: o.Method, Txn: o.Txn, Amount: o.Amount,
	}}
}

// method is the first lawful way to give this back now, "" if there is none. Cancel and reverse undo a whole payment,
// as a rule on its own day; refund is a payment of its own.
func method(s *State, o *Obligation, e *Event) string { return methodBy(s, o, e.traits(), e.Now) }

// noMethod is why none is left: the time for it has passed, or the provider knows none.
func noMethod(s *State, o *Obligation, e *Event) string {
	t := *e.traits()
	if t.CancelWithin = 0; methodBy(s, o, &t, e.Now) != "" {
		return payment.WhyTooOld
	}
	return whyNoMethod
}

func methodBy(s *State, o *Obligation, t *Traits, now time.Time) string {
	if order(s, o.Attempt) == nil {
		return "" // money of a registry or a person, on no order that the provider could be asked about
	}
	for _, m := range t.Methods {
		if slices.Contains(o.Excluded, m) {
			continue
		}
		if m == "refund" || undoes(s, o, t, now) {
			return m
		}
	}
	return ""
}

func undoes(s *State, o *Obligation, t *Traits, now time.Time) bool {
	for i := range s.Credits {
		c := &s.Credits[i]
		if c.Txn == o.Txn && c.Provider == o.Provider {
			return (t.CancelParts || o.Amount == c.Amount) && (t.CancelWithin == 0 || now.Before(c.PaidAt.Add(t.CancelWithin)))
		}
	}
	return false
}
