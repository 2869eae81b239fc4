package gadget

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Kind is what a bulk interface says it is.
type Kind struct {
	Class, SubClass, Protocol uint8
	ID                        string // of a printer, IEEE 1284
}

// Kinds that the bench needs.
var (
	Printer = Kind{7, 1, 2, "MFG:Bench;CMD:ESC/POS;MDL:FFS-80;CLS:PRINTER;"}
	OneWay  = Kind{7, 1, 1, Printer.ID} // it has an endpoint back, which nobody is to read
	Vendor  = Kind{0xff, 0, 0, ""}
)

// Bulk is an interface with one bulk endpoint each way, served by this program through FunctionFS.
type Bulk struct {
	kind         Kind
	mnt          string
	ep0, in, out int
	answer       func([]byte) []byte // what the device says to what it got, where nobody serves

	mu     sync.Mutex
	change *sync.Cond
	got    []byte
	send   [][]byte
	status byte // of the printer's port
	hold   bool
	halt   bool
	mute   bool // no answer to control requests
	room   int  // how much may have come that nobody has taken; 0: all that comes
	taken  int  // of got
	pullAt int
	pull   func() error
	tid    int // of the thread that reads
	ask    int // of the thread that answers the control line
	reads  int
	errs   []string // what its reads ended with, of late
	asked  []string // what the control line was asked of late, and how that ended
	serve  func(io.ReadWriteCloser) error
	line   *line // to serve, while the cable is in
}

// Bulk adds the interface. answer is called with what came and gives what goes back, nil for nothing; it may be nil.
func (g *Gadget) Bulk(kind Kind, answer func([]byte) []byte) (*Bulk, error) {
	name := fmt.Sprintf("%s%d", g.Name, len(g.uses))
	dir, err := g.function("ffs", name)
	if err != nil {
		return nil, err
	}
	if err := g.use(dir); err != nil {
		return nil, err
	}
	b := &Bulk{kind: kind, mnt: filepath.Join("/dev/ffs", name), answer: answer, status: 0x18, pull: g.Pull}
	b.change = sync.NewCond(&b.mu)
	if err := os.MkdirAll(b.mnt, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount(name, b.mnt, "functionfs", 0, ""); err != nil {
		return nil, fmt.Errorf("mount functionfs of %s: %w", name, err)
	}
	// Plain numbers and not files: an endpoint cannot be polled, and is read and written by a thread of its own.
	if b.ep0, err = unix.Open(b.mnt+"/ep0", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open endpoint 0 of %s: %w", name, err)
	}
	for _, text := range [][]byte{descriptors(kind), texts(g.Model)} {
		if _, err := unix.Write(b.ep0, text); err != nil {
			return nil, fmt.Errorf("describe %s: %w", name, err)
		}
	}
	if b.in, err = unix.Open(b.mnt+"/ep1", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open the endpoint in of %s: %w", name, err)
	}
	if b.out, err = unix.Open(b.mnt+"/ep2", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open the endpoint out of %s: %w", name, err)
	}
	// They serve until the machine ends: FunctionFS frees an endpoint with its last file alone.
	go b.serveControl()
	go b.serveOut()
	go b.serveIn()
	return b, nil
}

// descriptors are those of FunctionFS, version 2 (linux/usb/functionfs.h): one interface at full and at high speed.
func descriptors(k Kind) []byte {
	speed := func(packet uint16) []byte {
		d := []byte{9, 4, 0, 0, 2, k.Class, k.SubClass, k.Protocol, 1}
		for _, address := range []byte{0x81, 0x02} {
			d = binary.LittleEndian.AppendUint16(append(d, 7, 5, address, 2), packet)
			d = append(d, 0)
		}
		return d
	}
	full, high := speed(64), speed(512)
	b := words(3, uint32(20+len(full)+len(high)), 1|2, 3, 3)
	return append(append(b, full...), high...)
}

// texts is the one string that the interface has, in English.
func texts(s string) []byte {
	body := append(append([]byte{0x09, 0x04}, s...), 0)
	return append(words(2, uint32(16+len(body)), 1, 1), body...)
}

func words(list ...uint32) []byte {
	var b []byte
	for _, w := range list {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// serveControl answers what the printer class asks. Whatever else is asked is refused, by turning the wrong way.
func (b *Bulk) serveControl() {
	runtime.LockOSThread()
	b.mu.Lock()
	b.ask = unix.Gettid()
	b.mu.Unlock()
	events := make([]byte, 4*12)
	for {
		n, err := unix.Read(b.ep0, events)
		if err != nil {
			if err == unix.EBADF {
				return
			}
			b.note("no event: %v", err)
			continue // a request that the host took back
		}
		for e := events[:n]; len(e) >= 12; e = e[12:] {
			b.note("event %d: % x", e[8], e[:8])
			if e[8] != 4 { // not SETUP
				continue
			}
			b.mu.Lock()
			muted := b.mute
			for b.mute { // the next read would refuse the request
				b.change.Wait()
			}
			b.mu.Unlock()
			if muted {
				continue // the host has given it up
			}
			length := int(binary.LittleEndian.Uint16(e[6:]))
			var answer []byte
			switch {
			case b.kind.Class == 7 && e[0] == 0xa1 && e[1] == 0:
				answer = append(binary.BigEndian.AppendUint16(nil, uint16(len(b.kind.ID)+2)), b.kind.ID...)
			case b.kind.Class == 7 && e[0] == 0xa1 && e[1] == 1:
				b.mu.Lock()
				answer = []byte{b.status}
				b.mu.Unlock()
			case b.kind.Class == 7 && e[0] == 0x21 && e[1] == 2: // SOFT_RESET
				b.note("reset: %v", whole(unix.Read, b.ep0, nil))
				continue
			case e[0]&0x80 != 0:
				b.note("refused: %v", whole(unix.Read, b.ep0, make([]byte, 1)))
				continue
			default:
				b.note("refused: %v", whole(unix.Write, b.ep0, nil))
				continue
			}
			b.note("answered: %v", whole(unix.Write, b.ep0, answer[:min(len(answer), length)]))
		}
	}
}

// whole answers a request though a signal comes, such as Go's scheduler sends its threads: one that was broken off still
// waits, and the next reading of events would refuse it.
func whole(answer func(int, []byte) (int, error), fd int, p []byte) error {
	for {
		if _, err := answer(fd, p); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// note keeps what became of the control line, for who looks for a fault.
func (b *Bulk) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	if b.asked = append(b.asked, fmt.Sprintf("%.3f ", float64(now.Nano())/1e9)+fmt.Sprintf(format, args...)); len(b.asked) > 12 {
		b.asked = b.asked[1:]
	}
}

// serveOut takes what the host writes.
func (b *Bulk) serveOut() {
	runtime.LockOSThread()
	b.mu.Lock()
	b.tid = unix.Gettid()
	b.mu.Unlock()
	// A packet at a time: a larger read ends with a short packet alone, and a job of whole packets would wait in it for
	// ever. A printer takes what comes.
	buf := make([]byte, 512)
	for {
		b.mu.Lock()
		for (b.hold || b.room > 0 && len(b.got)-b.taken >= b.room) && !b.halt {
			b.change.Wait()
		}
		halt := b.halt
		b.halt = false
		b.mu.Unlock()
		if halt {
			_, _ = unix.Write(b.out, []byte{0}) // the wrong way: the endpoint is halted
			continue
		}
		n, err := unix.Read(b.out, buf)
		if err != nil || n == 0 {
			b.trouble(fmt.Sprintf("%d %v", n, err))
			if err != nil && err != unix.EINTR && err != unix.EAGAIN {
				b.hangUp()
			}
			continue // pulled, or woken by kick: the next read waits for the next plug
		}
		b.took(buf[:n])
	}
}

func (b *Bulk) took(p []byte) {
	b.mu.Lock()
	b.reads++
	b.got = append(b.got, p...)
	pull := b.pullAt > 0 && len(b.got) >= b.pullAt
	if pull {
		b.pullAt = 0
	}
	if b.answer != nil && b.serve == nil {
		if a := b.answer(p); len(a) > 0 {
			b.send = append(b.send, a)
		}
	}
	l := b.dial()
	b.change.Broadcast()
	b.mu.Unlock()
	if pull {
		go func() { _ = b.pull() }() // a hand of its own: this thread reads on until the cable is out
	}
	if l != nil {
		_, _ = l.w.Write(p) // waits until the device has taken it; a line that it has closed takes nothing
	}
}

// serveIn sends what is to be sent, when the host reads.
func (b *Bulk) serveIn() {
	runtime.LockOSThread()
	for {
		b.mu.Lock()
		for len(b.send) == 0 {
			b.change.Wait()
		}
		p := b.send[0]
		b.send = b.send[1:]
		b.mu.Unlock()
		for {
			n, err := unix.Write(b.in, p)
			if err == unix.EINTR || err == unix.EAGAIN {
				continue
			}
			if p = p[max(n, 0):]; err != nil || len(p) == 0 {
				break // with an error it is pulled: what was under way is gone, as with a cable
			}
		}
	}
}

// kick ends a read that waits, so that its thread looks at what has changed. The kernel takes its request back first.
func (b *Bulk) kick() {
	b.change.Broadcast()
	if b.tid != 0 {
		_ = unix.Tgkill(os.Getpid(), b.tid, unix.SIGURG)
	}
}

func (b *Bulk) set(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	b.kick()
}

func (b *Bulk) trouble(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.errs = append(b.errs, s); len(b.errs) > 8 {
		b.errs = b.errs[1:]
	}
}

// Troubles are the last few errors of the thread that reads, for who looks for a fault.
func (b *Bulk) Troubles() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := append(append([]string(nil), b.errs...), b.asked...)
	for _, tid := range []int{b.tid, b.ask} { // where they are in the kernel
		if stack, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stack", tid)); err == nil {
			out = append(out, fmt.Sprintf("stands in %s", stack))
		}
	}
	out = append(out, fmt.Sprintf("reads %d, holds %v", b.reads, b.hold))
	return out
}

// Got is what has come since Clear.
func (b *Bulk) Got() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]byte(nil), b.got...)
}

// Clear forgets what has come.
func (b *Bulk) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got, b.taken = nil, 0
}

// Room gives the device so many bytes for what nobody has taken yet: no more come until Take makes room. 0: all that comes.
func (b *Bulk) Room(n int) { b.set(func() { b.room = n }) }

// Take takes of what has come, the oldest first, and says how much; 0 where there is nothing.
func (b *Bulk) Take(p []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := copy(p, b.got[b.taken:])
	b.taken += n
	b.change.Broadcast()
	return n
}

// Reset forgets what has come and what was to be sent.
func (b *Bulk) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got, b.send, b.pullAt, b.taken = nil, nil, 0, 0
}

// Send says something by itself; nothing is an empty packet.
func (b *Bulk) Send(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.send = append(b.send, append([]byte(nil), p...))
	b.change.Broadcast()
}

// SetStatus sets the printer's status byte.
func (b *Bulk) SetStatus(s byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = s
}

// Hold stops taking bytes, or goes on.
func (b *Bulk) Hold(on bool) { b.set(func() { b.hold = on }) }

// Mute leaves control requests without an answer, or answers the next.
func (b *Bulk) Mute(on bool) { b.set(func() { b.mute = on }) }

// Halt halts the endpoint out: the host's next write is refused until it clears that.
func (b *Bulk) Halt() { b.set(func() { b.halt = true }) }

// PullAt pulls the cable when n bytes have come in all.
func (b *Bulk) PullAt(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pullAt = n
}
