package link

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

// outbox is what of the journal's calls is on its way on this connection.
type outbox struct {
	mu     sync.Mutex
	flying map[string]string   // id → order, sent and not answered
	over   map[string]struct{} // answered, and left in the journal by their owner: never again on this connection
	look   chan struct{}       // an answer came; capacity 1
}

// send sends what may be sent, again after every Wake and answer, and tells the server whether payments are open.
func (x *session) send(ctx context.Context) {
	busy := -1
	beat := time.NewTimer(x.every(false))
	defer beat.Stop()
	for {
		was := busy
		if busy = x.pace(busy); (busy > 0) != (was > 0) {
			beat.Reset(x.every(busy > 0))
		}
		for _, call := range x.due() {
			p, err := wire.EncodeCall(call.ID, call.Method, call.Params)
			if err != nil {
				// It can never leave, and holds up its payment alone. No text of it may be logged.
				x.l.cfg.Log.Error("a call cannot be sent", "call", call.ID, "method", call.Method)
				continue
			}
			if err := x.c.Send(ws.Call, p); err != nil {
				x.c.Close(1000, "") // the reader ends with it
				return
			}
		}
		select {
		case <-x.l.wake:
		case <-x.look:
		case <-beat.C:
			x.gauge()
			beat.Reset(x.every(busy > 0))
		case <-ctx.Done():
			return
		}
	}
}

// every is how often the server is told how far the journal has come: with the heartbeat.
func (x *session) every(open bool) time.Duration {
	if open {
		return max(x.busy, gaugesLeast)
	}
	return max(x.beat, gaugesLeast)
}

// gauge says how far the journal has come, if that has changed.
func (x *session) gauge() {
	st := x.l.about.About()
	if st.Writes == x.told {
		return
	}
	x.told = st.Writes
	if p, err := wire.EncodeNote(wire.HintGauges, wire.Gauges{Writes: st.Writes, NumbersLeft: &st.NumbersLeft}); err == nil {
		x.c.Latest(wire.HintGauges, p)
	}
}

// due takes the calls that may leave now: the first of each order, unless one of it is on its way, and never more than
// wire.MaxInFlight in all. A volatile call without params cannot be sent any more: it holds its order until its owner
// puts another in its place. It looks no further than it must: a box may have to ask about each payment of weeks.
func (x *session) due() []record.Call {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := x.l.calls.Calls() // under the lock: a call whose answer is taken in meanwhile would be in the list, and on its way no more
	held := make(map[string]bool, len(x.flying))
	for _, order := range x.flying {
		held[order] = true
	}
	var out []record.Call
	for _, call := range all {
		if len(x.flying) >= wire.MaxInFlight {
			break
		}
		if held[call.Order] {
			continue
		}
		held[call.Order] = true
		if _, ok := x.over[call.ID]; ok || len(call.Params) == 0 {
			continue
		}
		x.flying[call.ID] = call.Order
		out = append(out, call)
	}
	return out
}

// answer takes the answer to a call in. An answer that nobody waits for is not ours.
func (x *session) answer(ctx context.Context, m wire.Message) error {
	x.mu.Lock()
	_, ok := x.flying[m.ID]
	x.mu.Unlock()
	if !ok {
		return &broken{"an answer to a call that was not made"}
	}
	var result *wire.Result
	if m.Problem == nil {
		result = &wire.Result{}
		if err := wire.Into(m.Result, result); err != nil || result.Outcome == "" {
			return &broken{"an answer without an outcome"}
		}
	}
	left := -1
	if at := x.waiting(m.ID, math.MaxInt); at >= 0 {
		if err := x.owner.Answer(ctx, m.ID, result, m.Problem); err != nil {
			return fmt.Errorf("take the answer of %s in: %w", m.ID, err)
		}
		left = x.waiting(m.ID, at+1)
	}
	x.mu.Lock()
	delete(x.flying, m.ID)
	if left >= 0 {
		x.over[m.ID] = struct{}{}
	}
	x.mu.Unlock()
	select {
	case x.look <- struct{}{}:
	default:
	}
	return nil
}

// waiting is the place of the call among the first n that wait, below 0 if it is not there: one that its owner dropped while
// it was on its way has an answer that nobody needs. What is on its way is among the first, and no call moves away from the
// front: one that had a place is found up to there, or has left.
func (x *session) waiting(id string, n int) int {
	all := x.l.calls.Calls()
	return slices.IndexFunc(all[:min(n, len(all))], func(c record.Call) bool { return c.ID == id })
}

// pace sets the heartbeat by the number of open payments and tells the server if it changed between none and some.
func (x *session) pace(before int) int {
	open := len(x.l.about.About().OpenPayments)
	if before >= 0 && (open > 0) == (before > 0) {
		return open
	}
	if open > 0 {
		x.c.Beat(x.busy)
	} else {
		x.c.Beat(x.beat)
	}
	if p, err := wire.EncodeNote(wire.HintBusy, wire.Busy{Open: open}); err == nil {
		x.c.Latest(wire.HintBusy, p)
	}
	return open
}
