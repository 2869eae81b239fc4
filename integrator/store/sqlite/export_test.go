package sqlite

import "context"

// Forgetful drops what the store holds in memory, so that the next question is answered by the file.
func (s *Store) Forgetful() { s.cache.drop() }

// Check looks at the whole file as a start does.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }
