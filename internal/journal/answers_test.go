package journal_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/journal"
	"tilld/internal/record"
)

// TestAnswers: a journal answers while its writer takes work, without a batch and without a byte written; one whose disk
// does not come back from a commit does not, and one that has stopped says so.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hang atomic.Pointer[chan struct{}]
		broken := errors.New("the disk is gone")
		j, _, err := journal.Open(t.Context(), journal.Config{Dir: t.TempDir(), Reserve: -1, Fault: func(op string) error {
			if c := hang.Load(); c != nil && op == "commit" {
				<-*c
				return broken
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		answers := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			return j.Answers(ctx)
		}
		before := j.Meta()
		for range 100 {
			if err := answers(); err != nil {
				t.Fatal(err)
			}
		}
		if j.Meta() != before {
			t.Errorf("asking has changed the journal: %+v, was %+v", j.Meta(), before)
		}
		back := make(chan struct{})
		hang.Store(&back)
		wrote := make(chan error, 1)
		go func() {
			_, err := j.Commit(t.Context(), record.Batch{Puts: []record.Put{{Bucket: "b", Key: "k", Body: []byte(`1`)}}})
			wrote <- err
		}()
		synctest.Wait()
		for range 3 {
			if err := answers(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a disk that does not come back: %v", err)
			}
		}
		close(back)
		if err := <-wrote; !errors.Is(err, record.ErrStopped) {
			t.Errorf("the commit: %v", err)
		}
		if err := answers(); !errors.Is(err, record.ErrStopped) {
			t.Errorf("a journal that has stopped: %v", err)
		}
		_ = j.Close()
	})
}
