package integrator_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tilld/integrator"
	"tilld/integrator/provider"
	"tilld/integrator/store/sqlite"
	"tilld/internal/depth"
	"tilld/internal/wire"
	"tilld/payment"
)

func (r *rig) open(o wire.Open) wire.Session {
	r.Helper()
	o.Terminal = "till-1"
	s, err := r.svc.OpenSession(r.Context(), o)
	r.ok(err)
	r.epoch = s.Epoch
	return s
}

func TestKnownJournalResumes(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		s := r.open(wire.Open{Journal: "j1", Boot: "b2", Seen: r.seen, Writes: 5})
		if s.Resume != "ok" || s.Snapshot != nil || s.JournalState != integrator.MemoryKnown || s.Numbers == nil || s.Session == "" {
			t.Fatalf("session %+v", s)
		}
		again := r.open(wire.Open{Journal: "j1", Boot: "b2", Seen: r.seen, Writes: 5})
		if again.Epoch != s.Epoch+1 || *again.Numbers != *s.Numbers || again.Session == s.Session {
			t.Errorf("after %+v came %+v", s, again)
		}
		if !slices.Equal(s.Providers, []string{"bank"}) || !slices.Equal(s.ScanProviders, []string{"bank"}) {
			t.Errorf("providers %v %v", s.Providers, s.ScanProviders)
		}
		if len(s.Names) != 1 || s.Names["bank"] != "Corner Bank" {
			t.Errorf("names %v", s.Names)
		}
	})
}

func TestLostJournalPutsLiveBillsUnderReview(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		var ids [3]string
		for i := range ids {
			ids[i] = r.create(payment.Show, int64(i+1)*100)
			time.Sleep(time.Millisecond)
		}
		open, paid, done := ids[0], ids[1], ids[2]
		for i, id := range []string{open, paid, done} {
			r.await(id, payment.EvOpen, time.Second)
			if id != open {
				r.bank.pay(id, "T"+id, int64(i+1)*100, 0)
				r.hint(id)
				r.await(id, payment.EvPaid, time.Second)
			}
		}
		r.confirm(done, 300)
		r.take()
		first := r.open(wire.Open{Journal: "j2", Boot: "b2"})
		// The line breaks before the box has taken the snapshot in: it is told again.
		s := r.open(wire.Open{Journal: "j2", Boot: "b2"})
		for _, s := range []wire.Session{first, s} {
			if s.JournalState != integrator.MemoryLost || s.Resume != "snapshot" || s.Snapshot == nil || s.Snapshot.Seq <= r.seen {
				t.Fatalf("session %+v %+v", s, s.Snapshot)
			}
			if want := []string{open, paid}; !slices.Equal(s.Snapshot.Payments, want) {
				t.Fatalf("snapshot of %v, want %v", s.Snapshot.Payments, want)
			}
		}
		for _, id := range []string{open, paid} {
			if b := r.get(id); !b.Review || b.Life != payment.Open {
				t.Errorf("a live bill of a lost journal: %+v", b)
			}
		}
		if r.get(done).Review {
			t.Error("a bill that was done is under review")
		}
		es, err := r.svc.Events(t.Context(), "till-1", s.Snapshot.Seq, 10)
		if err != nil || len(es) != 0 {
			t.Fatalf("events after the snapshot: %v, %v", es, err)
		}
		r.seen = s.Snapshot.Seq
		r.ok(r.svc.Ack(t.Context(), "till-1", r.epoch, r.seen))
		if s := r.open(wire.Open{Journal: "j2", Boot: "b2", Seen: r.seen}); s.Resume != "ok" || s.JournalState != integrator.MemoryKnown {
			t.Fatalf("once it was taken in: %+v", s)
		}
		r.confirm(paid, 200) // under review, a box can still say where its goods are, and that ends it
		r.giveBack(open, "k", 0)
		for _, id := range []string{open, paid} {
			if b := r.get(id); b.Review {
				t.Errorf("the box has said what became of the goods, and the bill is still under review: %+v", b)
			}
		}
	})
}

// TestThousandsOfOpenBillsOfALostJournal: a box of which nobody has confirmed anything for months comes back without its
// journal. All its bills are told, put under review once, and the sum of them is what it was.
func TestThousandsOfOpenBillsOfALostJournal(t *testing.T) {
	bills := depth.Figure(t, "open bills of a lost journal", 300, 1000, 5000)
	run(t, func(t *testing.T, r *rig) {
		var ids []string
		for range bills {
			ids = append(ids, r.create(payment.Scan, 100))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		for range 2 { // the second time after a cut before the box has taken it in
			s := r.open(wire.Open{Journal: "j2", Boot: "b2"})
			if s.JournalState != integrator.MemoryLost || s.Snapshot == nil || !slices.Equal(s.Snapshot.Payments, ids) {
				t.Fatalf("session %q, snapshot %v of %d bills", s.JournalState, s.Snapshot != nil, bills)
			}
			if want := 2 * int64(bills); s.Snapshot.Seq != want {
				t.Fatalf("the stream goes on at %d, want %d: each bill was opened, and went under review once", s.Snapshot.Seq, want)
			}
			for _, id := range ids {
				if b := r.get(id); !b.Review || b.Life != payment.Open {
					t.Fatalf("a live bill of a lost journal: %+v", b)
				}
			}
		}
		t.Logf("%d bills told twice", bills)
	})
}

func TestCopyOfAJournalIsFound(t *testing.T) {
	for name, o := range map[string]wire.Open{
		"by the box itself": {Journal: "j1", Boot: "b", Seen: 1 << 20, Writes: 1 << 20, Restored: true},
		"by its events":     {Journal: "j1", Boot: "b", Seen: 0, Writes: 1 << 20},
		"by its writes":     {Journal: "j1", Boot: "b", Seen: 1 << 20, Writes: 0},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				id := r.create(payment.Show, 100)
				r.await(id, payment.EvOpen, time.Second)
				o.Seen = min(o.Seen, r.seen)
				s := r.open(o)
				if s.JournalState != integrator.MemoryRestored || s.Resume != "snapshot" || !slices.Equal(s.Snapshot.Payments, []string{id}) {
					t.Fatalf("session %+v", s)
				}
				if r.get(id).Review {
					t.Error("a restored copy decides by its own rows; the bill is as it was")
				}
			})
		})
	}
}

// TestImageOfABoxHearsOfReturnsSince: a box that was put back from an image has sales for settled of which money has been
// returned since, and would offer the till to return it again.
func TestImageOfABoxHearsOfReturnsSince(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		var ids []string
		for range 2 {
			id := r.create(payment.Show, 100)
			r.await(id, payment.EvOpen, time.Second)
			r.bank.pay(id, "T"+id, 100, 0)
			r.hint(id)
			r.await(id, payment.EvPaid, time.Second)
			r.confirm(id, 100)
			ids = append(ids, id)
		}
		r.take()
		image := r.seen
		r.giveBack(ids[0], "k", 40)
		r.await(ids[0], payment.EvReturned, time.Second)
		r.take()
		s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: image, Writes: 1 << 20, Restored: true})
		if s.JournalState != integrator.MemoryRestored || s.Snapshot == nil || !slices.Equal(s.Snapshot.Payments, ids[:1]) {
			t.Fatalf("session %+v %+v, want a snapshot of %s", s, s.Snapshot, ids[0])
		}
		if b := r.get(ids[0]); len(b.Returns) != 1 || b.Kept != 60 {
			t.Errorf("the bill is %+v", b)
		}
	})
}

// TestServerRestoredFromACopyIsHeard: the copy's bills are taken in by a box that knows newer ones, under review, and no
// number is leased twice. It is found by the box's events, or by the session that it remembers.
func TestServerRestoredFromACopyIsHeard(t *testing.T) {
	for name, o := range map[string]wire.Open{
		"by its events":  {Seen: 500},
		"by its session": {EpochSeen: 40},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, r *rig) {
				open, done := r.create(payment.Show, 100), r.create(payment.Show, 300)
				r.await(open, payment.EvOpen, time.Second)
				r.await(done, payment.EvOpen, time.Second)
				r.bank.pay(done, "T1", 300, 0)
				r.hint(done)
				r.await(done, payment.EvPaid, time.Second)
				r.confirm(done, 300)
				r.take()
				was := map[string]int64{open: r.get(open).Version, done: r.get(done).Version}
				o.Journal, o.Boot, o.Writes, o.Seen = "j1", "b", 9, max(o.Seen, r.seen)
				before := *r.session().Numbers
				s := r.open(o)
				if s.Ledger != wire.LedgerRestored {
					t.Error("the box is not told that its promises may be lost")
				}
				if s.JournalState != integrator.MemoryKnown || s.Resume != "snapshot" || !slices.Equal(s.Snapshot.Payments, []string{open}) || s.Epoch <= o.EpochSeen {
					t.Fatalf("session %+v %+v", s, s.Snapshot)
				}
				if gap := s.Numbers.From - before.To; gap < 500 {
					t.Errorf("numbers go on at %d after %d: the lost ledger may have leased them", s.Numbers.From, before.To)
				}
				for id, v := range was {
					if now := r.get(id).Version; now < v+1<<20 {
						t.Errorf("version %d after %d: the box takes that for old", now, v)
					}
				}
				if b := r.get(open); !b.Review || b.Why != payment.WhyLedgerRestored || b.Life != payment.Open {
					t.Errorf("the bill that the box may know more of: %+v", b)
				}
				if r.get(done).Review {
					t.Error("a bill that is settled is under review")
				}
				r.seen = s.Snapshot.Seq
				r.ok(r.svc.Ack(t.Context(), "till-1", r.epoch, r.seen))
				if again := r.open(wire.Open{Journal: "j1", Boot: "b", Writes: 9, Seen: r.seen, EpochSeen: s.Epoch}); again.Resume != "ok" || again.Ledger != "" {
					t.Errorf("once it was taken in: %+v", again)
				}
				r.giveBack(open, "k", 0) // the box's word
				if b := r.get(open); b.Review {
					t.Errorf("the box has said what became of the goods: %+v", b)
				}
			})
		})
	}
}

// A box that goes away before it has taken the snapshot in, or a server that does, changes nothing: the next session is told
// the same.
func TestServerRestoredFromACopyRemembersItUntilTheBoxHasHeard(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		o := wire.Open{Journal: "j1", Boot: "b", Seen: 500, Writes: 9}
		var s wire.Session
		for i := range 4 {
			s = r.open(o)
			if s.Resume != "snapshot" || s.Snapshot.Seq <= 500 || !slices.Equal(s.Snapshot.Payments, []string{id}) {
				t.Fatalf("session %d: %+v %+v", i, s, s.Snapshot)
			}
			if n := s.Numbers; n == nil || i == 0 && n.From < 2000 {
				t.Errorf("session %d has numbers %+v, the lost ledger may have leased them", i, n)
			}
			if tt, err := r.store.Terminal(t.Context(), "till-1"); err != nil || !tt.Ahead {
				t.Errorf("session %d: the ledger has forgotten that it is a copy: %+v, %v", i, tt, err)
			}
			switch o.EpochSeen = s.Epoch; i {
			case 1:
				r.down()
				r.up()
			case 2:
				o.EpochSeen = 0 // the epoch says nothing
			}
		}
		r.seen = s.Snapshot.Seq
		if s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: r.seen, Writes: 9, EpochSeen: s.Epoch}); s.Resume != "ok" {
			t.Errorf("once it was taken in: %+v", s)
		}
	})
}

// The copy has written as many events as it has lost before the box is back: that the box has seen as many says nothing.
func TestServerRestoredFromACopyThatHasWrittenAsMuchIsFound(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.take()
		copied := r.image()
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		r.giveBack(id, "whole", 0)
		r.await(id, payment.EvReturned, time.Minute)
		r.take()
		o := wire.Open{Journal: "j1", Boot: "b", Seen: r.seen, Writes: 9, EpochSeen: r.epoch}
		r.down()
		r.dir = copied
		for range 2 { // a start without the box changes nothing
			r.up()
			time.Sleep(time.Hour) // it asks the bank by itself
			r.down()
		}
		r.up()
		tt, err := r.store.Terminal(t.Context(), "till-1")
		r.ok(err)
		if o.Seen = min(o.Seen, tt.Seq); o.Seen <= tt.Heard {
			t.Fatalf("the box has seen %d, the copy ended at %d and has come to %d: this proves nothing", o.Seen, tt.Heard, tt.Seq)
		}
		s := r.open(o)
		if s.Resume != "snapshot" {
			t.Errorf("session %+v, the box has seen %d, the ledger writes %d", s, o.Seen, tt.Seq)
		}
		t.Logf("the copy ended at %d and had come to %d, the box had seen %d", tt.Heard, tt.Seq, o.Seen)
	})
}

// lists is a store beside which something happens as soon as it has listed bills for the nth time.
type lists struct {
	*sqlite.Store
	nth int
	do  func()
}

func (l *lists) List(ctx context.Context, q integrator.Query) ([]string, error) {
	ids, err := l.Store.List(ctx, q)
	if l.nth--; l.nth == 0 {
		l.do()
	}
	return ids, err
}

// Money that comes for a bill which was settled, while a snapshot is made, is in its list or comes as an event behind it.
func TestMoneyBesideASnapshotIsTold(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		r.confirm(id, 100)
		r.take()
		store := &lists{Store: r.store, nth: 2, do: func() { // once for the review of what is open, then for the snapshot
			r.bank.pay(id, "T2", 100, 0)
			r.hint(id)
			synctest.Wait()
		}}
		svc, err := integrator.New(integrator.Config{Store: store, Providers: map[string]provider.Provider{"bank": r.bank}, Merchant: "shop"})
		r.ok(err)
		s, err := svc.OpenSession(t.Context(), wire.Open{Terminal: "till-1", Journal: "j1", Boot: "b", Seen: 500, Writes: 9})
		r.ok(err)
		if store.nth != 0 || s.Snapshot == nil {
			t.Fatalf("the store was asked for another number of lists: %d are left; session %+v", store.nth, s)
		}
		es, err := r.svc.Events(t.Context(), "till-1", s.Snapshot.Seq, 10)
		r.ok(err)
		told := slices.Contains(s.Snapshot.Payments, id)
		for _, e := range es {
			told = told || strings.Contains(string(e.Body), id)
		}
		if !told {
			t.Errorf("the second payment is in no list and no event: %+v, %d events behind it", s.Snapshot, len(es))
		}
		t.Logf("snapshot at %d of %v, %d events behind it", s.Snapshot.Seq, s.Snapshot.Payments, len(es))
	})
}

func TestServerRestoredFromACopyGoesOnAboveWhatTheBoxHasSeen(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: 500, Writes: 9})
		if s.Resume != "snapshot" || s.Snapshot.Seq < 500 || s.JournalState != integrator.MemoryKnown {
			t.Fatalf("session %+v", s)
		}
		r.seen = s.Snapshot.Seq
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
	})
}

func TestTrimmedStreamGoesOnWithASnapshot(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		seen := r.seen
		time.Sleep(9 * 24 * time.Hour) // it expired; the box was away, and its events are gone
		s := r.open(wire.Open{Journal: "j1", Boot: "b", Seen: seen, Writes: 9})
		if s.Resume != "snapshot" || s.JournalState != integrator.MemoryKnown {
			t.Fatalf("session %+v", s)
		}
		if b := r.get(id); b.Status != "expired" || b.Review {
			t.Errorf("the bill is %+v", b)
		}
	})
}

func TestNumbersFollowTheBusinessDayAndNeverRepeat(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		n := *r.session().Numbers
		seen := map[int]bool{}
		next := n.From
		for range 120 {
			if next > n.To {
				t.Fatalf("the block %+v ran out before another came", n)
			}
			if seen[next] {
				t.Fatalf("%d twice", next)
			}
			seen[next] = true
			c := r.request(payment.Scan, 100)
			c.Number = string([]byte{byte('0' + next/1000), byte('0' + next/100%10), byte('0' + next/10%10), byte('0' + next%10)})
			res := r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
			next++
			if res.Numbers != nil {
				n = *res.Numbers
				next = n.From
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(24 * time.Hour)
		if s := r.session(); s.Numbers.Day == n.Day || seen[s.Numbers.From] {
			t.Errorf("the next day has %+v after %+v", s.Numbers, n)
		}
	})
}

func TestCallbackIsBelievedOnlyAsAHint(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, time.Second)
		asked := r.bank.count("look")
		r.hint(id)
		synctest.Wait()
		if n := r.bank.count("look"); n != asked+1 {
			t.Errorf("asked %d times after a call-back", n-asked)
		}
		if !strings.Contains(r.log.String(), "cause=hint rows=[B5i]") {
			t.Error("the call-back was not taken by its row")
		}
		if b := r.get(id); b.Status != "open" || b.Paid != 0 {
			t.Errorf("a call-back moved money: %+v", b)
		}
		req := httptest.NewRequest(http.MethodPost, "/", nil)
		if status, _ := r.svc.Callback(t.Context(), "bank", req, []byte(id)); status != http.StatusUnauthorized {
			t.Errorf("a forged call-back was answered %d", status)
		}
		if status, _ := r.svc.Callback(t.Context(), "nobody", req, nil); status != http.StatusNotFound {
			t.Errorf("a call-back of nobody was answered %d", status)
		}
		if s := r.hint(payment.NewID(time.Now())); s != http.StatusOK {
			t.Errorf("a call-back about an unknown order was answered %d", s)
		}
	})
}

func TestCallbackBeforeTheAnswerOpensAndPaysTheBill(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		free := r.bank.hold("present")
		id := r.create(payment.Show, 100)
		synctest.Wait()
		r.bank.pay(id, "T1", 100, 0)
		r.hint(id)
		r.await(id, payment.EvPaid, time.Second)
		free()
		time.Sleep(time.Second)
		r.confirm(id, 100)
		r.audit(100, 100, 0, 0)
	})
}

func TestSlowBankDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		slow := newBank()
		r.more = map[string]provider.Provider{"slow": slow}
		r.set.PerProvider = 2
		r.start()
		defer r.down()
		free := slow.hold("present")
		defer free()
		for range 10 {
			c := r.request(payment.Show, 100)
			c.Provider = "slow"
			r.accepted(payment.OutCreated, c.Payment+":create", wire.BillCreate, c)
		}
		synctest.Wait()
		if n := slow.count("present"); n != 2 {
			t.Errorf("%d calls at once to one provider, want 2", n)
		}
		start := time.Now()
		id := r.create(payment.Show, 100)
		r.await(id, payment.EvOpen, 0)
		if d := time.Since(start); d != 0 {
			t.Errorf("another bank's code took %v", d)
		}
	})
}

func TestIdleServerSleeps(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		synctest.Wait()
		before := len(r.log.String())
		time.Sleep(72 * time.Hour)
		if n := r.bank.count("look"); n != 0 || len(r.log.String()) != before {
			t.Errorf("%d questions, log grew by %d bytes", n, len(r.log.String())-before)
		}
	})
}
