package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"tilld/internal/localapi/client"
)

// stream is what the till's stream says that scanners have read.
type stream struct {
	mu     sync.Mutex
	change *sync.Cond
	texts  map[string][]string // by lane
	stop   context.CancelFunc
}

// listen follows the events from now on.
func (c *counter) listen() (*stream, error) {
	page, err := c.api.Events(context.Background(), client.Kept, 0, 1)
	if err != nil {
		return nil, err
	}
	for err == nil && len(page.Events) > 0 {
		page, err = c.api.Events(context.Background(), page.Next, 0, 500)
	}
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &stream{texts: map[string][]string{}, stop: stop}
	s.change = sync.NewCond(&s.mu)
	go func() { _ = c.api.Watch(ctx, page.Next, s.note) }()
	return s, nil
}

func (s *stream) note(e client.Event) error {
	if e.Type != "scan" {
		return nil
	}
	var scan struct{ Text, Masked string }
	if err := json.Unmarshal(e.Data, &scan); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[e.Lane] = append(s.texts[e.Lane], scan.Text)
	s.change.Broadcast()
	return nil
}

// has waits until a lane's scanner has read n codes.
func (s *stream) has(lane string, n int) error {
	late := false
	end := time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.change.Broadcast()
	})
	defer end.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.texts[lane]) < n {
		if late {
			return fmt.Errorf("%d of %d codes of lane %s: %w", len(s.texts[lane]), n, lane, errLate)
		}
		s.change.Wait()
	}
	return nil
}

// last is the newest reading of a lane.
func (s *stream) last(lane string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[lane][len(s.texts[lane])-1]
}
