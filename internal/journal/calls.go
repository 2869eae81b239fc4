package journal

import (
	"errors"
	"fmt"
	"slices"

	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

// rows is where calls are in the table: n by id, and 0 for one that was settled. The table has no index of the ids, which
// would be two more pages for each call; and a search for one would go through all that wait, which is nothing in a shop and
// would take minutes where a box has to ask about each payment of weeks.
type rows map[string]int64

// take takes in what a batch has moved and is durable.
func (r rows) take(moved rows) {
	for id, n := range moved {
		if n == 0 {
			delete(r, id)
		} else {
			r[id] = n
		}
	}
}

// gone is how many calls a batch has removed.
func (r rows) gone() (n int) {
	for _, at := range r {
		if at == 0 {
			n++
		}
	}
	return n
}

// fewCalls is how many are copied rather than cut off at the front: what is cut off lives as long as those behind it.
const fewCalls = 64

// without is calls but for the n of them that have these ids. Nothing that a reader holds is changed. Where many wait, those
// that are answered stand at the front as a rule, and are cut off: to copy the others each time would be work without an end
// where a box has to ask about each payment of weeks. A call that holds a customer's code is not left behind them.
func without(calls []record.Call, ids []string, n int) []record.Call {
	for n > 0 && len(calls) > fewCalls && !calls[0].Volatile && slices.Contains(ids, calls[0].ID) {
		calls, n = calls[1:], n-1
	}
	if n == 0 {
		return calls
	}
	kept := make([]record.Call, 0, len(calls)-n)
	for _, c := range calls {
		if !slices.Contains(ids, c.ID) {
			kept = append(kept, c)
		}
	}
	return kept
}

// errTwice: a call of this id waits already. Ids are made new, so this is a fault of ours.
var errTwice = errors.New("its id is not new")

// writeCalls writes the batch's calls, and removes those that it settles.
func (j *Journal) writeCalls(tx *sqlitedb.Tx, b record.Batch) (rows, error) {
	if len(b.Calls)+len(b.Settled) == 0 {
		return nil, nil
	}
	moved := make(rows, len(b.Calls)+len(b.Settled))
	for i := range b.Calls {
		c := &b.Calls[i]
		if j.row(moved, c.ID) != 0 {
			return nil, fmt.Errorf("commit call %s: %w", c.ID, errTwice)
		}
		var params any // NULL for a volatile call
		if !c.Volatile {
			params = blob(c.Params)
		}
		done, err := tx.Exec(callSQL, c.ID, c.Order, c.Method, params, c.Volatile)
		if err == nil {
			moved[c.ID], err = done.LastInsertId()
		}
		if err != nil {
			return nil, fmt.Errorf("commit call %s: %w", c.ID, err)
		}
	}
	for _, id := range b.Settled {
		n := j.row(moved, id)
		if n == 0 {
			continue // it was settled before, or never there
		}
		if _, err := tx.Exec(settleSQL, n); err != nil {
			return nil, fmt.Errorf("settle call %s: %w", id, err)
		}
		moved[id] = 0
	}
	return moved, nil
}

// row is where the call of this id waits, 0 if none does: as the batch under way leaves it, the batches of its group before
// it, and what is durable. Of the writer's goroutine.
func (j *Journal) row(moved rows, id string) int64 {
	for _, r := range [...]rows{moved, j.group, j.rows} {
		if n, ok := r[id]; ok {
			return n
		}
	}
	return 0
}

// Calls is every call that is not settled, in the order of their commits. Nobody may change what it answers.
func (j *Journal) Calls() []record.Call {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.calls[:len(j.calls):len(j.calls)]
}
