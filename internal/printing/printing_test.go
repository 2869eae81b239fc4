package printing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/depth"
	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

func TestPrinted(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		p := s.submit("1", "R-1")
		if p.State != printing.Running || p.Version != 1 {
			t.Errorf("the printer is idle, and the job was answered as %+v", p)
		}
		got := s.ended(p.ID)
		if got.State != printing.Printed || got.Proof != printer.Proven || got.Sent == 0 || got.Blocked != nil || got.Stamps["ended"].IsZero() {
			t.Errorf("%+v", got)
		}
		if e := s.events(p.ID); e != "printing printed" { // acceptance and start are one commit
			t.Errorf("events: %s", e)
		}
		if b, w := s.onPaper("front", "R-1"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
	})
}

func TestTheSameReferenceIsOneJob(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		p := s.submit("1", "R-1")
		s.ended(p.ID)
		again, fresh, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: receipt("R-1")})
		if err != nil || fresh || again.ID != p.ID || again.State != printing.Printed {
			t.Errorf("the same again: %+v, %v, %v", again, fresh, err)
		}
		var no *lane.Refusal
		if _, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: receipt("other")}); !errors.As(err, &no) || no.Code != lane.NoKeyReused {
			t.Errorf("another body: %v", err)
		}
		if q := s.submit("2", "R-1"); q.ID == p.ID { // references are of their lane
			t.Error("another lane got the same job")
		}
		time.Sleep(time.Minute)
		if b, w := s.onPaper("front", "R-1"); b != 2 || w != 2 {
			t.Errorf("%d begun, %d whole", b, w)
		}
	})
}

func TestRefusals(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		for name, c := range map[string]struct {
			r    printing.Request
			want string
		}{
			"no such lane":     {printing.Request{Lane: "9", Reference: "R", Items: receipt("R")}, "unknown_lane"},
			"no printer":       {printing.Request{Lane: "4", Reference: "R", Items: receipt("R")}, "unavailable: no_printer"},
			"no such printer":  {printing.Request{Lane: "1", Reference: "R", Printer: "attic", Items: receipt("R")}, "unavailable: no_printer"},
			"no reference":     {printing.Request{Lane: "1", Items: receipt("R")}, "reference: must be 1 to 64 of A-Z a-z 0-9 . _ : -"},
			"nothing":          {printing.Request{Lane: "1", Reference: "R"}, "receipt: give either receipt or raw"},
			"both":             {printing.Request{Lane: "1", Reference: "R", Items: receipt("R"), Raw: []byte("R")}, "receipt: give either receipt or raw"},
			"no such type":     {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "movie"}}}, "receipt[0].type: must be one of text, columns, rule, image, qr, barcode, feed, cut, drawer"},
			"foreign field":    {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "cut"}, {Type: "text", Payload: "x"}}}, "receipt[1].payload: does not belong to an item of type text"},
			"code with ESC":    {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "qr", Payload: "a\x1b@"}}}, "receipt[0].payload: must be 1 to 512 printable ASCII characters"},
			"no picture":       {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "image", Picture: []byte("GIF89a")}}}, "receipt[0].picture: is no PNG"},
			"no such pin":      {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "drawer", Pin: 3}}}, "receipt[0].pin: must be 2 or 5"},
			"align of a cell":  {printing.Request{Lane: "1", Reference: "R", Items: []printing.Item{{Type: "columns", Cells: []printing.Cell{{Align: "up"}}}}}, "receipt[0].cells[0].align: must be left, center or right"},
			"too much at once": {printing.Request{Lane: "1", Reference: "R", Raw: make([]byte, printing.MaxRaw+1)}, "raw: is larger than 262144 bytes"},
		} {
			if _, _, err := s.p.Submit(t.Context(), c.r); err == nil || err.Error() != c.want {
				t.Errorf("%s: %v, want %s", name, err, c.want)
			}
		}
		// What only the driver knows is refused before the first byte.
		p, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: []printing.Item{{Type: "qr", Payload: strings.Repeat("x", 500), Module: 16}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.ended(p.ID); got.State != printing.NotPrinted || got.Why != "refused" || got.Sent != 0 || !strings.Contains(got.Detail, "does not fit") {
			t.Errorf("%+v", got)
		}
	})
}

func TestWithoutPaperItWaitsAndPrintsByItself(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		begin := time.Now()
		p := s.submit("2", "R-1")
		if p.State != printing.Queued || p.Blocked == nil || p.Blocked.Why != "paper" || p.Say == nil || p.Say.Code != "paper/out" || !strings.Contains(p.Say.Short, "бумаги") {
			t.Errorf("%+v %+v", p, p.Say)
		}
		if ok, why, since := s.p.Ready("1"); ok || why != "paper" || since.IsZero() || since.After(begin) {
			t.Errorf("ready: %v %s %v", ok, why, since)
		}
		if st := s.health.Standing(); len(st) != 1 || st[0].Sentence != "The printer front has no paper." {
			t.Errorf("health: %+v", st)
		}
		other := s.ended(s.submit("3", "R-2").ID) // another printer is not delayed
		if other.State != printing.Printed {
			t.Errorf("%+v", other)
		}
		time.Sleep(time.Hour)
		if got := s.get(p.ID); got.State != printing.Queued {
			t.Errorf("%+v", got)
		}
		s.paper["front"].Mend()
		if got := s.ended(p.ID); got.State != printing.Printed || got.Say != nil || got.Blocked != nil {
			t.Errorf("%+v", got)
		}
		if e := s.events(p.ID); e != "queued unblocked printing printed" && e != "queued printing printed" {
			t.Errorf("events: %s", e)
		}
		if st := s.health.Standing(); len(st) != 0 {
			t.Errorf("health: %+v", st)
		}
	})
}

// halted is a printer that is there and says that it takes nothing: a person has put it off line.
type halted struct{}

func (halted) Print(context.Context, printer.Job) (printer.Outcome, error) {
	return printer.Outcome{Result: printer.NotPrinted}, &printer.BlockedError{Why: "offline"}
}

func (halted) Serve(ctx context.Context, _ func(printer.Status)) error {
	<-ctx.Done()
	return ctx.Err()
}

// One that is not there and one that says itself that it is off line stop a receipt alike, and want another hand: cashier
// and health say the same of it, whichever came first.
func TestWhoeverIsOfflineIsToldHow(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.calm("front")
		gone := func() { s.p.Use("front", nil, false) }
		itself := func() {
			s.p.Use("front", halted{}, true)
			s.p.Status("front", printer.Status{Online: printer.No, Paper: printer.Yes})
		}
		gone()
		p := s.submit("1", "R-1")
		seen := 0
		for _, c := range []struct {
			now               func()
			code, do, trouble string
		}{
			{gone, "printer/offline", "Look at its cable and power.", ""},
			{itself, "printer/not_ready", "Press its feed button once.", "Press its feed button once;"},
			{gone, "printer/offline", "Look at its cable and power.", ""},
			{itself, "printer/not_ready", "Press its feed button once.", "Press its feed button once;"},
		} {
			c.now()
			synctest.Wait()
			got := s.get(p.ID)
			if got.State != printing.Queued || got.Blocked == nil || got.Blocked.Why != "offline" || got.Say == nil || got.Say.Code != c.code || !strings.HasPrefix(got.Say.Do, c.do) {
				t.Errorf("want %s: %s %+v %+v", c.code, got.State, got.Blocked, got.Say)
			}
			st := s.health.Standing()
			if (len(st) == 1) != (c.trouble != "") || len(st) == 1 && !strings.HasPrefix(st[0].Remedy, c.trouble) {
				t.Errorf("%s: health: %+v", c.code, st)
			}
			seen++
		}
		t.Logf("%d states of one printer, events: %s", seen, s.events(p.ID))
	})
}

func TestPaperEndsInTheMiddle(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.PaperEnd)
		p := s.submit("1", "R-1")
		got := s.until(p.ID, func(p printing.Job) bool { return p.Blocked != nil })
		if got.State != printing.Running || got.Blocked.Why != "paper" {
			t.Errorf("%+v", got)
		}
		time.Sleep(20 * time.Minute)
		s.paper["front"].Mend()
		if got := s.ended(p.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		if b, w := s.onPaper("front", "R-1"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
	})
}

// A knife sticks in the middle of a receipt, and the printer is switched off and on as the cashier is told to: what it had begun
// is forgotten, so a person must look for it; what waits behind it prints by itself.
func TestAStuckKnife(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.Cutter)
		begun, waits := s.submit("1", "R-1"), s.submit("1", "R-2")
		got := s.until(begun.ID, func(p printing.Job) bool { return p.Blocked != nil })
		if got.State != printing.Running || got.Say == nil || got.Say.Code != "printer/cutter" {
			t.Errorf("%+v", got)
		}
		t.Logf("%+v", got.Say)
		s.fail("front", 0, emulator.Off)
		time.Sleep(20 * time.Second)
		s.paper["front"].Mend()
		back := time.Now()
		if got := s.ended(begun.ID); got.State != printing.Unknown || got.Say == nil || got.Say.Code != "print/unknown" {
			t.Errorf("%+v", got)
		}
		if got := s.ended(waits.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		if _, whole := s.onPaper("front", "R-2"); whole != 1 || time.Since(back) > 3*time.Minute {
			t.Errorf("%d on paper after %v", whole, time.Since(back))
		}
		t.Logf("both over %v after it was back", time.Since(back))
	})
}

func TestCancel(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.CoverOpen)
		running, waiting := s.submit("1", "R-1"), s.submit("1", "R-2")
		s.until(running.ID, func(p printing.Job) bool { return p.Blocked != nil })
		if got, err := s.p.Cancel(t.Context(), "1", waiting.ID); err != nil || got.State != printing.NotPrinted || got.Why != "canceled" {
			t.Errorf("one that waits: %+v, %v", got, err)
		}
		if got, err := s.p.Cancel(t.Context(), "1", running.ID); err != nil || got.State != printing.Unknown || got.Why != "canceled" || got.Say == nil || got.Say.Code != "print/unknown" {
			t.Errorf("one that is printed: %+v, %v", got, err)
		}
		var no *lane.Refusal
		if _, err := s.p.Cancel(t.Context(), "1", running.ID); !errors.As(err, &no) || no.Code != lane.NoWrongState {
			t.Errorf("one that has ended: %v", err)
		}
		if _, err := s.p.Cancel(t.Context(), "3", running.ID); !errors.As(err, &no) || no.Code != lane.NoNotFound {
			t.Errorf("another lane's: %v", err)
		}
		s.paper["front"].Mend()
		if got := s.ended(s.submit("1", "R-3").ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Minute)
		if b, w := s.onPaper("front", "R-2"); b+w != 0 {
			t.Error("a job that was taken back stands on paper")
		}
		rs := s.paper["front"].Receipts()
		last := strings.Join(rs[len(rs)-1].Text, "|")
		if strings.Contains(last, "R-1") || !strings.Contains(last, "end R-3") {
			t.Errorf("half of another job stands on the receipt: %s", last)
		}
	})
}

// What waits is taken back; what has begun comes out whole, whoever wants it no more.
func TestWithdraw(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.CoverOpen)
		running, waiting := s.submit("1", "R-1"), s.submit("1", "R-2")
		s.until(running.ID, func(p printing.Job) bool { return p.Blocked != nil })
		if err := s.p.Withdraw(t.Context(), "1", waiting.ID); err != nil {
			t.Errorf("one that waits: %v", err)
		}
		if got := s.get(waiting.ID); got.State != printing.NotPrinted || got.Why != "canceled" {
			t.Errorf("one that waits: %+v", got)
		}
		for what, c := range map[string]struct{ lane, id, want string }{
			"one that is printed": {"1", running.ID, lane.NoWrongState},
			"one that has ended":  {"1", waiting.ID, lane.NoWrongState},
			"another lane's":      {"3", running.ID, lane.NoNotFound},
		} {
			var no *lane.Refusal
			if err := s.p.Withdraw(t.Context(), c.lane, c.id); !errors.As(err, &no) || no.Code != c.want {
				t.Errorf("%s: %v, want %s", what, err, c.want)
			}
		}
		s.paper["front"].Mend()
		if got := s.ended(running.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		if b, w := s.onPaper("front", "R-1"); b != 1 || w != 1 {
			t.Errorf("of the one that was printed %d begun, %d whole", b, w)
		}
		if b, w := s.onPaper("front", "R-2"); b+w != 0 {
			t.Error("a job that was taken back stands on paper")
		}
	})
}

func TestNotBegunTooLate(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		until := time.Now().Add(5 * time.Minute)
		p, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "code", Items: receipt("code"), Until: &until})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Minute)
		s.paper["front"].Mend()
		if got := s.ended(p.ID); got.State != printing.NotPrinted || got.Why != "expired" {
			t.Errorf("%+v", got)
		}
	})
}

func TestReprint(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		first := s.ended(s.submit("2", "R-1").ID)
		again, fresh, err := s.p.Reprint(t.Context(), "2", first.ID, "R-1b", "x")
		if err != nil || !fresh || again.Mark != printing.Copy || again.Of != first.ID {
			t.Fatalf("%+v, %v, %v", again, fresh, err)
		}
		s.ended(again.ID)
		same, fresh, err := s.p.Reprint(t.Context(), "2", first.ID, "R-1b", "x")
		if err != nil || fresh || same.ID != again.ID {
			t.Errorf("the same again: %+v, %v, %v", same, fresh, err)
		}
		s.fail("front", 30, emulator.HangUp)
		lost := s.ended(s.submit("2", "R-2").ID)
		if lost.State != printing.Unknown || lost.Why != "line" {
			t.Fatalf("%+v", lost)
		}
		repeat, _, err := s.p.Reprint(t.Context(), "2", lost.ID, "R-2b", "x")
		if err != nil || repeat.Mark != printing.Repeat {
			t.Fatalf("%+v, %v", repeat, err)
		}
		s.ended(repeat.ID)
		var text []string
		for _, r := range s.paper["front"].Receipts() {
			text = append(text, strings.Join(r.Text, "|"))
		}
		all := strings.Join(text, "\n")
		if !strings.Contains(all, " КОПИЯ |") || !strings.Contains(all, " ПОВТОР |") {
			t.Errorf("on paper:\n%s", all)
		}
	})
}

// A repeat that was taken back before it began is not on paper, but what it repeats may be: the next one is marked as it was.
func TestAReprintOfOneThatDidNotPrintKeepsItsMark(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		printed := s.ended(s.submit("1", "R-1").ID)
		s.fail("front", 30, emulator.HangUp)
		lost := s.ended(s.submit("1", "R-2").ID)
		s.calm("front")
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		for _, c := range []struct {
			of   printing.Job
			mark string
		}{{printed, printing.Copy}, {lost, printing.Repeat}, {s.submit("1", "R-3"), ""}} {
			again := c.of
			for i := range 3 {
				if again.State == printing.Queued {
					if _, err := s.p.Cancel(t.Context(), "1", again.ID); err != nil {
						t.Fatal(err)
					}
				}
				next, _, err := s.p.Reprint(t.Context(), "1", again.ID, fmt.Sprint(c.of.Reference, "-", i), "till")
				if err != nil || next.Mark != c.mark || next.Of != again.ID || next.State != printing.Queued {
					t.Fatalf("reprint %d of %s: %+v, %v, want mark %q", i+1, c.of.Reference, next, err, c.mark)
				}
				again = next
			}
		}
	})
}

// A reprint opens the drawer only where the first certainly has not, and for who may open it.
func TestAReprintOpensNoDrawer(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		opened := func() int { return len(s.paper["front"].Pulses()) }
		submit := func(ref string) printing.Job {
			p, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: ref, Items: append([]printing.Item{{Type: "drawer"}}, receipt(ref)...)})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		again := func(p printing.Job, ref, opener string) printing.Job {
			next, _, err := s.p.Reprint(t.Context(), "1", p.ID, ref, opener)
			if err != nil {
				t.Fatal(err)
			}
			return s.ended(next.ID)
		}
		printed := s.ended(submit("R-1").ID)
		s.fail("front", 30, emulator.HangUp)
		lost := s.ended(submit("R-2").ID)
		s.calm("front")
		if printed.State != printing.Printed || lost.State != printing.Unknown || opened() != 2 {
			t.Fatalf("%+v %+v, opened %d times", printed, lost, opened())
		}
		for _, p := range []printing.Job{printed, lost} {
			got := again(p, p.Reference+"b", "till")
			if got.State != printing.Printed || opened() != 2 || s.events(got.ID) != "printing printed" {
				t.Errorf("%+v, opened %d times, events: %s", got, opened(), s.events(got.ID))
			}
		}
		s.fail("front", 0, emulator.PaperEnd)
		synctest.Wait()
		never := submit("R-3")
		if _, err := s.p.Cancel(t.Context(), "1", never.ID); err != nil {
			t.Fatal(err)
		}
		s.paper["front"].Mend()
		s.calm("front")
		if got := again(never, "R-3b", ""); got.State != printing.Printed || got.Mark != "" || opened() != 2 {
			t.Errorf("for who may not: %+v, opened %d times", got, opened())
		}
		if got := again(never, "R-3c", "till"); got.State != printing.Printed || got.Mark != "" || opened() != 3 {
			t.Errorf("for who may: %+v, opened %d times", got, opened())
		}
		alone, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-4", Items: []printing.Item{{Type: "drawer"}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := again(s.ended(alone.ID), "R-4b", "till"); got.State != printing.NotPrinted || got.Why != "refused" || opened() != 4 {
			t.Errorf("of nothing but a drawer: %+v, opened %d times", got, opened())
		}
	})
}

func TestRestart(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.PaperEnd)
		running := s.submit("1", "R-1")
		s.until(running.ID, func(p printing.Job) bool { return p.Blocked != nil })
		waiting := s.submit("2", "R-2")
		s.halt() // the running job gets its time, and is given up
		s.paper["front"].Mend()
		s.start()
		if got := s.get(running.ID); got.State != printing.Unknown {
			t.Errorf("%+v", got)
		}
		if got := s.ended(waiting.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Minute)
		if b, _ := s.onPaper("front", "R-1"); b > 1 {
			t.Errorf("begun %d times", b)
		}
		if b, w := s.onPaper("front", "R-2"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
	})
}

// A job that a crash cut off is unknown; the printer had all of it and says so when the box is back.
func TestProofThatComesLate(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		n := s.paper["front"].Bytes()
		whole := s.ended(s.submit("1", "R-9").ID)
		s.fail("front", s.paper["front"].Bytes()-n, emulator.HangUp) // behind the last byte: only the answer is lost
		p := s.submit("1", "R-1")
		if whole.State != printing.Printed {
			t.Fatalf("%+v", whole)
		}
		got := s.until(p.ID, func(p printing.Job) bool { return p.State == printing.Unknown || p.Why == "late" })
		t.Logf("%s %s", got.State, got.Why)
		got = s.until(p.ID, func(p printing.Job) bool { return p.State == printing.Printed })
		if got.Proof != printer.Proven || got.Why != "late" {
			t.Errorf("%+v", got)
		}
		if b, w := s.onPaper("front", "R-1"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
	})
}

// crash is a journal whose process dies: nothing more of it is written.
type crash struct {
	record.Journal
	at func(record.Batch) bool
}

var errCrash = errors.New("the process is gone")

func (c crash) Commit(ctx context.Context, b record.Batch) (int64, error) {
	if c.at(b) {
		return 0, errCrash
	}
	return c.Journal.Commit(ctx, b)
}

// A box that dies between the last byte and the outcome does not print again, in this life or the next.
func TestCrashBeforeTheOutcomeIsKept(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		j := crash{s.j, func(b record.Batch) bool {
			return slices.ContainsFunc(b.Events, func(e record.Event) bool { return e.Type == "print.printed" })
		}}
		cfg := printing.Config{Printers: []string{"side"}, Lanes: map[string]printing.Lane{"1": {Printer: "side"}}, Log: slog.New(slog.DiscardHandler)}
		dying := printing.New(cfg, j)
		e := emulator.New(emulator.Config{})
		s.paper["side"] = e
		dev, end := direct(e, s.options)
		defer end()
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); dying.Run(ctx) }()
		dying.Use("side", dev, true)
		p, _, err := dying.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: receipt("R-1")})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		stop()
		<-done
		if b, w := s.onPaper("side", "R-1"); b != 1 || w != 1 {
			t.Errorf("%d begun, %d whole", b, w)
		}
		next := printing.New(cfg, s.j)
		if err := next.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.get(p.ID); got.State != printing.Unknown || got.Why != "restart" {
			t.Errorf("%+v", got)
		}
	})
}

// direct is a printer on a line without a supervisor.
func direct(e *emulator.Printer, o escpos.Options) (*escpos.Device, func()) {
	near, far := printertest.Pipe(2 * time.Second)
	done := make(chan struct{}, 2)
	go func() { _ = e.Serve(far); done <- struct{}{} }()
	d := escpos.Open(near, o)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = d.Serve(ctx, func(printer.Status) {}); done <- struct{}{} }()
	return d, func() { cancel(); far.Close(); <-done; <-done }
}

func TestDrawer(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		d, err := s.p.OpenDrawer(t.Context(), "2", "till-2", "change")
		if err != nil || d.State != "opened" || d.Who != "till-2" {
			t.Fatalf("%+v, %v", d, err)
		}
		synctest.Wait()
		if got := s.paper["front"].Pulses(); !slices.Equal(got, []int{5}) {
			t.Errorf("pulses on %v", got)
		}
		if e := s.events(d.ID); e != "drawer.asked drawer.opened" {
			t.Errorf("events: %s", e)
		}
		var no *lane.Refusal
		if _, err := s.p.OpenDrawer(t.Context(), "4", "x", "change"); !errors.As(err, &no) || no.Why != "no_printer" {
			t.Errorf("no printer: %v", err)
		}
		if _, err := s.p.OpenDrawer(t.Context(), "1", "x", ""); err == nil {
			t.Error("no reason, and no refusal")
		}
		long := strings.Repeat("ж", payment.MaxReason) // characters, as the API says, and not bytes
		if d, err := s.p.OpenDrawer(t.Context(), "2", "x", long); err != nil || d.Reason != long {
			t.Errorf("the longest reason: %v", err)
		}
		var bad *printing.Invalid
		if _, err := s.p.OpenDrawer(t.Context(), "2", "x", long+"ж"); !errors.As(err, &bad) || bad.Field() != "reason" {
			t.Errorf("one character more: %v", err)
		}
		s.p.Use("back", nil, false)
		if d, err := s.p.OpenDrawer(t.Context(), "3", "x", "change"); !errors.As(err, &no) || no.Why != "offline" || d.State != "failed" {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

func TestTheDrawerOpensBesideAReceiptThatWaitsForPaper(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-0").ID)
		s.fail("front", 30, emulator.PaperEnd)
		p := s.submit("1", "R-1")
		s.until(p.ID, func(p printing.Job) bool { return p.Blocked != nil })
		d, err := s.p.OpenDrawer(t.Context(), "1", "x", "change")
		synctest.Wait()
		if err != nil || d.State != "opened" || len(s.paper["front"].Pulses()) != 1 {
			t.Errorf("%+v, %v, pulses on %v", d, err, s.paper["front"].Pulses())
		}
		s.paper["front"].Mend()
		if got := s.ended(p.ID); got.State != printing.Printed {
			t.Errorf("%+v", got)
		}
		// One that is larger than the printer's memory keeps the line: no pulse gets through, and it is said why.
		s.fail("front", 30, emulator.CoverOpen)
		long, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-2", Raw: []byte(strings.Repeat("x\n", 5000))})
		if err != nil {
			t.Fatal(err)
		}
		s.until(long.ID, func(p printing.Job) bool { return p.Blocked != nil })
		var no *lane.Refusal
		began := time.Now()
		if d, err := s.p.OpenDrawer(t.Context(), "1", "x", "change"); !errors.As(err, &no) || no.Why != "cover" || d.State != "failed" || time.Since(began) > 6*time.Second {
			t.Errorf("%+v, %v, after %v", d, err, time.Since(began))
		}
		s.paper["front"].Mend()
		if got := s.ended(long.ID); got.State != printing.Printed || len(s.paper["front"].Pulses()) != 1 {
			t.Errorf("%+v, pulses on %v", got, s.paper["front"].Pulses())
		}
	})
}

func TestADrawerInAReceiptIsKept(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		p, _, err := s.p.Submit(t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: append(receipt("R-1"), printing.Item{Type: "drawer"})})
		if err != nil {
			t.Fatal(err)
		}
		s.ended(p.ID)
		if e := s.events(p.ID); e != "printing drawer.in_receipt printed" {
			t.Errorf("events: %s", e)
		}
		if put, err := s.j.Find(t.Context(), "drawer", p.ID, ""); err != nil || !strings.Contains(string(put.Body), "receipt R-1") {
			t.Errorf("%s, %v", put.Body, err)
		}
		if got := s.paper["front"].Pulses(); !slices.Equal(got, []int{2}) {
			t.Errorf("pulses on %v", got)
		}
	})
}

// Lanes 1 and 2 share a printer and have each a drawer of its own.
func TestADrawerInAReceiptIsTheLanes(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		synctest.Wait()
		for i, c := range []struct {
			on, lane, printer string
			asked, pin        int // the one that is kept
			pulse             int
		}{
			{"front", "1", "", 0, 2, 2},
			{"front", "2", "", 0, 5, 5},
			{"front", "2", "front", 0, 5, 5},
			{"front", "2", "", 2, 2, 2},
			{"back", "3", "", 0, 0, 2},
			{"back", "2", "back", 0, 0, 2}, // no drawer of this lane is on it
		} {
			before := len(s.paper[c.on].Pulses())
			p, _, err := s.p.Submit(t.Context(), printing.Request{
				Lane: c.lane, Printer: c.printer, Reference: fmt.Sprint("R-", i), Who: "till", Items: append(receipt("R"), printing.Item{Type: "drawer", Pin: c.asked}),
			})
			if err != nil {
				t.Fatal(err)
			}
			s.ended(p.ID)
			if got := s.paper[c.on].Pulses()[before:]; !slices.Equal(got, []int{c.pulse}) {
				t.Errorf("%+v: pulses on %v", c, got)
			}
			put, err := s.j.Find(t.Context(), "drawer", p.ID, "")
			var kept printing.Drawer
			if err != nil || json.Unmarshal(put.Body, &kept) != nil || kept.Pin != c.pin || kept.Who != "till" {
				t.Errorf("%+v: kept %s, %v", c, put.Body, err)
			}
		}
	})
}

// One receipt, failing at every byte it has, in every way a printer fails: nothing is doubled, and nothing is called
// printed that was not.
func TestFailingAtEveryByte(t *testing.T) {
	step := oneOf(t)
	for i, proof := range []string{"id", "status"} {
		for n, f := range emulator.Faults() {
			t.Run(proof+"/"+strings.ReplaceAll(string(f), " ", "-"), func(t *testing.T) {
				t.Parallel()
				inWith(t, proof, func(t *testing.T, s *shop) {
					doubled, wrong := everyByte(t, s, f, receipt, each((i+n)%step, step))
					for _, x := range append(doubled, wrong...) {
						t.Error(x)
					}
				})
			})
		}
	}
}

// oneOf is of how many bytes one fails.
func oneOf(t *testing.T) int {
	t.Helper()
	return depth.Figure(t, "one byte of how many fails", 3, 1, 1)
}

// each byte of a receipt from the first on, or each step-th.
func each(first, step int) func(at, size int) bool {
	return func(at, _ int) bool { return at >= first && (at-first)%step == 0 }
}

// everyByte prints a receipt again and again, failing at one byte after another of those that are chosen, and says which came
// twice, and of which was said what is not so.
func everyByte(t *testing.T, s *shop, f emulator.Fault, receipt func(string) []printing.Item, chosen func(at, size int) bool) (doubled, wrong []string) {
	t.Helper()
	s.ended(s.print("1", "R-0000", receipt).ID)
	before := s.paper["front"].Bytes()
	s.ended(s.print("1", "R-0001", receipt).ID) // as long as those that fail
	size := int(s.paper["front"].Bytes() - before)
	counts := map[printing.State]int{}
	tried, late := 0, 0
	for at := range size + 8 + 9 { // a job behind half of another has a cut more, and before it is asked whether the printer is there
		if !chosen(at, size) {
			continue
		}
		tried++
		r := fmt.Sprintf("F-%04d", at)
		s.fail("front", int64(at), f)
		p := s.print("1", r, receipt)
		s.until(p.ID, func(p printing.Job) bool {
			return p.Blocked != nil || p.State != printing.Queued && p.State != printing.Running
		})
		s.paper["front"].Mend()
		s.ended(p.ID)
		s.calm("front") // the device is opened anew; a proof may come late
		got := s.get(p.ID)
		counts[got.State]++
		if got.Why == "late" {
			late++
		}
		begun, whole := s.onPaper("front", r)
		if begun > 1 || whole > 1 {
			doubled = append(doubled, fmt.Sprintf("at byte %d: begun %d times, whole %d times", at, begun, whole))
		}
		if got.State == printing.Printed && whole != 1 || got.State == printing.NotPrinted && begun+whole > 0 {
			wrong = append(wrong, fmt.Sprintf("at byte %d: %s, and on paper %d begun, %d whole", at, got.State, begun, whole))
		}
	}
	t.Logf("a receipt of %d bytes, %s at %d places, proof by %s: %v, %d of them proven late; doubled %d, called printed and was not %d", size, f, tried, s.options.Proof, counts, late, len(doubled), len(wrong))
	if counts[printing.Printed] == 0 {
		t.Error("nothing was printed")
	}
	return doubled, wrong
}

// A printer on a line of its own that is switched off over night: the first receipt of the morning waits, as ever, is told to
// once, prints when the printer is switched on, and nobody has to look for it.
func TestTheFirstReceiptOfTheMorningWaitsForThePrinter(t *testing.T) {
	in(t, func(t *testing.T, s *shop) {
		s.ended(s.submit("1", "R-EVENING").ID)
		time.Sleep(9*time.Hour + 5*time.Second) // between two looks at it
		s.fail("front", 0, emulator.Off)
		time.Sleep(12 * time.Second)
		p := s.submit("1", "R-MORNING")
		p = s.until(p.ID, func(p printing.Job) bool { return p.State == printing.Queued && p.Blocked != nil })
		if ok, why, _ := s.p.Ready("1"); ok || p.Blocked.Why != "offline" || why != "offline" {
			t.Errorf("%+v, ready %v, %q", p, ok, why)
		}
		for range 120 { // nobody is told that it is there by each try
			time.Sleep(5 * time.Second)
			if ok, _, _ := s.p.Ready("1"); ok {
				t.Fatal("it is off, and said to be ready")
			}
		}
		s.paper["front"].Mend()
		p = s.ended(p.ID)
		if _, whole := s.onPaper("front", "R-MORNING"); p.State != printing.Printed || whole != 1 {
			t.Errorf("%+v, %d on paper", p, whole)
		}
		e := s.events(p.ID)
		t.Log(e)
		if strings.Count(e, "blocked") > 3 || strings.Contains(e, "unknown") {
			t.Errorf("events: %s", e)
		}
	})
}

// careless is a driver that makes another outcome of one that nobody knows.
type careless struct {
	printer.Printer
	says printer.Outcome
}

func (c careless) Print(ctx context.Context, j printer.Job) (printer.Outcome, error) {
	o, err := c.Printer.Print(ctx, j)
	if o.Result == printer.Unknown {
		return c.says, nil
	}
	return o, err
}

// TestFailingAtEveryByteFindsPlantedBugs: a driver that calls printed what nobody knows, and one that lets it be printed again.
func TestFailingAtEveryByteFindsPlantedBugs(t *testing.T) {
	step := oneOf(t)
	for name, says := range map[string]printer.Outcome{
		"says printed":   {Result: printer.Printed, Proof: printer.Accepted, Sent: 1},
		"says not begun": {Result: printer.NotPrinted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWith(t, "id", func(t *testing.T, s *shop) {
				s.halt()
				s.plant = func(d printer.Printer) printer.Printer { return careless{d, says} }
				s.start()
				doubled, wrong := everyByte(t, s, emulator.HangUp, receipt, each(0, step))
				t.Logf("found: %d twice, %d that are not so", len(doubled), len(wrong))
				if len(wrong)+len(doubled) == 0 {
					t.Error("not found")
				}
			})
		})
	}
}
