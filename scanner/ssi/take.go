package ssi

import (
	"context"
	"errors"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// take takes what one read of the line gave.
func (s *session) take(ctx context.Context, c intake.Chunk) error {
	if s.raw {
		return s.takeRaw(ctx, c)
	}
	if len(s.buf) == 0 {
		s.bufAt = c.At
	}
	s.buf = append(s.buf, c.Bytes...)
	for len(s.buf) > 0 {
		p, n, ok := cut(s.buf)
		if !ok {
			return s.damaged()
		}
		if n == 0 {
			return nil
		}
		if s.buf, s.bufAt = s.buf[n:], c.At; p.opcode == 0 {
			continue
		}
		if err := s.packet(ctx, p, c.At); err != nil {
			return err
		}
	}
	return nil
}

// packet does what a whole packet asks for.
func (s *session) packet(ctx context.Context, p packet, at time.Time) error {
	if p.source != fromScanner {
		return nil // our own, on a line that echoes
	}
	s.spoilt = 0
	switch {
	case p.opcode == opACK:
		return s.answer(nil)
	case p.opcode == opNAK:
		resend := len(p.data) == 0 || p.data[0] == causeResend
		if resend && s.sent() && s.waiting[0].tries < sendings {
			return s.send()
		}
		return s.answer(errRefused)
	case p.opcode != opData:
		return s.yes(p)
	}
	if u := s.unkept; u != nil {
		if p.status&statusAgain != 0 && p.same(u.packet) && at.Sub(u.at) < partIn {
			return s.settle(p, s.keep(ctx, p, u.readings))
		}
		s.giveUp()
	}
	if p.status&statusAgain != 0 && !s.answeredAt.IsZero() && p.same(s.answered) {
		if at.After(s.answeredAt) { // our answer was lost; what was sent before it needs no second one
			return s.yes(p)
		}
		return nil
	}
	if s.anew(p, at) {
		s.drop()
		s.Say(*intake.Damaged())
	}
	if !s.open && s.unseen.isRest(p, at) {
		return s.refuse(p)
	}
	return s.settle(p, s.data(ctx, p, at))
}

// settle acknowledges what is durable. What is not gets no answer: the scanner sends it twice more, within six seconds, and
// then tells by its own tones that it could not get rid of it. A no with a cause would have it sent again at once, or not
// at all.
func (s *session) settle(p packet, err error) error {
	switch {
	case errors.Is(err, scanner.ErrNotKept):
		return nil
	case err != nil:
		return err
	}
	return s.yes(p)
}

// unkept is what a packet completed and the sink could not keep: of a code in several packets the scanner sends the last
// alone once more.
type unkept struct {
	packet   packet
	readings []scanner.Reading
	at       time.Time
}

// keep hands on what packet p completed.
func (s *session) keep(ctx context.Context, p packet, out []scanner.Reading) error {
	s.unkept = nil
	for i, r := range out {
		err := s.sink(ctx, r)
		if errors.Is(err, scanner.ErrNotKept) {
			s.unkept = &unkept{p, out[i:], time.Now()}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// giveUp forgets what was not kept: the scanner sends something else.
func (s *session) giveUp() {
	s.unkept = nil
	s.rules.Forget()
}

// yes acknowledges.
func (s *session) yes(p packet) error {
	if p.opcode == opData {
		s.answered, s.answeredAt = p, time.Now()
		s.unseen.nextBy = s.answeredAt.Add(answerIn)
	}
	return s.say(encode(opACK, 0))
}

// data takes a packet of a code's data. When it returns nil it is durable, or part of what is not whole yet.
func (s *session) data(ctx context.Context, p packet, at time.Time) error {
	if len(p.data) == 0 {
		return nil
	}
	if !s.open {
		s.first, s.kind = at, p.data[0]
	}
	s.last = at
	if s.over = s.over || len(s.text)+len(p.data) > intake.MaxBytes; !s.over {
		s.text = append(s.text, p.data[1:]...)
	}
	if s.open = p.status&statusMore != 0; s.open {
		return nil
	}
	text, over := s.text, s.over
	s.drop()
	switch {
	case over:
		s.Say(*intake.TooLong())
		return nil
	case s.kind == typeProgramming:
		s.Say(*intake.Programming())
		return nil
	}
	for len(text) > 0 && (text[len(text)-1] == '\r' || text[len(text)-1] == '\n') {
		text = text[:len(text)-1] // the scanner's own suffix
	}
	if len(text) == 0 {
		return nil
	}
	if id, _ := scanner.CutAIM(text); id == "" {
		text = append([]byte(aim(s.kind)), text...)
	}
	out, n := s.rules.Finish(text, s.first, s.last)
	if n != nil {
		s.Say(*n)
	}
	return s.keep(ctx, p, out)
}
