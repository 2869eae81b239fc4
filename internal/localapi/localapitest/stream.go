package localapitest

import (
	"context"
	"slices"
	"sync"

	"tilld/internal/record"
	"tilld/payment/lane"
)

// Wait is of a payment; the event stream has a Wait of its own, so it is an owner of its own.
func (b *Box) Wait(ctx context.Context, id string, after int64) (lane.Public, error) {
	for {
		b.mu.Lock()
		if err := b.begin("Wait"); err != nil {
			b.mu.Unlock()
			return lane.Public{}, err
		}
		p, err := b.find(id)
		if err != nil || p.Version > after {
			var out lane.Public
			if p != nil {
				out = snap(p)
			}
			b.mu.Unlock()
			return out, err
		}
		change := b.change()
		b.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
			return lane.Public{}, ctx.Err()
		}
	}
}

// Stream is the box's event stream.
type Stream struct {
	b *Box

	mu      sync.Mutex
	readers int
}

// Readers is how many pages were read.
func (s *Stream) Readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readers
}

// Events answers as a journal does.
func (s *Stream) Events(_ context.Context, after int64, limit int) ([]record.Event, error) {
	s.mu.Lock()
	s.readers++
	s.mu.Unlock()
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.begin("Events"); err != nil {
		return nil, err
	}
	if after < b.trimmed {
		return nil, record.ErrTrimmed
	}
	from := min(after, int64(len(b.events)))
	return slices.Clone(b.events[from:min(from+int64(limit), int64(len(b.events)))]), nil
}

// Oldest answers as a journal does.
func (s *Stream) Oldest(context.Context) (int64, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return s.b.trimmed + 1, s.b.begin("Oldest")
}

// Wait answers as a journal does.
func (s *Stream) Wait(ctx context.Context, after int64) error {
	for {
		s.b.mu.Lock()
		newest, change := int64(len(s.b.events)), s.b.change()
		s.b.mu.Unlock()
		if newest > after {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
