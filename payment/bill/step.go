package bill

import "errors"

// ErrInvariant says that a change was refused because it would have owed or kept more than came in (O10).
var ErrInvariant = errors.New("the bill's sums do not add up")

// Step is what becomes of s when e happens, by Rows. s is not changed.
func Step(s State, e Event) (State, []Effect, []string, error) { return s, nil, nil, nil }
