package sqlitedb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"tilld/internal/sqlitedb"
)

// grouped opens a database inside a bubble, holds its writer in a first write, queues the others behind it, in order, and
// lets go: they share one commit. It answers the errors of the others.
func grouped(t *testing.T, db *sqlitedb.DB, fns ...func(*sqlitedb.Tx) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Write(context.Background(), func(*sqlitedb.Tx) error { close(held); <-hold; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	errs := make([]error, len(fns))
	for i, fn := range fns {
		wg.Go(func() { errs[i] = db.Write(context.Background(), fn) })
		synctest.Wait() // it is in the queue
	}
	close(hold)
	wg.Wait()
	return errs
}

func bubble(t *testing.T, cfg sqlitedb.Config, f func(t *testing.T, db *sqlitedb.DB)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		db, err := sqlitedb.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(t, db)
	})
}

func TestWaitingWritersShareOneCommitAndFailAlone(t *testing.T) {
	cfg := config(t)
	commits := 0
	cfg.Fault = func(op string) error {
		if op == "commit" {
			commits++
		}
		return nil
	}
	bubble(t, cfg, func(t *testing.T, db *sqlitedb.DB) {
		own := errors.New("own error")
		errs := grouped(t, db,
			add("a"),
			func(tx *sqlitedb.Tx) error { return errors.Join(add("gone")(tx), own) },
			add("b"),
			add("a"), // taken: the statement fails, the transaction does not
			func(tx *sqlitedb.Tx) error {
				if err := add("b")(tx); !sqlitedb.Unique(err) {
					return fmt.Errorf("not told as unique: %w", err)
				}
				return add("c")(tx) // may go on after a broken constraint
			},
		)
		if errs[0] != nil || !errors.Is(errs[1], own) || errs[2] != nil || !sqlitedb.Unique(errs[3]) || errs[4] != nil {
			t.Errorf("errors: %v", errs)
		}
		if got := names(t, db.Read()); got != "a b c" {
			t.Errorf("in the database: %q", got)
		}
		if commits != 2 {
			t.Errorf("%d commits, want one for the first and one for the five that waited", commits)
		}
	})
}

func TestPanicReachesItsCallerAloneAndUndoesItsWork(t *testing.T) {
	bubble(t, config(t), func(t *testing.T, db *sqlitedb.DB) {
		boom := func() (got any) {
			defer func() { got = recover() }()
			_ = db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
				if err := add("gone")(tx); err != nil {
					return err
				}
				panic("boom")
			})
			return nil
		}
		if err, ok := boom().(error); !ok || !strings.Contains(err.Error(), "boom") || !strings.Contains(err.Error(), "writer_test.go") {
			t.Errorf("recovered %v: want the word and where it was said", err)
		}
		if err := db.Write(t.Context(), add("a")); err != nil {
			t.Error(err)
		}
		if got := names(t, db.Read()); got != "a" {
			t.Errorf("in the database: %q", got)
		}
	})
}

func TestCancelIsLookedAtUntilTakenAndNotAfter(t *testing.T) {
	bubble(t, config(t), func(t *testing.T, db *sqlitedb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Write(ctx, func(tx *sqlitedb.Tx) error {
			cancel()
			return add("whole")(tx)
		})
		if err != nil {
			t.Errorf("canceled in the middle: %v", err)
		}
		if err := db.Write(ctx, add("never")); !errors.Is(err, context.Canceled) {
			t.Errorf("canceled before: %v", err)
		}

		waiting, stop := context.WithCancel(t.Context())
		hold, held := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = db.Write(t.Context(), func(*sqlitedb.Tx) error { close(held); <-hold; return nil })
		})
		<-held
		wg.Go(func() {
			if err := db.Write(waiting, add("withdrawn")); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled in the queue: %v", err)
			}
		})
		synctest.Wait()
		stop()
		synctest.Wait() // it returned although the writer is held
		close(hold)
		wg.Wait()
		if got := names(t, db.Read()); got != "whole" {
			t.Errorf("in the database: %q", got)
		}
	})
}

func TestThenRunsAfterTheCommitInOrder(t *testing.T) {
	bubble(t, config(t), func(t *testing.T, db *sqlitedb.DB) {
		var order []int // the writer's goroutine alone writes it
		var wg sync.WaitGroup
		hold, held := make(chan struct{}), make(chan struct{})
		wg.Go(func() { _ = db.Write(t.Context(), func(*sqlitedb.Tx) error { close(held); <-hold; return nil }) })
		<-held
		for i := range 10 {
			wg.Go(func() {
				fn := add(fmt.Sprint("n", i))
				if i == 3 {
					fn = func(*sqlitedb.Tx) error { return errors.New("no") }
				}
				_ = db.WriteThen(t.Context(), fn, func() { order = append(order, i) })
			})
			synctest.Wait()
		}
		close(hold)
		wg.Wait()
		if got := fmt.Sprint(order); got != "[0 1 2 4 5 6 7 8 9]" {
			t.Errorf("order %s", got)
		}
	})
}

func TestFirstFailedCommitIsFinal(t *testing.T) {
	cfg := config(t)
	var broken atomic.Bool
	cfg.Fault = func(op string) error {
		if op == "commit" && broken.Load() {
			return syscall.EIO
		}
		return nil
	}
	bubble(t, cfg, func(t *testing.T, db *sqlitedb.DB) {
		if err := db.Write(t.Context(), add("kept")); err != nil {
			t.Fatal(err)
		}
		select {
		case <-db.Halted():
			t.Error("halted before anything failed")
		default:
		}
		ran := false
		broken.Store(true)
		err := db.WriteThen(t.Context(), add("lost"), func() { ran = true })
		<-db.Halted() // who writes nothing hears of it too
		if !errors.Is(err, sqlitedb.ErrStopped) || !errors.Is(err, sqlitedb.ErrDisk) || ran {
			t.Errorf("failed commit: %v, after ran: %v", err, ran)
		}
		broken.Store(false) // the disk is well again: nobody knows what it holds all the same
		if err := db.Write(t.Context(), add("later")); !errors.Is(err, sqlitedb.ErrStopped) {
			t.Errorf("after it: %v", err)
		}
		if err := db.Stopped(); !errors.Is(err, sqlitedb.ErrStopped) {
			t.Errorf("Stopped: %v", err)
		}
		if got := names(t, db.Read()); got != "kept" {
			t.Errorf("in the database: %q", got)
		}
	})
}

func TestFailureOfOneCommitAnswersTheWholeGroup(t *testing.T) {
	cfg := config(t)
	commits := 0
	cfg.Fault = func(op string) error {
		if op == "commit" {
			if commits++; commits == 2 {
				return syscall.EIO
			}
		}
		return nil
	}
	bubble(t, cfg, func(t *testing.T, db *sqlitedb.DB) {
		for i, err := range grouped(t, db, add("a"), add("b"), func(*sqlitedb.Tx) error { return errors.New("own") }) {
			if !errors.Is(err, sqlitedb.ErrStopped) {
				t.Errorf("caller %d: %v", i, err)
			}
		}
		if got := names(t, db.Read()); got != "" {
			t.Errorf("in the database: %q", got)
		}
	})
}

func TestFullDiskIsTriedOnceMoreWithTheReserve(t *testing.T) {
	cfg := config(t)
	full, released := true, 0
	cfg.Fault = func(op string) error {
		if op == "commit" && full {
			return syscall.ENOSPC
		}
		return nil
	}
	cfg.OnFull = func() bool { released++; full = false; return released == 1 }
	bubble(t, cfg, func(t *testing.T, db *sqlitedb.DB) {
		runs, after := 0, 0
		err := db.WriteThen(t.Context(), func(tx *sqlitedb.Tx) error { runs++; return add("a")(tx) }, func() { after++ })
		if err != nil || runs != 2 || after != 1 || released != 1 {
			t.Errorf("%v; ran %d, after %d, released %d", err, runs, after, released)
		}
		if got := names(t, db.Read()); got != "a" {
			t.Errorf("in the database: %q", got)
		}
		full = true // and nothing left to give
		err = db.Write(t.Context(), add("b"))
		if !errors.Is(err, sqlitedb.ErrStopped) || !errors.Is(err, sqlitedb.ErrFull) {
			t.Errorf("full for good: %v", err)
		}
	})
}

// SQLite answers SQLITE_FULL in the middle of a statement by undoing everybody's transaction: what comes after must not
// commit by itself.
func TestFullInTheMiddleLeavesNothingOfTheGroup(t *testing.T) {
	bubble(t, config(t), func(t *testing.T, db *sqlitedb.DB) {
		if err := db.Write(t.Context(), add("kept")); err != nil {
			t.Fatal(err)
		}
		errs := grouped(t, db,
			add("before"),
			func(tx *sqlitedb.Tx) error {
				if _, err := tx.Exec("PRAGMA max_page_count = 1"); err != nil {
					return err
				}
				_, err := tx.Exec("INSERT INTO thing (name) VALUES (hex(zeroblob(100000)))")
				if err == nil {
					t.Error("the database grew")
				}
				_, _ = tx.Exec("INSERT INTO thing (name) VALUES ('alone')") // a caller that looks at no error
				var s string
				_ = tx.QueryRow("INSERT INTO thing (name) VALUES ('alone too') RETURNING name").Scan(&s)
				return nil
			},
			add("behind"),
		)
		for i, err := range errs {
			if !errors.Is(err, sqlitedb.ErrFull) || !errors.Is(err, sqlitedb.ErrStopped) {
				t.Errorf("caller %d: %v", i, err)
			}
		}
		if got := names(t, db.Read()); got != "kept" {
			t.Errorf("in the database: %q", got)
		}
	})
}

func TestLogIsCopiedBackAndStaysSmall(t *testing.T) {
	cfg := config(t)
	checkpoints := 0
	cfg.Fault = func(op string) error {
		if op == "checkpoint" {
			checkpoints++
		}
		return nil
	}
	db := open(t, cfg)
	var biggest int64
	for i := range 40 {
		err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
			_, err := tx.Exec("INSERT INTO thing (name) VALUES ($1 || hex(zeroblob(150000)))", i)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(cfg.Path + "-wal"); err == nil {
			biggest = max(biggest, fi.Size())
		}
	}
	t.Logf("24 MB written, the log grew to %d KiB, copied back %d times", biggest>>10, checkpoints)
	if checkpoints == 0 || biggest > 12<<20 {
		t.Errorf("log of %d bytes after %d checkpoints", biggest, checkpoints)
	}
}

func TestFailedCheckpointIsFinal(t *testing.T) {
	cfg := config(t)
	cfg.Fault = func(op string) error {
		if op == "checkpoint" {
			return syscall.EIO
		}
		return nil
	}
	db, err := sqlitedb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), add("a")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); !errors.Is(err, sqlitedb.ErrDisk) {
		t.Fatalf("close with a failing disk: %v", err)
	}
}

func TestStatementsMayBeMany(t *testing.T) {
	db := open(t, config(t))
	err := db.Write(t.Context(), func(tx *sqlitedb.Tx) error {
		for i := range 600 {
			var n int
			if err := tx.QueryRow(fmt.Sprintf("SELECT %d", i)).Scan(&n); err != nil || n != i {
				return fmt.Errorf("statement %d: %d, %w", i, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
