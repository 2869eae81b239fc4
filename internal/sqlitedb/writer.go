package sqlitedb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
)

// maxGroup bounds how many callers share one commit, so that the first of them does not wait for ever.
const maxGroup = 256

// States of a job: who moves it away from waiting first decides.
const (
	waiting int32 = iota
	taken
	withdrawn
	told
)

// job is one caller's work. The caller blocks until answered is closed, so the queue is never longer than the number of
// goroutines that write.
type job struct {
	ctx      context.Context
	fn       func(*Tx) error
	after    func()
	state    atomic.Int32
	err      error
	panicked *panicked
	answered chan struct{}
}

// Write runs fn in a transaction of its own and returns when it is on the disk. Callers that come while a commit is
// under way share the next one, with one fsync for all. An error of fn undoes fn alone and is returned as it is. fn may be
// run again (another fn of its group failed, or see Config.OnFull), so it sets what it captures and never adds to it; it
// must not call Write. ctx is looked at until fn is taken, not after.
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

// stop makes err final. The first one stays. Damage leaves a mark, also when something else was first.
func (db *DB) stop(err error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if errors.Is(err, ErrDamaged) && !db.suspected {
		db.suspected = true
		err = errors.Join(err, suspect(db.cfg.Path))
	}
	if db.stopped == nil {
		db.stopped = condition(ErrStopped, db.cfg.Path, err)
		close(db.halted)
	}
	return db.stopped
}

// Explain words an error of Read: one of the conditions, or the error as it is. Damage that a query has met stops the
// database, and the next Open checks all of it. A reader has nothing to stop, and leaves the file alone.
func (db *DB) Explain(err error) error {
	err = explain(db.cfg.Path, err)
	if errors.Is(err, ErrDamaged) && db.lock != nil {
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

// Halted is closed when Stopped has an answer, so that nobody has to write to find out.
func (db *DB) Halted() <-chan struct{} { return db.halted }

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

// run is the writer's goroutine. It ends with Close, which waits for it. The connection is its own for so long.
func (db *DB) run() {
	defer close(db.done)
	err := db.conn.Raw(func(c any) error {
		conn, ok := c.(driver.Conn)
		if !ok {
			return fmt.Errorf("a connection is no driver.Conn but %T", c)
		}
		return db.serve(&work{db: db, tx: &Tx{conn: conn, stmts: map[string]driver.Stmt{}}})
	})
	if err != nil { // no connection: whoever waits is told so
		_ = db.stop(err)
		db.ending = errors.Join(err, db.serve(&work{db: db, tx: &Tx{}}))
	}
}

// serve commits group after group until Close.
func (db *DB) serve(w *work) error {
	for {
		group, open := db.next()
		if !open {
			db.ending = errors.Join(w.checkpoint(checkpointAll), w.tx.close())
			return nil
		}
		if len(group) == 0 {
			<-db.wake
			continue
		}
		w.group(group)
		w.checkpointIfDue()
	}
}
