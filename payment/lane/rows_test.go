package lane_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// specified are the ids of every row, written down beside the table, so that none goes or comes by mistake.
const specified = `E1 E1a E1b E1c E1d E1x E2 E2b E2b' E2c E3 E3a E3b E3c E3d E3e E3f E3s E4 E5 E6 E6p E7 E8 E8a E8b E8c E9 E9p
	E10 E10a E10b E10r E11 E12 E12p E13 E13r E14 E14a E14b E15 E15a E16 E16a E17 E17a E18 E18a E19
	E30 E31 E32 E33 E33a E33b E33c C1 C1a C2 C3 C4 C4p C5 C6 C7` + own

// own are rows that came to the table later: a ledger that was put back from a copy, a fence that is refused, and a
// reference that was another sale's.
const own = ` E2u E10l E10n E15l E16l E31l`

type rowTest struct {
	row, name string
	run       func(*testing.T) []*run
}

func one(f func(*testing.T) *run) func(*testing.T) []*run {
	return func(t *testing.T) []*run { return []*run{f(t)} }
}

func TestTable(t *testing.T) {
	want := strings.Fields(specified)
	var have []string
	for _, r := range lane.Rows {
		if slices.Contains(have, r.ID) {
			t.Errorf("%s stands twice in the table", r.ID)
		}
		if r.When == "" || r.Match == nil || r.Do == nil {
			t.Errorf("%s is not whole", r.ID)
		}
		have = append(have, r.ID)
	}
	for _, id := range want {
		if !slices.Contains(have, id) {
			t.Errorf("%s is missing", id)
		}
	}
	for _, id := range have {
		if !slices.Contains(want, id) {
			t.Errorf("%s is not in the list", id)
		}
	}
	for _, r := range lane.Notes {
		if slices.Contains(want, r.ID) || r.When == "" {
			t.Errorf("note %q", r.ID)
		}
	}
	if t.Failed() || testing.Verbose() {
		for _, r := range lane.Rows {
			t.Logf("%-5s %s", r.ID, r.When)
		}
	}
}

// TestRow takes every row at least once, by name; a row without a test fails.
func TestRow(t *testing.T) {
	taken := map[string]int{}
	for _, c := range slices.Concat(askTests, openTests, closeTests, paidTests, scanTests, doubtTests, restoreTests, noteTests) {
		t.Run(c.row+"_"+c.name, func(t *testing.T) {
			mine := false
			for _, r := range c.run(t) {
				for _, id := range r.all {
					taken[id]++
					mine = mine || id == c.row
				}
			}
			if !mine {
				t.Errorf("the test of %s never took it", c.row)
			}
		})
	}
	named := map[string]bool{}
	for _, c := range slices.Concat(askTests, openTests, closeTests, paidTests, scanTests, doubtTests, restoreTests, noteTests) {
		named[c.row] = true
	}
	for _, r := range slices.Concat(lane.Rows, lane.Notes) {
		if !named[r.ID] && taken[r.ID] == 0 {
			t.Errorf("%s (%s) was never taken", r.ID, r.When)
		}
		if slices.Contains(strings.Fields(specified), r.ID) && !named[r.ID] {
			t.Errorf("%s has no test of its own", r.ID)
		}
	}
	t.Logf("%d rows taken", len(taken))
}

var askTests = []rowTest{
	{"E1", "asked", one(func(t *testing.T) *run {
		r := ask(t).is(lane.Submitted, "submitted").lights(false, false).did("tell payment.submitted", "arm unsent").didNot("put", "draw")
		if r.p.Number != "4821" || r.p.LifeMS != 300_000 || r.p.Version != 1 || r.p.Stamps["asked"].IsZero() {
			t.Errorf("%+v", r.p)
		}
		return r
	})},
	{"E1", "refused_while_unavailable_or_busy", one(func(t *testing.T) *run {
		e := asking()
		e.Why = "no_link"
		(&run{t: t, now: start}).refused(e, lane.NoUnavailable)
		e.Why, e.Busy = "", true
		(&run{t: t, now: start}).refused(e, lane.NoLaneBusy)
		return ask(t)
	})},
	{"E1", "replacing_an_ended_one_moves_the_light", one(func(t *testing.T) *run {
		r := expiring(t).bill(payment.EvClosed).lights(false, true)
		r.take(lane.Event{Kind: lane.TillReplace, ID: "p2"}).by("E1").is(lane.Ended, "expired")
		r.sale = []lane.Payment{r.p, {ID: "p2", Number: "4822", Stage: lane.Submitted, Replaces: "p1"}}
		return r.lights(false, false).say("busy", "expired")
	})},
	{"E1a", "same_reference", one(func(t *testing.T) *run {
		r := opened(t)
		v := r.p.Version
		r.take(asking()).by("E1a").is(lane.Open, "open")
		if r.p.Version != v {
			t.Error("a repeat changed the payment")
		}
		other := asking()
		other.Hash = "h2"
		return r.refused(other, lane.NoKeyReused)
	})},
	{"E2", "link_ready", one(func(t *testing.T) *run {
		r := ask(t)
		r.noLink = true
		r.kind(lane.LinkReady).didNot("put") // no link, whatever the event is called
		r.noLink = false
		r.kind(lane.LinkReady).by("E2").did("put create", "stop unsent").is(lane.Submitted, "submitted")
		if !r.p.Sent || r.p.Calls[0].ID != "p1:create" {
			t.Errorf("%+v", r.p)
		}
		return r.refused(lane.Event{Kind: lane.TillConfirm}, lane.NoNotPaid)
	})},
	{"E2b", "till_withdraws", one(func(t *testing.T) *run {
		r := ask(t).giveBack("C-1").by("E2b").is(lane.Ended, "canceled").lights(false, true).did("tell payment.ended").didNot("put").say("canceled", "canceled")
		return r.giveBack("C-1").by("return_again").is(lane.Ended, "canceled").didNot("put") // its answer was lost
	})},
	{"E2b", "three_seconds_without_a_link", func(t *testing.T) []*run {
		r := ask(t)
		r.noLink = true
		r.say("unsent", "preparing").clock(lane.Unsent).by("E2b").is(lane.Ended, "canceled").lights(false, true)
		s := sent(t)
		s.noLink = true
		s.clock(lane.Unsent).is(lane.Submitted, "submitted").lights(false, false) // SENT: never by itself
		return []*run{r, s}
	}},
	{"E2b'", "waiting_one_withdrawn", one(func(t *testing.T) *run {
		old := returning(t)
		e := asking()
		e.ID, e.Wait, e.Create.Replaces = "p2", true, "p1"
		r := (&run{t: t, now: start, sale: []lane.Payment{old.p}}).take(e)
		r.clock(lane.Unsent).is(lane.Submitted, "submitted") // the three seconds do not count while it waits
		r.giveBack("C-2").by("E2b'").is(lane.Ended, "canceled").lights(false, false).say("closing/cancel", "canceled")
		old.answer(lane.VerbReturn, payment.OutFenced)
		r.sale = []lane.Payment{old.p}
		return r.lights(false, true)
	})},
	{"E2c", "reference_seen", func(t *testing.T) []*run {
		adopt := func(kind string, change ...func(*payment.Bill)) *run {
			r := sent(t)
			b := billOf(r.p, kind)
			b.Payment, b.Version = "old1", 7
			for _, f := range change {
				f(&b)
			}
			r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).by("E2c").flags(append(flagsOf(b), "review")...)
			if r.p.BillID != "old1" || r.p.ID != "p1" || r.p.BillVersion() != 7 {
				t.Errorf("adopted as %s, %s at %d", r.p.ID, r.p.BillID, r.p.BillVersion())
			}
			return r
		}
		open := adopt(payment.EvOpen).by("E3").is(lane.Open, "submitted")
		open.giveBack("C-1")
		if c := open.p.Pending(lane.VerbReturn); !strings.HasPrefix(c.ID, "old1:return:") {
			t.Errorf("call %s goes to another bill", c.ID)
		}
		paid := adopt(payment.EvPaid).is(lane.Restored, "in_doubt").lights(false, false) // its goods may have left
		closed := adopt(payment.EvClosed).is(lane.Ended, "expired")
		confirmed := func(b *payment.Bill) { b.ByDeadline, b.By = false, "box" }
		out := []*run{open, paid, closed}
		for range 3 { // what an earlier journal has confirmed waits for a person: its goods have left once
			out = append(out, adopt(payment.EvDone, confirmed).is(lane.Restored, "in_doubt").lights(false, false).say("in_doubt", "doubt").
				refused(lane.Event{Kind: lane.TillConfirm}, lane.NoWrongState))
		}
		gone, other, here := out[3], out[4], out[5]
		gone.take(lane.Event{Kind: lane.TillConfirm, Who: "Anna"}).by("E33c").didNot("put").is(lane.Done, "confirmed").lights(true, false)
		wrong := confirm(amount - 1)
		wrong.Who = "Anna"
		other.refused(wrong, lane.NoAlreadyConfirmed).is(lane.Restored, "in_doubt")
		here.take(lane.Event{Kind: lane.TillReturn, Who: "Anna", Return: &lane.ReturnRequest{Reference: "C-1"}}).by("E33c").did("put return").is(lane.Done, "confirmed").lights(false, false)
		if c := here.p.Pending(lane.VerbReturn); c.Whole || c.Amount != amount || !strings.HasPrefix(c.ID, "old1:return:") {
			t.Errorf("what was kept goes back by %+v", c)
		}
		here.answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "returned").lights(false, false).say("returning", "returning")
		back := adopt(payment.EvDone, confirmed, func(b *payment.Bill) { b.Kept = 0 }).is(lane.Done, "confirmed").lights(false, false).say("in_doubt", "idle")
		return append(out, back)
	}},
	{"E2c", "another_sales_live_bill", func(t *testing.T) []*run {
		var out []*run
		for _, kind := range []string{payment.EvOpen, payment.EvPart, payment.EvPaid, payment.EvClosing} {
			r := sent(t)
			b := billOf(r.p, kind)
			b.Payment, b.Version, b.Amount.Value = "old1", 7, amount-1
			r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).by("E2c").didNot("draw").lights(false, false).flags("review")
			if v := lane.View(r.p, r.context()); v.Why != payment.NoReferenceUsed || v.QR != nil {
				t.Errorf("why %q, code %v", v.Why, v.QR)
			}
			if kind != payment.EvPaid { // nobody else would end it
				out = append(out, r.did("put return").is(lane.Closing, "closing").answer(lane.VerbReturn, payment.OutFenced).lights(false, true))
				continue
			}
			here := *r.is(lane.Restored, "in_doubt")
			r.take(lane.Event{Kind: lane.TillConfirm, Who: "Anna"}).is(lane.Released, "confirmed").lights(false, false).say("confirmed", "idle") // the old sale's goods are gone: not these
			refused := *r
			refused.refusal(lane.VerbConfirm, payment.NoWrongState).by("E15a").lights(false, false)
			here.take(lane.Event{Kind: lane.TillReturn, Who: "Anna"}).is(lane.Closing, "closing").lights(false, false).did("put return")
			out = append(out, r, &here, &refused)
		}
		return out
	}},
	{"E2u", "another_sales_reference", func(t *testing.T) []*run {
		var out []*run
		for what, change := range map[string]func(*payment.Bill){
			"amount": func(b *payment.Bill) { b.Amount.Value = 30000 }, "currency": func(b *payment.Bill) { b.Amount.Currency = "KZT" },
			"mode": func(b *payment.Bill) { b.Mode = payment.Scan }, "purpose": func(b *payment.Bill) { b.Purpose = payment.Prepayment },
		} {
			for _, kind := range []string{payment.EvDone, payment.EvClosed} {
				for _, begin := range []func() *run{func() *run { return sent(t) }, func() *run { return sent(t).giveBack("C-1") }} {
					r := begin()
					b := billOf(r.p, kind)
					b.Payment, b.Version = "old1", 7
					change(&b)
					t.Log(what, kind, r.p.Stage)
					r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).by("E2u").is(lane.Ended, "refused").
						lights(false, true).say("refused/reference", "unavailable").flags().didNot("put")
					if v := lane.View(r.p, r.context()); v.Why != payment.NoReferenceUsed || v.Paid.Value != 0 || r.p.BillID != "p1" || len(r.p.Calls) != 0 {
						t.Errorf("why %q, paid %d, bill %s, calls %+v", v.Why, v.Paid.Value, r.p.BillID, r.p.Calls)
					}
					out = append(out, r)
				}
			}
		}
		// The integrator knows how old that bill is, and refuses by itself. Were the bill with it, it would not be this payment's.
		for _, with := range []bool{false, true} {
			r := sent(t)
			a := lane.Answer{Code: payment.NoReferenceUsed}
			if b := billOf(r.p, payment.EvDone); with {
				b.Payment, b.Version = "old1", 7
				a.Bill = &b
			}
			out = append(out, r.answered(lane.VerbCreate, a).by("E2u").is(lane.Ended, "refused").lights(false, true).say("refused/reference", "unavailable"))
		}
		return out
	}},
	{"E1b", "replaced", func(t *testing.T) []*run {
		replace := lane.Event{Kind: lane.TillReplace, ID: "p2"}
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t, scanMode), charging(t), expiring(t), late(t), accepting(t)} {
			r.take(replace).by("E1b").is(lane.Closing, "closing").lights(false, false).did("put return", "wipe", "tell payment.closing")
			if r.p.ReplacedBy != "p2" || !r.p.Returning() {
				t.Errorf("%+v", r.p)
			}
			out = append(out, r)
		}
		parked := expiring(t).kind(lane.TillPark).take(replace).did("put return")
		already := returning(t).take(replace).by("E1b").didNot("put")
		cut := opened(t)
		cut.noLink = true
		cut.refused(replace, lane.NoUnavailable).is(lane.Open, "open")
		paid(t).refused(replace, lane.NoReplacedWasPaid)
		released(t).refused(replace, lane.NoReplacedWasPaid)
		done(t).refused(replace, lane.NoReplacedWasPaid)
		overridden(t).refused(replace, lane.NoOverridden)
		none := replace
		none.Why = "disk_full"
		opened(t).refused(none, lane.NoUnavailable)
		return append(out, parked, already)
	}},
	{"E1c", "gate", func(t *testing.T) []*run {
		e := asking()
		e.ID, e.Wait, e.Create.Replaces = "p2", true, "p1"
		r := (&run{t: t, now: start}).take(e)
		r.kind(lane.LinkReady).didNot("put") // the gate is shut
		r.noLink = true
		r.take(lane.Event{Kind: lane.LinkReady, Gate: true}).didNot("put")
		r.noLink = false
		r.take(lane.Event{Kind: lane.LinkReady, Gate: true}).by("E1c").did("put create").is(lane.Submitted, "submitted")
		return []*run{r.bill(payment.EvOpen).say("submitted", "code")}
	}},
	{"E1d", "waiting_one_replaced", one(func(t *testing.T) *run {
		e := asking()
		e.ID, e.Wait, e.Create.Replaces = "p2", true, "p1"
		r := (&run{t: t, now: start}).take(e)
		r.take(lane.Event{Kind: lane.TillReplace, ID: "p3"}).by("E1d").is(lane.Ended, "canceled").didNot("put")
		if r.p.ReplacedBy != "p3" {
			t.Error("it does not know what took its place")
		}
		none := lane.Event{Kind: lane.TillReplace, ID: "p3", Why: "no_link"}
		ask(t).refused(none, lane.NoUnavailable)
		return r
	})},
	{"E1x", "more_time", func(t *testing.T) []*run {
		more := lane.Event{Kind: lane.TillExtend, By: 5 * time.Minute}
		r := opened(t).take(more).by("E1x").did("put extend").didNot("arm")
		if c := r.p.Pending(lane.VerbExtend); c.ID != "p1:extend:1" || c.LifeMS != 600_000 {
			t.Errorf("%+v", c)
		}
		r.answer(lane.VerbExtend, payment.OutExtended).didNot("arm") // only bill.open moves the countdown
		if r.p.LifeMS != 600_000 {
			t.Errorf("life %d", r.p.LifeMS)
		}
		r.take(more)
		if c := r.p.Pending(lane.VerbExtend); c.ID != "p1:extend:2" || c.LifeMS != 900_000 {
			t.Errorf("%+v", c)
		}
		r.refusal(lane.VerbExtend, payment.NoCannotExtend).is(lane.Open, "open")
		if r.p.LifeMS != 600_000 {
			t.Errorf("refused, life %d", r.p.LifeMS)
		}
		scan := opened(t, scanMode).take(more)
		cut := opened(t).cut()
		cut.refused(more, lane.NoCannotExtend)
		paid(t).refused(more, lane.NoCannotExtend)
		many := opened(t)
		for range lane.MaxExtends {
			many.take(more).answer(lane.VerbExtend, payment.OutExtended)
		}
		many.refused(more, lane.NoCannotExtend)
		can := func(r *run, c lane.ViewContext, by time.Duration, want bool) {
			t.Helper()
			if lane.CanExtend(r.p, c, by) != want {
				t.Errorf("by %v with %d extensions: %v", by, r.p.Extends, !want)
			}
		}
		up, full := lane.ViewContext{Link: true}, 15*time.Minute // of 20 min, 5 are given
		can(opened(t), up, full, true)
		can(opened(t), up, full+time.Millisecond, false)
		can(opened(t), lane.ViewContext{}, time.Minute, false)
		can(opened(t), lane.ViewContext{Link: true, Doubt: true}, time.Minute, false)
		can(many, up, time.Minute, false)
		can(paid(t), up, time.Minute, false)
		can(r, up, more.By, true)
		r.take(more).answered(lane.VerbExtend, lane.Answer{Code: payment.NoCannotExtend, Why: "provider"})
		can(r, up, more.By, false)
		can(r, up, time.Minute, true)  // a shorter one may be had
		r.take(more).did("put extend") // who asks all the same hears it from the server
		return []*run{r, scan, cut}
	}},
}

func flagsOf(b payment.Bill) []string {
	return lane.Flags(lane.Payment{Bill: &b})
}

var openTests = []rowTest{
	{"E3", "code_drawn", one(func(t *testing.T) *run {
		r := sent(t).bill(payment.EvOpen).by("E3").is(lane.Open, "submitted").did("draw", "arm countdown").didNot("tell")
		if r.p.Payload != payload || r.p.LeftMS != 300_000 {
			t.Errorf("%+v", r.p)
		}
		return r.say("submitted", "code")
	})},
	{"E3a", "scan_waits", one(func(t *testing.T) *run {
		return sent(t, scanMode).bill(payment.EvOpen).by("E3a").is(lane.WaitingCode, "open").did("tell payment.open", "arm countdown").didNot("draw").say("waiting_code", "scan")
	})},
	{"E3b", "no_code_is_drawn", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{returning(t), expiring(t).kind(lane.TillPark), expiring(t).bill(payment.EvClosed), overridden(t), paid(t), late(t), done(t)} {
			stage := r.p.Stage
			r.bill(payment.EvOpen).by("E3b").didNot("draw", "tell")
			if r.p.Stage != stage {
				t.Errorf("%s became %s", stage, r.p.Stage)
			}
			out = append(out, r)
		}
		return append(out, returning(t).bill(payment.EvPaying).by("E3b"))
	}},
	{"E3c", "paying", func(t *testing.T) []*run {
		r := opened(t).bill(payment.EvPaying).by("E3c").is(lane.Open, "paying").did("wipe", "tell payment.paying", "stop countdown", "arm max_open").say("paying", "paying")
		r.clock(lane.Countdown).is(lane.Open, "paying") // its countdown has stopped
		r.bill(payment.EvPaying).didNot("tell").cut().is(lane.Open, "paying").lights(false, false)
		first := sent(t).snapshot(payment.EvPaying).by("E3c").is(lane.Open, "paying").didNot("draw")
		return []*run{r, first}
	}},
	{"E3d", "closing_by_expiry_reopens", func(t *testing.T) []*run {
		r := expiring(t).bill(payment.EvOpen).by("E3d").is(lane.Open, "open").did("draw", "arm countdown", "tell payment.open")
		short := expiring(t).bill(payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 10_000 }).is(lane.Open, "open").didNot("draw")
		hidden := expiring(t).bill(payment.EvPaying).by("E3d").is(lane.Open, "paying").didNot("draw")
		scan := opened(t, scanMode).clock(lane.Countdown).bill(payment.EvOpen).by("E3d").is(lane.WaitingCode, "open")
		return []*run{r, short, hidden, scan}
	}},
	{"E3e", "nobody_pays_any_more", func(t *testing.T) []*run {
		r := opened(t).bill(payment.EvPaying).bill(payment.EvOpen).by("E3e").is(lane.Open, "open").did("draw", "arm countdown", "stop max_open", "tell payment.open")
		short := opened(t).bill(payment.EvPaying).bill(payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 9000 }).didNot("draw").is(lane.Open, "open").say("open/no_display", "closing")
		no := opened(t).bill(payment.EvPaying).bill(payment.EvOpen, func(b *payment.Bill) { b.Declined = &payment.Decline{Why: "limit", Retry: true} }).say("attempt_declined", "declined")
		return []*run{r, short, no}
	}},
	{"E3f", "countdown_moves", func(t *testing.T) []*run {
		longer := func(b *payment.Bill) { b.RemainingMS = 600_000 }
		r := opened(t).bill(payment.EvOpen, longer).by("E3f").is(lane.Open, "open").did("arm countdown").didNot("draw", "wipe")
		again := opened(t).take(lane.Event{Kind: lane.Boot, Left: time.Second}).bill(payment.EvOpen, longer).by("E3f").did("draw")
		return []*run{r, again, opened(t, scanMode).bill(payment.EvOpen).by("E3f"), charging(t).bill(payment.EvOpen).by("E3f").is(lane.Charging, "charging")}
	}},
	{"E3s", "shown", one(func(t *testing.T) *run {
		r := sent(t).bill(payment.EvOpen).take(lane.Event{Kind: lane.OutputsDone, Shown: []string{"receipt"}}).by("E3s").is(lane.Open, "open").did("tell payment.open")
		if r.p.Stamps["shown"].IsZero() {
			t.Error("no stamp")
		}
		r.say("open/paper", "paper")
		return r.take(lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}}).didNot("tell").say("open", "code")
	})},
	{"E4", "never_shown", func(t *testing.T) []*run {
		r := sent(t).bill(payment.EvOpen).kind(lane.OutputsDone).by("E4").is(lane.Closing, "closing").did("put return", "wipe", "tell payment.closing").lights(false, false)
		if r.p.Closing != lane.ByNotShown || r.p.Calls[len(r.p.Calls)-1].Reason != "not_shown" {
			t.Errorf("%+v", r.p)
		}
		lost := opened(t).kind(lane.GlassLost).by("E4").is(lane.Open, "open").say("open/no_display", "code").didNot("put", "wipe")
		lost.take(lane.Event{Kind: lane.GlassBack, Shown: []string{"kiosk"}}).say("open", "code")
		redrawn := opened(t).bill(payment.EvPaying).bill(payment.EvOpen).kind(lane.OutputsDone).by("E4").is(lane.Open, "open")
		return []*run{r, lost, redrawn}
	}},
	{"E5", "part", func(t *testing.T) []*run {
		r := opened(t).bill(payment.EvPart).by("E5").is(lane.Open, "part_paid").did("tell payment.part").say("part_paid", "part_paid").lights(false, false)
		return []*run{r, opened(t, scanMode).bill(payment.EvPart).by("E5"), expiring(t).bill(payment.EvPart).by("E5").is(lane.Closing, "closing")}
	}},
	{"E19", "restart", func(t *testing.T) []*run {
		r := opened(t).take(lane.Event{Kind: lane.Boot, Left: 10 * time.Second}).by("E19").is(lane.Open, "open").didNot("draw").did("arm countdown")
		if v := lane.View(r.p, r.context()); v.QR != nil {
			t.Error("a code is handed out")
		}
		drawn := opened(t).take(lane.Event{Kind: lane.Boot, Left: 11 * time.Second}).by("E19").did("draw", "arm countdown")
		paying := opened(t).bill(payment.EvPaying).take(lane.Event{Kind: lane.Boot, Left: time.Minute}).didNot("draw").did("arm max_open")
		return []*run{r, drawn, paying}
	}},
}

var closeTests = []rowTest{
	{"E7", "late_money", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t, scanMode), charging(t), expiring(t)} {
			out = append(out, r.bill(payment.EvLate).by("E7").is(lane.LateOffered, "closing").flags("late").lights(false, false).did("tell payment.late", "arm lease").say("closing/late", "closing"))
		}
		e := expiring(t)
		stale := event(e.p, payment.EvLate)
		stale.Stale = true
		return append(out, e.take(stale).notBy("E7").by("E16a").is(lane.Closing, "closing").didNot("tell"))
	}},
	{"E8", "accept", one(func(t *testing.T) *run {
		r := accepting(t).by("E8").is(lane.Accepting, "closing").lights(false, false).did("put accept_late", "tell payment.accepting")
		opened(t).refused(lane.Event{Kind: lane.TillAccept}, lane.NoWrongState)
		return r
	})},
	{"E8a", "only_the_answer_counts", func(t *testing.T) []*run {
		yes := accepting(t).answer(lane.VerbAccept, payment.OutAccepted).by("E8a").is(lane.Paid, "paid").flags("late").lights(true, false).did("tell payment.paid")
		yes.bill(payment.EvPaid).by("E16a").is(lane.Paid, "paid").didNot("sound")
		no := accepting(t).answer(lane.VerbAccept, payment.OutLapsed).by("E8a").is(lane.Closing, "closing")
		return []*run{yes, no, accepting(t).refusal(lane.VerbAccept, payment.NoWrongState).by("E8a").is(lane.Closing, "closing")}
	}},
	{"E8b", "countdown", func(t *testing.T) []*run {
		return []*run{late(t).clock(lane.Lease).by("E8b").is(lane.Closing, "closing").didNot("put"), late(t).giveBack("C-1").by("E10")}
	}},
	{"E8c", "lease_ended", func(t *testing.T) []*run {
		r := late(t).bill(payment.EvPaidAfter).by("E8c").is(lane.Closing, "closing").flags("late", "owed")
		return []*run{r, accepting(t).bill(payment.EvPaidAfter).by("E8c").is(lane.Accepting, "closing")}
	}},
	{"E9", "code_ends", func(t *testing.T) []*run {
		out := []*run{opened(t).clock(lane.Countdown).by("E9").is(lane.Closing, "closing").did("wipe", "tell payment.closing").didNot("put").say("closing/expire", "closing").lights(false, false)}
		for _, r := range []*run{sent(t), opened(t), opened(t, scanMode), charging(t), opened(t).bill(payment.EvPaying)} {
			out = append(out, r.bill(payment.EvClosing).by("E9").is(lane.Closing, "closing"))
		}
		c := charging(t).bill(payment.EvClosing).did("drop charge", "put charge_void")
		return append(out, c, expiring(t).bill(payment.EvClosing, func(b *payment.Bill) { b.Paying = true }).by("E16a").say("closing/in_progress", "closing"))
	}},
	{"E9p", "max_open", one(func(t *testing.T) *run {
		return opened(t).bill(payment.EvPaying).clock(lane.MaxOpen).by("E9p").is(lane.Closing, "closing").didNot("put")
	})},
	{"C7", "scan_countdown", one(func(t *testing.T) *run {
		return opened(t, scanMode).clock(lane.Countdown).by("C7").is(lane.Closing, "closing").did("tell payment.closing").didNot("put")
	})},
	{"E10", "whole_return_is_the_fence", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t).bill(payment.EvPaying), opened(t, scanMode), charging(t), expiring(t), late(t), accepting(t), paid(t)} {
			out = append(out, r.giveBack("C-1").by("E10").is(lane.Closing, "closing").lights(false, false).did("put return", "wipe", "forget", "tell payment.closing"))
			c := r.p.Calls[len(r.p.Calls)-1]
			if !c.Whole || c.Key != lane.ReturnKey("p1", "C-1") || c.ID != "p1:return:"+c.Key || !payment.ValidID(c.Key) {
				t.Errorf("%+v", c)
			}
			r.giveBack("C-1").didNot("put").giveBack("C-2").didNot("put") // once is enough
		}
		if c := charging(t).giveBack("C-1").did("drop charge", "put charge_void").p.Calls; c[0].Verb != lane.VerbCreate && c[0].Verb != lane.VerbChargeVoid {
			t.Errorf("%+v", c)
		}
		all := opened(t).take(part("C-1", amount)).by("E10")
		opened(t).refused(part("C-1", 100), lane.NoWrongState)
		kiosk := opened(t).kind(lane.TillReturn).by("E10")
		other := sent(t).refusal(lane.VerbCreate, payment.NoKeyReused).by("E10").flags("review")
		return append(out, all, kiosk, other)
	}},
	{"E10a", "money_behind_the_fence", func(t *testing.T) []*run {
		var out []*run
		for _, kind := range []string{payment.EvPaid, payment.EvLate, payment.EvPart, payment.EvPaidAfter} {
			out = append(out, returning(t).bill(kind).by("E10a").is(lane.Closing, "closing").lights(false, false).did("tell payment.money_late"))
		}
		return out
	}},
	{"E10b", "fence_committed", func(t *testing.T) []*run {
		r := returning(t).answer(lane.VerbReturn, payment.OutFenced).by("E10b").is(lane.Closing, "closing").lights(false, true).did("tell payment.fenced").say("closing/fenced", "closing")
		r.cut().is(lane.Closing, "in_doubt").lights(false, true).say("closing/fenced", "doubt")
		shown := sent(t).bill(payment.EvOpen).kind(lane.OutputsDone).answer(lane.VerbCreate, "created").answer(lane.VerbReturn, payment.OutFenced).by("E10b").lights(false, true)
		return []*run{r, shown}
	}},
	{"E10r", "light_of_the_sale", func(t *testing.T) []*run {
		next := lane.Payment{ID: "p2", Number: "4822", Replaces: "p1", Stage: lane.Open, Sent: true, Shown: true}
		r := opened(t).take(lane.Event{Kind: lane.TillReplace, ID: "p2"})
		r.sale = []lane.Payment{next}
		r.answer(lane.VerbReturn, payment.OutFenced).by("E10r").is(lane.Closing, "closing").lights(false, false).did("tell payment.fenced").say("busy", "closing")
		r.bill(payment.EvClosed).by("E10r").is(lane.Ended, "canceled").lights(false, false)
		next.Stage, next.End = lane.Ended, lane.EndExpired
		r.sale = []lane.Payment{next}
		r.kind(lane.SaleOver).by("E10r").lights(false, true).did("tell payment.ended")
		return []*run{r}
	}},
	{"E11", "closed", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t, scanMode), charging(t), expiring(t), late(t), accepting(t)} {
			out = append(out, r.bill(payment.EvClosed).by("E11").is(lane.Ended, "expired").lights(false, true).did("wipe", "tell payment.ended"))
		}
		refused := sent(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Why = payment.Refused, "bank_refused" }).is(lane.Ended, "refused").say("refused", "unavailable")
		canceled := returning(t).bill(payment.EvClosed).by("E11").is(lane.Ended, "canceled").say("canceled", "canceled")
		owed := func(b *payment.Bill) { b.Paid, b.Owed = amount, amount }
		returned := returning(t).bill(payment.EvClosed, owed).is(lane.Ended, "returned").flags("owed").say("returned/owed", "returning").lights(false, true)
		returned.bill(payment.EvReturned, func(b *payment.Bill) {
			b.Reason, b.Paid, b.Owed, b.Returned, b.Kept = payment.Returning, amount, 0, amount, 0
		}).is(lane.Ended, "returned").flags().say("returned", "returned")
		late := expiring(t).bill(payment.EvClosed, owed).is(lane.Ended, "expired").flags("owed").say("late_money", "late")
		dead := opened(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Paid, b.Owed = payment.Refused, 5000, 5000 }).is(lane.Ended, "returned")
		nobill := sent(t).answered(lane.VerbCreate, lane.Answer{Code: "amount_limit"}).by("E11").is(lane.Ended, "refused")
		if nobill.p.Trouble != "amount_limit" {
			t.Errorf("why %q", nobill.p.Trouble)
		}
		return append(out, refused, canceled, returned, late, dead, nobill)
	}},
}

var paidTests = []rowTest{
	{"E6", "paid", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t).bill(payment.EvPaying), opened(t, scanMode), expiring(t), accepting(t), late(t)} {
			out = append(out, r.bill(payment.EvPaid).by("E6").is(lane.Paid, "paid").lights(true, false).did("wipe", "tell payment.paid", "sound paid", "arm no_receipt").say("paid", "paid"))
		}
		over := opened(t).bill(payment.EvPaid, func(b *payment.Bill) { b.Paid, b.Over, b.Owed = 2*amount, amount, amount }).flags("over", "owed").say("paid/over", "paid_over")
		return append(out, over)
	}},
	{"E6p", "parked", one(func(t *testing.T) *run {
		return expiring(t).kind(lane.TillPark).bill(payment.EvPaid).by("E6p").is(lane.Paid, "paid").flags("parked").lights(true, false).
			did("tell payment.paid", "tell payment.settled").didNot("sound", "wipe").say("settled/paid", "idle")
	})},
	{"E14", "confirm", func(t *testing.T) []*run {
		r := paid(t).kind(lane.TillConfirm).by("E14").is(lane.Released, "confirmed").lights(true, false).did("put confirm", "tell payment.confirmed").say("confirmed", "paid")
		if r.p.Final != amount || r.p.Calls[0].Final != amount {
			t.Errorf("final %d", r.p.Final)
		}
		less := paid(t).take(confirm(5000)).by("E14").say("confirmed", "paid_less")
		e := confirm(amount)
		e.Confirm.Receipt = &lane.Receipt{Number: "17"}
		with := paid(t).take(e).did("stop no_receipt")
		kept := paid(t).bill(payment.EvDone).take(confirm(5000)).by("E14") // B9 has kept it, B8a will repair
		return []*run{r, less, with, kept}
	}},
	{"E14a", "refused", one(func(t *testing.T) *run {
		r := paid(t).refused(part("C-1", 5000), lane.NoConfirmFirst).refused(part("C-1", amount+1), lane.NoExceedsKept).
			refused(confirm(0), lane.NoUseReturn).refused(confirm(-1), lane.NoUseReturn).refused(confirm(amount+1), lane.NoFinalExceedsPaid)
		_, _, rows, _ := lane.Take(r.p, confirm(0))
		r.all = append(r.all, rows...)
		return r
	})},
	{"E14b", "confirm_again", one(func(t *testing.T) *run {
		r := done(t)
		v := r.p.Version
		r.take(confirm(amount)).by("E14b").kind(lane.TillConfirm)
		if r.p.Version != v {
			t.Error("a repeat changed the payment")
		}
		return r.refused(confirm(5000), lane.NoAlreadyConfirmed)
	})},
	{"E15", "confirm_answered", one(func(t *testing.T) *run { return done(t).by("E15").is(lane.Done, "confirmed").lights(true, false) })},
	{"E15a", "returned_meanwhile", func(t *testing.T) []*run {
		return []*run{
			released(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason = payment.Returned }).by("E15a").is(lane.Done, "confirmed").lights(false, false).
				flags("review").did("tell payment.review").say("in_doubt", "idle"),
			paid(t).bill(payment.EvClosed).by("E15a").is(lane.Done, "returned").lights(false, false).say("in_doubt", "idle").refused(lane.Event{Kind: lane.TillConfirm}, lane.NoReturned),
			released(t).refusal(lane.VerbConfirm, payment.NoWrongState).by("E15a").is(lane.Done, "confirmed").lights(true, false), // its goods are gone
			released(t).refusal(lane.VerbConfirm, payment.NoClosed).by("E15a").is(lane.Done, "confirmed").lights(false, false),    // and so is its money
			returning(t).refusal(lane.VerbReturn, payment.NoAlreadyConfirmed).by("E15a").is(lane.Done, "confirmed").lights(false, false),
		}
	}},
	{"E15a", "part_kept_elsewhere", one(func(t *testing.T) *run {
		half := func(b *payment.Bill) { b.By, b.Fill, b.Paid, b.Kept = "admin", payment.Part, 5000, 5000 }
		r := expiring(t).bill(payment.EvDone, half).by("E15a").is(lane.Done, "confirmed").lights(false, false).flags("review").say("in_doubt", "idle").didNot("arm")
		r.refused(lane.Event{Kind: lane.TillConfirm}, lane.NoAlreadyConfirmed)
		r.take(lane.Event{Kind: lane.TillReviewed, Who: "Anna"}).lights(false, false).say("confirmed", "idle")
		return r.take(part("C-1", 5000)).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "returned").lights(false, false)
	})},
	{"E16", "part_return", func(t *testing.T) []*run {
		r := done(t).take(part("C-1", 5500)).by("E16").is(lane.Done, "confirmed").did("put return", "tell payment.returning").say("returning", "returning")
		r.answer(lane.VerbReturn, payment.OutReturning).by("E16").is(lane.Done, "part_returned")
		r.bill(payment.EvReturning).by("E16a").flags("owed").bill(payment.EvReturned).by("E16a").did("tell payment.returned").flags().say("returned", "returned")
		r.refused(part("C-2", amount), lane.NoExceedsKept).refused(part("C-1", 1), lane.NoKeyReused)
		r.take(part("C-1", 5500)).didNot("put")
		r.giveBack("C-2").by("E16").answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "returned")
		r.refused(part("C-3", 1), lane.NoExceedsKept)
		queued := released(t).take(part("C-1", 100)).did("put return")
		if c := queued.p.Calls; c[0].Verb != lane.VerbConfirm || c[1].Verb != lane.VerbReturn {
			t.Errorf("order %+v", c)
		}
		no := done(t).take(part("C-1", 100)).refusal(lane.VerbReturn, payment.NoExceedsKept).by("E16").say("return/refused", "paid").is(lane.Done, "confirmed")
		no.take(part("C-2", amount)).by("E16") // a refused return holds nothing
		bank := done(t).take(part("C-1", amount)).answer(lane.VerbReturn, payment.OutReturning).bill(payment.EvReturned, func(b *payment.Bill) {
			b.Owed = amount
			b.Returns = []payment.BillReturn{{Key: lane.ReturnKey(b.Payment, "C-1"), Amount: amount, How: "refund", State: "refused"}}
		}).is(lane.Done, "returned") // what the bank refused is owed, and stays returned
		bank.refused(part("C-2", 1), lane.NoExceedsKept)
		return []*run{r, queued, no, bank}
	}},
	{"E16a", "books_only", func(t *testing.T) []*run {
		var out []*run
		for _, kind := range []string{
			payment.EvOver, payment.EvPart, payment.EvDoubt, payment.EvClosing, payment.EvPaidAfter, payment.EvReturned, payment.EvReturning,
			payment.EvReview, payment.EvCharging, payment.EvPaying, payment.EvPaid,
		} {
			out = append(out, paid(t).bill(kind).by("E16a").is(lane.Paid, "paid").did("tell payment."+strings.TrimPrefix(kind, "bill.")))
		}
		console := done(t).bill(payment.EvReturning, func(b *payment.Bill) {
			b.Returns = []payment.BillReturn{{Key: "console-1", Amount: 550, How: "refund", State: "pending"}}
		}).is(lane.Done, "part_returned")
		console.refused(part("C-1", amount), lane.NoExceedsKept)
		ended := func(b *payment.Bill) { b.Review, b.Why = false, payment.WhyReviewed }
		over := paid(t).bill(payment.EvReview).flags("review").bill(payment.EvReview, ended).flags().did("tell payment.reviewed").didNot("tell payment.review")
		over.bill(payment.EvReview).flags("review").bill(payment.EvReturned).flags() // a decision that is told by its own event
		own := released(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason = payment.Returned }).flags("review")
		own.bill(payment.EvReview, ended).flags("review").did("tell payment.review") // what this box found is for the shop to look at
		short := paid(t).bill(payment.EvReview, func(b *payment.Bill) { b.Review, b.Why = false, "" }).flags("review")
		short.bill(payment.EvReturned).flags("review") // the shop's account was short: the integrator has no flag for it
		return append(out, console, over, own, short, paid(t).bill(payment.EvReview).flags("review"))
	}},
	{"E18", "finish_this_sale", func(t *testing.T) []*run {
		var out []*run
		for _, kind := range []string{payment.EvDone, payment.EvConfirmWanted, payment.EvReturnWanted} {
			out = append(out, paid(t).bill(kind).by("E18").is(lane.Paid, "paid").lights(true, false).did("tell payment.unfinished"))
		}
		r := paid(t)
		old := event(r.p, payment.EvConfirmWanted)
		old.Stale = true
		person := paid(t, func(q *lane.Request) { q.IfNotConfirmed = payment.Person }).did("arm ask").clock(lane.Ask).by("E18").did("tell payment.unfinished").didNot("arm").
			is(lane.Paid, "paid").say("paid/unfinished", "paid").lights(true, false) // nothing comes back by itself
		paid(t).didNot("arm ask")
		out = append(out, person)
		return append(out, r.take(old).notBy("E18").didNot("tell"), paid(t, ownReturn).clock(lane.Ask).by("E18").did("tell payment.unfinished", "arm give_back"))
	}},
	{"E18a", "own_return", func(t *testing.T) []*run {
		r := paid(t, ownReturn).did("arm ask").clock(lane.GiveBack).is(lane.Paid, "paid") // not asked yet
		r.clock(lane.Ask).clock(lane.GiveBack).by("E18a").is(lane.Closing, "closing").lights(false, false).did("put return")
		r.refused(lane.Event{Kind: lane.TillConfirm}, lane.NoReturned)
		keep := paid(t).clock(lane.Ask).clock(lane.GiveBack).is(lane.Paid, "paid").didNot("put")
		return []*run{r, keep}
	}},
}

var scanTests = []rowTest{
	{"C1", "wallet_code", one(func(t *testing.T) *run {
		r := charging(t).by("C1").is(lane.Charging, "charging").did("put charge", "tell payment.charging", "arm code_age").say("charging", "charging")
		if c := r.p.Pending(lane.VerbCharge); c.ID != "p1:charge:1" || !c.Volatile() || r.p.CodeHash != "hash" {
			t.Errorf("%+v", r.p)
		}
		old := opened(t, scanMode).take(lane.Event{Kind: lane.Scanned, Hash: "h", Old: true}).is(lane.WaitingCode, "open").didNot("put")
		return old.scan()
	})},
	{"C1a", "read_too_early", one(func(t *testing.T) *run {
		r := sent(t, scanMode)
		v := r.p.Version
		r.scan().by("C1a").is(lane.Submitted, "submitted")
		if r.p.Version != v || r.p.CodeHash != "" {
			t.Error("the record changed")
		}
		return r
	})},
	{"C2", "second_scan", one(func(t *testing.T) *run {
		return charging(t).scan().by("C2").is(lane.Charging, "charging").did("sound no").didNot("put", "tell")
	})},
	{"C3", "paid", one(func(t *testing.T) *run {
		return charging(t).bill(payment.EvPaid).by("C3").is(lane.Paid, "paid").did("tell payment.paid", "forget", "drop charge")
	})},
	{"C4", "declined", func(t *testing.T) []*run {
		r := charging(t).bill(payment.EvDeclined).by("C4").is(lane.WaitingCode, "open").lights(false, false).did("tell payment.declined", "forget", "drop charge").say("declined", "declined")
		r.scan().by("C1")
		if r.p.Attempt != 2 || r.p.Declined != nil || r.p.Pending(lane.VerbCharge).ID != "p1:charge:2" {
			t.Errorf("%+v", r.p)
		}
		r.bill(payment.EvDeclined, func(b *payment.Bill) { b.Declined.Attempt = 1 }).notBy("C4").is(lane.Charging, "charging") // of the attempt before
		amount := charging(t).bill(payment.EvDeclined, func(b *payment.Bill) { b.Declined = &payment.Decline{Attempt: 1, Why: payment.WhyAmount} })
		amount.by("C4").is(lane.WaitingCode, "open").lights(false, false).say("declined/amount", "declined")
		missed := charging(t).answer(lane.VerbCharge, payment.OutCharging).snapshot(payment.EvOpen).by("C4").is(lane.WaitingCode, "open")
		return []*run{r, amount, missed}
	}},
	{"C4p", "parked", func(t *testing.T) []*run {
		park := func() *run { return charging(t).cut().kind(lane.TillPark).back() }
		r := park().bill(payment.EvDeclined).by("C4p").is(lane.Closing, "closing").did("put return")
		void := park().take(lane.Event{Kind: lane.Boot}).answer(lane.VerbChargeVoid, payment.OutVoid).by("C4p").is(lane.Closing, "closing")
		return []*run{r, void}
	}},
	{"C5", "in_progress", one(func(t *testing.T) *run {
		return charging(t).bill(payment.EvCharging).by("C5").is(lane.Charging, "charging").cut().by("C5").is(lane.Charging, "in_doubt").did("tell payment.doubt").say("in_doubt/no_link", "doubt")
	})},
	{"C6", "code_gone", func(t *testing.T) []*run {
		r := charging(t).take(lane.Event{Kind: lane.Boot}).by("C6").is(lane.Charging, "charging").did("drop charge", "put charge_void")
		if c := r.p.Pending(lane.VerbChargeVoid); c.ID != "p1:charge_void:1" || c.Attempt != 1 {
			t.Errorf("%+v", c)
		}
		r.answer(lane.VerbChargeVoid, payment.OutVoid).by("C6").is(lane.WaitingCode, "open").scan()
		if r.p.Attempt != 2 {
			t.Errorf("attempt %d after a void", r.p.Attempt)
		}
		follows := charging(t).clock(lane.CodeAge).by("C6").answer(lane.VerbChargeVoid, payment.OutCharging).by("C6").is(lane.Charging, "charging")
		answered := charging(t).answer(lane.VerbCharge, payment.OutCharging).take(lane.Event{Kind: lane.Boot}).notBy("C6").is(lane.Charging, "charging")
		refused := charging(t).refusal(lane.VerbCharge, payment.NoClosed).by("C6").is(lane.WaitingCode, "open")
		running := charging(t).refusal(lane.VerbCharge, payment.NoAttemptRunning).is(lane.Charging, "charging")
		return []*run{r, follows, answered, refused, running}
	}},
}

var doubtTests = []rowTest{
	{"E12", "doubt", func(t *testing.T) []*run {
		var out []*run
		for _, c := range []struct {
			r           *run
			state, then string
		}{
			{ask(t), "submitted", "submitted"},
			{sent(t), "in_doubt", "submitted"},
			{sent(t).bill(payment.EvOpen), "submitted", "submitted"},
			{opened(t), "open", "open"},
			{opened(t).bill(payment.EvPaying), "paying", "paying"},
			{opened(t).bill(payment.EvPart), "part_paid", "part_paid"},
			{opened(t, scanMode), "open", "open"},
			{expiring(t), "in_doubt", "closing"},
			{returning(t), "in_doubt", "closing"},
			{late(t), "in_doubt", "closing"},
			{accepting(t), "in_doubt", "closing"},
			{paid(t), "paid", "paid"},
		} {
			stage, l := c.r.p.Stage, lane.LightsOf(c.r.p, nil)
			c.r.cut().by("E12").is(stage, c.state).did("tell payment.doubt").lights(l.HandOver, l.OtherTender)
			if v := lane.View(c.r.p, c.r.context()); v.DoubtSince == nil || v.DoubtWhy != "link" {
				t.Errorf("%s: doubt since %v, %q", stage, v.DoubtSince, v.DoubtWhy)
			}
			out = append(out, c.r.back().by("E12").is(stage, c.then).did("tell payment.doubt_over"))
		}
		return out
	}},
	{"E12p", "park", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{expiring(t), returning(t), charging(t).cut(), accepting(t).cut()} {
			stage := r.p.Stage
			r.kind(lane.TillPark).by("E12p").did("tell payment.parked").flags(append(withoutParked(r), "parked")...)
			if r.p.Stage != stage || lane.Occupies(r.p) {
				t.Errorf("%s parked is %s, occupies %v", stage, r.p.Stage, lane.Occupies(r.p))
			}
			v := r.p.Version
			r.kind(lane.TillPark)
			if r.p.Version != v {
				t.Error("parked twice")
			}
			out = append(out, r)
		}
		s := sent(t).cut().kind(lane.TillPark).by("E12p").is(lane.Closing, "in_doubt").did("put return") // E10 with it
		byItself := expiring(t).did("arm auto_park").clock(lane.AutoPark).by("E12p")
		attended := accepting(t).cut().clock(lane.AutoPark).notBy("E12p")
		lapsed := accepting(t).cut().answer(lane.VerbAccept, payment.OutLapsed).is(lane.Closing, "in_doubt").did("arm auto_park").clock(lane.AutoPark).by("E12p")
		self := accepting(t)
		self.selfService = true
		self.cut().clock(lane.AutoPark).by("E12p")
		for _, r := range []*run{opened(t), charging(t), late(t), accepting(t), paid(t), sent(t), ask(t)} {
			r.refused(lane.Event{Kind: lane.TillPark}, lane.NoWrongState)
		}
		end := expiring(t).kind(lane.TillPark).bill(payment.EvClosed).did("tell payment.ended", "tell payment.settled").say("settled/unpaid", "idle")
		return append(out, s, byItself, attended, lapsed, self, end)
	}},
	{"E13", "override", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{sent(t), opened(t), opened(t, scanMode), charging(t), expiring(t), late(t), accepting(t)} {
			r.cut().override().by("E13").is(lane.Overridden, "overridden").lights(false, true).did("put return", "tell payment.overridden", "wipe")
			if r.p.Override.Who != "Anna" || r.p.Override.At.IsZero() {
				t.Errorf("%+v", r.p.Override)
			}
			out = append(out, r)
		}
		charging(t).cut().override().did("drop charge", "put charge_void")
		one := returning(t).cut().override().didNot("put").lights(false, true) // one fence is enough
		fenced := returning(t).answer(lane.VerbReturn, payment.OutFenced).cut().override().didNot("put")
		opened(t).refused(overriding(), lane.NoNotInDoubt)
		ask(t).cut().refused(overriding(), lane.NoNotInDoubt) // never sent: withdraw it
		paid(t).cut().refused(overriding(), lane.NoWrongState)
		released(t).cut().refused(overriding(), lane.NoWrongState)
		return append(out, one, fenced)
	}},
	{"E13r", "waiting_one_goes_with_it", func(t *testing.T) []*run {
		old := opened(t).take(lane.Event{Kind: lane.TillReplace, ID: "p2"}).cut()
		e := overriding()
		e.Follows = true
		old.take(e).by("E13r").is(lane.Overridden, "overridden")
		w := asking()
		w.ID, w.Wait, w.Create.Replaces = "p2", true, "p1"
		waiting := (&run{t: t, now: start}).take(w).kind(lane.OldOver).by("E13r").is(lane.Ended, "canceled").didNot("put")
		old.sale, waiting.sale = []lane.Payment{waiting.p}, []lane.Payment{old.p}
		return []*run{old.lights(false, true), waiting.lights(false, true)}
	}},
	{"E17", "overridden_ends", one(func(t *testing.T) *run {
		return overridden(t).bill(payment.EvClosed).by("E17").is(lane.OverriddenEnded, "overridden").lights(false, true).did("tell payment.ended")
	})},
	{"E17a", "money_comes_late", func(t *testing.T) []*run {
		var out []*run
		for _, kind := range []string{payment.EvPaid, payment.EvLate, payment.EvPaidAfter} {
			for _, r := range []*run{overridden(t), overridden(t).bill(payment.EvClosed), expiring(t).bill(payment.EvClosed)} {
				stage, state := r.p.Stage, lane.State(r.p, false)
				out = append(out, r.back().bill(kind).by("E17a").is(stage, state).lights(false, true).did("tell payment.money_late"))
			}
		}
		return out
	}},
}

// withoutParked are the flags of a payment before it was parked.
func withoutParked(r *run) []string {
	return slices.DeleteFunc(lane.Flags(r.p), func(f string) bool { return f == "parked" })
}

var restoreTests = []rowTest{
	{"E30", "known_version", func(t *testing.T) []*run {
		r := opened(t)
		e := event(r.p, payment.EvPaid)
		e.Bill.Version--
		v := r.p.Version
		r.take(e).by("E30").is(lane.Open, "open")
		e.Kind = lane.Snapshot
		r.take(e).by("E30")
		if r.p.Version != v {
			t.Error("old news changed the payment")
		}
		return []*run{r}
	}},
	{"E10l", "fence_lost", one(func(t *testing.T) *run {
		r := opened(t).giveBack("b-1").answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed, func(b *payment.Bill) { b.Fence = true }).is(lane.Ended, "canceled").lights(false, true)
		copied := func(b *payment.Bill) {
			b.Version += 1 << 20
			b.Life, b.Reason, b.Fence, b.Review, b.Why = payment.Open, "", false, true, payment.WhyLedgerRestored
		}
		r.bill(payment.EvReview, copied).by("E10l").did("put return", "tell payment.review").is(lane.Ended, "canceled").lights(false, true).flags("review")
		if c := r.p.Pending(lane.VerbReturn); c.Key != r.p.Fence || !c.Whole {
			t.Errorf("%+v", c)
		}
		r.bill(payment.EvReview, copied).notBy("E10l") // it is on its way
		return r.answer(lane.VerbReturn, payment.OutFenced).is(lane.Ended, "canceled").lights(false, true)
	})},
	{"E10l", "fence_answered_behind_the_end", func(t *testing.T) []*run {
		var out []*run
		closed := func(r *run) *run {
			return r.bill(payment.EvClosed, func(b *payment.Bill) {
				b.Reason, b.Fence, b.Paid, b.Owed = payment.Returned, true, amount, amount
			})
		}
		for name, end := range map[string]func(*run) *run{ // one commit says both, over two ways
			"answer first": func(r *run) *run { return closed(r.answer(lane.VerbReturn, payment.OutFenced)) },
			"event first":  func(r *run) *run { return closed(r).answer(lane.VerbReturn, payment.OutFenced).didNot("tell") },
		} {
			for _, marked := range []bool{true, false} { // open when it was put back, or kept by the copy's clock before the box came
				t.Log(name, marked)
				r := end(paid(t).giveBack("b-1")).is(lane.Ended, "returned").lights(false, true).didNot("put")
				cash := end(opened(t).cut().override().back()).is(lane.OverriddenEnded, "overridden").didNot("put")
				for _, r := range []*run{r, cash} {
					stage, state := r.p.Stage, lane.State(r.p, false)
					if marked {
						r.bill(payment.EvPaid, func(b *payment.Bill) { b.Version, b.Review, b.Why = b.Version+1<<20, true, payment.WhyLedgerRestored })
					} else {
						r.snapshot(payment.EvDone, func(b *payment.Bill) { b.Version += 1 << 20 })
					}
					r.by("E10l").did("put return").is(stage, state).lights(false, true).flagged("review")
					if c := r.p.Pending(lane.VerbReturn); c.Key != r.p.Fence || !c.Whole {
						t.Errorf("%+v", c)
					}
					out = append(out, r.answer(lane.VerbReturn, payment.OutFenced).is(stage, state))
				}
			}
		}
		return out
	}},
	{"E10l", "over_in_the_copy_without_the_fence", func(t *testing.T) []*run {
		var out []*run
		gone := func(b *payment.Bill) { // the copy's clock has ended it, and gives the part back that came
			b.Version += 1 << 20
			b.Reason, b.Fence, b.Review, b.Why, b.Paid, b.Owed = payment.Expire, false, true, payment.WhyLedgerRestored, 5000, 5000
		}
		for name, fenced := range map[string]func() *run{
			"returning": func() *run {
				return opened(t).giveBack("b-1").answer(lane.VerbReturn, payment.OutFenced).is(lane.Closing, "closing")
			},
			"overridden": func() *run { return overridden(t).back().answer(lane.VerbReturn, payment.OutFenced) },
		} {
			t.Log(name)
			end, row := lane.Ended, "E11"
			if name == "overridden" {
				end, row = lane.OverriddenEnded, "E17"
			}
			for _, r := range []*run{fenced().snapshot(payment.EvClosed, gone), fenced().bill(payment.EvClosed, gone)} {
				r.by(row).notBy("E10l").didNot("put").did("tell payment.ended").lights(false, true)
				if r.p.Stage != end {
					t.Errorf("it is %s for ever", r.p.Stage)
				}
				out = append(out, r)
			}
			// The line broke before it was read, and the bank has given the part back meanwhile: that event comes first.
			later := fenced()
			e := event(later.p, payment.EvClosed, gone, func(b *payment.Bill) { b.Owed, b.Returned = 0, 5000 })
			e.Kind = payment.EvReturned
			later.take(e).by("E16a").didNot("put")
			e.Kind = lane.Snapshot
			if later.take(e).by(row).lights(false, true); later.p.Stage != end {
				t.Errorf("it is %s for ever", later.p.Stage)
			}
			later.take(e).by("E30")
			out = append(out, later)
			// The box came before the clock: the fence is there first.
			r := fenced().bill(payment.EvReview, func(b *payment.Bill) {
				b.Version, b.Why = b.Version+1<<20, payment.WhyLedgerRestored
			}).by("E10l").did("put return").answer(lane.VerbReturn, payment.OutFenced)
			if r.bill(payment.EvClosed).by(row); r.p.Stage != end {
				t.Errorf("it is %s for ever", r.p.Stage)
			}
			out = append(out, r)
		}
		over := opened(t).giveBack("b-1").answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed)
		return append(out, over.snapshot(payment.EvClosed, gone).notBy("E10l").didNot("put").is(lane.Ended, "canceled").lights(false, true))
	}},
	{"E10n", "refused_fence", func(t *testing.T) []*run {
		asksAgain := func(r *run) *run {
			t.Helper()
			c := r.p.Pending(lane.VerbReturn)
			if c == nil || c.Key != r.p.Fence || !c.Whole || c.Reason != "" {
				t.Fatalf("the fence is on its way as %+v", c)
			}
			return r
		}
		var out []*run
		for name, begin := range map[string]func(*testing.T) *run{
			"returning": returning, "not shown": func(t *testing.T) *run { return sent(t).bill(payment.EvOpen).kind(lane.OutputsDone) },
			"paid": func(t *testing.T) *run { return paid(t).giveBack("C-1") }, "charging": func(t *testing.T) *run {
				return charging(t).giveBack("C-1").answer(lane.VerbChargeVoid, payment.OutVoid)
			},
		} {
			for _, code := range []string{"bad_params", payment.NoKeyReused, payment.NoWrongState, "unknown_method", payment.NoExceedsKept, "of_a_newer_server"} {
				t.Log(name, code)
				r := begin(t)
				id := r.p.Pending(lane.VerbReturn).ID
				asksAgain(r.refusal(lane.VerbReturn, code).by("E10n").did("put return", "tell payment.review").flags("review").lights(false, false))
				if again := r.p.Pending(lane.VerbReturn).ID; again == id {
					t.Fatalf("it is asked again under the id %s, of which an answer may be kept", again)
				}
				r.refusal(lane.VerbReturn, code).by("E10n").didNot("put", "tell").did("arm fence").is(lane.Closing, "closing").lights(false, false)
				asksAgain(r.clock(lane.FenceAgain).by("E10n").did("put return"))
				out = append(out, r.answer(lane.VerbReturn, payment.OutFenced).is(lane.Closing, "closing").lights(false, true).did("tell payment.fenced"))
			}
		}
		other := returning(t).answer(lane.VerbReturn, payment.OutReturning).by("E10n") // an answer of the key's, and none of a fence
		boot := returning(t).refusal(lane.VerbReturn, "bad_params").refusal(lane.VerbReturn, "bad_params").kind(lane.Boot).did("arm fence")
		asksAgain(boot.clock(lane.FenceAgain))
		cash := overridden(t).back().refusal(lane.VerbReturn, "bad_params").by("E10n").is(lane.Overridden, "overridden").lights(false, true).flags("review")
		asksAgain(cash).answer(lane.VerbReturn, payment.OutFenced).by("E10b").didNot("tell", "arm").is(lane.Overridden, "overridden")
		if !cash.p.FenceAcked {
			t.Error("the fence of an overridden payment is not known to be there")
		}
		kept := overridden(t).back().refusal(lane.VerbReturn, payment.NoAlreadyConfirmed).by("E10n").is(lane.OverriddenEnded, "overridden").lights(false, true).flags("review").didNot("put", "arm")
		lost := opened(t).giveBack("b-1").answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed)
		lost.bill(payment.EvReview, func(b *payment.Bill) {
			b.Version += 1 << 20
			b.Life, b.Reason, b.Fence, b.Review, b.Why = payment.Open, "", false, true, payment.WhyLedgerRestored
		}).by("E10l")
		asksAgain(lost.refusal(lane.VerbReturn, "bad_params").by("E10n").is(lane.Ended, "canceled"))
		over := returning(t).bill(payment.EvClosed).refusal(lane.VerbReturn, "bad_params").notBy("E10n").is(lane.Ended, "canceled").didNot("put", "arm") // no money can come any more
		return append(out, other, boot, cash, kept, lost, over)
	}},
	{"E15l", "confirm_lost", one(func(t *testing.T) *run {
		part := int64(50)
		r := done(t)
		r.take(lane.Event{Kind: lane.TillReturn, Return: &lane.ReturnRequest{Reference: "b-1", Amount: &payment.Money{Value: part, Currency: "RUB"}}}).answer(lane.VerbReturn, payment.OutReturning)
		final := r.p.Final
		copied := func(life payment.Life, fill payment.Fill) func(b *payment.Bill) {
			return func(b *payment.Bill) {
				b.Version += 1 << 20
				b.Life, b.Reason, b.Fill, b.Review, b.Why, b.Returns = life, "", fill, true, payment.WhyLedgerRestored, nil
			}
		}
		r.bill(payment.EvReview, copied(payment.Open, payment.None)).notBy("E15l").is(lane.Done, "part_returned") // the money is not there yet
		r.bill(payment.EvPaid, copied(payment.Open, payment.Full)).by("E15l").did("put confirm", "put return", "tell payment.review").lights(true, false).flags("review")
		if c := r.p.Pending(lane.VerbConfirm); c.Final != final {
			t.Errorf("%+v", c)
		}
		if c := r.p.Pending(lane.VerbReturn); c.Amount != part || c.Whole {
			t.Errorf("%+v", c)
		}
		return r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "part_returned")
	})},
	{"E15l", "return_waits", one(func(t *testing.T) *run {
		full := func(b *payment.Bill) {
			b.Version += 1 << 20
			b.Life, b.Reason, b.Fill, b.Review, b.Why, b.Returns = payment.Open, "", payment.Full, true, payment.WhyLedgerRestored, nil
		}
		r := done(t).take(part("b-1", 50))
		waits := r.p.Pending(lane.VerbReturn).ID
		r.bill(payment.EvReview, full).by("E15l").did("drop return", "put confirm", "put return")
		if c := r.p.Calls; len(c) != 2 || c[0].Verb != lane.VerbConfirm || c[1].Amount != 50 || c[1].ID == waits {
			t.Errorf("the calls are %+v", c)
		}
		return r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "part_returned")
	})},
	{"E15l", "return_of_everything_came_first", func(t *testing.T) []*run {
		var out []*run
		for _, n := range []int64{50, amount} { // a part, and the usual one: all that was kept
			for _, c := range []struct {
				code string
				life payment.Life
				fill payment.Fill
			}{
				{payment.NoConfirmFirst, payment.Open, payment.Full},
				{payment.NoWrongState, payment.Open, payment.Full},
				{payment.NoWrongState, payment.Open, payment.None},
				{payment.NoWrongState, payment.Open, payment.Part},
				{payment.NoWrongState, payment.Closing, payment.None},
				{payment.NoWrongState, payment.Created, payment.None},
			} {
				copied := func(b *payment.Bill) {
					b.Version += 1 << 20
					b.Life, b.Reason, b.Fill, b.Review, b.Why, b.Returns = c.life, "", c.fill, true, payment.WhyLedgerRestored, nil
				}
				r := done(t).take(part("b-1", n))
				b := billOf(r.p, payment.EvPaid)
				copied(&b)
				t.Log(n, c.code, c.life, c.fill)
				r.answered(lane.VerbReturn, lane.Answer{Code: c.code, Bill: &b})
				if x := r.p.Returns; len(x) != 1 || x[0].Void() || x[0].State != "pending" {
					t.Fatalf("the customer's money does not come back: %+v", x)
				}
				if c.fill != payment.Full { // its money comes to this ledger later
					r.didNot("put").bill(payment.EvPaid, func(b *payment.Bill) { b.Why, b.Review = payment.WhyLedgerRestored, true })
				}
				r.by("E15l").is(lane.Released, "confirmed").did("put confirm", "put return")
				r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning)
				out = append(out, r)
			}
		}
		for _, code := range []string{payment.NoExceedsKept, payment.NoAdvanceApplied, payment.NoTooManyReturns} {
			r := done(t).take(part("b-1", 50))
			b := billOf(r.p, payment.EvDone)
			b.Why = payment.WhyLedgerRestored
			if r.answered(lane.VerbReturn, lane.Answer{Code: code, Bill: &b}); !r.p.Returns[0].Void() {
				t.Errorf("%s: %+v", code, r.p.Returns)
			}
		}
		return out
	}},
	{"E15l", "return_came_first", one(func(t *testing.T) *run {
		r := done(t).take(part("b-1", 50))
		waits := r.p.Pending(lane.VerbReturn).ID
		b := billOf(r.p, payment.EvPaid)
		b.Version += 1 << 20
		b.Life, b.Reason, b.Fill, b.Review, b.Why, b.Returns = payment.Open, "", payment.Full, true, payment.WhyLedgerRestored, nil
		r.answered(lane.VerbReturn, lane.Answer{Code: payment.NoConfirmFirst, Bill: &b}).by("E15l").is(lane.Released, "confirmed").did("put confirm", "put return")
		if c := r.p.Calls; len(c) != 2 || c[0].Verb != lane.VerbConfirm || c[1].Amount != 50 || c[1].ID == waits {
			t.Errorf("the calls are %+v", c)
		}
		return r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "part_returned")
	})},
	{"E16l", "return_lost", func(t *testing.T) []*run {
		returned := func() *run {
			return done(t).take(part("b-1", 50)).answer(lane.VerbReturn, payment.OutReturning).bill(payment.EvReturned).take(part("b-2", 70)).answer(lane.VerbReturn, payment.OutReturning)
		}
		settled := func(by bool, keys ...int) func(*payment.Bill) {
			return func(b *payment.Bill) {
				b.Version, b.ByDeadline, b.Returns = b.Version+1<<20, by, nil
				for _, i := range keys {
					x := returned().p.Returns[i]
					b.Returns = append(b.Returns, payment.BillReturn{Key: x.ID, Amount: x.Amount, How: "refund", State: "done"})
					b.Kept -= x.Amount
				}
			}
		}
		both := returned().snapshot(payment.EvDone, settled(false)).by("E16l").is(lane.Done, "part_returned").lights(true, false).flagged("review").did("tell payment.review").didNot("put confirm")
		if c := both.p.Calls; len(c) != 2 || c[0].Amount != 50 || c[1].Amount != 70 || c[0].Key != both.p.Returns[0].ID || c[0].Whole {
			t.Errorf("the calls are %+v", c)
		}
		both.snapshot(payment.EvDone, settled(false)).notBy("E16l") // they are on their way
		both.answer(lane.VerbReturn, payment.OutReturning).answer(lane.VerbReturn, payment.OutReturning)
		one := returned().snapshot(payment.EvDone, settled(false, 0)).by("E16l")
		if c := one.p.Calls; len(c) != 1 || c[0].Amount != 70 {
			t.Errorf("the calls are %+v", c)
		}
		none := returned().snapshot(payment.EvDone, settled(false, 0, 1)).notBy("E16l").didNot("put")
		refused := done(t).take(part("b-1", 50)).refusal(lane.VerbReturn, payment.NoExceedsKept).snapshot(payment.EvDone, settled(false)).notBy("E16l").didNot("put")
		clock := returned().snapshot(payment.EvDone, settled(true)).by("E16l").is(lane.Released, "part_returned").did("put confirm", "put return")
		if c := clock.p.Calls; len(c) != 3 || c[0].Verb != lane.VerbConfirm || c[0].Final != amount {
			t.Errorf("the calls are %+v", c)
		}
		clock.answer(lane.VerbConfirm, payment.OutConfirmed).is(lane.Done, "part_returned")
		// A fence of which the copy knows nothing, because its clock had kept the money.
		fenced := paid(t).bill(payment.EvDone).giveBack("b-1").answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Fence = payment.Returned, true }).is(lane.Ended, "returned")
		told := *fenced
		fenced.snapshot(payment.EvDone, settled(true)).by("E10l").did("put return").lights(false, true)
		told.bill(payment.EvOver, settled(true)).by("E16a").snapshot(payment.EvDone, func(b *payment.Bill) { // one more paid meanwhile, and its event came first
			settled(true)(b)
			b.Version = told.p.BillVersion()
		}).by("E10l").did("put return").lights(false, true)
		return []*run{both, one, none, refused, clock}
	}},
	{"E16l", "return_lost_beside_a_new_one", func(t *testing.T) []*run {
		had := func() *run { return done(t).take(part("b-1", 50)).answer(lane.VerbReturn, payment.OutReturning) }
		lost := func(by bool, version int64) func(*payment.Bill) { // the first return is in no ledger
			return func(b *payment.Bill) {
				b.Version, b.ByDeadline = version, by
				b.Returns = slices.DeleteFunc(b.Returns, func(x payment.BillReturn) bool { return x.Amount == 50 })
			}
		}
		calls := func(r *run, want ...string) {
			t.Helper()
			var is []string
			for _, c := range r.p.Calls {
				is = append(is, fmt.Sprint(c.Verb, " ", c.Amount))
			}
			if !slices.Equal(is, want) {
				t.Errorf("the calls are %v, want %v", is, want)
			}
		}
		both := func(r *run) *run { // neither is forgotten
			t.Helper()
			for len(r.p.Calls) > 0 {
				r.answer(lane.VerbReturn, payment.OutReturning)
			}
			if x := r.p.Returns; len(x) != 2 || !x[0].Taken || !x[1].Taken {
				t.Errorf("the returns are %+v", x)
			}
			return r.is(lane.Done, "part_returned")
		}
		above := had().p.BillVersion() + 1<<20
		// The cashier makes another while the bill is being read, and so behind the question.
		behind := had().take(part("b-2", 70)).snapshot(payment.EvDone, lost(false, above)).by("E16l")
		calls(behind, "return 70", "return 50")
		behind.snapshot(payment.EvDone, lost(false, above+1)).notBy("E16l")
		// It was made while the line was down, and so before the question; its event is here before the answer.
		before := had().take(part("b-2", 70)).answer(lane.VerbReturn, payment.OutReturning).bill(payment.EvReturning, lost(false, above)).by("E16a")
		calls(before)
		before.snapshot(payment.EvReturning, lost(false, above)).by("E16l")
		calls(before, "return 50")
		before.snapshot(payment.EvReturning, lost(false, above)).notBy("E16l")
		// The copy's clock has kept the money: what waits goes behind the confirm.
		clock := had().take(part("b-2", 70)).snapshot(payment.EvDone, lost(true, above)).by("E16l").did("drop return", "put confirm", "put return").is(lane.Released, "part_returned")
		calls(clock, "confirm 0", "return 50", "return 70")
		clock.answer(lane.VerbConfirm, payment.OutConfirmed)
		older := had().bill(payment.EvReturned).snapshot(payment.EvDone, lost(false, had().p.BillVersion())).by("E30").didNot("put")
		return []*run{both(behind), both(before), both(clock), older}
	}},
	{"E16l", "confirm_lost_and_kept_by_the_clock", func(t *testing.T) []*run {
		kept := func(b *payment.Bill) { b.Version += 1 << 20 }
		less := func() *run {
			return paid(t).take(confirm(amount-40)).answer(lane.VerbConfirm, payment.OutConfirmed).bill(payment.EvReturned).is(lane.Done, "confirmed")
		}
		// 40 were owed, and are owed by nobody any more.
		for name, marked := range map[string]bool{"settled": false, "something was owed": true} {
			t.Log(name)
			r := less()
			if marked { // the event comes first
				r.bill(payment.EvReview, func(b *payment.Bill) {
					*b = billOf(r.p, payment.EvDone)
					kept(b)
					b.Owed, b.Review, b.Why = 40, true, payment.WhyLedgerRestored
				}).by("E16a")
			}
			same := r.p.BillVersion()
			r.snapshot(payment.EvDone, func(b *payment.Bill) {
				if kept(b); marked {
					b.Version = same
				}
			}).by("E16l").is(lane.Released, "confirmed").lights(true, false).did("put confirm", "tell payment.review").flagged("review")
			if c := r.p.Calls; len(c) != 1 || c[0].Verb != lane.VerbConfirm || c[0].Final != amount-40 {
				t.Errorf("the calls are %+v", c)
			}
			r.snapshot(payment.EvDone, kept).notBy("E16l") // it is on its way
			r.answer(lane.VerbConfirm, payment.OutConfirmed).is(lane.Done, "confirmed").snapshot(payment.EvDone, func(b *payment.Bill) { kept(b); b.ByDeadline = false }).notBy("E16l")
		}
		var out []*run
		// Nobody asked: a return finds it out, whether the box has heard of the bill since or not.
		for _, n := range []int64{50, amount} {
			for _, heard := range []bool{false, true} {
				t.Log(n, heard)
				r := done(t)
				b := billOf(r.p, payment.EvDone)
				kept(&b)
				if heard {
					r.bill(payment.EvOver, func(x *payment.Bill) { *x = b; x.Paid, x.Over, x.Owed = 2*amount, amount, amount }).by("E16a")
				}
				r.take(part("b-1", n))
				waits := r.p.Pending(lane.VerbReturn).ID
				r.answered(lane.VerbReturn, lane.Answer{Code: payment.NoWrongState, Bill: &b}).by("E16l").is(lane.Released, "confirmed").did("put confirm", "put return")
				if c := r.p.Calls; len(c) != 2 || c[0].Verb != lane.VerbConfirm || c[0].Final != amount || c[1].Amount != n || c[1].ID == waits {
					t.Errorf("the calls are %+v", c)
				}
				if x := r.p.Returns; len(x) != 1 || x[0].Void() || x[0].State != "pending" {
					t.Fatalf("the customer's money does not come back: %+v", x)
				}
				state := map[int64]string{50: "part_returned", amount: "returned"}[n]
				out = append(out, r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, state))
			}
		}
		// What somebody else has closed as done was not this till's sale to confirm, and its returns are refused as ever.
		half := func(b *payment.Bill) { b.Fill, b.Paid, b.Kept = payment.Part, 5000, 5000 }
		other := expiring(t).bill(payment.EvDone, half).by("E15a").is(lane.Done, "confirmed")
		other.snapshot(payment.EvDone, func(b *payment.Bill) { half(b); kept(b) }).notBy("E16l").didNot("put")
		b := *other.p.Bill
		other.take(part("b-1", 50)).answered(lane.VerbReturn, lane.Answer{Code: payment.NoWrongState, Bill: &b}).notBy("E16l").didNot("put").did("tell payment.returned")
		// More than is kept cannot be confirmed: the bank took some of it.
		more := done(t).snapshot(payment.EvDone, func(b *payment.Bill) { kept(b); b.Kept-- }).notBy("E16l").didNot("put")
		// A refusal of before what the box has heard since proves nothing.
		old := done(t)
		stale := billOf(old.p, payment.EvDone)
		old.bill(payment.EvOver, func(b *payment.Bill) { b.Version += 5 }).take(part("b-1", 50)).answered(lane.VerbReturn, lane.Answer{Code: payment.NoWrongState, Bill: &stale}).notBy("E16l").did("tell payment.returned")
		if !old.p.Returns[0].Void() {
			t.Errorf("%+v", old.p.Returns)
		}
		return append(out, other, more, old)
	}},
	{"E31l", "bill_lost", func(t *testing.T) []*run {
		var out []*run
		for name, begin := range map[string]func(*testing.T) *run{
			"open": func(t *testing.T) *run { return opened(t) }, "drawn": func(t *testing.T) *run { return sent(t).answer(lane.VerbCreate, "created").bill(payment.EvOpen) },
			"paying": func(t *testing.T) *run { return opened(t).bill(payment.EvPaying) }, "part": func(t *testing.T) *run { return opened(t).bill(payment.EvPart) },
			"expiring": expiring, "late": late, "accepting": accepting, "returning": returning,
			"copy": func(t *testing.T) *run { return opened(t).kind(lane.FoundCopy) },
		} {
			t.Log(name)
			r := begin(t).kind(lane.Snapshot).is(lane.Closing, "closing").lights(false, false).did("put create", "put return", "tell payment.review").flagged("review")
			if c := r.p.Calls; len(c) != 2 || c[0].Verb != lane.VerbCreate || !c[1].Whole || c[1].Key != r.p.Fence {
				t.Errorf("the calls are %+v", c)
			}
			r.kind(lane.Snapshot).didNot("put", "tell") // it is on its way
			refused, again := *r, *r
			r.answer(lane.VerbCreate, "created").bill(payment.EvOpen).didNot("draw").answer(lane.VerbReturn, payment.OutFenced).is(lane.Closing, "closing").lights(false, true)
			r.bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Paid, b.Owed = payment.Returned, amount, amount }).is(lane.Ended, "returned").say("returned/owed", "returning")
			out = append(out, r)
			// It cannot be made again: nobody knows, so a person with a name takes other money.
			refused.refusal(lane.VerbCreate, "bad_params").is(lane.Closing, "closing").lights(false, false)
			for _, dark := range []*run{&refused, again.answer(lane.VerbCreate, "created")} {
				dark.refusal(lane.VerbReturn, payment.NoUnknownBill).by("E31l").is(lane.Closing, "closing").lights(false, false).didNot("put").did("arm fence")
				if _, is := dark.p.FenceRefused(); !is {
					t.Error("there is no doubt that lets a supervisor take other money")
				}
				dark.clock(lane.FenceAgain).by("E10n").did("put return").refusal(lane.VerbReturn, payment.NoUnknownBill).didNot("put", "tell").lights(false, false)
				dark.cut().override().lights(false, true)
			}
		}
		scan := charging(t).kind(lane.Snapshot).by("E31l").is(lane.Closing, "closing").lights(false, false).did("drop charge", "put return").didNot("put create", "put charge_void")
		scan.refusal(lane.VerbReturn, payment.NoUnknownBill).by("E31l").lights(false, false).did("arm fence").didNot("put").flags("review")
		cash := charging(t).cut().override().back().answer(lane.VerbChargeVoid, payment.OutCharging).refusal(lane.VerbReturn, payment.NoUnknownBill).by("E31l").is(lane.OverriddenEnded, "overridden").lights(false, true)
		safe := returning(t).answer(lane.VerbReturn, payment.OutFenced).kind(lane.Snapshot).by("E31l").did("put create", "put return").is(lane.Closing, "closing").lights(false, true) // what was told stays
		safe.answer(lane.VerbCreate, "created").refusal(lane.VerbReturn, payment.NoUnknownBill).is(lane.Ended, "canceled").lights(false, true).flags("review")
		return append(out, scan, cash, safe)
	}},
	{"E31", "snapshot", func(t *testing.T) []*run {
		var out []*run
		for _, c := range []struct {
			r     *run
			kind  string
			row   string
			stage lane.Stage
		}{
			{sent(t), payment.EvOpen, "E3", lane.Open},
			{opened(t), payment.EvPaying, "E3c", lane.Open},
			{opened(t), payment.EvPaid, "E6", lane.Paid},
			{opened(t), payment.EvDone, "E6", lane.Paid},
			{opened(t), payment.EvLate, "E7", lane.LateOffered},
			{opened(t), payment.EvClosing, "E9", lane.Closing},
			{opened(t), payment.EvClosed, "E11", lane.Ended},
			{late(t), payment.EvLate, "E16a", lane.LateOffered},
			{done(t), payment.EvReturned, "E16a", lane.Done},
			{returning(t), payment.EvPaid, "E10a", lane.Closing},
			{overridden(t).back(), payment.EvClosed, "E17", lane.OverriddenEnded},
		} {
			c.r.snapshot(c.kind).by("E31").by(c.row)
			if c.r.p.Stage != c.stage || slices.Contains(lane.Flags(c.r.p), "review") {
				t.Errorf("snapshot as %s: %s, %v", c.kind, c.r.p.Stage, lane.Flags(c.r.p))
			}
			out = append(out, c.r)
		}
		made := sent(t).snapshot(payment.EvOpen, func(b *payment.Bill) { b.Life = payment.Created }).by("E31").is(lane.Submitted, "submitted")
		queued := sent(t).kind(lane.Snapshot).is(lane.Submitted, "submitted")                                                                           // not known, and the create waits
		gone := sent(t).answer(lane.VerbCreate, "created").kind(lane.Snapshot).by("E31").is(lane.Ended, "canceled").flags("review").lights(false, true) // not known at all, and no code was out
		stays := paid(t).kind(lane.Snapshot).by("E31").is(lane.Paid, "paid").flags("review")                                                            // what was told stays
		asked := sent(t).answer(lane.VerbCreate, "created").giveBack("C-1").refusal(lane.VerbReturn, payment.NoUnknownBill).by("E31").is(lane.Ended, "canceled")
		b := billOf(opened(t).p, payment.EvClosing)
		b.Version = 9
		wrong := opened(t).take(lane.Event{Kind: lane.TillExtend}).answered(lane.VerbExtend, lane.Answer{Code: payment.NoCannotExtend, Bill: &b}).by("E31").is(lane.Closing, "closing")
		return append(out, made, queued, gone, stays, asked, wrong)
	}},
	{"E32", "no_row", func(t *testing.T) []*run {
		r := done(t).bill(payment.EvClosed).by("E32").is(lane.Done, "confirmed").flags("review").did("tell payment.review")
		nobody := &run{t: t, now: start}
		b := billOf(r.p, payment.EvPaid)
		nobody.take(lane.Event{Kind: payment.EvPaid, Bill: &b}).by("E32").didNot("tell")
		return []*run{r, opened(t).bill(payment.EvChild).by("E32").is(lane.Open, "open").flags("review"), nobody}
	}},
	{"E33", "copy", func(t *testing.T) []*run {
		var out []*run
		for _, r := range []*run{ask(t), sent(t), opened(t), opened(t, scanMode), charging(t), expiring(t), late(t), accepting(t), paid(t)} {
			r.kind(lane.FoundCopy).by("E33").is(lane.Restored, "in_doubt").lights(false, false).flags(append(withoutReview(r), "review")...).did("tell payment.review")
			if lane.Occupies(r.p) {
				t.Error("the lane is not free")
			}
			r.refused(lane.Event{Kind: lane.TillConfirm, Who: "Anna"}, lane.NoWrongState)
			out = append(out, r)
		}
		for _, r := range []*run{returning(t), released(t), done(t), overridden(t), expiring(t).bill(payment.EvClosed)} {
			stage, calls := r.p.Stage, len(r.p.Calls)
			r.kind(lane.FoundCopy).notBy("E33")
			if r.p.Stage != stage || len(r.p.Calls) != calls {
				t.Errorf("%s does not stand: %s", stage, r.p.Stage)
			}
		}
		return out
	}},
	{"E33b", "calls_dropped", func(t *testing.T) []*run {
		return []*run{
			sent(t).kind(lane.FoundCopy).by("E33b").did("drop create"),
			charging(t).kind(lane.FoundCopy).did("drop charge"),
			charging(t).take(lane.Event{Kind: lane.Boot}).kind(lane.FoundCopy).did("drop charge_void"),
			accepting(t).kind(lane.FoundCopy).did("drop accept_late"),
			opened(t).take(lane.Event{Kind: lane.TillExtend}).kind(lane.FoundCopy).did("drop extend"),
		}
	}},
	{"E33a", "snapshot_decides", func(t *testing.T) []*run {
		lost := func() *run { return paid(t).kind(lane.FoundCopy) }
		same := lost()
		e := event(same.p, payment.EvPaid)
		e.Kind = lane.Snapshot
		e.Bill.Version-- // nothing has happened since the copy
		same.take(e).by("E33a").is(lane.Restored, "in_doubt").lights(false, false)
		gone := ask(t).kind(lane.FoundCopy).kind(lane.Snapshot).by("E33a").is(lane.Ended, "canceled").flags("review")
		var fenced []*run
		for _, kind := range []string{payment.EvOpen, payment.EvPart, payment.EvPaying, payment.EvClosing, payment.EvLate} {
			r := lost().snapshot(kind).by("E33a").by("E10").is(lane.Closing, "closing").did("put return").lights(false, false)
			fenced = append(fenced, r.answer(lane.VerbReturn, payment.OutFenced).by("E10b").lights(false, true))
		}
		byBox := lost().snapshot(payment.EvDone, func(b *payment.Bill) {
			b.ByDeadline, b.Kept, b.Returned = false, amount-550, 550
			b.Returns = []payment.BillReturn{{Key: "k", Amount: 550, How: "refund", State: "done"}}
			b.Attempt = 3
		}).is(lane.Done, "part_returned")
		if byBox.p.Final != amount || byBox.p.Attempt != 3 {
			t.Errorf("final %d, attempt %d", byBox.p.Final, byBox.p.Attempt)
		}
		refused := lost().snapshot(payment.EvDone, func(b *payment.Bill) {
			b.ByDeadline, b.Kept, b.Returned, b.Owed = false, amount-550, 0, 550
			b.Returns = []payment.BillReturn{{Key: "k", Amount: 550, How: "refund", State: "refused"}}
		}).is(lane.Done, "part_returned") // what the bank refused is owed
		refused.refused(part("x", amount-549), lane.NoExceedsKept).take(part("y", amount-550))
		closed := lost().snapshot(payment.EvClosed).by("E33a").is(lane.Ended, "expired").lights(false, true)
		later := opened(t).kind(lane.FoundCopy).bill(payment.EvPaid).by("E33a").is(lane.Restored, "in_doubt")
		return append(fenced, same, gone, byBox, closed, later)
	}},
	{"E33c", "a_person_decides", func(t *testing.T) []*run {
		full := func(kind string) *run { return paid(t).kind(lane.FoundCopy).snapshot(kind) }
		var out []*run
		for _, kind := range []string{payment.EvPaid, payment.EvDone} {
			gone := full(kind).refused(lane.Event{Kind: lane.TillConfirm}, lane.NoWrongState) // without a name
			e := confirm(5000)
			e.Who = "Anna"
			gone.take(e).by("E33c").is(lane.Released, "confirmed").did("put confirm", "tell payment.confirmed").lights(true, false)
			here := full(kind)
			here.take(lane.Event{Kind: lane.TillReturn, Who: "Anna", Return: &lane.ReturnRequest{Reference: "C-1"}}).by("E33c").is(lane.Closing, "closing").did("put return").lights(false, false)
			out = append(out, gone, here)
		}
		return out
	}},
}

var noteTests = []rowTest{
	{"receipt", "put", one(func(t *testing.T) *run {
		r := paid(t).take(lane.Event{Kind: lane.TillReceipt, Receipt: &lane.Receipt{Number: "17"}}).by("receipt").is(lane.Paid, "paid").did("tell payment.receipt", "stop no_receipt")
		opened(t).refused(lane.Event{Kind: lane.TillReceipt, Receipt: &lane.Receipt{Number: "17"}}, lane.NoWrongState)
		return r
	})},
	{"reviewed", "looked_at", one(func(t *testing.T) *run {
		look := lane.Event{Kind: lane.TillReviewed, Who: "Anna"}
		r := done(t).bill(payment.EvReview, func(b *payment.Bill) { b.Review = true }).flags("review").take(look).by("reviewed").flags().did("tell payment.reviewed")
		r.bill(payment.EvReturned, func(b *payment.Bill) { b.Review = true }).flags() // the integrator's flag stands, and was looked at
		r.bill(payment.EvReview, func(b *payment.Bill) { b.Review = true }).flags("review")
		done(t).take(look).notBy("reviewed").flags()                                                               // nothing is under review
		done(t).bill(payment.EvReview).take(lane.Event{Kind: lane.TillReviewed}).notBy("reviewed").flags("review") // nobody named
		return r.take(look).flags()
	})},
	{"no_receipt", "two_minutes", one(func(t *testing.T) *run {
		r := done(t).clock(lane.ReceiptDue).by("no_receipt").flags("no_receipt").did("tell payment.no_receipt").say("no_receipt", "paid")
		return r.take(lane.Event{Kind: lane.TillReceipt, Receipt: &lane.Receipt{Number: "17"}}).flags().say("confirmed", "paid")
	})},
}

func withoutReview(r *run) []string {
	return slices.DeleteFunc(lane.Flags(r.p), func(f string) bool { return f == "review" })
}
