package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ration is how many events are typed until the reader has to have read since the ration before. A read takes all that is
// there, so that two rations may wait, the two reports that a read has just missed, and the one that releases the keys: 43
// at most, of the 63 that the kernel keeps for one reader. The others are for keys that the kernel repeats: a machine that is
// emulated may stand still for longer than the quarter of a second after which it does.
const ration = 16

// reader is whoever reads a keyboard's node, as the kernel tells it: a read that began before a mark and ended behind it
// counts, and what was typed before the mark has then been read, but for its last two reports.
type reader struct {
	fd, node int // inotify, and its number of the node; 0: none yet
	sent     int // events since the mark
}

// watch watches who reads a node; each plug makes another.
func (r *reader) watch(path string) (err error) {
	if r.fd == 0 {
		if r.fd, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err != nil {
			return fmt.Errorf("watch the keyboard's reader: %w", err)
		}
	}
	node, err := unix.InotifyAddWatch(r.fd, path, unix.IN_ACCESS)
	if err != nil {
		return fmt.Errorf("watch the reader of %s: %w", path, err)
	}
	if node != r.node {
		r.node, r.sent = node, 0
	}
	return nil
}

// room says that n more events may be typed now.
func (r *reader) room(n int) bool { return r.sent+n <= ration || r.mark() && n <= ration }

// mark begins a new ration where the reader has read since the last, and says whether it has.
func (r *reader) mark() (seen bool) {
	for b := make([]byte, 4096); ; {
		n, err := unix.Read(r.fd, b)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		for e := b[:n]; len(e) >= unix.SizeofInotifyEvent; {
			node, mask := int(int32(binary.NativeEndian.Uint32(e))), binary.NativeEndian.Uint32(e[4:])
			seen = seen || node == r.node && mask&unix.IN_ACCESS != 0
			e = e[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(e[12:])):]
		}
	}
	if seen {
		r.sent = 0
	}
	return seen
}

// wait waits until the reader has read since the mark: it must, since something was typed behind it.
func (r *reader) wait() error {
	for since := time.Now(); !r.mark(); {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
		switch {
		case err != nil && err != unix.EINTR:
			return fmt.Errorf("wait for the keyboard's reader: %w", err)
		case time.Since(since) > patience:
			return fmt.Errorf("wait for the keyboard's reader: %w", errLate)
		}
	}
	return nil
}
