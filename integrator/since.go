package integrator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"tilld/payment"
)

// sincePage is how many events are read at once.
const sincePage = 256

// returnedSince adds to ids the bills of which money was returned after an event, as far as events are kept: a box whose
// journal was put back from an image has them for settled, and would offer the till to return that money again.
func (s *Service) returnedSince(ctx context.Context, terminal string, after int64, ids []string) ([]string, error) {
	for {
		es, err := s.store.Events(ctx, terminal, after, sincePage)
		if err != nil {
			return nil, fmt.Errorf("bills with returns since: %w", err)
		}
		if len(es) == 0 {
			return ids, nil
		}
		for _, e := range es {
			after = e.Seq
			if e.Type != payment.EvReturning && e.Type != payment.EvReturned {
				continue
			}
			var b struct {
				Payment string `json:"payment"`
			}
			if err := json.Unmarshal(e.Body, &b); err != nil {
				return nil, fmt.Errorf("bills with returns since: event %d: %w", e.Seq, err)
			}
			if !slices.Contains(ids, b.Payment) {
				ids = append(ids, b.Payment)
			}
		}
	}
}
