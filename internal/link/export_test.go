package link

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
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

// Answered is a session whose answers come while it looks for what may leave.
type Answered struct {
	wire.Owner
	mu    sync.Mutex
	calls []record.Call
}

// Calls is what waits; who has asked goes on a little later.
func (a *Answered) Calls() []record.Call {
	a.mu.Lock()
	defer func() { runtime.Gosched() }()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Answer settles a call.
func (a *Answered) Answer(_ context.Context, id string, _ *wire.Result, _ *wire.Problem) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = slices.DeleteFunc(a.calls, func(c record.Call) bool { return c.ID == id })
	return nil
}

// Run lets n calls leave, each of an order of its own, and answers each beside that; it ends with the first that leaves again.
func (a *Answered) Run(n int) (left int, again string, err error) {
	for i := range n {
		order := fmt.Sprint("p", i)
		a.calls = append(a.calls, record.Call{ID: order + ":get:1", Order: order, Method: wire.BillGet, Params: json.RawMessage(`{}`)})
	}
	x := &session{l: &Link{calls: a}, owner: a, outbox: outbox{
		flying: map[string]string{}, over: map[string]struct{}{}, look: make(chan struct{}, 1),
	}}
	sent, ended := make(chan string, n), make(chan error, 1)
	defer close(sent)
	go func() {
		answered := 0
		for id := range sent {
			if err := x.answer(context.Background(), wire.Message{ID: id, Result: json.RawMessage(`{"outcome":"bill"}`)}); err != nil {
				ended <- err
				return
			}
			if answered++; answered == n {
				ended <- nil
				return
			}
		}
	}()
	seen := map[string]bool{}
	for {
		for _, c := range x.due() {
			if seen[c.ID] {
				return len(seen), c.ID, nil
			}
			seen[c.ID] = true
			sent <- c.ID
		}
		select {
		case err := <-ended:
			return len(seen), "", err
		default:
		}
	}
}
