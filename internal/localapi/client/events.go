package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tilld/internal/record"
	"tilld/internal/ws"
)

// Event is one event of the stream; Data is the whole resource as it stood, null where that was too large for a frame.
type Event = record.Event

// Between two tries of Watch to connect: from the first up to the second, with jitter.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 3 * time.Second
)

// maxFrame is the largest event that is taken.
const maxFrame = 512 << 10

// Kept asks Watch and Events for all events that are still kept.
const Kept = -1

// Page is one answer of the long poll.
type Page struct {
	Events []Event `json:"events"`
	Next   int64   `json:"next"`
	Oldest int64   `json:"oldest"`
}

// Events is one long poll for events after seq `after`, up to limit of them; whole seconds of wait, up to 60.
func (c *Client) Events(ctx context.Context, after int64, wait time.Duration, limit int) (Page, error) {
	q := url.Values{"wait": {strconv.Itoa(int(wait / time.Second))}, "limit": {strconv.Itoa(limit)}}
	if after >= 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	var p Page
	_, err := c.call(ctx, http.MethodGet, "/v1/events?"+q.Encode(), nil, &p, wait)
	return p, err
}

// Watch hands every event after seq `after` to f, in order and each once, until ctx ends or f or the box refuses: the
// error says which. It connects again by itself and goes on where it was. A Problem with events_trimmed means that
// events were missed: List the payments with an empty Find, which is all that are not over, then watch from its Resume.
func (c *Client) Watch(ctx context.Context, after int64, f func(Event) error) error {
	pause := firstPause
	for {
		seen, err := c.follow(ctx, after, f)
		if seen > after {
			after, pause = seen, firstPause
		}
		var p *Problem
		var stop *stopped
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &stop):
			return stop.err
		case errors.As(err, &p) && p.Status < http.StatusInternalServerError:
			return err
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}

// Resume is what to give to Watch and Events after events_trimmed, so that the oldest event that is kept is the first to come.
func (p *Problem) Resume() int64 { return p.Oldest - 1 }

// stopped is an error of Watch's own f.
type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }

// follow is one connection: it answers the last seq that was handed on.
func (c *Client) follow(ctx context.Context, after int64, f func(Event) error) (int64, error) {
	address := "ws" + strings.TrimPrefix(c.base, "http") + "/v1/events"
	if after >= 0 {
		address += "?after=" + strconv.FormatInt(after, 10)
	}
	head := http.Header{}
	if c.token != "" {
		head.Set("Authorization", "Bearer "+c.token)
	}
	conn, err := ws.Dial(ctx, address, ws.Options{Protocols: []string{"tilld.v1"}, MaxFrame: maxFrame, Header: head, Dial: c.dial})
	if err != nil {
		return after, c.whyNot(ctx, after, err)
	}
	defer func() { conn.Kill(); <-conn.Done() }()
	end := context.AfterFunc(ctx, conn.Kill)
	defer end()
	for {
		b, err := conn.Receive()
		if err != nil {
			var ce *ws.CloseError
			if errors.As(err, &ce) && ce.Code == 4410 {
				return after, c.whyNot(ctx, after, err)
			}
			return after, err
		}
		var e Event
		if err := json.Unmarshal(b, &e); err != nil {
			return after, fmt.Errorf("read an event: %w", err)
		}
		if e.Seq <= after {
			continue
		}
		if err := f(e); err != nil {
			return after, &stopped{err}
		}
		after = e.Seq
	}
}

// whyNot asks once more without upgrade, because only that answer has words.
func (c *Client) whyNot(ctx context.Context, after int64, err error) error {
	if _, said := c.Events(ctx, after, 0, 1); said != nil {
		return said
	}
	return err
}
