package wiretest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

// Server is a server under test, seen by one terminal that it knows. A bill.create must be answered "created" and
// followed by an event about it.
type Server struct {
	URL      string // ws://127.0.0.1:…/v1/term
	Terminal string
	Key      ed25519.PrivateKey
	// Old is a program of ours that the server is set to turn away, such as tilld/0.9.0. Without one it is not asked what it
	// does about old programs: a server need not have that setting.
	Old string

	journal string
	seen    int64
	writes  int64
	numbers payment.Numbers // leased to us
	made    int
}

// ServerCases is what a server must do. They share one terminal and its stream: run them in order, one at a time.
func ServerCases(s *Server) []Case {
	if s.journal == "" {
		s.journal = payment.NewID(time.Now())
	}
	cases := []Case{
		{"UpgradeWithoutOurProtocolIsRefusedWithTheList", s.noProtocol},
		{"BrowserIsRefused", s.browser},
		{"SessionOpensAndCompressionIsNotAgreedOn", s.handshake},
		{"WrongKeyIsRefused", s.wrongKey},
		{"UnknownTerminalGetsTheSameAnswer", s.unknownTerminal},
		{"SignatureForAnotherHostIsRefused", s.otherHost},
		{"FirstFrameMustOpenTheSession", s.firstFrame},
		{"UnknownMethodIsAnsweredAndTheLineStays", s.unknownMethod},
		{"UnknownHintIsIgnored", s.unknownHint},
		{"FragmentsAreOneFrame", s.fragments},
		{"PingIsAnswered", s.ping},
		{"RepeatGetsTheAnswerAndMakesNothing", s.repeat},
		{"SameIDOtherParamsIsKeyReused", s.keyReused},
		{"CallsOfOnePaymentAreAnsweredInOrder", s.serial},
		{"EventsGoOnWhereTheBoxStopped", s.resume},
		{"AckOfWhatWasNotSentCloses", s.wildAck},
		{"NewerSessionWins", s.superseded},
		{"TwoBoxesWithOneIdentityAreFoundOut", s.clone},
		{"OversizeCloses", s.rawCase([]int{1009, wire.CloseBadFrame}, func(p *peer) error {
			// the peer may stop reading in the middle of it: its close frame is what counts
			_ = p.text(`{"jsonrpc":"2.0","method":"hint.busy","params":{"pad":"` + strings.Repeat("x", wire.MaxFrame) + `"}}`)
			return nil
		})},
		{"CompressedFrameCloses", s.rawCase([]int{1002, wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0xC0|opText, []byte(`{"jsonrpc":"2.0","method":"hint.busy","params":{}}`), true)
		})},
		{"BinaryFrameCloses", s.rawCase([]int{wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0x80|opBinary, []byte(`{"jsonrpc":"2.0","method":"hint.busy","params":{}}`), true)
		})},
		{"UnmaskedFrameCloses", s.rawCase([]int{1002, wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0x80|opText, []byte(`{"jsonrpc":"2.0","method":"hint.busy","params":{}}`), false)
		})},
		{"BytesThatAreNoTextClose", s.rawCase([]int{1007, wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0x80|opText, []byte{'{', 0xff, '}'}, true)
		})},
	}
	if s.Old != "" {
		cases = append(cases, Case{"ProgramThatIsTooOldIsTurnedAwayAndToldWhy", s.tooOld}, Case{"BuildsWithoutAVersionAreLetIn", s.noVersion})
	}
	frames := bad()
	names := make([]string, 0, len(frames))
	for name := range frames {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		cases = append(cases, Case{"Malformed" + name + "Closes", s.rawCase([]int{wire.CloseBadFrame}, func(p *peer) error {
			return p.text(frames[name])
		})})
	}
	return cases
}

func (s *Server) dial(ctx context.Context) (*peer, error) {
	r, resp, err := dialRaw(ctx, s.URL, http.Header{
		"Sec-Websocket-Protocol": {wire.Protocol}, "Sec-Websocket-Extensions": {"permessage-deflate"}, "X-Till-Open": {"1"},
	})
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("upgrade answered HTTP %d", resp.status)
	}
	if got := resp.header.Get("Sec-WebSocket-Protocol"); got != wire.Protocol {
		return nil, fmt.Errorf("agreed on protocol %q", got)
	}
	if got := resp.header.Get("Sec-WebSocket-Extensions"); got != "" {
		return nil, fmt.Errorf("agreed on an extension: %s", got)
	}
	return &peer{r}, nil
}

// challenge reads the server's first frame.
func (p *peer) challenge() (wire.Challenge, error) {
	var c wire.Challenge
	m, err := p.next()
	if err != nil {
		return c, err
	}
	if m.Method != wire.SessionChallenge || !m.IsNote() {
		return c, fmt.Errorf("the first frame is %q, not the challenge", m.Method)
	}
	return c, wire.Into(m.Params, &c)
}

func (s *Server) hello(boot string) wire.Open {
	s.writes++
	return wire.Open{
		Terminal: s.Terminal, Journal: s.journal, Boot: boot, Seen: s.seen, OpenPayments: []string{}, Writes: s.writes,
		Caps: []string{}, App: "wiretest/1",
	}
}

// open dials and opens a session.
func (s *Server) open(ctx context.Context, boot string) (*peer, wire.Session, error) {
	var a wire.Session
	p, err := s.dial(ctx)
	if err != nil {
		return nil, a, err
	}
	c, err := p.challenge()
	if err != nil {
		return nil, a, errors.Join(err, p.Close())
	}
	o := s.hello(boot)
	o.Sign(c, s.Key)
	if err := p.call(wire.SessionID, wire.SessionOpen, o); err != nil {
		return nil, a, errors.Join(err, p.Close())
	}
	m, err := p.next()
	if err != nil {
		return nil, a, errors.Join(err, p.Close())
	}
	if m.ID != wire.SessionID || m.Result == nil {
		return nil, a, errors.Join(errors.New("session.open was not accepted"), p.Close())
	}
	if err := wire.Into(m.Result, &a); err != nil {
		return nil, a, errors.Join(err, p.Close())
	}
	if a.Snapshot != nil {
		if err := p.gather(a.Snapshot); err != nil {
			return nil, a, errors.Join(err, p.Close())
		}
		s.seen = a.Snapshot.Seq
	}
	if a.Numbers != nil {
		s.numbers = *a.Numbers
	}
	return p, a, nil
}

// gather reads the parts that a snapshot in several frames has behind the answer.
func (p *peer) gather(s *wire.Snapshot) error {
	for next := 1; s.More; next++ {
		m, err := p.next()
		if err != nil {
			return fmt.Errorf("waiting for part %d of the snapshot: %w", next, err)
		}
		var part wire.Part
		if m.Method != wire.SessionSnapshot || !m.IsNote() {
			return fmt.Errorf("%q came instead of part %d of the snapshot", m.Method, next)
		}
		if err := wire.Into(m.Params, &part); err != nil {
			return err
		}
		if err := s.Add(part, next); err != nil {
			return err
		}
	}
	return nil
}

// with runs f in a session of a new boot that ends with it.
func (s *Server) with(ctx context.Context, f func(p *peer) error) error {
	p, _, err := s.open(ctx, s.boot())
	if err != nil {
		return err
	}
	defer p.hangUp()
	return f(p)
}

func (s *Server) boot() string { return payment.NewID(time.Now()) }

func (s *Server) rawCase(codes []int, send func(p *peer) error) func(context.Context) error {
	return func(ctx context.Context) error {
		return s.with(ctx, func(p *peer) error {
			if err := send(p); err != nil {
				return err
			}
			return p.closes(codes...)
		})
	}
}

// create is a bill.create of a new payment.
func (s *Server) create() (string, wire.Create) {
	number := 1000 + s.made // a server that leases none
	if n := s.numbers; n.To > 0 {
		number = n.From + s.made%(n.To-n.From+1)
	}
	s.made++
	id := payment.NewID(time.Now())
	return id + ":create", wire.Create{
		Payment: id, Lane: "1", Reference: "kit-" + id, Number: strconv.Itoa(number),
		Amount: payment.Money{Value: 12550, Currency: "RUB"}, Mode: payment.Show, Purpose: payment.Sale,
		IfNotConfirmed: payment.Keep, LifeMS: 60_000,
	}
}

// answer waits for the answer to id. Events on the way are checked and acknowledged; those of payment are given to on.
func (s *Server) answer(p *peer, id string, on func(wire.Event)) (wire.Message, error) {
	for {
		m, err := p.next()
		if err != nil {
			return m, fmt.Errorf("waiting for the answer to %s: %w", id, err)
		}
		if m.IsAnswer() {
			if m.ID != id {
				return m, fmt.Errorf("answer to %s, want the one to %s", m.ID, id)
			}
			return m, nil
		}
		e, err := s.take(m)
		if err != nil {
			return m, err
		}
		if on != nil {
			on(e)
		}
		if err := p.note(wire.EventAck, wire.Ack{Seq: s.seen}); err != nil {
			return m, err
		}
	}
}

// take checks that m is the next event of the stream.
func (s *Server) take(m wire.Message) (wire.Event, error) {
	if m.Method != wire.EventNote || !m.IsNote() {
		return wire.Event{}, fmt.Errorf("%q came, only events and answers may", m.Method)
	}
	e, err := wire.DecodeEvent(m.Params)
	if err != nil {
		return e, err
	}
	if e.Seq != s.seen+1 {
		return e, fmt.Errorf("event %d after %d", e.Seq, s.seen)
	}
	if !slices.Contains(payment.EventTypes(), e.Type) {
		return e, fmt.Errorf("event of unknown type %q", e.Type)
	}
	s.seen = e.Seq
	return e, nil
}

// eventOf waits for the next event about a payment, without acknowledging it.
func (s *Server) eventOf(p *peer, id string) (wire.Event, error) {
	for {
		m, err := p.next()
		if err != nil {
			return wire.Event{}, fmt.Errorf("waiting for an event: %w", err)
		}
		e, of, err := s.news(m)
		if err != nil || of == id {
			return e, err
		}
	}
}

// news takes an event and says which payment it is about.
func (s *Server) news(m wire.Message) (wire.Event, string, error) {
	e, err := s.take(m)
	if err != nil {
		return e, "", err
	}
	var b payment.Bill
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return e, "", errors.New("an event's body is no bill")
	}
	return e, b.Payment, nil
}

func outcome(m wire.Message) (wire.Result, error) {
	var r wire.Result
	if m.Problem != nil {
		return r, fmt.Errorf("refused: %w", m.Problem)
	}
	return r, wire.Into(m.Result, &r)
}

func refusedWith(m wire.Message, code string) error {
	switch {
	case m.Problem == nil:
		return fmt.Errorf("want a refusal %q, got %s", code, m.Result)
	case m.Problem.Data.Code != code:
		return fmt.Errorf("want a refusal %q, got %q", code, m.Problem.Data.Code)
	}
	return nil
}
