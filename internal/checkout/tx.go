package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
)

const (
	bucketPayments = "payments" // key: id; ref: lane/reference; live: in memory
	bucketBills    = "bills"    // key: id of a bill that is not its payment's (E2c); the payment's id
)

// pay is one payment in memory, with what the journal must not or need not hold.
type pay struct {
	p       lane.Payment
	code    payment.Code // of the customer, until it is charged or void; never written
	read    time.Time    // when that code was read
	doubt   doubt
	charged time.Time                // since when the stage is Charging with this attempt, or since the start
	due     map[lane.Clock]time.Time // clocks that run, monotonic
	ends    known                    // ends that the integrator has set, whether their clocks run or not
	asked   map[string]time.Time     // calls that wait for an answer, since when
	onGlass bool                     // the code is to be on the outputs
	showBy  time.Time                // outputs must have shown it by then (E3s); zero when that is decided
	sound   string                   // to go out with the next view
}

type doubt struct {
	since time.Time // zero: none
	why   string    // link, bank
}

func (d doubt) is() bool { return !d.since.IsZero() }

// tx is one step: everything in it is one Batch. It works on drafts; the box takes them over after the commit.
type tx struct {
	b      *Box
	now    time.Time
	batch  record.Batch
	drafts []*draft

	numbers *numbers // as this step leaves them
}

type draft struct {
	*pay       // of the box, or a new one
	next       lane.Payment
	fx         []lane.Effect
	tells      []string
	rows       []string
	newDoubt   doubt
	code       payment.Code // of a scan or a request in this step
	codeRead   time.Time
	fromBefore bool // the journal has it already
}

func (b *Box) begin() *tx { return &tx{b: b, now: time.Now()} }

// draft is the payment as this step has made it so far.
func (t *tx) draft(p *pay) *draft {
	for _, d := range t.drafts {
		if d.pay == p {
			return d
		}
	}
	d := &draft{pay: p, next: p.p, newDoubt: p.doubt, code: p.code, codeRead: p.read, fromBefore: p.p.ID != ""}
	t.drafts = append(t.drafts, d)
	return d
}

// step applies one event to a payment. A refusal comes with the payment as it stands.
func (t *tx) step(p *pay, e lane.Event) (*draft, error) {
	d := t.draft(p)
	e.At, e.Link, e.Attended = t.b.wall(), t.b.link.up, t.b.attended(d.next.Lane)
	e.Doubt = d.newDoubt.is()
	next, fx, rows, err := lane.Take(d.next, e)
	if err != nil {
		var r *lane.Refusal
		if errors.As(err, &r) && r.Payment == nil && d.fromBefore {
			pub := t.b.public(p)
			r.Payment = &pub
		}
		return d, err
	}
	d.next = next
	d.rows = append(d.rows, rows...)
	for _, f := range fx {
		t.effect(d, f)
	}
	if len(rows) > 0 {
		t.b.took(next.ID, rows)
	}
	return d, nil
}

// effect puts what belongs into the Batch there, and keeps the rest for after the commit.
func (t *tx) effect(d *draft, f lane.Effect) {
	switch f.Do {
	case lane.Tell:
		d.tells = append(d.tells, f.Type)
	case lane.Put:
		t.batch.Calls = append(t.batch.Calls, t.call(d, *f.Call))
	case lane.Drop:
		n := len(t.batch.Calls)
		t.batch.Calls = slices.DeleteFunc(t.batch.Calls, func(c record.Call) bool { return c.ID == f.Call.ID })
		if len(t.batch.Calls) == n {
			t.batch.Settled = append(t.batch.Settled, f.Call.ID)
		}
	default:
		d.fx = append(d.fx, f)
	}
}

// commit makes the step durable and then true: the link, memory, clocks, glass and waiters follow the journal. Without
// it nothing has happened. An answer that overtakes the rest of this waits its turn, as every question to the box does.
func (t *tx) commit() error {
	if err := t.sales(); err != nil {
		return err
	}
	for _, d := range t.drafts {
		if d.next.Version == d.p.Version && d.fromBefore {
			continue
		}
		body, err := json.Marshal(d.next)
		if err != nil {
			return fmt.Errorf("write payment %s: %w", d.next.ID, err)
		}
		t.batch.Puts = append(t.batch.Puts, record.Put{
			Bucket: bucketPayments, Key: d.next.ID, Ref: refKey(d.next.Lane, d.next.Reference), Live: t.b.keeps(d.next), Body: body,
		})
		if d.next.BillID != d.next.ID && d.next.BillID != d.p.BillID {
			t.batch.Puts = append(t.batch.Puts, record.Put{Bucket: bucketBills, Key: d.next.BillID, Body: json.RawMessage(`"` + d.next.ID + `"`)})
		}
		if len(d.tells) == 0 {
			continue
		}
		data, err := json.Marshal(t.b.face(d.next, d.newDoubt, endsOf(d, t.now), t.lookup, t.now))
		if err != nil {
			return fmt.Errorf("write event of %s: %w", d.next.ID, err)
		}
		for _, typ := range d.tells {
			t.batch.Events = append(t.batch.Events, record.Event{Type: typ, At: t.b.wall(), Lane: d.next.Lane, Subject: d.next.ID, Data: data})
		}
	}
	if !t.empty() {
		// Begun is begun: a caller who gives up does not take the step back.
		if _, err := t.b.j.Commit(context.Background(), t.batch); err != nil {
			return t.b.failed(err)
		}
		if len(t.batch.Calls) > 0 {
			t.b.waker.Wake() // first: what the box does for itself need not hold up a frame
		}
	}
	if t.numbers != nil {
		t.b.have(*t.numbers)
	}
	for _, d := range t.drafts {
		t.b.adopt(d, t.now)
	}
	if len(t.drafts) > 0 {
		close(t.b.changed)
		t.b.changed = make(chan struct{})
	}
	return nil
}

func (t *tx) empty() bool {
	b := &t.batch
	return len(b.Puts) == 0 && len(b.Events) == 0 && len(b.Calls) == 0 && len(b.Settled) == 0 && b.Seen == 0
}

// sales tells the other payments of a sale what has become of one, in the same Batch. Replaced ones hear that the one in
// their place is over: the other-tender light belongs to the sale (E10r). One that waits hears that the payment before it
// was confirmed after all, by others: its gate would never open (E13r).
func (t *tx) sales() error {
	for _, d := range t.drafts {
		if handed(d.next) && !handed(d.p) && d.next.ReplacedBy != "" {
			if waiting := t.b.waiting(d.next); waiting != nil {
				if _, err := t.step(waiting, lane.Event{Kind: lane.OldOver}); err != nil {
					return err
				}
			}
		}
		if !over(d.next) || over(d.p) && d.fromBefore {
			continue
		}
		for id := d.next.Replaces; id != ""; {
			old, err := t.pay(id)
			if unknown(err) {
				break
			}
			if err != nil {
				return err
			}
			if _, err := t.step(old, lane.Event{Kind: lane.SaleOver}); err != nil {
				return err
			}
			id = old.p.Replaces
		}
	}
	return nil
}

// pay is the payment that this step works on already, else the box's.
func (t *tx) pay(id string) (*pay, error) {
	for _, d := range t.drafts {
		if d.next.ID == id {
			return d.pay, nil
		}
	}
	return t.b.get(id)
}

func over(p lane.Payment) bool {
	return p.Stage == lane.Ended || p.Stage == lane.Overridden || p.Stage == lane.OverriddenEnded
}

func handed(p lane.Payment) bool { return p.Stage == lane.Released || p.Stage == lane.Done }

// lookup finds a payment as this step leaves it: for lights, which belong to the sale.
func (t *tx) lookup(id string) (lane.Payment, bool) {
	for _, d := range t.drafts {
		if d.next.ID == id {
			return d.next, true
		}
	}
	return t.b.lookup(id)
}
