package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"tilld/internal/failpoint"
	"tilld/internal/wire"
	"tilld/internal/ws"
)

// calls is every method a box may call once its session is open.
func calls() []string {
	return []string{
		wire.BillCreate, wire.BillGet, wire.BillReturn, wire.BillConfirm, wire.BillCharge, wire.BillChargeVoid,
		wire.BillAcceptLate, wire.BillExtend, wire.PrepaymentApply,
	}
}

// take deals with a frame as Receive gave it; an error ends the connection.
func (x *session) take(p []byte, err error) error {
	m, err := decode(p, err)
	switch {
	case err != nil:
		return err
	case m.IsAnswer() || (m.IsCall() && m.Method == wire.SessionOpen):
		return malformed("not a frame for an open session")
	case m.IsCall() && !slices.Contains(calls(), m.Method):
		return x.answer(m.ID, nil, &wire.Problem{
			Code: wire.CodeUnknownMethod, Message: "this server has no such method", Data: wire.ProblemData{Code: wire.NoUnknownMethod},
		})
	case m.IsCall():
		return x.call(m)
	case m.Method == wire.EventAck:
		return x.ack(m.Params)
	case strings.HasPrefix(m.Method, wire.HintPrefix):
		x.hint(m)
		return nil
	}
	return malformed("unknown notification")
}

// call queues a call behind those of its payment, and runs it at once if there are none: payments side by side, the
// calls of one payment one after another.
func (x *session) call(m wire.Message) error {
	var of struct {
		Payment string `json:"payment"`
	}
	if err := wire.Into(m.Params, &of); err != nil || !wire.ValidKey(of.Payment) {
		return x.answer(m.ID, nil, &wire.Problem{
			Code: wire.CodeBadParams, Message: "params must name a payment", Data: wire.ProblemData{Code: wire.NoBadParams},
		})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flying >= wire.MaxInFlight {
		return malformed("too many calls in flight")
	}
	x.flying++
	if x.orders == nil {
		x.orders = map[string][]wire.Message{}
	}
	waiting, running := x.orders[of.Payment]
	if running {
		x.orders[of.Payment] = append(waiting, m)
	} else {
		x.orders[of.Payment] = nil
		x.start(func(ctx context.Context) { x.serial(ctx, of.Payment, m) })
	}
	return nil
}

// serial answers the calls of one payment in order until none waits.
func (x *session) serial(ctx context.Context, order string, m wire.Message) {
	for {
		if err := x.ask(ctx, m); err != nil {
			x.fail(ctx, err)
			return
		}
		x.mu.Lock()
		waiting := x.orders[order]
		if len(waiting) == 0 {
			if delete(x.orders, order); len(x.orders) == 0 {
				x.orders = nil
			}
			x.mu.Unlock()
			return
		}
		m, x.orders[order] = waiting[0], waiting[1:]
		x.mu.Unlock()
	}
}

func (x *session) ask(ctx context.Context, m wire.Message) error {
	ctx, cancel := context.WithTimeout(ctx, officeLimit)
	defer cancel()
	if failpoint.Planted(failpoint.TwiceTaken) {
		m = asIfNew(m)
	}
	result, problem, err := x.s.office.Call(ctx, x.terminal, x.epoch, m.ID, m.Method, m.Params)
	if err != nil {
		return err
	}
	x.mu.Lock()
	x.flying-- // before the answer leaves: the box may send the next as soon as it has it
	x.mu.Unlock()
	return x.answer(m.ID, result, problem)
}

func (x *session) answer(id string, result *wire.Result, problem *wire.Problem) error {
	var p []byte
	var err error
	if problem != nil {
		p, err = wire.EncodeProblem(id, problem)
	} else {
		p, err = wire.EncodeResult(id, result)
	}
	if err != nil {
		return err
	}
	return x.conn.Send(ws.Call, p)
}

// fail closes the connection after an error of the Office or the queue.
func (x *session) fail(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil, errors.Is(err, ws.ErrClosed), errors.Is(err, ws.ErrBehind):
		// already ending
	case errors.Is(err, ErrSuperseded):
		x.conn.Close(wire.CloseSuperseded, "superseded")
	case errors.Is(err, ErrRestored):
		x.log().Error("a box runs on a copy of its journal", "terminal", x.terminal, "epoch", x.epoch)
		x.conn.Close(wire.CloseOverload, "open the session anew")
	default:
		x.log().Error("a terminal's work failed", "terminal", x.terminal, "epoch", x.epoch, "err", err)
		x.conn.Close(wire.CloseOverload, "overloaded")
	}
	x.stop()
}

// hint takes the box's word for what it is worth; unknown hints are ignored.
func (x *session) hint(m wire.Message) {
	switch m.Method {
	case wire.HintBusy:
		var b wire.Busy
		if wire.Into(m.Params, &b) == nil {
			x.pace(b.Open > 0)
		}
	case wire.HintGauges:
		var g wire.Gauges
		if wire.Into(m.Params, &g) != nil || g.Writes < 0 || g.NumbersLeft != nil && *g.NumbersLeft < 0 {
			return
		}
		x.mu.Lock()
		x.writes, x.left = g.Writes, g.NumbersLeft
		x.look()
		x.mu.Unlock()
	}
}

// asIfNew is the planted bug TwiceTaken: a return that comes again is another one.
func asIfNew(m wire.Message) wire.Message {
	var r wire.Return
	if _, again := returns.LoadOrStore(m.ID, true); !again || m.Method != wire.BillReturn || wire.Into(m.Params, &r) != nil {
		return m
	}
	r.Key += "2"
	m.ID += "2"
	m.Params, _ = json.Marshal(r)
	return m
}

var returns sync.Map // of asIfNew: the ids that have come
