package printing_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/printing"
	"tilld/payment/lane"
	"tilld/printer/escpos/emulator"
)

// late asks for a job that is no use after two minutes.
func (s *shop) late(l, ref string) printing.Job {
	s.t.Helper()
	j, fresh, err := s.p.Submit(s.t.Context(), printing.Request{Lane: l, Reference: ref, Items: receipt(ref), For: 2 * time.Minute})
	if err != nil || !fresh {
		s.t.Fatalf("submit %s: %v, %v", ref, fresh, err)
	}
	return j
}

// expired sees that a job ended when its time was over, and not when somebody came.
func (s *shop) expired(id string) {
	s.t.Helper()
	got := s.get(id)
	if got.State != printing.NotPrinted || got.Why != "expired" || got.Stamps["ended"].Sub(*got.Until) > time.Second {
		s.t.Errorf("%s %s, until %v, ended %v", got.State, got.Why, got.Until, got.Stamps["ended"])
	}
}

func TestItsTimeIsOverWhileThePrinterIsAway(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		s.p.Use("back", nil, false)
		j := s.late("3", "R-1")
		if j.State != printing.Queued || j.Blocked == nil || j.Blocked.Why != "offline" {
			t.Errorf("%+v", j)
		}
		time.Sleep(119 * time.Second)
		synctest.Wait()
		if got := s.get(j.ID); got.State != printing.Queued {
			t.Errorf("too soon: %+v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s.expired(j.ID)
	})
}

// Behind a receipt that waits for paper, with no end of its own, those whose time is over end, and make room for others.
func TestItsTimeIsOverBehindOneThatWaits(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.PaperEnd)
		first := s.submit("1", "R-1")
		s.until(first.ID, func(p printing.Job) bool { return p.Blocked != nil })
		var ids []string
		for i := range 199 {
			ids = append(ids, s.late("1", fmt.Sprint("L-", i)).ID)
		}
		var no *lane.Refusal
		if _, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-2", Items: receipt("R-2")}); !errors.As(err, &no) || no.Why != "queue_full" {
			t.Errorf("one too many: %v", err)
		}
		time.Sleep(121 * time.Second)
		synctest.Wait()
		for _, id := range ids {
			s.expired(id)
		}
		waits := s.submit("1", "R-2")
		if all, err := s.p.List(t.Context(), "1", ""); err != nil || len(all) != 2 {
			t.Errorf("%d wait, %v", len(all), err)
		}
		s.paper["front"].Mend()
		for _, id := range []string{first.ID, waits.ID} {
			if got := s.ended(id); got.State != printing.Printed {
				t.Errorf("%+v", got)
			}
		}
		if b, w := s.onPaper("front", "L-0"); b+w != 0 {
			t.Error("one whose time was over stands on paper")
		}
		t.Logf("%d jobs ended in their time behind one that waited for paper", len(ids))
	})
}

// One that a stopped box has kept for too long ends at the next start, whatever the printer does.
func TestItsTimeIsOverAtTheNextStart(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		j := s.late("1", "R-1")
		s.halt()
		time.Sleep(time.Hour)
		s.start()
		synctest.Wait()
		if got := s.get(j.ID); got.State != printing.NotPrinted || got.Why != "expired" {
			t.Errorf("%+v", got)
		}
	})
}
