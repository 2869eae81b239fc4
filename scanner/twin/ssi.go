package twin

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// SSI is a Zebra scanner in its Simple Serial Interface. It wants an answer to each packet of data, sends it twice more
// without, and gives up then, as the guides say; it checks each packet that it gets, and answers it.
type SSI struct {
	RW      io.ReadWriter
	Type    byte          // of its bar codes; 0 is QR
	Room    int           // data bytes in a packet; 0 is 250
	Answer  time.Duration // how long it waits for an answer; 0 is 2 s
	Spoil   int           // each so many'th packet of data is damaged on its way at its first sending
	Deaf    int           // each so many'th answer is lost on its way
	Refuses bool          // it says no to every command
	Plain   bool          // it puts no AIM identifier in front of a code, and says no to being told to
	Sleeps  bool          // it sleeps when nothing was said for a second: the byte that wakes it is lost, and what comes within 10 ms
	Held    func() bool   // RTS is up: it sends no data; nil: it has no such wire

	mu      sync.Mutex // of writing
	answers chan byte  // to data: yes, or the cause of a no
	packets int
	replies int

	seen struct {
		sync.Mutex
		given, resent int
		talked, wakes time.Time // when something was last said, and when it hears again
		commands      []byte
		told          [][]byte // their data
		text          bool     // codes go out as text, and not in packets
	}
}

// Answers to data: yes, and the cause of a no behind which a packet is not sent again.
const (
	yes    = 0xd0
	denied = 0x06
)

// NewSSI makes a scanner and listens to the host until the line ends.
func NewSSI(rw io.ReadWriter) *SSI {
	s := &SSI{RW: rw, answers: make(chan byte, 64)}
	go s.listen()
	return s
}

// GaveUp is how many codes the scanner could not get rid of, Resent how many packets it sent again.
func (s *SSI) GaveUp() int { s.seen.Lock(); defer s.seen.Unlock(); return s.seen.given }

// Resent is how many packets were sent again.
func (s *SSI) Resent() int { s.seen.Lock(); defer s.seen.Unlock(); return s.seen.resent }

// Commands are the opcodes of the host's commands so far.
func (s *SSI) Commands() []byte {
	s.seen.Lock()
	defer s.seen.Unlock()
	return append([]byte(nil), s.seen.commands...)
}

// Told is the data of the host's commands so far.
func (s *SSI) Told() [][]byte {
	s.seen.Lock()
	defer s.seen.Unlock()
	return append([][]byte(nil), s.seen.told...)
}

// PowerCycle has it lose its power and come back with its own settings, which are the factory's: codes go out as text.
func (s *SSI) PowerCycle() {
	s.seen.Lock()
	defer s.seen.Unlock()
	s.seen.text = true
}

func (s *SSI) asText() bool { s.seen.Lock(); defer s.seen.Unlock(); return s.seen.text }

// Scan sends a code and returns when the host has acknowledged all of it, or after the last attempt.
func (s *SSI) Scan(text string) {
	if s.asText() {
		s.Raw(text)
		return
	}
	room := s.Room
	if room == 0 {
		room = 250
	}
	text = s.identifier() + text
	for first := true; first || len(text) > 0; first = false {
		part := text[:min(room, len(text))]
		text = text[len(part):]
		status := byte(0)
		if len(text) > 0 {
			status = 2
		}
		if !s.data(part, status) {
			s.seen.Lock()
			s.seen.given++
			s.seen.Unlock()
			return
		}
	}
}

// Part sends the first packet of a code of two, and half of the second.
func (s *SSI) Part(text string) {
	text = s.identifier() + text
	half := len(text) / 2
	if s.data(text[:half], 2) {
		b := frame(0xf3, 0, append([]byte{s.kind()}, text[half:]...))
		s.write(b[:len(b)/2])
	}
}

// Raw sends a code as text, as a scanner does that is told to.
func (s *SSI) Raw(text string) { s.write([]byte(text + "\r")) }

func (s *SSI) kind() byte {
	if s.Type == 0 {
		return 0x1c
	}
	return s.Type
}

// identifier is what stands in front of a code: DS6708 guide p. 4-16, and B-1 for the codes.
func (s *SSI) identifier() string {
	switch {
	case s.Plain:
		return ""
	case s.kind() == 0x1c:
		return "]Q1"
	case s.kind() == 0x0b:
		return "]E0"
	}
	panic("no identifier of such a code")
}

// data sends one packet until it is acknowledged.
func (s *SSI) data(part string, status byte) bool {
	wait := s.Answer
	if wait == 0 {
		wait = 2 * time.Second
	}
	for try := range 3 {
		if try > 0 {
			status |= 1
			s.seen.Lock()
			s.seen.resent++
			s.seen.Unlock()
		}
		for len(s.answers) > 0 {
			<-s.answers // to an earlier packet
		}
		b := frame(0xf3, status, append([]byte{s.kind()}, part...))
		if try == 0 {
			if s.packets++; s.Spoil > 0 && s.packets%s.Spoil == 0 {
				b[len(b)/2] ^= 0x55
			}
		}
		if held := s.Held != nil && s.Held(); !held && !s.write(b) {
			return false
		}
		select {
		case a, ok := <-s.answers:
			if !ok {
				return false
			}
			if a == yes || a == denied {
				return a == yes
			}
		case <-time.After(wait):
		}
	}
	return false
}

func (s *SSI) write(b []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Lock()
	s.seen.talked = time.Now()
	s.seen.Unlock()
	_, err := s.RW.Write(b)
	return err == nil
}

// frame makes a packet of the scanner.
func frame(opcode, status byte, data []byte) []byte {
	b := append([]byte{byte(4 + len(data)), opcode, 0, status}, data...)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	sum = 0x10000 - sum&0xffff
	return append(b, byte(sum>>8), byte(sum))
}

// listen reads the host's packets and answers its commands.
func (s *SSI) listen() {
	defer close(s.answers)
	var b []byte
	in := make([]byte, 256)
	for {
		n, err := s.RW.Read(in)
		if err != nil {
			return
		}
		if s.asleep(time.Now()) {
			continue
		}
		b = append(b, in[:n]...)
		for len(b) > 0 {
			if b[0] == 0 { // WAKEUP, and it is awake
				b = b[1:]
				continue
			}
			if len(b) < int(b[0])+2 {
				break
			}
			p := b[:int(b[0])+2]
			b = b[len(p):]
			s.host(p)
		}
	}
}

// asleep says that it does not hear what comes now, which wakes it.
func (s *SSI) asleep(now time.Time) bool {
	s.seen.Lock()
	defer s.seen.Unlock()
	if s.Sleeps && now.Sub(s.seen.talked) >= time.Second {
		s.seen.wakes = now.Add(10 * time.Millisecond)
	}
	s.seen.talked = now
	return now.Before(s.seen.wakes)
}

func (s *SSI) host(p []byte) {
	sum := int(p[len(p)-2])<<8 + int(p[len(p)-1])
	for _, c := range p[:len(p)-2] {
		sum += int(c)
	}
	switch {
	case sum&0xffff != 0 || len(p) < 6 || p[2] != 4:
		s.write(frame(0xd1, 0, []byte{1})) // damaged
	case p[1] == 0xd0 || p[1] == 0xd1:
		if s.replies++; s.Deaf == 0 || s.replies%s.Deaf != 0 {
			if p[1] == 0xd0 {
				s.answers <- yes
			} else {
				s.answers <- p[4]
			}
		}
	default:
		s.seen.Lock()
		s.seen.commands = append(s.seen.commands, p[1])
		s.seen.told = append(s.seen.told, bytes.Clone(p[4:len(p)-2]))
		s.seen.Unlock()
		switch known := p[1] == 0xc6 || p[1] >= 0xe4 && p[1] <= 0xea; {
		case s.Refuses, s.Plain && bytes.Equal(p[4:len(p)-2], []byte{0xff, 0x2d, 1}):
			s.write(frame(0xd1, 0, []byte{6}))
		case !known:
			s.write(frame(0xd1, 0, []byte{2}))
		default:
			s.set(p)
			s.write(frame(0xd0, 0, nil))
		}
	}
}

// set takes in settings: C6, a beep, then parameters of one byte each with their values.
func (s *SSI) set(p []byte) {
	if p[1] != 0xc6 {
		return
	}
	s.seen.Lock()
	defer s.seen.Unlock()
	for d := p[5 : len(p)-2]; len(d) >= 2; d = d[2:] {
		if d[0] == 0xee {
			s.seen.text = d[1] == 0
		}
	}
}
