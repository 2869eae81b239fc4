//go:build linux && (amd64 || arm64)

package gate

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Call is one system call by which a program opens or changes a file.
type Call struct {
	Name  string // as the kernel calls it
	File  string // its path below the folder that is watched; "." is the folder; of a rename, the new name
	N     int    // how many of this name and file the process has made, with this one
	Bytes int    // of a write
	Makes bool   // of an open: it makes the file if there is none, or empties it
	New   bool   // of an open: it makes the file, for there is none
}

// String is what a person looks for in a list.
func (c Call) String() string { return fmt.Sprintf("%s %s #%d", c.Name, c.File, c.N) }

// Answer is what the kernel is made to say. The zero one lets the call go on.
type Answer struct {
	Errno unix.Errno // the call is not made, and fails with this
	Half  bool       // of a write: the first half of its bytes is written, and the kernel says so
	Lose  bool       // of a sync that fails: what was written to the file since the last one is gone, as on a real disk
}

// how a call names its file.
type how uint8

const (
	byPath  how = iota // its path is in argument at
	byPlace            // folder and path are in arguments at and at+1
	byFD               // descriptor in argument 0
)

// kind is one system call of the table.
type kind struct {
	nr   uintptr
	name string
	how  how
	at   int
}

// everywhere are the calls that every machine has.
var everywhere = []kind{
	{unix.SYS_OPENAT, "openat", byPlace, 0},
	{unix.SYS_WRITE, "write", byFD, 0},
	{unix.SYS_WRITEV, "writev", byFD, 0},
	{unix.SYS_PWRITE64, "pwrite64", byFD, 0},
	{unix.SYS_PWRITEV, "pwritev", byFD, 0},
	{unix.SYS_PWRITEV2, "pwritev2", byFD, 0},
	{unix.SYS_FSYNC, "fsync", byFD, 0},
	{unix.SYS_FDATASYNC, "fdatasync", byFD, 0},
	{unix.SYS_FTRUNCATE, "ftruncate", byFD, 0},
	{unix.SYS_FALLOCATE, "fallocate", byFD, 0},
	{unix.SYS_FCHMOD, "fchmod", byFD, 0},
	{unix.SYS_FCHMODAT, "fchmodat", byPlace, 0},
	{unix.SYS_FCHOWN, "fchown", byFD, 0},
	{unix.SYS_TRUNCATE, "truncate", byPath, 0},
	{unix.SYS_UNLINKAT, "unlinkat", byPlace, 0},
	{unix.SYS_RENAMEAT, "renameat", byPlace, 2},
	{unix.SYS_RENAMEAT2, "renameat2", byPlace, 2},
	{unix.SYS_MKDIRAT, "mkdirat", byPlace, 0},
	{unix.SYS_LINKAT, "linkat", byPlace, 2},
	{unix.SYS_SYMLINKAT, "symlinkat", byPlace, 1},
}

// table is what stops at the gate.
var table = append(everywhere, ofOld...)

// Names are the calls that stop at the gate.
func Names() []string {
	var out []string
	for _, k := range table {
		out = append(out, k.name)
	}
	return out
}

func kindOf(nr uintptr) (kind, bool) {
	for _, k := range table {
		if k.nr == nr {
			return k, true
		}
	}
	return kind{}, false
}

// creates says of an open's flags whether it makes a file that is not there.
func creates(flags uint64) bool { return flags&unix.O_CREAT != 0 }

// missing says whether there is nothing under a path.
func missing(path string) bool {
	var s unix.Stat_t
	return errors.Is(unix.Lstat(path, &s), unix.ENOENT)
}

// makes says of an open's flags whether it may change the disk.
func makes(flags uint64) bool { return flags&(unix.O_CREAT|unix.O_TRUNC) != 0 }
