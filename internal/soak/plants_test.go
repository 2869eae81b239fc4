package soak_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"tilld/integrator"
	"tilld/internal/wire"
)

// Bugs to plant: what the line's faults must bring to light.
const (
	twiceNew = "a call that comes again is a new one"
	ackFirst = "an event is acknowledged, and then lost"
)

// TestLineFindsPlantedBugs runs a part of TestLine in a process of its own, which must fail, and say why.
func TestLineFindsPlantedBugs(t *testing.T) {
	for _, x := range []struct{ plant, part, frame, says string }{
		{twiceNew, "TestLine$/scanned/twice", "bill.return 1", `twice at "bill.return 1": see above`},
		{ackFirst, "TestLine$/^shown$/cut_before", "event bill.open 1", "the sale ended expired"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", x.part, "-test.timeout", "2m")
		cmd.Env = append(os.Environ(), "TILLD_PLANT="+x.plant, "TILLD_DEPTH=prove", "TILLD_FRAME="+x.frame)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), x.says) {
			t.Errorf("not found: %s (%v)\n%s", x.plant, err, out)
		}
	}
}

// office is what the terminals talk to: the integrator, and at times with a bug.
func (w *town) office(s *integrator.Service) terminalOffice {
	return terminalOffice{Service: s, plant: os.Getenv("TILLD_PLANT"), calls: &calls{seen: map[string]bool{}}}
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
	if os.Getenv("TILLD_PLANT") == ackFirst && b.resumed.CompareAndSwap(true, false) {
		return nil
	}
	return b.Box.Event(ctx, e)
}
