package sqlitedb

import (
	"errors"
	"fmt"
	"runtime/debug"

	"tilld/internal/failpoint"
)

// work is the writer's own state.
type work struct {
	db     *DB
	tx     *Tx
	groups int   // commits since the log was last copied back
	log    int64 // its size then
	jobs   int   // since its size was last looked at
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
	answer(live, err)
}

// answer tells each of the jobs, once, what became of it.
func answer(jobs []*job, err error) {
	for _, j := range jobs {
		if !j.state.CompareAndSwap(taken, told) {
			continue
		}
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
//
// Hardly any job fails, so at first they run without savepoints, whose copies of changed pages would cost as much as a
// small job. If one fails that has written, all of it is undone and done once more, each job under its own savepoint.
func (w *work) try(jobs []*job) error {
	if err := w.begin(); err != nil {
		return err
	}
	switch spoilt, err := w.plain(jobs); {
	case err != nil:
		w.undo()
		return err
	case spoilt:
		w.undo()
		if len(jobs) == 1 {
			return nil // nothing else was in it
		}
		if err := w.begin(); err != nil {
			return err
		}
		for _, j := range jobs {
			if err := w.apart(j); err != nil {
				w.undo()
				return err
			}
		}
	}
	err := w.db.cfg.Finish(w.tx)
	if err == nil && failpoint.Planted(failpoint.AckFirst) {
		answer(jobs, nil)
		failpoint.Late("commit")
	}
	if err == nil {
		if err = w.step("commit", "COMMIT"); err != nil && failpoint.Planted(failpoint.LostError) {
			w.undo()
			err = nil
		}
	}
	if err != nil {
		w.undo()
		return err
	}
	w.groups++
	w.jobs += len(jobs)
	return nil
}

func (w *work) begin() error {
	w.tx.fault = nil
	w.db.cfg.Begin()
	return w.step("begin", "BEGIN IMMEDIATE")
}

// plain runs the jobs one after the other. spoilt says that one which failed had changed something.
func (w *work) plain(jobs []*job) (spoilt bool, err error) {
	for _, j := range jobs {
		w.tx.wrote = false
		j.panicked, j.err = call(j.fn, w.tx)
		if w.tx.fault != nil {
			return false, explain(w.db.cfg.Path, w.tx.fault)
		}
		if (j.err != nil || j.panicked != nil) && w.tx.wrote {
			return true, nil
		}
	}
	return false, nil
}

// apart runs a job under its savepoint. An error is not fn's own (that one is the job's) but says that the transaction is
// gone.
func (w *work) apart(j *job) error {
	if _, err := w.tx.Exec("SAVEPOINT job"); err != nil {
		return explain(w.db.cfg.Path, err)
	}
	j.panicked, j.err = call(j.fn, w.tx)
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

func call(fn func(*Tx) error, tx *Tx) (p *panicked, err error) {
	defer func() {
		if v := recover(); v != nil {
			p = &panicked{v, debug.Stack()}
		}
	}()
	return nil, fn(tx)
}

// panicked is a panic of a write on its way to the goroutine whose fault it is, which has another stack.
type panicked struct {
	value any
	stack []byte
}

// Error is what the runtime prints.
func (p *panicked) Error() string { return fmt.Sprintf("%v, in a write:\n%s", p.value, p.stack) }

func (w *work) step(op, query string) error {
	if err := w.db.cfg.Fault(op); err != nil {
		return explain(w.db.cfg.Path, fmt.Errorf("%s: %w", op, err))
	}
	file := w.db.cfg.Path
	if op == "commit" {
		file += "-wal"
	}
	after := failpoint.At(op, file)
	if _, err := w.tx.Exec(query); err != nil {
		return explain(w.db.cfg.Path, fmt.Errorf("%s: %w", op, err))
	}
	after()
	return nil
}

// undo ends what may be left of a transaction. Its own error says only that SQLite had ended it already.
func (w *work) undo() {
	w.tx.fault = nil
	_, _ = w.tx.Exec("ROLLBACK")
	w.tx.fault = nil
}
