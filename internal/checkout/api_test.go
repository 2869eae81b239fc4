package checkout_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tilld/internal/checkout"
	"tilld/internal/record"
	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/lane"
)

func TestPayCodesAreNowhere(t *testing.T) {
	codes := []string{"CANARY-281234567890123451", "CANARY-281234567890123452", "CANARY-281234567890123453", "CANARY-281234567890123454", "CANARY-281234567890123455"}
	in(t, func(s *shop) {
		s.codes[codes[0]], s.codes[codes[3]] = "declined", "slow"
		id := s.open(request("R-1", scanMode))
		for i, code := range codes[:3] { // declined; lost with a restart; too old
			if i == 1 {
				s.pause[wire.BillCharge] = true
			}
			if i == 2 {
				delete(s.pause, wire.BillCharge)
				s.cut()
				synctest.Wait()
			}
			if err := s.scan(code); err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				s.restart()
			}
			if i == 2 {
				s.wait(61 * time.Second)
				s.connect()
			}
			s.settle()
			if i < 2 {
				s.want(id, "open")
			}
		}
		s.want(id, "closing", "parked") // a code that grew old in doubt
		s.closeBill(id, payment.Returning)
		s.settle()
		id = s.open(request("R-1b", scanMode))
		if err := s.scan(codes[3]); err != nil { // charging, canceled
			t.Fatal(err)
		}
		s.settle()
		s.refused(s.scan(codes[3]), lane.NoWrongState)
		s.giveBack(id)
		s.settle()
		s.closeBill(id, payment.Returning)
		s.settle()
		last := s.create(request("R-2", scanMode, func(r *lane.Request) { r.Code = payment.NewCode(codes[4]) }))
		s.settle()
		s.want(last, "paid")
		found := 0
		for _, c := range codes {
			for _, part := range []string{c, c[7:]} {
				found += len(s.grep(part))
			}
		}
		if found != 0 {
			t.Errorf("codes found %d times", found)
		}
		if len(s.grep(id)) < 2 {
			t.Error("the search finds nothing at all") // it must find the payment's id in journal and log
		}
		t.Logf("%d codes, %d calls sent, found %d times", len(codes), len(s.seen), found)
	})
}

func TestABlockedOutputHoldsUpNobodyElse(t *testing.T) {
	in(t, func(s *shop) {
		s.stage.set(s.stage.stuck, "1", true)
		s.create(request("A"))
		b := s.create(request("B", func(r *lane.Request) { r.Lane = "2" }))
		at := time.Now()
		s.settle()
		s.want(b, "open")
		s.pay(b)
		s.settle()
		s.want(b, "paid")
		if d := time.Since(at); d != 0 {
			t.Errorf("lane 2 waited %v", d)
		}
	})
}

func TestAWipeOvertakesASlowPicture(t *testing.T) {
	in(t, func(s *shop) {
		s.stage.set(s.stage.stuck, "1", true)
		id := s.create(request("A"))
		s.settle()
		s.stage.set(s.stage.stuck, "1", false)
		at := time.Now()
		s.giveBack(id)
		synctest.Wait()
		if v := s.stage.now("1"); v.Payload != "" || v.Screen != "closing" || time.Since(at) != 0 {
			t.Fatalf("glass %+v after %v", v, time.Since(at))
		}
	})
}

func TestAvailability(t *testing.T) {
	in(t, func(s *shop) {
		want := func(show, scan string) {
			t.Helper()
			a, err := s.box.Availability(s.ctx(), "1")
			if err != nil || a.Show.Why != show || a.Scan.Why != scan || a.Show.OK != (show == "") || a.Receipt != "paper" {
				t.Fatalf("availability %+v, %v; want %q %q", a, err, show, scan)
			}
			if show != "" && a.Show.Since == nil {
				t.Fatal("since when is not said")
			}
		}
		want("", "")
		s.cut()
		s.wait(2 * time.Second)
		want("", "") // a blip
		s.wait(2 * time.Second)
		want("no_link", "no_link")
		s.connect(func(w *wire.Session) { w.ScanProviders = nil })
		synctest.Wait()
		want("", "no_provider")
		_, _, err := s.box.Create(s.ctx(), request("A", func(r *lane.Request) { r.Provider = "other" }))
		if why := s.refused(err, lane.NoUnavailable).Why; why != "no_provider" {
			t.Fatalf("why %s", why)
		}
		if _, err := s.box.Availability(s.ctx(), "9"); err == nil {
			t.Fatal("an unknown lane is available")
		}
		_, _, err = s.box.Create(s.ctx(), request("A", func(r *lane.Request) { r.Lane = "9" }))
		s.refused(err, lane.NoLane)
		n := 0
		for _, e := range s.events() {
			if e.Type == "availability" && e.Lane == "1" {
				n++
			}
		}
		if n != 4 { // boot, up, down, up with less
			t.Errorf("%d availability events", n)
		}
	})
}

func TestAProviderThatGoesBadIsOfferedNoMore(t *testing.T) {
	in(t, func(s *shop) {
		ability := func() (show, scan string) {
			t.Helper()
			synctest.Wait()
			a, err := s.box.Availability(s.ctx(), "1")
			if err != nil {
				t.Fatal(err)
			}
			return a.Show.Why, a.Scan.Why
		}
		told := func() (why []string) {
			for _, e := range s.events() {
				var of struct {
					Lanes map[string]lane.Availability `json:"lanes"`
				}
				if e.Type == "availability" && e.Lane == "1" && json.Unmarshal(e.Data, &of) == nil {
					why = append(why, of.Lanes["1"].Show.Why)
				}
			}
			return why
		}
		before := len(told())
		running := s.create(request("A"))
		s.box.Providers(wire.Providers{Scan: []string{"sandbox"}})
		if show, scan := ability(); show != "no_provider" || scan != "" {
			t.Fatalf("show %q, scan %q", show, scan)
		}
		if p := s.get(running); p.State == "expired" || p.State == "canceled" {
			t.Fatalf("the payment that runs is %s", p.State)
		}
		s.box.Providers(wire.Providers{Show: []string{"sandbox"}, Scan: []string{"sandbox"}})
		if show, scan := ability(); show != "" || scan != "" {
			t.Fatalf("show %q, scan %q once it works again", show, scan)
		}
		if got := told()[before:]; !slices.Equal(got, []string{"no_provider", ""}) {
			t.Errorf("the till was told %q", got)
		}
	})
}

func TestNumbersAreLeasedAndNeverDoubled(t *testing.T) {
	in(t, func(s *shop) {
		s.numbers = 10
		s.cut()
		s.connect(func(w *wire.Session) { w.Numbers = &payment.Numbers{Day: "2999-01-01", From: 10, To: 12} })
		seen := map[string]bool{}
		for _, ref := range []string{"A", "B", "C"} {
			if ref == "B" {
				s.restart()
			}
			id := s.open(request(ref))
			n := s.get(id).Number
			if left := s.box.NumbersLeft(); left != 2-len(seen) {
				t.Errorf("%d numbers are left behind %s", left, ref)
			}
			if seen[n] || len(n) != 4 {
				t.Fatalf("number %q again, of %v", n, seen)
			}
			seen[n] = true
			if ps, err := s.box.List(s.ctx(), lane.Filter{Number: n}); err != nil || len(ps) != 1 || ps[0].ID != id {
				t.Fatalf("by number: %v %v", ps, err)
			}
			s.giveBack(id)
			s.settle()
			s.closeBill(id, payment.Returning)
			s.settle()
		}
		_, _, err := s.box.Create(s.ctx(), request("D"))
		if why := s.refused(err, lane.NoUnavailable).Why; why != "no_numbers" || s.box.NumbersLeft() != 0 {
			t.Fatalf("why %s, %d left", why, s.box.NumbersLeft())
		}
		if ps, err := s.box.List(s.ctx(), lane.Filter{Number: "9999"}); err != nil || len(ps) != 0 {
			t.Fatalf("by a number that no payment bears: %v %v", ps, err)
		}
	})
}

func TestNumbersOfAClockThatWasAheadAreNotTheLast(t *testing.T) {
	in(t, func(s *shop) {
		// The box has a block of the future; then the integrator's clock has been set right.
		for _, n := range []payment.Numbers{{Day: "2999-01-01", From: 20, To: 21}, {Day: "1999-01-01", From: 30, To: 31}} {
			s.cut()
			s.connect(func(w *wire.Session) { w.Numbers = &n })
		}
		var got []string
		for _, ref := range []string{"A", "B", "C", "D"} {
			id := s.open(request(ref))
			got = append(got, s.get(id).Number)
			s.giveBack(id)
			s.settle()
			s.closeBill(id, payment.Returning)
			s.settle()
		}
		if want := []string{"0020", "0021", "0030", "0031"}; !slices.Equal(got, want) {
			t.Fatalf("numbers %v, not %v", got, want)
		}
	})
}

func TestListAndWait(t *testing.T) {
	in(t, func(s *shop) {
		ids := func(f lane.Filter) (out []string) {
			t.Helper()
			ps, err := s.box.List(s.ctx(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range ps {
				out = append(out, p.Reference)
			}
			return out
		}
		a := s.paid()
		s.confirm(a)
		s.settle()
		b := s.open(request("B"))
		c := s.open(request("C", func(r *lane.Request) { r.Lane = "2" }))
		for _, want := range []struct {
			f    lane.Filter
			refs []string
		}{
			{lane.Filter{Open: true}, []string{"C", "B"}},
			{lane.Filter{Open: true, Lane: "2"}, []string{"C"}},
			{lane.Filter{Reference: "R-1"}, []string{"R-1"}},
			{lane.Filter{Number: s.get(a).Number}, []string{"R-1"}},
			{lane.Filter{Unsettled: true}, nil},
		} {
			if got := ids(want.f); !slices.Equal(got, want.refs) {
				t.Errorf("%+v: %v, want %v", want.f, got, want.refs)
			}
		}
		version := s.get(b).Version
		got := make(chan lane.Public, 1)
		go func() {
			p, err := s.box.Wait(s.ctx(), b, version)
			if err != nil {
				t.Error(err)
			}
			got <- p
		}()
		s.wait(time.Second)
		select {
		case p := <-got:
			t.Fatalf("did not wait: %+v", p)
		default:
		}
		s.pay(b)
		s.settle()
		if p := <-got; p.State != "paid" || p.Version <= version {
			t.Fatalf("waited for %+v", p)
		}
		if got := ids(lane.Filter{}); !slices.Equal(got, []string{"C", "B"}) { // what a till reads that has missed events
			t.Errorf("without a filter: %v", got)
		}
		if got := ids(lane.Filter{Open: true, Unsettled: true}); len(got) != 0 {
			t.Errorf("filters narrow together: %v", got)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		stands := s.get(c)
		p, err := s.box.Wait(ctx, c, stands.Version)
		if err != nil || p.State != "open" {
			t.Fatalf("%+v %v", p, err)
		}
		if left, want := *p.RemainingMS, *stands.RemainingMS-1000; left != want {
			t.Fatalf("a wait that ends says %d ms left, want %d", left, want)
		}
		s.change(a, payment.EvPaidAfter, func(x *payment.Bill) { x.Owed += 100; x.Paid += 100 })
		s.settle()
		if got := ids(lane.Filter{Unsettled: true}); !slices.Equal(got, []string{"R-1"}) {
			t.Errorf("unsettled %v", got)
		}
		_, err = s.box.Get(s.ctx(), "nothing")
		s.refused(err, lane.NoNotFound)
	})
}

func TestPayloadIsGoneWithTheCode(t *testing.T) {
	in(t, func(s *shop) {
		id := s.open(request("R-1"))
		if p, err := s.box.Payload(s.ctx(), id); err != nil || p != "https://qr.example/"+id {
			t.Fatalf("%q %v", p, err)
		}
		s.giveBack(id)
		_, err := s.box.Payload(s.ctx(), id)
		s.refused(err, lane.NoCodeNotLive)
	})
}

func TestStoryNamesTheFirstGap(t *testing.T) {
	in(t, func(s *shop) {
		s.pause[wire.BillCreate] = true
		id := s.create(request("R-1"))
		s.wait(7 * time.Second)
		delete(s.pause, wire.BillCreate)
		s.settle()
		s.pay(id)
		s.settle()
		st, err := s.box.Story(s.ctx(), id)
		if err != nil || st.Gap == nil || st.Gap.What != "code" || st.Gap.GapMS != 7000 || st.Gap.Where != "integrator" {
			t.Fatalf("%+v %v", st.Gap, err)
		}
		var what []string
		for _, x := range st.Steps {
			what = append(what, x.What)
		}
		if strings.Join(what, " ") != "asked sent code shown paid" {
			t.Errorf("steps %v", what)
		}
		other := s.open(request("R-2", func(r *lane.Request) { r.Lane = "2" }))
		s.cut()
		s.wait(20 * time.Second)
		st, err = s.box.Story(s.ctx(), other)
		if err != nil || st.Gap == nil || st.Gap.Where != "link" {
			t.Fatalf("%+v %v", st.Gap, err)
		}
	})
}

func TestReceiptIsWanted(t *testing.T) {
	in(t, func(s *shop) {
		id := s.paid()
		s.confirm(id)
		s.settle()
		s.wait(time.Minute)
		s.restart()
		s.wait(61 * time.Second)
		s.want(id, "confirmed", "no_receipt")
		p, err := s.box.PutReceipt(s.ctx(), id, lane.Receipt{Number: "77"})
		if err != nil || slices.Contains(p.Flags, "no_receipt") || p.Receipt.Number != "77" {
			t.Fatalf("%+v %v", p, err)
		}
		if n := s.box.InMemory(); n != 0 {
			t.Errorf("%d in memory", n)
		}
	}, func(c *checkout.Config) {
		l := c.Lanes["1"]
		l.WantReceipt = true
		c.Lanes["1"] = l
	})
}

func TestFinishedPaymentsAreNotLoadedAtStart(t *testing.T) {
	in(t, func(s *shop) {
		const n = 20
		for i := range n {
			id := s.open(request("R-" + string(rune('a'+i))))
			s.pay(id)
			s.settle()
			s.confirm(id)
			s.settle()
		}
		s.restart()
		if got := s.box.InMemory(); got != 0 {
			t.Errorf("%d of %d finished payments in memory", got, n)
		}
		ps, err := s.box.List(s.ctx(), lane.Filter{Reference: "R-a"})
		if err != nil || len(ps) != 1 || ps[0].State != "confirmed" {
			t.Fatalf("%+v %v", ps, err)
		}
	})
}

// failing is a journal whose commits fail when told to.
type failing struct {
	checkout.Journal
	mu  sync.Mutex
	err error
}

func (f *failing) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *failing) Commit(ctx context.Context, b record.Batch) (int64, error) {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return f.Journal.Commit(ctx, b)
}

// halted is a journal that has stopped under a commit of somebody else's.
type halted struct{ checkout.Journal }

func (halted) CanStart() error { return record.ErrStopped }

func TestBoxEndsWithAJournalThatAnotherStopped(t *testing.T) {
	in(t, func(s *shop) {
		s.stop()
		<-s.ended
		s.box = checkout.New(s.cfg, halted{s.j}, s.stage, s.stage)
		if err := s.box.Run(t.Context()); !errors.Is(err, record.ErrStopped) {
			t.Fatalf("run ended with %v", err)
		}
		s.stop = nil
		_ = s.j.Close()
	})
}

func TestWithoutTheJournalNothingHappens(t *testing.T) {
	in(t, func(s *shop) {
		f := &failing{Journal: s.j}
		s.stop()
		<-s.ended
		s.box = checkout.New(s.cfg, f, s.stage, s.stage)
		s.integrator.o = s.box
		ctx, cancel := context.WithCancel(context.Background())
		s.stop, s.ended = cancel, make(chan error, 1)
		go func() { s.ended <- s.box.Run(ctx) }()
		s.connect()
		id := s.open(request("R-1"))
		f.set(record.ErrFull)
		if _, _, err := s.box.Create(s.ctx(), request("R-2", func(r *lane.Request) { r.Lane = "2" })); err == nil {
			t.Fatal("created without a record")
		}
		if _, err := s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x"}); !errors.Is(err, record.ErrFull) {
			t.Fatalf("returned without a record: %v", err)
		}
		s.want(id, "open")
		if s.stage.now("1").Payload == "" {
			t.Fatal("the glass moved before the journal")
		}
		s.wait(302 * time.Second) // the countdown cannot be journalled: it is tried again
		s.want(id, "open")
		f.set(nil)
		s.wait(2 * time.Second)
		s.want(id, "closing")
		f.set(record.ErrStopped)
		_, _ = s.box.Return(s.ctx(), id, lane.ReturnRequest{Reference: "x"})
		if err := <-s.ended; !errors.Is(err, record.ErrStopped) {
			t.Fatalf("run ended with %v", err)
		}
		if _, err := s.box.Get(s.ctx(), id); !errors.Is(err, checkout.ErrStopped) || !errors.Is(err, record.ErrStopped) {
			t.Fatalf("get after the end: %v", err)
		}
		if v := s.stage.now("1"); v.Screen != "idle" {
			t.Fatalf("glass %+v", v)
		}
		s.stop = nil
		_ = s.j.Close()
	})
}

func TestStopWipesTheGlass(t *testing.T) {
	in(t, func(s *shop) {
		s.open(request("R-1"))
		s.halt()
		if v := s.stage.now("1"); v.Payload != "" || v.Screen != "idle" {
			t.Fatalf("glass %+v", v)
		}
		s.start()
	})
}

func TestPeopleReadWords(t *testing.T) {
	in(t, func(s *shop) {
		s.codes["bad"] = "declined"
		id := s.open(request("R-1", scanMode))
		if err := s.scan("bad"); err != nil {
			t.Fatal(err)
		}
		s.settle()
		p := s.get(id)
		if p.Say.Cashier.Code != "declined" || p.Say.Cashier.Short == "" || p.Say.Cashier.Do == "" || p.LastDecline.Text == "" {
			t.Fatalf("say %+v, decline %+v", p.Say, p.LastDecline)
		}
		s.cut()
		s.wait(16 * time.Second)
		ru := s.get(id)
		for _, e := range s.events() {
			if e.Subject != id {
				continue
			}
			say := publicOf(t, e).Say.Cashier
			if say.Short == "" || say.Do == "" || strings.ContainsAny(say.Short+say.Do, "{}") {
				t.Errorf("event %s says %+v", e.Type, say)
			}
		}
		if n := len([]rune(ru.Say.Cashier.Short)); n > 32 {
			t.Errorf("short has %d characters", n)
		}
	})
}
