//go:build linux && (amd64 || arm64)

package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// passVar names the socket of the gate that a program is to pass.
const passVar = "TILLD_GATE"

// Pass becomes the program of the command line, behind a gate, if this process was started for that; else it returns at
// once. It is the first thing that a test binary's TestMain does.
func Pass() {
	to := os.Getenv(passVar)
	if to == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "gate:", pass(to, os.Args[1:]))
	os.Exit(125)
}

// pass returns only if it cannot.
func pass(to string, args []string) error {
	if len(args) == 0 {
		return errors.New("no program is named")
	}
	if err := os.Unsetenv(passVar); err != nil {
		return err
	}
	runtime.LockOSThread() // a filter is of one thread, which the program will be
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	if err := unix.Connect(s, &unix.SockaddrUnix{Name: to}); err != nil {
		return fmt.Errorf("reach the gate: %w", err)
	}
	env := os.Environ()
	listener, err := install()
	if err != nil {
		return err
	}
	// From here on a call of the table waits for the gate: nothing is opened and nothing written before it has the listener.
	pid := binary.NativeEndian.AppendUint64(nil, uint64(os.Getpid()))
	if err := unix.Sendmsg(s, pid, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("give the gate its end: %w", err)
	}
	return fmt.Errorf("start %s: %w", args[0], unix.Exec(args[0], args, env))
}

// install makes every call of the table wait for whoever holds the descriptor that it answers.
func install() (int, error) {
	const nr, machine = 0, 4 // where the kernel puts them for a filter
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: machine},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: uint8(len(table)) + 1, K: arch},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: nr},
	}
	for i, k := range table {
		code = append(code, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(table) - i), K: uint32(k.nr)})
	}
	code = append(code,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("give up new rights: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, // a call that was counted is not made again for a signal
		uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(code)
	if errno != 0 {
		return 0, fmt.Errorf("set the filter: %w", errno)
	}
	return int(fd), nil
}
