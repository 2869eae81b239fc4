package integrator

import (
	"context"
	"fmt"
)

// Answers goes through the store's writer and the loop of the bills' clocks, and says by the end of ctx what did not
// answer. A bank that is slow holds up its own queue alone, and is not asked for here.
func (s *Service) Answers(ctx context.Context) error {
	if st, ok := s.store.(interface{ Answers(context.Context) error }); ok {
		if err := st.Answers(ctx); err != nil {
			return fmt.Errorf("the ledger's writer: %w", err)
		}
	}
	select {
	case s.queues[clocks].asked <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the bills' clocks: %w", ctx.Err())
	}
}
