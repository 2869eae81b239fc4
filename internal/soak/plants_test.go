package soak_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"tilld/integrator"
	"tilld/integrator/store/sqlite"
	"tilld/internal/planted"
	"tilld/internal/wire"
)

// Bugs to plant: what the line's faults and the clocks' steps must bring to light.
const (
	twiceNew = "a call that comes again is a new one"
	ackFirst = "an event is acknowledged, and then lost"
	forgets  = "the ledger forgets where its time stood"
)

// TestLineFindsPlantedBugs and the next run a part of a test, at full depth.
func TestLineFindsPlantedBugs(t *testing.T) {
	finds(t, twiceNew, "TestLine$/scanned/twice", `twice at "bill.return 1": see above`, "TILLD_FRAME=bill.return 1")
	finds(t, ackFirst, "TestLine$/^shown$/cut_before", "the sale ended expired", "TILLD_FRAME=event bill.open 1")
}

func TestClocksFindPlantedBugs(t *testing.T) {
	finds(t, forgets, "TestClocksStep$/^back$/^shown,_nobody_pays$", "a code of two minutes, three minutes later")
	finds(t, forgets, "TestOneClockSteps$/^shown,_nobody_pays$/^server_by_-10_years,_restart_true$", "a code of two minutes, three minutes later")
}

func finds(t *testing.T, bug, part, says string, more ...string) {
	t.Helper()
	planted.Find(t, bug, part, says, append(more, "TILLD_DEPTH=prove")...)
}

// ledger is where the integrator keeps its bills, and at times with a bug.
func (w *town) ledger(s *sqlite.Store) integrator.Store {
	if planted.Bug() == forgets {
		return forgetful{s}
	}
	return s
}

type forgetful struct{ *sqlite.Store }

// Reckoning is always that of a new ledger.
func (forgetful) Reckoning(context.Context) (integrator.Reckoning, error) {
	return integrator.Reckoning{}, nil
}

// office is what the terminals talk to: the integrator, and at times with a bug.
func (w *town) office(s *integrator.Service) terminalOffice {
	return terminalOffice{Service: s, plant: planted.Bug(), calls: &calls{seen: map[string]bool{}}}
}

type terminalOffice struct {
	*integrator.Service
	plant string
	calls *calls
}

type calls struct {
	mu   sync.Mutex
	seen map[string]bool
}

// again says whether a call has come before.
func (c *calls) again(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.seen[id]
	c.seen[id] = true
	return was
}

// Call answers a call of the box.
func (o terminalOffice) Call(ctx context.Context, terminal string, epoch int64, id, method string, params json.RawMessage) (*wire.Result, *wire.Problem, error) {
	if o.plant == twiceNew && method == wire.BillReturn && o.calls.again(id) {
		var r wire.Return
		if err := wire.Into(params, &r); err != nil {
			return nil, nil, err
		}
		r.Key += "2"
		id += "2"
		params, _ = json.Marshal(r)
	}
	return o.Service.Call(ctx, terminal, epoch, id, method, params)
}

// Event takes an event in.
func (b *box) Event(ctx context.Context, e wire.Event) error {
	if planted.Bug() == ackFirst && b.resumed.CompareAndSwap(true, false) {
		return nil
	}
	return b.Box.Event(ctx, e)
}
