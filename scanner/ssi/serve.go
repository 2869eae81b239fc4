package ssi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tilld/scanner"
	"tilld/scanner/intake"
)

// session is the life of one open line; one goroutine owns it.
type session struct {
	*reader
	sink func(context.Context, scanner.Reading) error

	buf   []byte // of a packet that has not come whole
	bufAt time.Time

	text        []byte // of a message in several packets
	first, last time.Time
	kind        byte
	open, over  bool
	unseen      unseen

	answered   packet    // the last data packet that was answered with yes
	answeredAt time.Time // zero: none was, or something damaged came since

	unkept *unkept // the sink could not keep it; nil: all was kept, or given up
	spoilt int     // damaged ones, one behind the other

	waiting []*request // commands; the first is under way
	said    time.Time  // when something was last said to the scanner
}

var errRefused = errors.New("the scanner refuses")

// Serve answers packets, hands on readings and sends commands, until the line dies.
func (r *reader) Serve(ctx context.Context, sink func(context.Context, scanner.Reading) error) error {
	ctx, cancel := context.WithCancel(ctx)
	in, done := intake.Read(ctx, r.port, 512)
	defer func() { cancel(); _ = r.port.Close(); <-done; close(r.over) }()
	s := &session{reader: r, sink: sink, unseen: unseen{since: time.Now()}}
	if err := s.begin(); err != nil {
		return fmt.Errorf("scanner: %w", err)
	}
	timer := time.NewTimer(time.Hour)
	for {
		timer.Reset(s.next())
		var err error
		select {
		case <-ctx.Done():
			return nil
		case q := <-r.requests:
			err = s.ask(q)
		case c := <-in:
			if err = s.take(ctx, c); err == nil {
				err = c.Err
			}
		case <-timer.C:
			select { // what came while the sink was busy is older than the silence
			case c := <-in:
				if err = s.take(ctx, c); err == nil {
					err = c.Err
				}
			default:
				err = s.late(ctx, time.Now())
			}
		}
		switch {
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return fmt.Errorf("scanner: %w", err)
		}
	}
}

// ask puts a command behind those that wait.
func (s *session) ask(q *request) error {
	s.waiting = append(s.waiting, q)
	if len(s.waiting) > 1 {
		return nil
	}
	return s.send()
}

// send sends the first command, or sends it again. A scanner that can be asleep is woken first, and the command waits.
func (s *session) send() error {
	q := s.waiting[0]
	if now := time.Now(); now.Sub(s.said) >= awakeFor {
		q.until = now.Add(wakesIn)
		return s.say([]byte{wakeUp})
	}
	status := byte(0)
	if q.tries > 0 {
		status = statusAgain
	}
	q.tries++
	q.until = time.Now().Add(answerIn)
	return s.say(encode(q.opcode, status, q.data...))
}

// say says something to the scanner, which keeps it awake.
func (s *session) say(b []byte) error {
	s.said = time.Now()
	_, err := s.port.Write(b)
	return err
}

// sent says that a command waits for its answer.
func (s *session) sent() bool { return len(s.waiting) > 0 && s.waiting[0].tries > 0 }

// answer ends the first command and sends the next.
func (s *session) answer(err error) error {
	if !s.sent() {
		return nil // an answer to nothing
	}
	q := s.waiting[0]
	s.waiting = s.waiting[1:]
	if q.done != nil {
		q.done <- err
	}
	if len(s.waiting) > 0 {
		return s.send()
	}
	return nil
}

// next is how long nothing has to be done.
func (s *session) next() time.Duration {
	at := time.Now().Add(time.Hour)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if len(s.waiting) > 0 {
		sooner(s.waiting[0].until)
	}
	if len(s.buf) > 0 {
		sooner(s.bufAt.Add(restIn))
	}
	if s.open {
		sooner(s.last.Add(partIn))
	}
	if q := s.framer.Quiet(); q > 0 {
		sooner(s.bufAt.Add(q))
	}
	return max(0, time.Until(at))
}

// late does what is due because nothing came.
func (s *session) late(ctx context.Context, now time.Time) error {
	switch {
	case len(s.buf) > 0 && !now.Before(s.bufAt.Add(restIn)):
		return s.damaged()
	case s.open && !now.Before(s.last.Add(partIn)):
		s.drop()
		s.Say(*intake.Damaged())
	case s.framer.Open() && !now.Before(s.bufAt.Add(s.framer.Quiet())):
		return s.hand(ctx, s.framer.Flush())
	case len(s.waiting) > 0 && !now.Before(s.waiting[0].until):
		if s.waiting[0].tries < sendings {
			return s.send()
		}
		s.Say(scanner.Note{
			Code: scanner.NoteSilent, Sentence: "The scanner does not answer as a scanner in SSI mode does.",
			Remedy: "Set its host interface to SSI (for USB: SSI over CDC; on RS-232 with Host RTS Line State: Low), or use the driver line.",
		})
		return s.answer(errors.New("no answer"))
	}
	return nil
}

// damaged asks for the last packet once more. It was a new one, so that what comes now is no repetition, even of the same
// bytes: two equal codes in a row are common, an answer that is lost and a repetition that is damaged too are not. Within a
// message the time tells: the next part comes at once, a repetition after the scanner's patience.
func (s *session) damaged() error {
	s.spoilt++
	forgot := s.spoilt >= spoiltMost || isText(s.buf)
	s.buf = nil
	if !s.open || time.Since(s.answeredAt) < answerIn/2 {
		s.answeredAt = time.Time{}
	}
	if err := s.say(encode(opNAK, 0, causeResend)); err != nil || !forgot {
		return err
	}
	return s.again()
}

func (s *session) drop() { s.text, s.open, s.over = nil, false, false }
