package integrator_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/internal/wire"
	"tilld/payment"
)

func TestNumbersOfADayAreFourDigitsThenFiveAndNeverRepeat(t *testing.T) {
	d := integrator.Day{Day: "2026-11-22", Start: 8975}
	seen := map[int]bool{}
	last := 0
	var err error
	for {
		n, next, no := d.Lease(50)
		if err = no; err != nil {
			break
		}
		if n.From > n.To || n.To-n.From >= 50 || n.Day != d.Day {
			t.Fatalf("block %+v", n)
		}
		for i := n.From; i <= n.To; i++ {
			if seen[i] || i < 1000 || i > 99_999 || len(seen) < 9000 != (i <= 9999) {
				t.Fatalf("number %d after %d others", i, len(seen))
			}
			seen[i], last = true, i
		}
		d = next
	}
	if !errors.Is(err, integrator.ErrNoNumbers) || len(seen) != 99_000 || last != 99_999 {
		t.Errorf("after %d numbers, the last %d: %v", len(seen), last, err)
	}
	if _, again, err := d.Lease(50); !errors.Is(err, integrator.ErrNoNumbers) || again != d {
		t.Errorf("and then %+v, %v", again, err)
	}
	if m, _, err := d.NextDay("2026-11-23").Lease(50); err != nil || m.From > 9999 || m.Day != "2026-11-23" {
		t.Errorf("the day after begins with %+v, %v", m, err)
	}
	t.Logf("%d numbers, the last %d", len(seen), last)
}

func TestBoxThatLostItsJournalGetsNumbersThatItNeverHad(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		had := *r.session().Numbers
		if again := *r.session().Numbers; again != had {
			t.Errorf("a known journal: %+v after %+v", again, had)
		}
		for _, o := range []wire.Open{{Journal: "j2", Boot: "b"}, {Journal: "j2", Boot: "b", Restored: true}} {
			n := *r.open(o).Numbers
			if n.Day != had.Day || n.From <= had.To {
				t.Errorf("restored %v: %+v after %+v", o.Restored, n, had)
			}
			had = n
		}
	})
}

// When a day has no number left, a box is told of none, and takes payments with those it holds.
func TestABoxWithoutNumbersIsToldSo(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		had := *r.session().Numbers
		var err error
		for err == nil {
			_, err = r.store.Lease(t.Context(), "till-1", 0, "shop", had.Day, 9000)
		}
		if !errors.Is(err, integrator.ErrNoNumbers) {
			t.Fatal(err)
		}
		r.ok(r.svc.AddTerminal(t.Context(), "till-2", make(ed25519.PublicKey, ed25519.PublicKeySize)))
		s, err := r.svc.OpenSession(t.Context(), wire.Open{Terminal: "till-2", Journal: "j2", Boot: "b"})
		r.ok(err)
		if s.Numbers != nil {
			t.Errorf("a new box is told of %+v", s.Numbers)
		}
		if c, _, err := r.svc.Clock(t.Context(), "till-2", s.Epoch, ""); err != nil || c.Numbers != nil {
			t.Errorf("and with the clock of %+v, %v", c.Numbers, err)
		}
		c := r.request(payment.Show, 100)
		c.Number = "99999"
		if res := r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c); res.Numbers != nil {
			t.Errorf("and with its last number of %+v", res.Numbers)
		}
		if o := (wire.Open{Terminal: "till-1", Journal: "j9", Boot: "b"}); r.open(o).Numbers != nil {
			t.Error("a box that lost its journal gets the numbers that it had")
		}
		if !strings.Contains(r.log.String(), "level=ERROR msg=\"no numbers are left today") {
			t.Error("the log does not say so")
		}
		time.Sleep(r.svc.Midnight())
		if c, _, err := r.svc.Clock(t.Context(), "till-2", s.Epoch, had.Day); err != nil || c.Numbers == nil || c.Numbers.From > 9999 {
			t.Errorf("at midnight: %+v, %v", c.Numbers, err)
		}
	})
}

// A payment that was withdrawn before it was sent has used a number and no bill shows it: the box says how many it has left.
func TestABoxThatSaysItHasFewNumbersGetsMore(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		had := *r.session().Numbers
		block := had.To - had.From + 1
		open := func(left *int) payment.Numbers {
			t.Helper()
			return *r.open(wire.Open{Journal: "j1", Boot: "b1", Seen: r.seen, Writes: 1, NumbersLeft: left}).Numbers
		}
		gauge := func(epoch int64, left *int) (*payment.Numbers, error) {
			return r.svc.Gauges(t.Context(), "till-1", epoch, wire.Gauges{Writes: 1, NumbersLeft: left})
		}
		if n := open(nil); n != had {
			t.Errorf("a box that does not say gets %+v, not the block that it has", n)
		}
		if n := open(new(block/4 + 1)); n != had {
			t.Errorf("a box with more than a quarter left gets %+v, not the block that it has", n)
		}
		if n := open(new(0)); n.Day != had.Day || n.From <= had.To {
			t.Errorf("a box with none left gets %+v after %+v", n, had)
		} else {
			had = n
		}
		if n, err := gauge(r.epoch, new(block/4+1)); err != nil || n != nil {
			t.Errorf("more than a quarter left within a session: %+v, %v", n, err)
		}
		if n, err := gauge(r.epoch, nil); err != nil || n != nil {
			t.Errorf("nothing said within a session: %+v, %v", n, err)
		}
		n, err := gauge(r.epoch, new(block/4))
		if err != nil || n == nil || n.From <= had.To {
			t.Fatalf("a quarter left within a session: %+v, %v", n, err)
		}
		if again := open(new(block/4 + 1)); again != *n { // the line broke before the box had it
			t.Errorf("the next session has %+v, not %+v, which the box has not heard of", again, *n)
		}
		if n, err := gauge(r.epoch-1, new(0)); !errors.Is(err, integrator.ErrSuperseded) || n != nil {
			t.Errorf("an older session: %+v, %v", n, err)
		}
	})
}

func TestNumbersFollowTheMerchantsMidnight(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		tokyo := time.FixedZone("JST", 9*60*60)
		svc, err := integrator.New(integrator.Config{
			Store: r.store, Providers: map[string]provider.Provider{"bank": r.bank}, Merchant: "shop-2", Zone: tokyo,
		})
		r.ok(err)
		day := func() string {
			s, err := svc.OpenSession(t.Context(), wire.Open{Terminal: "till-1", Journal: "j1", Boot: "b1", Seen: r.seen, Writes: 1})
			r.ok(err)
			return s.Numbers.Day
		}
		now := time.Now().In(tokyo)
		if d := day(); d != now.Format(time.DateOnly) {
			t.Errorf("day %s at %s", d, now)
		}
		midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, tokyo)
		time.Sleep(time.Until(midnight) - time.Second)
		if d := day(); d != now.Format(time.DateOnly) {
			t.Errorf("a second before midnight it is %s", d)
		}
		time.Sleep(time.Second)
		if d := day(); d != midnight.Format(time.DateOnly) {
			t.Errorf("at midnight it is %s", d)
		}
	})
}

// A box that is idle over midnight is given numbers of the new day, once.
func TestNumbersOfANewDayComeWithTheClock(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		had := *r.session().Numbers
		clock := func(have string) (wire.Clock, string) {
			t.Helper()
			c, day, err := r.svc.Clock(t.Context(), "till-1", r.epoch, have)
			r.ok(err)
			return c, day
		}
		if c, day := clock(had.Day); c.Numbers != nil || day != had.Day || c.Now != time.Now().UTC().Format(time.RFC3339) {
			t.Errorf("on the same day: %+v, %s", c, day)
		}
		left := r.svc.Midnight()
		time.Sleep(left - time.Nanosecond)
		if _, day := clock(had.Day); day != had.Day {
			t.Errorf("before midnight it is %s", day)
		}
		time.Sleep(time.Nanosecond)
		c, day := clock(had.Day)
		if c.Numbers == nil || c.Numbers.Day != day || day == had.Day || c.Numbers.From <= had.To {
			t.Fatalf("at midnight: %+v, %s, after %+v", c.Numbers, day, had)
		}
		if again, _ := clock(had.Day); again.Numbers != nil {
			t.Errorf("a second time: %+v", again.Numbers)
		}
		if n := *r.session().Numbers; n != *c.Numbers {
			t.Errorf("the next session has %+v, the hint had %+v", n, *c.Numbers)
		}
		if _, _, err := r.svc.Clock(t.Context(), "till-1", r.epoch-1, had.Day); !errors.Is(err, integrator.ErrSuperseded) {
			t.Errorf("an older session: %v", err)
		}
	})
}

// In some zones a day in spring begins at 01:00: its midnight is not there.
func TestMidnightThatIsSkipped(t *testing.T) {
	for zone, eve := range map[string]string{
		"America/Santiago": "2026-09-05", "Atlantic/Azores": "2026-03-28", "America/Havana": "2026-03-07", "Africa/Cairo": "2026-04-23", "Europe/Moscow": "2026-05-01",
	} {
		in, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for _, clock := range []string{"00:00", "21:59", "22:30", "23:30", "23:59"} {
			now, err := time.ParseInLocation("2006-01-02 15:04", eve+" "+clock, in)
			if err != nil {
				t.Fatal(err)
			}
			left := integrator.MidnightForTest(now, in)
			before, after := now.Add(left-time.Second).In(in).Format(time.DateOnly), now.Add(left).In(in).Format(time.DateOnly)
			if left <= 0 || before != eve || after == eve {
				t.Errorf("%s at %s: %v, from %s to %s", zone, clock, left, before, after)
			}
		}
	}
}
