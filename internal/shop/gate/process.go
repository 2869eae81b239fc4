//go:build linux && (amd64 || arm64)

package gate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// process is what stands at the gate.
type process struct {
	pid, pidfd, listener int
}

// killed says that err, of something that was wanted of a thread that waits at the gate, is because the process was killed. The
// thread may be gone a moment before the process is: none that waits ends by itself.
func (p process) killed(err error) bool {
	return errors.Is(err, unix.ESRCH) || unix.PidfdSendSignal(p.pidfd, 0, nil, 0) != nil
}

// file is the path that the call is about: "" or a name such as "socket:[7]" for what is no file.
func (p process) file(k kind, n notice) (string, error) {
	switch k.how {
	case byFD:
		return p.of(n.pid, fmt.Sprint("fd/", int32(n.args[0])))
	case byPath:
		return p.path(n.pid, unix.AT_FDCWD, uintptr(n.args[k.at]))
	default:
		return p.path(n.pid, int32(n.args[k.at]), uintptr(n.args[k.at+1]))
	}
}

func (p process) of(thread uint32, what string) (string, error) {
	s, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", thread, what))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil // no such descriptor: the kernel will say so
	}
	return strings.TrimSuffix(s, " (deleted)"), err
}

// path reads one of the program's own words, and what it stands for.
func (p process) path(thread uint32, folder int32, at uintptr) (string, error) {
	s, err := p.text(thread, at)
	if err != nil {
		return "", fmt.Errorf("read a path: %w", err)
	}
	if filepath.IsAbs(s) {
		return filepath.Clean(s), nil
	}
	from := "cwd"
	if folder != unix.AT_FDCWD {
		from = fmt.Sprint("fd/", folder)
	}
	base, err := p.of(thread, from)
	return filepath.Join(base, s), err
}

// text is the string at an address, which is read up to the end of one page of memory at a time.
func (p process) text(thread uint32, at uintptr) (string, error) {
	var all []byte
	for len(all) < unix.PathMax {
		b, err := p.read(thread, at, int(4096-at%4096))
		if err != nil {
			return "", err
		}
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(append(all, b[:end]...)), nil
		}
		all = append(all, b...)
		at += uintptr(len(b))
	}
	return "", errors.New("it has no end")
}

func (p process) read(thread uint32, at uintptr, n int) ([]byte, error) {
	b := make([]byte, n)
	local := unix.Iovec{Base: &b[0]}
	local.SetLen(n)
	got, err := unix.ProcessVMReadv(int(thread), []unix.Iovec{local}, []unix.RemoteIovec{{Base: at, Len: n}}, 0)
	if err == nil && got != n {
		err = fmt.Errorf("%d bytes of %d", got, n)
	}
	return b, err
}

// writeHalf writes the first half of what the program wants to write, through the program's own descriptor, and answers how
// many bytes that are.
func (p process) writeHalf(k kind, n notice) (int, error) {
	b, err := p.read(n.pid, uintptr(n.args[1]), int(n.args[2])/2)
	if err != nil {
		return 0, err
	}
	fd, err := unix.PidfdGetfd(p.pidfd, int(n.args[0]), 0)
	if err != nil {
		return 0, fmt.Errorf("share a descriptor: %w", err)
	}
	defer unix.Close(fd) //nolint:errcheck // the program has its own
	if k.name == "pwrite64" {
		return unix.Pwrite(fd, b, int64(n.args[3]))
	}
	return unix.Write(fd, b)
}
