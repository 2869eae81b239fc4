package lane_test

import (
	"encoding/json"
	"testing"
	"time"

	"tilld/payment"
	"tilld/payment/lane"
)

// reboot is the payment as the journal gives it back, after the boot event.
func (r *run) reboot() *run {
	r.t.Helper()
	var p lane.Payment
	if err := json.Unmarshal([]byte(asJSON(r.t, r.p)), &p); err != nil {
		r.t.Fatal(err)
	}
	r.p = p
	return r.take(lane.Event{Kind: lane.Boot, Left: time.Minute})
}

// pair is an old payment and the one that replaces it.
type pair struct{ old, next *run }

// replace does what the engine does for a POST with replaces, in one Batch.
func replace(t *testing.T, old *run) pair {
	t.Helper()
	old.take(lane.Event{Kind: lane.TillReplace, ID: "p2"})
	return pair{old, next(t, "p2", "4822", old)}
}

func next(t *testing.T, id, number string, olds ...*run) *run {
	t.Helper()
	all := []lane.Payment{{ID: id, Replaces: olds[len(olds)-1].p.ID, Stage: lane.Submitted}}
	for _, o := range olds {
		all = append(all, o.p)
	}
	e := asking()
	e.ID, e.Number, e.Create.Reference, e.Create.Replaces = id, number, "R-"+id, olds[len(olds)-1].p.ID
	e.Wait = !lane.GateOpen(lane.Sale(all, id), id)
	return (&run{t: t, now: start}).take(e)
}

// link is the gate asked again, as the engine does after every step of a sale and after a boot.
func (c pair) link() *run { return gate(c.next, c.old) }

func gate(w *run, others ...*run) *run {
	w.t.Helper()
	all := []lane.Payment{w.p}
	for _, o := range others {
		all = append(all, o.p)
	}
	return w.take(lane.Event{Kind: lane.LinkReady, Gate: lane.GateOpen(lane.Sale(all, w.p.ID), w.p.ID)})
}

// see gives both the sale to look at.
func see(runs ...*run) {
	for _, r := range runs {
		r.sale = nil
		for _, q := range runs {
			if q != r {
				r.sale = append(r.sale, q.p)
			}
		}
	}
}

func TestRace(t *testing.T) {
	for name, f := range map[string]func(*testing.T){
		"R1_paid_as_it_expires": func(t *testing.T) {
			expiring(t).bill(payment.EvClosing).bill(payment.EvPaid).is(lane.Paid, "paid")
			expiring(t).bill(payment.EvClosing).bill(payment.EvLate).is(lane.LateOffered, "closing").lights(false, false)
			expiring(t).bill(payment.EvClosing).bill(payment.EvPaidAfter).is(lane.Closing, "closing").lights(false, false).flags("late", "owed")
		},
		"R2_cancel_crosses_a_payment": func(t *testing.T) {
			r := returning(t).bill(payment.EvPaid).lights(false, false).answer(lane.VerbReturn, payment.OutFenced).lights(false, true)
			r.bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Paid, b.Owed = payment.Returned, amount, amount }).is(lane.Ended, "returned").flags("owed")
		},
		"R3_crash_between_send_and_answer": func(t *testing.T) {
			r := sent(t).reboot().is(lane.Submitted, "submitted")
			if r.p.Pending(lane.VerbCreate).ID != "p1:create" || !r.p.Sent {
				t.Errorf("%+v", r.p)
			}
			r.bill(payment.EvOpen).is(lane.Open, "submitted")
		},
		"R4_crash_around_paid": func(t *testing.T) {
			r := opened(t)
			e := event(r.p, payment.EvPaid)
			r.reboot().take(e).is(lane.Paid, "paid").reboot().is(lane.Paid, "paid").take(e).by("E30").is(lane.Paid, "paid").lights(true, false)
		},
		"R5_till_dies_before_confirm": func(t *testing.T) {
			r := paid(t).reboot().bill(payment.EvConfirmWanted).by("E18").bill(payment.EvDone).by("E18").is(lane.Paid, "paid")
			r.take(confirm(5000)).is(lane.Released, "confirmed").answer(lane.VerbConfirm, payment.OutConfirmed).is(lane.Done, "confirmed")
		},
		"R10_a_clone_asks_again": func(t *testing.T) {
			r := sent(t)
			b := billOf(r.p, payment.EvPaid)
			b.Payment = "first"
			r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).is(lane.Restored, "in_doubt").lights(false, false)
		},
		"R11_pays_twice": func(t *testing.T) {
			for _, r := range []*run{paid(t), released(t), done(t)} {
				r.bill(payment.EvOver).flags("over", "owed").lights(true, false)
			}
		},
		"R12_underpaid": func(t *testing.T) {
			r := opened(t).bill(payment.EvPart).clock(lane.Countdown).bill(payment.EvClosing)
			r.bill(payment.EvClosed, func(b *payment.Bill) { b.Paid, b.Owed = 5000, 5000 }).is(lane.Ended, "expired").flags("owed").lights(false, true).say("late_money", "late")
		},
		"R14_wrong_clock": func(t *testing.T) {
			r := opened(t)
			r.now = r.now.AddDate(-5, 0, 0)
			r.reboot().is(lane.Open, "open").clock(lane.Countdown).didNot("put").bill(payment.EvPaid).is(lane.Paid, "paid")
		},
		"R15_link_lost_while_shown": func(t *testing.T) {
			r := opened(t).cut().is(lane.Open, "open").didNot("wipe")
			r.clock(lane.Countdown).is(lane.Closing, "in_doubt").did("wipe").lights(false, false)
			r.back().bill(payment.EvPaid).is(lane.Paid, "paid")
		},
		"R16_code_outlives_ours": func(t *testing.T) {
			expiring(t).bill(payment.EvClosed).lights(false, true).bill(payment.EvPaidAfter).is(lane.Ended, "expired").flags("late", "owed").lights(false, true).say("late_money", "late")
		},
		"R18_confirm_below_paid_and_a_crash": func(t *testing.T) {
			r := paid(t).take(confirm(5000)).reboot().is(lane.Released, "confirmed")
			if c := r.p.Pending(lane.VerbConfirm); c.Final != 5000 || c.ID != "p1:confirm" {
				t.Errorf("%+v", c)
			}
			r.take(confirm(5000)).refused(confirm(amount), lane.NoAlreadyConfirmed)
		},
		"R20_forced_by_staff": func(t *testing.T) {
			opened(t).refused(overriding(), lane.NoNotInDoubt)
			opened(t).cut().override().did("put return").lights(false, true)
		},
		"R21_override_then_an_on_time_payment": func(t *testing.T) {
			r := overridden(t).back().bill(payment.EvPaid).is(lane.Overridden, "overridden").lights(false, true).bill(payment.EvDone).is(lane.Overridden, "overridden")
			r.bill(payment.EvClosed, func(b *payment.Bill) { b.Paid, b.Owed = amount, amount }).is(lane.OverriddenEnded, "overridden").flags("owed").say("late_money", "late")
		},
		"R22_cancel_crosses_paid": func(t *testing.T) {
			r := opened(t)
			e := event(r.p, payment.EvPaid)
			r.giveBack("C-1").take(e).by("E10a").is(lane.Closing, "closing").lights(false, false).refused(lane.Event{Kind: lane.TillConfirm}, lane.NoNotPaid)
		},
		"R23_countdown_crosses_paid": func(t *testing.T) {
			r := opened(t)
			e := event(r.p, payment.EvPaid)
			r.clock(lane.Countdown).take(e).by("E6").is(lane.Paid, "paid")
		},
		"R24_accept_crosses_the_lease": func(t *testing.T) {
			accepting(t).clock(lane.Lease).is(lane.Accepting, "closing").bill(payment.EvPaidAfter).is(lane.Accepting, "closing").answer(lane.VerbAccept, payment.OutLapsed).is(lane.Closing, "closing").bill(payment.EvClosed).is(lane.Ended, "expired")
			accepting(t).bill(payment.EvPaid).is(lane.Paid, "paid").answer(lane.VerbAccept, payment.OutAccepted).is(lane.Paid, "paid")
		},
		"R25_confirm_crosses_auto_confirm": func(t *testing.T) {
			paid(t).take(confirm(5000)).bill(payment.EvDone).is(lane.Released, "confirmed").answer(lane.VerbConfirm, payment.OutConfirmed).is(lane.Done, "confirmed")
		},
		"R26_console_return_crosses_the_hand_over": func(t *testing.T) {
			released(t).bill(payment.EvReturnWanted).is(lane.Released, "confirmed").flags()
			paid(t).bill(payment.EvReturnWanted).by("E18").giveBack("C-1").by("E10")
		},
		"R28_return_while_create_is_unanswered": func(t *testing.T) {
			r := sent(t).giveBack("C-1")
			if r.p.Calls[0].Verb != lane.VerbCreate || r.p.Calls[1].Verb != lane.VerbReturn {
				t.Errorf("%+v", r.p.Calls)
			}
			r.bill(payment.EvOpen).by("E3b").didNot("draw").answer(lane.VerbCreate, "created").answer(lane.VerbReturn, payment.OutFenced).lights(false, true)
		},
		"R29_money_after_close": func(t *testing.T) {
			returning(t).bill(payment.EvClosed).is(lane.Ended, "canceled").bill(payment.EvPaidAfter).is(lane.Ended, "canceled").flags("late", "owed").say("late_money", "late")
		},
		"R30_old_event_after_a_newer_snapshot": func(t *testing.T) {
			r := opened(t)
			old := event(r.p, payment.EvClosing)
			r.snapshot(payment.EvPaid, func(b *payment.Bill) { b.Version += 5 }).is(lane.Paid, "paid").take(old).by("E30").is(lane.Paid, "paid")
		},
		"R31_charge_lost_with_its_code": func(t *testing.T) {
			charging(t).reboot().did("drop charge", "put charge_void").answer(lane.VerbChargeVoid, payment.OutVoid).is(lane.WaitingCode, "open").lights(false, false)
		},
		"R32_charge_lands_after_not_found": func(t *testing.T) {
			charging(t).bill(payment.EvDeclined).is(lane.WaitingCode, "open").bill(payment.EvPaid).is(lane.Paid, "paid").bill(payment.EvOver).flags("over", "owed")
		},
		"R33_return_behind_confirm": func(t *testing.T) {
			r := released(t).take(part("C-1", 100))
			r.answer(lane.VerbConfirm, payment.OutConfirmed).answer(lane.VerbReturn, payment.OutReturning).is(lane.Done, "part_returned")
		},
		"R34_key_for_ever": func(t *testing.T) {
			a, b := done(t).take(part("C-1", 100)), done(t).take(part("C-1", 100))
			if a.p.Calls[0].ID != b.p.Calls[0].ID || lane.ReturnKey("p1", "C-1") == lane.ReturnKey("p1", "C-2") || lane.ReturnKey("p1", "C-1") == lane.ReturnKey("p2", "C-1") {
				t.Error("the key of a return does not follow from its reference")
			}
		},
		"R35_box_replaced_same_reference": func(t *testing.T) {
			r := sent(t)
			b := billOf(r.p, payment.EvPart)
			b.Payment = "first"
			r.answered(lane.VerbCreate, lane.Answer{Outcome: payment.OutReferenceSeen, Bill: &b}).flags("review").lights(false, false)
		},
	} {
		t.Run(name, f)
	}
}

// TestFault holds the faults that earlier forms of the table had, as far as the box can have them.
func TestFault(t *testing.T) {
	for name, f := range map[string]func(*testing.T){
		"V1_paid_behind_a_cancel":         func(t *testing.T) { returning(t).bill(payment.EvPaid).is(lane.Closing, "closing").lights(false, false) },
		"V2_countdown_gives_nothing_back": func(t *testing.T) { expiring(t).didNot("put").bill(payment.EvPaid).lights(true, false) },
		"V3_late_money_is_not_paid": func(t *testing.T) {
			opened(t).bill(payment.EvLate).lights(false, false).is(lane.LateOffered, "closing")
		},
		"V4_accept_waits_for_the_answer": func(t *testing.T) {
			accepting(t).lights(false, false).answer(lane.VerbAccept, payment.OutLapsed).lights(false, false)
		},
		"V5_deadline_moves_nothing": func(t *testing.T) { paid(t).bill(payment.EvConfirmWanted).lights(true, false).take(confirm(amount)) },
		"V6_console_asks": func(t *testing.T) {
			paid(t).bill(payment.EvReturnWanted).lights(true, false).did("tell payment.unfinished")
		},
		"V10_fence_is_a_call_with_a_key": func(t *testing.T) {
			returning(t).reboot().answer(lane.VerbReturn, payment.OutFenced).lights(false, true)
		},
		"V13_calls_stay_in_order":        func(t *testing.T) { raceOrder(t) },
		"V14_confirm_after_auto_confirm": func(t *testing.T) { paid(t).bill(payment.EvDone).take(confirm(5000)).did("put confirm") },
		"V18_declined_is_never_free":     func(t *testing.T) { charging(t).bill(payment.EvDeclined).lights(false, false) },
		"V23_overridden_has_an_end":      func(t *testing.T) { overridden(t).bill(payment.EvClosed).is(lane.OverriddenEnded, "overridden") },
		"V26_charge_without_code":        func(t *testing.T) { charging(t).reboot().did("put charge_void") },
		"V30_reboot_while_paying":        func(t *testing.T) { opened(t).bill(payment.EvPaying).reboot().is(lane.Open, "paying").didNot("draw") },
		"V31_snapshot_while_paying":      func(t *testing.T) { opened(t).snapshot(payment.EvPaying).is(lane.Open, "paying").did("wipe") },
		"V33_paying_ends_without_a_link": func(t *testing.T) {
			opened(t).bill(payment.EvPaying).cut().clock(lane.MaxOpen).is(lane.Closing, "in_doubt")
		},
		"V34_more_time_crosses_countdown":   func(t *testing.T) { expiring(t).bill(payment.EvOpen).is(lane.Open, "open").did("draw") },
		"V40_parked_never_touches_the_lane": func(t *testing.T) { parkedGlass(t) },
		"V42_accepting_can_be_parked": func(t *testing.T) {
			accepting(t).cut().kind(lane.TillPark).answer(lane.VerbAccept, payment.OutAccepted).is(lane.Paid, "paid").did("tell payment.settled")
		},
		"V17_sent_is_written_first": func(t *testing.T) {
			r := sent(t)
			if !r.p.Sent || r.fx[0].Do != lane.Put {
				t.Error("the frame may leave before the record")
			}
			r.reboot().giveBack("C-1").is(lane.Closing, "closing").lights(false, false)
		},
		"V20_override_is_one_call": func(t *testing.T) {
			r := overridden(t)
			n := 0
			for _, c := range r.p.Calls {
				if c.Verb == lane.VerbReturn && c.Whole {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d fences", n)
			}
		},
		"V21_closed_ends_every_stage": func(t *testing.T) {
			for _, r := range []*run{sent(t), opened(t), opened(t).bill(payment.EvPaying), opened(t, scanMode), charging(t), expiring(t), returning(t), late(t), accepting(t)} {
				r.bill(payment.EvClosed)
				if r.p.Stage != lane.Ended {
					t.Errorf("hangs in %s", r.p.Stage)
				}
			}
		},
		"V24_cancel_just_as_it_is_paid_ends": func(t *testing.T) {
			returning(t).bill(payment.EvClosed, func(b *payment.Bill) { b.Reason, b.Paid, b.Owed = payment.Returned, amount, amount }).is(lane.Ended, "returned").lights(false, true)
		},
		"V32_extend_while_paying": func(t *testing.T) {
			r := opened(t).take(lane.Event{Kind: lane.TillExtend, By: time.Minute}).bill(payment.EvPaying).answer(lane.VerbExtend, payment.OutExtended).is(lane.Open, "paying").didNot("draw")
			r.bill(payment.EvPaying).is(lane.Open, "paying").didNot("draw")
		},
		"V35_chain_of_replacements_waits_for_the_first": func(t *testing.T) {
			c := replace(t, opened(t))
			c.next.take(lane.Event{Kind: lane.TillReplace, ID: "p3"}).is(lane.Ended, "canceled")
			third := next(t, "p3", "4823", c.old, c.next)
			if !third.p.Waiting {
				t.Fatal("the third does not wait")
			}
			gate(third, c.old, c.next).is(lane.Submitted, "submitted").didNot("put")
			c.old.answer(lane.VerbReturn, payment.OutFenced)
			gate(third, c.old, c.next).did("put create")
		},
		"V36_withdrawing_the_waiting_one_frees_nothing": func(t *testing.T) {
			c := replace(t, opened(t))
			c.next.giveBack("C-1")
			see(c.old, c.next)
			c.next.lights(false, false)
			c.old.lights(false, false).answer(lane.VerbReturn, payment.OutFenced).lights(false, true)
			see(c.old, c.next)
			c.next.lights(false, true)
		},
		"V37_override_of_the_old_never_opens_the_gate": func(t *testing.T) {
			c := replace(t, opened(t))
			c.old.cut()
			e := overriding()
			e.Follows = true
			c.old.take(e)
			c.link().didNot("put")
			c.next.kind(lane.OldOver).is(lane.Ended, "canceled")
			see(c.old, c.next)
			c.old.back().answer(lane.VerbReturn, payment.OutFenced).bill(payment.EvClosed).is(lane.OverriddenEnded, "overridden").lights(false, true)
			c.link().didNot("put").is(lane.Ended, "canceled")
		},
		"V38_light_belongs_to_the_sale": func(t *testing.T) {
			c := replace(t, opened(t))
			c.old.answer(lane.VerbReturn, payment.OutFenced)
			c.link().bill(payment.EvOpen)
			see(c.old, c.next)
			c.old.lights(false, false)
			c.next.lights(false, false).take(lane.Event{Kind: lane.OutputsDone, Shown: []string{"kiosk"}}).bill(payment.EvPaid).lights(true, false)
			see(c.old, c.next)
			c.old.lights(false, false).bill(payment.EvClosed).lights(false, false).didNot("wipe", "sound")
		},
		"V41_parked_charge_declined": func(t *testing.T) {
			charging(t).cut().kind(lane.TillPark).back().bill(payment.EvDeclined).is(lane.Closing, "closing").did("put return").scan().didNot("put")
		},
		"V43_own_return_only_where_asked_for": func(t *testing.T) {
			for _, policy := range []payment.IfNotConfirmed{payment.Keep, payment.Person} {
				paid(t, func(q *lane.Request) { q.IfNotConfirmed = policy }).clock(lane.Ask).clock(lane.GiveBack).is(lane.Paid, "paid").lights(true, false)
			}
		},
		"V44_copy_of_paid": func(t *testing.T) {
			paid(t).kind(lane.FoundCopy).lights(false, false).refused(confirm(amount), lane.NoWrongState)
		},
		"V45_copy_of_submitted": func(t *testing.T) {
			sent(t).kind(lane.FoundCopy).snapshot(payment.EvOpen).is(lane.Closing, "closing").didNot("draw")
		},
		"V46_copy_of_unsent": func(t *testing.T) {
			ask(t).kind(lane.FoundCopy).lights(false, false).clock(lane.Unsent).is(lane.Restored, "in_doubt")
		},
		"V47_copy_sends_no_create": func(t *testing.T) { sent(t).kind(lane.FoundCopy).did("drop create").kind(lane.LinkReady).didNot("put") },
		"V48_copy_that_missed_nothing": func(t *testing.T) {
			r := paid(t)
			same := event(r.p, payment.EvPaid)
			same.Kind = lane.Snapshot
			same.Bill.Version--
			r.kind(lane.FoundCopy).take(same).is(lane.Restored, "in_doubt").lights(false, false)
		},
	} {
		t.Run(name, f)
	}
}

func raceOrder(t *testing.T) {
	r := paid(t).take(confirm(amount)).take(part("C-1", 100)).take(part("C-2", 200))
	var got []string
	for _, c := range r.p.Calls {
		got = append(got, c.Verb+c.Key)
	}
	want := []string{lane.VerbConfirm, lane.VerbReturn + lane.ReturnKey("p1", "C-1"), lane.VerbReturn + lane.ReturnKey("p1", "C-2")}
	for i := range want {
		if got[len(got)-3+i] != want[i] {
			t.Fatalf("order %v", got)
		}
	}
}

// parkedGlass: from park on the glass and the scanner are the next sale's; promises checks every step.
func parkedGlass(t *testing.T) {
	for _, kind := range []string{payment.EvOpen, payment.EvPaying, payment.EvPaid, payment.EvLate, payment.EvClosed, payment.EvPart, payment.EvPaidAfter} {
		r := expiring(t).kind(lane.TillPark).bill(kind).didNot("draw", "wipe", "sound")
		if r.p.Stage == lane.Open || r.p.Stage == lane.WaitingCode {
			t.Errorf("%s opens a parked payment", kind)
		}
		r.scan().didNot("put")
	}
}

// TestSale asks the questions that go over several payments.
func TestSale(t *testing.T) {
	all := []lane.Payment{
		{ID: "x", Stage: lane.Open, Sent: true},
		{ID: "a", Stage: lane.Closing, Closing: lane.ByReturn, Sent: true, ReplacedBy: "b"},
		{ID: "b", Stage: lane.Ended, Replaces: "a", ReplacedBy: "c"},
		{ID: "c", Stage: lane.Submitted, Waiting: true, Replaces: "b"},
	}
	for _, id := range []string{"a", "b", "c"} {
		var ids string
		for _, p := range lane.Sale(all, id) {
			ids += p.ID
		}
		if ids != "abc" {
			t.Errorf("the sale of %s is %s", id, ids)
		}
	}
	gate := func(change func(*lane.Payment)) bool {
		sale := lane.Sale(all, "c")
		change(&sale[0])
		return lane.GateOpen(sale, "c")
	}
	for name, c := range map[string]struct {
		change func(*lane.Payment)
		open   bool
	}{
		"unfenced":   {func(*lane.Payment) {}, false},
		"fenced":     {func(p *lane.Payment) { p.FenceAcked = true }, true},
		"ended":      {func(p *lane.Payment) { p.Stage = lane.Ended }, true},
		"overridden": {func(p *lane.Payment) { p.Stage, p.FenceAcked = lane.Overridden, true }, false},
		"paid":       {func(p *lane.Payment) { p.Stage = lane.Paid }, false},
		"restored":   {func(p *lane.Payment) { p.Stage = lane.Restored }, false},
	} {
		if got := gate(c.change); got != c.open {
			t.Errorf("%s: gate %v, want %v", name, got, c.open)
		}
	}
	if lane.Occupies(all[1]) || !lane.Occupies(all[3]) || !lane.Occupies(all[0]) {
		t.Error("the one that took the place holds the lane")
	}
}
