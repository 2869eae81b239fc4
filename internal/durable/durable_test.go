package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"tilld/internal/durable"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "a longer second", "3"} {
		if err := durable.Replace(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != text {
			t.Errorf("%q, %v; want %q", got, err, text)
		}
		if _, err := os.Lstat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what was written first is still there: %v", err)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm()&0o137 != 0 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

// A file that cannot be replaced stays as it was, and nothing is left beside it.
func TestReplaceFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "is")
	if err := durable.Replace(filepath.Join(dir, "file"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "file", "full"), 0o700); err != nil { // no file can take its name
		t.Fatal(err)
	}
	if err := durable.Replace(filepath.Join(dir, "file"), []byte("x"), 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	if _, err := os.Lstat(filepath.Join(dir, "file.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was written first is still there: %v", err)
	}
}

func TestMakeDir(t *testing.T) {
	top := t.TempDir()
	deep := filepath.Join(top, "a", "b", "c")
	for range 2 { // one that is there is no error
		if err := durable.MakeDir(deep); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{deep, filepath.Dir(deep), filepath.Join(top, "a")} {
		if fi, err := os.Stat(dir); err != nil || !fi.IsDir() || fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, fi, err)
		}
	}
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.MakeDir(filepath.Join(file, "below")); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("below a file: %v", err)
	}
}
