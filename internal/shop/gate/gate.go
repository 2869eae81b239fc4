//go:build linux && (amd64 || arm64)

// Package gate stands between a program and the kernel, for tests: each system call by which the program, in any of its
// threads, opens or changes a file below a folder is counted, told, and let go on or answered with an error in the kernel's
// place. The program is the one that is delivered, and knows nothing of it: a seccomp filter sends its calls here. strace
// does the like, but counts for each thread, and cannot write half of what it was given.
package gate

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Gate is one gate, which one process passes.
type Gate struct {
	dir   string
	judge func(Call) Answer
	ln    *net.UnixListener
	done  chan struct{}
	ended time.Time // before done is closed

	mu     sync.Mutex // guards the following
	err    error
	calls  []Call
	counts map[string]int
	synced map[string][]byte // content of each file when it was last synced, or before the program opened it
}

// Open makes a gate for the files below dir, which is an absolute path. judge is asked about one call at a time, in the
// order in which they are made; nil lets all go on.
func Open(dir string, judge func(Call) Answer) (*Gate, error) {
	if judge == nil {
		judge = func(Call) Answer { return Answer{} }
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: "@tilld-gate-" + rand.Text(), Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("open a gate: %w", err)
	}
	g := &Gate{dir: dir, judge: judge, ln: ln, done: make(chan struct{}), counts: map[string]int{}, synced: map[string][]byte{}}
	go g.serve()
	return g, nil
}

// Env is what a process whose TestMain calls Pass needs, to become a program behind this gate.
func (g *Gate) Env() string { return passVar + "=" + g.ln.Addr().String() }

// Close waits until the process has ended, if one has come, and answers what went wrong at the gate.
func (g *Gate) Close() error {
	_ = g.ln.Close()
	<-g.done
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Over says whether a process has come and ended.
func (g *Gate) Over() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// Wait returns when a process has come and ended, and answers when that was.
func (g *Gate) Wait() time.Time {
	<-g.done
	return g.ended
}

// Calls are those that were made so far, also those that failed.
func (g *Gate) Calls() []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Call(nil), g.calls...)
}

func (g *Gate) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = errors.Join(g.err, err)
}

// serve lets one process pass, until it has ended.
func (g *Gate) serve() {
	defer close(g.done)
	defer func() { g.ended = time.Now() }()
	c, err := g.ln.AcceptUnix()
	if err != nil {
		return // closed before anybody came
	}
	defer c.Close() //nolint:errcheck // it has said what it had to
	b, oob := make([]byte, 8), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := c.ReadMsgUnix(b, oob)
	if err != nil {
		g.note(fmt.Errorf("receive the listener: %w", err))
		return
	}
	p := process{pid: int(binary.NativeEndian.Uint64(b))}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err == nil && len(messages) == 1 {
		var fds []int
		if fds, err = unix.ParseUnixRights(&messages[0]); err == nil && len(fds) == 1 {
			p.listener = fds[0]
		}
	}
	if p.listener == 0 {
		g.note(fmt.Errorf("receive the listener: %w", errors.Join(err, errors.New("none came"))))
		return
	}
	defer unix.Close(p.listener) //nolint:errcheck // nobody waits for an answer any more
	if p.pidfd, err = unix.PidfdOpen(p.pid, 0); err != nil {
		g.note(fmt.Errorf("look at process %d: %w", p.pid, err))
	}
	defer unix.Close(p.pidfd) //nolint:errcheck // only looked through
	for g.next(p) {
	}
}

// next answers one call; no says that the process has ended.
func (g *Gate) next(p process) bool {
	at := []unix.PollFd{{Fd: int32(p.listener), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(at, -1); err == nil {
			break
		} else if !errors.Is(err, unix.EINTR) {
			g.note(fmt.Errorf("wait at the gate: %w", err))
			return false
		}
	}
	if at[0].Revents&unix.POLLIN == 0 {
		return false
	}
	var n notice
	if err := ioctl(p.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); err != nil {
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINTR) { // else whoever called was killed meanwhile
			g.note(fmt.Errorf("receive a call: %w", err))
		}
		return true
	}
	r := g.answer(p, n)
	if err := ioctl(p.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); err != nil && !errors.Is(err, unix.ENOENT) {
		g.note(fmt.Errorf("answer a call: %w", err))
	}
	return true
}

// answer counts the call if it is about a file below the folder, and does what judge says.
func (g *Gate) answer(p process, n notice) response {
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	k, ok := kindOf(uintptr(n.nr))
	if !ok {
		g.note(fmt.Errorf("call %d came to the gate and is not in its table", n.nr))
		return r
	}
	path, err := p.file(k, n)
	if err != nil {
		if !p.killed(err) {
			g.note(fmt.Errorf("%s: %w", k.name, err))
		}
		return r
	}
	file, err := filepath.Rel(g.dir, path)
	if err != nil || file == ".." || strings.HasPrefix(file, "../") {
		return r
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := Call{Name: k.name, File: file}
	g.counts[k.name+" "+file]++
	c.N = g.counts[k.name+" "+file]
	flags, opens := openFlags(k, n.args)
	c.Makes = opens && makes(flags)
	c.New = opens && creates(flags) && missing(path)
	if k.name == "write" || k.name == "pwrite64" {
		c.Bytes = int(n.args[2])
	}
	g.calls = append(g.calls, c)
	a := g.judge(c)
	syncs := k.name == "fsync" || k.name == "fdatasync"
	switch {
	case a.Half && c.Bytes > 1:
		half, err := p.writeHalf(k, n)
		if err != nil {
			if !p.killed(err) {
				g.err = errors.Join(g.err, fmt.Errorf("write half of %v: %w", c, err))
			}
			return r
		}
		r.flags, r.val = 0, int64(half)
	case a.Errno != 0:
		r.flags, r.err = 0, -int32(a.Errno)
		if a.Lose && syncs {
			g.err = errors.Join(g.err, g.lose(path))
		}
	case syncs:
		g.err = errors.Join(g.err, g.remember(path, true))
	case opens:
		g.err = errors.Join(g.err, g.remember(path, false))
	}
	return r
}
