package checkout

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// A ledger that was put back from a copy has lost what it had committed since. What was not over in it comes under review,
// and the box is told (rows E10l, E15l). What was over, it has no reason to look at: the box goes through its own journal
// and asks about each bill that it was promised something of, and the snapshot shows what is missing (rows E10l, E16l). A
// confirm of all that was paid changes no sum: it is missed, and said again, once something goes back (row E16l).

const (
	bucketAgain = "again"  // key ledger: live until every such bill was asked about
	keyLedger   = "ledger" //
	againAtOnce = 32       // bills asked about in one commit
)

// promised are the types of events that may tell of something which the integrator has committed, or is to: a return after
// the goods, a fence, other money that was taken, an end by a return (its fence may have been answered behind it), a confirm
// of less than was paid (the rest goes back).
var promised = []string{lane.EvReturning, lane.EvFenced, lane.EvOverridden, lane.EvEnded, lane.EvConfirmed}

// tells says whether an event of promised does. One that cannot be read does.
func tells(e record.Event) bool {
	if e.Type != lane.EvEnded && e.Type != lane.EvConfirmed {
		return true
	}
	var p struct {
		State string        `json:"state"`
		Paid  payment.Money `json:"paid"`
		Final payment.Money `json:"final"`
	}
	switch err := json.Unmarshal(e.Data, &p); {
	case err != nil:
		return true
	case e.Type == lane.EvEnded:
		return p.State == "returned" || p.State == "canceled"
	}
	return p.Final.Value < p.Paid.Value
}

// ledgerLost begins askAgain, unless it runs. The loop calls it once bucketAgain is live.
func (b *Box) ledgerLost() {
	if b.asking {
		return
	}
	b.asking = true
	b.beside(b.askAgain)
}

// bootAgain goes on where an earlier run has ended.
func (b *Box) bootAgain(ctx context.Context) error {
	puts, err := b.j.Live(ctx, bucketAgain)
	if err != nil {
		return b.failed(err)
	}
	if len(puts) > 0 {
		b.ledgerLost()
	}
	return nil
}

// again marks bucketAgain.
func again(live bool) record.Put {
	return record.Put{Bucket: bucketAgain, Key: keyLedger, Live: live, Body: json.RawMessage("true")}
}

// askAgain runs beside the loop: a year of events is too much to read while a till waits.
func (b *Box) askAgain(ctx context.Context) {
	ids, err := b.promisedTo(ctx)
	var asked map[string]bool // made in the loop: bills that a waiting call reads
	for chunk := range slices.Chunk(ids, againAtOnce) {
		if err == nil {
			_, err = ask(ctx, b, func() (struct{}, error) {
				if asked == nil {
					asked = b.read()
				}
				return struct{}{}, b.getAgain(chunk, asked)
			})
		}
	}
	_, end := ask(ctx, b, func() (struct{}, error) { return struct{}{}, b.askedAgain(len(ids), err == nil) })
	if err = errors.Join(err, end); err != nil && ctx.Err() == nil {
		b.log.Error("what the integrator may have lost was not asked about; the next start tries again", "err", err)
	}
}

// promisedTo are the payments with an event that tells of a promise, the oldest first: all that the journal still holds. It is
// asked once, and a wall clock that is ahead at that moment must not make it forget any.
func (b *Box) promisedTo(ctx context.Context) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	err := b.j.Typed(ctx, promised, func(e record.Event) error {
		if !seen[e.Subject] && tells(e) {
			seen[e.Subject] = true
			ids = append(ids, e.Subject)
		}
		return nil
	})
	return ids, err
}

// read are the bills that a call which waits is to read.
func (b *Box) read() map[string]bool {
	out := map[string]bool{}
	for _, c := range b.j.Calls() {
		if c.Method == wire.BillGet && strings.HasPrefix(c.ID, c.Order+":") {
			out[c.Order] = true
		}
	}
	return out
}

// getAgain asks about the bills of these payments, but for those in asked. What was asked when this began, and has been
// answered since, was answered by the copy.
func (b *Box) getAgain(ids []string, asked map[string]bool) error {
	t := b.begin()
	for _, id := range ids {
		p, err := b.get(id)
		if unknown(err) {
			continue
		}
		if err != nil {
			return err
		}
		if p.p.Sent && !asked[p.p.BillID] {
			asked[p.p.BillID] = true
			t.batch.Calls = append(t.batch.Calls, b.getCall(p.p.BillID, t.now))
		}
	}
	return t.commit()
}

// askedAgain takes the mark off, once all were asked about.
func (b *Box) askedAgain(n int, all bool) error {
	b.asking = false
	if !all {
		return nil
	}
	b.log.Warn("the integrator's ledger was put back from a copy: asked about what it may have lost", "payments", n)
	t := b.begin()
	t.batch.Puts = append(t.batch.Puts, again(false))
	return t.commit()
}
