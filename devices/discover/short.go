package discover

import (
	"errors"
	"io/fs"
	"syscall"
)

// short is a file system that remembers whether a reading failed because the process or the machine had no more to give. Any other
// failure is a file that is not there, or no longer. One goroutine reads it.
type short struct {
	fs.FS
	err error
}

func (s *short) note(err error) {
	if s.err == nil && (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)) {
		s.err = err
	}
}

// Open is as fs.FS says.
func (s *short) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	s.note(err)
	return f, err
}

// ReadFile is as fs.ReadFileFS says.
func (s *short) ReadFile(name string) ([]byte, error) {
	b, err := fs.ReadFile(s.FS, name)
	s.note(err)
	return b, err
}

// ReadDir is as fs.ReadDirFS says.
func (s *short) ReadDir(name string) ([]fs.DirEntry, error) {
	es, err := fs.ReadDir(s.FS, name)
	s.note(err)
	return es, err
}

// ReadLink is as fs.ReadLinkFS says.
func (s *short) ReadLink(name string) (string, error) {
	to, err := fs.ReadLink(s.FS, name)
	s.note(err)
	return to, err
}

// Lstat is as fs.ReadLinkFS says.
func (s *short) Lstat(name string) (fs.FileInfo, error) {
	i, err := fs.Lstat(s.FS, name)
	s.note(err)
	return i, err
}
