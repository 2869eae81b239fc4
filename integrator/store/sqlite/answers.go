package sqlite

import "context"

// Answers says whether the writer still takes work and ends it, by the end of ctx. Nothing is changed.
func (s *Store) Answers(ctx context.Context) error { return s.db.Answers(ctx) }
