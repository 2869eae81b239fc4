package bill_test

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/payment"
	"tilld/payment/bill"
)

// The search visits every state of one bill that an adversary can reach within bounds, executing the very rows that the
// server executes: a bank that pays late, twice and after its own end, gives money back when it is told to kill, loses
// answers, bounces refunds and takes money back; a box that calls in any order it may, with every call repeated; clocks
// that fire late. After every step it asks law and goods; at the end, that from every state some way leads to settled.

const unit = time.Minute

// bounds is one scenario.
type bounds struct {
	name        string
	mode        payment.Mode
	kind        bill.Kind
	purpose     payment.Purpose
	amounts     []int64 // what each customer pays, in order; due is 2
	killRefunds bool
	deposit     bool
	refuses     int           // returns that the bank refuses, or is short for
	bounces     int           // returns that fail after they were done
	claws       int           // chargebacks
	do          string        // letters of what else may happen, see can
	horizon     time.Duration // timer: no later than this is anything but its end looked at
	deep        bool          // only at the depth of prove
	wide        bool          // left out at quick depth
}

func (b *bounds) can(c byte) bool { return strings.IndexByte(b.do, c) >= 0 }

// payer is one payment at the bank.
type payer struct {
	state    uint8 // 0 not yet, 1 confirming, 2 paid, 3 gave up
	at       time.Time
	refunded int64
	auto     uint8 // by the bank itself: 1 running, 2 done
	own      int64 // … this much
	autoBy   time.Time
}

// outer is everything that is not the bill: the bank, the box, the people.
type outer struct {
	now     time.Time
	order   uint8 // at the bank: 0 absent, 1 live, 2 dead
	flying  bool  // a create or charge call that can still land
	kill    bool  // a kill that the table asked for, not yet at the bank
	killBy  time.Time
	pay     [3]payer
	request [8]uint8 // of obligation i at the bank: 0 unknown, 1 executed, 2 refused, 3 accepted, 4 short
	id      [8]string
	stale   bill.Report // an answer on its way
	has     bool
	hasBy   time.Time
	charged uint8

	unset                                                                                               bool  // the server's settings do not name the bank any more
	paidTold, fenced, fenceIn, released, confirmIn, gone                                                bool  // the box: gone = lost, its certificate revoked
	goods, back                                                                                         int64 // released for; returned by the box afterwards
	clawed                                                                                              int64
	refuses, bounces, claws, consoles, extends, returns, views, applies, silent, moved, forced, absents uint8
}

type node struct {
	s bill.State
	o outer
}

type search struct {
	b      *bounds
	table  bill.Table
	env    bill.Env
	unset  bill.Env // of a bank that the settings do not name any more
	ids    map[[2]uint64]uint32
	parent []uint32
	label  []string
	from   []uint32
	to     []uint32
	good   []uint32
	taken  map[string]bool
	bad    string
	at     uint32
	seeds  [2]maphash.Seed
	queue  []*node
	head   int
	folded []byte // of key, from one to the next
}

func searchEnv(b *bounds) bill.Env {
	u := unit
	return bill.Env{
		Settings: bill.Settings{
			Life: 2 * u, MaxOpen: 3 * u, CreateTimeout: u, LateLease: u, Confirm: 2 * u, ConfirmPrepayment: 2 * u, WantedFresh: u, WantedAgain: u,
			Poll: u, PollNear: u, PollPaying: u, PollFull: u, PollCharge: u, Attempt: u, Doubt: u, Again: []time.Duration{u},
			ShortFirst: u, ShortLater: u, Watch: u, Quote: u, KeepDeposit: b.deposit,
		},
		Traits: bill.Traits{
			KillRefunds: b.killRefunds, KillReliable: true, Tolerance: u / 2, NotFoundFinal: u, CallLimit: u, RefundWindow: 3 * u,
			Methods: []string{"cancel", "refund"}, CancelWithin: 2 * u,
		},
	}
}

func newSearch(b *bounds, table bill.Table) *search {
	unset := searchEnv(b)
	unset.Traits.Gone = true
	return &search{
		b: b, table: table, env: searchEnv(b), unset: unset, ids: map[[2]uint64]uint32{}, taken: map[string]bool{},
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
}

// run explores until nothing is new, a fault is found, or limit states were seen. It returns the fault, "" for none.
func (x *search) run(limit int) string {
	n := node{o: outer{now: start}}
	x.visit(&n, "")
	for x.head < len(x.queue) && x.bad == "" {
		x.at = uint32(x.head)
		n := *x.queue[x.head]
		x.queue[x.head] = nil
		x.head++
		if settled(&n) {
			x.good = append(x.good, x.at)
		}
		x.next(n)
		if len(x.queue) > limit {
			return fmt.Sprintf("more than %d states: bound the scenario", limit)
		}
	}
	if x.bad != "" {
		return x.bad + "\n" + x.trace(x.at)
	}
	return x.stuck()
}

// stuck looks for a state from which nothing leads to settled.
func (x *search) stuck() string {
	back := make([][]uint32, len(x.queue))
	for i := range x.from {
		back[x.to[i]] = append(back[x.to[i]], x.from[i])
	}
	seen := make([]bool, len(x.queue))
	todo := slices.Clone(x.good)
	for _, g := range todo {
		seen[g] = true
	}
	for len(todo) > 0 {
		g := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range back[g] {
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	for i := range seen {
		if !seen[i] {
			return "stuck: nothing leads to settled\n" + x.trace(uint32(i))
		}
	}
	return ""
}

func (x *search) trace(i uint32) string {
	var out []string
	for i != 0 {
		out = append(out, x.label[i])
		i = x.parent[i]
	}
	slices.Reverse(out)
	return strings.Join(out, "\n")
}

func (x *search) visit(n *node, label string, rows ...string) {
	k := x.key(n)
	id, ok := x.ids[k]
	if !ok {
		id = uint32(len(x.queue))
		x.ids[k] = id
		kept := *n // most have been seen, and are not worth a place of their own
		x.queue = append(x.queue, &kept)
		x.parent = append(x.parent, x.at)
		x.label = append(x.label, named(label, rows))
	}
	if label != "" {
		x.from, x.to = append(x.from, x.at), append(x.to, id)
	}
}

// step lets e happen to the bill of n.
func (x *search) step(n node, label string, e bill.Event) {
	if x.bad != "" {
		return
	}
	e.Now, e.Env = n.o.now, x.envOf(&n)
	a := n.s
	b, fx, rows, err := x.table.Step(a, e)
	for _, id := range rows {
		x.taken[id] = true
	}
	if err != nil {
		x.fault(named(label, rows), err.Error()+": "+fx[0].Code)
		return
	}
	if msg := law(a, b, e, fx); msg != "" {
		x.fault(named(label, rows), msg)
		return
	}
	n.s = b
	if e.Cause == bill.CallReturn && slices.Contains(rows, "B12a") {
		n.o.back += a.Kept - b.Kept
	}
	for _, f := range fx {
		switch {
		case f.Kind == bill.Tell && f.Type == payment.EvPaid:
			n.o.paidTold = true
		case f.Kind == bill.Do && n.o.unset: // nobody is asked
		case f.Kind == bill.Do && (f.Work.Kind == bill.Present || f.Work.Kind == bill.ChargeCode):
			n.o.flying = true
		case f.Kind == bill.Do && f.Work.Kind == bill.Kill:
			n.o.kill, n.o.killBy = true, n.o.now.Add(x.env.Traits.CallLimit)
		case f.Kind == bill.Insert:
			if msg := bill.Broken(*f.New); msg != "" {
				x.fault(named(label, rows), "child: "+msg)
			}
		}
	}
	for i := range b.Obligations {
		if o := &b.Obligations[i]; o.Request != n.o.id[i] {
			n.o.id[i], n.o.request[i] = o.Request, 0
		}
	}
	if msg := x.goods(&n); msg != "" {
		x.fault(named(label, rows), msg)
		return
	}
	x.visit(&n, label, rows...)
}

func (x *search) envOf(n *node) *bill.Env {
	if n.o.unset {
		return &x.unset
	}
	return &x.env
}

func named(label string, rows []string) string { return label + " [" + strings.Join(rows, " ") + "]" }

func (x *search) fault(label, msg string) {
	if x.bad == "" {
		x.bad = msg + " after " + label
	}
}

// goods is what law cannot see: whether the goods and the money agree.
func (x *search) goods(n *node) string {
	s, o := &n.s, &n.o
	c := bill.Count(*s)
	if o.released && !o.gone {
		ok := s.Life == payment.Open && s.Full && c.Held >= o.goods ||
			s.Life == payment.Closed && c.Kept+o.back+o.clawed >= o.goods
		if !ok {
			return "the goods left and the money does not stay"
		}
	}
	if (s.Fence || o.fenceIn) && !o.released && s.Life == payment.Closed && c.Kept != 0 {
		return "money was kept against a fence"
	}
	if a := appliedOf(s); a > s.Kept && o.clawed == 0 {
		return "more of the advance is applied than is kept"
	}
	return ""
}

func appliedOf(s *bill.State) (n int64) {
	for i := range s.Applied {
		if !s.Applied[i].Undone {
			n += s.Applied[i].Amount
		}
	}
	return n
}

// settled: the bill is over, nothing is held or owed, bank and books agree, and what the box said has arrived.
func settled(n *node) bool {
	s, o := &n.s, &n.o
	c := bill.Count(*s)
	if s.Life != payment.Closed || c.Held != 0 || c.Owed != 0 || s.Doubt || o.fenced && !o.fenceIn || o.released && !o.confirmIn {
		return false
	}
	if o.released && !o.gone && o.claws == 0 && c.Kept+o.back != o.goods {
		return false
	}
	known := int64(0)
	for i := range o.pay {
		p := &o.pay[i]
		if p.state == 1 || p.auto == 1 {
			return false
		}
		if p.state != 2 {
			continue
		}
		known++
		if s.Kind == bill.Fixed || s.Kind == bill.Ranged {
			continue
		}
		back := int64(0)
		for j := range s.Obligations {
			if s.Obligations[j].Txn == txn(i) {
				back += s.Obligations[j].Amount
			}
		}
		if o.claws == 0 && back != p.refunded {
			return false
		}
	}
	return known == int64(len(s.Credits)+len(s.Children))
}

func txn(i int) string { return string(rune('p')) + string(rune('0'+i)) }

// key folds a node to what its future depends on: times by how far they are, ids by nothing.
func (x *search) key(n *node) [2]uint64 {
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
	at := func(ts ...time.Time) {
		for _, t := range ts {
			switch d := int(2 * t.Sub(n.o.now) / unit); {
			case t.IsZero():
				b = append(b, 255)
			case d <= 0:
				b = append(b, 0)
			default:
				b = append(b, byte(d))
			}
		}
	}
	s, o := &n.s, &n.o
	b = append(append(append(append(b, s.Life...), s.Reason...), s.Late...), '|')
	flag(s.Full, s.Fence, s.ByDeadline, s.Deposit, s.Killed, s.Refunds, s.Doubt, s.Paying, s.Busy, s.Review, s.Confirmed, s.AcceptKey != "", s.Payload != "", s.ID != "", s.LastLook, s.Wanted)
	flag(s.Review && slices.Contains([]string{"return_refused", "return_bounced", "no_method"}, s.Why), s.Review && (s.Shortfall > 0 || s.By == "admin")) // whether O7 ends it
	b = append(b, byte(s.Need), byte(s.Kept), byte(s.Final), byte(min(s.Asks, 1)), byte(s.LastAttempt), byte(len(s.Children)), byte(len(s.Clawbacks)))
	at(s.ExpiresAt, s.MaxOpenAt, s.CreateBy, s.ProviderExpires, s.ConfirmBy, s.LateUntil, s.DoubtBy, s.WatchUntil, s.NextAsk)
	ord := func(r *bill.Order) {
		flag(r.ID != "", r.Over, r.Last)
		b = append(b, byte(min(r.Absent, 2)))
		if !r.CallBy.IsZero() {
			at(r.CallBy.Add(x.env.Traits.NotFoundFinal))
		} else {
			b = append(b, 254)
		}
	}
	ord(&s.Order)
	for i := range s.Attempts {
		a := &s.Attempts[i]
		flag(a.Running, a.Busy)
		ord(&a.Order)
		at(a.Deadline)
	}
	for i := range s.Credits {
		b = append(b, s.Credits[i].Txn[1], byte(s.Credits[i].Amount))
	}
	for i := range s.Obligations {
		r := &s.Obligations[i]
		b = append(append(append(append(b, '/'), r.Txn[1], byte(r.Amount), byte(len(r.Excluded)), byte(r.Bounces)), r.State...), r.Method...)
		flag(r.ByProvider, r.Short, r.Request != "", r.Key != "", r.Why == bill.WhyReturn)
		at(r.Next, r.Window)
	}
	for i := range s.Returns {
		b = append(b, s.Returns[i].Key...)
	}
	for i := range s.Quotes {
		at(s.Quotes[i].Ends)
		b = append(b, byte(s.Quotes[i].Amount), byte(s.Quotes[i].Total))
		flag(s.Quotes[i].Gone)
	}
	for i := range s.Applied {
		b = append(b, s.Applied[i].Key...)
		flag(s.Applied[i].Undone)
	}
	if s.Kind == bill.Timer {
		b = append(b, byte(min(6, n.o.now.Sub(s.CreatedAt)/unit)))
	}
	b = append(b, '!', o.order, byte(o.goods), byte(o.back), byte(o.clawed), o.charged, o.refuses, o.bounces, o.claws, o.consoles,
		o.extends, o.returns, o.views, o.applies, o.silent, o.moved, o.forced, o.absents)
	b = append(b, o.request[:]...)
	if o.kill && x.b.killRefunds {
		at(o.killBy)
	}
	flag(o.unset, o.flying, o.kill, o.paidTold, o.fenced, o.fenceIn, o.released, o.confirmIn, o.gone, o.has)
	for i := range o.pay {
		p := &o.pay[i]
		b = append(b, p.state, byte(p.refunded), p.auto, byte(p.own))
		if p.auto == 1 {
			at(p.autoBy)
		}
		if p.state == 2 && len(s.Credits)+len(s.Children) < len(o.pay) {
			flag(s.ExpiresAt.IsZero() || p.at.Before(s.ExpiresAt.Add(x.env.Traits.Tolerance)))
			if s.Kind == bill.Timer {
				at(p.at.Add(4 * unit))
			}
		}
	}
	if o.has {
		at(o.hasBy)
		b = append(append(b, o.stale.Work...), o.stale.Status...)
		for _, own := range o.stale.Own {
			b = append(append(b, own.Txn[1]), own.State...)
		}
		b = append(b, byte(len(o.stale.Credits)), byte(o.stale.Attempt))
	}
	x.folded = b
	return [2]uint64{maphash.Bytes(x.seeds[0], b), maphash.Bytes(x.seeds[1], b)}
}

// bounded is the number of states that one scenario may have.
func bounded(t *testing.T) (limit int, prove bool) {
	t.Helper()
	const short, full = 120_000, 6_000_000
	limit = depth.Figure(t, "states that a scenario may have", short, short, full)
	return limit, limit == full
}
