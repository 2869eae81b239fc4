package checkout_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"tilld/internal/checkout"
)

// stage is a fake stage that keeps what it was told.
type stage struct {
	mu     sync.Mutex
	views  []checkout.View
	glass  map[string]checkout.View // by lane: what is there now
	broken map[string]bool          // lanes whose outputs refuse every code
	stuck  map[string]bool          // lanes whose Show waits for its context
	woken  int
}

var errGlass = errors.New("no output took the code")

func newStage() *stage {
	return &stage{glass: map[string]checkout.View{}, broken: map[string]bool{}, stuck: map[string]bool{}}
}

func (s *stage) Show(ctx context.Context, v checkout.View) ([]string, error) {
	s.mu.Lock()
	s.views = append(s.views, v)
	stuck, broken := s.stuck[v.Lane], s.broken[v.Lane]
	s.mu.Unlock()
	if stuck {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if broken && v.Payload != "" {
		return nil, errGlass
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.glass[v.Lane] = v
	if len(v.Outputs) > 0 {
		return v.Outputs, nil
	}
	return []string{"customer-display"}, nil
}

func (s *stage) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken++
}

func (s *stage) wakes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.woken
}

func (s *stage) now(lane string) checkout.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.glass[lane]
}

func (s *stage) all() []checkout.View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

func (s *stage) set(m map[string]bool, lane string, v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m[lane] = v
}

// last is the newest view with a sound that the lane was told.
func (s *stage) last(lane string) (out checkout.View) {
	for _, v := range s.all() {
		if v.Lane == lane && v.Sound != "" {
			out = v
		}
	}
	return out
}

func (s *stage) clear(lane string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.glass, lane)
}
