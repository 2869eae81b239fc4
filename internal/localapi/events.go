package localapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"tilld/internal/failpoint"
	"tilld/internal/httpapi"
	"tilld/internal/record"
	"tilld/internal/ws"
)

// For one subscriber: how many events are read from the journal at a time, and how many bytes may wait for it before
// the reading goes on at its pace.
const (
	pageEvents = 100
	maxAhead   = 128 << 10
)

// maxFrame is the largest event that is streamed whole: far above any payment, below what one subscriber may have waiting,
// and what clients are told to take.
const maxFrame = 512 << 10

// Close codes of the stream, besides 1001 when the program stops.
const (
	closeTalk    = 4400 // the subscriber said something: it has nothing to say
	closeTrimmed = 4410 // it fell so far behind that events were trimmed: read the payments, come again
)

type eventBody struct {
	Seq     int64       `json:"seq"`
	Type    string      `json:"type"`
	At      time.Time   `json:"at"`
	Lane    string      `json:"lane,omitempty"`
	Subject string      `json:"subject"`
	Data    httpapi.Any `json:"data" doc:"The whole resource as it stood; on the stream null where an event is too large for a frame"`
}

type eventsBody struct {
	Events []eventBody `json:"events"`
	Next   int64       `json:"next" doc:"Ask with after set to this"`
	Oldest int64       `json:"oldest" doc:"The oldest event that is kept"`
}

type eventsInput struct {
	After int64 `query:"after" minimum:"0" doc:"Events after this seq; without it all that are kept"`
	Wait  int   `query:"wait" minimum:"0" maximum:"60" doc:"Seconds to wait for one, without upgrade"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many, without upgrade"`
}

// stream adds the event stream: one address, a WebSocket for those who ask to upgrade, a long poll for the others.
func (s *server) stream(a *httpapi.API) {
	httpapi.HandleHTTP(a, httpapi.Route{
		ID: "events", Method: http.MethodGet, Path: "/v1/events", Tag: "events", Allow: looks, Waits: true,
		Summary: "What happened, durable and in order",
		Text:    "With an upgrade to WebSocket (subprotocol tilld.v1) each frame is one event as in events below, first those after `after`, then each as it happens. A browser sends its token as a second subprotocol, bearer. followed by the token.",
		Replies: []httpapi.Reply{
			{Status: http.StatusOK, Text: "Events, oldest first", JSON: eventsBody{}},
			{Status: http.StatusSwitchingProtocols, Text: "The stream", Type: ""},
		},
		Codes: []string{httpapi.EventsTrimmed, httpapi.StorageStopped},
	}, s.events)
}

func (s *server) events(w http.ResponseWriter, r *http.Request, in *eventsInput) error {
	ctx := r.Context()
	oldest, err := s.own.Events.Oldest(ctx)
	if err != nil {
		return s.no(ctx, err)
	}
	after := in.After
	if !r.URL.Query().Has("after") {
		after = oldest - 1
	}
	if err := s.resumable(ctx, after, oldest); err != nil {
		return err
	}
	if ws.IsUpgrade(r) {
		return s.socket(w, r, after)
	}
	body, err := s.poll(ctx, after, in)
	if err != nil {
		return err
	}
	body.Oldest = oldest
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(body)
}

// resumable says whether a caller that has seen everything up to after can go on from there. An event that is not in the
// journal is not always an old one: a box that lost its journal counts anew.
func (s *server) resumable(ctx context.Context, after, oldest int64) error {
	gone := func() error {
		p := httpapi.Refuse(httpapi.EventsTrimmed)
		p.Oldest = &oldest
		return p
	}
	if after == oldest-1 {
		return nil
	}
	if after < oldest {
		return gone()
	}
	evs, err := s.own.Events.Events(ctx, after-1, 1)
	switch {
	case errors.Is(err, record.ErrTrimmed):
		return gone()
	case err != nil:
		return s.no(ctx, err)
	case len(evs) == 0 || evs[0].Seq != after:
		return gone()
	}
	return nil
}

// page reads on: what the caller may see, and how far the reading came.
func (s *server) page(ctx context.Context, after int64, limit int) ([]eventBody, int64, error) {
	evs, err := s.own.Events.Events(ctx, after, limit)
	if err != nil {
		return nil, after, err
	}
	c := callerOf(ctx)
	out := make([]eventBody, 0, len(evs))
	for _, e := range evs {
		after = e.Seq
		if c.sees(e.Lane) {
			out = append(out, eventBody{Seq: e.Seq, Type: e.Type, At: e.At, Lane: e.Lane, Subject: e.Subject, Data: httpapi.Any(e.Data)})
		}
	}
	return out, after, nil
}

func (s *server) poll(ctx context.Context, after int64, in *eventsInput) (eventsBody, error) {
	wctx, over := httpapi.Waiting(ctx)
	defer over()
	wctx, cancel := context.WithTimeout(wctx, min(time.Duration(in.Wait)*time.Second, s.cfg.MaxWait))
	defer cancel()
	for {
		evs, next, err := s.page(ctx, after, in.Limit)
		if err != nil {
			return eventsBody{}, s.trimmed(ctx, err)
		}
		moved := next > after
		after = next
		if len(evs) > 0 || wctx.Err() != nil {
			return eventsBody{Events: evs, Next: after}, nil
		}
		if moved {
			continue // all of that page was other lanes' business
		}
		if err := s.own.Events.Wait(wctx, after); err != nil && wctx.Err() == nil {
			return eventsBody{}, s.no(ctx, err)
		}
	}
}

func (s *server) trimmed(ctx context.Context, err error) error {
	if errors.Is(err, record.ErrTrimmed) {
		p := httpapi.Refuse(httpapi.EventsTrimmed)
		if oldest, err := s.own.Events.Oldest(ctx); err == nil {
			p.Oldest = &oldest
		}
		return p
	}
	return s.no(ctx, err)
}

// goodbye is how long a close frame may take to leave, behind what waits before it, when the program ends.
const goodbye = time.Second

// Codes of subscribers that were cut off, for the log.
const (
	slowReader = "slow_reader" // it left what was sent to it unread
	badFrame   = "bad_frame"   // it broke the protocol, or said something
)

// cutOff is the code of a subscriber whose connection ended with err, "" for one that went, or was sent away.
func cutOff(err error) string {
	var end *ws.CloseError
	var line net.Error
	switch {
	case errors.As(err, &line) && line.Timeout(), errors.Is(err, ws.ErrSilent):
		return slowReader
	case errors.As(err, &end) && end.Code != closeTalk, errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return ""
	}
	return badFrame
}

// socket carries the stream. Each subscriber reads the journal at its own pace in its own goroutine and has its own
// deadline for every frame: one that stalls delays nobody, and is cut off.
func (s *server) socket(w http.ResponseWriter, r *http.Request, after int64) error {
	c, err := ws.Upgrade(w, r, ws.Options{
		Protocols: []string{Protocol}, MaxFrame: maxFrame,
		Allow: func(*http.Request) bool { return true }, // Host and Origin were judged before the call was admitted
	})
	if err != nil {
		return nil // Upgrade has answered
	}
	ctx, over := httpapi.Waiting(r.Context())
	defer over()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard := make(chan error, 1)
	c.Each(func(_ []byte, err error) bool {
		if err != nil && !errors.Is(err, ws.ErrNotText) {
			cancel()
			heard <- err
			return false
		}
		c.Close(closeTalk, "this stream takes no messages")
		return true
	})
	code, reason := s.pump(ctx, c, after)
	c.Close(code, reason)
	if httpapi.IsStopping(r.Context()) { // one that stalls would hold the end up as long as a write may take
		kill := time.AfterFunc(goodbye, c.Kill)
		defer kill.Stop()
	}
	<-c.Done()
	if code := cutOff(<-heard); code != "" {
		s.door.Count(code, "")
	}
	return nil
}

var turn sync.Mutex // of a planted bug

// pump sends until the connection or the program ends, and says with what to close.
func (s *server) pump(ctx context.Context, c *ws.Conn, after int64) (int, string) {
	const away, broken = 1001, 1011
	for {
		evs, next, err := s.page(ctx, after, pageEvents)
		switch {
		case errors.Is(err, record.ErrTrimmed):
			s.cfg.Log.WarnContext(ctx, "event stream ended: what comes next is no longer kept", "caller", callerOf(ctx).name, "after", after)
			return closeTrimmed, httpapi.EventsTrimmed
		case ctx.Err() != nil:
			return away, "going away"
		case err != nil:
			s.broke(ctx, after, err)
			return broken, "try again"
		}
		ahead := 0
		for _, e := range evs {
			b, err := s.frame(ctx, e)
			if err != nil {
				s.broke(ctx, e.Seq-1, err)
				return broken, "try again"
			}
			if ahead += len(b); ahead > maxAhead {
				if c.Drained(ctx) != nil {
					return away, "going away"
				}
				ahead = len(b)
			}
			if err := c.Send(ws.Event, b); err != nil {
				if ctx.Err() == nil && !errors.Is(err, ws.ErrClosed) { // else the subscriber has gone, which is no news
					s.broke(ctx, e.Seq-1, err)
				}
				return broken, "try again"
			}
			if failpoint.Planted(failpoint.StalledBlocks) {
				turn.Lock()
				_ = c.Drained(ctx)
				turn.Unlock()
			}
		}
		if next > after {
			after = next
			if c.Drained(ctx) != nil {
				return away, "going away"
			}
			continue
		}
		if err := s.own.Events.Wait(ctx, after); err != nil {
			if ctx.Err() == nil {
				s.broke(ctx, after, err)
			}
			return away, "going away"
		}
	}
}

// broke says in the log why a stream ended that should not have.
func (s *server) broke(ctx context.Context, after int64, err error) {
	s.cfg.Log.ErrorContext(ctx, "event stream broke off", "caller", callerOf(ctx).name, "after", after, "err", err)
}

// frame is an event as it is sent. One that cannot be sent whole goes without its data: whoever meets it again at each
// connection would never hear of what is behind it. This version writes none so large; older ones did.
func (s *server) frame(ctx context.Context, e eventBody) ([]byte, error) {
	b, err := json.Marshal(e)
	if err == nil && len(b) <= maxFrame {
		return b, nil
	}
	if err == nil {
		err = fmt.Errorf("it has %d bytes, a frame may have %d", len(b), maxFrame)
	}
	s.cfg.Log.WarnContext(ctx, "event went without its data", "event", e.Seq, "type", e.Type, "subject", e.Subject, "err", err)
	e.Data = nil
	return json.Marshal(e)
}
