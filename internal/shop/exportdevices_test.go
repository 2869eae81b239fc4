package shop

import (
	"os"
	"time"

	"tilld/display/cd5220/twin"
)

// Say has the scanner send bytes as they are, its terminator not added.
func (s *Shop) Say(bytes string) error { return s.hand.say(bytes) }

// PoleAt9600 plugs in a pole that takes bytes at the pace of its line: ten bits for each, so 960 a second.
func (s *Shop) PoleAt9600() error {
	s.pole.out()
	s.pole.mu.Lock()
	s.pole.play = func(far *os.File) {
		g := &twin.Glass{}
		s.pole.glass.Store(g)
		b := make([]byte, 16)
		for {
			n, err := far.Read(b)
			_, _ = g.Write(b[:n])
			if err != nil {
				break
			}
			time.Sleep(time.Duration(n) * time.Second / 960)
		}
		s.pole.glass.Store(&twin.Glass{})
	}
	s.pole.mu.Unlock()
	return s.pole.in()
}

// PoleBytes is how many bytes the pole has taken since it was plugged in.
func (s *Shop) PoleBytes() int64 { return s.pole.glass.Load().Bytes() }
