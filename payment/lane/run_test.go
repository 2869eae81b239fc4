package lane_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// run is one payment under test. Every step of every test is checked against the promises that hold in every state.
type run struct {
	t  *testing.T
	p  lane.Payment
	fx []lane.Effect // of the last step
	in []string      // rows of the last step

	all  []string // rows of the whole run
	tell []string // events of the whole run
	now  time.Time

	noLink, doubt, selfService bool
	sale                       []lane.Payment
}

const (
	amount  = 12550
	payload = "https://qr.example/4821"
)

var start = time.Date(2026, 11, 22, 14, 21, 0, 0, time.UTC)

func asking() lane.Event {
	return lane.Event{
		Kind: lane.TillCreate, ID: "p1", Number: "4821", Hash: "h1",
		Create: &lane.Request{
			Reference: "R-77", Lane: "1", Amount: payment.Money{Value: amount, Currency: "RUB"}, Mode: payment.Show,
			Purpose: payment.Sale, ExpiresIn: 5 * time.Minute, IfNotConfirmed: payment.Keep,
		},
	}
}

// ask is a payment in the first stage, changed as the test wants its request.
func ask(t *testing.T, change ...func(*lane.Request)) *run {
	t.Helper()
	r := &run{t: t, now: start}
	e := asking()
	for _, f := range change {
		f(e.Create)
	}
	r.take(e)
	return r
}

func scanMode(q *lane.Request)  { q.Mode = payment.Scan }
func ownReturn(q *lane.Request) { q.IfNotConfirmed = payment.Return }

// Beginnings of tests.

func sent(t *testing.T, change ...func(*lane.Request)) *run {
	t.Helper()
	return ask(t, change...).kind(lane.LinkReady)
}

func opened(t *testing.T, change ...func(*lane.Request)) *run {
	t.Helper()
	r := sent(t, change...).answer(lane.VerbCreate, "created").bill(payment.EvOpen)
	if r.p.Mode == payment.Scan {
		return r
	}
	return r.take(lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}})
}

func charging(t *testing.T) *run {
	t.Helper()
	return opened(t, scanMode).scan()
}

func paid(t *testing.T, change ...func(*lane.Request)) *run {
	t.Helper()
	return opened(t, change...).bill(payment.EvPaid)
}

func released(t *testing.T) *run { t.Helper(); return paid(t).kind(lane.TillConfirm) }

func done(t *testing.T) *run {
	t.Helper()
	return released(t).answer(lane.VerbConfirm, payment.OutConfirmed)
}

func expiring(t *testing.T) *run { t.Helper(); return opened(t).clock(lane.Countdown) }

func returning(t *testing.T) *run { t.Helper(); return opened(t).giveBack("C-1") }

func late(t *testing.T) *run { t.Helper(); return expiring(t).bill(payment.EvLate) }

func accepting(t *testing.T) *run { t.Helper(); return late(t).kind(lane.TillAccept) }

func overridden(t *testing.T) *run { t.Helper(); return opened(t).cut().override() }

// Things that happen.

func (r *run) kind(k lane.Kind) *run { r.t.Helper(); return r.take(lane.Event{Kind: k}) }

func (r *run) clock(c lane.Clock) *run {
	r.t.Helper()
	return r.take(lane.Event{Kind: lane.ClockRan, Clock: c})
}

func (r *run) scan() *run {
	r.t.Helper()
	return r.take(lane.Event{Kind: lane.Scanned, Hash: "hash"})
}

func (r *run) giveBack(reference string) *run {
	r.t.Helper()
	return r.take(lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: reference}})
}

func part(reference string, n int64) lane.Event {
	return lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: reference, Amount: &payment.Money{Value: n, Currency: "RUB"}}}
}

func confirm(n int64) lane.Event {
	return lane.Event{Kind: lane.TillConfirm, Confirm: &lane.ConfirmRequest{Final: &payment.Money{Value: n, Currency: "RUB"}}}
}

// cut is a link that is gone for so long that it is doubt.
func (r *run) cut() *run {
	r.t.Helper()
	r.noLink, r.doubt = true, true
	return r.kind(lane.DoubtBegins)
}

func (r *run) back() *run {
	r.t.Helper()
	r.noLink, r.doubt = false, false
	return r.kind(lane.DoubtEnds)
}

func (r *run) override() *run { r.t.Helper(); return r.take(overriding()) }

func overriding() lane.Event {
	return lane.Event{Kind: lane.TillOverride, Override: &lane.OverrideRequest{Tender: "cash", Who: "Anna", Why: "no link"}}
}

// billOf is the bill as an event of that kind would carry it.
func billOf(p lane.Payment, kind string) payment.Bill {
	b := payment.Bill{
		Payment: p.BillID, Lane: p.Lane, Reference: p.Reference, Number: p.Number, Version: p.BillVersion() + 1,
		Mode: p.Mode, Purpose: p.Purpose, IfNotConfirmed: p.IfNotConfirmed, Amount: p.Amount,
		Life: payment.Open, Fill: payment.None, Late: payment.LateNo, Due: amount, Attempt: p.Attempt, At: start,
	}
	fullOf := func() { b.Fill, b.Due, b.Paid, b.Held = payment.Full, 0, amount, amount }
	switch kind {
	case payment.EvOpen:
		b.RemainingMS, b.MaxOpenMS = 300_000, 1_200_000
		if b.Mode == payment.Show {
			b.Payload = payload
		}
	case payment.EvPaying:
		b.Paying, b.MaxOpenMS = true, 900_000
	case payment.EvPart:
		b.Fill, b.Paid, b.Held, b.Due = payment.Part, 5000, 5000, amount-5000
	case payment.EvPaid:
		fullOf()
	case payment.EvOver:
		fullOf()
		b.Paid, b.Over, b.Owed = 2*amount, amount, amount
	case payment.EvCharging:
		b.Charging = true
	case payment.EvDeclined:
		b.Declined = &payment.Decline{Attempt: p.Attempt, Why: "not_enough", Retry: true}
	case payment.EvClosing:
		b.Life, b.Reason = payment.Closing, payment.Expire
	case payment.EvDoubt:
		b.Life, b.Reason, b.Doubt = payment.Closing, payment.Expire, true
	case payment.EvLate:
		fullOf()
		b.Life, b.Reason, b.Late, b.LeaseMS = payment.Closing, payment.Expire, payment.LateOffered, 30_000
	case payment.EvPaidAfter:
		b.Life, b.Reason, b.Late, b.Paid, b.Owed = payment.Closing, payment.Expire, payment.LateLapsed, amount, amount
	case payment.EvClosed:
		b.Life, b.Reason = payment.Closed, payment.Expire
		if p.Fence != "" {
			b.Reason, b.Fence = payment.Returning, true
		}
	case payment.EvDone:
		fullOf()
		b.Life, b.Reason, b.Held, b.Kept, b.By, b.ByDeadline = payment.Closed, payment.Done, 0, amount, "deadline", true
	case payment.EvReturning, payment.EvReturned:
		fullOf()
		b.Life, b.Reason, b.Held, b.Kept, b.Owed = payment.Closed, payment.Done, 0, amount, 0
		for _, x := range p.Returns {
			state := "pending"
			if kind == payment.EvReturned {
				state = "done"
				b.Returned += x.Amount
			} else {
				b.Owed += x.Amount
			}
			b.Kept -= x.Amount
			b.Returns = append(b.Returns, payment.BillReturn{Key: x.ID, Amount: x.Amount, How: "refund", State: state})
		}
	case payment.EvReview:
		b.Review, b.Why = true, "registry_silent"
	case payment.EvConfirmWanted, payment.EvReturnWanted:
		fullOf()
	}
	return b
}

func event(p lane.Payment, kind string, change ...func(*payment.Bill)) lane.Event {
	b := billOf(p, kind)
	for _, f := range change {
		f(&b)
	}
	return lane.Event{Kind: lane.Kind(kind), Bill: &b}
}

func (r *run) bill(kind string, change ...func(*payment.Bill)) *run {
	r.t.Helper()
	return r.take(event(r.p, kind, change...))
}

// snapshot is the bill of an event of that kind, as bill.get would give it.
func (r *run) snapshot(kind string, change ...func(*payment.Bill)) *run {
	r.t.Helper()
	e := event(r.p, kind, change...)
	e.Kind = lane.Snapshot
	return r.take(e)
}

// answer accepts the first waiting call of a verb.
func (r *run) answer(verb, outcome string) *run {
	r.t.Helper()
	return r.answered(verb, lane.Answer{Outcome: outcome})
}

func (r *run) refusal(verb, code string) *run {
	r.t.Helper()
	return r.answered(verb, lane.Answer{Code: code})
}

func (r *run) answered(verb string, a lane.Answer) *run {
	r.t.Helper()
	c := r.p.Pending(verb)
	if c == nil {
		r.t.Fatalf("no %s waits for an answer: %+v", verb, r.p.Calls)
	}
	a.ID = c.ID
	return r.take(lane.Event{Kind: lane.Answered, Answer: &a})
}

// take applies an event that must not be refused.
func (r *run) take(e lane.Event) *run {
	r.t.Helper()
	if err := r.try(e); err != nil {
		r.t.Fatalf("%s in %s: %v", e.Kind, r.p.Stage, err)
	}
	return r
}

// refused applies an event that must be refused with a code.
func (r *run) refused(e lane.Event, code string) *run {
	r.t.Helper()
	var no *lane.Refusal
	if err := r.try(e); !errors.As(err, &no) || no.Code != code {
		r.t.Fatalf("%s in %s: %v, want %s", e.Kind, r.p.Stage, err, code)
	}
	return r
}

func (r *run) world(e lane.Event) lane.Event {
	r.now = r.now.Add(time.Second)
	e.At, e.Link, e.Doubt, e.Attended = r.now, !r.noLink, r.doubt, !r.selfService
	return e
}

func (r *run) context() lane.ViewContext {
	c := lane.ViewContext{Doubt: r.doubt, Link: !r.noLink, Attended: !r.selfService, Remaining: time.Minute, LateLeft: 20 * time.Second, Sale: r.sale}
	if r.doubt {
		c.DoubtSince, c.DoubtWhy = r.now, "link"
	}
	return c
}

func (r *run) try(e lane.Event) error {
	r.t.Helper()
	e = r.world(e)
	was := asJSON(r.t, r.p)
	next, fx, rows, err := lane.Take(r.p, e)
	if now := asJSON(r.t, r.p); now != was {
		r.t.Fatalf("%s changed the payment that it was given:\n%s\n%s", e.Kind, was, now)
	}
	if err != nil {
		if !reflect.DeepEqual(next, r.p) || fx != nil {
			r.t.Fatalf("%s was refused and did something: %+v", e.Kind, fx)
		}
		return err
	}
	if bad := promises(r.p, next, e, fx, rows, r.context()); bad != "" {
		r.t.Fatalf("%s in %s by %v: %s\n%s", e.Kind, r.p.Stage, rows, bad, asJSON(r.t, next))
	}
	r.p, r.fx, r.in = next, fx, rows
	r.all = append(r.all, rows...)
	for _, f := range fx {
		if f.Do == lane.Tell {
			r.tell = append(r.tell, f.Type)
		}
	}
	return nil
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What a test looks at.

func (r *run) is(stage lane.Stage, state string) *run {
	r.t.Helper()
	if got := lane.State(r.p, r.doubt); r.p.Stage != stage || got != state {
		r.t.Fatalf("%s, public %s; want %s, public %s (rows %v)", r.p.Stage, got, stage, state, r.all)
	}
	return r
}

func (r *run) lights(handOver, other bool) *run {
	r.t.Helper()
	if l := lane.LightsOf(r.p, r.sale); l != (lane.Lights{HandOver: handOver, OtherTender: other}) {
		r.t.Fatalf("lights %+v in %s", l, r.p.Stage)
	}
	return r
}

func (r *run) by(row string) *run {
	r.t.Helper()
	if !slices.Contains(r.in, row) {
		r.t.Fatalf("rows %v, want %s", r.in, row)
	}
	return r
}

func (r *run) notBy(row string) *run {
	r.t.Helper()
	if slices.Contains(r.in, row) {
		r.t.Fatalf("rows %v, not %s", r.in, row)
	}
	return r
}

// did says that the last step has these effects: "tell payment.paid", "put return", "drop charge", "arm lease", "wipe".
func (r *run) did(want ...string) *run {
	r.t.Helper()
	have := effects(r.fx)
	for _, w := range want {
		if !slices.Contains(have, w) {
			r.t.Fatalf("did %q, want %q", have, w)
		}
	}
	return r
}

func (r *run) didNot(never ...string) *run {
	r.t.Helper()
	for _, h := range effects(r.fx) {
		for _, n := range never {
			if h == n || strings.HasPrefix(h, n+" ") {
				r.t.Fatalf("did %q", h)
			}
		}
	}
	return r
}

func effects(fx []lane.Effect) []string {
	var out []string
	for _, f := range fx {
		s := string(f.Do)
		switch {
		case f.Call != nil:
			s += " " + f.Call.Verb
		case f.Clock != "":
			s += " " + string(f.Clock)
		case f.Type != "":
			s += " " + f.Type
		}
		out = append(out, s)
	}
	return out
}

func (r *run) say(code, screen string) *run {
	r.t.Helper()
	if c, s := lane.SayCode(r.p, r.context()), lane.Screen(r.p, r.context()); c != code || s != screen {
		r.t.Fatalf("says %s and shows %s, want %s and %s", c, s, code, screen)
	}
	return r
}

// flagged says that these flags are among the others.
func (r *run) flagged(want ...string) *run {
	r.t.Helper()
	for _, f := range want {
		if !slices.Contains(lane.Flags(r.p), f) {
			r.t.Fatalf("flags %v without %s", lane.Flags(r.p), f)
		}
	}
	return r
}

func (r *run) flags(want ...string) *run {
	r.t.Helper()
	if got := lane.Flags(r.p); !slices.Equal(got, append([]string{}, want...)) {
		r.t.Fatalf("flags %v, want %v", got, want)
	}
	return r
}
