// Package durable makes files and their names outlive a power cut. A file that is synced has its content; whether its name
// leads to it afterwards is up to a sync of the folder, which every file system may ask for and some can do without.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tilld/internal/failpoint"
)

// SyncDir makes durable which names dir has.
func SyncDir(dir string) error {
	if failpoint.Planted(failpoint.LostName) {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// MakeDir makes dir and whatever lacks above it (0700), each with a name that lasts. One that is there is left alone.
func MakeDir(dir string) error {
	var lacks []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make directory: %w", err)
		}
		lacks = append(lacks, at)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	for _, made := range lacks {
		if err := SyncDir(filepath.Dir(made)); err != nil {
			return err
		}
	}
	return nil
}

// Replace writes a file anew: it is the old or the new one, whole, whenever the process is killed or the power fails, and
// the new one once Replace has returned. What it writes first lies beside it, as path.new, and goes away with an error. Tests
// can end the process at it, under the file's name, and under path.new's while that is written.
func Replace(path string, text []byte, perm fs.FileMode) error {
	fresh := path + ".new"
	written := failpoint.At(filepath.Base(fresh), fresh)
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(fresh)
		return err
	}
	written()
	named := failpoint.At(filepath.Base(path), path)
	if err := os.Rename(fresh, path); err != nil {
		_ = os.Remove(fresh)
		return err
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	named()
	return nil
}
