package integrator

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"tilld/internal/wire"
	"tilld/payment"
	"tilld/payment/bill"
)

// AddTerminal adds a box by its public key, or gives a known one another key.
func (s *Service) AddTerminal(ctx context.Context, name string, key ed25519.PublicKey) error {
	if !wire.ValidKey(name) {
		return errors.New("add terminal: its name must be printable ASCII without a space")
	}
	return s.store.AddTerminal(ctx, Terminal{Name: name, Key: key})
}

// Terminals lists the boxes by name.
func (s *Service) Terminals(ctx context.Context) ([]Terminal, error) { return s.store.Terminals(ctx) }

// Key is the public key of a terminal. ErrBlocked comes with the key: nobody but the box itself learns that it is blocked.
func (s *Service) Key(ctx context.Context, terminal string) (ed25519.PublicKey, error) {
	t, err := s.store.Terminal(ctx, terminal)
	if err == nil && t.Blocked {
		err = ErrBlocked
	}
	return t.Key, err
}

// OpenSession begins a session of a terminal whose signature was verified: its epoch is raised, so that every older
// session can write no more, and what its journal has lost is found and said.
func (s *Service) OpenSession(ctx context.Context, o wire.Open) (wire.Session, error) {
	t, err := s.enter(ctx, o)
	if err != nil {
		return wire.Session{}, fmt.Errorf("open session: %w", err)
	}
	s.watch.signal(o.Terminal) // an older session may be waiting: it is over
	now := s.Providers()
	out := wire.Session{
		Session: payment.NewID(time.Now()), Epoch: t.Epoch, Now: s.time.day().Format(time.RFC3339),
		HeartbeatMS: s.set.Heartbeat.Milliseconds(), BusyMS: s.set.Busy.Milliseconds(), Window: s.set.Window,
		JitterMS: s.set.Jitter.Milliseconds(), ConfigVersion: 1, Providers: now.Show, ScanProviders: now.Scan, Silent: now.Silent, Names: s.titles,
		Resume: "ok", JournalState: t.state,
	}
	if t.Ahead {
		out.Ledger = wire.LedgerRestored
		s.log.Error("terminal has seen events that this ledger does not know, it was restored from a copy", "terminal", o.Terminal, "seen", o.Seen)
		if err := s.recover(ctx, t); err != nil {
			return wire.Session{}, fmt.Errorf("open session: %w", err)
		}
	}
	if t.Memory != "" || t.Ahead || o.Seen < t.Trimmed {
		if t, err = s.snapshot(ctx, t, &out); err != nil {
			return wire.Session{}, fmt.Errorf("open session: %w", err)
		}
	}
	if day := businessDay(s.time.day(), s.zone); t.Numbers.Day != day || t.state != MemoryKnown || t.Ahead || s.few(o.NumbersLeft) {
		if out.Numbers, err = s.lease(ctx, t.Name, t.Epoch, day); err != nil {
			return wire.Session{}, fmt.Errorf("open session: %w", err)
		}
		return out, nil
	}
	out.Numbers = &t.Numbers
	return out, nil
}

// entered is a terminal as its session found it, with the state of its journal.
type entered struct {
	Terminal
	state string
}

func (s *Service) enter(ctx context.Context, o wire.Open) (entered, error) {
	var out entered
	err := s.store.ChangeTerminal(ctx, o.Terminal, func(t *Terminal) error {
		state := MemoryKnown
		switch {
		case t.Journal == "":
			state = MemoryNew
		case t.Journal != o.Journal:
			state = MemoryLost
		case o.Restored, o.Seen < t.Acked, o.Writes < t.Writes:
			state = MemoryRestored
		case t.Memory != "" && o.Seen < t.Resync:
			state = t.Memory // it was told, and the line broke before it had taken that in
		}
		// A box that has events which we have not, or which we have written while it was away: this ledger is a copy of an
		// older one. Its events go on above what the box has seen, or it would take them for repeats, and it reads its bills
		// anew. That is remembered until it has: the work may be broken off.
		t.Ahead = t.Ahead && o.Seen < t.Resync || o.Seen > t.Seq || t.Heard >= 0 && o.Seen > t.Heard || o.EpochSeen > t.Epoch
		t.Epoch, t.Heard = max(t.Epoch, o.EpochSeen), -1
		if t.Seq = max(t.Seq, o.Seen); t.Ahead {
			t.Seq++
		}
		t.Memory = ""
		if state == MemoryLost || state == MemoryRestored {
			t.Memory = state
		}
		if t.Memory != "" || t.Ahead {
			t.Resync = t.Seq
		}
		t.Epoch++
		t.Journal, t.Boot, t.Writes, t.Acked, t.OpenedAt = o.Journal, o.Boot, o.Writes, o.Seen, s.time.day()
		out = entered{*t, state}
		return nil
	})
	return out, err
}

// How far a restored ledger goes beyond what it may have said before it was lost.
const (
	liftVersions = 1 << 20
	liftAtOnce   = 2000 // bills in one commit: whoever writes beside it waits some milliseconds
	skipNumbers  = 1000 // at least; every box may have leased two blocks since
)

// recover makes a ledger that was put back from a copy speak above what its boxes have heard from the lost one: the versions
// of all bills rise, once for each start, so that a box takes them in, and those of this box that are not settled are put
// under review, for it may know more. Numbers that the lost one had leased since the copy was made are skipped, once for
// each start.
func (s *Service) recover(ctx context.Context, t entered) error {
	if err := s.lifts.do(ctx, s.lift); err != nil {
		return err
	}
	ids, err := s.store.List(ctx, Query{Terminal: t.Name, Which: Unsettled})
	if err != nil {
		return err
	}
	if err := s.each(ctx, t, ids, bill.Recovered); err != nil {
		return err
	}
	return s.skips.do(ctx, func(ctx context.Context) error { return s.skip(ctx, t.Name) })
}

// lift raises the version of every bill.
func (s *Service) lift(ctx context.Context) error {
	for last := ""; ; {
		var err error
		if last, err = s.store.Lift(ctx, last, liftAtOnce, liftVersions); err != nil || last == "" {
			return err
		}
	}
}

// skip leases what boxes may have leased from the lost ledger. It goes to this one, which is given a block of its own next.
func (s *Service) skip(ctx context.Context, terminal string) error {
	boxes, err := s.store.Terminals(ctx)
	if err != nil {
		return err
	}
	want := max(skipNumbers, 2*s.set.Block*len(boxes))
	for ask := 1; ask > 0; ask = want { // the first one says how many are left of this day's
		n, err := s.store.Lease(ctx, terminal, 0, s.merchant, businessDay(s.time.day(), s.zone), ask)
		if errors.Is(err, ErrNoNumbers) {
			return nil // nothing is left that could be given out twice
		}
		if err != nil {
			return err
		}
		// No lease goes over the end of the four digits. At most a third of what is left of five is skipped: where a merchant
		// has a thousand boxes, a number that comes twice is better than boxes that have none.
		want = min(want-(n.To-n.From+1), (lastNumber-max(n.To, firstNumber+fourDigits-1))/3)
	}
	return nil
}

// snapshot says what a box has to read anew, because its events cannot be replayed. Bills that a lost journal knew
// nothing of are put under review first: nobody guesses where their goods are.
func (s *Service) snapshot(ctx context.Context, t entered, out *wire.Session) (entered, error) {
	which := Unsettled
	if t.Memory != "" {
		which = Open
	}
	var ids []string
	var err error
	if t.Memory == MemoryLost {
		if ids, err = s.store.List(ctx, Query{Terminal: t.Name, Which: which}); err != nil {
			return t, err
		}
		s.log.Warn("terminal lost its journal", "terminal", t.Name, "bills", len(ids))
		if err := s.each(ctx, t, ids, bill.Forgotten); err != nil {
			return t, err
		}
	}
	err = s.store.ChangeTerminal(ctx, t.Name, func(n *Terminal) error {
		if n.Epoch != t.Epoch {
			return ErrSuperseded
		}
		if n.Memory != "" || n.Ahead {
			n.Resync = n.Seq
		}
		t.Terminal = *n
		return nil
	})
	if err != nil {
		return t, err
	}
	// Read after Seq: what comes in between is told as an event, and not lost between the two.
	if ids, err = s.store.List(ctx, Query{Terminal: t.Name, Which: which}); err != nil {
		return t, err
	}
	if t.Memory == MemoryRestored {
		if ids, err = s.returnedSince(ctx, t.Name, max(t.Acked, t.Trimmed), ids); err != nil {
			return t, err
		}
	}
	out.Resume, out.Snapshot = "snapshot", &wire.Snapshot{Seq: t.Seq, Payments: ids}
	return t, nil
}

// side is how many bills of a snapshot are changed beside each other, so that they share commits: the box waits meanwhile.
const side = 64

// each takes one event through the table for each bill.
func (s *Service) each(ctx context.Context, t entered, ids []string, cause bill.Cause) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(side)
	for _, id := range ids {
		g.Go(func() error {
			_, err := s.change(ctx, Subject{Bill: id, Terminal: t.Name, Epoch: t.Epoch}, bill.Event{Cause: cause})
			return err
		})
	}
	return g.Wait()
}

// Events answers up to n of the terminal's events after a seq, with their age now.
func (s *Service) Events(ctx context.Context, terminal string, after int64, n int) ([]wire.Event, error) {
	es, err := s.store.Events(ctx, terminal, after, n)
	if err != nil {
		return nil, err
	}
	now := s.time.now()
	out := make([]wire.Event, 0, len(es))
	for _, e := range es {
		out = append(out, wire.Event{
			Seq: e.Seq, Type: e.Type, Age: max(0, now.Sub(e.At).Milliseconds()), Fresh: e.Fresh.Milliseconds(), Body: json.RawMessage(e.Body),
		})
	}
	return slices.Clip(out), nil
}

// Gauges takes in how far a box's journal has come. One that has gone back is ErrRestored: nothing is written, so that the
// next session.open finds the same and rows E33 decide. One that has few numbers left gets a further block.
func (s *Service) Gauges(ctx context.Context, terminal string, epoch int64, g wire.Gauges) (*payment.Numbers, error) {
	err := s.store.ChangeTerminal(ctx, terminal, func(t *Terminal) error {
		switch {
		case t.Epoch != epoch:
			return ErrSuperseded
		case g.Writes < t.Writes:
			return ErrRestored
		}
		t.Writes = g.Writes
		return nil
	})
	if err != nil || !s.few(g.NumbersLeft) {
		return nil, err
	}
	return s.lease(ctx, terminal, epoch, businessDay(s.time.day(), s.zone))
}

// Ack takes in that the box has everything up to seq.
func (s *Service) Ack(ctx context.Context, terminal string, epoch, seq int64) error {
	return s.store.ChangeTerminal(ctx, terminal, func(t *Terminal) error {
		if t.Epoch != epoch {
			return ErrSuperseded
		}
		t.Acked = max(t.Acked, min(seq, t.Seq))
		if t.Acked >= t.Resync {
			t.Memory, t.Ahead = "", false
		}
		return nil
	})
}
