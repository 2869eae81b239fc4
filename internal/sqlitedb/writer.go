package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// maxGroup bounds how many callers share one commit, so that the first of them does not wait for ever.
const maxGroup = 256

// States of a job: who moves it away from waiting first decides.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// job is one caller's work. The caller blocks until answered is closed, so the queue is never longer than the number of
// goroutines that write.
type job struct {
	ctx      context.Context
	fn       func(*Tx) error
	after    func()
	state    atomic.Int32
	err      error
	panicked any
	answered chan struct{}
}

// Write runs fn in a transaction of its own and returns when it is on the disk. Callers that come while a commit is
// under way share the next one: each fn under its own savepoint, one fsync for all. An error of fn undoes fn alone and is
// returned as it is. fn may be run twice (see Config.OnFull), so it sets what it captures and never adds to it; it must
// not call Write. ctx is looked at until fn is taken, not after.
//
// A commit that fails is final: it and everything after it answer ErrStopped, because nobody knows what the disk holds.
// Constraints have to be immediate: one that is deferred would fail the commit of everybody.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.WriteThen(ctx, fn, nil)
}

// WriteThen is Write with a second function that runs when fn is on the disk, before Write returns and before any later
// fn runs, in the order of the commits, never twice. It must be short and must not call the database.
func (db *DB) WriteThen(ctx context.Context, fn func(*Tx) error, after func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, fn: fn, after: after, answered: make(chan struct{})}
	if err := db.push(j); err != nil {
		return err
	}
	select {
	case <-j.answered:
	case <-ctx.Done():
		if j.state.CompareAndSwap(waiting, withdrawn) {
			return ctx.Err()
		}
		<-j.answered
	}
	if j.panicked != nil {
		panic(j.panicked) // on the goroutine whose fault it is
	}
	return j.err
}

func (db *DB) push(j *job) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	switch {
	case db.stopped != nil:
		return db.stopped
	case db.closing:
		return condition(ErrClosed, db.cfg.Path, nil)
	}
	db.queue = append(db.queue, j)
	db.nudge()
	return nil
}

func (db *DB) nudge() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// stop makes err final. The first one stays.
func (db *DB) stop(err error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.stopped == nil {
		if errors.Is(err, ErrDamaged) {
			err = errors.Join(err, suspect(db.cfg.Path))
		}
		db.stopped = condition(ErrStopped, db.cfg.Path, err)
	}
	return db.stopped
}

// Explain words an error of Read: one of the conditions, or the error as it is. Damage that a query has met stops the
// database, and the next Open checks all of it.
func (db *DB) Explain(err error) error {
	err = explain(db.cfg.Path, err)
	if errors.Is(err, ErrDamaged) {
		return db.stop(err)
	}
	return err
}

// Stopped is nil, or the ErrStopped that every write is answered with.
func (db *DB) Stopped() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.stopped
}

// next takes what is queued, at most maxGroup. It says false when the database is closing and nothing is left.
func (db *DB) next() (group []*job, open bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	n := min(len(db.queue), maxGroup)
	group = db.queue[:n:n]
	db.queue = db.queue[n:]
	if len(db.queue) == 0 {
		db.queue = nil
	}
	return group, n > 0 || !db.closing
}

// run is the writer's goroutine. It ends with Close, which waits for it.
func (db *DB) run() {
	defer close(db.done)
	w := &work{db: db, tx: &Tx{conn: db.conn, stmts: map[string]*sql.Stmt{}}}
	for {
		group, open := db.next()
		if !open {
			db.ending = errors.Join(w.checkpoint(checkpointAll), w.tx.close())
			return
		}
		if len(group) == 0 {
			<-db.wake
			continue
		}
		w.group(group)
		w.checkpointIfDue()
	}
}

// work is the writer's own state.
type work struct {
	db     *DB
	tx     *Tx
	groups int   // commits since the log was last copied back
	log    int64 // its size then
}

// group commits the jobs together and answers each.
func (w *work) group(jobs []*job) {
	live := jobs[:0:len(jobs)]
	for _, j := range jobs {
		if !j.state.CompareAndSwap(waiting, taken) {
			continue
		}
		if j.err = w.db.Stopped(); j.err != nil {
			close(j.answered)
			continue
		}
		live = append(live, j)
	}
	if len(live) == 0 {
		return
	}
	err := w.try(live)
	if errors.Is(err, ErrFull) && w.db.cfg.OnFull != nil && w.db.cfg.OnFull() {
		err = w.try(live)
	}
	if err != nil && !errors.Is(err, ErrLocked) {
		err = w.db.stop(err)
	}
	for _, j := range live {
		if err != nil && j.panicked == nil {
			j.err = err
		}
		if j.err == nil && j.panicked == nil && j.after != nil {
			j.after()
		}
		close(j.answered)
	}
}

// try runs the jobs in one transaction. An error is of the whole group: nothing of it is in the database.
func (w *work) try(jobs []*job) error {
	w.tx.fault = nil
	if err := w.step("begin", "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := w.one(j); err != nil {
			w.undo()
			return err
		}
	}
	if err := w.step("commit", "COMMIT"); err != nil {
		w.undo()
		return err
	}
	w.groups++
	return nil
}

// one runs a job under its savepoint. An error is not fn's own (that one is the job's) but says that the transaction is
// gone.
func (w *work) one(j *job) error {
	if _, err := w.tx.Exec("SAVEPOINT job"); err != nil {
		return explain(w.db.cfg.Path, err)
	}
	j.err, j.panicked = call(j.fn, w.tx)
	if w.tx.fault != nil {
		return explain(w.db.cfg.Path, w.tx.fault)
	}
	if j.err != nil || j.panicked != nil {
		if _, err := w.tx.Exec("ROLLBACK TO job"); err != nil {
			return fmt.Errorf("undo one change of several: %w", errors.Join(j.err, err))
		}
	}
	if _, err := w.tx.Exec("RELEASE job"); err != nil {
		return fmt.Errorf("keep one change of several: %w", err)
	}
	return nil
}

func call(fn func(*Tx) error, tx *Tx) (err error, panicked any) { //nolint:revive // the error is not the last word here
	defer func() { panicked = recover() }()
	return fn(tx), nil
}

func (w *work) step(op, query string) error {
	if err := w.db.cfg.Fault(op); err != nil {
		return explain(w.db.cfg.Path, fmt.Errorf("%s: %w", op, err))
	}
	if _, err := w.tx.Exec(query); err != nil {
		return explain(w.db.cfg.Path, fmt.Errorf("%s: %w", op, err))
	}
	return nil
}

// undo ends what may be left of a transaction. Its own error says only that SQLite had ended it already.
func (w *work) undo() {
	w.tx.fault = nil
	_, _ = w.tx.Exec("ROLLBACK")
	w.tx.fault = nil
}

// When the log is copied back into the file: after so many commits, or when it has grown by so much.
const (
	checkpointGroups = 512
	checkpointBytes  = 4 << 20
)

// checkpointIfDue copies the log back into the file, on the writer's goroutine after everybody is answered: SQLite's own
// checkpoint does it inside a commit and keeps its errors to itself.
func (w *work) checkpointIfDue() {
	var size int64
	if fi, err := os.Stat(w.db.cfg.Path + "-wal"); err == nil {
		size = fi.Size()
	}
	if w.groups < checkpointGroups && size < w.log+checkpointBytes {
		return
	}
	w.groups, w.log = 0, size
	_ = w.checkpoint(checkpointSome) // kept in the database for the next caller, if it is final
}

const (
	checkpointSome = "PRAGMA wal_checkpoint(PASSIVE)"  // what no reader holds
	checkpointAll  = "PRAGMA wal_checkpoint(TRUNCATE)" // and leave an empty log
)

// checkpoint answers an error only if it is final. A full disk or a reader in the way is none: the log holds everything.
func (w *work) checkpoint(query string) error {
	if w.db.Stopped() != nil {
		return nil
	}
	w.tx.fault = nil
	err := w.step("checkpoint", query)
	w.tx.fault = nil
	switch {
	case err == nil, errors.Is(err, ErrLocked):
		return nil
	case errors.Is(err, ErrFull):
		if w.db.cfg.OnFull != nil {
			w.db.cfg.OnFull()
		}
		return nil
	}
	return w.db.stop(err)
}
