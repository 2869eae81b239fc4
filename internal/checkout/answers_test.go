package checkout_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
)

// stuck is a stage whose lane 1 blocks, whatever it is told, while hold is not closed.
type stuck struct {
	*stage
	hold chan struct{}
}

func (s *stuck) Show(ctx context.Context, v checkout.View) ([]string, error) {
	if v.Lane == "1" && v.Payload != "" {
		<-s.hold
	}
	return s.stage.Show(ctx, v)
}

// TestAnswers: the box answers while its loop and its lanes' outputs go on, says which lane does not, and answers again.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		defer s.close()
		hang := &stuck{s.stage, make(chan struct{})}
		s.start(hang)
		s.connect()
		answers := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			return s.box.Answers(ctx)
		}
		if err := answers(); err != nil {
			t.Errorf("an idle box: %v", err)
		}
		s.create(request("R-1"))
		s.settle()
		for range 3 {
			if err := answers(); err == nil || !strings.Contains(err.Error(), "outputs of lane 1") || strings.Contains(err.Error(), "lane 2") {
				t.Errorf("lane 1 hangs: %v", err)
			}
		}
		close(hang.hold)
		synctest.Wait()
		if err := answers(); err != nil {
			t.Errorf("it hangs no more: %v", err)
		}
		old := s.box
		s.halt()
		if err := old.Answers(t.Context()); !errors.Is(err, checkout.ErrStopped) {
			t.Errorf("a box that has ended: %v", err)
		}
		s.start()
	})
}
