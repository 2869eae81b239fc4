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
		none := make([]any, strings.Count(query, "$"))
		for n := len(none); n > 0 && !strings.Contains(query, fmt.Sprint("$", n)); n-- { // one that it names twice is one
			none = none[:n-1]
		}
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

// What is answered at the front of many calls is cut off, and those behind it are not copied each time; what a reader holds
// stays as it was. One out of the middle, and one that holds a customer's code, cost a copy.
func TestTheFirstOfManyCallsAreCutOff(t *testing.T) {
	const many = 200
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		var all []record.Call
		var want []string
		for i := range many {
			id := fmt.Sprintf("c%03d", i)
			all, want = append(all, record.Call{ID: id, Order: id, Method: "bill.get", Params: []byte(`{}`)}), append(want, id)
		}
		all[10].Volatile, all[10].Params = true, []byte(`{"code":"1"}`)
		commit(t, j, record.Batch{Calls: all})
		settle := func(copied bool, ids ...string) {
			t.Helper()
			before := j.Calls()
			held := slices.Clone(before)
			commit(t, j, record.Batch{Settled: append(ids, "nobody")})
			want = slices.DeleteFunc(want, func(id string) bool { return slices.Contains(ids, id) })
			holds(t, j, strings.Join(want, " "))
			for i := range held {
				if before[i].ID != held[i].ID || string(before[i].Params) != string(held[i].Params) {
					t.Fatalf("what a reader holds has changed at %d: %+v", i, before[i])
				}
			}
			i := slices.IndexFunc(before, func(c record.Call) bool { return c.ID == j.Calls()[0].ID })
			if same := &before[i] == &j.Calls()[0]; same == copied {
				t.Errorf("%v settled: copied %v", ids, !same)
			}
		}
		settle(true, "c100")
		settle(false, "c000")
		settle(false, "c002", "c001")
		settle(true, "c005")
		settle(false, "c003", "c004", "c006", "c007", "c008", "c009")
		settle(true, "c010") // a code
		var front []string
		for _, c := range j.Calls() {
			if front = append(front, c.ID); len(front) == 130 {
				break
			}
		}
		settle(true, front...) // few are left behind them: they are copied, and the others freed
		t.Logf("%d calls wait", len(want))
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		if n := len(j.Calls()); n != 58 {
			t.Errorf("%d calls after the start", n)
		}
	})
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
