package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// reportPause is between two reports of the keyboard scanner while nobody looks at its reader. Keyboards are asked every 8 or
// 10 ms; the kernel keeps 64 events for a reader that is late, and drops what is beyond.
const reportPause = 4 * time.Millisecond

// burst is how many keys are typed until the reader has to have read once since the first of them. A key is seven events at
// most, with Shift, and a burst 24 with its end. A read takes all that is there, so that no more than two bursts ever wait.
const burst = 3

// pace is how fast the keyboard scanner types. Without a node it pauses behind each report, and is slower than any real one.
// With it, it types as fast as the host asks and its reader reads: in an emulated machine that is late as no till's is.
type pace struct {
	node func() string // of the keyboard now; nil: nobody looks
	fd   int           // inotify; 0: none yet
}

// asKeys types text with the next key's report in the last one's place, as quick scanners do. A report without keys stands
// between two of the same, and at the end of each burst, so that no key is held for long.
func (p *pace) asKeys(w io.Writer, text string, whole bool) error {
	if whole {
		text += "\n"
	}
	if err := p.look(); err != nil {
		return err
	}
	up := make([]byte, keyLength)
	last := up
	send := func(report []byte) error {
		if slices.Equal(last, report) {
			return nil
		}
		if _, err := w.Write(report); err != nil {
			return err
		}
		last = report
		if p.node == nil {
			time.Sleep(reportPause)
		}
		return nil
	}
	for i := range len(text) {
		down, err := keyOf(text[i])
		if err != nil {
			return err
		}
		if i%burst == 0 {
			p.clear()
		}
		if down[2] == last[2] {
			if err := send(up); err != nil {
				return err
			}
		}
		if err := send(down); err != nil {
			return err
		}
		if i%burst == burst-1 || i == len(text)-1 {
			if err := send(up); err != nil {
				return err
			}
			if err := p.read(); err != nil {
				return err
			}
		}
	}
	return nil
}

// look watches who reads the keyboard's node; a plug makes another.
func (p *pace) look() (err error) {
	if p.node == nil {
		return nil
	}
	if p.fd == 0 {
		if p.fd, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err != nil {
			return fmt.Errorf("watch the keyboard's reader: %w", err)
		}
	}
	node := p.node()
	if _, err := unix.InotifyAddWatch(p.fd, node, unix.IN_ACCESS); err != nil {
		return fmt.Errorf("watch the reader of %s: %w", node, err)
	}
	return nil
}

// clear forgets the reads so far.
func (p *pace) clear() {
	if p.node == nil {
		return
	}
	for b := make([]byte, 4096); ; {
		if n, err := unix.Read(p.fd, b); n <= 0 && err != unix.EINTR {
			return
		}
	}
}

// read waits until the reader has read since the last clear.
func (p *pace) read() error {
	if p.node == nil {
		return nil
	}
	for since := time.Now(); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, int(patience/time.Millisecond))
		switch {
		case n > 0:
			return nil
		case err != nil && err != unix.EINTR:
			return fmt.Errorf("wait for the keyboard's reader: %w", err)
		case time.Since(since) > patience:
			return fmt.Errorf("wait for the keyboard's reader: %w", errLate)
		}
	}
}

// keyOf is the report of a character's key.
func keyOf(c byte) ([]byte, error) {
	down := make([]byte, keyLength)
	if i := strings.IndexByte(plainKeys, c); i >= 0 {
		down[2] = firstKey + byte(i)
	} else if i := strings.IndexByte(shiftedKeys, c); i >= 0 {
		down[0], down[2] = leftShift, firstKey+byte(i)
	} else {
		return nil, fmt.Errorf("no key has %q", c)
	}
	return down, nil
}
