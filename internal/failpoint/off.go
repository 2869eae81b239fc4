//go:build !failpoints

// Package failpoint ends a process in the middle of what it makes durable, for tests: a program built with the tag
// failpoints obeys TILLD_FAIL=OPERATION:N:before|after|torn, in which the Nth such operation of the process is its last
// act, and TILLD_AIM=FILE: while the file is there and says OPERATION:before|after|torn, the next such operation is; the
// file goes with it. Every other build has nothing of it.
package failpoint

// Compiled says whether this build can be told to fail.
const Compiled = false

// At stands before an operation that makes file durable; what it answers stands after it.
func At(_, _ string) func() { return nothing }

func nothing() {}

// Planted says whether the program is to have a bug.
func Planted(string) bool { return false }

// Late is the time between an answer that comes too soon and the op that it answers.
func Late(string) {}
