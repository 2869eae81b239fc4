// Package session is what was said on a line, as a text that people read and tests replay. Each line is one exchange:
//
//	# a remark, or an empty line
//	> "\x1bQATO PAY"     to the device
//	< "]Q1"              from the device
//
// Bytes stand in quotation marks with the escapes of Go. It knows no command set.
package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Step is one exchange.
type Step struct {
	To    bool // to the device; else from it
	Bytes []byte
	Line  int // of the text, from 1
}

// Parse reads a session. The error names the line.
func Parse(text string) ([]Step, error) {
	var out []Step
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		mark, rest := line[0], strings.TrimSpace(line[1:])
		if mark != '>' && mark != '<' {
			return nil, fmt.Errorf("line %d begins with %q: it must be >, < or #", n, mark)
		}
		if len(rest) < 2 || rest[0] != '"' {
			return nil, fmt.Errorf("line %d: the bytes must stand in quotation marks", n)
		}
		s, err := strconv.Unquote(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: the bytes are not quoted as Go quotes them", n)
		}
		if s == "" {
			return nil, fmt.Errorf("line %d is empty: nothing was said", n)
		}
		out = append(out, Step{To: mark == '>', Bytes: []byte(s), Line: n})
	}
	return out, nil
}

// Quote writes one exchange as a line. Bytes that are no printable ASCII are escaped, so that a terminal shows them.
func Quote(to bool, b []byte) string {
	mark := "< "
	if to {
		mark = "> "
	}
	return mark + strconv.QuoteToASCII(string(b)) + "\n"
}

// Player is a line that plays a session: it takes what the session says was sent, in that order and in pieces of any
// size, and says what the device said. It is a devices.Port.
type Player struct {
	name  string
	steps []Step

	mu    sync.Mutex
	moved chan struct{} // closed and made anew with every change
	at    int           // step
	done  int           // bytes of it that were taken or given
	total int           // bytes sent so far
	fault error
	ended bool
}

// errHangUp ends a Read when the session has no more, or the line is closed.
var errHangUp = errors.New("hang-up")

// Play makes the line; the name is for its errors.
func Play(name, text string) (*Player, error) {
	steps, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("session %s: %w", name, err)
	}
	return &Player{name: name, steps: steps, moved: make(chan struct{})}, nil
}

func (p *Player) move() {
	close(p.moved)
	p.moved = make(chan struct{})
}

// Write compares with what the session says was sent. What differs is an error, now and for good.
func (p *Player) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.move()
	n := 0
	for len(b) > 0 {
		switch {
		case p.fault != nil:
			return n, p.fault
		case p.ended:
			return n, fmt.Errorf("session %s: %w", p.name, errHangUp)
		case p.at == len(p.steps):
			p.fault = fmt.Errorf("session %s is over, and this was sent besides: %s", p.name, show(b))
			return n, p.fault
		case !p.steps[p.at].To:
			p.fault = fmt.Errorf("session %s, line %d: the device speaks first, and this was sent: %s", p.name, p.steps[p.at].Line, show(b))
			return n, p.fault
		}
		want := p.steps[p.at].Bytes[p.done:]
		m := min(len(want), len(b))
		if i := differ(want[:m], b[:m]); i >= 0 {
			p.fault = fmt.Errorf("session %s, line %d: byte %d of it (%d of all that was sent) differs\nwant %s\ngot  %s",
				p.name, p.steps[p.at].Line, p.done+i, p.total+i, show(want[i:]), show(b[i:]))
			return n + i, p.fault
		}
		p.done, p.total, n, b = p.done+m, p.total+m, n+m, b[m:]
		p.over()
	}
	return n, nil
}

// over goes to the next step once this one is whole. The player is locked.
func (p *Player) over() {
	if p.at < len(p.steps) && p.done == len(p.steps[p.at].Bytes) {
		p.at, p.done = p.at+1, 0
	}
}

// Read waits for its turn and says what the device said. When the session has no more to say, the line hangs up.
func (p *Player) Read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		last := p.at == len(p.steps)
		switch {
		case p.ended || p.fault != nil || last:
			p.mu.Unlock()
			return 0, fmt.Errorf("session %s: %w", p.name, errHangUp)
		case len(b) == 0:
			p.mu.Unlock()
			return 0, nil
		case !p.steps[p.at].To:
			n := copy(b, p.steps[p.at].Bytes[p.done:])
			p.done += n
			p.over()
			p.move()
			p.mu.Unlock()
			return n, nil
		}
		moved := p.moved
		p.mu.Unlock()
		<-moved
	}
}

// Close ends a Read that waits.
func (p *Player) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		p.move()
	}
	return nil
}

// String is the session's name.
func (p *Player) String() string { return p.name }

// Done says whether the session was played to its end without a difference.
func (p *Player) Done() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil || p.at == len(p.steps) {
		return p.fault
	}
	s := p.steps[p.at]
	return fmt.Errorf("session %s was not played to its end: line %d still has %s", p.name, s.Line, show(s.Bytes[p.done:]))
}

// show is bytes for people: quoted, because hex hides a missing blank, and in hex, because quotes hide a wrong page.
func show(b []byte) string {
	const most = 48
	more := ""
	if len(b) > most {
		b, more = b[:most], fmt.Sprintf(" … and %d more", len(b)-most)
	}
	return fmt.Sprintf("%s  % x%s", strconv.QuoteToASCII(string(b)), b, more)
}

func differ(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

var _ io.ReadWriteCloser = (*Player)(nil)
