package integrator_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/store/sqlite"
	"tilld/payment"
)

const tenYears = 3653 * 24 * time.Hour

// stepped plays f with a server whose wall clock is then set wrong by off: while it runs, and while it is down.
func stepped(t *testing.T, off time.Duration, hows []string, f func(t *testing.T, r *rig, step func())) {
	t.Helper()
	for _, how := range hows {
		t.Run(how, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				f(t, r, func() {
					r.off.Store(int64(off))
					switch how {
					case "at a restart":
						r.restart()
					case "killed":
						r.crash()
					}
				})
			})
		})
	}
}

func TestUnpaidBillEndsInTimeWhenTheClockGoesBack(t *testing.T) {
	stepped(t, -tenYears, []string{"running", "at a restart", "killed"}, func(t *testing.T, r *rig, step func()) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		time.Sleep(61 * time.Second)
		step()
		if b := r.get(id); b.RemainingMS < 118_000 || b.RemainingMS > 180_000 {
			t.Errorf("%d ms are left", b.RemainingMS)
		}
		r.await(id, payment.EvClosing, 181*time.Second)
		r.await(id, payment.EvClosed, 5*time.Second)
		next := r.create(payment.Scan, 100)
		r.await(next, payment.EvOpen, time.Second)
		r.await(next, payment.EvClosed, 185*time.Second)
		r.audit(0, 0, 0, 0)
	})
}

func TestQuestionsAndReturnsGoOnWhenTheClockGoesBack(t *testing.T) {
	stepped(t, -tenYears, []string{"running", "at a restart"}, func(t *testing.T, r *rig, step func()) {
		r.bank.script("return", provider.ErrBusy, provider.ErrBusy)
		owed := paidBack(r)
		asked := r.create(payment.Show, 100)
		r.await(asked, payment.EvOpen, time.Second)
		time.Sleep(61 * time.Second)
		step()
		r.bank.pay(asked, "T1", 100, 0) // and no call-back comes
		if b := r.await(asked, payment.EvPaid, 61*time.Second); len(b.Flags) != 0 {
			t.Errorf("paid in time, flags %v", b.Flags)
		}
		r.confirm(asked, 100)
		r.await(owed, payment.EvReturned, 30*time.Minute)
		r.audit(200, 100, 100, 0)
	})
}

// A clock that goes ahead while the server runs ends nothing; one that is ahead at a start looks like ten years that have
// passed. Neither must be felt once it is right again.
func TestClockAheadIsNotFeltLater(t *testing.T) {
	for _, right := range []string{"running", "at a restart"} {
		t.Run("right again "+right, func(t *testing.T) {
			stepped(t, tenYears, []string{"running", "at a restart"}, func(t *testing.T, r *rig, step func()) {
				first := r.create(payment.Show, 100)
				r.await(first, payment.EvOpen, time.Second)
				step()
				time.Sleep(61 * time.Second)
				r.off.Store(0)
				if right == "at a restart" {
					r.restart()
				}
				r.await(first, payment.EvClosed, 130*time.Second)
				id := r.create(payment.Show, 100)
				r.await(id, payment.EvOpen, time.Second)
				var ends time.Time
				r.bank.set(id, func(o *order) { ends = o.expiry })
				if left := time.Until(ends); left < 20*time.Minute || left > 21*time.Minute {
					t.Errorf("the bank was told that the code ends in %v", left)
				}
				time.Sleep(175 * time.Second)
				if b := r.get(id); b.Status != "open" || time.Since(b.At).Abs() > time.Second {
					t.Errorf("after 175 s of 180: %+v", b)
				}
				r.bank.pay(id, "T"+id, 100, 0)
				if b := r.await(id, payment.EvPaid, 5*time.Second); len(b.Flags) != 0 {
					t.Errorf("paid in time, flags %v", b.Flags)
				}
				r.confirm(id, 100)
				r.restart()
				s := r.session()
				if now := time.Now().UTC(); s.Now != now.Format(time.RFC3339) || s.Numbers.Day != now.Format(time.DateOnly) {
					t.Errorf("the box is told %s, numbers of %s; it is %v", s.Now, s.Numbers.Day, now)
				}
				r.audit(100, 100, 0, 0)
				if !strings.Contains(r.log.String(), "the wall clock was set") {
					t.Error("the log says nothing")
				}
			})
		})
	}
}

// A machine that was suspended: the wall clock has gone on, and the clock that waits are of has not. The next start finds
// what is due, also where the wall clock was noticed first; and without a word of the kernel's it would not.
func TestASuspensionIsTimeThatHasPassed(t *testing.T) {
	const nap = 10 * time.Minute
	for name, c := range map[string]struct{ told, marked bool }{"told": {true, false}, "marked before": {true, true}, "not told": {false, true}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				unpaid, late := r.create(payment.Show, 100), r.create(payment.Show, 200)
				r.await(unpaid, payment.EvOpen, time.Second)
				r.await(late, payment.EvOpen, time.Second)
				r.off.Store(int64(nap))
				if c.marked {
					time.Sleep(time.Minute + time.Second)
					synctest.Wait()
				}
				r.bank.pay(late, "T1", 200, -(nap - time.Minute)) // while the machine slept, a minute before it woke
				if c.told {
					r.svc.Slept(nap)
				}
				r.restart()
				if !c.told {
					if b := r.get(unpaid); b.Life != payment.Open || b.RemainingMS == 0 {
						t.Errorf("nobody has told it: %+v", b)
					}
					return
				}
				r.await(late, payment.EvLate, 5*time.Second)
				r.await(unpaid, payment.EvClosing, 5*time.Second)
				r.await(unpaid, payment.EvClosed, 5*time.Second)
				next := r.create(payment.Scan, 100) // its own waits are as long as ever
				r.await(next, payment.EvOpen, time.Second)
				time.Sleep(170 * time.Second)
				r.take()
				if b := r.get(next); b.Life != payment.Open {
					t.Errorf("a bill of after the suspension: %+v", b)
				}
				r.await(next, payment.EvClosed, 15*time.Second)
			})
		})
	}
}

func TestResumeNeverRunsBackAndIsNotPoisoned(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name  string
		wall  time.Time
		ahead time.Duration // of the wall clock, when the mark was made
		from  time.Duration // after the mark
	}{
		{"an hour later", noon.Add(time.Hour), 0, time.Hour},
		{"the clock has gone back", noon.Add(-tenYears), 0, 0},
		{"it was back before, and is", noon.Add(time.Hour - tenYears), tenYears, time.Hour},
		{"it was back before, and is right", noon.Add(time.Hour), tenYears, time.Hour},
		{"it was ahead while the server ran, and is", noon.Add(time.Hour + tenYears), -tenYears, time.Hour},
		{"it was ahead while the server ran, and is right", noon.Add(time.Hour), -tenYears, time.Hour},
		{"the mark is of a clock that was ahead", noon.Add(time.Hour - tenYears), 0, 0},
		{"a little before the mark", noon.Add(-time.Minute), 0, 0},
		{"a little before the mark, and the ledger is behind", noon.Add(8*time.Hour - 20*time.Minute), -8 * time.Hour, 0},
		{"and again", noon.Add(time.Hour - tenYears), tenYears, time.Hour},
	} {
		got := integrator.ResumeForTest(x.wall, integrator.Reckoning{Mark: noon, Ahead: x.ahead})
		if want := noon.Add(x.from); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", x.name, got, want)
		}
	}
	if got := integrator.ResumeForTest(noon, integrator.Reckoning{}); !got.Equal(noon) {
		t.Errorf("a new ledger begins at %v", got)
	}
}

// A machine that starts three hours ahead, is set right at once and dies in the same minute: the ledger has noted where its
// time stands, and does not go back to before what it has stored.
func TestTheStartIsNotedAtOnce(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.down()
		r.off.Store(int64(3 * time.Hour))
		r.up()
		synctest.Wait() // nothing has happened when the server looks for the first time
		r.session()
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		time.Sleep(10 * time.Second)
		r.off.Store(0)
		time.Sleep(20 * time.Second)
		r.crash()
		r.await(id, payment.EvClosed, 200*time.Second)
		r.audit(0, 0, 0, 0)
	})
}

// halting is a store that can be stopped for good, as by damage that was found beside the work.
type halting struct {
	integrator.Store
	why atomic.Pointer[error]
}

func (h *halting) Stopped() error {
	if p := h.why.Load(); p != nil {
		return *p
	}
	return nil
}

func TestAServerWithNothingToDoEndsWithItsStore(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.down()
		store, err := sqlite.Open(t.Context(), filepath.Join(r.dir, "ledger.db"))
		r.ok(err)
		defer store.Close()
		h := &halting{Store: store}
		svc, err := integrator.New(integrator.Config{
			Store: h, Providers: map[string]provider.Provider{"bank": r.bank}, Show: "bank", Scan: "bank", Merchant: "shop", Settings: r.set, Log: slog.New(slog.DiscardHandler),
		})
		r.ok(err)
		ended := make(chan error, 1)
		go func() { ended <- svc.Run(t.Context()) }()
		time.Sleep(90 * time.Second)
		damaged := errors.New("damaged")
		h.why.Store(&damaged)
		select {
		case err := <-ended:
			if !errors.Is(err, damaged) {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("it goes on and refuses everybody")
		}
	})
}
