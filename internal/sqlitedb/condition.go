package sqlitedb

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Conditions a database may be in. Open and Write answer with an error that Is one of them, whose text is one sentence
// with what to do; errors.As with a *Condition gives path, advice and cause apart.
var (
	// ErrDamaged: the file is no database, or its content contradicts itself, or it cannot be read. SetAside is the way on.
	ErrDamaged = errors.New("is damaged")
	// ErrReadOnly: file, directory or disk cannot be written.
	ErrReadOnly = errors.New("cannot be written")
	// ErrFull: no room on the disk.
	ErrFull = errors.New("has no room on its disk")
	// ErrNewer: a newer program has migrated it. Nothing was touched.
	ErrNewer = errors.New("was made by a newer version of this program")
	// ErrMigration: a step of a migration failed on what the file holds. The file is as it was.
	ErrMigration = errors.New("could not be brought to the version of this program")
	// ErrLocked: another process works with it.
	ErrLocked = errors.New("is in use by another process")
	// ErrDisk: the disk answers writes or syncs with errors.
	ErrDisk = errors.New("is on a disk that answers with errors")
	// ErrStopped: a commit or fsync failed once. This DB writes no more; the process must end and start anew.
	ErrStopped = errors.New("is stopped after a failed write")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("is closed")
)

// Condition is a database that cannot be used, said for people and for programs.
type Condition struct {
	Kind error  // one of the Err values above
	Path string // the database
	Do   string // what a person does about it
	Err  error  // cause, nil if Kind says it all
}

// Error is one sentence: what is wrong with which file, what to do, and the cause in brackets.
func (c *Condition) Error() string {
	s := fmt.Sprintf("database %s %s: %s", c.Path, c.Kind, c.Do)
	if c.Err != nil {
		s += " (" + strings.ReplaceAll(c.Err.Error(), "\n", "; ") + ")"
	}
	return s
}

// Unwrap lets errors.Is find the kind and the cause.
func (c *Condition) Unwrap() []error {
	if c.Err == nil {
		return []error{c.Kind}
	}
	return []error{c.Kind, c.Err}
}

// advice is indexed by kind: a function, not a map, so that nothing here can change.
func advice(kind error) string {
	switch kind {
	case ErrDamaged: //nolint:errorlint // a kind is one of our own values, never wrapped
		return "set the file aside with its -wal and -shm, and start with a new one, or put a copy back in their place"
	case ErrReadOnly:
		return "mount its disk for writing and give this program's user the directory"
	case ErrFull:
		return "free some space on the disk"
	case ErrNewer:
		return "install the newer program again, or put back the copy that it made before it migrated, without the -wal and -shm of this one"
	case ErrMigration:
		return "run the program of before, and give this line to its makers; nothing was changed"
	case ErrLocked:
		return "end the other process first"
	case ErrDisk:
		return "restart once, and replace the disk if it comes again"
	default:
		return "restart this program"
	}
}

func condition(kind error, path string, err error) error {
	return &Condition{Kind: kind, Path: path, Do: advice(kind), Err: err}
}

// explain turns what SQLite or the kernel said into a Condition, or leaves the error as it is when it is none: a broken
// constraint is the caller's business.
func explain(path string, err error) error {
	var c *Condition
	if err == nil || errors.As(err, &c) {
		return err
	}
	if kind := kindOf(err); kind != nil {
		return condition(kind, path, err)
	}
	return err
}

func kindOf(err error) error {
	var se *sqlite.Error
	if errors.As(err, &se) {
		if se.Code() == lib.SQLITE_ERROR && strings.Contains(se.Error(), notAsWritten) {
			return ErrDamaged
		}
		return kindOfCode(se.Code())
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ErrFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return ErrReadOnly
	case errors.Is(err, syscall.EIO):
		return ErrDisk
	}
	for _, kind := range []error{ErrDamaged, ErrReadOnly, ErrFull, ErrNewer, ErrMigration, ErrLocked, ErrDisk} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// noSuchName says whether SQLite does not know a table or column of a statement of ours.
func noSuchName(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) && se.Code() == lib.SQLITE_ERROR && strings.Contains(se.Error(), "no such ")
}

// kindOfCode sorts the extended result codes. Of the I/O errors only those of reading speak of the file; the others may
// come from a full or failing disk under a sound file, which must never be set aside for it.
func kindOfCode(code int) error {
	switch code {
	case lib.SQLITE_IOERR_READ, lib.SQLITE_IOERR_SHORT_READ, lib.SQLITE_IOERR_DATA, lib.SQLITE_IOERR_CORRUPTFS:
		return ErrDamaged
	case lib.SQLITE_IOERR_SHMSIZE:
		return ErrFull // the kernel had no block for the wal-index
	}
	switch code & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return ErrDamaged
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return ErrReadOnly
	case lib.SQLITE_FULL:
		return ErrFull
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return ErrLocked
	case lib.SQLITE_IOERR:
		return ErrDisk
	}
	return nil
}

// Unique says that err is a broken UNIQUE or PRIMARY KEY constraint.
func Unique(err error) bool {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return false
	}
	switch se.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}
