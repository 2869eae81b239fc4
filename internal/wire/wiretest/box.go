package wiretest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
)

// Box is a box under test, seen by the server that it dials. Its journal outlives every Start: what is asked for is
// sent until it is answered.
type Box struct {
	Terminal string
	Public   ed25519.PublicKey
	// Start makes the box dial url until stop is called. It must count a payment as open, so that it comes back soon.
	Start func(url string) (stop func())
	// Ask journals n calls of one order (bill.get of the payment named order will do) and gives their ids in order.
	Ask func(order string, n int) []string
	// Seen is the last event that the box has made durable; Taken how many events it has taken in, repeats not counted.
	Seen  func() int64
	Taken func() int
	// Waiting says whether the box still waits for the answer to a call.
	Waiting func(id string) bool

	made int
}

// house is the server that the kit plays for one case: the box's connections, one after another.
type house struct {
	url   string
	host  string
	conns chan arrival
	stop  func()
}

type arrival struct {
	p *peer
	h http.Header
}

// house listens and makes the box dial.
func (b *Box) house(ctx context.Context, protocol string) (*house, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &house{host: l.Addr().String(), url: "ws://" + l.Addr().String() + "/v1/term", conns: make(chan arrival)}
	done := make(chan struct{})
	hs := &http.Server{ReadHeaderTimeout: StepLimit, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := acceptRaw(w, r, protocol)
		if err != nil {
			return
		}
		select {
		case h.conns <- arrival{&peer{c}, r.Header}:
		case <-done:
			_ = c.Close()
		}
	})}
	go func() { _ = hs.Serve(l) }()
	stopBox := b.Start(h.url)
	h.stop = func() {
		close(done)
		_ = hs.Close()
		stopBox()
	}
	return h, nil
}

// next is the box's next connection.
func (h *house) next(ctx context.Context) (*peer, http.Header, error) {
	t := time.NewTimer(2 * StepLimit)
	defer t.Stop()
	select {
	case a := <-h.conns:
		return a.p, a.h, nil
	case <-t.C:
		return nil, nil, errors.New("the box did not dial")
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

// challenge sends one for host and gives the frame that answers it.
func (b *Box) challenge(p *peer, host string) (wire.Open, error) {
	var nonce [32]byte
	_, _ = rand.Read(nonce[:])
	c := wire.Challenge{Nonce: base64.StdEncoding.EncodeToString(nonce[:]), Host: host, Protocol: wire.Protocol}
	if err := p.note(wire.SessionChallenge, c); err != nil {
		return wire.Open{}, err
	}
	m, err := p.next()
	if err != nil {
		return wire.Open{}, err
	}
	if m.Method != wire.SessionOpen || m.ID != wire.SessionID {
		return wire.Open{}, fmt.Errorf("the box's first frame is %q with id %q", m.Method, m.ID)
	}
	o, err := wire.DecodeOpen(m.Params)
	if err != nil {
		return o, err
	}
	if o.Terminal != b.Terminal || !o.Verify(c, b.Public) {
		return o, errors.New("session.open is not signed by the terminal's key")
	}
	return o, nil
}

// session is an answer to session.open; the box comes back fast.
func session(epoch int64) wire.Session {
	return wire.Session{
		Session: payment.NewID(time.Now()), Epoch: epoch, Now: time.Now().UTC().Format(time.RFC3339), HeartbeatMS: 25_000, BusyMS: 5_000,
		Resume: "ok", Window: 32, JitterMS: 1, JournalState: "known", Providers: []string{}, ScanProviders: []string{},
	}
}

// open accepts the box's next connection and opens its session.
func (b *Box) open(ctx context.Context, h *house) (*peer, wire.Open, error) {
	p, _, err := h.next(ctx)
	if err != nil {
		return nil, wire.Open{}, err
	}
	o, err := b.challenge(p, h.host)
	if err != nil {
		return nil, o, errors.Join(err, p.Close())
	}
	return p, o, p.result(wire.SessionID, session(o.EpochSeen+1))
}

// with runs f in a house whose box has opened a session.
func (b *Box) with(f func(ctx context.Context, h *house, p *peer, o wire.Open) error) func(context.Context) error {
	return func(ctx context.Context) error {
		h, err := b.house(ctx, wire.Protocol)
		if err != nil {
			return err
		}
		defer h.stop()
		p, o, err := b.open(ctx, h)
		if err != nil {
			return err
		}
		defer p.hangUp()
		return f(ctx, h, p, o)
	}
}

// calls waits for the n calls that are due, then until the box has been quiet for a while, and gives what came, in order.
func (p *peer) calls(n int) ([]wire.Message, error) {
	var out []wire.Message
	for {
		limit := lull
		if len(out) < n {
			limit = StepLimit
		}
		m, err := p.nextWithin(limit)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout() && len(out) < n:
			return out, fmt.Errorf("%d calls are due, %v came", n, ids(out))
		case errors.As(err, &timeout) && timeout.Timeout():
			return out, nil
		case err != nil:
			return out, err
		}
		if m.IsCall() {
			out = append(out, m)
		}
	}
}

func (p *peer) event(seq int64) error {
	body, err := json.Marshal(payment.Bill{Payment: "wiretest", Version: seq, Life: payment.Open})
	return errors.Join(err, p.note(wire.EventNote, wire.Event{Seq: seq, Type: payment.EvPart, Body: body}))
}

// acked waits for an event.ack of seq; earlier ones may come before it, calls are passed over.
func (p *peer) acked(seq int64) error {
	for {
		m, err := p.next()
		if err != nil {
			return fmt.Errorf("waiting for the ack of %d: %w", seq, err)
		}
		if m.Method != wire.EventAck {
			continue
		}
		var a wire.Ack
		if err := wire.Into(m.Params, &a); err != nil || a.Seq > seq {
			return fmt.Errorf("ack of %d, %d was sent", a.Seq, seq)
		}
		if a.Seq == seq {
			return nil
		}
	}
}

// BoxCases is what a box must do. They share one journal: run them in order, one at a time.
func BoxCases(b *Box) []Case {
	cases := []Case{
		{"ProvesItselfAndOffersNoCompression", b.handshake},
		{"ChallengeForAnotherHostIsNotSigned", b.otherHost},
		{"ServerWithoutOurProtocolIsLeft", b.noProtocol},
		{"EventBeforeTheSessionIsNotTaken", b.tooEarly},
		{"EventIsAckedOnceDurableAndARepeatAgain", b.with(b.events)},
		{"GapClosesAndResumes", b.with(b.gap)},
		{"SnapshotMovesTheStream", b.snapshot},
		{"SnapshotInPartsIsTakenInWhole", b.parts},
		{"UnknownHintIsIgnored", b.with(b.unknownHint)},
		{"ClockWithNumbersInterruptsNothing", b.with(b.clockHint)},
		{"CallsOfOneOrderWaitForEachOther", b.with(b.serial)},
		{"SixteenCallsInFlightAtMost", b.with(b.flight)},
		{"UnansweredCallComesAgainAsItWas", b.with(b.repeat)},
		{"RefusalIsAnAnswer", b.with(b.refusal)},
		{"ComesBackAfterBeingSuperseded", b.with(b.superseded)},
		{"StaysAwayForAWhileWhereItsProgramIsTooOld", b.with(b.tooOld)},
	}
	raws := map[string]struct {
		codes []int
		send  func(p *peer) error
	}{
		"Oversize": {[]int{1009, wire.CloseBadFrame}, func(p *peer) error {
			// the peer may stop reading in the middle of it: its close frame is what counts
			_ = p.text(`{"jsonrpc":"2.0","method":"hint.x","params":{"pad":"` + strings.Repeat("x", wire.MaxFrame) + `"}}`)
			return nil
		}},
		"Compressed": {[]int{1002, wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0xC0|opText, []byte(`{"jsonrpc":"2.0","method":"hint.x","params":{}}`), false)
		}},
		"Binary": {[]int{wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0x80|opBinary, []byte(`{"jsonrpc":"2.0","method":"hint.x","params":{}}`), false)
		}},
		"Masked": {[]int{1002, wire.CloseBadFrame}, func(p *peer) error {
			return p.frame(0x80|opText, []byte(`{"jsonrpc":"2.0","method":"hint.x","params":{}}`), true)
		}},
		"EventWithoutBody": {[]int{wire.CloseBadFrame}, func(p *peer) error {
			return p.text(encodeJSON(map[string]any{"jsonrpc": "2.0", "method": "event", "params": map[string]any{"seq": b.Seen() + 1, "type": "bill.part"}}))
		}},
		"EventBelowOne": {[]int{wire.CloseBadFrame}, func(p *peer) error { return p.event(0) }},
	}
	for name, text := range bad() {
		raws["Malformed"+name] = struct {
			codes []int
			send  func(p *peer) error
		}{[]int{wire.CloseBadFrame}, func(p *peer) error { return p.text(text) }}
	}
	names := make([]string, 0, len(raws))
	for name := range raws {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		r := raws[name]
		cases = append(cases, Case{name + "ClosesAndTheBoxComesBack", b.with(func(ctx context.Context, h *house, p *peer, o wire.Open) error {
			if err := errors.Join(r.send(p), p.closes(r.codes...)); err != nil {
				return err
			}
			q, again, err := b.open(ctx, h)
			if err != nil {
				return err
			}
			defer q.hangUp()
			if again.Seen != b.Seen() || again.Boot != o.Boot {
				return fmt.Errorf("came back with seen %d, want %d", again.Seen, b.Seen())
			}
			return nil
		})})
	}
	return cases
}

func ids(ms []wire.Message) []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = m.ID
	}
	return out
}

func same(got, want []string) error {
	if !slices.Equal(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}
