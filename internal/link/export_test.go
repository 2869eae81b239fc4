package link

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
)

// Backlog is a session of a box whose calls, of as many payments, all wait, as after a server's ledger was put back. A Step
// of it takes one answer in, and lets leave what may leave; another call comes behind the others.
type Backlog struct {
	x     *session
	calls []record.Call
	n     int
}

// NewBacklog is one of n calls.
func NewBacklog(n int) *Backlog {
	b := &Backlog{}
	for range n {
		b.add()
	}
	b.x = &session{l: &Link{calls: b}, owner: owner{b: b}, outbox: outbox{
		flying: map[string]string{}, over: map[string]struct{}{}, look: make(chan struct{}, 1),
	}}
	b.x.due()
	return b
}

func (b *Backlog) add() {
	b.n++
	order := fmt.Sprint("p", b.n)
	b.calls = append(b.calls, record.Call{ID: order + ":get:1", Order: order, Method: wire.BillGet, Params: json.RawMessage(`{}`)})
}

// Calls is what waits.
func (b *Backlog) Calls() []record.Call { return b.calls[:len(b.calls):len(b.calls)] }

// Step is the answer to the oldest, and what leaves behind it.
func (b *Backlog) Step() (left int, err error) {
	b.add()
	if err := b.x.answer(context.Background(), wire.Message{ID: b.calls[0].ID, Result: json.RawMessage(`{"outcome":"bill"}`)}); err != nil {
		return 0, err
	}
	return len(b.x.due()), nil
}

// owner settles what is answered.
type owner struct {
	wire.Owner
	b *Backlog
}

func (o owner) Answer(context.Context, string, *wire.Result, *wire.Problem) error {
	o.b.calls = o.b.calls[1:]
	return nil
}

// Delays is how long the tries after n failures in a row would wait.
func Delays(n int, jitter time.Duration, open bool, err error) []time.Duration {
	var b backoff
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = b.next(jitter, open, err)
	}
	return out
}

// Sentence is what Status says of err.
func Sentence(err error) (text, remedy string, person bool) {
	t := why(err)
	return t.text, t.remedy, t.person
}
