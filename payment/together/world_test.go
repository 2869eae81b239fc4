// Package together runs both tables of money against each other: the very rows that the box and the server execute, with
// a line between them that loses, doubles, delays and reorders, with ends that are restarted, and with a bank that does all
// that a bank may do. A world is one number, its seed, and holds one sale or several, on one lane of the box or on three:
// the same seed is the same sales, to the instruction.
package together

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"tilld/payment"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// world is one box with its sales, and everybody who has to do with them.
type world struct {
	r     *rand.Rand
	seed  uint64
	now   time.Time
	queue events
	n     int

	box    *box
	line   *line
	server *server
	bank   *bank
	tills  []*till  // the sales, in the order of their lanes
	ids    []string // of all payments, in the order in which they were asked for

	evil  evil
	plant string           // a bug that the sales must find; "" none
	said  *strings.Builder // nil: nobody listens
	wrong []string
	count counts
}

// counts is what was done to the sales.
type counts struct {
	sales, steps, cuts, holes, lost, doubled, boxStarts, serverStarts, bankSilent, payments, credits, returns, handed, cash, replaced, overridden int

	// What came in another order than it left in, and what lanes have in common.
	gaps, overtaken, afterTheEnd, callBacks, windowFull, laneBusy, besideParked, added int
}

func (c *counts) add(d counts) {
	for i, p := range []*int{
		&c.sales, &c.steps, &c.cuts, &c.holes, &c.lost, &c.doubled, &c.boxStarts, &c.serverStarts, &c.bankSilent, &c.payments, &c.credits, &c.returns,
		&c.handed, &c.cash, &c.replaced, &c.overridden,
		&c.gaps, &c.overtaken, &c.afterTheEnd, &c.callBacks, &c.windowFull, &c.laneBusy, &c.besideParked, &c.added,
	} {
		*p += []int{
			d.sales, d.steps, d.cuts, d.holes, d.lost, d.doubled, d.boxStarts, d.serverStarts, d.bankSilent, d.payments, d.credits, d.returns,
			d.handed, d.cash, d.replaced, d.overridden,
			d.gaps, d.overtaken, d.afterTheEnd, d.callBacks, d.windowFull, d.laneBusy, d.besideParked, d.added,
		}[i]
	}
}

// evil is how bad this world is: chances from 0 to 1.
type evil struct {
	cut, hole, double, order float64 // of a frame; order: it is overtaken, or comes after its session
	boxStart, serverStart    float64 // of a step
	silent, busy, late, slow float64 // of a call to the bank
	refund                   float64 // of a return that is not done at once
	outage                   time.Duration
}

func newWorld(seed uint64, plant string) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 4821)), seed: seed, now: start, plant: plant}
	calm := []float64{0, 0.3, 1, 2}[w.r.IntN(4)]
	w.evil = evil{
		cut: 0.06 * calm * w.r.Float64(), hole: 0.04 * calm * w.r.Float64(), double: 0.2 * calm * w.r.Float64(),
		order:    0.1 * calm * w.r.Float64(),
		boxStart: 0.03 * calm * w.r.Float64(), serverStart: 0.03 * calm * w.r.Float64(),
		silent: 0.3 * calm * w.r.Float64(), busy: 0.1 * calm * w.r.Float64(), late: 0.1 * calm * w.r.Float64(), slow: 0.3 * calm * w.r.Float64(),
		refund: 0.5 * w.r.Float64(),
	}
	if w.r.IntN(10) == 0 {
		w.evil.outage = time.Duration(w.r.Int64N(int64(3 * time.Hour)))
	}
	w.box, w.line, w.server, w.bank = newBox(w), &line{w: w}, newServer(w), newBank(w)
	w.shop()
	return w
}

// evilEnds is when the world becomes good, so that what is to end by itself can be told from what never will.
const evilEnds = 30 * time.Hour

// limit is when even the last watch over a bill is over.
const limit = 8 * 24 * time.Hour

// run lets the sales go on until nothing will happen any more.
func (w *world) run() {
	for _, t := range w.tills {
		w.at(t.began, t.begin)
	}
	w.line.connect(0)
	w.after(evilEnds, func() { w.evil = evil{}; w.say("from here on nothing goes wrong any more") })
	for day := range 6 {
		w.after(time.Duration(day+1)*24*time.Hour, w.people)
	}
	for len(w.queue) > 0 && len(w.wrong) == 0 {
		e := w.queue.pop()
		if e.at.Sub(start) > limit {
			break
		}
		w.now = e.at
		w.count.steps++
		e.do()
	}
	if len(w.wrong) == 0 {
		w.verdict()
	}
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *world) at(t time.Time, do func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.n++
	w.queue.push(event{at: t, n: w.n, do: do})
}

func (w *world) chance(p float64) bool { return p > 0 && w.r.Float64() < p }

// some is a random time up to d.
func (w *world) some(d time.Duration) time.Duration { return time.Duration(w.r.Int64N(int64(d) + 1)) }

func (w *world) say(format string, args ...any) {
	if w.said != nil {
		fmt.Fprintf(w.said, "%12v  ", w.now.Sub(start).Round(time.Millisecond))
		fmt.Fprintf(w.said, format+"\n", args...)
	}
}

func (w *world) fault(format string, args ...any) {
	w.say("WRONG: "+format, args...)
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

func rub(n int64) payment.Money { return payment.Money{Value: n, Currency: "RUB"} }
