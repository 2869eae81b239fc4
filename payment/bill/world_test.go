package bill_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/bill"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const billID = "06f1t3s5v7x9abcdefghjkmnpq"

// world drives one bill by hand and checks every step on its way.
type world struct {
	t     *testing.T
	s     bill.State
	now   time.Time
	env   bill.Env
	fx    []bill.Effect // of the last step
	rows  []string      // of the last step
	all   map[string]bool
	txn   int
	table bill.Table
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		t: t, now: start, env: bill.Env{Settings: bill.Default(), Traits: bill.DefaultTraits()}, all: map[string]bool{},
		table: bill.Rows(),
	}
}

func (w *world) step(e bill.Event) *world {
	w.t.Helper()
	e.Now, e.Env = w.now, &w.env
	before, err := json.Marshal(w.s)
	if err != nil {
		w.t.Fatal(err)
	}
	n, fx, rows, err := w.table.Step(w.s, e)
	if err != nil {
		w.t.Fatalf("%s: %v", e.Cause, err)
	}
	if after, _ := json.Marshal(w.s); string(after) != string(before) {
		w.t.Fatalf("%s changed its argument:\n%s\n%s", e.Cause, before, after)
	}
	if msg := law(w.s, n, e, fx); msg != "" {
		w.t.Fatalf("%s, rows %v: %s", e.Cause, rows, msg)
	}
	if d := bill.Due(n); e.Cause == bill.Tick && !d.IsZero() && !d.After(w.now) {
		w.t.Fatalf("tick, rows %v: due again at once", rows)
	}
	w.fx, w.rows = fx, rows
	w.s = stored(w.t, n) // every step goes on from what a store would give back
	for _, id := range rows {
		w.all[id] = true
	}
	return w
}

// stored is s written and read again.
func stored(t *testing.T, s bill.State) (out bill.State) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(out); string(again) != string(text) {
		t.Fatalf("a stored bill reads back otherwise:\n%s\n%s", text, again)
	}
	return out
}

// law is what no step may break. It is asked here, by the properties and by the search.
func law(a, b bill.State, e bill.Event, fx []bill.Effect) string {
	if msg := bill.Broken(b); msg != "" {
		return msg
	}
	sum := bill.Count(b)
	if sum.Credits != sum.Kept+sum.Owed+sum.Returned+sum.Held {
		return fmt.Sprintf("sums %+v", sum)
	}
	if a.Life == payment.Closed && b.Life != payment.Closed {
		return "a closed bill opened again"
	}
	if a.Life == payment.Closed && b.Kept > a.Kept {
		return "P2: money was kept for goods after the bill was closed"
	}
	if len(b.Credits) < len(a.Credits) {
		return "a credit was forgotten"
	}
	if a.Fence && !b.Fence {
		return "a fence was forgotten"
	}
	if a.Fence && b.Kept > a.Kept || a.Fence && b.Full && !a.Full {
		return "money won against a fence"
	}
	// P1: once paid was said, only the box, its deadline (keeping) or a person moves that money.
	if a.Full && a.Life == payment.Open && bill.Count(b).Held < bill.Count(a).Held && booked(b) == booked(a) {
		switch e.Cause {
		case bill.CallConfirm, bill.CallReturn, bill.Decided:
		default:
			if b.Kept != bill.Count(a).Held {
				return "P1: " + string(e.Cause) + " moved money that was paid"
			}
		}
		if e.Cause == bill.CallReturn && e.By != "" && e.By != bill.ByBox {
			return "P1: a console moved money that was paid"
		}
	}
	if e.Cause == bill.Tick && a.Kept > b.Kept && booked(b) == booked(a) {
		return "a clock took money back from goods"
	}
	if b.Full && sum.Held > b.Need {
		return "more is held than was asked for"
	}
	if msg := hangs(b); msg != "" {
		return msg
	}
	tells := int64(0)
	for _, f := range fx {
		if f.Kind == bill.Tell && f.New == nil {
			tells++
			if f.Bill.Version != a.Version+tells {
				return "an event's version is not the next one"
			}
		}
		if f.Kind == bill.Tell && f.Fresh != 0 && f.Type != payment.EvLate && f.Type != payment.EvConfirmWanted && f.Type != payment.EvReturnWanted {
			return "fresh_ms on " + f.Type
		}
	}
	if b.Version != a.Version+tells {
		return "version is not +1 per event"
	}
	return ""
}

// hangs says how a bill waits for a clock that does not run: a lost answer would leave it as it is for ever.
func hangs(s bill.State) string {
	if s.ID != "" && s.Life != payment.Closed && bill.Due(s).IsZero() {
		return "the bill is not over and nothing is due"
	}
	for i := range s.Obligations {
		if o := &s.Obligations[i]; (o.State == bill.Owed || o.State == bill.Sent) && o.Next.IsZero() {
			return "obligation " + o.ID + " is " + string(o.State) + " and nothing is due"
		}
	}
	return ""
}

// booked counts what the bank took back by itself, which no promise of ours can prevent.
func booked(s bill.State) (n int) {
	for _, c := range s.Clawbacks {
		if c.Booked {
			n++
		}
	}
	return n
}

func (w *world) after(d time.Duration) *world { w.now = w.now.Add(d); return w }

// tick lets d pass, with every clock firing when it is due.
func (w *world) tick(d time.Duration) *world {
	w.t.Helper()
	end := w.now.Add(d)
	var rows []string
	var fx []bill.Effect
	for range 10_000 {
		at := bill.Due(w.s)
		if at.IsZero() || at.After(end) {
			w.now, w.rows, w.fx = end, rows, fx
			return w
		}
		if at.After(w.now) {
			w.now = at
		}
		w.step(bill.Event{Cause: bill.Tick})
		rows, fx = append(rows, w.rows...), append(fx, w.fx...)
	}
	w.t.Fatal("clocks without an end")
	return w
}

func request(f ...func(*bill.Create)) *bill.Create {
	c := &bill.Create{
		Payment: billID, Lane: "1", Reference: "R-77", Number: "4821", Hash: "h1", Merchant: "m", Terminal: "t1",
		Amount: payment.Money{Value: 200, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale, IfNotConfirmed: payment.Keep,
		Provider: "bank",
	}
	for _, g := range f {
		g(c)
	}
	return c
}

func scanned(c *bill.Create)    { c.Mode = payment.Scan }
func prepayment(c *bill.Create) { c.Purpose = payment.Prepayment }
func fixed(c *bill.Create)      { c.Kind = bill.Fixed }
func ranged(c *bill.Create)     { c.Kind, c.Amount.Value, c.Min, c.Max = bill.Ranged, 0, 100, 300 }
func timer(c *bill.Create) {
	c.Kind, c.Amount.Value = bill.Timer, 0
	c.Tariff = &bill.Tariff{Free: 10 * time.Minute, Per: 10 * time.Minute, Rate: 100}
}

func (w *world) create(f ...func(*bill.Create)) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallCreate, Create: request(f...)})
}

func (w *world) report(r bill.Report) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.Reported, Report: &r})
}

func (w *world) presented() *world {
	w.t.Helper()
	return w.report(bill.Report{
		Work: bill.Present, Status: bill.Pending, Ref: "ref", Payload: "https://pay", Expires: bill.ProviderExpiry(w.s, w.env.Traits),
	})
}

// opened is a bill whose code is shown.
func (w *world) opened(f ...func(*bill.Create)) *world {
	w.t.Helper()
	return w.create(f...).presented()
}

func (w *world) money(n int64) bill.Credit {
	w.txn++
	return bill.Credit{Provider: "bank", Txn: fmt.Sprint("tx", w.txn), Amount: n, PaidAt: w.now}
}

// looked is a look that found the status, and these credits.
func (w *world) looked(st bill.Status, c ...bill.Credit) *world {
	w.t.Helper()
	return w.report(bill.Report{Work: bill.Look, Status: st, Credits: c})
}

func (w *world) paid(n int64) *world { w.t.Helper(); return w.looked(bill.Pending, w.money(n)) }

func (w *world) whole(key string) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallReturn, Key: key, Whole: true})
}

func (w *world) giveBack(key string, n int64) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallReturn, Key: key, Amount: n})
}

func (w *world) console(key string, n int64) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallReturn, Key: key, Amount: n, Whole: n == 0, By: bill.ByConsole, Who: "anna"})
}

func (w *world) confirm(n int64) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallConfirm, Amount: n, Key: "confirm"})
}

func (w *world) charge(n int) *world {
	w.t.Helper()
	return w.step(bill.Event{Cause: bill.CallCharge, Attempt: n, CodeHash: "c"})
}

func (w *world) attempt(n int, r bill.Report) *world {
	w.t.Helper()
	r.Attempt = n
	if r.Work == "" {
		r.Work = bill.Look
	}
	return w.report(r)
}

// expired is a shown bill in CLOSING(expire), asked, not killed yet.
func (w *world) expired() *world {
	w.t.Helper()
	w.opened()
	w.now = w.s.ExpiresAt
	return w.step(bill.Event{Cause: bill.Tick})
}

// late is money that was paid 6 s after the end.
func (w *world) late(n int64) bill.Credit {
	c := w.money(n)
	c.PaidAt = w.s.ExpiresAt.Add(6 * time.Second)
	return c
}

func (w *world) onTime(n int64) bill.Credit {
	c := w.money(n)
	c.PaidAt = w.s.ExpiresAt.Add(-time.Second)
	return c
}

func (w *world) took(ids ...string) *world {
	w.t.Helper()
	for _, id := range ids {
		if !slices.Contains(w.rows, id) {
			w.t.Errorf("rows %v, want %s among them", w.rows, id)
		}
	}
	return w
}

func (w *world) not(ids ...string) *world {
	w.t.Helper()
	for _, id := range ids {
		if slices.Contains(w.rows, id) {
			w.t.Errorf("rows %v, want no %s", w.rows, id)
		}
	}
	return w
}

func (w *world) status(want string) *world {
	w.t.Helper()
	if got := bill.PublicStatus(w.s); got != want {
		w.t.Errorf("status %s, want %s", got, want)
	}
	return w
}

// told are the last step's events, in order.
func (w *world) told(want ...string) *world {
	w.t.Helper()
	var got []string
	for _, f := range w.fx {
		if f.Kind == bill.Tell {
			got = append(got, f.Type)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("rows %v told %v, want %v", w.rows, got, want)
	}
	return w
}

func (w *world) reply() bill.Effect {
	w.t.Helper()
	var got []bill.Effect
	for _, f := range w.fx {
		if f.Kind == bill.Reply {
			got = append(got, f)
		}
	}
	if len(got) != 1 {
		w.t.Fatalf("rows %v: %d answers", w.rows, len(got))
	}
	return got[0]
}

func (w *world) outcome(want string) *world {
	w.t.Helper()
	if got := w.reply(); got.Outcome != want {
		w.t.Errorf("answer %q %q, want %q", got.Outcome, got.Refusal, want)
	}
	return w
}

func (w *world) refused(want string) *world {
	w.t.Helper()
	if got := w.reply(); got.Refusal != want {
		w.t.Errorf("answer %q %q, want refusal %q", got.Outcome, got.Refusal, want)
	}
	return w
}

func (w *world) works(want ...bill.WorkKind) *world {
	w.t.Helper()
	var got []bill.WorkKind
	for _, f := range w.fx {
		if f.Kind == bill.Do {
			got = append(got, f.Work.Kind)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("rows %v: work %v, want %v", w.rows, got, want)
	}
	return w
}

// sums checks kept, owed, returned and held.
func (w *world) sums(kept, owed, returned, held int64) *world {
	w.t.Helper()
	got := bill.Count(w.s)
	if got.Kept != kept || got.Owed != owed || got.Returned != returned || got.Held != held {
		w.t.Errorf("sums %+v, want kept %d owed %d returned %d held %d", got, kept, owed, returned, held)
	}
	return w
}

func (w *world) flags(want ...string) *world {
	w.t.Helper()
	if got := bill.Snapshot(w.s, w.now).Flags; !slices.Equal(got, want) {
		w.t.Errorf("flags %v, want %v", got, want)
	}
	return w
}

// sent lets the worker take everything owed, and says what it sent.
func (w *world) sent() []bill.Work {
	w.t.Helper()
	w.step(bill.Event{Cause: bill.Tick})
	var out []bill.Work
	for _, f := range w.fx {
		if f.Kind == bill.Do && f.Work.Kind == bill.GiveBack {
			out = append(out, f.Work)
		}
	}
	return out
}

// returnSaid is the bank's answer to a return.
func (w *world) returnSaid(request, state string) *world {
	w.t.Helper()
	return w.report(bill.Report{Work: bill.GiveBack, Request: request, Returns: map[string]string{request: state}})
}

// gaveBack is a look that finds what the bank gave back of a payment by itself.
func (w *world) gaveBack(txn string, n int64, state string) *world {
	w.t.Helper()
	return w.report(bill.Report{Work: bill.Look, Status: bill.Dead, Own: []bill.Own{{Txn: txn, Amount: n, State: state}}})
}

// settle gives everything owed back.
func (w *world) settle() *world {
	w.t.Helper()
	for _, j := range w.sent() {
		w.returnSaid(j.Request, "done")
	}
	return w
}

func (w *world) has(t, what string, ok bool) *world {
	w.t.Helper()
	if !ok {
		w.t.Errorf("%s: %s", t, what)
	}
	return w
}
