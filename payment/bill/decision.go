package bill

import (
	"slices"
	"time"

	"tilld/payment"
)

// Decision is a person's word on a bill, kept with it: who said what, when, and what was seen.
type Decision struct {
	Verdict    string    `json:"verdict"`
	Obligation string    `json:"obligation,omitempty"` // of VerdictRetry, VerdictManual, VerdictStays
	Txn        string    `json:"txn,omitempty"`        // of VerdictPaid
	Who        string    `json:"who"`
	Why        string    `json:"why"`
	At         time.Time `json:"at"`
}

// keptDecisions is how many of a bill are kept, the newest: somebody may say every day that a debt stays.
const keptDecisions = 50

// decide notes a person's word. The same one twice in a row is one.
func decide(s *State, e *Event) {
	d := Decision{Verdict: e.Verdict, Obligation: e.Obligation, Who: e.Who, Why: e.Why, At: e.Now}
	if e.Credit != nil {
		d.Txn = e.Credit.Txn
	}
	if n := len(s.Decisions); n > 0 {
		last := s.Decisions[n-1]
		if last.At = d.At; last == d {
			return
		}
	}
	if s.Decisions = append(s.Decisions, d); len(s.Decisions) > keptDecisions {
		s.Decisions = slices.Delete(s.Decisions, 0, len(s.Decisions)-keptDecisions)
	}
}

// Recorded is the newest decision of s that says what e says, whoever said it; false: there is none. Of an obligation the
// last word alone stands.
func Recorded(s State, e Event) (Decision, bool) {
	for _, d := range slices.Backward(s.Decisions) {
		switch {
		case d.Obligation != e.Obligation:
		case d.Verdict == e.Verdict && (e.Credit == nil || d.Txn == e.Credit.Txn):
			return d, true
		case e.Obligation != "":
			return Decision{}, false
		}
	}
	return Decision{}, false
}

// past: what e decides is decided already, so that asking again is answered and nothing is done.
func past(s *State, e *Event) bool {
	if _, said := Recorded(*s, *e); !said {
		return false
	}
	if e.Cause == Resolved {
		o := debt(s, e.Obligation)
		return o != nil && o.State != Human
	}
	switch e.Verdict {
	case VerdictDead:
		return !(s.Doubt && closing(s))
	case VerdictPaid:
		return e.Credit != nil && known(s, e.Credit)
	case VerdictSeen:
		return !s.Review
	}
	return closed(s)
}

// relieved ends the review that stands for returns which no method could do, once none waits for a person any more. What
// else came to light meanwhile (a loss, a silent till) is still to be looked at.
func relieved(s *State) {
	why := &s.Why
	if forgotten(s) {
		why = &s.Before
	}
	switch *why {
	case whyReturnRefused, whyReturnBounced, whyNoMethod, payment.WhyTooOld:
	default:
		return
	}
	if waits(s) || s.Shortfall > 0 || s.By == "admin" || slices.ContainsFunc(s.Clawbacks, func(c Clawback) bool { return c.Booked }) {
		return
	}
	if forgotten(s) {
		s.Before = "" // its box has the next word
		return
	}
	s.Review, s.Why = false, payment.WhyReviewed
}

// waits: some obligation waits for a person.
func waits(s *State) bool {
	return slices.ContainsFunc(s.Obligations, func(o Obligation) bool { return o.State == Human })
}

// Choice is a decision that the table's rows would take now.
type Choice struct {
	Verdict    string
	Obligation string // of VerdictRetry, VerdictManual, VerdictStays
}

// Choices are what a person may decide about s now: every verdict is asked of the rows, and those that a row takes are
// told. e brings Now, Env and, of the bill's box, Quiet and Revoked. Trying again is told only where some method is left, and
// the provider is there to be asked.
func Choices(s State, e Event) (out []Choice) {
	s = s.Clone()
	takes := func(c Cause, verdict, obligation string) bool {
		x := Event{
			Cause: c, Now: e.Now, Env: e.Env, Quiet: e.Quiet, Revoked: e.Revoked, Verdict: verdict, Obligation: obligation,
			Who: "?", Evidence: "?", NotDone: true,
		}
		if verdict == VerdictPaid {
			x.Credit = &Credit{Txn: "?", Amount: 1, Evidence: "?"}
		}
		r := payment.Find(rows, &s, &x)
		return r != nil && r.ID != rowAgain
	}
	for _, v := range []string{VerdictDead, VerdictPaid, VerdictDone, VerdictReturn, VerdictSeen} {
		if takes(Decided, v, "") {
			out = append(out, Choice{Verdict: v})
		}
	}
	for i := range s.Obligations {
		o := s.Obligations[i]
		for _, v := range []string{VerdictRetry, VerdictManual, VerdictStays} {
			if !takes(Resolved, v, o.ID) {
				continue
			}
			fresh := o
			if fresh.Excluded = nil; v == VerdictRetry && (e.traits().Gone || method(&s, &fresh, &e) == "") {
				continue
			}
			out = append(out, Choice{v, o.ID})
		}
	}
	return out
}

// NotDone says of a return that waits for a person that it can be tried again: the provider was asked about the order,
// has answered, and did not do any return of which the books do not know, nor does it give this payment back by itself.
func NotDone(s State, id string, p Report) bool {
	o := debt(&s, id)
	if o == nil || o.State != Human || p.Fail != Answered || p.Status == Unknown || p.own(o.Txn) == "pending" {
		return false
	}
	for request, state := range p.Returns {
		counted := slices.ContainsFunc(s.Obligations, func(x Obligation) bool { return x.Request == request })
		if !counted && state != "refused" && state != "absent" && state != "short" {
			return false
		}
	}
	return true
}
