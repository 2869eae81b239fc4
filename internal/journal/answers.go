package journal

import (
	"context"
	"fmt"
)

// Answers says whether the writer still takes work and ends it, by the end of ctx. It counts as no batch.
func (j *Journal) Answers(ctx context.Context) error {
	if err := j.db.Answers(ctx); err != nil {
		return fmt.Errorf("the journal's writer: %w", stopped(err))
	}
	return nil
}
