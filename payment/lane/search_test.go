package lane_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tilld/internal/depth"
	"tilld/payment"
	"tilld/payment/lane"
)

// node is a state of the walk: a payment, and whether it is in doubt.
type node struct {
	p     lane.Payment
	doubt bool
}

// key folds states that no row tells apart: what only counts, and what is only shown.
func (n node) key() string {
	p := n.p
	k := fmt.Sprint(
		n.doubt, p.Stage, p.Closing, p.End, p.Mode, p.IfNotConfirmed, p.Sent, p.Waiting, p.Shown, p.Paying, p.NoCode, p.NoDisplay, p.Parked,
		p.FenceAcked, p.Asked, p.Told, p.ReplacedBy, p.Attempt, p.Fence != "", len(p.Returns),
	)
	switch p.Stage { // of what is over, nothing of this is looked at any more
	case lane.Ended, lane.OverriddenEnded:
	case lane.Released, lane.Done:
		k += fmt.Sprint(p.NoGoods)
	default:
		k += fmt.Sprint(p.NoGoods, p.Stamps["adopted"].IsZero(), p.Stamps["remade"].IsZero(), p.Payload != "")
	}
	for _, c := range p.Calls {
		k += " " + c.Verb
	}
	if p.Stage == lane.Restored || p.Stage == lane.Paid { // only there the bill itself decides
		b := p.Bill
		if b != nil {
			k += fmt.Sprint(b.Life, b.Reason, b.Fill, b.ByDeadline)
		}
	}
	return k
}

// alphabet is everything that can happen to a payment, whether an honest integrator would send it or not.
func alphabet(p lane.Payment) []lane.Event {
	var out []lane.Event
	for _, kind := range payment.EventTypes() {
		out = append(out, event(p, kind))
	}
	for _, kind := range []string{payment.EvOpen, payment.EvPaying, payment.EvPaid, payment.EvLate, payment.EvClosing, payment.EvClosed, payment.EvDone} {
		e := event(p, kind)
		e.Kind = lane.Snapshot
		out = append(out, e)
	}
	byBox := event(p, payment.EvDone, func(b *payment.Bill) { b.ByDeadline = false })
	byBox.Kind = lane.Snapshot
	stale := event(p, payment.EvLate)
	stale.Stale = true
	back := event(p, payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Paid, b.Owed = payment.Returned, amount, amount })
	short := event(p, payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 5000 })
	out = append(out, byBox, stale, back, short, copied(p, payment.None), copied(p, payment.Full), lane.Event{Kind: lane.Snapshot})
	for _, c := range []lane.Clock{lane.Countdown, lane.MaxOpen, lane.Lease, lane.Unsent, lane.AutoPark, lane.CodeAge, lane.Ask, lane.GiveBack, lane.ReceiptDue, lane.FenceAgain} {
		out = append(out, lane.Event{Kind: lane.ClockRan, Clock: c})
	}
	for _, k := range []lane.Kind{
		lane.TillAccept, lane.TillPark, lane.TillConfirm, lane.DoubtBegins, lane.DoubtEnds, lane.OldOver, lane.SaleOver,
		lane.FoundCopy, lane.OutputsDone, lane.GlassLost, lane.GlassBack,
	} {
		out = append(out, lane.Event{Kind: k})
	}
	named := confirm(5000)
	named.Who = "Anna"
	follows := overriding()
	follows.Follows = true
	out = append(
		out, overriding(), follows, named, confirm(0), confirm(amount+1), part("C-2", 5000), asking(),
		lane.Event{Kind: lane.TillReturn, Who: "Anna", Return: &lane.ReturnRequest{Reference: "C-1"}},
		lane.Event{Kind: lane.TillReplace, ID: "p2"}, lane.Event{Kind: lane.LinkReady, Gate: true}, lane.Event{Kind: lane.LinkReady},
		lane.Event{Kind: lane.Boot, Left: time.Minute}, lane.Event{Kind: lane.Boot},
		lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}}, lane.Event{Kind: lane.TillReceipt, Receipt: &lane.Receipt{Number: "1"}},
	)
	old := event(p, payment.EvPaid)
	old.Bill.Version--
	out = append(out, old)
	if p.Attempt < 1 || p.Stage == lane.Charging {
		out = append(out, lane.Event{Kind: lane.Scanned, Hash: "h"})
	}
	if p.Extends < 1 {
		out = append(out, lane.Event{Kind: lane.TillExtend, By: time.Minute})
	}
	for _, c := range p.Calls[:min(1, len(p.Calls))] { // calls of one payment are serial
		for _, o := range outcomes[c.Verb] {
			out = append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: c.ID, Outcome: o}})
		}
		if c.Verb == lane.VerbCreate {
			out = append(out, seenBefore(p, c.ID)...)
		}
		b := billOf(p, payment.EvClosing)
		for _, code := range []string{payment.NoWrongState, payment.NoUnknownBill, payment.NoAlreadyConfirmed, payment.NoKeyReused, payment.NoSuperseded, "bad_params"} {
			out = append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: c.ID, Code: code}})
		}
		out = append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: c.ID, Code: payment.NoWrongState, Bill: &b}})
	}
	return append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: "p1:nobody", Outcome: "bill"}})
}

// seenBefore are the answers to a create whose reference an older bill has: of this sale or another, alive or over.
func seenBefore(p lane.Payment, call string) []lane.Event {
	out := []lane.Event{{Kind: lane.Answered, Answer: &lane.Answer{ID: call, Code: payment.NoReferenceUsed}}}
	for _, kind := range []string{payment.EvOpen, payment.EvPaid, payment.EvDone, payment.EvClosed} {
		for _, other := range []bool{false, true} {
			b := billOf(p, kind)
			b.Payment, b.ByDeadline = "old1", false
			if other {
				b.Amount.Value++
			}
			out = append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: call, Outcome: payment.OutReferenceSeen, Bill: &b}})
		}
	}
	return out
}

// copied is news of a ledger that was put back from a copy, from before the fence or the confirm.
func copied(p lane.Payment, fill payment.Fill) lane.Event {
	return event(p, payment.EvReview, func(b *payment.Bill) {
		b.Life, b.Reason, b.Fill, b.Fence, b.Review, b.Why, b.Returns = payment.Open, "", fill, false, true, payment.WhyLedgerRestored, nil
	})
}

var outcomes = map[string][]string{
	lane.VerbCreate: {"created"}, lane.VerbReturn: {payment.OutFenced, payment.OutReturning}, lane.VerbConfirm: {payment.OutConfirmed},
	lane.VerbCharge: {payment.OutCharging}, lane.VerbChargeVoid: {payment.OutVoid, payment.OutCharging}, lane.VerbAccept: {payment.OutAccepted, payment.OutLapsed},
	lane.VerbExtend: {payment.OutExtended},
}

// step takes one event in the world that the state says, and checks the promises.
func (n node) step(e lane.Event) (node, []string, string, error) {
	to, c, fx, rows, err := n.move(e)
	if err != nil {
		return n, rows, "", err
	}
	return to, rows, promises(n.p, to.p, e, fx, rows, c), nil
}

func (n node) move(e lane.Event) (node, lane.ViewContext, []lane.Effect, []string, error) {
	switch e.Kind {
	case lane.DoubtBegins:
		n.doubt = true
	case lane.DoubtEnds:
		n.doubt = false
	}
	e.At, e.Link, e.Doubt, e.Attended = start, !n.doubt, n.doubt, true
	c := lane.ViewContext{Doubt: n.doubt, DoubtWhy: "link", Link: !n.doubt, Attended: true, Remaining: time.Minute}
	is, fx, rows, err := lane.Take(n.p, e)
	return node{is, n.doubt}, c, fx, rows, err
}

// beginnings are a payment of each mode and policy before anything happened to it.
func beginnings(t *testing.T) []node {
	var out []node
	for _, change := range [][]func(*lane.Request){nil, {scanMode}, {ownReturn}} {
		out = append(out, node{p: ask(t, change...).p})
	}
	e := asking()
	e.Wait, e.Create.Replaces = true, "p0"
	return append(out, node{p: (&run{t: t, now: start}).take(e).p})
}

// everyStage is what each search has to come to.
var everyStage = []lane.Stage{
	lane.Submitted, lane.Open, lane.WaitingCode, lane.Charging, lane.Closing, lane.LateOffered, lane.Accepting, lane.Paid, lane.Released,
	lane.Done, lane.Ended, lane.Overridden, lane.OverriddenEnded, lane.Restored,
}

// TestSearch goes through the states that a payment can reach by any order of events and finds every promise kept and every
// row taken; from each state a way leads to an end. TILLD_DEPTH=prove goes through all of them: some 29,000 when this was
// written. A shorter search ends when it has seen so many and has come to every stage, however many that takes.
func TestSearch(t *testing.T) {
	states := depth.Figure(t, "states", 700, 1500, depth.All)
	order := rand.New(rand.NewPCG(4821, 7373)) // depth as well as breadth, the same each time
	seen, rows, stages := map[string]bool{}, map[string]int{}, map[lane.Stage]int{}
	queue := beginnings(t)
	for _, n := range queue {
		seen[n.key()] = true
		stages[n.p.Stage]++
	}
	steps := 0
	lacking := func(s lane.Stage) bool { return stages[s] == 0 }
	for len(queue) > 0 && (len(seen) < states || slices.ContainsFunc(everyStage, lacking)) {
		i := order.IntN(len(queue))
		n := queue[i]
		queue[i] = queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if s := exit(n); s != "" {
			t.Fatalf("%s has no way out: %s\n%s", n.p.Stage, s, n.key())
		}
		for _, e := range alphabet(n.p) {
			steps++
			to, c, fx, by, err := n.move(e)
			bad, fresh := "", false
			if err == nil {
				bad = lightPromises(n.p, to.p, by, c) + glassPromises(n.p, to.p, e, fx) + fencePromises(n.p, to.p, e) + lostPromises(n.p, to.p, e)
				k := to.key()
				if fresh = !seen[k]; fresh { // the dear ones once for each state
					seen[k] = true
					bad += recordPromises(n.p, to.p, fx) + wordPromises(to.p, c)
				}
			}
			if bad != "" {
				t.Fatalf("%s in %s by %v: %s\n%s\n%s", e.Kind, n.p.Stage, by, bad, n.key(), to.key())
			}
			var no *lane.Refusal
			if err != nil && !errors.As(err, &no) {
				t.Fatalf("%s in %s: %v", e.Kind, n.p.Stage, err)
			}
			for _, id := range by {
				rows[id]++
			}
			if fresh {
				stages[to.p.Stage]++
				queue = append(queue, to)
			}
		}
	}
	for _, s := range everyStage {
		if lacking(s) {
			t.Errorf("%s was never reached", s)
		}
	}
	for _, r := range lane.Rows {
		if rows[r.ID] == 0 && r.ID != "E1" && states == depth.All {
			t.Errorf("%s was never taken on the walk", r.ID)
		}
	}
	t.Logf("%d states, %d steps, %d rows, stages %v", len(seen), steps, len(rows), stages)
}

// exit leads a payment to its end as an integrator and a person would, and says what is in the way.
func exit(n node) string {
	n.doubt = false
	for range 12 {
		p := n.p
		var e lane.Event
		switch {
		case p.Stage == lane.Done || p.Stage == lane.Ended || p.Stage == lane.OverriddenEnded:
			return ""
		case p.Stage == lane.Submitted && !p.Sent:
			e = lane.Event{Kind: lane.LinkReady, Gate: true}
		case len(p.Calls) > 0:
			c := p.Calls[0]
			e = lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: c.ID, Outcome: outcomes[c.Verb][0]}}
		case p.Stage == lane.Paid:
			e = lane.Event{Kind: lane.TillConfirm}
		case p.Stage == lane.Restored && p.Told && (p.Bill.Fill == payment.Full):
			e = lane.Event{Kind: lane.TillConfirm, Who: "Anna"}
		default:
			e = event(p, payment.EvClosed)
		}
		next, _, bad, err := n.step(e)
		if err != nil || bad != "" {
			return fmt.Sprint(e.Kind, " ", err, bad)
		}
		n = next
	}
	return "still " + string(n.p.Stage)
}

// TestCrossing takes the rows that the model did not search against everything else that can happen, in both orders.
func TestCrossing(t *testing.T) {
	drawn := func(t *testing.T) *run { return sent(t).bill(payment.EvOpen) }
	for _, c := range []struct {
		row  string
		from func(*testing.T) *run
		e    func(lane.Payment) lane.Event
	}{
		{"E3s", drawn, func(lane.Payment) lane.Event { return lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}} }},
		{"E4", drawn, func(lane.Payment) lane.Event { return lane.Event{Kind: lane.OutputsDone} }},
		{"E19", func(t *testing.T) *run { return opened(t) }, func(lane.Payment) lane.Event { return lane.Event{Kind: lane.Boot} }},
		{"E32", func(t *testing.T) *run { return opened(t) }, func(p lane.Payment) lane.Event { return event(p, payment.EvChild) }},
		{"C1a", func(t *testing.T) *run { return sent(t, scanMode) }, func(lane.Payment) lane.Event {
			return lane.Event{Kind: lane.Scanned, Hash: "h"}
		}},
		{"E1x", func(t *testing.T) *run { return opened(t) }, func(lane.Payment) lane.Event { return lane.Event{Kind: lane.TillExtend, By: time.Minute} }},
	} {
		t.Run(c.row, func(t *testing.T) {
			from := node{p: c.from(t).p}
			n := 0
			both := func(first, second func(lane.Payment) lane.Event) {
				mid, rows, bad, err := from.step(first(from.p))
				if bad == "" && err == nil {
					var more []string
					mid, more, bad, _ = mid.step(second(mid.p))
					rows = append(rows, more...)
				}
				if bad == "" {
					bad = exit(mid)
				}
				if bad != "" {
					t.Errorf("%v: %s", rows, bad)
				}
				n++
			}
			took := false
			for i := range alphabet(from.p) {
				x := func(p lane.Payment) lane.Event {
					a := alphabet(p)
					return a[min(i, len(a)-1)]
				}
				both(c.e, x)
				both(x, c.e)
			}
			if _, rows, _, _ := from.step(c.e(from.p)); slices.Contains(rows, c.row) {
				took = true
			}
			if !took {
				t.Errorf("%s is not taken by itself", c.row)
			}
			t.Logf("%d crossings", n)
		})
	}
}

// TestProperty throws long random orders of events at a payment, with bills of any shape and age.
func TestProperty(t *testing.T) {
	begin := beginnings(t)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(begin).Draw(t, "payment")
		ended := ""
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			e := rapid.SampledFrom(alphabet(n.p)).Draw(t, "event")
			if e.Bill != nil && rapid.Bool().Draw(t, "odd bill") {
				b := *e.Bill
				b.Version = rapid.Int64Range(0, n.p.BillVersion()+3).Draw(t, "version")
				b.Paid = rapid.Int64Range(0, 3*amount).Draw(t, "paid")
				b.Owed = rapid.Int64Range(0, b.Paid).Draw(t, "owed")
				b.Life = rapid.SampledFrom([]payment.Life{payment.Created, payment.Open, payment.Closing, payment.Closed, ""}).Draw(t, "life")
				b.Reason = rapid.SampledFrom([]payment.Reason{"", payment.Refused, payment.Expire, payment.Returning, payment.Done, payment.Returned}).Draw(t, "reason")
				e.Bill = &b
			}
			to, rows, bad, _ := n.step(e)
			if bad != "" {
				t.Fatalf("%s in %s by %v: %s\n%s", e.Kind, n.p.Stage, rows, bad, to.key())
			}
			n = to
			if n.p.Stage == lane.Ended {
				state := lane.State(n.p, n.doubt)
				if ended != "" && state != ended {
					t.Fatalf("ended %s became %s", ended, state)
				}
				ended = state
			} else if ended != "" {
				t.Fatalf("ended %s lives again in %s", ended, n.p.Stage)
			}
		}
	})
}
