package emulator

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// line is one connection. Answers wait in out, which the line's own goroutine writes.
type line struct {
	c      io.ReadWriteCloser
	out    []byte
	bell   chan struct{} // something waits in out, or the printer takes bytes again; capacity 1
	writes chan struct{}
	closed bool
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default: // it rings already
	}
}

// Serve is the printer's end of a line until that ends. It closes the line.
func (p *Printer) Serve(c io.ReadWriteCloser) error {
	l := &line{c: c, bell: make(chan struct{}, 1), writes: make(chan struct{}, 1)}
	p.mu.Lock()
	p.lines = append(p.lines, l)
	if len(p.late) > 0 { // the host was not there to hear it
		p.say(p.late)
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.answer(l)
	}()
	err := p.listen(l)
	p.mu.Lock()
	l.closed = true
	p.lines = slices.DeleteFunc(p.lines, func(x *line) bool { return x == l })
	p.mu.Unlock()
	ring(l.writes)
	_ = c.Close()
	<-done
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// listen reads as long as there is room for what comes.
func (p *Printer) listen(l *line) error {
	b := make([]byte, 512)
	for {
		p.mu.Lock()
		room := p.cfg.Memory - len(p.memory)
		if p.deaf {
			room = 0
		}
		closed := l.closed
		p.mu.Unlock()
		if closed {
			return io.EOF
		}
		if room <= 0 {
			<-l.bell
			continue
		}
		n, err := l.c.Read(b[:min(room, len(b))])
		if !p.takeFrom(l, b[:n]) {
			return io.EOF
		}
		if err != nil {
			return err
		}
	}
}

// takeFrom takes bytes of a line; false if the line was dropped on the way. A printer that turns deaf in the middle keeps
// the rest for later: it is as if they had not been read yet.
func (p *Printer) takeFrom(l *line, b []byte) bool {
	for i := range b {
		p.mu.Lock()
		p.checkFault()
		for p.deaf && !l.closed {
			p.mu.Unlock()
			<-l.bell
			p.mu.Lock()
		}
		closed := l.closed
		if !closed {
			p.take(b[i])
			p.checkFault()
			closed = l.closed
		}
		p.mu.Unlock()
		if closed {
			return false
		}
	}
	return true
}

// answer writes what the printer says, until the line ends. A host that does not read holds up nothing but this.
func (p *Printer) answer(l *line) {
	for range l.writes {
		p.mu.Lock()
		out, closed := l.out, l.closed
		l.out = nil
		p.mu.Unlock()
		if len(out) > 0 {
			if _, err := l.c.Write(out); err != nil {
				closed = true
			} else {
				p.read(out)
			}
		}
		if closed {
			return
		}
	}
}

// read: a host has read this.
func (p *Printer) read(out []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.late) > 0 && bytes.Contains(out, p.late) {
		p.late = nil
	}
}

// say sends to every line. The state is locked.
func (p *Printer) say(b []byte) {
	for _, l := range p.lines {
		if len(l.out) < 4096 { // a host that never reads
			l.out = append(l.out, b...)
		}
		ring(l.writes)
	}
}

// wake tells every line that bytes may be taken again. The state is locked.
func (p *Printer) wake() {
	for _, l := range p.lines {
		ring(l.bell)
	}
}

// drop hangs up every line. The state is locked.
func (p *Printer) drop() {
	for _, l := range p.lines {
		l.closed = true
		_ = l.c.Close()
		ring(l.bell)
		ring(l.writes)
	}
	p.lines = nil
}

// HangUp drops every line: the cable is pulled.
func (p *Printer) HangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}
