package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"tilld/internal/durable"
	"tilld/internal/failpoint"
)

// reserve is a file of blocks that belong to nobody else: given back to the disk when it is full, so that payments that
// run can end.
type reserve struct {
	path string
	size int64 // below 1: none is kept
	mu   sync.Mutex
	held bool
}

// openReserve takes over the file that an earlier boot has left.
func openReserve(path string, size int64) *reserve {
	r := &reserve{path: path, size: size}
	if fi, err := os.Stat(path); err == nil && size > 0 && fi.Size() >= size {
		r.held = true
	}
	return r
}

// keep makes the file if it is not there. That there is no room for it is no error: it is tried again.
func (r *reserve) keep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size <= 0 || r.held {
		return
	}
	if err := r.make(); err != nil {
		_ = os.Remove(r.path)
		return
	}
	r.held = true
}

func (r *reserve) make() error {
	made := failpoint.At("reserve", r.path)
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make reserve: %w", err)
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, r.size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		err = fill(f, r.size)
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make reserve: %w", err)
	}
	if err := durable.SyncDir(filepath.Dir(r.path)); err != nil {
		return fmt.Errorf("make reserve: %w", err)
	}
	made()
	return nil
}

// fill writes zeros, on a file system that cannot set blocks aside otherwise.
func fill(f *os.File, size int64) error {
	zeros := make([]byte, 64<<10)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}

// release gives the blocks back and says whether it had any.
func (r *reserve) release() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		return false
	}
	r.held = false
	return os.Remove(r.path) == nil
}
