package payment

// Row is one line of a transition table. The code executes it; a test prints its ID and When.
// S is the state, E what happened, F what is to be done about it once the new state is durable.
type Row[S, E, F any] struct {
	ID    string              // as in the table: "B14"
	When  string              // from, event and guard in words
	Match func(S, E) bool     // from, event and guard
	Do    func(S, E) (S, []F) // pure: may run again after a lost race
}

// Find is the first row that matches, or nil: a state and event without a row is answered, never guessed.
func Find[S, E, F any](rows []Row[S, E, F], s S, e E) *Row[S, E, F] {
	for i := range rows {
		if rows[i].Match(s, e) {
			return &rows[i]
		}
	}
	return nil
}
