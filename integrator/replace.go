package integrator

import (
	"context"
	"errors"
	"fmt"

	"tilld/payment"
	"tilld/payment/bill"
)

// Replaced is what became of the open bills of a box in whose place another stands.
type Replaced struct {
	Moved []string `json:"moved"` // the new box deals with them
	Left  []string `json:"left"`  // the new box has used their reference for a sale of its own: they stay, and a person decides them
}

// Replace gives the open bills of a box to the one that stands in its place now (B35). Those that are not paid in full end,
// and what was paid of them goes back; of the others the new box's shop says where the goods are. The old box must be
// blocked: nobody may hand goods over there any more. A *Refusal says in a sentence what stands against it. Any other error
// leaves some of them moved, and asking again moves the rest.
func (s *Service) Replace(ctx context.Context, old, by, who string) (Replaced, error) {
	out := Replaced{Moved: []string{}, Left: []string{}}
	if err := s.mayReplace(ctx, old, by, who); err != nil {
		return out, err
	}
	ids, err := s.store.List(ctx, Query{Terminal: old, Which: Open})
	if err != nil {
		return out, fmt.Errorf("replace terminal: %w", err)
	}
	for _, id := range ids {
		st, err := s.store.Bill(ctx, id)
		if err != nil {
			return out, fmt.Errorf("replace terminal: %w", err)
		}
		if st.Life == payment.Closed {
			continue // by a clock, and the old box's confirm would have come: it stays with it
		}
		var refusal *Refusal
		switch _, err := s.Act(ctx, id, bill.Event{Cause: bill.Moved, Terminal: by, Who: who}); {
		case errors.Is(err, ErrReference):
			out.Left = append(out.Left, id)
		case errors.As(err, &refusal): // it has closed meanwhile
		case err != nil:
			return out, fmt.Errorf("replace terminal: %w", err)
		default:
			out.Moved = append(out.Moved, id)
		}
	}
	// The new box knows none of them. It is told no events, which it could do nothing with, but has to read anew what is open.
	err = s.store.ChangeTerminal(ctx, by, func(t *Terminal) error {
		t.Seq++
		t.Epoch++
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("replace terminal: %w", err)
	}
	s.watch.signal(by) // its session of this moment is over
	return out, nil
}

// mayReplace refuses what no person can have meant.
func (s *Service) mayReplace(ctx context.Context, old, by, who string) error {
	if !oneLine(who, payment.MaxWho) {
		return no(fmt.Sprintf("who replaces a box is a name of 1 to %d characters on one line", payment.MaxWho))
	}
	if old == by {
		return no("a box does not take its own place: integrator terminal add with its name gives it another key, and its bills stay")
	}
	for _, name := range []string{old, by} {
		t, err := s.store.Terminal(ctx, name)
		switch {
		case errors.Is(err, ErrUnknownTerminal):
			return no("there is no terminal of this name: integrator terminal list names them")
		case err != nil:
			return fmt.Errorf("replace terminal: %w", err)
		case name == old && !t.Blocked:
			return no("the old box must be blocked first (integrator terminal block), so that it hands over nothing any more")
		case name == by && t.Blocked:
			return no("the new box is blocked")
		}
	}
	return nil
}
