package escpos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/devices"
	"tilld/printer"
	"tilld/printer/escpos"
	"tilld/printer/escpos/emulator"
	"tilld/printer/printertest"
)

// bare makes a printer on a line that stands whatever becomes of the printer, serves it, and prints a receipt.
func bare(t *testing.T, lacks []string, o escpos.Options) (x *counter, last func() printer.Status) {
	t.Helper()
	x = &counter{e: emulator.New(emulator.Config{Lacks: lacks}), served: make(chan error, 1)}
	near, far := printertest.Pipe(2 * time.Second)
	heard := make(chan struct{})
	go func() { defer close(heard); _ = x.e.Serve(far) }()
	x.d = escpos.Open(near, o)
	var mu sync.Mutex
	var now printer.Status
	go func() {
		x.served <- x.d.Serve(t.Context(), func(s printer.Status) { mu.Lock(); now = s; mu.Unlock() })
	}()
	t.Cleanup(func() { x.e.HangUp(); _ = near.Close(); _ = far.Close(); <-heard; <-x.served })
	x.prints(t, "first")
	return x, func() printer.Status { mu.Lock(); defer mu.Unlock(); return now }
}

// gone waits for the end of Serve and tells how long that took.
func (x *counter) gone(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	var err error
	select {
	case err = <-x.served:
		x.served <- err // for the end of the test
	case <-time.After(time.Hour): // of the bubble's time
		t.Error("never given up")
	}
	took := time.Since(since)
	t.Logf("given up after %v: %v", took, err)
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	return took
}

// A printer on a line that tells nothing of its power is missed within a minute or so, whether it says something by itself
// or not.
func TestAPrinterThatIsSwitchedOffIsMissed(t *testing.T) {
	for name, lacks := range map[string][]string{"says what changes": nil, "says nothing by itself": {"asb"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, _ := bare(t, lacks, escpos.Options{})
				time.Sleep(time.Hour)
				off := time.Now()
				x.e.Fail(emulator.Off)
				if took := x.gone(t, off); took > 65*time.Second {
					t.Errorf("missed after %v", took)
				}
			})
		})
	}
}

// The first receipt of the morning, for a printer that nobody has switched on: nothing of it is sent, and nobody has to look
// for it. Nor is a drawer called open. What was asked on the way prints nothing.
func TestNothingIsSentToAPrinterThatIsOff(t *testing.T) {
	for name, c := range map[string]struct {
		lacks []string
		proof string
	}{
		"status":       {nil, "status"},
		"id":           {nil, "id"},
		"no real time": {[]string{"realtime"}, "id"},
		"by itself":    {[]string{"asb"}, "status"},
	} {
		for _, what := range []string{"receipt", "drawer"} {
			t.Run(name+"/"+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x, _ := bare(t, c.lacks, escpos.Options{Proof: c.proof})
					time.Sleep(9*time.Hour + 5*time.Second) // between two looks at it
					x.e.Fail(emulator.Off)
					time.Sleep(12 * time.Second)
					begun := time.Now()
					if what == "receipt" {
						out, err := x.d.Print(t.Context(), printer.Job{ID: "second", Receipt: printertest.Receipt("second")})
						if out != (printer.Outcome{Result: printer.NotPrinted}) || err == nil {
							t.Errorf("%+v, %v", out, err)
						}
					} else if err := x.kick(t); err == nil {
						t.Error("the drawer is called open")
					}
					if took := time.Since(begun); took > 10*time.Second {
						t.Errorf("took %v", took)
					}
					x.gone(t, begun)
					x.e.Mend()
					if r := x.e.Pending(); len(r.Text) > 0 || len(x.e.Receipts()) != 1 || len(x.e.Pulses()) != 0 {
						t.Errorf("%d receipts, on the paper %q, pulses on %v", len(x.e.Receipts()), r.Text, x.e.Pulses())
					}
				})
			})
		}
	}
}

// A printer that stands for nine hours is asked, and the receipt behind it is whole: nothing of the question is on paper.
func TestAPrinterThatStoodForLongPrints(t *testing.T) {
	for name, lacks := range map[string][]string{"all": nil, "no real time": {"realtime"}, "no automatic status": {"asb"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, _ := bare(t, lacks, escpos.Options{Proof: "id"})
				for i := range 3 {
					time.Sleep(9 * time.Hour)
					x.prints(t, fmt.Sprintf("R-00%d", i))
					time.Sleep(9 * time.Hour)
					if err := x.kick(t); err != nil {
						t.Error(err)
					}
				}
				if got := x.e.Receipts(); len(got) != 4 || strings.Join(got[1].Text, "|") != strings.ReplaceAll(strings.Join(got[0].Text, "|"), "first", "R-000") || len(x.e.Pulses()) != 3 {
					t.Errorf("%d receipts, the second %q, pulses on %v", len(got), got[1].Text, x.e.Pulses())
				}
			})
		})
	}
}

// A printer that was off for a moment does not say by itself any more that its paper ends: a minute later it does.
func TestAPrinterThatWasOffForAMomentSaysItAllAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, last := bare(t, nil, escpos.Options{})
		time.Sleep(time.Hour + time.Second)
		x.e.Fail(emulator.Off)
		x.e.Mend()
		time.Sleep(time.Minute + time.Second)
		x.e.Fail(emulator.PaperEnd)
		synctest.Wait()
		if s := last(); s.Blocked() != "paper" {
			t.Errorf("its paper has ended, and known is %+v", s)
		}
		x.e.Mend()
		synctest.Wait()
		x.prints(t, "second")
	})
}

// A printer whose cover is open, and which answers nothing then, is one that waits for a person and not one that is off.
func TestAPrinterThatIsSilentWhileItIsBlockedIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, last := bare(t, nil, escpos.Options{})
		x.e.Fail(emulator.CoverOpen)
		synctest.Wait()
		x.e.Fail(emulator.Deaf)
		time.Sleep(10 * time.Minute)
		if s := last(); s.Blocked() != "cover" {
			t.Errorf("%+v", s)
		}
		select {
		case err := <-x.served:
			x.served <- err
			t.Fatalf("given up: %v", err)
		default:
		}
		x.e.Mend()
		synctest.Wait()
		x.prints(t, "second")
	})
}

// A printer stops in the middle of a job, and then loses its power. What it says when it is back decides: it has forgotten the job,
// so nobody knows what is on paper, and that is said within two minutes.
func TestAPrinterThatLosesItsPowerOverAReceiptIsNotWaitedForForEver(t *testing.T) {
	for _, f := range []emulator.Fault{emulator.PaperEnd, emulator.Cutter} {
		t.Run(string(f), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, _ := bare(t, nil, escpos.Options{})
				done := x.waitsFor(t, f)
				x.e.Fail(emulator.Off)
				time.Sleep(time.Hour)
				select {
				case out := <-done:
					t.Fatalf("a person is at it, and it ended: %+v", out)
				default:
				}
				x.e.Mend() // what stopped it, and power
				back := time.Now()
				select {
				case out := <-done:
					took := time.Since(back)
					t.Logf("%v after it was back: %+v", took, out)
					if out.Result != printer.Unknown || took > 2*time.Minute {
						t.Errorf("%v after it was back: %+v", took, out)
					}
				case <-time.After(time.Hour): // of the bubble's time
					t.Error("it is waited for")
				}
			})
		})
	}
}

// The same on RS-232, where the power that goes is a break in the line, and reads as the answer behind the job would: no printer
// that has said that it is blocked gives that answer.
func TestABreakInTheLineProvesNoReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{Break: true}, func(p devices.Port) devices.Port { return p })
		done := x.waits(t)
		x.e.Fail(emulator.Off)
		synctest.Wait()
		select {
		case out := <-done:
			t.Fatalf("its paper had ended, it is off, and told is %+v", out)
		default:
		}
		x.e.Mend()
		if out := <-done; out.Result != printer.Unknown {
			t.Errorf("%+v", out)
		}
	})
}

// A job of raw bytes has switched off what a printer says by itself. That there is paper again is then known by its answer alone.
func TestAnAnswerOfAPrinterThatFellSilentCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{}, func(p devices.Port) devices.Port { return p })
		x.e.FailAt(60, emulator.PaperEnd)
		done := make(chan printer.Outcome, 1)
		go func() {
			out, err := x.d.Print(t.Context(), printer.Job{ID: "raw", Raw: []byte("a\n\x1b@" + strings.Repeat("b\n", 50))})
			t.Logf("%+v, %v", out, err)
			done <- out
		}()
		time.Sleep(10 * time.Second) // it has been asked
		x.e.Mend()
		if out := <-done; out.Result != printer.Printed {
			t.Errorf("%+v", out)
		}
	})
}

// A knife that sticks while nothing is printed: the printer was switched off and on, as a person is told to do, on a line that
// does not tell so, and says nothing by itself since. The next receipt prints.
func TestAStuckKnifeIsOverOnceThePrinterWasOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, last := bare(t, nil, escpos.Options{})
		x.e.Fail(emulator.Cutter)
		synctest.Wait()
		if s := last(); s.Blocked() != "cutter" {
			t.Fatalf("%+v", s)
		}
		x.e.Fail(emulator.Off)
		x.e.Mend()
		for back := time.Now(); ; time.Sleep(time.Second) {
			out, err := x.d.Print(t.Context(), printer.Job{ID: "second", Receipt: printertest.Receipt("second")})
			if took := time.Since(back); out.Result == printer.Printed || took > 65*time.Second {
				t.Logf("%v after it was back: %+v, %v", took, out, err)
				break
			}
		}
		if n := len(x.e.Receipts()); n != 2 {
			t.Errorf("%d receipts", n)
		}
		x.e.Fail(emulator.PaperEnd)
		synctest.Wait()
		if s := last(); s.Blocked() != "paper" {
			t.Errorf("its paper has ended, and known is %+v", s)
		}
	})
}

// A printer on usblp that has taken a receipt and takes nothing more, nor answers: the receipt ends in a bounded time, as one
// of which nobody knows, and so does the line.
func TestAPrinterThatFallsSilentOnAFullLineIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{Memory: 64}, func(p devices.Port) devices.Port {
			return &held{Port: p, limit: time.Second, full: make(chan struct{}, 1)}
		})
		x.e.FailAt(60, emulator.Deaf)
		begun := time.Now()
		out, err := x.d.Print(t.Context(), printer.Job{ID: "second", Receipt: printertest.Receipt("second")})
		took := time.Since(begun)
		t.Logf("%v: %+v, %v", took, out, err)
		if out.Result != printer.Unknown || out.Sent == 0 || took > time.Minute {
			t.Errorf("%v: %+v, %v", took, out, err)
		}
		if out, err := x.d.Print(t.Context(), printer.Job{ID: "third", Receipt: printertest.Receipt("third")}); out.Result != printer.NotPrinted {
			t.Errorf("behind it: %+v, %v", out, err)
		}
	})
}

// The paper ends in the middle of a receipt, and XOFF comes inside of the block that says so: nothing is called printed before
// there is paper again.
func TestXOFFInsideOfAStatusProvesNoReceipt(t *testing.T) {
	for behind := 1; behind <= 4; behind++ {
		t.Run(fmt.Sprint(behind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := at(t, emulator.Config{XOFFAt: behind}, func(p devices.Port) devices.Port { return p })
				done := x.waits(t)
				select {
				case out := <-done:
					t.Fatalf("its paper has ended, and told is %+v", out)
				default:
				}
				x.e.Mend()
				if out := <-done; out.Result != printer.Printed {
					t.Errorf("%+v", out)
				}
				x.prints(t, "next")
				if n := len(x.e.Receipts()); n != 3 {
					t.Errorf("%d receipts", n)
				}
			})
		})
	}
}

// The same while it has said that its paper has ended: that is what is told, for as long as nobody puts any in, and a person
// who does not want to wait gives it up.
func TestAReceiptOnAFullLineWaitsForPaperUntilItIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := at(t, emulator.Config{Memory: 64}, func(p devices.Port) devices.Port {
			return &held{Port: p, limit: time.Second, full: make(chan struct{}, 1)}
		})
		x.e.FailAt(60, emulator.PaperEnd)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		var out printer.Outcome
		go func() {
			var err error
			out, err = x.d.Print(ctx, printer.Job{ID: "second", Receipt: printertest.Receipt("second")})
			done <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-done:
			t.Fatalf("ended without paper: %+v, %v", out, err)
		default:
		}
		cancel()
		if err := <-done; out.Result != printer.Unknown || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// brim is a line that holds so many bytes, which nobody takes.
type brim struct {
	deaf
	room int
}

func (b *brim) Write(p []byte) (int, error) {
	n, _ := b.deaf.Write(p[:min(len(p), b.room-b.Len())])
	if n < len(p) {
		return n, fmt.Errorf("write: %w", devices.ErrStalled)
	}
	return n, nil
}

// The zeros fill the line to a printer that is off. It is still one that does not answer, and not one that takes no data.
func TestALineThatTheZerosFillIsOneWithNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &brim{deaf: deaf{end: make(chan struct{})}, room: 4096}
		err := escpos.Open(line, escpos.Options{}).Serve(t.Context(), func(printer.Status) {})
		t.Logf("%v behind %d bytes", err, line.Len())
		if errors.Is(err, devices.ErrStalled) || !strings.Contains(err.Error(), "does not answer") || line.Len() != line.room {
			t.Errorf("%v behind %d bytes", err, line.Len())
		}
	})
}

// wire is a line that may be set wrong.
type wire struct{ brim }

func (*wire) Wired() bool { return true }

// A printer that reads junk, as it was set to another speed, is not sent thousands of bytes of it at each opening.
func TestAWireWithNobodyGetsNoZeros(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &wire{brim{deaf: deaf{end: make(chan struct{})}, room: 1 << 20}}
		err := escpos.Open(line, escpos.Options{}).Serve(t.Context(), func(printer.Status) {})
		t.Logf("%v behind %d bytes", err, line.Len())
		if !strings.Contains(err.Error(), "does not answer") || line.Len() > 200 {
			t.Errorf("%v behind %d bytes", err, line.Len())
		}
	})
}

// backlog is a printer that answers in turn alone, and has other things to print first: its answers to the first questions come
// one after the other when that is done, and none to a question behind them.
type backlog struct {
	mu      sync.Mutex
	asked   int
	answers chan byte
	end     chan struct{}
	once    sync.Once
}

func (b *backlog) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range bytes.Count(p, []byte("\x1dr\x01")) {
		b.asked++
		switch b.asked {
		case 1:
			time.AfterFunc(5*time.Second, func() { b.answers <- 0 })
		case 2: // behind the zeros
			time.AfterFunc(2500*time.Millisecond, func() { b.answers <- 0 })
		case 3:
			time.AfterFunc(950*time.Millisecond, func() { b.answers <- 0 })
		}
	}
	return len(p), nil
}

func (b *backlog) Read(p []byte) (int, error) {
	select {
	case p[0] = <-b.answers:
		return 1, nil
	case <-b.end:
		return 0, io.EOF
	}
}

func (b *backlog) Close() error   { b.once.Do(func() { close(b.end) }); return nil }
func (b *backlog) String() string { return "a printer with a backlog" }

// An answer to what was asked before the zeros, or to the question behind them, proves no receipt.
func TestALateAnswerToTheGreetingProvesNoReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := &backlog{answers: make(chan byte, 8), end: make(chan struct{})}
		d := escpos.Open(line, escpos.Options{Proof: "status"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Serve(ctx, func(printer.Status) {}) }()
		out, err := d.Print(t.Context(), printer.Job{ID: "x", Receipt: printertest.Receipt("x")})
		line.mu.Lock()
		t.Logf("%+v, %v behind %d questions", out, err, line.asked)
		line.mu.Unlock()
		if out.Result == printer.Printed {
			t.Errorf("%+v, %v", out, err)
		}
		cancel()
		<-done
	})
}

// OnAnswer is told once, and before anything else, that the printer is there; of one that is off, never.
func TestAPrinterIsThereOnceItHasAnswered(t *testing.T) {
	for _, c := range []struct {
		name, proof string
		off         bool
		want        string
	}{
		{"on", "status", false, "there status"},
		{"off", "status", true, ""},
		{"cannot be asked", "none", true, "there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, e := onPipe(t, emulator.Config{}, escpos.Options{Proof: c.proof})
				if c.off {
					e.Fail(emulator.Off)
				}
				var mu sync.Mutex
				var told []string
				tell := func(what string) {
					mu.Lock()
					defer mu.Unlock()
					if len(told) == 0 || told[len(told)-1] != what {
						told = append(told, what)
					}
				}
				var _ devices.Answerer = d
				d.OnAnswer(func() { tell("there") })
				served := make(chan error, 1)
				go func() { served <- d.Serve(t.Context(), func(printer.Status) { tell("status") }) }()
				time.Sleep(time.Minute)
				mu.Lock()
				if got := strings.Join(told, " "); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
				mu.Unlock()
				e.HangUp()
				<-served
			})
		})
	}
}
