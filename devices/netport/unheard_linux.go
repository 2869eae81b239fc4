package netport

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watch looks at a connection while bytes wait in it, and tells when nobody answers any more. TCP_USER_TIMEOUT would do that
// alone, but counts a closed window too, however well each probe is answered (net/ipv4/tcp_timer.c, tcp_probe_timer), where
// RFC 1122, 4.2.2.17 wants the sender to stay: a printer without paper takes nothing, and answers.
type watch struct {
	c      *net.TCPConn
	silent func() // nobody answers

	mu    sync.Mutex
	timer *time.Timer // nil: nothing waits
	since time.Time   // when the oldest byte that waits can have been written
	over  bool
}

// begin has the connection looked at until all that was written is acknowledged.
func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil && !w.over {
		w.since = time.Now()
		w.timer = time.AfterFunc(lookEvery, w.look)
	}
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	i, err := info(w.c)
	switch {
	case err != nil: // it is closed, or has an error that Read and Write find
		w.timer = nil
	case i.Unacked == 0 && i.Notsent_bytes == 0:
		w.timer = nil
	case time.Since(w.since) >= unheard && unanswered(i):
		w.timer, w.over = nil, true
		w.silent()
	default:
		w.timer.Reset(lookEvery)
	}
}

// end ends the looking.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// unanswered says that nothing has come for long although an answer is due. The time alone says nothing: the kernel asks
// ever more seldom, in the end each two minutes. What was sent again since the last answer shows it, and behind a closed
// window the second probe: an answer takes their count back to nothing.
func unanswered(i *unix.TCPInfo) bool {
	heard, sent := time.Duration(i.Last_ack_recv)*time.Millisecond, time.Duration(i.Last_data_sent)*time.Millisecond
	return heard >= unheard && (i.Probes >= 2 || i.Unacked > 0 && sent >= lookEvery && sent < heard)
}

func info(c *net.TCPConn) (i *unix.TCPInfo, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	var e error
	if err := raw.Control(func(fd uintptr) { i, e = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil {
		return nil, err
	}
	return i, e
}

// limitRest has the system drop what is left in a connection that is being closed, once nobody has taken any of it for as
// long: nobody looks at it any more.
func limitRest(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return // it is closed
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard.Milliseconds()))
	})
}
