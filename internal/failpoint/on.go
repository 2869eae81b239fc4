//go:build failpoints

package failpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Compiled says whether this build can be told to fail.
const Compiled = true

// plan is what the environment asks for.
type plan struct {
	op, how string
	n       int64
}

var (
	wanted = sync.OnceValue(func() plan {
		var p plan
		f := strings.Split(os.Getenv("TILLD_FAIL"), ":")
		if len(f) != 3 {
			return p
		}
		if _, err := fmt.Sscan(f[1], &p.n); err != nil {
			return p
		}
		p.op, p.how = f[0], f[2]
		return p
	})
	seen atomic.Int64
)

// At stands before an operation that makes file durable; what it answers stands after it.
func At(op, file string) func() {
	p := wanted()
	if p.op != op || seen.Add(1) != p.n {
		if p = aimed(); p.op != op {
			return func() {}
		}
		_ = os.Remove(aim()) // the shot is fired
	}
	switch p.how {
	case "before":
		end(p)
	case "torn":
		if op == "commit" && cut(file) == nil {
			say(p)
			return kill // its write found room below the limit: it began the log anew, and is whole
		}
		was, err := os.ReadFile(file)
		if err != nil {
			was = nil
		}
		return func() { tear(file, was); end(p) }
	}
	return func() { end(p) }
}

var aim = sync.OnceValue(func() string { return os.Getenv("TILLD_AIM") })

// aimed is what the file of TILLD_AIM asks for now, nothing if it is not there.
func aimed() plan {
	if aim() == "" {
		return plan{}
	}
	b, err := os.ReadFile(aim())
	op, how, ok := strings.Cut(string(b), ":")
	if err != nil || !ok {
		return plan{}
	}
	return plan{op: op, how: how}
}

// cut has the kernel end the process in the middle of a write behind the last frame of a database's log. A commit that is whole
// for a moment and is torn afterwards has readers, who may tell the world of it. Where the next frame goes stands at the head
// of the log's index: https://sqlite.org/walformat.html, the header of the WAL-index.
func cut(log string) error {
	head := make([]byte, 20)
	f, err := os.Open(strings.TrimSuffix(log, "-wal") + "-shm")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := io.ReadFull(f, head); err != nil {
		return err
	}
	frame := 24 + int64(binary.NativeEndian.Uint16(head[14:]))
	frames := int64(binary.NativeEndian.Uint32(head[16:])) + rand.Int64N(3) // a commit of one page is whole more often
	at := uint64(32 + frames*frame + frame/2)
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return err
	}
	var byKernel [4]uint64 // struct sigaction of SIG_DFL: Go's own handler would tell of it at length
	if _, _, no := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGXFSZ), uintptr(unsafe.Pointer(&byKernel)), 0, 8, 0, 0); no != 0 {
		return no
	}
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: at, Max: at})
}

// tear puts back the second half of what the operation has changed in a file that nobody reads meanwhile: a write that was
// under way.
func tear(file string, was []byte) {
	is, err := os.ReadFile(file)
	if err != nil {
		return
	}
	from, to := 0, len(is)
	for from < min(len(is), len(was)) && is[from] == was[from] {
		from++
	}
	for len(is) == len(was) && to > from && is[to-1] == was[to-1] {
		to--
	}
	half := from + (to-from)/2
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	if half < len(was) {
		_, _ = f.WriteAt(was[half:min(to, len(was))], int64(half))
	}
	if len(is) > len(was) {
		_ = f.Truncate(int64(max(half, len(was))))
	}
}

// Planted says whether the program is to have a bug.
func Planted(bug string) bool { return planted() == bug }

// planted is the bug that this program is to have: TILLD_PLANT=BUG plants it in every one, TILLD_PLANT=PROGRAM:BUG in one.
var planted = sync.OnceValue(func() string {
	bug := os.Getenv("TILLD_PLANT")
	if program, one, ok := strings.Cut(bug, ":"); ok {
		if program != filepath.Base(os.Args[0]) {
			return ""
		}
		return one
	}
	return bug
})

// Late is the time between an answer that comes too soon and the op that it answers: enough for whoever is told to tell
// others before the process ends. One that knows how it will end waits then alone.
func Late(op string) {
	p := wanted()
	switch {
	case aimed().op == op, p.op == op && seen.Load()+1 == p.n:
		time.Sleep(2 * time.Second)
	case aim() == "" && p.op == "":
		time.Sleep(200 * time.Millisecond) // it is killed from outside
	}
}

func end(p plan) {
	say(p)
	kill()
}

func say(p plan) {
	n := "aimed"
	if p.n > 0 {
		n = strconv.FormatInt(p.n, 10)
	}
	fmt.Fprintf(os.Stderr, "failpoint %s %s:%s:%s\n", filepath.Base(os.Args[0]), p.op, n, p.how)
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
