//go:build linux && (amd64 || arm64)

package gate

import (
	"errors"
	"fmt"
	"os"
)

// remember keeps the content that a disk is sure to hold.
func (g *Gate) remember(path string, again bool) error {
	if _, ok := g.synced[path]; ok && !again {
		return nil
	}
	fi, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !fi.Mode().IsRegular() {
		return nil
	}
	if err == nil {
		g.synced[path], err = os.ReadFile(path)
	}
	if err != nil {
		return fmt.Errorf("remember a file: %w", err)
	}
	return nil
}

// lose puts the file back to what it was when it was last synced.
func (g *Gate) lose(path string) error {
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("lose what was not synced: %w", err)
	}
	was := g.synced[path]
	_, err = f.WriteAt(was, 0)
	return errors.Join(err, f.Truncate(int64(len(was))), f.Close())
}
