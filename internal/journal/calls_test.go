package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"tilld/internal/depth"
	"tilld/internal/journal"
	"tilld/internal/record"
)

// TestNoStepGoesThroughATable: whatever a step of a sale writes is found by a key, however much there is.
func TestNoStepGoesThroughATable(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, nil)
	db, err := sql.Open("sqlite", "file:"+journal.Path(cfg.Dir)+"")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plan := func(query string) (out []string) {
		t.Helper()
		none := make([]any, strings.Count(query, "$")) // no statement names one twice
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, none...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			out = append(out, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	scans := func(details []string) bool {
		return slices.ContainsFunc(details, func(d string) bool { return strings.HasPrefix(d, "SCAN") })
	}
	if p := plan("DELETE FROM call WHERE id = 'x'"); !scans(p) {
		t.Errorf("a search by what has no index is %q: this finds nothing", p)
	}
	looked := 0
	for _, query := range journal.Statements() {
		p := plan(query)
		if looked += len(p); scans(p) {
			t.Errorf("%s: %q", query, p)
		}
		t.Logf("%s: %q", query, p)
	}
	if looked < 4 {
		t.Errorf("%d plans", looked)
	}
}

// TestCallsAreFoundAgain: whichever step has made a call, before this start, before this step or in it, it is settled once, and
// its id is not taken by a second one as long as it waits.
func TestCallsAreFoundAgain(t *testing.T) {
	call := func(id string) record.Call { return record.Call{ID: id, Order: "p", Method: "bill.get"} }
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, record.Batch{Calls: []record.Call{call("a"), call("b"), call("c")}, Settled: []string{"b"}})
		commit(t, j, record.Batch{Calls: []record.Call{call("d")}, Settled: []string{"c", "c", "nobody"}})
		commit(t, j, record.Batch{Calls: []record.Call{call("c"), call("b")}}) // both are over, and may come again
		for _, twice := range [][]record.Call{{call("a")}, {call("e"), call("e")}, {call("c")}} {
			if _, err := j.Commit(t.Context(), record.Batch{Calls: twice}); err == nil {
				t.Errorf("%q was taken twice", twice[0].ID)
			}
		}
		holds(t, j, "a d c b")
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		holds(t, j, "a d c b")
		if _, err := j.Commit(t.Context(), record.Batch{Calls: []record.Call{call("d")}}); err == nil {
			t.Error("an id of before the start was taken twice")
		}
		commit(t, j, record.Batch{Calls: []record.Call{call("f")}, Settled: []string{"a", "c"}})
		holds(t, j, "d b f")
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) { holds(t, j, "d b f") })
}

// Steps that share a commit see each other, and one that is refused leaves nothing behind in their sight.
func TestCallsOfOneCommitSeeEachOther(t *testing.T) {
	const each = 8
	rounds := depth.Figure(t, "rounds of steps that share a commit", 20, 200, 2000)
	cfg := journal.Config{Dir: t.TempDir()}
	var left []string
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for n := range rounds {
			var steps sync.WaitGroup
			var mu sync.Mutex
			took := map[string]int{}
			for i := range each {
				steps.Go(func() {
					id := fmt.Sprintf("%d.%d", n, i/2) // two steps for each id
					b := record.Batch{
						Puts:  []record.Put{{Bucket: "payment", Key: fmt.Sprintf("%d.%d", n, i), Ref: fmt.Sprintf("%d/%d", n, i%4), Body: []byte(`1`)}},
						Calls: []record.Call{{ID: id, Order: "p", Method: "bill.get"}},
					}
					_, err := j.Commit(context.WithoutCancel(t.Context()), b)
					if errors.Is(err, record.ErrStopped) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						took[id]++
						mu.Unlock()
					}
				})
			}
			steps.Wait()
			for id, times := range took {
				if times != 1 {
					t.Fatalf("the id %s was taken %d times", id, times)
				}
				if n%2 == 0 {
					commit(t, j, record.Batch{Settled: []string{id}})
				} else {
					left = append(left, id)
				}
			}
		}
		holdsAll(t, j, left)
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) { holdsAll(t, j, left) })
	t.Logf("%d rounds, %d calls wait", rounds, len(left))
	if len(left) < rounds/2 {
		t.Error("hardly a step was taken: this proves nothing")
	}
}

func waiting(j *journal.Journal) (out []string) {
	for _, c := range j.Calls() {
		out = append(out, c.ID)
	}
	return out
}

func holds(t *testing.T, j *journal.Journal, want string) {
	t.Helper()
	if got := strings.Join(waiting(j), " "); got != want {
		t.Errorf("calls %q wait, want %q", got, want)
	}
}

// holdsAll is holds in any order.
func holdsAll(t *testing.T, j *journal.Journal, want []string) {
	t.Helper()
	got := waiting(j)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d calls wait, want %d", len(got), len(want))
	}
}
