package sqlite

// Forgetful drops what the store holds in memory, so that the next question is answered by the file.
func (s *Store) Forgetful() { s.cache.drop() }
