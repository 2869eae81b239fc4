package journal_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
)

// TestCountersAfterACrash looks at what the counters are after steps of each kind, each last before a crash: the event of
// a step bears them, their own row where there is none, and whatever was written later is true.
func TestCountersAfterACrash(t *testing.T) {
	event := record.Batch{Events: []record.Event{{Type: "payment.open", Subject: "a"}}}
	call := callOf("c")
	with := func(b record.Batch, seen int64) record.Batch { b.Seen = seen; return b }
	for name, steps := range map[string][]record.Batch{
		"None":               {},
		"AnEvent":            {event},
		"NoEvent":            {call},
		"SeenAlone":          {event, with(record.Batch{}, 7)},
		"SeenWithAnEvent":    {call, with(event, 7)},
		"EventLast":          {with(record.Batch{}, 9), callOf("x"), event},
		"EventThenNone":      {with(event, 5), callOf("x"), callOf("y")},
		"SeveralEvents":      {{Events: []record.Event{event.Events[0], event.Events[0], event.Events[0]}, Seen: 3}},
		"AnOlderSeenIsLater": {with(event, 9), with(record.Batch{}, 4), with(event, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j, _ := open(t, journal.Config{Dir: dir, KeepLeast: -1, KeepFor: time.Nanosecond})
			for _, b := range steps {
				commit(t, j, b)
			}
			sameAfterCrash(t, j, dir)
			if _, err := j.Trim(t.Context()); err != nil { // all that bore them is gone
				t.Fatal(err)
			}
			sameAfterCrash(t, j, dir)
			if n, err := j.Oldest(t.Context()); err != nil || n != j.Meta().Seq+1 {
				t.Errorf("the oldest event is %d of %d, %v", n, j.Meta().Seq, err)
			}
			commit(t, j, event)
			sameAfterCrash(t, j, dir)
		})
	}
}

func callOf(id string) record.Batch {
	return record.Batch{Calls: []record.Call{{ID: id, Method: "bill.get"}}}
}

// TestCountersOfGroups is the same where steps with and without events share their commits, in any order, and some fail.
func TestCountersOfGroups(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, journal.Config{Dir: dir})
	var seen int64
	for round := range 30 {
		var all sync.WaitGroup
		for i := range 8 {
			seen++
			b := record.Batch{Seen: seen}
			if i%2 == round%2 {
				b.Events = []record.Event{{Type: "payment.open", Subject: "a"}}
			}
			if i%4 == 3 { // the reference is taken from the second on: undone, alone
				b.Puts = []record.Put{{Bucket: "payment", Key: string(rune('a' + round%20)), Ref: "one"}}
			}
			all.Go(func() { _, _ = j.Commit(context.Background(), b) })
		}
		all.Wait()
		sameAfterCrash(t, j, dir)
	}
	if m := j.Meta(); m.Writes < 150 || m.Seq < 50 {
		t.Errorf("hardly anything was written: %+v", m)
	}
}

// sameAfterCrash opens what a crash would leave of j, and compares.
func sameAfterCrash(t *testing.T, j *journal.Journal, dir string) {
	t.Helper()
	left := t.TempDir()
	for _, n := range []string{"journal.db", "journal.db-wal", "generation"} {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err == nil {
			err = os.WriteFile(filepath.Join(left, n), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	boot(t, journal.Config{Dir: left, Reserve: -1}, func(k *journal.Journal, _ journal.State) {
		if a, b := j.Meta(), k.Meta(); a.Writes != b.Writes || a.Seq != b.Seq || a.Seen != b.Seen {
			t.Errorf("before the crash %+v, after it %+v", a, b)
		}
	})
}

// TestAnEventBearsTheCounters counts what a step writes: the page of the counters' own row is not in it where an event is.
func TestAnEventBearsTheCounters(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, journal.Config{Dir: dir})
	db, err := sql.Open("sqlite", "file:"+journal.Path(dir)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var own uint32
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'").Scan(&own); err != nil {
		t.Fatal(err)
	}
	body := record.Put{Bucket: "payment", Key: "a", Live: true, Body: []byte(`{}`)}
	for name, b := range map[string]record.Batch{
		"event": {Puts: []record.Put{body}, Events: []record.Event{{Type: "payment.open", Subject: "a"}}, Seen: 3},
		"none":  {Puts: []record.Put{body}, Seen: 4},
	} {
		was := len(frames(t, dir))
		commit(t, j, b)
		pages := frames(t, dir)[was:]
		got := 0
		for _, p := range pages {
			if p == own {
				got++
			}
		}
		t.Logf("%s: a step writes pages %v; the counters have page %d", name, pages, own)
		if want := map[string]int{"event": 0, "none": 1}[name]; got != want {
			t.Errorf("%s: the counters' page was written %d times, want %d", name, got, want)
		}
	}
}

// frames are the pages in the log, in the order in which they were written (sqlite.org/walformat.html).
func frames(t *testing.T, dir string) (pages []uint32) {
	t.Helper()
	b, err := os.ReadFile(journal.Path(dir) + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	size := int(binary.BigEndian.Uint32(b[8:]))
	for b = b[32:]; len(b) >= 24+size; b = b[24+size:] {
		pages = append(pages, binary.BigEndian.Uint32(b))
	}
	return pages
}
