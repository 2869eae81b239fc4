package sqlitedb

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tilld/internal/durable"
	"tilld/internal/failpoint"
)

const stamp = "20060102T150405Z"

// parts are what stands behind a database's name in the names of its files: itself, its log and index, a mark.
func parts() []string { return []string{"", "-wal", "-shm", "-journal", ".suspect"} }

// SetAside renames a database with its log and index to a name that carries the time, and answers the new path of the
// database, or of the first of the others where the database was not there: an earlier try that was cut short has moved it.
// Nothing is ever deleted. The database must not be open. Files that are not there are passed over.
func SetAside(path string, at time.Time) (string, error) {
	to, err := free(path + ".damaged-" + at.UTC().Format(stamp))
	if err != nil {
		return "", explain(path, err)
	}
	moved := ""
	// The database goes first. After a crash in between there is a log without its database, which is set aside with the next
	// try. The other way round the database would be opened without its newest pages, and might look sound.
	for _, suffix := range parts() {
		after := failpoint.At("aside", to+suffix)
		err := os.Rename(path+suffix, to+suffix)
		switch {
		case err == nil:
			moved = cmp.Or(moved, to+suffix)
		case !errors.Is(err, fs.ErrNotExist):
			return "", explain(path, fmt.Errorf("set database aside: %w", err))
		}
		after()
	}
	if moved == "" {
		return "", fmt.Errorf("set database aside: %w", fs.ErrNotExist)
	}
	if err := durable.SyncDir(filepath.Dir(path)); err != nil {
		return "", explain(path, err)
	}
	return moved, nil
}

// Aside lists what SetAside has put beside path and answered, oldest first.
func Aside(path string) ([]string, error) {
	all, err := filepath.Glob(globQuote(path) + ".damaged-*")
	if err != nil {
		return nil, fmt.Errorf("list databases set aside: %w", err)
	}
	var names []string
	for _, p := range all {
		for _, suffix := range parts() {
			p = strings.TrimSuffix(p, suffix)
		}
		names = append(names, p)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i, name := range names {
		there := slices.IndexFunc(parts(), func(suffix string) bool { return slices.Contains(all, name+suffix) })
		names[i] = name + parts()[there]
	}
	return names, nil
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// free is name, or name with a count where that is taken.
func free(name string) (string, error) {
	for i := 1; i < 1000; i++ {
		p := name
		if i > 1 {
			p = fmt.Sprintf("%s-%d", name, i)
		}
		if _, err := os.Lstat(p); errors.Is(err, fs.ErrNotExist) {
			return p, nil
		} else if err != nil {
			return "", fmt.Errorf("look for a free name: %w", err)
		}
	}
	return "", fmt.Errorf("look for a free name: %s is taken a thousand times", name)
}

// suspect leaves a mark beside the database that makes the next Open check all of it.
func suspect(path string) error {
	f, err := os.OpenFile(path+".suspect", os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("mark database as suspect: %w", err)
	}
	return errors.Join(f.Sync(), f.Close(), durable.SyncDir(filepath.Dir(path)))
}

func isSuspect(path string) bool {
	_, err := os.Lstat(path + ".suspect")
	return err == nil
}

// writable asks the kernel before SQLite does, whose own answers to a read-only file are many.
func writable(path string) error {
	if err := unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		err := unix.Access(path+suffix, unix.W_OK|unix.R_OK)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("file %s: %w", filepath.Base(path)+suffix, err)
		}
	}
	return nil
}

// lockFile holds path.lock for this process; the kernel lets go of it when the process ends, however it ends. SQLite's
// own locks would let two writers take turns.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, explain(path, fmt.Errorf("open lock file: %w", err))
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, condition(ErrLocked, path, nil)
		}
		return nil, explain(path, fmt.Errorf("lock database: %w", err))
	}
	return f, nil
}

// unlock lets go by name: a program that this process is just starting has the file too, until its own begins.
func unlock(f *os.File) error {
	return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("sync file: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync file %s: %w", path, err)
	}
	return nil
}
