package journal_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
	"tilld/internal/sqlitedb"
)

func TestEverythingIsThereAfterARestart(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	charge := record.Call{ID: "p:charge:1", Order: "p", Method: "bill.charge", Params: json.RawMessage(`{"code":"28763443825664394"}`), Volatile: true}
	create := record.Call{ID: "p:create", Order: "p", Method: "bill.create", Params: json.RawMessage(`{"a":1}`)}
	var first journal.Meta
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if !st.New || st.Lost || st.Restored {
			t.Errorf("first start: %+v", st)
		}
		b := one("b")
		b.Calls = []record.Call{create, charge, {ID: "gone", Params: json.RawMessage(`1`)}}
		b.Seen = 7
		commit(t, j, b)
		commit(t, j, record.Batch{Puts: one("a").Puts, Settled: []string{"gone"}, Seen: 5}) // older: seen stays
		if err := j.SetEpoch(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		first = j.Meta()
		if first.Seen != 7 || first.Writes != 2 || first.Seq != 1 || first.Epoch != 3 || first.Generation != 1 {
			t.Errorf("meta: %+v", first)
		}
	})
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		m := j.Meta()
		if st.New || m.Boot == first.Boot || m.Boot == "" {
			t.Errorf("second start: %+v, boot %q then %q", st, first.Boot, m.Boot)
		}
		m.Boot, m.Generation = first.Boot, m.Generation-2 // a clean end and a boot
		if m != first {
			t.Errorf("meta: %+v, want %+v", m, first)
		}
		charge.Params = nil // nobody has it any more
		if got := j.Calls(); !reflect.DeepEqual(got, []record.Call{create, charge}) {
			t.Errorf("calls: %+v", got)
		}
		live, err := j.Live(t.Context(), "payment")
		if err != nil || len(live) != 2 || live[0].Key != "b" || live[1].Key != "a" {
			t.Errorf("live: %v, %v", live, err)
		}
		if seq := commit(t, j, one("c")); seq != 2 {
			t.Errorf("next event is %d", seq)
		}
	})
}

func TestParamsOfAVolatileCallNeverReachTheDisk(t *testing.T) {
	const canary = "28763443825664394"
	cfg := journal.Config{Dir: t.TempDir()}
	look := func(when, text string) (found int) {
		t.Helper()
		files, size := 0, 0
		err := filepath.WalkDir(cfg.Dir, func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(p)
			files, size = files+1, size+len(b)
			found += bytes.Count(b, []byte(text))
			return err
		})
		if err != nil || files < 3 {
			t.Fatalf("%s: %d files, %v", when, files, err)
		}
		t.Logf("%s: %d files, %d bytes searched for %s: %d", when, files, size, text, found)
		return found
	}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, record.Batch{Calls: []record.Call{
			{ID: "v", Params: json.RawMessage(`"` + canary + `"`), Volatile: true},
			{ID: "w", Params: json.RawMessage(`"can be found"`)},
		}})
		if look("open", canary) != 0 {
			t.Error("a customer's code is on the disk")
		}
		commit(t, j, record.Batch{Settled: []string{"v"}})
	})
	if look("closed", canary) != 0 {
		t.Error("a customer's code is on the disk")
	}
	if look("closed", "can be found") == 0 {
		t.Error("the search finds nothing at all")
	}
}

func TestTrimByNumberAndByAge(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	cfg := journal.Config{Dir: t.TempDir(), KeepEvents: 2500, KeepFor: 24 * time.Hour, KeepLeast: -1, Now: func() time.Time { return now }}
	trimmed := func(j *journal.Journal, want, oldest int64) {
		t.Helper()
		n, err := j.Trim(t.Context())
		first, err2 := j.Oldest(t.Context())
		if err := errors.Join(err, err2); err != nil || n != want || first != oldest {
			t.Fatalf("trimmed %d, oldest %d, %v; want %d, %d", n, first, err, want, oldest)
		}
		if _, err := j.Events(t.Context(), oldest-2, 10); oldest > 1 && !errors.Is(err, record.ErrTrimmed) {
			t.Errorf("events before the oldest: %v", err)
		}
		if es, err := j.Events(t.Context(), oldest-1, 1); err != nil || len(es) > 0 && es[0].Seq != oldest {
			t.Errorf("the oldest: %v, %v", es, err)
		}
	}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for range 5 {
			var b record.Batch
			for range 1000 {
				b.Events = append(b.Events, record.Event{Type: "e", At: now})
			}
			commit(t, j, b)
		}
		trimmed(j, 2500, 2501)
		trimmed(j, 0, 2501)
		now = now.Add(25 * time.Hour)
		b := one("p")
		b.Events[0].At = now
		commit(t, j, b)
		trimmed(j, 2500, 5001)
		now = now.Add(25 * time.Hour)
		trimmed(j, 1, 5002)
	})
	boot(t, cfg, func(j *journal.Journal, _ journal.State) { // all gone, and yet the numbers go on
		if seq := commit(t, j, one("q")); seq != 5002 {
			t.Errorf("after a restart with no event left the next one is %d", seq)
		}
		trimmed(j, 1, 5003)
	})
}

// TestTheFileStaysFlatOnceEventsAreTrimmed writes as a till does and trims as the daemon does: the room of what is removed
// is used again, so the file grows until the events that are kept are there, and then no more.
func TestTheFileStaysFlatOnceEventsAreTrimmed(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir(), KeepEvents: 500, KeepFor: time.Hour, KeepLeast: -1}
	j, _ := open(t, cfg)
	var sizes []int64
	for range 5 {
		for range 20 {
			var b record.Batch
			for range 50 {
				b.Events = append(b.Events, record.Event{Type: "payment.open", At: time.Now(), Subject: "p", Data: []byte(`{"state":"` + strings.Repeat("x", 900) + `"}`)})
			}
			b.Puts = []record.Put{{Bucket: "payment", Key: "p", Live: true, Body: b.Events[0].Data}}
			commit(t, j, b)
			if _, err := j.Trim(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sizes = append(sizes, int64(pages(t, cfg.Dir)))
	}
	t.Logf("pages after each 1,000 events, 500 kept: %v", sizes)
	if sizes[0] < 500 {
		t.Errorf("%d pages cannot hold 500 events: the test is broken", sizes[0])
	}
	if last := sizes[len(sizes)-1]; last > sizes[1]+sizes[1]/20 {
		t.Errorf("the file grows: %v pages", sizes)
	}
}

// pages is how many the database has, the log included.
func pages(t *testing.T, dir string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+journal.Path(dir)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("PRAGMA page_count").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A clock that jumps ahead by years must not take the till's stream away from it.
func TestTrimKeepsTheNewestWhateverTheClockSays(t *testing.T) {
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	cfg := journal.Config{Dir: t.TempDir(), KeepLeast: 3, Now: func() time.Time { return now }}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		for range 5 {
			commit(t, j, record.Batch{Events: []record.Event{{Type: "e", At: now}}})
		}
		now = now.AddDate(10, 0, 0)
		n, err := j.Trim(t.Context())
		oldest, err2 := j.Oldest(t.Context())
		if err := errors.Join(err, err2); err != nil || n != 2 || oldest != 3 {
			t.Fatalf("trimmed %d, oldest %d, %v", n, oldest, err)
		}
		if es, err := j.Events(t.Context(), 2, 10); err != nil || len(es) != 3 {
			t.Fatalf("%d events, %v", len(es), err)
		}
	})
}

func TestNewPaymentsNeedRoomAndRunningOnesCommit(t *testing.T) {
	free := uint64(40 << 20)
	full := false
	cfg := journal.Config{
		Dir: t.TempDir(), Reserve: 1 << 20,
		Free: func(string) (uint64, error) { return free, nil },
		Fault: func(op string) error {
			if op == "commit" && full {
				return syscall.ENOSPC
			}
			return nil
		},
	}
	reserve := filepath.Join(cfg.Dir, "reserve")
	held := func() int64 {
		var s syscall.Stat_t
		if err := syscall.Stat(reserve, &s); err != nil {
			return 0
		}
		return s.Blocks * 512
	}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		if err := j.CanStart(); err != nil || held() < cfg.Reserve {
			t.Fatalf("with room: %v, %d bytes held", err, held())
		}
		free = 32<<20 - 1
		if err := j.CanStart(); !errors.Is(err, record.ErrFull) {
			t.Fatalf("below the limit: %v", err)
		}
		commit(t, j, one("running"))
		free = 32 << 20
		if err := j.CanStart(); err != nil {
			t.Fatalf("at the limit: %v", err)
		}
	})
	// A start on a full disk has the reserve of the one before.
	free, full = 0, true
	realFault := cfg.Fault
	cfg.Fault = func(op string) error {
		if held() == 0 {
			full = false // its blocks are free again
		}
		return realFault(op)
	}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, one("still running"))
		if held() != 0 {
			t.Error("the reserve was not given back")
		}
		if err := j.CanStart(); !errors.Is(err, record.ErrFull) || held() != 0 {
			t.Errorf("full: %v, %d bytes held", err, held())
		}
		free = 33 << 20
		if err := j.CanStart(); err != nil || held() < cfg.Reserve {
			t.Errorf("with room again: %v, %d bytes held", err, held())
		}
	})
}

func TestStartOnAFullDiskSpendsTheReserveOrSaysSo(t *testing.T) {
	full := false
	cfg := journal.Config{Dir: t.TempDir(), Fault: func(op string) error {
		if op == "generation" && full {
			return syscall.ENOSPC
		}
		return nil
	}}
	boot(t, cfg, nil)
	full = true
	_, _, err := journal.Open(t.Context(), cfg)
	var c *sqlitedb.Condition
	if !errors.Is(err, sqlitedb.ErrFull) || !errors.As(err, &c) || c.Do == "" {
		t.Fatalf("open: %v", err)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, "reserve")); err == nil {
		t.Error("the reserve was not spent before giving up")
	}
	full = false
	boot(t, cfg, func(_ *journal.Journal, st journal.State) {
		if st.Lost || st.Restored {
			t.Errorf("afterwards: %+v", st)
		}
	})
}

func TestFirstFailedCommitStopsTheJournal(t *testing.T) {
	var broken error
	cfg := journal.Config{Dir: t.TempDir(), Fault: func(op string) error {
		if op == "commit" {
			return broken
		}
		return nil
	}}
	synctest.Test(t, func(t *testing.T) {
		j, _, err := journal.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		commit(t, j, one("a"))
		waited := make(chan error, 1)
		go func() { waited <- j.Wait(context.Background(), 1) }()
		synctest.Wait()
		broken = syscall.EIO
		if _, err := j.Commit(t.Context(), one("b")); !errors.Is(err, record.ErrStopped) {
			t.Errorf("failed commit: %v", err)
		}
		if err := <-waited; !errors.Is(err, record.ErrStopped) {
			t.Errorf("who waited for events: %v", err)
		}
		broken = nil
		if _, err := j.Commit(t.Context(), one("c")); !errors.Is(err, record.ErrStopped) {
			t.Errorf("the next: %v", err)
		}
		if err := j.CanStart(); !errors.Is(err, record.ErrStopped) {
			t.Errorf("new payments: %v", err)
		}
		if m := j.Meta(); m.Seq != 1 || m.Writes != 1 {
			t.Errorf("what failed was counted: %+v", m)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if _, err := j.Find(t.Context(), "pay", "a", ""); !errors.Is(err, record.ErrStopped) {
			t.Errorf("a read after the end of a stopped journal: %v", err)
		}
	})
	boot(t, cfg, func(j *journal.Journal, st journal.State) {
		if es, err := j.Events(t.Context(), 0, 10); err != nil || len(es) != 1 || st.Lost || st.Restored {
			t.Errorf("after a restart: %v, %v, %+v", es, err, st)
		}
	})
}

func TestCloseEndsWaitAndCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		waited := make(chan error, 1)
		go func() { waited <- j.Wait(context.Background(), 0) }()
		synctest.Wait()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waited; err == nil {
			t.Error("wait went on after close")
		}
		if _, err := j.Commit(t.Context(), one("a")); !errors.Is(err, sqlitedb.ErrClosed) {
			t.Errorf("commit after close: %v", err)
		}
	})
}

func TestBatchWithoutNamesIsRefused(t *testing.T) {
	j, _ := open(t, journal.Config{Dir: t.TempDir()})
	for i, b := range []record.Batch{
		{Puts: []record.Put{{Key: "a"}}},
		{Puts: []record.Put{{Bucket: "a"}}},
		{Calls: []record.Call{{Method: "m"}}},
	} {
		if _, err := j.Commit(t.Context(), b); err == nil {
			t.Errorf("batch %d was taken", i)
		}
	}
	if m := j.Meta(); m.Writes != 0 {
		t.Errorf("%d writes", m.Writes)
	}
}

func TestLockedAndNewerAreErrorsThatTouchNothing(t *testing.T) {
	cfg := journal.Config{Dir: t.TempDir()}
	boot(t, cfg, func(j *journal.Journal, _ journal.State) {
		commit(t, j, one("a"))
		if _, _, err := journal.Open(t.Context(), cfg); !errors.Is(err, sqlitedb.ErrLocked) {
			t.Errorf("second process: %v", err)
		}
		commit(t, j, one("b"))
		if m := j.Meta(); m.Generation != 1 {
			t.Errorf("the refused start raised the generation: %d", m.Generation)
		}
	})
	newer(t, journal.Path(cfg.Dir))
	read := func() string {
		a, _ := os.ReadFile(journal.Path(cfg.Dir))
		b, _ := os.ReadFile(filepath.Join(cfg.Dir, "generation"))
		return string(a) + string(b)
	}
	before := read()
	_, _, err := journal.Open(t.Context(), cfg)
	if !errors.Is(err, sqlitedb.ErrNewer) {
		t.Fatalf("newer: %v", err)
	}
	t.Log(err)
	if read() != before {
		t.Error("a newer journal was touched")
	}
	if list, _ := sqlitedb.Aside(journal.Path(cfg.Dir)); len(list) != 0 {
		t.Errorf("set aside: %v", list)
	}
}

// newer writes a version into the database that no program knows yet.
func newer(t *testing.T, path string) {
	t.Helper()
	db, err := sqlitedb.Open(t.Context(), sqlitedb.Config{Path: path, Migrations: os.DirFS("migrations")})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		_, err := tx.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestCallsIsCheapWithALongQueue(t *testing.T) {
	j, _ := open(t, journal.Config{Dir: t.TempDir()})
	var b record.Batch
	for i := range 1000 {
		b.Calls = append(b.Calls, record.Call{ID: fmt.Sprint(i)})
	}
	commit(t, j, b)
	if n := testing.AllocsPerRun(100, func() { _ = j.Calls() }); n != 0 {
		t.Errorf("Calls makes %v allocations", n)
	}
}
