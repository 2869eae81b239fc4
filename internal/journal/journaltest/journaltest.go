// Package journaltest is the suite of record.Journal: what its users count on, whatever is behind it.
package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"tilld/internal/record"
)

// Run runs the suite. open answers a new and empty journal each time, and closes it by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) record.Journal) {
	for name, f := range map[string]func(*testing.T, record.Journal){
		"values are found by key and by reference":          values,
		"a value keeps its place when it is written again":  upsert,
		"a taken reference refuses the whole batch":         taken,
		"events are numbered without gaps and read in turn": events,
		"calls stay in order until they are settled":        calls,
		"a call id is taken once":                           callTwice,
		"a volatile call keeps its params in memory":        volatile,
		"wait returns with the event, or with its context":  wait,
		"a context that is over commits nothing":            over,
		"many committers get what each was told":            many,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func commit(t *testing.T, j record.Journal, b record.Batch) int64 {
	t.Helper()
	seq, err := j.Commit(t.Context(), b)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return seq
}

func put(key, ref string, live bool, body string) record.Put {
	return record.Put{Bucket: "payment", Key: key, Ref: ref, Live: live, Body: json.RawMessage(body)}
}

func find(t *testing.T, j record.Journal, bucket, key, ref string, want *record.Put) {
	t.Helper()
	got, err := j.Find(t.Context(), bucket, key, ref)
	switch {
	case want == nil && !errors.Is(err, record.ErrNotFound):
		t.Errorf("find %s %q %q: %v, %v; want ErrNotFound", bucket, key, ref, got, err)
	case want != nil && (err != nil || !reflect.DeepEqual(got, *want)):
		t.Errorf("find %s %q %q: %v, %v; want %v", bucket, key, ref, got, err, *want)
	}
}

func values(t *testing.T, j record.Journal) {
	a, b := put("a", "1/R-1", true, `{"n":1}`), put("b", "", false, `{"n":2}`)
	other := record.Put{Bucket: "scan", Key: "a", Ref: "1/R-1", Body: json.RawMessage(`[]`)} // references are of their bucket
	commit(t, j, record.Batch{Puts: []record.Put{a, b, other}})
	find(t, j, "payment", "a", "", &a)
	find(t, j, "payment", "", "1/R-1", &a)
	find(t, j, "payment", "b", "", &b)
	find(t, j, "scan", "", "1/R-1", &other)
	find(t, j, "payment", "c", "", nil)
	find(t, j, "payment", "", "1/R-2", nil)
	find(t, j, "payment", "", "", nil) // no reference is nobody's reference
}

func keys(t *testing.T, j record.Journal) string {
	t.Helper()
	live, err := j.Live(t.Context(), "payment")
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, p := range live {
		out += p.Key
	}
	return out
}

func upsert(t *testing.T, j record.Journal) {
	for _, k := range []string{"c", "a", "b", "d"} {
		commit(t, j, record.Batch{Puts: []record.Put{put(k, "", true, `1`)}})
	}
	c := put("c", "R", true, `2`)
	commit(t, j, record.Batch{Puts: []record.Put{c, put("b", "", false, `2`)}})
	find(t, j, "payment", "c", "", &c)
	if got := keys(t, j); got != "cad" {
		t.Errorf("live in order of first writing: %q, want cad", got)
	}
	commit(t, j, record.Batch{Puts: []record.Put{put("b", "", true, `3`)}})
	if got := keys(t, j); got != "cabd" {
		t.Errorf("live again in its place: %q, want cabd", got)
	}
	if live, err := j.Live(t.Context(), "nothing"); err != nil || len(live) != 0 {
		t.Errorf("live of an empty bucket: %v, %v", live, err)
	}
}

func taken(t *testing.T, j record.Journal) {
	commit(t, j, record.Batch{Puts: []record.Put{put("a", "R", true, `1`)}})
	_, err := j.Commit(t.Context(), record.Batch{
		Puts:   []record.Put{put("x", "", true, `1`), put("b", "R", true, `1`)},
		Events: []record.Event{{Type: "e", Subject: "b"}},
		Calls:  []record.Call{{ID: "b:create"}},
		Seen:   9,
	})
	if !errors.Is(err, record.ErrExists) {
		t.Fatalf("taken reference: %v", err)
	}
	find(t, j, "payment", "x", "", nil)
	if got := j.Calls(); len(got) != 0 {
		t.Errorf("a call of a refused batch: %v", got)
	}
	if seq := commit(t, j, record.Batch{Events: []record.Event{{Type: "e", Subject: "a"}}}); seq != 1 {
		t.Errorf("a refused batch used up a number: the next is %d", seq)
	}
	commit(t, j, record.Batch{Puts: []record.Put{put("a", "R", false, `2`)}}) // its own reference is not in its way
	commit(t, j, record.Batch{Puts: []record.Put{put("a", "S", false, `3`), put("b", "R", false, `3`)}})
}

func events(t *testing.T, j record.Journal) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 123456000, time.UTC)
	var want []record.Event
	if seq := commit(t, j, record.Batch{Puts: []record.Put{put("a", "", false, `1`)}}); seq != 0 {
		t.Errorf("a batch without events answered seq %d", seq)
	}
	for i := range 5 {
		var b record.Batch
		for k := range i {
			e := record.Event{Type: "payment.paid", At: at.Add(time.Duration(k) * time.Second), Lane: "1", Subject: fmt.Sprint(i, k), Data: json.RawMessage(`{"v":1}`)}
			b.Events = append(b.Events, e)
			e.Seq = int64(len(want) + 1)
			want = append(want, e)
		}
		if seq := commit(t, j, b); i > 0 && seq != int64(len(want)) {
			t.Errorf("seq %d after %d events", seq, len(want))
		}
	}
	for after := int64(0); after <= 10; after += 3 {
		got, err := j.Events(t.Context(), after, 4)
		if to := min(int(after)+4, 10); err != nil || !reflect.DeepEqual(got, slices.Clone(want[after:to])) && len(got)+to-int(after) > 0 {
			t.Errorf("4 events after %d: %v, %v", after, got, err)
		}
	}
	if got, err := j.Events(t.Context(), 10, 4); err != nil || len(got) != 0 {
		t.Errorf("events after the last: %v, %v", got, err)
	}
}

func ids(cs []record.Call) string {
	out := ""
	for _, c := range cs {
		out += c.ID + " "
	}
	return out
}

func calls(t *testing.T, j record.Journal) {
	a := record.Call{ID: "a", Order: "p", Method: "bill.create", Params: json.RawMessage(`{"x":1}`)}
	commit(t, j, record.Batch{Calls: []record.Call{a, {ID: "b", Order: "q", Method: "m"}}})
	commit(t, j, record.Batch{Calls: []record.Call{{ID: "c", Order: "p", Method: "m"}}})
	before := j.Calls()
	if len(before) != 3 || !reflect.DeepEqual(before[0], a) {
		t.Fatalf("calls: %v", before)
	}
	_ = append(before, record.Call{ID: "of the reader"})
	commit(t, j, record.Batch{Settled: []string{"b", "unknown"}, Calls: []record.Call{{ID: "d"}}})
	if got := ids(j.Calls()); got != "a c d " {
		t.Errorf("after settling b: %q", got)
	}
	if got := ids(before); got != "a b c " {
		t.Errorf("what a reader holds has changed: %q", got)
	}
	commit(t, j, record.Batch{Calls: []record.Call{{ID: "e"}}, Settled: []string{"a", "c", "d", "e"}})
	if got := ids(j.Calls()); got != "" {
		t.Errorf("after settling all: %q", got)
	}
}

func callTwice(t *testing.T, j record.Journal) {
	commit(t, j, record.Batch{Calls: []record.Call{{ID: "a"}}})
	if _, err := j.Commit(t.Context(), record.Batch{Calls: []record.Call{{ID: "b"}, {ID: "a"}}}); err == nil {
		t.Error("an id was taken twice")
	}
	if got := ids(j.Calls()); got != "a " {
		t.Errorf("calls: %q", got)
	}
	commit(t, j, record.Batch{Settled: []string{"a"}})
	commit(t, j, record.Batch{Calls: []record.Call{{ID: "a"}}})
}

func volatile(t *testing.T, j record.Journal) {
	c := record.Call{ID: "a", Order: "p", Method: "bill.charge", Params: json.RawMessage(`{"code":"1"}`), Volatile: true}
	commit(t, j, record.Batch{Calls: []record.Call{c}})
	if got := j.Calls(); len(got) != 1 || !reflect.DeepEqual(got[0], c) {
		t.Errorf("calls: %v", got)
	}
}

func wait(t *testing.T, j record.Journal) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res := make(chan error, 1)
	go func() { res <- j.Wait(ctx, 1) }()
	commit(t, j, record.Batch{Events: []record.Event{{Type: "e"}}})
	select {
	case err := <-res:
		t.Errorf("returned before the second event: %v", err)
	default:
	}
	commit(t, j, record.Batch{Events: []record.Event{{Type: "e"}}})
	if err := <-res; err != nil {
		t.Errorf("with the second event: %v", err)
	}
	if err := j.Wait(ctx, 0); err != nil {
		t.Errorf("for what is there: %v", err)
	}
	go func() { res <- j.Wait(ctx, 2) }()
	cancel()
	if err := <-res; !errors.Is(err, context.Canceled) {
		t.Errorf("with its context over: %v", err)
	}
}

func over(t *testing.T, j record.Journal) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Commit(ctx, record.Batch{Puts: []record.Put{put("a", "", true, `1`)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	find(t, j, "payment", "a", "", nil)
}

func many(t *testing.T, j record.Journal) {
	const clients, each = 16, 10
	told := make([][]int64, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprint(c, "-", i)
				seq, err := j.Commit(t.Context(), record.Batch{
					Puts:   []record.Put{put(fmt.Sprint(c), "", true, fmt.Sprint(i))},
					Events: []record.Event{{Type: "e", Subject: id}, {Type: "f", Subject: id}},
					Calls:  []record.Call{{ID: id, Order: fmt.Sprint(c)}},
				})
				if err != nil {
					t.Error(err)
					return
				}
				told[c] = append(told[c], seq)
			}
		})
	}
	wg.Wait()
	all, err := j.Events(t.Context(), 0, 1000)
	if err != nil || len(all) != clients*each*2 {
		t.Fatalf("%d events, %v", len(all), err)
	}
	calls := j.Calls()
	if len(calls) != clients*each {
		t.Fatalf("%d calls", len(calls))
	}
	for c, seqs := range told {
		for i, seq := range seqs {
			if e := all[seq-1]; e.Seq != seq || e.Subject != fmt.Sprint(c, "-", i) || e.Type != "f" || all[seq-2].Subject != e.Subject {
				t.Errorf("client %d was told %d for its %d. batch, where %v stands", c, seq, i, e)
			}
			// Calls stand in the order of the commits, which is that of the events.
			if call := calls[seq/2-1]; call.ID != fmt.Sprint(c, "-", i) {
				t.Errorf("call %d is %s", seq/2-1, call.ID)
			}
		}
	}
}
