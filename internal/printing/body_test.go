package printing_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/payment/lane"
	"tilld/printer/escpos/emulator"
)

// What a job prints is written when it is accepted, and not again at each of its changes, of which a printer without paper
// makes many.
func TestWhatAJobPrintsIsWrittenOnce(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		var mu sync.Mutex
		written := map[string]int{} // bytes, by bucket
		s.halt()
		s.around = func(j record.Journal) record.Journal {
			return crash{j, func(b record.Batch) bool {
				mu.Lock()
				defer mu.Unlock()
				for _, p := range b.Puts {
					written[p.Bucket] += len(p.Body)
				}
				return false
			}}
		}
		s.start()
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		const jobs, size = 5, 40 << 10
		var ids []string
		for i := range jobs {
			j, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: fmt.Sprint("P-", i), Raw: bytes.Repeat([]byte{0}, size)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, j.ID)
		}
		for range 3 { // somebody is at its plug
			s.fail("front", 0, emulator.HangUp)
			for _, why := range []string{"offline", "paper"} {
				s.until(ids[jobs-1], func(j printing.Job) bool { return j.Blocked != nil && j.Blocked.Why == why })
			}
		}
		s.paper["front"].Mend()
		versions := int64(0)
		for _, id := range ids {
			got := s.ended(id)
			if got.State != printing.Printed {
				t.Errorf("%+v", got)
			}
			versions += got.Version
			if put, err := s.j.Find(t.Context(), "print", id, ""); err != nil || len(put.Body) > 2048 {
				t.Errorf("the job itself has %d bytes, %v", len(put.Body), err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		t.Logf("%d jobs of %d bytes changed %d times: %d bytes of what they print were written, %d of the jobs", jobs, size, versions, written["print_body"], written["print"])
		if n := written["print_body"]; n < jobs*size || n > jobs*size*3/2 || versions < 3*jobs {
			t.Errorf("%d bytes of what %d jobs of %d print, after %d changes", n, jobs, size, versions)
		}
		if n := written["print"]; n > int(versions+10)*1024 {
			t.Errorf("%d bytes of the jobs", n)
		}
	})
}

// A job can be printed again for as long as what it prints is kept, and not after that; one that waits is never forgotten.
func TestPrintedAgainForAsLongAsItIsKept(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.halt()
		s.tune = func(c *printing.Config) { c.KeepFor, c.KeepLeast = time.Hour, 1 }
		s.start()
		trim := func(want int64) {
			t.Helper()
			if n, err := s.p.Trim(t.Context(), s.j); err != nil || n != want {
				t.Errorf("%d were removed, %v, want %d", n, err, want)
			}
		}
		first := s.ended(s.submit("1", "R-1").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		waits := s.submit("1", "R-2")
		time.Sleep(40 * time.Minute)
		trim(0)
		again, fresh, err := s.p.Reprint(t.Context(), "1", first.ID, "R-1b", "x")
		if err != nil || !fresh || again.Mark != printing.Copy {
			t.Fatalf("%+v, %v, %v", again, fresh, err)
		}
		time.Sleep(40 * time.Minute)
		trim(1)
		trim(0)
		var no *lane.Refusal
		if _, _, err := s.p.Reprint(t.Context(), "1", first.ID, "R-1c", "x"); !errors.As(err, &no) || no.Code != lane.NoWrongState || no.Why != printing.NotKept {
			t.Errorf("long after: %v", err)
		}
		if same, fresh, err := s.p.Reprint(t.Context(), "1", first.ID, "R-1b", "x"); err != nil || fresh || same.ID != again.ID {
			t.Errorf("a till that asks once more: %+v, %v, %v", same, fresh, err)
		}
		if old, fresh, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: receipt("R-1")}); err != nil || fresh || old.ID != first.ID {
			t.Errorf("its reference is known: %+v, %v, %v", old, fresh, err)
		}
		s.halt()
		s.start() // what waits is taken up with what it prints
		s.paper["front"].Mend()
		for _, id := range []string{waits.ID, again.ID} {
			if got := s.ended(id); got.State != printing.Printed {
				t.Errorf("%+v", got)
			}
		}
		if b, w := s.onPaper("front", "R-2"); b != 1 || w != 1 {
			t.Errorf("R-2: %d begun, %d whole", b, w)
		}
		if b, w := s.onPaper("front", "R-1"); b != 2 || w != 2 {
			t.Errorf("R-1 and its copy: %d begun, %d whole", b, w)
		}
		if !strings.Contains(fmt.Sprint(s.paper["front"].Receipts()), "COPY") {
			t.Error("the copy is not marked")
		}
	})
}

// A machine that has lost its clock begins in 1970, and 30 days before that no job is old.
func TestNothingIsForgottenByAClockThatIsYearsWrong(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.halt()
		keep := time.Since(time.Unix(0, 0)) + 30*24*time.Hour
		s.tune = func(c *printing.Config) { c.KeepFor, c.KeepLeast = keep, 1 }
		s.start()
		var ids []string
		for i := range 3 {
			ids = append(ids, s.ended(s.submit("1", fmt.Sprint("R-", i)).ID).ID)
		}
		if n, err := s.p.Trim(t.Context(), s.j); err != nil || n != 0 {
			t.Errorf("%d were removed, %v", n, err)
		}
		for i, id := range ids {
			j, fresh, err := s.p.Reprint(t.Context(), "1", id, fmt.Sprint("again-", i), "x")
			if err != nil || !fresh {
				t.Fatalf("%s once more: %v, %v", id, fresh, err)
			}
			s.ended(j.ID)
		}
		t.Logf("%d jobs, of all since %s", len(ids), time.Now().Add(-keep).UTC().Format(time.DateOnly))
	})
}
