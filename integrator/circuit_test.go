package integrator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
)

// TestAProviderThatDoesNotAnswerIsNotOffered: three creates in a row without an answer, a rest, one probe.
func TestAProviderThatDoesNotAnswerIsNotOffered(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		news, stop := r.watch("till-2") // a terminal with no bills: only what is for everybody wakes it
		defer stop()
		told := func() bool {
			synctest.Wait()
			select {
			case <-news:
				return true
			default:
				return false
			}
		}
		offered := func() []string { return r.svc.Providers().Show }
		always := []string{"bank"}
		create := func() {
			r.create(payment.Show, 12550)
			synctest.Wait()
		}
		r.bank.script("present", errLine, errLine, provider.ErrRefused, errLine, errLine, errLine)
		r.bank.script("look", slices.Repeat([]error{errLine}, 1000)...)
		for n := range 5 {
			create()
			if !slices.Equal(offered(), always) {
				t.Fatalf("not offered after %d creates, of which no three in a row failed", n+1)
			}
		}
		told()
		create()
		if len(offered()) != 0 || !told() {
			t.Fatalf("offered %v after three failures", offered())
		}
		if s := r.session(); len(s.Providers) != 0 || !slices.Equal(s.ScanProviders, always) || !slices.Equal(s.Silent, always) {
			t.Errorf("a new session is offered %v and %v, silent is %v", s.Providers, s.ScanProviders, s.Silent)
		}
		told()

		time.Sleep(30 * time.Second) // the rest is over: the next create is the probe
		if !slices.Equal(offered(), always) || !told() {
			t.Fatalf("offered %v after the rest", offered())
		}
		if s := r.svc.Providers().Silent; s == nil || len(s) != 0 { // a box that is not told would have to guess
			t.Errorf("nobody is silent, and that is said as %#v", s)
		}
		r.bank.script("present", errLine)
		create()
		if len(offered()) != 0 || !told() {
			t.Fatalf("offered %v after a failed probe", offered())
		}
		failed := time.Now()
		time.Sleep(31 * time.Second)
		if len(offered()) != 0 {
			t.Fatal("the second rest is not longer than the first")
		}
		r.bank.script("look") // from now on it answers: a question about an old order is as good as a probe
		for end := failed.Add(59 * time.Second); len(offered()) == 0 && time.Now().Before(end); {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if !slices.Equal(offered(), always) || !told() {
			t.Fatalf("offered %v though it answers", offered())
		}
		for _, line := range []string{"provider is not offered any more", "provider is offered again"} {
			if n := strings.Count(r.log.String(), line); n != 1 {
				t.Errorf("%q is logged %d times", line, n)
			}
		}
	})
}

// TestARecordCounterThatWentBackIsARestoredCopy is E33d between two sessions: what a heartbeat said counts.
func TestARecordCounterThatWentBackIsARestoredCopy(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		open := func(writes int64) wire.Session {
			s, err := r.svc.OpenSession(t.Context(), wire.Open{Terminal: "till-1", Journal: "J", Boot: "b", Writes: writes})
			r.ok(err)
			return s
		}
		first := open(100)
		gauge := func(epoch, writes int64) error {
			_, err := r.svc.Gauges(t.Context(), "till-1", epoch, wire.Gauges{Writes: writes})
			return err
		}
		r.ok(gauge(first.Epoch, 140))
		r.ok(gauge(first.Epoch, 140))
		if err := gauge(first.Epoch, 139); !errors.Is(err, wire.ErrRestored) {
			t.Errorf("a counter that goes back within a session: %v", err)
		}
		if err := gauge(first.Epoch-1, 150); !errors.Is(err, wire.ErrSuperseded) {
			t.Errorf("an older session: %v", err)
		}
		if s := open(120); s.JournalState != "restored" {
			t.Errorf("a copy from between two heartbeats is %q", s.JournalState)
		}
	})
}
