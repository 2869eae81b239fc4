package lane_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/internal/depth"
	"tilld/payment"
	"tilld/payment/lane"
)

// TestSearchPairs goes through the states that two payments of one box reach together and finds every promise kept, both
// payments' own and those that belong to the pair; from each a way leads both to their ends.
func TestSearchPairs(t *testing.T) {
	states, steps, rows, met := 0, 0, map[string]int{}, map[string]int{}
	most := depth.Figure(t, "states of each couple", 250, 500, 40_000) // some have fewer
	for _, c := range couples() {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			x := newPairs(c, lane.Rows)
			bad, whole := x.run(most)
			if bad != "" {
				t.Error(bad)
			}
			for id, n := range x.rows {
				rows[id] += n
			}
			for what, n := range x.met {
				met[what] += n
			}
			states, steps = states+len(x.seen), steps+x.steps
			t.Logf("%d states (all there are: %v), %d steps, %d rows, %v", len(x.seen), whole, x.steps, len(x.rows), time.Since(began).Round(time.Millisecond))
		})
	}
	var never []string
	for _, r := range lane.Rows {
		if rows[r.ID] == 0 {
			never = append(never, r.ID)
		}
	}
	t.Logf("%d states, %d steps, %d rows taken; never by pairs: %v", states, steps, len(rows), never)
	for _, id := range strings.Fields("E3s E4 E19 E32 C1a E1x") {
		if t.Logf("once without a search: %s, now taken %d times", id, rows[id]); rows[id] == 0 {
			t.Errorf("no search takes %s", id)
		}
	}
	for _, what := range once {
		if t.Logf("once without a search: %s, now in %d states", what, met[what]); met[what] == 0 {
			t.Errorf("no search comes to %s", what)
		}
	}
}

type change = func(*payment.Row[lane.Payment, lane.Event, lane.Effect])

// spoilt is the table with some of its rows changed.
func spoilt(t *testing.T, rows map[string]change) lane.Table {
	t.Helper()
	table := slices.Clone(lane.Rows)
	for id, f := range rows {
		i := slices.IndexFunc(table, func(r payment.Row[lane.Payment, lane.Event, lane.Effect]) bool { return r.ID == id })
		if i < 0 {
			t.Fatalf("there is no row %s", id)
		}
		f(&table[i])
	}
	return table
}

// never takes a row out.
func never(r *payment.Row[lane.Payment, lane.Event, lane.Effect]) {
	r.Match = func(lane.Payment, lane.Event) bool { return false }
}

// also lets a row be taken for more.
func also(more func(lane.Payment, lane.Event) bool) change {
	return func(r *payment.Row[lane.Payment, lane.Event, lane.Effect]) {
		match := r.Match
		r.Match = func(p lane.Payment, e lane.Event) bool { return match(p, e) || more(p, e) }
	}
}

// then changes what a row left behind.
func then(f func(*lane.Payment)) change {
	return func(r *payment.Row[lane.Payment, lane.Event, lane.Effect]) {
		do := r.Do
		r.Do = func(p lane.Payment, e lane.Event) (lane.Payment, []lane.Effect) {
			p, fx := do(p, e)
			f(&p)
			return p, fx
		}
	}
}

// TestSearchFindsPlantedFaults changes a row at a time, most into what an earlier form of the table said: a search that
// misses one proves nothing.
func TestSearchFindsPlantedFaults(t *testing.T) {
	dropped := func(verb string) func(*lane.Payment) {
		return func(p *lane.Payment) {
			p.Calls = slices.DeleteFunc(slices.Clone(p.Calls), func(c lane.Call) bool { return c.Verb == verb })
		}
	}
	old, parked, scanned := couples()[0], couples()[3], couples()[4]
	for _, f := range []struct {
		fault string
		rows  map[string]change
		in    couple
	}{
		{"V1: money that comes behind a return is a payment", map[string]change{
			"E10a": never, "E6": also(func(p lane.Payment, e lane.Event) bool { return p.Returning() && e.Kind == payment.EvPaid }),
		}, old},
		{"V3: late money on offer is a payment", map[string]change{
			"E7": never, "E6": also(func(p lane.Payment, e lane.Event) bool { return p.Stage == lane.Open && e.Kind == payment.EvLate }),
		}, old},
		{"V4: the till's accept is a payment before the integrator's word", map[string]change{
			"E8": then(func(p *lane.Payment) { p.Stage = lane.Paid }),
		}, old},
		{"V17: what was sent is not in the record", map[string]change{"E2": then(func(p *lane.Payment) { p.Sent = false })}, old},
		{"V21: a bill that closes has no row", map[string]change{"E11": never}, old},
		{"V35: the new one asks no gate", map[string]change{
			"E1c": also(func(p lane.Payment, e lane.Event) bool {
				return p.Stage == lane.Submitted && !p.Sent && p.Waiting && e.Kind == lane.LinkReady && e.Link
			}),
		}, old},
		{"V37: an override leaves the waiting one waiting", map[string]change{"E13r": never}, old},
		{"V40: a parked payment opens again", map[string]change{
			"E3d": also(func(p lane.Payment, e lane.Event) bool {
				return p.Parked && p.Stage == lane.Closing && p.Closing == lane.ByExpiry && e.Kind == payment.EvOpen
			}),
		}, parked},
		{"V41: a parked payment waits for another code", map[string]change{"C4p": never}, scanned},
		{"V42: what is parked keeps its lane", map[string]change{"E12p": then(func(p *lane.Payment) { p.Parked = false })}, parked},
		{"a confirm is not sent", map[string]change{"E14": then(dropped(lane.VerbConfirm))}, old},
		{"a server answers bad_params to a return, and that is that", map[string]change{"E10n": never}, old},
		{"a fence that was refused twice is not asked for again", map[string]change{"E10n": then(func(p *lane.Payment) {
			if p.Trouble != "" && len(p.Calls) > 0 && strings.HasSuffix(p.Calls[0].ID, ":again") && p.UnderReview() {
				p.Calls = nil
			}
		})}, old},
		{"a bill that is known by its reference alone is this sale's", map[string]change{
			"E2u": never, "E33a": then(func(p *lane.Payment) {
				if b := p.Bill; p.Stage == lane.Restored && b != nil && b.Life == payment.Closed && b.Reason == payment.Done && !b.ByDeadline {
					p.Stage, p.NoGoods = lane.Done, false
				}
			}),
		}, old},
		{"a bill that a restored ledger does not know was never paid", map[string]change{"E31l": never}, old},
		{"the fence of a replaced payment is not sent", map[string]change{"E1b": then(dropped(lane.VerbReturn))}, old},
	} {
		t.Run(f.fault, func(t *testing.T) {
			x := newPairs(f.in, spoilt(t, f.rows))
			bad, _ := x.run(20_000)
			if bad == "" {
				t.Fatalf("not found in %d states", len(x.seen))
			}
			t.Logf("found after %d states: %s", len(x.seen), strings.SplitN(bad, "\n", 2)[0])
		})
	}
}
