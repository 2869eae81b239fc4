package checkout_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

// raceTest is a race with a number (R…), or a fault that an earlier form of the table had (V…): its ids, what happens, and
// the crossing. A race that can go two ways has two.
type raceTest struct {
	name string
	run  func(*shop)
}

const races = 37 // that have a number: R1 …

// serversAlone are the races of which a box sees nothing, or only what another race brings; payment/bill has them.
var serversAlone = map[string]string{
	"R6":  "the bank's order is the integrator's to make",
	"R9":  "call-backs come from the bank to the integrator; what comes twice to the box is R30",
	"R17": "how money goes back is chosen there",
	"R19": "one sticker's two customers have a bill each, and no box between them",
	"R27": "a kill is the integrator's call",
	"R36": "quotes of a timer bill are rows of the integrator",
	"R37": "what a bank takes back again is owed again, there",
}

// raceIDs are the ids that stand in front of a test's name.
func raceIDs(name string) (ids []string) {
	for _, word := range strings.Fields(name) {
		if n, err := strconv.Atoi(strings.TrimPrefix(word, "R")); err != nil || n < 1 || n > races || word != fmt.Sprint("R", n) {
			break
		}
		ids = append(ids, word)
	}
	return ids
}

// unnamed are the races that touch the box and have no test among these.
func unnamed(tests []raceTest) (ids []string) {
	named := map[string]bool{}
	for _, r := range tests {
		for _, id := range raceIDs(r.name) {
			named[id] = true
		}
	}
	for n := 1; n <= races; n++ {
		if id := fmt.Sprint("R", n); !named[id] && serversAlone[id] == "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestRace has every race that touches the box, by its name.
func TestRace(t *testing.T) {
	all := slices.Concat(crossings, lateRaces, lostRaces)
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			in(t, func(s *shop) {
				r.run(s)
				s.sums()
			})
		})
	}
	for _, id := range unnamed(all) {
		t.Errorf("race %s has no test", id)
	}
	for n := 1; n <= races; n++ { // that the list finds what is missing, of each
		id := fmt.Sprint("R", n)
		without := slices.DeleteFunc(slices.Clone(all), func(r raceTest) bool { return slices.Contains(raceIDs(r.name), id) })
		if found := slices.Contains(unnamed(without), id); found != (serversAlone[id] == "") || !found && len(without) < len(all) {
			t.Errorf("race %s: missed when it is not there: %v; the server's alone: %q, and %d tests have it", id, found, serversAlone[id], len(all)-len(without))
		}
	}
	t.Logf("%d tests; %d races touch the box, %d are the server's alone", len(all), races-len(serversAlone), len(serversAlone))
}

// sums fails unless all money of every bill is somewhere, and once.
func (s *shop) sums() {
	s.t.Helper()
	for id, b := range s.bills {
		if b.Paid != b.Held+b.Kept+b.Owed+b.Returned {
			s.t.Errorf("bill %s: paid %d, but held %d, kept %d, owed %d, returned %d", id, b.Paid, b.Held, b.Kept, b.Owed, b.Returned)
		}
	}
}

// ends is how a race ends: of the bill's money so much is kept for goods and so much goes back, none is held; nobody was told
// both lights; and the lane takes the next customer.
func (s *shop) ends(bill string, kept, owed int64) {
	s.t.Helper()
	b := s.bills[bill]
	if b.Life != payment.Closed || b.Held != 0 || b.Kept != kept || b.Owed+b.Returned != owed || b.Paid != kept+owed {
		s.t.Fatalf("bill %+v, want kept %d and owed %d", b, kept, owed)
	}
	s.check()
	next := s.open(request("R-next"))
	if v := s.stage.now("1"); v.Payment != next || v.Payload == "" {
		s.t.Fatalf("the next customer sees %+v", v)
	}
}

// crossings are the races between what the till does, what the clock does, and what the integrator has said meanwhile.
var crossings = []raceTest{
	{"R1 paid as it expires", func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(300*time.Second + time.Millisecond)
		s.want(id, "closing")
		s.pay(id)
		s.settle()
		s.want(id, "paid")
	}},
	{"R2 R22 cancel crosses bill.paid", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.giveBack(id)
		s.settle()
		s.want(id, "returned", "owed")
		s.lights(id, false, true)
		s.neverHandedOver(id)
	}},
	{"R2 cancel first at the integrator, paid event older", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.giveBack(id)
		s.step() // fenced, before bill.paid is delivered
		s.lights(id, false, true)
		s.settle()
		s.lights(id, false, true)
		s.neverHandedOver(id)
	}},
	{"R3 crash between send and answer", func(s *shop) {
		id := s.create(request("R-1"))
		s.handle(*s.next())
		s.restart()
		s.settle()
		s.want(id, "open")
		if len(s.bills) != 1 {
			s.t.Fatalf("%d bills", len(s.bills))
		}
	}},
	{"R4 crash around paid, event lost", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.restart()
		s.settle()
		s.want(id, "paid")
	}},
	{"R4 crash around paid, ack lost", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		e := s.queue[0]
		s.settle()
		s.restart()
		s.hand(e)
		s.want(id, "paid")
		s.once(id, lane.EvPaid)
	}},
	{"R5 till dies after the goods", func(s *shop) {
		id := s.paid()
		s.restart()
		ps, err := s.box.List(s.ctx(), lane.Filter{Open: true})
		if err != nil || len(ps) != 1 || ps[0].ID != id || !ps[0].Lights.HandOver {
			s.t.Fatalf("%+v %v", ps, err)
		}
		s.change(id, payment.EvDone, func(b *payment.Bill) {
			b.Life, b.Reason, b.Kept, b.Held, b.ByDeadline, b.By = payment.Closed, payment.Done, b.Held, 0, true, "deadline"
		})
		s.settle()
		s.tells(id, lane.EvUnfinished)
		s.confirm(id)
	}},
	{"R11 pays twice", func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.change(id, payment.EvOver, func(b *payment.Bill) { b.Paid, b.Over, b.Owed = 2*b.Amount.Value, b.Amount.Value, b.Amount.Value })
		s.settle()
		s.want(id, "confirmed", "over", "owed")
	}},
	{"R13 two returns at once", func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.part(id, "a", 12550)
		_, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "b", Amount: money(1)})
		s.refused(err, lane.NoExceedsKept)
		s.settle()
		s.want(id, "returned")
	}},
	// What is left of a code, counted by the monotonic clock, is all that ends it, and the end only hides it.
	{"R14 a wrong clock on the till", func(s *shop) {
		const years = 10 * 365 * 24 * time.Hour
		var off atomic.Int64
		s.cfg.Wall = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
		s.restart()
		off.Store(int64(-years))
		id := s.open(request("R-1"))
		off.Store(int64(years)) // set under the code
		s.wait(299 * time.Second)
		s.want(id, "open")
		if v := s.stage.now("1"); v.Payload == "" {
			s.t.Fatalf("glass %+v", v)
		}
		off.Store(int64(-years))
		s.wait(2 * time.Second)
		s.want(id, "closing")
		if v := s.stage.now("1"); v.Payload != "" {
			s.t.Fatalf("glass %+v", v)
		}
		s.pay(id) // on time, says the bank
		s.settle()
		s.want(id, "paid")
		s.lights(id, true, false)
	}},
	{"R15 link lost while the code is shown", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.wait(20 * time.Second)
		if p := s.want(id, "open"); p.DoubtSince == nil || s.stage.now("1").Payload == "" {
			s.t.Fatal("the code stays up, with doubt")
		}
		s.wait(281 * time.Second)
		s.want(id, "in_doubt")
		if s.stage.now("1").Payload != "" {
			s.t.Fatal("the code is up after its end")
		}
	}},
	{"R18 confirm below paid, crash before the answer", func(s *shop) {
		id := s.paid()
		if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: money(10000)}); err != nil {
			s.t.Fatal(err)
		}
		s.handle(*s.next()) // kept and owed in one change; the answer is lost with the box
		s.restart()
		s.settle()
		if p := s.want(id, "confirmed"); p.Final.Value != 10000 {
			s.t.Fatalf("final %+v", p.Final)
		}
		if b := s.bills[id]; b.Kept != 10000 || b.Owed != 2550 {
			s.t.Fatalf("kept %d owed %d", b.Kept, b.Owed)
		}
	}},
	{"R20 R21 override while an on-time payment is unheard", func(s *shop) {
		id := s.open(request("R-1"))
		s.overridden(id)
		s.pay(id)
		s.connect()
		s.settle()
		s.want(id, "overridden", "owed")
		s.neverHandedOver(id)
		s.sent(wire.BillReturn, 1)
	}},
	{"R23 countdown crosses bill.paid", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.wait(301 * time.Second)
		s.want(id, "closing")
		s.settle()
		s.want(id, "paid")
		s.lights(id, true, false)
	}},
	{"R24 accept crosses the lease's end", func(s *shop) {
		id := s.late()
		s.accept(id)
		s.change(id, payment.EvPaidAfter, func(b *payment.Bill) { b.Late, b.Owed, b.Held = payment.LateLapsed, b.Held, 0 })
		s.deliver()
		s.want(id, "closing")
		s.settle()
		s.want(id, "closing", "owed")
		s.neverHandedOver(id)
	}},
	{"R25 confirm crosses auto-confirm", func(s *shop) {
		id := s.paid()
		s.change(id, payment.EvDone, func(b *payment.Bill) {
			b.Life, b.Reason, b.Kept, b.Held, b.ByDeadline = payment.Closed, payment.Done, b.Held, 0, true
		})
		if _, err := s.box.Confirm(s.ctx(), id, lane.ConfirmRequest{Final: money(10000)}); err != nil {
			s.t.Fatal(err)
		}
		s.bills[id].Life = payment.Closed
		s.settle()
		s.want(id, "confirmed")
		if b := s.bills[id]; b.Kept != 10000 || b.Owed != 2550 {
			s.t.Fatalf("kept %d owed %d", b.Kept, b.Owed)
		}
	}},
	{"R26 console return crosses hand-over", func(s *shop) {
		id := s.paid()
		s.change(id, payment.EvReturnWanted, func(b *payment.Bill) { b.Who = "Bob" })
		s.confirm(id)
		s.settle()
		s.want(id, "confirmed")
	}},
	{"R28 return while create is unanswered", func(s *shop) {
		id := s.create(request("R-1"))
		s.giveBack(id)
		s.sent(wire.BillReturn, 0)
		s.settle()
		s.want(id, "closing")
		s.noCode(id)
		s.lights(id, false, true)
	}},
	{"R30 old event after a newer snapshot", func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		e := s.queue[0]
		s.queue = nil
		s.cut()
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.settle()
		s.want(id, "paid")
		s.hand(e)
		s.once(id, lane.EvPaid)
	}},
	{"R31 charge lost with the code", func(s *shop) {
		id := s.open(request("R-1", scanMode))
		s.pause[wire.BillCharge] = true
		if err := s.scan("c"); err != nil {
			s.t.Fatal(err)
		}
		c := s.j.Calls()[0]
		s.restart()
		s.settle()
		s.want(id, "open")
		delete(s.pause, wire.BillCharge)
		s.handle(c) // the old frame lands after all: the tombstone stands in its way
		s.settle()
		s.want(id, "open")
	}},
	{"R33 return queued behind confirm", func(s *shop) {
		id := s.paid()
		s.cut()
		synctest.Wait()
		s.confirm(id)
		s.part(id, "a", 2550)
		s.restart()
		s.settle()
		if b := s.bills[id]; b.Kept != 10000 || b.Owed != 2550 {
			s.t.Fatalf("kept %d owed %d", b.Kept, b.Owed)
		}
	}},
	{"V31 paying is not redrawn by a snapshot", func(s *shop) {
		id := s.open(request("R-1"))
		s.cut()
		s.bills[id].Paying = true
		s.bills[id].Version++
		s.connect(func(w *wire.Session) { w.Resume, w.Snapshot = "snapshot", &wire.Snapshot{Seq: s.seq} })
		s.settle()
		s.want(id, "paying")
	}},
	{"V34 extension crosses the countdown", func(s *shop) {
		id := s.open(request("R-1"))
		s.wait(299 * time.Second)
		s.change(id, payment.EvOpen, func(b *payment.Bill) { b.RemainingMS = 300000 })
		s.wait(2 * time.Second)
		s.want(id, "closing")
		s.settle()
		s.want(id, "open")
	}},
	{"V39 replace and crash", func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", replaces(a)))
		s.restart()
		s.settle()
		s.want(a, "closing")
		s.want(b, "open")
		s.lights(a, false, false)
	}},
	{"V40 a parked payment never takes the glass back", func(s *shop) {
		id := s.parked()
		s.open(request("R-2"))
		s.change(id, payment.EvOpen, func(b *payment.Bill) { b.Life, b.RemainingMS = payment.Open, 60000 })
		s.settle()
		if v := s.stage.now("1"); v.Payment == id {
			s.t.Fatalf("glass %+v", v)
		}
		s.restart()
		if v := s.stage.now("1"); v.Payment == id {
			s.t.Fatalf("glass %+v", v)
		}
	}},
}

func (s *shop) neverHandedOver(id string) {
	s.t.Helper()
	for _, e := range s.events() {
		if e.Subject == id && publicOf(s.t, e).Lights.HandOver {
			s.t.Fatalf("event %d %s hands over", e.Seq, e.Type)
		}
	}
}

func (s *shop) once(id, typ string) {
	s.t.Helper()
	n := 0
	for _, got := range s.told(id) {
		if got == typ {
			n++
		}
	}
	if n != 1 {
		s.t.Fatalf("%s was told %d times", typ, n)
	}
}

// TestRestartBetweenAnyTwoSteps kills and starts the box between any two steps of both sales: nothing is lost or doubled.
func TestRestartBetweenAnyTwoSteps(t *testing.T) {
	type act func(s *shop, id *string)
	create := func(edit ...func(*lane.Request)) act {
		return func(s *shop, id *string) { *id = s.create(request("R-1", edit...)) }
	}
	step := func(s *shop, _ *string) { s.step() }
	event := func(s *shop, _ *string) { s.deliver(); synctest.Wait() }
	lost := func(s *shop, _ *string) { // handled, and the answer is lost
		if c := s.next(); c != nil {
			s.handle(*c)
		}
	}
	pay := func(s *shop, id *string) { s.pay(*id) }
	confirm := func(s *shop, id *string) { s.confirm(*id) }
	giveBack := func(s *shop, id *string) { s.part(*id, "b-1", 2550) }
	scan := func(s *shop, _ *string) {
		if err := s.scan("good"); err != nil {
			s.t.Fatal(err)
		}
	}
	flows := map[string][]act{
		"show": {create(), lost, step, event, pay, event, confirm, lost, step, event, giveBack, lost, step, event},
		"scan": {create(scanMode), lost, step, event, scan, lost, step, event, event, confirm, lost, step, event, giveBack, step, event},
	}
	runs := 0
	for name, flow := range flows {
		for cut := 0; cut <= len(flow); cut++ {
			runs++
			t.Run(fmt.Sprintf("%s/%d", name, cut), func(t *testing.T) {
				in(t, func(s *shop) {
					var id string
					for i, f := range flow {
						if i == cut {
							s.restart()
							s.again(id)
						}
						f(s, &id)
						synctest.Wait()
					}
					if cut == len(flow) {
						s.restart()
					}
					s.settle()
					if p := s.want(id, "part_returned"); p.Returns[0].Amount.Value != 2550 {
						t.Fatalf("returns %+v", p.Returns)
					}
					b := s.bills[id]
					if len(s.bills) != 1 || b.Kept != 10000 || b.Owed != 2550 || b.Paid != b.Kept+b.Owed+b.Held {
						t.Fatalf("bill %+v", b)
					}
					s.once(id, lane.EvPaid)
					s.once(id, lane.EvConfirmed)
				})
			})
		}
	}
	t.Logf("%d restarts", runs)
}

// again scans once more where the restart took the code away before it was sent.
func (s *shop) again(id string) {
	if id == "" || s.get(id).Mode != payment.Scan {
		return
	}
	if p := s.get(id); p.State != "charging" {
		return
	}
	s.settle()
	if p := s.get(id); p.State == "open" {
		if err := s.scan("good"); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestAnswersThatComeTwiceChangeNothing(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		s.pay(id)
		s.settle()
		s.confirm(id)
		s.part(id, "a", 50)
		s.settle()
		n, at := len(s.told(id)), s.get(id).Version
		for _, c := range s.seen {
			s.reply(c.ID)
		}
		if len(s.told(id)) != n || s.get(id).Version != at {
			t.Errorf("%d events and version %d, were %d and %d", len(s.told(id)), s.get(id).Version, n, at)
		}
		s.want(id, "part_returned")
		t.Logf("%d answers repeated", len(s.seen))
	})
}

func TestASaleThatWasPaidIsNotReplacedThroughItsFirstPayment(t *testing.T) {
	in(t, func(s *shop) {
		a := s.open(request("A"))
		b := s.create(request("B", replaces(a)))
		s.settle()
		s.pay(b)
		s.settle()
		s.want(b, "paid")
		_, _, err := s.box.Create(s.ctx(), request("C", replaces(a)))
		if r := s.refused(err, lane.NoReplacedWasPaid); r.Payment == nil || r.Payment.ID != b {
			t.Fatalf("payment %+v", r.Payment)
		}
	})
}

func TestAProblemWithoutACodeIsNoAnswer(t *testing.T) {
	in(t, func(s *shop) {
		id := s.create(request("R-1"))
		call := s.j.Calls()[0].ID
		for _, p := range []*wire.Problem{{Code: -32603, Message: "internal"}, {Data: wire.ProblemData{Code: payment.NoSuperseded}}} {
			if err := s.box.Answer(s.ctx(), call, nil, p); err != nil {
				t.Fatal(err)
			}
		}
		if cs := s.j.Calls(); len(cs) != 1 || cs[0].ID != call {
			t.Fatalf("calls %+v", cs)
		}
		s.settle()
		s.want(id, "open")
	})
}

func TestBodiesThatAreNoBillAreParked(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		bodies := []string{``, `null`, `[]`, `"x"`, `{`, `{"payment":7}`, `{}`, `{"payment":"` + id + `","version":"1"}`}
		for _, b := range bodies {
			s.seq++
			s.hand(wire.Event{Seq: s.seq, Type: payment.EvPaid, Body: []byte(b)})
		}
		s.want(id, "open")
		if seen := s.j.Meta().Seen; seen != s.seq {
			t.Fatalf("seen %d, want %d", seen, s.seq)
		}
		s.pay(id)
		s.settle()
		s.want(id, "paid") // the stream goes on
		t.Logf("%d bodies", len(bodies))
	})
}
