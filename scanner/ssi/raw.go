package ssi

import (
	"context"
	"errors"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// hand hands on what came as text, which is acknowledged by nothing.
func (s *session) hand(ctx context.Context, out []scanner.Reading) error {
	for _, r := range out {
		switch err := s.sink(ctx, r); {
		case errors.Is(err, scanner.ErrNotKept):
			s.rules.Forget()
		case err != nil:
			return err
		}
	}
	return nil
}

// takeRaw takes codes as text. Answers to commands are packets even then: one stands between two codes or not at all.
func (s *session) takeRaw(ctx context.Context, c intake.Chunk) error {
	if s.framer.Open() && !c.Late && len(c.Bytes) > 0 && c.At.Sub(s.bufAt) > s.framer.Quiet() {
		if err := s.hand(ctx, s.framer.Flush()); err != nil {
			return err
		}
	}
	s.bufAt = c.At
	for _, b := range c.Bytes {
		if len(s.buf) > 0 || !s.framer.Open() && b >= headBytes && b < ' ' && b != '\r' && b != '\n' {
			s.buf = append(s.buf, b)
			if err := s.answerOrText(ctx, c); err != nil {
				return err
			}
			continue
		}
		if err := s.hand(ctx, s.framer.Take([]byte{b}, c.At)); err != nil {
			return err
		}
	}
	return nil
}

// answerOrText looks at what began like a packet: it is one, or it is text after all.
func (s *session) answerOrText(ctx context.Context, c intake.Chunk) error {
	if len(s.buf) < 2 {
		return nil
	}
	if op := s.buf[1]; op == opACK || op == opNAK || op == opEvent {
		p, n, ok := cut(s.buf)
		if ok && n == 0 {
			return nil
		}
		if ok {
			s.buf = nil
			return s.packet(ctx, p, c.At)
		}
	}
	b := s.buf
	s.buf = nil
	return s.hand(ctx, s.framer.Take(b, c.At))
}
