package sqlitedb

import (
	"errors"
	"os"
)

// When the log is copied back into the file: after so many commits, or when it has grown by so much.
const (
	checkpointGroups = 512
	checkpointBytes  = 4 << 20
)

// When its size is looked at: after so many jobs, each of some pages, or so many bytes of values.
const (
	lookJobs  = 4
	lookBytes = 256 << 10
)

// checkpointIfDue copies the log back into the file, on the writer's goroutine after everybody is answered: SQLite's own
// checkpoint does it inside a commit and keeps its errors to itself.
func (w *work) checkpointIfDue() {
	if w.jobs < lookJobs && w.tx.bytes < lookBytes {
		return
	}
	w.jobs, w.tx.bytes = 0, 0
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
		return nil //nolint:nilerr // who stopped it has told why
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
