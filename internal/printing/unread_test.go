package printing_test

import (
	"context"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/printer/escpos/emulator"
)

// unread is a journal that cannot read what a job prints for a while.
type unread struct {
	record.Journal
	now   *atomic.Bool
	tries *atomic.Int64
}

func (u unread) Find(ctx context.Context, bucket, key, ref string) (record.Put, error) {
	if bucket == "print_body" && u.now.Load() {
		u.tries.Add(1)
		return record.Put{}, syscall.EMFILE
	}
	return u.Journal.Find(ctx, bucket, key, ref)
}

// A receipt that waited for paper and could not be read when the paper came is printed once it can: nobody rings for it again.
func TestAnAccidentOfTheJournalKeepsNoReceiptBack(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		var now atomic.Bool
		var tries atomic.Int64
		s.halt()
		s.around = func(j record.Journal) record.Journal { return unread{j, &now, &tries} }
		s.start()
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		p := s.submit("1", "R-1")
		if p.State != printing.Queued {
			t.Fatalf("%+v", p)
		}
		now.Store(true)
		s.paper["front"].Mend()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := tries.Load(); n < 1 || n > 20 { // the pause is 5 s
			t.Errorf("read %d times within a minute", n)
		}
		now.Store(false)
		if got := s.ended(p.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		if b, w := s.onPaper("front", "R-1"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
		t.Logf("read in vain %d times", tries.Load())
	})
}
