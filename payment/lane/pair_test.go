package lane_test

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// The search of pairs visits what two payments of one box can reach together by any order of events, executing the very
// rows that the box executes: an old payment and the one that replaces it, a parked payment and the next customer's on
// the same lane, and two lanes. They share the line and its doubt, a restart, a journal that is found to be a copy, and on
// one lane the glass. The integrator may say anything at any time; what is asked is what the box alone must keep.

// couple says how two payments belong together.
type couple struct {
	name    string
	replace bool // the second stands in the place of the first: one sale
	lanes   int
	first   func(*lane.Request)
	second  func(*lane.Request)
}

func plain(*lane.Request) {}

func couples() []couple {
	return []couple{
		{name: "old and new, one lane, show", replace: true, lanes: 1, first: plain, second: plain},
		{name: "old and new, one lane, scan after show", replace: true, lanes: 1, first: plain, second: scanMode},
		{name: "old and new, one lane, scan, own return", replace: true, lanes: 1, first: scanMode, second: ownReturn},
		{name: "parked and next customer, one lane, show", lanes: 1, first: plain, second: plain},
		{name: "parked and next customer, one lane, scan", lanes: 1, first: scanMode, second: scanMode},
		{name: "two lanes, show and scan", lanes: 2, first: plain, second: scanMode},
	}
}

// both is a state of the search.
type both struct {
	p     [2]lane.Payment
	glass [2]bool // a code of it is on its lane's glass
	doubt bool    // the line is gone for so long that both are in doubt
	cash  bool    // other money was taken for the first's sale
	named bool    // a person with a name has decided over a restored payment: what follows is that person's word
}

type pairs struct {
	c      couple
	table  lane.Table
	seen   map[[2]uint64]struct{}
	seeds  [2]maphash.Seed
	queue  []*both
	rows   map[string]int
	met    map[string]int // states in which things come together that were once searched apart
	steps  int
	bad    string
	folded []byte
}

func newPairs(c couple, table lane.Table) *pairs {
	return &pairs{
		c: c, table: table, seen: map[[2]uint64]struct{}{}, rows: map[string]int{}, met: map[string]int{},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
}

// run explores until nothing is new, a fault is found, or limit states were seen: depth as well as breadth, in the same
// order each time. It returns the fault, "" for none, and whether it saw all there is.
func (x *pairs) run(limit int) (bad string, whole bool) {
	order := rand.New(rand.NewPCG(4821, 7373))
	first := asking()
	x.c.first(first.Create)
	var n both
	if err := x.take(&n, 0, first); err != nil {
		return err.Error(), false
	}
	x.visit(&n)
	for len(x.queue) > 0 && x.bad == "" && len(x.seen) < limit {
		i := order.IntN(len(x.queue))
		n := x.queue[i]
		x.queue[i] = x.queue[len(x.queue)-1]
		x.queue = x.queue[:len(x.queue)-1]
		if s := x.exit(*n); s != "" && x.bad == "" {
			x.bad = "no way out: " + s + "\n" + n.String()
		}
		x.next(n)
	}
	return x.bad, len(x.queue) == 0
}

func (n *both) String() string {
	var out []string
	for i := range n.p {
		p := &n.p[i]
		var calls []string
		for _, c := range p.Calls {
			calls = append(calls, c.Verb)
		}
		out = append(out, fmt.Sprintf("%d: %s %s%s sent %v waiting %v parked %v fenced %v calls %v", i+1, p.Stage, p.Closing, p.End, p.Sent, p.Waiting, p.Parked, p.FenceAcked, calls))
	}
	return fmt.Sprintf("%s\ndoubt %v, other money %v, a person %v", strings.Join(out, "\n"), n.doubt, n.cash, n.named)
}

// sale is what payment i's lights and gate look at.
func (x *pairs) sale(n *both, i int) []lane.Payment {
	if x.c.replace && n.p[1].Stage != "" {
		return n.p[:]
	}
	return n.p[i : i+1]
}

// take lets e happen to payment i of n and checks what it did. A refusal changes nothing and is no fault.
func (x *pairs) take(n *both, i int, e lane.Event) error {
	e.At, e.Link, e.Doubt, e.Attended = start, !n.doubt, n.doubt, true
	was := n.p[i]
	is, fx, rows, err := x.table.Take(was, e)
	x.steps++
	for _, id := range rows {
		x.rows[id]++
	}
	if err != nil {
		if no, ok := errors.AsType[*lane.Refusal](err); !ok {
			x.fault(n, i, e, rows, no.Error())
		}
		return err
	}
	n.p[i] = is
	if slices.Contains(rows, "E33c") {
		n.named = true
	}
	for _, f := range fx {
		switch f.Do {
		case lane.Draw:
			n.glass[i] = true
		case lane.Wipe:
			n.glass[i] = false
		}
	}
	bad := lightPromises(was, is, rows, lane.ViewContext{Sale: x.sale(n, i)})
	if bad == "" {
		bad = glassPromises(was, is, e, fx)
	}
	if bad == "" {
		bad = callPromises(was, is, e) + fencePromises(was, is, e) + lostPromises(was, is, e)
	}
	if bad != "" {
		x.fault(n, i, e, rows, bad)
	}
	return nil
}

func (x *pairs) fault(n *both, i int, e lane.Event, rows []string, bad string) {
	if x.bad == "" {
		x.bad = fmt.Sprintf("%s\nafter %s %s to payment %d by %v\n%s", bad, e.Kind, e.Clock, i+1, rows, n)
	}
}

// callPromises: what was promised is on its way, and goods leave on nobody's word but the integrator's or a person's.
func callPromises(was, is lane.Payment, e lane.Event) string {
	full := func(b *payment.Bill) bool { // money on offer is the customer's until the till's accept is answered
		return b != nil && b.Late != payment.LateOffered && (b.Fill == payment.Full || b.Life == payment.Closed && b.Reason == payment.Done)
	}
	hand := lane.LightsOf(is, nil).HandOver && !lane.LightsOf(was, nil).HandOver
	switch {
	case e.Kind == lane.TillPark && lane.Occupies(is):
		return "what was parked holds its lane"
	case is.Pending(lane.VerbCreate) != nil && !is.Sent:
		return "a create may leave that the record does not know of"
	case is.Stage == lane.Released && was.Stage != lane.Released && is.Pending(lane.VerbConfirm) == nil:
		return "the goods left and nobody will be told"
	case is.Returning() && !was.Returning() && is.Pending(lane.VerbReturn) == nil:
		return "a return that nobody will be told of"
	case hand && e.Kind != payment.EvPaid && !(e.Kind == lane.Answered && (e.Answer.Outcome == payment.OutAccepted || e.Answer.Code == payment.NoAlreadyConfirmed || full(e.Answer.Bill))) &&
		!(e.Bill != nil && full(e.Bill)) && was.Stage != lane.Restored:
		return "goods may leave, and no money was reported"
	}
	return ""
}

// joint is what both must keep together, after every step.
func (x *pairs) joint(was, is *both) string {
	hands := 0
	for i := range is.p {
		if is.p[i].Stage != "" && lane.LightsOf(is.p[i], x.sale(is, i)).HandOver {
			hands++
			if is.cash && !is.named && (i == 0 || x.c.replace) {
				return "goods may leave for which other money was taken"
			}
		}
	}
	switch {
	case x.c.replace && hands == 2 && !is.named:
		return "two payments of one sale may hand over"
	case x.c.lanes == 1 && is.glass[0] && is.glass[1]:
		return "two codes are on one glass"
	case x.c.replace && is.p[1].Sent && !was.p[1].Sent && is.p[1].Stage != lane.Restored && !(is.p[0].Stage == lane.Ended || is.p[0].Stage == lane.Closing && is.p[0].FenceAcked):
		return "the new one left before the old one was fenced"
	}
	for i := range is.p {
		if p := &is.p[i]; p.Parked && (p.Stage == lane.Open || p.Stage == lane.WaitingCode) {
			return "a payment without a lane waits for its customer"
		}
	}
	return ""
}

func (x *pairs) visit(n *both) {
	k := x.key(n)
	if _, ok := x.seen[k]; ok {
		return
	}
	x.seen[k] = struct{}{}
	kept := *n
	x.queue = append(x.queue, &kept)
	for _, what := range x.meets(n) {
		x.met[what]++
	}
}

// once are the meetings that no search had at first.
var once = []string{"several lanes", "replace and restore", "replace and extend", "extend and restore", "two full payments of one sale"}

// meets says which of them a state is.
func (x *pairs) meets(n *both) (out []string) {
	a, b := &n.p[0], &n.p[1]
	if b.Stage == "" {
		return nil
	}
	extended, restored := a.Extends > 0 || b.Extends > 0, a.Stage == lane.Restored || b.Stage == lane.Restored
	for i, is := range []bool{
		x.c.lanes == 2 && a.Live() && b.Live(), x.c.replace && restored, x.c.replace && extended,
		a.Stage == lane.Restored && a.Extends > 0 || b.Stage == lane.Restored && b.Extends > 0, x.c.replace && a.Sent && b.Sent,
	} {
		if is {
			out = append(out, once[i])
		}
	}
	return out
}

// to is one step of the search.
func (x *pairs) to(n *both, do func(*both) error) {
	if x.bad != "" {
		return
	}
	m := *n
	if err := do(&m); err != nil || x.bad != "" {
		return
	}
	if bad := x.joint(n, &m); bad != "" {
		x.bad = bad + "\n" + n.String() + "\nbecame\n" + m.String()
		return
	}
	x.visit(&m)
}

// next is everything that may happen now.
func (x *pairs) next(n *both) {
	for i := range n.p {
		if n.p[i].Stage == "" {
			x.second(n)
			continue
		}
		for _, e := range heard(n.p[i]) {
			if x.c.replace && impossible(n, i, e) {
				continue
			}
			x.to(n, func(m *both) error { return x.engine(m, i, e) })
		}
		if x.c.replace || i == 0 {
			if !n.cash && lane.LightsOf(n.p[i], x.sale(n, i)).OtherTender {
				x.to(n, func(m *both) error { m.cash = true; return nil })
			}
		}
	}
	for _, e := range []lane.Event{
		{Kind: lane.DoubtBegins}, {Kind: lane.DoubtEnds}, {Kind: lane.Boot, Left: time.Minute}, {Kind: lane.Boot}, {Kind: lane.FoundCopy},
	} {
		if e.Kind == lane.DoubtBegins == n.doubt && (e.Kind == lane.DoubtBegins || e.Kind == lane.DoubtEnds) {
			continue
		}
		x.to(n, func(m *both) error { return x.all(m, e) })
	}
}

// impossible: the new payment's create leaves after the old one's fence, so no integrator knows the new one's bill and has
// kept money for the old one. One that has accepted a return never took a confirm before, and this box sends none after:
// not even a ledger out of a backup says already_confirmed to the next.
func impossible(n *both, i int, e lane.Event) bool {
	if i == 0 {
		return (n.p[1].Bill != nil || n.p[0].FenceAcked) && e.Kind == lane.Answered && e.Answer.Code == payment.NoAlreadyConfirmed
	}
	return e.Bill != nil && handed(n.p[0].Stage)
}

// all is what happens to the whole box.
func (x *pairs) all(m *both, e lane.Event) error {
	switch e.Kind {
	case lane.DoubtBegins, lane.DoubtEnds:
		m.doubt = e.Kind == lane.DoubtBegins
	case lane.Boot:
		m.glass = [2]bool{} // every output is wiped first
	}
	for i := range m.p {
		if m.p[i].Stage != "" {
			if err := x.take(m, i, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// engine is one event to one payment, with what internal/checkout adds in the same Batch.
func (x *pairs) engine(m *both, i int, e lane.Event) error {
	other := &m.p[1-i]
	waits := x.c.replace && i == 0 && other.Waiting && other.Stage == lane.Submitted
	switch e.Kind {
	case lane.LinkReady:
		e.Gate = lane.GateOpen(x.sale(m, i), m.p[i].ID)
	case lane.TillOverride:
		if lane.Successor(m.p[i], x.sale(m, i)) != nil {
			return errors.New("the other one is to be overridden")
		}
		e.Follows = waits
	}
	was := m.p[i].Stage
	if err := x.take(m, i, e); err != nil {
		return err
	}
	if e.Kind == lane.TillOverride {
		m.cash = m.cash || i == 0 || x.c.replace
		if waits {
			if err := x.take(m, 1, lane.Event{Kind: lane.OldOver}); err != nil {
				return err
			}
		}
	}
	if hand := handed(m.p[i].Stage) && !handed(was); hand && waits {
		return x.take(m, 1, lane.Event{Kind: lane.OldOver})
	}
	if over(m.p[i].Stage) && !over(was) && x.c.replace && i == 1 {
		return x.take(m, 0, lane.Event{Kind: lane.SaleOver})
	}
	return nil
}

func handed(s lane.Stage) bool { return s == lane.Released || s == lane.Done }

func over(s lane.Stage) bool {
	return s == lane.Ended || s == lane.Overridden || s == lane.OverriddenEnded
}

// second is the till asking for the other payment.
func (x *pairs) second(n *both) {
	e := asking()
	e.ID, e.Create.Reference, e.Number = "p2", "R-78", "4822"
	x.c.second(e.Create)
	if x.c.lanes == 2 {
		e.Create.Lane, e.Create.Reference = "2", "R-77" // the same name on another lane is another sale
	}
	e.Busy = x.c.lanes == 1 && !x.c.replace && lane.Occupies(n.p[0])
	if x.c.replace && n.cash {
		return // a till does not ask again for what other money was taken for
	}
	x.to(n, func(m *both) error {
		if x.c.replace {
			e.Create.Replaces = "p1"
			ended := m.p[0].Stage == lane.Ended
			if err := x.take(m, 0, lane.Event{Kind: lane.TillReplace, ID: "p2"}); err != nil {
				return err
			}
			e.Wait = !ended || !lane.GateOpen(m.p[:1], "p2")
		}
		return x.take(m, 1, e)
	})
}

// heard is what may come to one payment: of everything in alphabet what moves a stage.
func heard(p lane.Payment) []lane.Event {
	var out []lane.Event
	if p.Sent { // of others the integrator has never heard
		out = said(p)
	}
	for _, c := range []lane.Clock{lane.Countdown, lane.MaxOpen, lane.Lease, lane.Unsent, lane.AutoPark, lane.CodeAge, lane.Ask, lane.GiveBack, lane.FenceAgain} {
		out = append(out, lane.Event{Kind: lane.ClockRan, Clock: c})
	}
	out = append(
		out, overriding(), lane.Event{Kind: lane.Snapshot}, lane.Event{Kind: lane.TillAccept}, lane.Event{Kind: lane.TillPark}, lane.Event{Kind: lane.TillConfirm},
		lane.Event{Kind: lane.TillConfirm, Who: "Anna"}, lane.Event{Kind: lane.LinkReady}, lane.Event{Kind: lane.OutputsDone},
		lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}}, lane.Event{Kind: lane.TillReturn, Who: "Anna", Return: &lane.ReturnRequest{Reference: "C-1"}},
	)
	if p.Attempt < 1 {
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
		for _, code := range []string{payment.NoWrongState, payment.NoUnknownBill, payment.NoAlreadyConfirmed, "bad_params"} {
			out = append(out, lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: c.ID, Code: code}})
		}
	}
	return out
}

// said is what an integrator may say about a payment, at any time and in any order.
func said(p lane.Payment) []lane.Event {
	var out []lane.Event
	for _, kind := range []string{
		payment.EvOpen, payment.EvPaying, payment.EvPaid, payment.EvLate, payment.EvPaidAfter, payment.EvClosing, payment.EvClosed, payment.EvDeclined, payment.EvDone,
	} {
		out = append(out, event(p, kind))
	}
	for _, kind := range []string{payment.EvOpen, payment.EvPaid, payment.EvClosed} {
		e := event(p, kind)
		e.Kind = lane.Snapshot
		out = append(out, e)
	}
	return out
}

// exit leads both to their ends as an integrator and a person would, and says what is in the way.
func (x *pairs) exit(n both) string {
	n.doubt = false
	for range 30 {
		left := ""
		for i := range n.p {
			e, ok := wayOut(n.p[i])
			if !ok {
				continue
			}
			left = string(n.p[i].Stage)
			was := n.p[i].Stage
			if err := x.engine(&n, i, e); err != nil {
				return fmt.Sprint(e.Kind, " in ", was, ": ", err)
			}
		}
		if left == "" {
			return ""
		}
	}
	return "still as it is\n" + n.String()
}

func wayOut(p lane.Payment) (lane.Event, bool) {
	switch {
	case p.Stage == "" || p.Stage == lane.Done || p.Stage == lane.Ended || p.Stage == lane.OverriddenEnded:
		return lane.Event{}, false
	case p.Stage == lane.Submitted && !p.Sent:
		return lane.Event{Kind: lane.LinkReady}, true
	case len(p.Calls) > 0:
		return lane.Event{Kind: lane.Answered, Answer: &lane.Answer{ID: p.Calls[0].ID, Outcome: outcomes[p.Calls[0].Verb][0]}}, true
	case p.Stage == lane.Paid:
		return lane.Event{Kind: lane.TillConfirm}, true
	case p.Stage == lane.Restored && p.Told && p.Bill.Fill == payment.Full:
		return lane.Event{Kind: lane.TillConfirm, Who: "Anna"}, true
	}
	return event(p, payment.EvClosed), true
}

// key folds states that no row tells apart, and of what is over what no row looks at any more.
func (x *pairs) key(n *both) [2]uint64 {
	b := x.folded[:0]
	flag := func(vs ...bool) {
		for _, v := range vs {
			if v {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		}
	}
	for i := range n.p {
		p := &n.p[i]
		b = append(append(append(append(b, p.Stage...), p.Closing...), p.ReplacedBy...), '|')
		flag(n.glass[i], p.Parked, p.FenceAcked, p.Sent, p.Waiting, p.Fence != "")
		switch p.Stage { // of what is over, nothing of this is looked at any more
		case lane.Ended, lane.OverriddenEnded:
		case lane.Released, lane.Done:
			flag(p.NoGoods)
		default:
			flag(p.NoGoods, p.Stamps["adopted"].IsZero(), p.Stamps["remade"].IsZero(), p.Payload != "")
		}
		switch p.Stage {
		case lane.Open:
			flag(p.Paying, p.NoCode, p.Shown, p.Extends > 0)
		case lane.WaitingCode, lane.Charging:
			flag(p.Attempt > 0, p.Extends > 0)
		case lane.Paid:
			flag(p.Asked)
		case lane.Restored:
			flag(p.Extends > 0, p.Told, p.Bill != nil && p.Bill.Fill == payment.Full, p.Bill != nil && p.Bill.Life == payment.Closed)
		}
		for _, c := range p.Calls {
			b = append(append(b, '/'), c.Verb...)
		}
	}
	flag(n.doubt, n.cash, n.named)
	x.folded = b
	return [2]uint64{maphash.Bytes(x.seeds[0], b), maphash.Bytes(x.seeds[1], b)}
}
