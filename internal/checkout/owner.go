package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

var _ wire.Owner = (*Box)(nil)

// bucketParked holds events that no row takes (E32): key is the event's seq.
const bucketParked = "parked"

// Session takes the answer to session.open in: numbers, what providers there are, and, where the stream cannot be
// replayed, where it goes on, with a bill.get for every payment that may have moved meanwhile: of a payment that has ended
// and is still in memory too, for what its bill owed may be paid by now.
func (b *Box) Session(ctx context.Context, s wire.Session) error {
	_, err := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.session(s) })
	return err
}

func (b *Box) session(s wire.Session) error {
	if s.JournalState == "restored" && !b.restored {
		if err := b.j.MarkRestored(context.Background(), "the integrator knows more than the journal"); err != nil {
			return b.failed(err)
		}
		if err := b.foundCopy(); err != nil {
			return err
		}
	}
	if b.numbers.Copy && s.JournalState == "known" {
		return errors.New("session of a copied journal: the integrator has not been told yet") // the next one tells it
	}
	t := b.begin()
	t.lease(s.Numbers)
	lost := s.Ledger == wire.LedgerRestored
	if lost {
		t.batch.Puts = append(t.batch.Puts, again(true))
	}
	ask := map[string]bool{}
	if s.Snapshot != nil {
		t.batch.Seen = s.Snapshot.Seq
		for _, id := range s.Snapshot.Payments {
			ask[id] = true
		}
	}
	for _, p := range b.all() {
		if p.Sent && (s.Snapshot != nil || p.Stage == lane.Restored) {
			ask[p.BillID] = true
		}
	}
	for _, c := range b.j.Calls() {
		if c.Method == wire.BillGet {
			delete(ask, c.Order) // is asked already
		}
	}
	for id := range ask {
		t.batch.Calls = append(t.batch.Calls, b.getCall(id, t.now))
	}
	if err := t.commit(); err != nil {
		return err
	}
	if lost {
		b.ledgerLost()
	}
	b.offer.Store(nil) // of the session before this one
	b.link.providers, b.link.scan, b.link.silent, b.link.opened = s.Providers, s.ScanProviders, s.Silent, true
	return nil
}

// getCall reads a bill. Its id is new each time: a stored answer to an earlier one would be an old snapshot.
func (b *Box) getCall(id string, now time.Time) record.Call {
	b.gets++
	params, _ := json.Marshal(wire.Get{Payment: id})
	n := strconv.FormatInt(now.UnixMilli(), 10) + "." + strconv.Itoa(b.gets)
	return record.Call{ID: id + ":" + lane.VerbGet + ":" + n, Order: id, Method: wire.BillGet, Params: params}
}

// readAgain asks for a bill that this step has taken over (E2c, E33a): what was told of it before was of an unknown payment
// (E32), and the answer that it came in may be older than that, for the server writes answers and events side by side.
func (t *tx) readAgain(bill string) {
	t.batch.Calls = append(t.batch.Calls, t.b.getCall(bill, t.now))
}

// lease takes a block of numbers in.
func (t *tx) lease(n *payment.Numbers) {
	have := t.b.numbers
	have.Copy = false // who leases has been told
	if next, ok := have.lease(n); ok {
		t.numbers = &next
		t.batch.Puts = append(t.batch.Puts, next.put())
	}
}

// Hint takes in what the integrator lets the box know: which providers take payments, and numbers of a new day. Others
// say nothing to it.
func (b *Box) Hint(method string, params json.RawMessage) {
	var p wire.Providers
	var c wire.Clock
	switch {
	case method == wire.HintProviders && wire.Into(params, &p) == nil:
		b.Providers(p)
	case method == wire.HintClock && wire.Into(params, &c) == nil && c.Numbers != nil:
		b.Numbers(*c.Numbers)
	}
}

// Link says that the line is up or down. It does not wait: the loop sees the newest word.
func (b *Box) Link(up bool) {
	b.lineUp.Store(up)
	select {
	case b.line <- struct{}{}:
	default: // the loop has not looked yet, and will see this word
	}
}

// Providers says which providers take new payments from now on, in place of what the session said. It does not wait: the
// loop sees the newest word.
func (b *Box) Providers(p wire.Providers) {
	b.offer.Store(&p)
	select {
	case b.line <- struct{}{}:
	default: // as in Link
	}
}

// Numbers takes in a block that the integrator has leased unasked, because a business day has begun. It does not wait, as
// Providers.
func (b *Box) Numbers(n payment.Numbers) {
	b.leased.Store(&n)
	select {
	case b.line <- struct{}{}:
	default: // as in Link
	}
}

// lineMoved takes the newest word about the line, and what is behind it, in.
func (b *Box) lineMoved() {
	if p := b.offer.Swap(nil); p != nil {
		b.link.providers, b.link.scan, b.link.silent = p.Show, p.Scan, p.Silent
		b.log.Info("providers that take payments", "show", p.Show, "scan", p.Scan)
	}
	if n := b.leased.Swap(nil); n != nil {
		t := b.begin()
		t.lease(n)
		if err := t.commit(); err != nil {
			b.log.Error("numbers of a new day not journalled", "err", err)
		}
	}
	up := b.lineUp.Load()
	if up == b.link.up {
		return
	}
	b.link.up, b.link.since = up, time.Now()
	b.log.Info("line to the integrator", "up", up)
	for _, l := range b.lanes { // without a line nobody has more time for his code
		if p := b.pays[l.shows]; p != nil {
			b.glass(p)
		}
	}
}

// Event takes one event of the integrator in: one Batch with the payment's change and the event's seq.
func (b *Box) Event(ctx context.Context, e wire.Event) error {
	_, err := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.event(e) })
	return err
}

func (b *Box) event(e wire.Event) error {
	t := b.begin()
	t.batch.Seen = e.Seq
	var bill payment.Bill
	if err := json.Unmarshal(e.Body, &bill); err != nil || bill.Payment == "" {
		return t.park(e, "a body that is no bill")
	}
	p, err := b.get(bill.Payment)
	if unknown(err) {
		return t.park(e, "an unknown payment")
	}
	if err != nil {
		return err
	}
	older(&bill, e.Age)
	d, err := t.step(p, lane.Event{Kind: lane.Kind(e.Type), Bill: &bill, Stale: e.Fresh > 0 && e.Age > e.Fresh})
	if err != nil {
		return err
	}
	if len(d.rows) == 0 {
		return t.park(e, "no row for it")
	}
	if err := t.early(d); err != nil {
		return err
	}
	return t.commit()
}

// older takes from what the bill says is left the time that the event has waited for the line. What has run out keeps a
// millisecond: 0 is that there is no such clock.
func older(b *payment.Bill, age int64) {
	for _, left := range []*int64{&b.RemainingMS, &b.MaxOpenMS, &b.LeaseMS, &b.ExitMS} {
		if *left > 0 {
			*left = max(*left-age, 1)
		}
	}
}

// early charges a code that was read before it could be charged (C1a), in the Batch that makes it possible.
func (t *tx) early(d *draft) error {
	if d.p.Stage != lane.Submitted || d.next.Stage != lane.WaitingCode || d.code.Empty() {
		return nil
	}
	took, err := t.scanned(d.pay, d.code, d.codeRead)
	if !took {
		d.code = payment.Code{} // too old by now
	}
	return err
}

// park is E32: kept for a person, acknowledged, and the stream goes on.
func (t *tx) park(e wire.Event, why string) error {
	body, err := json.Marshal(struct {
		Type string          `json:"type"`
		Why  string          `json:"why"`
		Body json.RawMessage `json:"body,omitempty"`
	}{e.Type, why, valid(e.Body)})
	if err != nil {
		return err
	}
	t.batch.Puts = append(t.batch.Puts, record.Put{Bucket: bucketParked, Key: strconv.FormatInt(e.Seq, 10), Body: body})
	t.b.log.Error("event parked", "seq", e.Seq, "type", e.Type, "why", why)
	t.b.took("", []string{"E32"})
	return t.commit()
}

func valid(body json.RawMessage) json.RawMessage {
	if json.Valid(body) {
		return body
	}
	return nil
}

func unknown(err error) bool {
	var r *lane.Refusal
	return errors.As(err, &r) && r.Code == lane.NoNotFound
}

// confirmed: this box has said that the goods of the bill left, so nobody waits for it here.
func confirmed(b *payment.Bill) bool {
	return b.Life == payment.Closed && b.Reason == payment.Done && !b.ByDeadline
}

// Answer takes the answer to a call in. A refusal without a code is the server's trouble, not an answer: the call stays
// in the journal and goes out again with the next connection.
func (b *Box) Answer(ctx context.Context, id string, result *wire.Result, problem *wire.Problem) error {
	_, err := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.answer(id, result, problem) })
	return err
}

func (b *Box) answer(id string, result *wire.Result, problem *wire.Problem) error {
	a := lane.Answer{ID: id}
	t := b.begin()
	t.batch.Settled = []string{id}
	switch {
	case result != nil:
		a.Outcome, a.Owed, a.Bill = result.Outcome, result.Owed, result.Bill
		t.lease(result.Numbers)
	case problem == nil || problem.Data.Code == "" || problem.Data.Code == payment.NoSuperseded:
		b.log.Warn("call not answered", "call", id)
		return nil
	default:
		a.Code, a.Why, a.Bill = problem.Data.Code, problem.Data.Why, problem.Data.Bill
	}
	order, verb, _ := strings.Cut(id, ":")
	p, err := b.get(order)
	switch {
	case unknown(err) && a.Bill != nil && !confirmed(a.Bill):
		return t.adoptUnknown(a)
	case unknown(err):
		return t.commit()
	case err != nil:
		return err
	}
	e := lane.Event{Kind: lane.Answered, Answer: &a}
	if strings.HasPrefix(verb, lane.VerbGet+":") {
		e = lane.Event{Kind: lane.Snapshot, Bill: a.Bill}
	}
	d, err := t.step(p, e)
	if err != nil {
		return err
	}
	if err := t.early(d); err != nil {
		return err
	}
	if d.next.BillID != p.p.BillID {
		t.readAgain(d.next.BillID)
	}
	if a.Code != "" {
		b.log.Warn("call refused", "call", id, "payment", d.next.ID, "lane", d.next.Lane, "code", a.Code, "why", a.Why)
	}
	if err := t.commit(); err != nil {
		return err
	}
	b.wake(id, a)
	return nil
}
