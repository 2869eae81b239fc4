package integrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tilld/payment/bill"
)

// Stranded is what waits for one provider that is not configured any more. Nobody asks it, nothing goes back by it; only a
// person ends that (Waiting, Decide), or its place in the configuration.
type Stranded struct {
	Provider string
	Bills    int // that are not settled
	Doubts   int // of which, in doubt
	Debts    int // returns that it has not said done to
}

// Stranded lists the providers that are not configured and that bills wait for, by name.
func (s *Service) Stranded(ctx context.Context) ([]Stranded, error) {
	ids, err := s.store.List(ctx, Query{Which: Review, Known: s.names})
	if err != nil {
		return nil, fmt.Errorf("look for bills of providers that are not configured: %w", err)
	}
	by := map[string]*Stranded{}
	for _, id := range ids {
		st, err := s.store.Bill(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look for bills of providers that are not configured: %w", err)
		}
		if !s.gone(st) {
			continue
		}
		x := by[st.Request.Provider]
		if x == nil {
			x = &Stranded{Provider: st.Request.Provider}
			by[x.Provider] = x
		}
		x.Bills++
		if st.Doubt {
			x.Doubts++
		}
		for i := range st.Obligations {
			if st.Obligations[i].Personal(&s.plain.Traits) {
				x.Debts++
			}
		}
	}
	out := make([]Stranded, 0, len(by))
	for _, x := range by {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b Stranded) int { return cmp.Compare(a.Provider, b.Provider) })
	return out, nil
}

// gone: the bill's provider is not configured.
func (s *Service) gone(st bill.State) bool { return s.providers[st.Request.Provider] == nil }

// tellStranded says at a start what nobody will ask about. queues are those of the last run.
func (s *Service) tellStranded(ctx context.Context, queues []string) error {
	list, err := s.Stranded(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		s.log.Warn("bills wait for a provider that is not configured", "provider", x.Provider, "bills", x.Bills, "doubts", x.Doubts, "debts", x.Debts)
	}
	for _, name := range queues {
		if name != clocks && s.providers[name] == nil && !slices.ContainsFunc(list, func(x Stranded) bool { return x.Provider == name }) {
			s.log.Warn("bills that are over are not watched any more, their provider is not configured", "provider", name)
		}
	}
	return nil
}
