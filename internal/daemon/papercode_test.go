package daemon

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/journal"
	"tilld/internal/printing"
	"tilld/internal/record"
	"tilld/payment"
	"tilld/payment/lane"
	"tilld/printer"
)

// desktop is the paper of two lanes, each with its own printer, over a journal that can be held.
type desktop struct {
	*journal.Journal
	t    *testing.T
	jobs *printing.Printing
	code *paperCode

	mu    sync.Mutex
	stuck map[string]chan struct{} // by lane: its commits wait until this is closed
	held  chan struct{}            // capacity 1: one waits
	found func()                   // is done once, between the next reading of a job and its answer
}

func (d *desktop) Commit(ctx context.Context, b record.Batch) (int64, error) {
	d.mu.Lock()
	var wait chan struct{}
	if len(b.Events) > 0 {
		wait = d.stuck[b.Events[0].Lane]
	}
	d.mu.Unlock()
	if wait != nil {
		d.held <- struct{}{}
		<-wait
	}
	return d.Journal.Commit(ctx, b)
}

func (d *desktop) Find(ctx context.Context, bucket, key, ref string) (record.Put, error) {
	p, err := d.Journal.Find(ctx, bucket, key, ref)
	d.mu.Lock()
	f := d.found
	d.found = nil
	d.mu.Unlock()
	if f != nil {
		f()
	}
	return p, err
}

// press prints one job at a time, from when it says so to when it is told to have ended.
type press struct {
	begun chan string // id of the job
	end   chan struct{}
}

func newPress() *press { return &press{begun: make(chan string), end: make(chan struct{})} }

func (p *press) Print(ctx context.Context, j printer.Job) (printer.Outcome, error) {
	p.begun <- j.ID
	select {
	case <-ctx.Done():
		return printer.Outcome{Result: printer.Unknown, Sent: 10}, context.Cause(ctx)
	case <-p.end:
		return printer.Outcome{Result: printer.Printed, Proof: printer.Accepted, Sent: 100}, nil
	}
}

func (p *press) Serve(ctx context.Context, _ func(printer.Status)) error {
	<-ctx.Done()
	return ctx.Err()
}

func newDesktop(t *testing.T, dir string) *desktop {
	t.Helper()
	j, _, err := journal.Open(t.Context(), journal.Config{Dir: dir, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	d := &desktop{Journal: j, t: t, stuck: map[string]chan struct{}{}, held: make(chan struct{}, 1)}
	lanes := map[string]Lane{
		"1": {Language: "en", ReceiptPrinter: "front", Outputs: []string{byReceipt}},
		"2": {Language: "en", ReceiptPrinter: "back", Outputs: []string{byReceipt}},
		"3": {Language: "en", Outputs: []string{"till"}},
	}
	c := printing.Config{Printers: []string{"front", "back"}, Lanes: map[string]printing.Lane{}, Log: slog.New(slog.DiscardHandler)}
	for name, l := range lanes {
		c.Lanes[name] = printing.Lane{Printer: l.ReceiptPrinter, Language: l.Language}
	}
	d.jobs = printing.New(c, d)
	d.code = newPaperCode(d.jobs, lanes, time.UTC, func(string, []string) {})
	return d
}

func shows(lane, id string) checkout.View {
	rub := payment.Money{Value: 25000, Currency: "RUB"}
	return checkout.View{Lane: lane, Payment: id, Number: "4821", Screen: "code", Payload: "https://pay.example/" + id, Amount: rub, Due: rub, RemainingMS: 300_000}
}

func wiped(lane string) checkout.View { return checkout.View{Lane: lane, Screen: "idle"} }

func (d *desktop) state(l, id string) printing.Job {
	d.t.Helper()
	j, err := d.jobs.Find(d.t.Context(), l, id)
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

// A lane whose paper waits for the disk holds up its own paper and no other lane's. Who waits for a lock cannot be seen in a
// bubble of time, so there is none here.
func TestNoLaneWaitsForAnothersPaper(t *testing.T) {
	const emergency = time.Minute
	d := newDesktop(t, t.TempDir())
	defer d.Close()
	ctx, open := t.Context(), make(chan struct{})
	d.jobs.Use("front", newPress(), true)
	d.jobs.Use("back", newPress(), true)
	d.stuck["1"] = open
	first := make(chan []string, 1)
	go func() { first <- d.code.show(ctx, shows("1", "p1"), nil) }()
	<-d.held
	asks := map[string]func() bool{
		"a code on paper": func() bool { return slices.Contains(d.code.show(ctx, shows("2", "p2"), nil), byReceipt) },
		"a code on glass": func() bool {
			return slices.Equal(d.code.show(ctx, shows("3", "p3"), []string{"till"}), []string{"till"})
		},
		"a wipe":      func() bool { return d.code.show(ctx, wiped("3"), nil) == nil },
		"an output":   func() bool { return slices.Contains(d.code.glass("2", []string{"till"}), "till") },
		"a customer":  func() bool { return d.code.ask(ctx, "2", "nobody") != nil },
		"a job's end": func() bool { d.code.job(printing.Job{ID: "x", Lane: "2"}); return true },
		"a printer":   func() bool { d.code.news(ctx, "2"); return true },
		"a lane that is gone": func() bool {
			d.code.job(printing.Job{ID: "x", Lane: "9"})
			return slices.Equal(d.code.show(ctx, shows("9", "p9"), []string{"till"}), []string{"till"})
		},
	}
	end := time.After(emergency)
	waits := false
	for name, ask := range asks {
		answer := make(chan bool, 1)
		go func() { answer <- ask() }()
		select {
		case right := <-answer:
			if !right {
				t.Errorf("%s: answered wrongly", name)
			}
		case <-end:
			t.Errorf("%s: waits for the paper of lane 1", name)
			waits = true
		}
		if waits {
			break
		}
	}
	select {
	case <-first:
		t.Error("lane 1 was not held: nothing was looked at")
	default:
		close(open)
		if on := <-first; !slices.Contains(on, byReceipt) {
			t.Errorf("lane 1 shows its code on %q", on)
		}
	}
	t.Logf("%d callers looked at", len(asks))
}

// queued is a code of lane 1 that waits behind a receipt which is being printed.
func (d *desktop) queued(p *press) (id string) {
	d.t.Helper()
	d.jobs.Use("front", p, true)
	if _, _, err := d.jobs.Submit(d.t.Context(), printing.Request{Lane: "1", Reference: "R-1", Items: []printing.Item{{Type: "text", Text: "R-1"}, {Type: "cut"}}}); err != nil {
		d.t.Fatal(err)
	}
	<-p.begun
	if on := d.code.show(d.t.Context(), shows("1", "p1"), nil); !slices.Equal(on, []string{byReceipt}) {
		d.t.Fatalf("the code is on %q", on)
	}
	id = d.code.sheets["1"].code.job
	if j := d.state("1", id); j.State != printing.Queued {
		d.t.Fatalf("%+v", j)
	}
	return id
}

// A code that is taken off the glass is taken back from the printer while it waits there, also where the next view is there
// already; one whose printing begins at that very moment comes out whole.
func TestACodeIsTakenBackWholeOrNotAtAll(t *testing.T) {
	for name, begins := range map[string]bool{"waits": false, "begins meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				d := newDesktop(t, dir)
				defer d.Close()
				ctx, stop := context.WithCancel(t.Context())
				var printers sync.WaitGroup
				printers.Go(func() { d.jobs.Run(ctx) })
				p := newPress()
				id := d.queued(p)
				end := func() {
					select {
					case p.end <- struct{}{}:
					case <-time.After(time.Hour):
						t.Error("nothing is being printed")
					}
				}
				newer, cancel := context.WithCancel(ctx)
				if begins {
					d.found = func() {
						end()
						if got := <-p.begun; got != id {
							t.Errorf("%s is printed in place of the code", got)
						}
					}
				} else {
					cancel()
				}
				d.code.show(newer, wiped("1"), nil)
				cancel()
				if d.found != nil {
					t.Error("the job was not looked at")
				}
				if on := d.code.glass("1", nil); on != nil {
					t.Errorf("the code is still on %q", on)
				}
				end() // the code, or the receipt before it
				synctest.Wait()
				j := d.state("1", id)
				if begins && j.State != printing.Printed || !begins && (j.State != printing.NotPrinted || j.Why != "canceled") {
					t.Errorf("the code's paper is %s, %s", j.State, j.Why)
				}
				if err := d.jobs.Withdraw(ctx, "1", id); err == nil {
					t.Error("taken back after its end")
				}
				stop()
				printers.Wait()
				t.Logf("%s: %s %s", name, j.State, j.Why)
			})
		})
	}
}

// A customer who wants the code on paper while the printer prints nothing gets none, then or later; where the receipt takes
// the code by itself it comes with the paper all the same.
func TestWhoAskedForPaperInVainGetsNoneLater(t *testing.T) {
	d := newDesktop(t, t.TempDir())
	defer d.Close()
	ctx := t.Context()
	l := d.code.lanes["1"]
	l.Outputs = []string{"till"}
	d.code.lanes["1"] = l
	for _, c := range []struct {
		lane, printer string
		comes         bool
	}{{"1", "front", false}, {"2", "back", true}} {
		d.code.show(ctx, shows(c.lane, "p"+c.lane), []string{"till"})
		var no *lane.Refusal
		if err := d.code.ask(ctx, c.lane, "p"+c.lane); !errors.As(err, &no) || no.Why != "offline" {
			t.Errorf("lane %s: %v", c.lane, err)
		}
		d.jobs.Use(c.printer, newPress(), true)
		d.code.news(ctx, c.lane)
		if on := d.code.glass(c.lane, []string{"till"}); slices.Contains(on, byReceipt) != c.comes {
			t.Errorf("lane %s: with the printer the code is on %q", c.lane, on)
		}
	}
	if err := d.code.ask(ctx, "1", "p1"); err != nil {
		t.Error(err)
	}
	if on := d.code.glass("1", []string{"till"}); !slices.Contains(on, byReceipt) {
		t.Errorf("asked for while the printer prints, the code is on %q", on)
	}
	late := shows("1", "p9")
	late.RemainingMS = 10_000 // nobody could scan it off the paper
	d.code.show(ctx, late, []string{"till"})
	if err := d.code.ask(ctx, "1", "p9"); err != nil {
		t.Error(err)
	}
	if on := d.code.show(ctx, shows("1", "p9"), []string{"till"}); slices.Contains(on, byReceipt) { // the customer has more time
		t.Errorf("asked for too late, the code is on %q later", on)
	}
}

// A customer whose slip was not printed, or of which nobody knows, gets it with another touch; while one is on its way, or is
// there, there is no button.
func TestASlipThatEndedBadlyIsPrintedAgain(t *testing.T) {
	for state, mark := range map[printing.State]string{printing.Unknown: printing.Repeat, printing.NotPrinted: ""} {
		t.Run(string(state), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				d := newDesktop(t, dir)
				defer d.Close()
				ctx, stop := context.WithCancel(t.Context())
				var printers sync.WaitGroup
				printers.Go(func() { d.jobs.Run(ctx) })
				turns := 0
				d.code.turned = func(string) { turns++ }
				p := newPress()
				id := d.queued(p)
				open := func(when string, want bool) {
					if d.code.open("1") != want {
						t.Errorf("%s: the button is there: %v", when, !want)
					}
				}
				open("on its way", false)
				if state == printing.Unknown {
					p.end <- struct{}{} // the receipt before it
					<-p.begun
				}
				if _, err := d.jobs.Cancel(ctx, "1", id); err != nil {
					t.Fatal(err)
				}
				if j := d.state("1", id); j.State != state {
					t.Fatalf("it has ended as %s", j.State)
				}
				d.code.job(d.state("1", id))
				open("ended badly", true)
				if state == printing.NotPrinted {
					p.end <- struct{}{}
				}
				synctest.Wait()
				if err := d.code.ask(ctx, "1", "p1"); err != nil {
					t.Fatal(err)
				}
				again := d.code.sheets["1"].code.job
				if j := d.state("1", again); again == id || j.Of != id || j.Mark != mark {
					t.Fatalf("printed again as %+v", j)
				}
				open("on its way again", false)
				if got := <-p.begun; got != again {
					t.Errorf("%s is printed", got)
				}
				p.end <- struct{}{}
				synctest.Wait()
				d.code.job(d.state("1", again))
				open("on paper", false)
				if err := d.code.ask(ctx, "1", "p1"); err != nil || d.code.sheets["1"].code.job != again {
					t.Errorf("what is on paper is printed once more, %v", err)
				}
				if turns != 3 {
					t.Errorf("the page was told %d times", turns)
				}
				stop()
				printers.Wait()
			})
		})
	}
}

var _ printer.Printer = (*press)(nil)
