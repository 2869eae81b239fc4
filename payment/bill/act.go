package bill

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tilld/payment"
)

// The words of the table's actions.

// book stores the credit: from here it is a fact.
func book(s *State, e *Event) {
	c := *e.Credit
	c.Late = !onTime(s, e)
	s.LateMoney = s.LateMoney || c.Late
	s.Declined = nil
	s.Credits = append(s.Credits, c)
}

// fill makes the bill full: paid, and the box has until ConfirmBy to say what became of the goods.
func fill(s *State, e *Event) {
	s.Life, s.Reason, s.Full = payment.Open, "", true
	s.Paying, s.Busy, s.Doubt = false, false, false
	s.DoubtBy, s.DoubtSince, s.LateUntil = time.Time{}, time.Time{}, time.Time{}
	wait := e.set().Confirm
	if s.Request.Purpose == payment.Prepayment {
		wait = e.set().ConfirmPrepayment
	}
	s.ConfirmBy = e.Now.Add(wait)
}

// begin starts the end: what is live is asked first, and where nothing is live the bill is closed at once.
func begin(s *State, e *Event, why payment.Reason, fx ...Effect) []Effect {
	s.Life, s.Reason, s.Full = payment.Closing, why, false
	s.Paying, s.Busy = false, false
	s.DoubtBy = e.Now.Add(e.set().Doubt)
	n, ok := live(s)
	if ok {
		return append(fx, work(Look, n))
	}
	return append(fx, hand(Event{Cause: status, status: Dead, final: true, from: Look}))
}

// end closes the bill and keeps watching what may still come.
func end(s *State, e *Event, why payment.Reason) {
	s.Life, s.Reason, s.Full = payment.Closed, why, false
	s.Paying, s.Busy, s.Doubt = false, false, false
	s.DoubtBy, s.DoubtSince, s.ConfirmBy, s.LateUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.ClosedAt = e.Now
	for i := range s.Attempts {
		s.Attempts[i].Running = false
	}
	s.WatchUntil = e.Now.Add(e.set().Watch)
	if w := s.ProviderExpires.Add(e.set().WatchGrace); !s.ProviderExpires.IsZero() && w.After(s.WatchUntil) {
		s.WatchUntil = w
	}
}

// lapse ends an offer of late money that nobody took.
func lapse(s *State) {
	if offered(s) {
		s.Late = payment.LateLapsed
		s.LateUntil = time.Time{}
	}
}

// note keeps a return for ever.
func note(s *State, e *Event, outcome string, n int64) {
	by := e.By
	if by == "" {
		by = ByBox
	}
	s.Returns = append(s.Returns, Return{Key: e.Key, By: by, Whole: e.Whole, Amount: n, Outcome: outcome, Why: e.Why, At: e.Now})
}

// some is reserve, where there is anything to reserve.
func some(n int64, why, key string) []Effect {
	if n <= 0 {
		return nil
	}
	return []Effect{reserve(n, why, key)}
}

func cat(parts ...[]Effect) (out []Effect) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func all(fx ...Effect) []Effect { return fx }

// pass hands e on under the name of the row that did, so that the same row does not take it again.
func pass(e *Event, via string) Effect {
	n := *e
	n.via = via
	return hand(n)
}

// request is the id of the next try of a return at the provider: 26 characters of the bill's own, r, 13 more of 0-9 a-z.
// They follow from what is given back (the key of the return that asked for it, the payment, the amount) and from how often
// this ledger has tried that, and from nothing else. So no two tries of a ledger have one id; and a ledger that was put back
// from a copy, to which the same return is said again, tries it by the id that the lost one used, and the bank gives it back
// once. Anything else has another id, whatever was asked between: a number that merely counts would name another return there.
func request(s *State, o *Obligation) string {
	of := digest(fmt.Sprintf("return %q %q %q %d", s.ID, o.Key, o.Txn, o.Amount))
	i := slices.IndexFunc(s.Requested, func(r Requested) bool { return r.Of == of })
	if i < 0 {
		i, s.Requested = len(s.Requested), append(s.Requested, Requested{Of: of})
	}
	s.Requested[i].Times++
	return s.ID + "r" + digest(of+" "+strconv.Itoa(s.Requested[i].Times))
}

// letters are those of payment.NewID.
var letters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// digest is 13 letters, 65 bits, of the sum of text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return letters.EncodeToString(sum[:])[:13]
}

// expect marks what may come back from the bank by itself, of one payment or ("") of all: the worker asks, and sends
// nothing until the window ended. What waits for a person is among it, lest it be paid by hand meanwhile; it is a person's
// again if the bank has not done it by then.
func expect(s *State, e *Event, txn string) {
	for i := range s.Obligations {
		if o := &s.Obligations[i]; unasked(o, txn) && !o.ByProvider {
			o.State, o.ByProvider = Owed, true
			o.Window = e.Now.Add(e.traits().RefundWindow)
			o.Next = o.Window
		}
	}
}

// postpone begins the provider's window anew: a kill is on its way again.
func postpone(s *State, e *Event) {
	for i := range s.Obligations {
		if o := &s.Obligations[i]; o.State == Owed && o.ByProvider {
			o.Window = e.Now.Add(e.traits().RefundWindow)
			o.Next = o.Window
		}
	}
}

// unreturned is an obligation that the provider had its time to give back by itself, and is not giving back.
func unreturned(s *State, e *Event) *Obligation {
	for i := range s.Obligations {
		o := &s.Obligations[i]
		if o.State == Owed && o.ByProvider && due(o.Window, e.Now) && o.Attempt == e.Attempt && e.Report.own(o.Txn) != "pending" {
			return o
		}
	}
	return nil
}

// waiting: owed out of this payment ("": any), and no bank was asked for it.
func waiting(o *Obligation, txn string) bool {
	return o.State == Owed && o.Request == "" && (txn == "" || o.Txn == txn)
}

// unasked is waiting, and what waits for a person: if the bank gives that back by itself, nobody must pay it by hand.
func unasked(o *Obligation, txn string) bool {
	return waiting(o, txn) || o.State == Human && o.Request == "" && (txn == "" || o.Txn == txn)
}

// fresh is what the provider gave back of a payment by itself and the books do not know yet. What a registry line said
// of the same payment before counts as known, and so does what was booked on another payment because this one had no room: one
// return is not booked twice.
func fresh(s *State, e *Event) int64 {
	n := e.Amount
	for i := range s.Obligations {
		if o := &s.Obligations[i]; o.ByProvider && o.State == Paid && cmp.Or(o.For, o.Txn) == e.Txn {
			n -= o.Amount
		}
	}
	return max(0, n)
}

// settle books n as given back by the provider, out of what waits for it; where it gave back less, the rest stays owed.
// It says what of n is not owed at all.
func settle(s *State, txn string, n int64) int64 {
	for i := 0; i < len(s.Obligations) && n > 0; i++ {
		o := &s.Obligations[i]
		if !unasked(o, txn) {
			continue
		}
		if o.Amount > n {
			rest := *o
			rest.ID, rest.Amount = s.ID+"o"+strconv.Itoa(len(s.Obligations)+1), o.Amount-n
			s.Obligations = append(s.Obligations, rest)
			o = &s.Obligations[i]
			o.Amount = n
		}
		n -= o.Amount
		o.State, o.ByProvider, o.Next = Paid, true, time.Time{}
	}
	return n
}
